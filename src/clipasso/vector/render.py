"""Draw a sketch as a picture of any size, in memory that does not grow with its strokes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clipasso.errors import ClipassoError
from clipasso.vector.bezier import FloatArray, split
from clipasso.vector.sketch import Sketch

__all__ = ["LARGEST_SIDE", "PNG_SIDE", "render", "render_image"]

PNG_SIDE = 1024
LARGEST_SIDE = 16_384

_TILE = 1024
"""Side of what is drawn at once, px: a picture of `PNG_SIDE` is one tile."""

_FARTHEST = 1e15
"""px; further off, float64 no longer tells pixels apart."""

_SLACK = 1.0  # px beyond a stroke's reach: what the kernel adds to it is a tenth of that


class _Tile(NamedTuple):
    left: int
    top: int
    levels: NDArray[np.uint8]  # [height, width, channels]


def render(sketch: Sketch, side: int = PNG_SIDE) -> NDArray[np.uint8]:
    """Draw a sketch on white.

    Args:
        side: of the picture's longer side, pixels, 1 to 16384.

    Returns:
        `[height, width, 3]`.

    Raises:
        ClipassoError: a side out of range, or strokes too far off the canvas to be drawn.
    """
    width, height = _size(sketch, side)
    picture = np.full((height, width, 3), 255, np.uint8)
    for left, top, levels in _tiles(sketch, side, _TILE):
        rows, columns = levels.shape[:2]
        picture[top : top + rows, left : left + columns] = levels  # grey goes to all channels
    return picture


def render_image(sketch: Sketch, side: int = PNG_SIDE, *, transparent: bool = False) -> Image.Image:
    """The picture of `render` as Pillow's, without a second copy of its pixels: mode RGB.

    Args:
        transparent: in place of white, no ground: mode RGBA, colours not multiplied by opacity.

    Raises:
        ClipassoError: as `render`.
    """
    if transparent:
        picture = Image.new("RGBA", _size(sketch, side))
        for left, top, levels in _tiles(sketch, side, _TILE, transparent=True):
            picture.paste(Image.fromarray(levels), (left, top))
        return picture
    picture = Image.new("RGB", _size(sketch, side), "white")
    for left, top, levels in _tiles(sketch, side, _TILE):
        picture.paste(Image.fromarray(np.broadcast_to(levels, (*levels.shape[:2], 3))), (left, top))
    return picture


def _size(sketch: Sketch, side: int) -> tuple[int, int]:
    """Width and height of a sketch's picture, px."""
    if not 1 <= side <= LARGEST_SIDE:
        raise ClipassoError(f"--size {side}: must be from 1 to {LARGEST_SIDE} pixels")
    width, height = (max(1, round(n * side / max(sketch.size))) for n in sketch.size)
    return width, height


def _tiles(sketch: Sketch, side: int, tile: int, *, transparent: bool = False) -> Iterator[_Tile]:
    """The parts of a picture that strokes reach, each of at most `tile` x `tile` px.

    Tiles are drawn in their own coordinates, found in float64: what lies far off one stays exact.
    Where they are transparent, all have four channels, of which the last is opacity.
    """
    from clipasso.raster.kernel import REACH, paint  # numba: not before it is needed

    width, height = _size(sketch, side)
    large = sketch.scaled(side / max(sketch.size))
    if max(np.abs(large.points).max(initial=0), large.widths.max(initial=0)) > _FARTHEST:
        raise ClipassoError("has strokes too far off its canvas to be drawn; delete them")
    if transparent:
        # A fourth colour channel, 1 in every stroke and 0 in the ground, becomes the opacity.
        colors = np.column_stack([large.colors, np.ones(len(large))])
    else:
        grey = bool((large.colors == large.colors[:, :1]).all())
        colors = np.ascontiguousarray(large.colors[:, : 1 if grey else 3])
    radii = large.widths / 2 + (REACH + _SLACK)
    strokes = _Parts.of(large)
    for top in range(0, height, tile):
        rows = min(tile, height - top)
        strip = strokes.within(1, top, top + rows, radii).cut(tile, top, top + rows, radii)
        for left in range(0, width, tile):
            columns = min(tile, width - left)
            here = strip.within(0, left, left + columns, radii)
            if not len(here.stroke):
                continue
            ground = np.zeros if transparent else np.ones
            image = ground((colors.shape[1], rows, columns), np.float32)
            drawn, first = np.unique(here.stroke, return_index=True)
            paint(
                image, np.float32(here.segments - np.array([left, top])),
                np.append(first, len(here.stroke)).astype(np.int64),
                *map(np.float32, (large.widths[drawn], large.opacities[drawn], colors[drawn])),
            )  # fmt: skip
            np.clip(image, 0, 1, out=image)
            if transparent:  # colours are multiplied by opacity so far
                np.divide(image[:3], image[3], out=image[:3], where=image[3] > 0)
                np.minimum(image, 1, out=image)
            image *= 255
            levels = np.rint(image, out=image).astype(np.uint8)
            yield _Tile(left, top, levels.transpose(1, 2, 0))


class _Parts(NamedTuple):
    """Bezier segments and the strokes that they belong to, in the order of these."""

    segments: FloatArray  # [n, degree + 1, 2], px
    stroke: NDArray[np.intp]  # [n]

    @classmethod
    def of(cls, sketch: Sketch) -> _Parts:
        controls = sketch.controls.reshape(-1, sketch.degree + 1, 2)
        return cls(controls, np.repeat(np.arange(len(sketch)), sketch.segments))

    def within(self, axis: int, low: float, high: float, radii: FloatArray) -> _Parts:
        """Those that strokes of such radii `[strokes]` could carry ink from into a range, px."""
        along, radius = self.segments[:, :, axis], radii[self.stroke]
        near = (along.min(1) - radius < high) & (along.max(1) + radius > low)
        return self if near.all() else _Parts(self.segments[near], self.stroke[near])

    def cut(self, longest: float, top: float, bottom: float, radii: FloatArray) -> _Parts:
        """Halve what is longer than two tiles or its stroke is wide; keep what reaches the strip.

        So a long stroke is looked at only in the tiles along it, and what is far off in none. In a
        hairpin right at a cut the kernel may find distances some hundredths of a px too long.
        """
        done, todo = [], self
        while len(todo.stroke):
            extent = np.ptp(todo.segments, axis=1).max(1)
            long = extent > np.maximum(2 * longest, 2 * radii[todo.stroke])
            done.append(_Parts(todo.segments[~long], todo.stroke[~long]))
            halves = split(todo.segments[long]).reshape(-1, *todo.segments.shape[1:])
            todo = _Parts(halves, np.repeat(todo.stroke[long], 2)).within(1, top, bottom, radii)
        if len(done) < 2:
            return self
        segments, stroke = (np.concatenate(arrays) for arrays in zip(*done, strict=True))
        order = np.argsort(stroke, kind="stable")
        return _Parts(segments[order], stroke[order])
