"""`clipasso render`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clipasso.cli import options as opt
from clipasso.cli.compiling import compiling_said
from clipasso.cli.console import tell
from clipasso.cli.drawing import beside, deliver, prepare, read_drawing
from clipasso.errors import ClipassoError


def command(
    sketch: opt.SketchFile,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="The PNG to write, - for standard output; beside the SVG by default.",
        ),
    ] = None,
    size: Annotated[int, typer.Option(help="Its longer side, in pixels.")] = 1024,
    first: Annotated[
        int | None, typer.Option(help="Draw the first so many strokes only.", metavar="K")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing PNG.")] = False,
) -> None:
    """Draw an SVG of strokes as a PNG.

    Examples:

      clipasso render cat.svg -o cat.png --size 2048

      clipasso render cat.svg -o cat-4.png --first 4  # those that tell most (see clipasso order)

      clipasso render - -o - < cat.svg > cat.png
    """
    from clipasso.pipeline.output import encode_png
    from clipasso.vector.render import render_image

    target = output or beside(sketch, ".png")
    prepare([sketch], target, force)
    _, drawing = read_drawing(sketch)
    if first is not None:
        if not 1 <= first <= len(drawing):
            raise ClipassoError(f"--first {first}: {sketch} has strokes 1 to {len(drawing)}")
        drawing = drawing[:first]
    with compiling_said():
        data = encode_png(render_image(drawing, size))
    tell(f"{deliver(data, target, force)}  {len(drawing)} strokes")
