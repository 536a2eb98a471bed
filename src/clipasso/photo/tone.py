"""A photo's tones, changed so that its outlines are what strokes can say best."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from clipasso.photo.canvas import Photo

__all__ = ["lightened", "with_local_contrast"]

_TILES = 4  # along each side of the canvas: an eye and a wing are in different ones
_PAPER = 0.995  # of white: paler is the paper around an object, which has no tones


def lightened(photo: Photo, by: float) -> Photo:
    """The photo with every colour moved towards white by that part of its distance, 0..1."""
    return _changed(photo, 1 - np.float32(1 - by) * (1 - photo.pixels)) if by else photo


def with_local_contrast(photo: Photo, limit: float) -> Photo:
    """The photo with the lightness of each of its parts spread over the whole range.

    Contrast limited adaptive histogram equalisation (Zuiderveld, "Graphics Gems IV", 1994) of
    CIELAB's lightness: eyes in a dark coat and folds in a pale one show as outlines do. Paper
    around the object stays, and does not count.

    Args:
        photo: on its canvas, cut out if it is to be.
        limit: how many times as many pixels as on average may have one lightness before the rest
            are shared out: 1 changes hardly anything, 40 is without a limit; 0 leaves the photo.
    """
    import cv2

    shown: NDArray[np.bool_] = np.any(photo.pixels < _PAPER, axis=2)
    if not limit or not shown.any():
        return photo
    lab = cv2.cvtColor(photo.pixels, cv2.COLOR_RGB2LAB)
    lightness = lab[..., 0]
    # What is taken for the paper's decides how tiles at the object's outline come out.
    filled = np.where(shown, lightness, np.median(lightness[shown]))
    levels = np.round(filled * 2.55).astype(np.uint8)
    spread = cv2.createCLAHE(limit, (_TILES, _TILES)).apply(levels).astype(np.float32) / 2.55
    lab[..., 0] = np.where(shown, spread, lightness)
    pixels = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB).clip(0, 1)
    return _changed(photo, np.where(shown[..., None], pixels, photo.pixels))


def _changed(photo: Photo, pixels: NDArray[np.floating]) -> Photo:
    """The photo with other pixels; it has no source any more."""
    changed = pixels.astype(np.float32)
    changed.setflags(write=False)
    return replace(photo, pixels=changed, source=None)
