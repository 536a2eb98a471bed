"""`clipasso render`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clipasso.cli.work import say


def command(
    sketch: Annotated[Path, typer.Argument(metavar="SKETCH.svg", help="A sketch, ours or not.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="The PNG to write; beside the SVG by default."),
    ] = None,
    size: Annotated[int, typer.Option(help="Its longer side, in pixels.")] = 1024,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing PNG.")] = False,
) -> None:
    """Draw an SVG of strokes as a PNG.

    Example:  clipasso render cat.svg -o cat.png --size 2048
    """
    from clipasso.errors import ClipassoError
    from clipasso.files import write_atomically
    from clipasso.output import encode_png
    from clipasso.render import render_image
    from clipasso.strokes import open_sketch

    target = output or sketch.with_suffix(".png")
    if target.exists() and not force:
        raise ClipassoError(f"{target}: exists already; give --force to overwrite it")
    drawing, skipped = open_sketch(sketch)
    for line in skipped:
        say(f"{sketch}: not kept: {line}")
    write_atomically(target, encode_png(render_image(drawing, size)))
    typer.echo(f"{target}  {len(drawing)} strokes")
