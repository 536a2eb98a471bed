"""Pictures of styled sketches, tile by tile, so that memory does not grow with what is drawn."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clipasso.vector.brushes.base import Brush, Mark, Pixels
from clipasso.vector.brushes.field import Field, Piece, Tile, pieces
from clipasso.vector.brushes.noise import Noise
from clipasso.vector.brushes.trace import SIDE

__all__ = ["Layer", "draw_outlines", "draw_textured"]

Layer = tuple[Sequence[Mark], tuple[float, float, float], float]
"""The marks of a stroke, its colour in 0..1 and its opacity."""

RGBA = NDArray[np.uint8]

_TILE = 1024  # px drawn at once, of the finer picture
_FINE = 1536  # px: a texture is drawn on a longer side of at least so many, and then reduced
_FINER = 2  # times: resvg's own edges have few levels


def draw_outlines(elements: str, scale: float, size: tuple[int, int], picture: Image.Image) -> None:
    """Draw the elements of an SVG over a picture.

    Args:
        elements: without a root.
        scale: px for one of their units.
        size: of the picture, px.
        picture: of mode RGB or RGBA; it is drawn on.
    """
    import resvg_py

    def tile_of(tile: Tile) -> RGBA:
        text = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{tile.width}" height="{tile.height}">'
            f'<g transform="translate({-tile.left} {-tile.top}) scale({tile.scale!r})">{elements}'
            "</g></svg>"
        )
        data = bytes(resvg_py.svg_to_bytes(svg_string=text, skip_system_fonts=True))
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGBa"))

    _assemble(picture, size, scale, _FINER, tile_of)


def draw_textured(
    brush: Brush, layers: Sequence[Layer], seed: int, size: tuple[int, int], picture: Image.Image
) -> None:
    """Draw marks of a textured brush over a picture.

    Args:
        layers: in drawing order.
        seed: of the textures.
        size: of the picture, px; its longer side shows all 224 units.
        picture: of mode RGB or RGBA; it is drawn on.
    """
    paper = Noise(seed, 0)
    side = max(size)
    marks = [
        (mark, Noise(seed, k + 1, nth), [*pieces(mark)], color, opacity)
        for k, (stroke, color, opacity) in enumerate(layers)
        for nth, mark in enumerate(stroke)
    ]

    def tile_of(tile: Tile) -> RGBA:
        image = np.zeros((tile.height, tile.width, 4), np.float32)  # premultiplied
        for mark, noise, parts, color, opacity in marks:
            ink = _ink(brush, mark, parts, tile, noise, paper)
            if ink is None:
                continue
            left, top, cover = ink[:3]
            rows, columns = cover.shape
            part = image[top : top + rows, left : left + columns]
            alpha = (cover * np.float32(mark.opacity * opacity))[..., None]
            part *= 1 - alpha
            part += alpha * np.array([*color, 1.0], np.float32)
        return np.rint(image * 255).astype(np.uint8)

    _assemble(picture, size, side / SIDE, max(1, math.ceil(_FINE / side)), tile_of)


class _Patch(NamedTuple):
    """A mark's ink on a part of a tile."""

    left: int
    top: int
    ink: NDArray[np.float32]  # [rows, columns] in 0..1
    inside: NDArray[np.bool_]  # whether its edge is further out
    beyond: NDArray[np.bool_]  # where it reaches past an end at which the mark goes on


def _ink(
    brush: Brush, mark: Mark, parts: list[Piece], tile: Tile, noise: Noise, paper: Noise
) -> _Patch | None:
    """A mark's ink, None where it does not reach the tile."""
    found: list[_Patch] = []
    for piece in parts:
        field = Field.of(piece, tile)
        if field is None:
            continue
        rows, columns = np.nonzero(field.depth > -0.5 / tile.scale)
        depth = field.depth[rows, columns]
        pixels = Pixels(
            x=np.asarray((tile.left + field.left + columns + 0.5) / tile.scale, np.float64),
            y=np.asarray((tile.top + field.top + rows + 0.5) / tile.scale, np.float64),
            depth=depth, radius=field.radius[rows, columns],
            along=field.along[rows, columns], across=field.across[rows, columns],
            length=float(parts[-1].along[-1]), noise=noise, paper=paper,
        )  # fmt: skip
        ink = np.zeros(field.depth.shape, np.float32)
        ink[rows, columns] = brush.ink(pixels) * np.clip(depth * tile.scale + 0.5, 0, 1)
        found.append(
            _Patch(field.left, field.top, ink, field.depth > -0.5 / tile.scale, field.beyond)
        )
    if not found:
        return None
    left, top = min(patch.left for patch in found), min(patch.top for patch in found)
    right = max(patch.left + patch.ink.shape[1] for patch in found)
    bottom = max(patch.top + patch.ink.shape[0] for patch in found)
    shape = bottom - top, right - left
    # Pieces go on from each other: no second coat. Past its ends a piece only fills what no other
    # covers, as outside of a corner.
    whole, spare = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    covered = np.zeros(shape, bool)
    for patch in found:
        y, x = patch.top - top, patch.left - left
        here = slice(y, y + patch.ink.shape[0]), slice(x, x + patch.ink.shape[1])
        np.maximum(whole[here], np.where(patch.beyond, 0, patch.ink), out=whole[here])
        np.maximum(spare[here], np.where(patch.beyond, patch.ink, 0), out=spare[here])
        covered[here] |= patch.inside & ~patch.beyond
    ink = np.where(covered, whole, spare)
    return _Patch(left, top, ink, covered, ~covered)


def _assemble(
    picture: Image.Image, size: tuple[int, int], scale: float, finer: int,
    draw: Callable[[Tile], RGBA],
) -> None:  # fmt: skip
    """Draw tiles of a picture `finer` times as large, reduce them and lay them over `picture`.

    Args:
        draw: gives premultiplied RGBA.
    """
    for left, top, width, height in _cells(size, max(1, _TILE // finer)):
        tile = Tile(left * finer, top * finer, width * finer, height * finer, scale * finer)
        fine = draw(tile)
        if not fine[..., 3].any():
            continue
        parts = fine.reshape(height, finer, width, finer, 4).mean((1, 3), dtype=np.float32) / 255
        box = (left, top, left + width, top + height)
        if picture.mode == "RGB":
            under = np.asarray(picture.crop(box), np.float32) / 255
            mixed = parts[..., :3] + (1 - parts[..., 3:]) * under
        else:
            alpha = parts[..., 3:]
            mixed = np.concatenate([parts[..., :3] / np.maximum(alpha, 1e-6), alpha], axis=2)
        levels = np.rint(np.clip(mixed, 0, 1) * 255).astype(np.uint8)
        picture.paste(Image.fromarray(levels), box)


def _cells(size: tuple[int, int], side: int) -> Iterator[tuple[int, int, int, int]]:
    for top in range(0, size[1], side):
        for left in range(0, size[0], side):
            yield left, top, min(side, size[0] - left), min(side, size[1] - top)
