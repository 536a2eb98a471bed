"""`clipasso render`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clipasso.cli.compiling import compiling_said
from clipasso.cli.console import say, tell, tell_bytes
from clipasso.cli.stdio import STANDARD, read_standard
from clipasso.errors import ClipassoError


def command(
    sketch: Annotated[
        Path,
        typer.Argument(metavar="SKETCH.svg", help="A sketch, ours or not; - for standard input."),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="The PNG to write, - for standard output; beside the SVG by default.",
        ),
    ] = None,
    size: Annotated[int, typer.Option(help="Its longer side, in pixels.")] = 1024,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing PNG.")] = False,
) -> None:
    """Draw an SVG of strokes as a PNG.

    Examples:

      clipasso render cat.svg -o cat.png --size 2048

      clipasso render - -o - < cat.svg > cat.png
    """
    from clipasso.pipeline.output import encode_png
    from clipasso.vector.render import render_image
    from clipasso.vector.safe_write import keep_apart, refuse_existing, write_atomically
    from clipasso.vector.sketch import open_sketch, read_sketch

    target = output or (STANDARD if sketch == STANDARD else sketch.with_suffix(".png"))
    keep_apart([sketch], [target])
    refuse_existing(target, force)
    if sketch == STANDARD:
        name = "standard input"
        drawing, skipped = read_sketch(read_standard(), name)
    else:
        name = str(sketch)
        drawing, skipped = open_sketch(sketch)
    for line in skipped:
        say(f"{name}: not kept: {line}")
    if not len(drawing):
        raise ClipassoError(f"{name}: has no strokes to draw; give its shapes a stroke")
    with compiling_said():
        data = encode_png(render_image(drawing, size))
    if target == STANDARD:
        tell_bytes(data)
    else:
        write_atomically(target, data, replace=force)
    tell(f"{'standard output' if target == STANDARD else target}  {len(drawing)} strokes")
