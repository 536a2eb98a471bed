"""What a sketch looks like to the judges, and what its strokes are if it is made of strokes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clipasso.errors import ClipassoError
from clipasso.evaluate.document import self_contained
from clipasso.evaluate.foreign import draw_svg
from clipasso.evaluate.ink import CANVAS
from clipasso.photo.canvas import load_photo
from clipasso.vector.render import render
from clipasso.vector.sketch import Sketch, read_sketch
from clipasso.vector.svg.document import parse_document

__all__ = ["SVG", "Look", "metadata", "on_canvas", "see_sketch"]

SVG = (".svg", ".svgz")
"""Endings of drawings, in lower case."""

_OURS = "urn:clipasso:sketch"
_SEEN = 2 / 255  # of light: what differs less is no drawing


@dataclass(frozen=True, eq=False)
class Look:
    """A sketch on the canvas of 224 px.

    Attributes:
        pixels: `[224, 224, 3]`, 0..1.
        strokes: of an SVG that holds nothing else; None otherwise.
        ours: drawn from its strokes alone: written by this program, and not added to since.
        lost: links to other files in it, which are not followed.
    """

    pixels: NDArray[np.float32]
    strokes: Sketch | None = None
    ours: bool = False
    lost: tuple[str, ...] = ()

    @property
    def blank(self) -> bool:
        """Whether there is nothing to be seen."""
        return bool(np.ptp(self.pixels.reshape(-1, 3), axis=0).max() <= _SEEN)


def see_sketch(file: Path) -> Look:
    """A sketch as people see it: our own by our rasteriser, other SVGs by resvg, or a picture.

    Raises:
        ClipassoError: it cannot be read or drawn.
    """
    if file.suffix.lower() not in SVG:
        return Look(load_photo(file, size=CANVAS).pixels)
    try:
        data = _read(file)
        text, lost = self_contained(parse_document(data))
        strokes = _only_strokes(text)
        # Without metadata the namespace is declared but not used, and is not in the new text.
        if strokes is not None and (_OURS in text or _OURS.encode() in data):
            pixels = np.asarray(render(strokes, CANVAS) / 255, np.float32)
            return Look(pixels, strokes, True, lost)
        return Look(draw_svg(text), strokes, False, lost)
    except ClipassoError as error:
        raise ClipassoError(f"{file}: {error}") from None


def metadata(file: Path) -> dict[str, str]:
    """What one of our sketches says of itself; nothing of what cannot be read."""
    if file.suffix.lower() not in SVG:
        return {}
    try:
        items = parse_document(_read(file)).iter(f"{{{_OURS}}}item")
        return {item.get("name", ""): item.text or "" for item in items}
    except ClipassoError:  # told when the sketch is judged
        return {}


def on_canvas(sketch: Sketch) -> Sketch:
    """A sketch centred on the canvas of 224 x 224 px, its proportions kept."""
    fitted = sketch.scaled(CANVAS / max(sketch.size))
    dx, dy = ((CANVAS - side) / 2 for side in fitted.size)
    return replace(fitted.translated(dx, dy).with_size((CANVAS, CANVAS)), metadata={})


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ClipassoError(f"cannot be read ({error.strerror or error})") from None


def _only_strokes(text: str) -> Sketch | None:
    """The strokes of an SVG on the canvas, if it has some, and nothing else to be seen."""
    try:
        sketch, left_out = read_sketch(text, "")
    except ClipassoError:  # resvg may still draw it
        return None
    return None if left_out or not len(sketch) else on_canvas(sketch)
