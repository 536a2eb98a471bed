"""Carry a mask over to a canvas that shows a part of the photo larger."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clipasso.photo.borders import frame_mask
from clipasso.photo.canvas import Photo

__all__ = ["magnified"]

_SOFT = 0.7  # px of the coarse mask: rounds its steps
_REACH = 1.5  # px of the coarse mask: how far its outline may move to the photo's edges
_FLAT = 1e-3  # colour variance below which the photo has no edge to follow


def magnified(
    inside: NDArray[np.bool_], box: tuple[float, float, float], near: Photo
) -> NDArray[np.bool_]:
    """A coarse mask on the larger canvas, its outline moved to the edges that show there.

    GrabCut with the coarse mask for a seed was tried in its place and lost feet; a guided filter
    (He, Sun and Tang, ECCV 2010) moves the outline by a pixel or two of the coarse mask only.

    Args:
        inside: `[size, size]`, on the canvas that `box` is in.
        box: left, top and side of the part that is shown, px.
        near: the photo with that part on its whole canvas.

    Returns:
        `[size, size]`, on `near`'s canvas.
    """
    import cv2

    x, y, side = box
    size = near.pixels.shape[0]
    by = size / side
    soft = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), _SOFT)
    # OpenCV counts from the middle of the first pixel.
    place = np.array([[by, 0, (0.5 - x) * by - 0.5], [0, by, (0.5 - y) * by - 0.5]])
    large = cv2.warpAffine(soft, place, (size, size), flags=cv2.INTER_CUBIC)
    followed = _guided(near.pixels, large, max(1, round(_REACH * by)))
    held: NDArray[np.bool_] = (followed > 0.5) & frame_mask(near)
    return held


def _guided(
    guide: NDArray[np.float32], values: NDArray[np.float32], radius: int
) -> NDArray[np.float32]:
    """The guided filter: in each window, the linear function of colour that fits best."""
    import cv2

    def mean(image: NDArray[np.float32]) -> NDArray[np.float32]:
        window = 2 * radius + 1, 2 * radius + 1
        found: NDArray[np.float32] = cv2.boxFilter(image, -1, window, borderType=cv2.BORDER_REFLECT)
        return found

    colour, value = mean(guide), mean(values)
    with_value = mean(guide * values[..., None]) - colour * value[..., None]
    spread = np.empty((*values.shape, 3, 3), np.float32)
    for k in range(3):
        spread[..., k] = mean(guide * guide[..., k, None]) - colour * colour[..., k, None]
    spread += _FLAT * np.eye(3, dtype=np.float32)
    slope = np.asarray(np.linalg.solve(spread, with_value[..., None])[..., 0], np.float32)
    offset = value - (slope * colour).sum(-1)
    followed: NDArray[np.float32] = (mean(slope) * guide).sum(-1) + mean(offset)
    return followed
