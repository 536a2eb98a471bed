"""`clipasso style`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clipasso.cli.console import tell
from clipasso.cli.drawing import beside, deliver, kind_of, named, prepare, read_drawing
from clipasso.cli.stdio import STANDARD
from clipasso.errors import ClipassoError


def command(
    sketch: Annotated[
        Path | None,
        typer.Argument(metavar="SKETCH.svg", help="A sketch, ours or not; - for standard input."),
    ] = None,
    brush: Annotated[
        str | None, typer.Option(help="Which brush; --list tells them.", metavar="NAME")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE",
            help="The PNG or SVG to write, as its name ends; - for standard output. By default "
            "SKETCH-BRUSH.png beside the sketch.",
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option("--format", help="png or svg, where no name says it.", metavar="NAME"),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(help="The longer side of a PNG, in pixels (1024); 2480 is A5 at 300 dpi."),
    ] = None,
    color: Annotated[
        str | None,
        typer.Option(help="The ink's, as navy or #1d3557; the strokes' own by default.",
                     metavar="COLOR"),
    ] = None,
    paper: Annotated[
        str | None,
        typer.Option(
            help="Its colour, or none for a transparent picture; by default a PNG is on white and "
            "an SVG has no background.",
            metavar="COLOR",
        ),
    ] = None,
    width: Annotated[float, typer.Option(help="Times the strokes' widths.", metavar="X")] = 1.0,
    angle: Annotated[
        float | None,
        typer.Option(help="Of calligraphy's nib, degrees from the horizontal (40).", metavar="X"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of what is left to chance.", metavar="N")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
    show_list: Annotated[
        bool, typer.Option("--list", help="Tell the brushes and do nothing else.")
    ] = False,
) -> int:  # fmt: skip
    """Draw a sketch with a brush: pencil, charcoal, ink and others.

    Examples:

      clipasso style --list

      clipasso style cat.svg --brush charcoal -o cat.png --size 2480

      clipasso style cat.svg --brush ink --color navy -o cat-ink.svg

      clipasso style - --brush pencil -o - --format png < cat.svg > cat.png
    """
    from clipasso.vector.brushes.catalogue import BRUSHES, find_brush

    if show_list:
        _print_list()
        return 0
    if sketch is None:
        raise ClipassoError("style: name a sketch, as in `clipasso style cat.svg --brush ink`")
    if brush is None:
        raise ClipassoError(f"style: say which brush with --brush: {', '.join(BRUSHES)}")
    find_brush(brush)
    if output is None and sketch == STANDARD:
        output = STANDARD
    elif output is None:
        kind = "png" if kind is None else kind_of(STANDARD, kind, ("png", "svg"))
        output = beside(sketch, f"-{brush}.{kind}")
    kind = kind_of(output, kind, ("png", "svg"))
    if kind == "svg" and size is not None:
        raise ClipassoError("--size: is of a PNG; an SVG can be shown at any size")
    prepare([sketch], output, force)

    from clipasso.vector.brushes.restyle import check_vector, restyle
    from clipasso.vector.render import LARGEST_SIDE, PNG_SIDE

    side = PNG_SIDE if size is None else size
    if not 1 <= side <= LARGEST_SIDE:
        raise ClipassoError(f"--size {side}: must be from 1 to {LARGEST_SIDE} pixels")
    if kind == "svg":
        check_vector(find_brush(brush))
    _, drawing = read_drawing(sketch)
    try:
        styled = restyle(
            drawing, brush, color=color, paper=paper, width=width, seed=seed, angle=angle
        )
        data = styled.to_svg() if kind == "svg" else styled.to_png(side)
    except ClipassoError as error:
        text = str(error)
        raise ClipassoError(text if text.startswith("--") else f"{named(sketch)}: {text}") from None
    where = deliver(data, output, force)
    tell(f"{where}  {len(styled.layers)} strokes, {brush}")
    return 0


def _print_list() -> None:
    from rich.console import Console
    from rich.table import Table

    from clipasso.vector.brushes.catalogue import BRUSHES, find_brush

    table = Table(box=None, pad_edge=False)
    for heading in ("brush", "files", "what it looks like"):
        table.add_column(heading, no_wrap=heading != "what it looks like")
    for name in BRUSHES:
        brush = find_brush(name)
        table.add_row(name, "PNG, SVG" if brush.vector else "PNG", brush.about)
    Console(highlight=False).print(table)
