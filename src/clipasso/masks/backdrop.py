"""Photos before a backdrop of one colour, which need no mask: what stands out from it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clipasso.borders import frame_mask
from clipasso.photo import Photo

__all__ = ["stands_out", "uniform_border"]

_SAME = 10.0  # CIELAB units within which two colours of a border count as the same
_UNIFORM = 0.85  # of the border; the rest may be an object that touches it
_CLEAN = 3.0  # CIELAB units: what a clean backdrop spreads by
_SPREAD = 1.5  # times the backdrop's own spread, where that is more


def uniform_border(photo: Photo) -> bool:
    """Whether nearly all of the photo's outermost pixels have about the same colour."""
    away = _away(photo)
    if away is None:
        return False
    return bool((_ring(away) < _SAME).mean() > _UNIFORM)


def stands_out(photo: Photo) -> NDArray[np.bool_] | None:
    """Where a photo differs from its uniform border's colour, `[size, size]`.

    Generous: a box around it must not cut off what is pale. None where the border is not uniform.
    """
    away = _away(photo)
    if away is None or not uniform_border(photo):
        return None
    ring = _ring(away)
    spread = float(np.quantile(ring[ring < _SAME], 0.95))
    found = np.zeros(photo.pixels.shape[:2], bool)
    found[frame_mask(photo)] = (away > max(_CLEAN, _SPREAD * spread)).ravel()
    return found


def _away(photo: Photo) -> NDArray[np.float32] | None:
    """How far each pixel's colour is from the border's, CIELAB units, `[height, width]`.

    Of the part of the canvas that the photo fills; None where that has no inside.
    """
    import cv2

    frame = frame_mask(photo)
    height, width = int(frame.any(1).sum()), int(frame.any(0).sum())
    lab = cv2.cvtColor(photo.pixels[frame].reshape(height, width, 3), cv2.COLOR_RGB2LAB)
    ring = _ring(lab)
    if not len(ring):
        return None
    away: NDArray[np.float32] = np.linalg.norm(lab - np.median(ring, 0), axis=2)
    return away


def _ring(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The values `[height, width, ...]` along the photo's border, `[pixels, ...]`."""
    # The outermost pixels of all are often blended with something else.
    sides = (values[1:3], values[-3:-1], values[:, 1:3], values[:, -3:-1])
    return np.concatenate([side.reshape(-1, *values.shape[2:]) for side in sides])
