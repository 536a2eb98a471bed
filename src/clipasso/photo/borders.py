"""Continue a photo beyond its frame, so that the frame is not drawn."""

import math

import numpy as np
from numpy.typing import NDArray

from clipasso.photo.canvas import Photo

__all__ = ["extended", "frame_mask"]

_BLUR = 0.04  # of the canvas: smooths the streaks that repeated border pixels make


def frame_mask(photo: Photo) -> NDArray[np.bool_]:
    """Where on the square canvas the photo lies, `[size, size]`; the rest counts as padding."""
    rows, columns = _visible(photo)
    mask = np.zeros(photo.pixels.shape[:2], bool)
    mask[rows, columns] = True
    return mask


def extended(photo: Photo) -> NDArray[np.float32]:
    """The photo with its padding filled by its own border colours, smoothed.

    Against white padding the frame of a photo with a background is the strongest edge of all, and
    strokes go there first. A photo whose borders are white already comes back as it is.

    Returns:
        `[size, size, 3]`, 0..1.
    """
    from scipy.ndimage import gaussian_filter

    size = photo.pixels.shape[0]
    rows, columns = _visible(photo)
    inside = photo.pixels[rows, columns]
    before = (rows.start, size - rows.stop), (columns.start, size - columns.stop), (0, 0)
    continued = np.pad(inside, before, mode="edge")
    smooth = gaussian_filter(continued, (_BLUR * size, _BLUR * size, 0), mode="nearest")
    whole: NDArray[np.float32] = np.where(frame_mask(photo)[..., None], photo.pixels, smooth)
    return whole.astype(np.float32)


def _visible(photo: Photo) -> tuple[slice, slice]:
    """Rows and columns of whole canvas pixels that the photo fills."""
    frame, size = photo.frame, photo.pixels.shape[0]

    def span(start: float, length: float) -> slice:
        low, high = max(0, math.ceil(start - 1e-3)), min(size, math.floor(start + length + 1e-3))
        return slice(low, max(high, low + 1))

    x0, y0, x1, y1 = frame.box
    return (
        span(frame.top + y0 * frame.scale_y, (y1 - y0) * frame.scale_y),
        span(frame.left + x0 * frame.scale_x, (x1 - x0) * frame.scale_x),
    )
