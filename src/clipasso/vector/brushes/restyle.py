"""A sketch drawn with a brush: the door of this room."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from clipasso.errors import ClipassoError
from clipasso.vector.brushes.base import Brush
from clipasso.vector.brushes.catalogue import BRUSHES, find_brush
from clipasso.vector.brushes.draw import Layer, draw_outlines, draw_textured
from clipasso.vector.brushes.sweep import outline, rings
from clipasso.vector.brushes.trace import SIDE, STEP, Trace
from clipasso.vector.render import LARGEST_SIDE, PNG_SIDE
from clipasso.vector.safe_write import write_atomically
from clipasso.vector.sketch import Sketch
from clipasso.vector.svg.colors import parse_color
from clipasso.vector.svg.document import SVG
from clipasso.vector.svg.write import xml_text

__all__ = ["Styled", "check_vector", "parse_ink", "parse_paper", "restyle"]

_FLAT = 0.01  # units that a polyline may be off its stroke
_MOST = 300_000  # points along all strokes: of a drawing that takes minutes and gigabytes
_WIDEST = 4.0  # times the longer side; a nib that covers all looks no different larger

RGB = tuple[float, float, float]


@dataclass(frozen=True)
class Styled:
    """A sketch as a brush draws it, to be written as an SVG or a picture.

    Attributes:
        sketch: what was drawn.
        brush: what with.
        layers: the marks of each stroke that can be seen, in units of which the longer side of the
            sketch has 224, its colour and its opacity.
        paper: colour in 0..1; `"none"` for a transparent picture; None for white pictures and
            SVGs without a background.
        seed: of all that is left to chance.
    """

    sketch: Sketch
    brush: Brush
    layers: tuple[Layer, ...]
    paper: RGB | str | None
    seed: int

    def to_svg(self) -> str:
        """The text of an SVG file: an element a stroke, of filled outlines, in drawing order.

        Raises:
            ClipassoError: the brush is a texture, which an SVG cannot hold.
        """
        check_vector(self.brush)
        w, h = (f"{side:.12g}" for side in self.sketch.size)
        title = self.sketch.metadata.get("title", "Sketch")
        ground = ""
        if isinstance(self.paper, tuple):
            ground = f'  <rect width="{w}" height="{h}" fill="{_hex(self.paper)}"/>\n'
        return (
            f'<svg xmlns="{SVG[1:-1]}" width="{w}" height="{h}" viewBox="0 0 {w} {h}">\n'
            f"  <title>{xml_text(title)}</title>\n"
            f"  <desc>Drawn by clipasso with {self.brush.name}, seed {self.seed}.</desc>\n"
            f"{ground}{self._elements()}</svg>\n"
        )

    def picture(self, side: int = PNG_SIDE) -> Image.Image:
        """A picture of mode RGB, or RGBA on a transparent paper.

        Args:
            side: of its longer side, px, 1 to 16384.

        Raises:
            ClipassoError: a side out of range.
        """
        if not 1 <= side <= LARGEST_SIDE:
            raise ClipassoError(f"--size {side}: must be from 1 to {LARGEST_SIDE} pixels")
        longer = max(self.sketch.size)
        width, height = (max(1, round(n * side / longer)) for n in self.sketch.size)
        if self.paper == "none":
            picture = Image.new("RGBA", (width, height), (0, 0, 0, 0))
        else:
            ground = self.paper if isinstance(self.paper, tuple) else (1.0, 1.0, 1.0)
            red, green, blue = (round(255 * value) for value in ground)
            picture = Image.new("RGB", (width, height), (red, green, blue))
        if self.brush.textured:
            draw_textured(self.brush, self.layers, self.seed, (width, height), picture)
        else:
            draw_outlines(self._elements(), side / longer, (width, height), picture)
        return picture

    def to_png(self, side: int = PNG_SIDE) -> bytes:
        """The bytes of a PNG file of `picture`."""
        buffer = io.BytesIO()
        self.picture(side).save(buffer, format="png")
        return buffer.getvalue()

    def save(self, path: str | os.PathLike[str], side: int = PNG_SIDE) -> None:
        """Write an SVG or PNG file, as the name ends, all or nothing.

        Raises:
            ClipassoError: a name that ends otherwise, or what `to_svg` and `picture` raise.
        """
        ending = Path(path).suffix.lower()
        if ending not in (".svg", ".png"):
            raise ClipassoError(f"{path}: end the name in .svg or .png")
        write_atomically(path, self.to_svg() if ending == ".svg" else self.to_png(side))

    def _elements(self) -> str:
        """The strokes as SVG, in px of the sketch's canvas."""
        by = max(self.sketch.size) / SIDE
        digits = int(np.clip(2 - math.floor(math.log10(by)), 0, 12))
        text = ""
        for marks, color, opacity in self.layers:
            paths = []
            for mark in marks:
                d = "".join(_ring(ring * by, digits) for ring in rings(outline(mark)))
                seen = mark.opacity * opacity
                faint = "" if seen > 0.9995 else f' fill-opacity="{seen:.3f}"'
                paths.append(f'<path d="{d}" fill="{_hex(color)}"{faint}/>')
            if len(paths) == 1:
                text += f"  {paths[0]}\n"
            else:
                text += "  <g>\n" + "".join(f"    {path}\n" for path in paths) + "  </g>\n"
        return text


def restyle(
    sketch: Sketch | str | os.PathLike[str], brush: str | Brush = "ink", *,
    color: str | Sequence[float] | None = None, paper: str | Sequence[float] | None = None,
    width: float = 1.0, seed: int = 0, angle: float | None = None,
) -> Styled:  # fmt: skip
    """Draw a sketch with a brush (figure 10b of the paper, without a drawing program).

    Args:
        sketch: or the path of an SVG of strokes, ours or not.
        brush: a name of `clipasso.vector.brushes.BRUSHES`, or a brush of your own.
        color: of all strokes, as in CSS or three numbers in 0..1; the sketch's own by default.
        paper: likewise; "none" for a transparent picture. By default pictures are on white, and an
            SVG has no background.
        width: times the widths of the strokes, above 0.
        seed: of all that is left to chance, 0 or more: the same gives the same.
        angle: of the nib of `calligraphy`, degrees from the horizontal; of no other brush.

    Raises:
        ClipassoError: a sketch that cannot be read or of which nothing would be seen, a brush or
            colour that is none, a number out of range.
    """
    if not isinstance(sketch, Sketch):
        sketch = Sketch.open(sketch)
    made = find_brush(brush) if isinstance(brush, str) else brush
    if angle is not None:
        made = made.turned(angle)
    if not (math.isfinite(width) and width > 0):
        raise ClipassoError(f"--width {width:g}: must be above 0, as 1.5 for half as wide again")
    if seed < 0:
        raise ClipassoError(f"--seed {seed}: must be 0 or more")
    ink = None if color is None else parse_ink(color)
    layers = tuple(_layers(sketch, made, width, seed, ink))
    if not layers:
        raise ClipassoError("has no strokes that can be seen; give its shapes a stroke")
    return Styled(sketch, made, layers, parse_paper(paper), seed)


def _layers(sketch: Sketch, brush: Brush, width: float, seed: int, ink: RGB | None) -> list[Layer]:
    units = sketch.scaled(SIDE / max(sketch.size))
    seen = np.flatnonzero((units.widths > 0) & (units.opacities > 0))
    lines = units.select(seen).flatten(_FLAT) if len(seen) else []
    total = sum(np.linalg.norm(np.diff(line, axis=0), axis=1).sum() for line in lines) / STEP
    if total > _MOST:
        raise ClipassoError("its strokes are too long in all to be drawn with a brush; draw fewer")
    layers: list[Layer] = []
    for k, line in zip(seen.tolist(), lines, strict=True):
        wide = min(float(units.widths[k]) * width, _WIDEST * SIDE)
        marks = brush.marks(Trace.of(line), wide, np.random.default_rng([seed, k]))
        red, green, blue = units.colors[k].tolist() if ink is None else ink
        layers.append((marks, (red, green, blue), float(units.opacities[k])))
    return layers


def check_vector(brush: Brush) -> None:
    """See that an SVG can hold what a brush draws. Raises ClipassoError otherwise."""
    if not brush.vector:
        able = [name for name in BRUSHES if find_brush(name).vector]
        raise ClipassoError(
            f"{brush.name} is a texture, which an SVG cannot hold; write a PNG, or choose one of "
            f"{', '.join(able)}"
        )


def parse_ink(color: str | Sequence[float], option: str = "--color") -> RGB:
    """An opaque colour, from CSS or three numbers in 0..1. Raises ClipassoError."""
    if isinstance(color, str):
        try:
            red, green, blue, alpha = parse_color(color)
        except ValueError:
            raise ClipassoError(f"{option} {color}: is no colour; give a name or #rrggbb") from None
        if alpha < 1:
            raise ClipassoError(f"{option} {color}: must be opaque")
        return red, green, blue
    values = np.asarray(color, np.float64)
    if values.shape != (3,) or not ((values >= 0) & (values <= 1)).all():
        raise ClipassoError(f"{option}: give a colour's name or three numbers in 0..1")
    return float(values[0]), float(values[1]), float(values[2])


def parse_paper(paper: str | Sequence[float] | None) -> RGB | str | None:
    """A colour, `"none"` or None. Raises ClipassoError."""
    if paper is None:
        return None
    if isinstance(paper, str) and paper.strip().lower() in ("none", "transparent"):
        return "none"
    return parse_ink(paper, "--paper")


def _ring(ring: np.ndarray, digits: int) -> str:
    points = " ".join(f"{_short(x, digits)},{_short(y, digits)}" for x, y in ring.tolist())
    return f"M{points}Z"


def _short(value: float, digits: int) -> str:
    text = f"{value:z.{digits}f}"
    return text.rstrip("0").rstrip(".") if digits else text


def _hex(color: RGB) -> str:
    return "#" + "".join(f"{round(255 * value):02x}" for value in color)
