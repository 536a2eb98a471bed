"""Show the object of a photo on the whole canvas, where it fills a small part of it.

The paper's photos are filled by their objects. In others the strokes' width and the encoder's
grid, both fixed on the canvas, are too coarse for the object, and the strokes tangle.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clipasso.borders import frame_mask
from clipasso.masks import Mask, mask_near
from clipasso.masks.backdrop import stands_out
from clipasso.photo import Photo, closer
from clipasso.settings import Zoom

__all__ = ["object_box", "zoomed"]

_MARGIN = 0.06  # of the object's longer side, on each side of it
_LEAST, _MOST = 1.2, 4.0  # times; less is not worth thinner strokes, more has no detail to show
_SPECK = 25 / 224**2  # of the canvas: smaller pieces do not count as the object


def zoomed(photo: Photo, mask: Mask, how: Zoom = "auto") -> tuple[Photo, Mask]:
    """The photo and its mask on a canvas that shows the object and a margin around it.

    The object is what the mask holds or, without a mask, what stands out from a border of one
    colour. Both come back as they are where neither is there, where the object fills the canvas
    within `1 / 1.2` already, where `how` is `none`, and for a photo that is zoomed already or whose
    pixels were changed since it was read.

    Raises:
        ClipassoError: the photo or the mask's picture cannot be read again.
    """
    if how == "none" or photo.source is None or photo.frame.zoom != 1:
        return photo, mask
    inside = stands_out(photo) if mask.inside is None else mask.inside
    box = None if inside is None else object_box(inside, frame_mask(photo))
    if box is None:
        return photo, mask
    near = closer(photo, box)
    return near, mask_near(mask, box, near)


def object_box(
    inside: NDArray[np.bool_], frame: NDArray[np.bool_]
) -> tuple[float, float, float] | None:
    """The square to show: left, top and side in canvas px; None where a zoom is not worth it.

    Args:
        inside: `[size, size]`, the object.
        frame: `[size, size]`, a rectangle of true where the photo lies.
    """
    import cv2

    size = len(inside)
    count, _, boxes, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8))
    pieces = boxes[1:count][boxes[1:count, cv2.CC_STAT_AREA] >= _SPECK * size**2]
    if not len(pieces):
        return None
    low = pieces[:, :2].min(0)
    high = (pieces[:, :2] + pieces[:, 2:4]).max(0)
    side = max((1 + 2 * _MARGIN) * float((high - low).max()), size / _MOST)
    if side * _LEAST > size:
        return None
    first = np.array([frame.any(axis).argmax() for axis in (0, 1)])
    last = first + [frame.any(axis).sum() for axis in (0, 1)]
    x, y = (_start(*ends, side) for ends in zip(low, high, first, last, strict=True))
    return x, y, side


def _start(low: int, high: int, first: int, last: int, side: float) -> float:
    """Where the square starts on one axis: the object in its middle, unless the photo cuts it off.

    There the square ends with the photo: beyond it is nothing of the object to show.
    """
    cut_low, cut_high = low <= first + 1, high >= last - 1
    if cut_low == cut_high:
        return float(low + high - side) / 2
    return float(first) if cut_low else float(last - side)
