"""Show the object of a photo on the whole canvas, where it fills a small part of it.

The paper's photos are filled by their objects. In others the strokes' width and the encoder's
grid, both fixed on the canvas, are too coarse for the object, and the strokes tangle.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clipasso.photo.borders import frame_mask
from clipasso.photo.canvas import Photo, closer, redrawn
from clipasso.photo.masks import Mask, inside_at, mask_near
from clipasso.photo.masks.backdrop import stands_out
from clipasso.settings import Zoom

__all__ = ["object_box", "zoomed"]

_MARGIN = 0.06  # of the object's longer side, on each side of it
_LEAST = 1.2  # times; less is not worth thinner strokes
_MOST = 4.0  # canvas px for one of the photo's: more has no detail to show
_SPECK = 25 / 224**2  # of the canvas: smaller pieces do not count as the object
_FINE = 2048  # px of the canvas on which smaller objects are looked for
_DUST, _PIECE = 25, 0.1  # px there, and of the largest piece there: smaller pieces do not count

_Ends = NDArray[np.float64]


def zoomed(photo: Photo, mask: Mask, how: Zoom = "auto") -> tuple[Photo, Mask]:
    """The photo and its mask on a canvas that shows the object and a margin around it.

    The object is what the mask holds or, without a mask, what stands out from a border of one
    colour. One that is hardly to be seen on the canvas is looked for in the photo's own pixels.
    Both come back as they are where neither is there, where the object fills the canvas within
    `1 / 1.2` already, where `how` is `none`, and for a photo that is zoomed already or whose pixels
    were changed since it was read.

    Raises:
        ClipassoError: the photo or the mask's picture cannot be read again.
    """
    if how == "none" or photo.source is None or photo.frame.zoom != 1:
        return photo, mask
    inside = stands_out(photo) if mask.inside is None else mask.inside
    if inside is None:
        return photo, mask
    most = _MOST * max(1.0, photo.detail)
    ends = _ends(inside, _SPECK * inside.size) or _tiny(photo, mask)
    box = None if ends is None else _square(*ends, frame_mask(photo), most)
    if box is None:
        return photo, mask
    near = closer(photo, box)
    return near, mask_near(mask, box, near)


def object_box(
    inside: NDArray[np.bool_], frame: NDArray[np.bool_], most: float = _MOST
) -> tuple[float, float, float] | None:
    """The square to show: left, top and side in canvas px; None where a zoom is not worth it.

    Args:
        inside: `[size, size]`, the object.
        frame: `[size, size]`, a rectangle of true where the photo lies.
        most: how often an object may be magnified that is small even when magnified 4 times.
    """
    ends = _ends(inside, _SPECK * inside.size)
    return None if ends is None else _square(*ends, frame, most)


def _tiny(photo: Photo, mask: Mask) -> tuple[_Ends, _Ends] | None:
    """Where an object lies that the canvas is too coarse for, by the photo's own pixels."""
    size = len(photo.pixels)
    fine = min(_FINE, round(size * photo.detail))
    if photo.source is None or fine < _LEAST * size:
        return None
    large = redrawn(photo, fine)
    inside = stands_out(large) if mask.inside is None else inside_at(mask, large)
    ends = None if inside is None else _ends(inside, _DUST, _PIECE)
    return None if ends is None else (ends[0] * size / fine, ends[1] * size / fine)


def _ends(inside: NDArray[np.bool_], least: float, part: float = 0.0) -> tuple[_Ends, _Ends] | None:
    """The lowest and the highest (x, y) of an object, px; None for one of specks alone.

    Args:
        least: px; pieces of fewer do not count.
        part: of the largest piece; smaller ones do not count.
    """
    import cv2

    count, _, boxes, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8))
    areas = boxes[1:count, cv2.CC_STAT_AREA]
    pieces = boxes[1:count][areas >= max(least, part * areas.max(initial=0))].astype(np.float64)
    if not len(pieces):
        return None
    return pieces[:, :2].min(0), (pieces[:, :2] + pieces[:, 2:4]).max(0)


def _square(
    low: _Ends, high: _Ends, frame: NDArray[np.bool_], most: float
) -> tuple[float, float, float] | None:
    """The square around an object that lies between `low` and `high`; as `object_box`."""
    size = len(frame)
    side = (1 + 2 * _MARGIN) * float((high - low).max())
    # Beyond 4 times the photo's own pixels must have something to show, and it must be worth it.
    side = max(side, size / (most if size > side * _MOST * _LEAST else _MOST))
    if side * _LEAST > size:
        return None
    first = np.array([frame.any(axis).argmax() for axis in (0, 1)])
    last = first + [frame.any(axis).sum() for axis in (0, 1)]
    x, y = (_start(*ends, side) for ends in zip(low, high, first, last, strict=True))
    return x, y, side


def _start(low: float, high: float, first: int, last: int, side: float) -> float:
    """Where the square starts on one axis: the object in its middle, unless the photo cuts it off.

    There the square ends with the photo: beyond it is nothing of the object to show.
    """
    cut_low, cut_high = low <= first + 1, high >= last - 1
    if cut_low == cut_high:
        return float(low + high - side) / 2
    return float(first) if cut_low else float(last - side)
