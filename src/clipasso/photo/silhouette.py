"""Objects as pale as the white that they are laid on, and photos with nothing to draw."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from clipasso.photo.borders import frame_mask
from clipasso.photo.canvas import Photo

__all__ = ["darkened", "is_flat"]

_PALE = 10.0  # CIELAB units from white below which a rim is not seen against it
_LOST = 0.5  # of an object's rim: if more is that pale, the object is darkened
_WHITE, _DEEPEST = 0.6, 0.25  # what white and the object's darkest are darkened to
_LEAST, _MOST = 0.6, 4.0  # times: how far the object's own contrast may be changed
_DARKEST = 0.01  # of the object's pixels: what "darkest" leaves out
_FLAT = 0.02  # of the range 0..1, once noise is smoothed away by
_SMOOTH = 1.5  # px of the canvas


def darkened(photo: Photo, inside: NDArray[np.bool_] | None) -> Photo | None:
    """The object alone and in greys, where most of its outline is lost on the white around it.

    A sketch is black on white, and what it is compared with has to be darker than paper to be
    drawn. Darkening the object was tried against a grey ground behind it and against its negative:
    a ground draws strokes of its own, and the negative hides what is inside the object.

    Args:
        photo: laid on white, `[size, size]`, its background not yet cut out.
        inside: where the object is; by default where the photo is opaque.

    Returns:
        The object on white, without a source; or None where nothing had to be done: the outline
        shows, or there is none.
    """
    cover, pixels = photo.alpha, photo.pixels
    if inside is not None:
        cover = inside.astype(np.float32) * (1 if cover is None else cover)
        pixels = np.where(inside[..., None], pixels, np.float32(1))
    if cover is None or cover.max() < 1 / 255:
        return None
    cover = cover / cover.max()
    solid = cover > 0.5
    if solid[frame_mask(photo)].all() or _pale(photo, _rim(solid)) <= _LOST:
        return None
    if photo.alpha is None and _pale(photo, _rim(~solid)) > _LOST:
        return None  # it is a part of something white, and has no outline in the photo either
    darkest = 1 - float(np.quantile(photo.pixels[solid].mean(-1), _DARKEST))
    by = np.clip((_WHITE - _DEEPEST) / max(darkest, 1e-6), _LEAST, _MOST)
    # In proportion to how opaque it is, so that soft edges stay soft.
    pixels = 1 - (1 - _WHITE) * cover[..., None] - np.float32(by) * (1 - pixels)
    pixels = pixels.clip(0, 1).astype(np.float32)
    pixels.setflags(write=False)
    return replace(photo, pixels=pixels, source=None)


def _rim(solid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What lies along an outline on its inner side, without the outermost, blended pixels."""
    import cv2

    # Beyond the canvas is no outline.
    inner = cv2.erode(solid.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1)
    core = cv2.erode(inner, np.ones((3, 3), np.uint8), borderValue=1)
    rim: NDArray[np.bool_] = inner > core
    return rim if rim.any() else solid


def _pale(photo: Photo, where: NDArray[np.bool_]) -> float:
    """How much of a part of a photo cannot be told from white, as a part of 1."""
    import cv2

    lab = cv2.cvtColor(photo.pixels, cv2.COLOR_RGB2LAB)
    away = np.linalg.norm(lab - np.array((100, 0, 0), np.float32), axis=2)
    part = away[where & frame_mask(photo)]
    return float((part < _PALE).mean()) if part.size else 0.0


def is_flat(photo: Photo) -> bool:
    """Whether the part of the canvas that the photo fills is of one colour, but for some noise."""
    from scipy.ndimage import gaussian_filter

    frame = frame_mask(photo)
    rows, columns = np.flatnonzero(frame.any(1)), np.flatnonzero(frame.any(0))
    seen = photo.pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    smooth = gaussian_filter(seen, (_SMOOTH, _SMOOTH, 0), mode="nearest")
    return float(np.ptp(smooth, axis=(0, 1)).max()) < _FLAT
