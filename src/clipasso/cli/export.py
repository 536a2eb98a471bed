"""`clipasso export`."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from clipasso.cli.compiling import compiling_said
from clipasso.cli.console import tell
from clipasso.cli.drawing import beside, deliver, prepare, read_drawing
from clipasso.cli.stdio import STANDARD
from clipasso.errors import ClipassoError


def command(
    sketch: Annotated[
        Path,
        typer.Argument(
            metavar="SKETCH.svg",
            help="A sketch, ours or not, or its JSON from this command; - for standard input.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="The file to write, - for standard output; beside the SVG by default.",
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            metavar="pdf|png|svg|json|ndjson|dxf",
            help="By the output's suffix by default. DXF needs clipasso[dxf].",
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(
            metavar="PIXELS|LENGTH",
            help="Its longer side: 2048 for PNG, 120mm for PDF and DXF.",
        ),
    ] = None,
    transparent: Annotated[
        bool, typer.Option("--transparent", help="A PNG without the white ground.")
    ] = False,
    paper: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|WxHmm",
            help="PDF: a page to print on, a6 to a3, letter, legal or 200x150mm.",
        ),
    ] = None,
    margin: Annotated[
        str | None,
        typer.Option(metavar="LENGTH", help="Kept free on all sides of the paper (15mm)."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Write a sketch in another format.

    PDF and DXF are vectors, SVG has two decimals, JSON every digit of the control points, and
    NDJSON QuickDraw's lists of points.

    Examples:

      clipasso export cat.svg -o cat.pdf --size 120mm

      clipasso export cat.svg -o cat-a5.pdf --paper a5

      clipasso export cat.svg -o cat.png --size 4096 --transparent

      clipasso export - --format json -o - < cat.svg | jq .size
    """
    from clipasso.vector.export import FORMATS, exported, format_of

    if output is None and format is None:
        raise ClipassoError("-o or --format: give one, such as -o cat.pdf")
    if format is not None and format not in FORMATS:
        raise ClipassoError(f"--format {format}: must be {', '.join(FORMATS)}")
    target = output or beside(sketch, f".{format}")
    if format is None and target == STANDARD:
        raise ClipassoError("-o -: give a --format for standard output")
    kind = format or format_of(target)
    prepare([sketch], target, force)
    name, drawing = read_drawing(sketch)
    try:
        with compiling_said() if kind == "png" else nullcontext():
            data = exported(
                drawing, kind, size=size, transparent=transparent, paper=paper, margin=margin
            )
    except ClipassoError as error:
        line = str(error)
        blamed = line.startswith("--") or "pip install" in line
        raise ClipassoError(line if blamed else f"{name}: {line}") from None
    where = deliver(data, target, force)
    tell(f"{where}  {len(drawing)} stroke{'s' * (len(drawing) > 1)}")
