"""A sketch in the colours of its photo."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from clipasso.errors import ClipassoError
from clipasso.photo.canvas import Photo, load_photo, picture
from clipasso.photo.decode import PhotoSource
from clipasso.vector.brushes.restyle import parse_ink
from clipasso.vector.coloring import from_lab, legible, luminance, medians, palette
from clipasso.vector.safe_write import write_atomically
from clipasso.vector.sketch import Sketch
from clipasso.vector.svg.write import write_svg

__all__ = ["CONTRAST", "Colored", "check_options", "color"]

CONTRAST = 3.0
"""WCAG 2.1's least contrast for graphical objects (success criterion 1.4.11)."""

_PIXELS = 1024  # on the photo's longer side, at most, that are looked at
_ALIKE = 0.01  # proportions that differ less are the same, but for rounding


@dataclass(frozen=True)
class Colored:
    """A sketch with new colours.

    Attributes:
        sketch: its strokes lie layer by layer, the lightest colour first, else in their old order.
        layers: a label and a number of strokes each; empty without a palette.
        notes: lines a person should see.
    """

    sketch: Sketch
    layers: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def colors(self) -> list[str]:
        """The different colours, `#rrggbb`, in the order of their first strokes."""
        return list(dict.fromkeys(_hex(color) for color in self.sketch.colors))

    def to_svg(self) -> str:
        """The text of an SVG file, whose layers Inkscape shows as such."""
        return write_svg(self.sketch, self.layers)

    _repr_svg_ = to_svg

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write an SVG file, all or nothing. Raises ClipassoError if it cannot be written."""
        write_atomically(path, self.to_svg())


def color(
    sketch: Sketch | str | os.PathLike[str], photo: Photo | PhotoSource, *,
    colors: int | None = None, paper: str | Sequence[float] = "white", contrast: float = CONTRAST,
) -> Colored:  # fmt: skip
    """Give each stroke the colour of the photo beneath it.

    The sketch is laid over the photo as its own sketch lies: edge on edge. One of other proportions
    is laid into the photo's middle as large as fits.

    Args:
        sketch: or the path of an SVG of strokes, ours or not.
        photo: a path, a file's bytes, a Pillow image or an array, or what `load_photo` gave.
        colors: at most so many, from 1: strokes of like colours get one, weighted by their
            lengths, and each colour is a layer. By default every stroke has its own.
        paper: the colour that strokes must stand out from, as in CSS or three numbers in 0..1.
        contrast: the least that they have to it, by WCAG 2: 1 to 21. Paler ones are darkened (on
            a dark paper lightened) just so far.

    Raises:
        ClipassoError: a sketch or photo that cannot be read, a sketch without strokes or beside the
            photo, a colour or number out of range.
    """
    ground = check_options(colors, paper, contrast)
    if not isinstance(sketch, Sketch):
        sketch = Sketch.open(sketch)
    if not len(sketch):
        raise ClipassoError("the sketch has no strokes to colour; give its shapes a stroke")
    if not isinstance(photo, Photo):
        photo = load_photo(photo)
    pixels, _ = picture(photo, _PIXELS)
    laid, notes = _laid(sketch, pixels.shape[1], pixels.shape[0])
    lab = medians(laid, pixels, ground)
    beside = np.isnan(lab[:, 0])
    if beside.all():
        raise ClipassoError("no stroke lies on the photo; give the photo that it was made from")
    if beside.any():
        notes = (*notes, f"{beside.sum()} of {len(sketch)} strokes lie beside the photo: black")
        lab[beside] = 0.0
    if colors is not None:
        weights = np.maximum(laid.lengths(0.1) + laid.widths, 1e-9)
        groups = palette(lab, weights, colors)
        for group in np.unique(groups):
            of = groups == group
            lab[of] = np.average(lab[of], axis=0, weights=weights[of])
    rgb = np.array([legible(one, ground, contrast) for one in from_lab(lab)])
    rgb = np.rint(rgb * 255) / 255  # as the file keeps them, so that reading gives the same sketch
    done = replace(sketch, colors=rgb).with_metadata(colors=f"from {photo.name}")
    return _layered(done, notes) if colors is not None else Colored(done, (), notes)


def check_options(
    colors: int | None, paper: str | Sequence[float], contrast: float
) -> tuple[float, float, float]:
    """The paper's colour, where `color` can do what is asked for. Raises ClipassoError."""
    if colors is not None and colors < 1:
        raise ClipassoError(f"--colors {colors}: must be 1 or more")
    if not 1 <= contrast <= 21:
        raise ClipassoError(f"--contrast {contrast:g}: must be from 1 to 21")
    ground = parse_ink(paper, "--paper")
    legible(ground, ground, contrast)  # raises where no colour has it
    return ground


def _laid(sketch: Sketch, width: int, height: int) -> tuple[Sketch, tuple[str, ...]]:
    """The sketch on a canvas of the photo's pixels, and a line where proportions differ."""
    across, down = width / sketch.size[0], height / sketch.size[1]
    if abs(across / down - 1) < _ALIKE + 1 / min(width, height):
        return sketch.scaled((across, down)), ()
    scaled = sketch.scaled(min(across, down))
    dx, dy = (width - scaled.size[0]) / 2, (height - scaled.size[1]) / 2
    note = "the sketch and the photo differ in proportions; it was laid into the photo's middle"
    return scaled.translated(dx, dy).with_size((width, height)), (note,)


def _layered(sketch: Sketch, notes: tuple[str, ...]) -> Colored:
    """Strokes of one colour together, the lightest first: dark lines are seen over light ones."""
    order = np.lexsort((*sketch.colors.T, -luminance(sketch.colors)))  # which is stable
    done = sketch.select(order)
    layers: dict[str, int] = {}
    for one in done.colors:
        layers[_hex(one)] = layers.get(_hex(one), 0) + 1
    # Plotters' programs go by the number, people by the colour.
    labelled = tuple((f"{k} {name}", count) for k, (name, count) in enumerate(layers.items(), 1))
    return Colored(done, labelled, notes)


def _hex(color: np.ndarray) -> str:
    return "#" + "".join(f"{round(255 * value):02x}" for value in color.tolist())
