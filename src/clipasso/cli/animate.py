"""`clipasso animate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clipasso.cli.compiling import compiling_said
from clipasso.cli.console import tell
from clipasso.cli.drawing import deliver, named, prepare, read_drawing
from clipasso.cli.film import encode_shown
from clipasso.cli.stdio import once


def command(
    sketches: Annotated[
        list[Path],
        typer.Argument(
            metavar="SKETCH.svg...",
            help="Sketches, ours or not; - for standard input. One is drawn stroke by stroke, "
            "several turn into one another.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="What to write: .svg, .html, .gif, .webp or .mp4 (which needs clipasso\\[video]); "
            "- for standard output.",
        ),
    ],
    seconds: Annotated[
        float, typer.Option(help="Of all motion together; what is held still comes on top.")
    ] = 4.0,
    hold: Annotated[
        float, typer.Option(help="Seconds for which the drawing, or each sketch, is held.")
    ] = 1.0,
    size: Annotated[
        int | None,
        typer.Option(help="Longer side of the frames, pixels (512); SVG and HTML have none."),
    ] = None,
    fps: Annotated[
        float | None, typer.Option(help="Frames a second (25); SVG and HTML have none.")
    ] = None,
    loop: Annotated[
        int | None,
        typer.Option(
            help="How often it is played, 0 for ever (GIF and WebP for ever, others once)."
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option("--format", help="svg, html, gif, webp or mp4, for -o - or another name."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Set a sketch in motion: drawn stroke by stroke at the pace of a hand, or turned into others.

    An animated SVG is still a sketch, which every command reads. It and the HTML show the finished
    drawing at once to those who have asked their system for less motion.

    Examples:

      clipasso animate cat.svg -o cat.gif

      clipasso animate cat.svg -o moving.svg --seconds 6

      clipasso animate 32.svg 16.svg 8.svg -o levels.mp4 --size 1080

      clipasso animate - -o - --format webp < cat.svg > cat.webp
    """
    from clipasso.vector.animate import animate, see_strokes
    from clipasso.vector.animate.files import check, choose_format, options_for

    once(*sketches)
    options = options_for(choose_format(output, kind), size, fps, loop)
    prepare(sketches, output, force)
    read = []
    for path in sketches:
        name, drawing = read_drawing(path, empty=True)
        see_strokes(drawing, name, alone=len(sketches) == 1)
        read.append(drawing)
    film = animate(*read, seconds=seconds, hold=hold)
    check(film, options)
    with compiling_said():
        data = encode_shown(film, options, named(output, "output"), silent=False)
    where = deliver(data, output, force)
    counts = " to ".join(str(len(drawing)) for drawing in read)
    tell(f"{where}  {counts} strokes, {film.duration:g} s, {len(data) / 1000:.0f} kB")
