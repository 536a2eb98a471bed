"""Fade a photo into the paper at its borders, so that its frame is not drawn."""

import numpy as np
from numpy.typing import NDArray

from clipasso.photo import Photo

__all__ = ["feathered"]


def feathered(photo: Photo, width: float) -> NDArray[np.float32]:
    """The photo on its canvas with its borders faded to white.

    Against white padding, and against what stands outside an augmented image, the frame of a photo
    that goes on behind it is the strongest edge of all, and strokes go there first. The paper's
    photos have white borders already; for those this changes nothing.

    Args:
        photo: on its canvas.
        width: of the fade, as a part of the canvas; 0 for none.

    Returns:
        `[size, size, 3]`, 0..1.
    """
    size = photo.pixels.shape[0]
    if width == 0:
        return photo.pixels
    frame = photo.frame
    fade_x = _fade(size, frame.left, frame.width * frame.scale_x, width)
    fade_y = _fade(size, frame.top, frame.height * frame.scale_y, width)
    opacity = np.minimum.outer(fade_y, fade_x)[..., None]
    faded: NDArray[np.float32] = (1 - opacity * (1 - photo.pixels)).astype(np.float32)
    return faded


def _fade(size: int, start: float, length: float, width: float) -> NDArray[np.float64]:
    """Opacity of each column: 0 at the ends of the visible photo, smoothly 1 further in."""
    low, high = max(start, 0.0), min(start + length, float(size))
    centres = np.arange(size) + 0.5
    t = np.clip(np.minimum(centres - low, high - centres) / (width * size), 0, 1)
    smooth: NDArray[np.float64] = t * t * (3 - 2 * t)
    return smooth
