"""`clipasso color`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clipasso.cli import options as opt
from clipasso.cli.console import say, tell
from clipasso.cli.drawing import beside, deliver, kind_of, named, prepare, read_drawing
from clipasso.cli.stdio import STANDARD, once
from clipasso.errors import ClipassoError


def command(
    sketch: opt.SketchFile,
    photo: Annotated[
        Path, typer.Argument(metavar="PHOTO", help="The photo it was made from, or -.")
    ],
    colors: Annotated[
        int | None,
        typer.Option(
            help="At most so many colours, each a layer; by default every stroke has its own.",
            metavar="N",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE",
            help="The SVG to write, - for standard output; SKETCH-color.svg by default.",
        ),
    ] = None,
    paper: Annotated[
        str, typer.Option(help="What strokes must stand out from.", metavar="COLOR")
    ] = "white",
    contrast: Annotated[
        float,
        typer.Option(
            help="The least contrast to the paper, 1 to 21 as in WCAG 2: paler colours are "
            "darkened so far.",
            metavar="X",
        ),
    ] = 3.0,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:  # fmt: skip
    """Give the strokes of a sketch the colours of its photo.

    Examples:

      clipasso color cat.svg cat.jpg --colors 3

      clipasso color cat.svg cat.jpg --paper black -o - | clipasso render - -o cat.png
    """
    once(sketch, photo)
    if output is None:
        output = beside(sketch, "-color.svg")
    kind_of(output, "svg" if output == STANDARD else None, ("svg",))
    prepare([sketch, photo], output, force)

    from clipasso.cli.photos import load
    from clipasso.pipeline.color import check_options, color

    check_options(colors, paper, contrast)
    _, drawing = read_drawing(sketch)
    loaded = load(photo, 224, "pad")
    try:
        colored = color(drawing, loaded, colors=colors, paper=paper, contrast=contrast)
    except ClipassoError as error:
        text = str(error)
        raise ClipassoError(text if text.startswith("--") else f"{named(sketch)}: {text}") from None
    for line in (*loaded.notes, *colored.notes):
        say(line)
    found = colored.colors
    told = f": {' '.join(found)}" if colors is not None else ""
    plural = "" if len(found) == 1 else "s"
    words = f"{len(colored.sketch)} strokes, {len(found)} colour{plural}{told}"
    tell(f"{deliver(colored.to_svg(), output, force)}  {words}")
