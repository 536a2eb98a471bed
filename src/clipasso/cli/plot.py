"""`clipasso plot`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clipasso.cli import options as opt
from clipasso.cli.console import say, tell
from clipasso.cli.drawing import beside, deliver, prepare, read_drawing
from clipasso.cli.stdio import STANDARD
from clipasso.errors import ClipassoError
from clipasso.vector.safe_write import exists

if TYPE_CHECKING:
    from clipasso.vector.plot import Plot
    from clipasso.vector.sketch import Sketch

_SUFFIXES = {
    ".svg": "svg", ".hpgl": "hpgl", ".hgl": "hpgl", ".plt": "hpgl",
    ".gcode": "gcode", ".gco": "gcode", ".nc": "gcode", ".ngc": "gcode",
}  # fmt: skip
_FORMATS = ("svg", "hpgl", "gcode")

_ALIKE = 1.5  # times as wide: strokes that look as if they were of one width


def command(
    sketch: opt.SketchFile,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="The file to write, - for standard output; SKETCH-plot.svg by default.",
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            metavar="svg|hpgl|gcode",
            help="By the output's suffix by default. HPGL and G-code need clipasso[plot].",
        ),
    ] = None,
    paper: Annotated[
        str, typer.Option(metavar="NAME|WxHmm", help="a6 to a3, letter, legal or 200x150mm.")
    ] = "a4",
    landscape: Annotated[
        str,
        typer.Option(
            "--landscape",
            "--orientation",
            metavar="auto|portrait|landscape",
            help="How the paper lies; auto: so that the sketch is larger.",
        ),
    ] = "auto",
    margin: Annotated[
        str, typer.Option(metavar="LENGTH", help="Kept free of ink, on all sides.")
    ] = "15mm",
    pen: Annotated[str, typer.Option(metavar="LENGTH", help="The pen's width.")] = "0.5mm",
    fit: Annotated[
        str,
        typer.Option(
            metavar="canvas|strokes", help="What is made as large as the margins leave room for."
        ),
    ] = "canvas",
    join: Annotated[
        str | None,
        typer.Option(
            metavar="LENGTH", help="Join ends that are as near as this; half the pen by default."
        ),
    ] = None,
    keep_widths: Annotated[
        bool, typer.Option("--keep-widths", help="Lines as thick as the strokes, not the pen.")
    ] = False,
    fill: Annotated[
        bool, typer.Option("--fill", help="Go over strokes wider than the pen in several passes.")
    ] = False,
    single_layer: Annotated[
        bool, typer.Option("--single-layer", help="One layer, not one for each colour.")
    ] = False,
    device: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="HPGL: one of vpype's plotters; hp7475a by default."),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="G-code: one of vpype-gcode's; gcodemm by default."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Lay a sketch on paper for a pen plotter.

    Strokes are joined where they touch and ordered so that the pen travels little; nothing leaves
    the margins.

    Examples:

      clipasso plot cat.svg --paper a5 --margin 15mm --pen 0.5mm -o cat-a5.svg

      clipasso plot cat.svg --pen 0.3mm --fill

      clipasso plot cat.svg -o cat.hpgl --device hp7475a

      clipasso plot - -o - < cat.svg | vpype read - show
    """
    from clipasso.vector.plot import plot

    if format is not None and format not in _FORMATS:
        raise ClipassoError(f"--format {format}: must be {', '.join(_FORMATS)}")
    target = output or beside(sketch, f"-plot.{format or 'svg'}")
    kind = _kind(target, format)
    if device is not None and kind != "hpgl":
        raise ClipassoError(f"--device: is for hpgl, not {kind}")
    if profile is not None and kind != "gcode":
        raise ClipassoError(f"--profile: is for gcode, not {kind}")
    prepare([sketch], target, force)
    name, drawing = read_drawing(sketch)
    try:
        made = plot(
            drawing, paper, margin=margin, pen=pen, orientation=landscape, fit=fit, join=join,
            keep_widths=keep_widths, fill=fill, single_layer=single_layer,
        )  # fmt: skip
    except ClipassoError as error:
        line = str(error)
        raise ClipassoError(line if line.startswith("--") else f"{name}: {line}") from None
    if not (keep_widths or fill) and (widths := _widths(drawing)):
        say(
            f"{name}: strokes of {widths} px all become lines of the pen's width; --fill goes over "
            "bold ones in passes"
        )
    where = deliver(_written(made, kind, device, profile), target, force)
    tell(f"{where}  {_described(made)}")


def _kind(target: Path, format: str | None) -> str:
    if format is not None:
        return format
    if target == STANDARD or (exists(target) and not os.path.isfile(target)):  # a pipe or a device
        return "svg"
    if (kind := _SUFFIXES.get(target.suffix.lower())) is None:
        raise ClipassoError(
            f"{target}: its suffix must be one of {', '.join(_SUFFIXES)}; or give a --format"
        )
    return kind


def _widths(drawing: Sketch) -> str | None:
    """From which to which they are, where strokes that are seen differ so that it shows."""
    from clipasso.vector.visible import visible

    widths = drawing.widths[[piece.stroke for piece in visible(drawing)]]
    if widths.max() <= _ALIKE * widths.min():
        return None
    return " to ".join(f"{float(f'{width:.2g}'):g}" for width in (widths.min(), widths.max()))


def _written(made: Plot, kind: str, device: str | None, profile: str | None) -> bytes:
    if kind == "svg":
        return made.to_svg().encode()
    if kind == "gcode":
        return made.to_gcode(profile or "gcodemm").encode()
    from clipasso.vector.plot.machines import plot_notes

    device = device or "hp7475a"
    text = made.to_hpgl(device)
    for note in plot_notes(made, device):
        say(f"--device {device}: {note}")
    return text.encode()


def _described(made: Plot) -> str:
    lines, layers = len(made.lines), len(made.layers)
    width, height = made.size
    return (
        f"{width:g} x {height:g} mm, {lines} line{'s' * (lines > 1)} in {layers} "
        f"layer{'s' * (layers > 1)}, pen down {made.length:.0f} mm, "
        f"up {made.travel:.0f} mm ({made.travel_before:.0f} mm in the sketch's order)"
    )
