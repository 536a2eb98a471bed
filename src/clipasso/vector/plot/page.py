"""A sketch laid out for a pen plotter: lines in millimetres, in the order a pen draws them."""

import os
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from clipasso.errors import ClipassoError
from clipasso.vector.bezier import FloatArray, extent
from clipasso.vector.lengths import millimetres
from clipasso.vector.plot.fill import passes
from clipasso.vector.plot.joins import join_touching
from clipasso.vector.plot.order import pen_order, pen_travel
from clipasso.vector.plot.paper import lay
from clipasso.vector.safe_write import write_atomically
from clipasso.vector.sketch import Sketch
from clipasso.vector.visible import Piece, visible

__all__ = ["FITS", "Layer", "Line", "Plot", "plot"]

FITS = ("canvas", "strokes")


class Line(NamedTuple):
    """What the pen draws without being lifted."""

    chain: FloatArray  # [segments, degree + 1, 2] mm
    width: float  # mm

    @property
    def ends(self) -> tuple[FloatArray, FloatArray]:
        """Where it begins and where it ends."""
        return self.chain[0, 0], self.chain[-1, -1]


class Layer(NamedTuple):
    """The lines of one pen, in the order in which it draws them."""

    color: str  # #rrggbb
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Plot:
    """Lines on a page, for a pen plotter.

    Attributes:
        size: the page's width and height, mm, origin in the upper left corner, y down.
        degree: of all lines' Bezier segments.
        pen: its width, mm.
        layers: one a pen, in drawing order.
        travel: how far the pens travel in the air, mm, each from the page's upper left corner.
        travel_before: the same if strokes were drawn one by one as in the sketch.
        title: the sketch's, or an empty text.
    """

    size: tuple[float, float]
    degree: int
    pen: float
    layers: tuple[Layer, ...]
    travel: float
    travel_before: float
    title: str = ""

    @property
    def lines(self) -> tuple[Line, ...]:
        """Those of all layers."""
        return tuple(line for layer in self.layers for line in layer.lines)

    @property
    def length(self) -> float:
        """How far the pens draw, mm."""
        segments = np.concatenate([line.chain for line in self.lines])
        return float(Sketch(segments, self.size, self.degree).lengths(1e-4).sum())

    def flatten(self, tolerance: float = 0.01) -> list[list[FloatArray]]:
        """Polylines `[2 or more, 2]`, mm, of each layer's lines, within `tolerance` mm of them."""
        return [
            [self._sketch_of(line).flatten(tolerance)[0] for line in layer.lines]
            for layer in self.layers
        ]

    def _sketch_of(self, line: Line) -> Sketch:
        points = np.concatenate([line.chain[0, :1], *line.chain[:, 1:]])
        return Sketch(points[None], self.size, self.degree)

    def to_svg(self) -> str:
        """The text of an SVG file in millimetres, a group a layer, which vpype reads as it is."""
        from clipasso.vector.plot.svg import write_plot

        return write_plot(self)

    _repr_svg_ = to_svg

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write an SVG file, all or nothing. Raises ClipassoError if it cannot be written."""
        write_atomically(path, self.to_svg())

    def to_hpgl(self, device: str = "hp7475a") -> str:
        """HPGL for a device that vpype knows; see `clipasso.vector.plot.machines.write_hpgl`."""
        from clipasso.vector.plot.machines import write_hpgl

        return write_hpgl(self, device)

    def to_gcode(self, profile: str = "gcodemm") -> str:
        """G-code by a profile of vpype-gcode; see `clipasso.vector.plot.machines.write_gcode`."""
        from clipasso.vector.plot.machines import write_gcode

        return write_gcode(self, profile)


def plot(
    sketch: Sketch,
    paper: str = "a4",
    *,
    margin: float | str = 15.0,
    pen: float | str = 0.5,
    orientation: str = "auto",
    fit: str = "canvas",
    join: float | str | None = None,
    keep_widths: bool = False,
    fill: bool = False,
    single_layer: bool = False,
) -> Plot:
    """Lay a sketch on paper for a pen plotter.

    Strokes are cut exactly at the edges of the sketch's canvas, laid within the margins with all of
    their ink, joined where ends touch, and brought into an order in which the pen travels little.

    Args:
        paper: `a6` to `a3`, `letter`, `legal`, or a size such as `200x150mm`.
        margin: on all sides; numbers are millimetres, texts have a unit.
        pen: its width.
        orientation: `auto`, `portrait` or `landscape`; `auto` turns a paper with a name.
        fit: what is laid within the margins, the sketch's `canvas` or the extent of its `strokes`.
        join: how far apart ends may be that are joined; half the pen by default.
        keep_widths: lines keep their strokes' widths, scaled, in place of the pen's.
        fill: the pen goes over strokes that are wider than its line in passes side by side, until
            their ink is as wide as in the sketch; see `clipasso.vector.plot.fill.passes`.
        single_layer: one layer for all strokes, in place of one a colour; it is called black.

    Raises:
        ClipassoError: a value that does not fit, both `keep_widths` and `fill`, margins that leave
            nothing, a stroke far too wide to fill, or a sketch without strokes on its canvas.
    """
    edge, tip = millimetres(margin, "--margin"), millimetres(pen, "--pen")
    if tip == 0:
        raise ClipassoError(f"--pen {pen}: must be wider than 0")
    tolerance = tip / 2 if join is None else millimetres(join, "--join")
    if fit not in FITS:
        raise ClipassoError(f"--fit {fit}: must be {' or '.join(FITS)}")
    if keep_widths and fill:
        raise ClipassoError(
            "--fill --keep-widths: exclude each other; leave out --keep-widths for a pen of one "
            "width, --fill for lines of many"
        )
    pieces = visible(sketch)
    if not pieces:
        raise ClipassoError("has no strokes on its canvas to plot")
    low, size = _frame(sketch, pieces, fit)
    # Thicker than half the canvas, a stroke would leave no room for the drawing.
    thick = np.minimum(sketch.widths, min(sketch.size) / 2)
    drawn = [piece.stroke for piece in pieces]
    laid = lay(
        low, size, paper=paper, orientation=orientation, margin=edge,
        pen=0.0 if keep_widths else tip,
        thickest=float(thick[drawn].max()) if keep_widths or fill else 0.0,
    )  # fmt: skip
    layers: dict[str, list[Line]] = {}
    for stroke, chain in pieces:
        levels = np.rint(255 * sketch.colors[stroke]).astype(int)
        color = "#000000" if single_layer else "#{:02x}{:02x}{:02x}".format(*levels)
        width = float(laid.scale * thick[stroke]) if keep_widths or fill else tip
        width = max(width, tip) if fill else width
        layers.setdefault(color, []).append(Line(laid.scale * chain + laid.offset, width))
    joined = {color: _joined(lines, tolerance) for color, lines in layers.items()}
    if fill:
        joined = layers = {color: _filled(lines, tip) for color, lines in joined.items()}
    done = [Layer(color, _ordered(lines)) for color, lines in joined.items()]
    return Plot(
        laid.page, sketch.degree, tip, tuple(done), sum(_travel(layer.lines) for layer in done),
        sum(map(_travel, layers.values())), sketch.metadata.get("title", ""),
    )  # fmt: skip


def _frame(
    sketch: Sketch, pieces: list[Piece], fit: str
) -> tuple[tuple[float, float], tuple[float, float]]:
    """The lower corner and the size of what is laid on the page, px."""
    if fit == "canvas":
        return (0.0, 0.0), sketch.size
    corners = np.array([extent(piece.chain) for piece in pieces])
    low, high = corners[:, 0].min(0), corners[:, 1].max(0)
    width, height = high - low
    if max(width, height) <= 1e-6 * max(sketch.size):  # a dot has no extent to go by
        return (0.0, 0.0), sketch.size
    return (float(low[0]), float(low[1])), (float(width), float(height))


def _joined(lines: list[Line], tolerance: float) -> list[Line]:
    """Those of one width whose ends are near each other as one."""
    by_width: dict[float, list[FloatArray]] = {}
    for line in lines:
        by_width.setdefault(line.width, []).append(line.chain)
    return [
        Line(chain, width)
        for width, chains in by_width.items()
        for chain in join_touching(chains, tolerance)
    ]


def _filled(lines: list[Line], pen: float) -> list[Line]:
    """In as many passes of the pen as they are wide."""
    return [Line(chain, pen) for line in lines for chain in passes(line.chain, line.width, pen)]


def _ordered(lines: list[Line]) -> tuple[Line, ...]:
    """In the order and the directions in which the pen draws them."""
    order = pen_order(*_ends(lines))
    return tuple(
        lines[k]._replace(chain=lines[k].chain[::-1, ::-1]) if backwards else lines[k]
        for k, backwards in zip(order.indices.tolist(), order.backwards.tolist(), strict=True)
    )


def _ends(lines: tuple[Line, ...] | list[Line]) -> tuple[FloatArray, FloatArray]:
    """Where lines start and where they end, `[n, 2]` each."""
    both = np.array([line.ends for line in lines])
    return both[:, 0], both[:, 1]


def _travel(lines: tuple[Line, ...] | list[Line]) -> float:
    return pen_travel(*_ends(lines))
