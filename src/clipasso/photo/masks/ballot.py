"""A picture of the masks that were chosen among, with their scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from clipasso.photo.masks import Mask

__all__ = ["ballot"]

_SIDE, _TITLE, _COLUMNS = 224, 16, 3  # px, px, tiles
_AWAY = (255, 0, 255)  # what a mask cuts off: a colour that photos seldom have


def ballot(mask: Mask, pixels: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Each candidate's cut-out under its name and score, the chosen one first.

    Args:
        mask: one without a choice, as a given one, is shown by itself.
        pixels: `[size, size, 3]`, 0..1, the photo on the mask's canvas, for such a mask.

    Returns:
        `[height, width, 3]`.
    """
    if mask.choice is None:
        tiles = [(mask.source, mask.inside)]
    else:
        pixels = mask.choice.photo.pixels
        tiles = [(f"{one.name}  {one.score:.2f}", one.inside) for one in mask.choice.ranked]
    rows = -(-len(tiles) // _COLUMNS)
    wide = min(len(tiles), _COLUMNS) * _SIDE
    sheet = Image.new("RGB", (wide, rows * (_SIDE + _TITLE)), "white")
    pen = ImageDraw.Draw(sheet)
    for k, (title, inside) in enumerate(tiles):
        x, y = k % _COLUMNS * _SIDE, k // _COLUMNS * (_SIDE + _TITLE)
        # Pillow's own font has Latin letters only; a mask file's name may have others.
        pen.text((x + 3, y + 2), title.encode("ascii", "replace").decode(), fill="black")
        levels = np.rint(pixels.clip(0, 1) * 255).astype(np.uint8)
        if inside is not None:
            levels = np.where(inside[..., None], levels, np.array(_AWAY, np.uint8))
        sheet.paste(Image.fromarray(levels).resize((_SIDE, _SIDE)), (x, y + _TITLE))
    return np.asarray(sheet)
