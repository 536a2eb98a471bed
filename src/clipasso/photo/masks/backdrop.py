"""Photos before a backdrop of one colour: what stands out from it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clipasso.photo.borders import frame_mask
from clipasso.photo.canvas import Photo

__all__ = ["before_backdrop", "clean_border", "stands_out", "uniform_border", "without_holes"]

_SAME = 10.0  # CIELAB units within which two colours of a border count as the same
_UNIFORM = 0.85  # of the border; the rest may be an object that touches it
_CLEAN = 3.0  # CIELAB units: what a clean backdrop spreads by
_SPREAD = 1.5  # times the backdrop's own spread, where that is more
_DARK = 50.0  # CIELAB lightness below which a backdrop is too unlike the paper's white
_PIECE = 0.1  # of the largest piece: smaller ones are writing, dust or reflections
_KNOWN = 0.8  # of the object: a mask that holds less cannot tell what is a hole in it
_GAP = 1 / 64  # of the canvas: gaps in an object that are closed


def uniform_border(photo: Photo) -> bool:
    """Whether nearly all of the photo's outermost pixels have about the same colour."""
    away = _away(photo)
    return away is not None and _uniform(away)


def clean_border(photo: Photo) -> bool:
    """Whether a uniform border is a backdrop, not ground of one colour such as sand or water.

    The grain of such ground is drawn where nothing is cut: waves, ripples, the edge of a path.
    """
    away = _away(photo)
    return away is not None and _uniform(away) and bool(np.median(_ring(away)) <= _CLEAN)


def stands_out(photo: Photo, least: float = _CLEAN) -> NDArray[np.bool_] | None:
    """Where a photo differs from its uniform border's colour, `[size, size]`.

    Generous: a box around it must not cut off what is pale. None where the border is not uniform.

    Args:
        least: CIELAB units; a border whose own colours spread by more asks for more.
    """
    away = _away(photo)
    if away is None or not _uniform(away):
        return None
    ring = _ring(away)
    spread = float(np.quantile(ring[ring < _SAME], 0.95))
    found = np.zeros(photo.pixels.shape[:2], bool)
    found[frame_mask(photo)] = (away > max(least, _SPREAD * spread)).ravel()
    return found


def before_backdrop(photo: Photo) -> NDArray[np.bool_] | None:
    """The object before a dark uniform backdrop, `[size, size]`.

    Sketches are on white: against a black photo every white pixel of theirs is wrong, and strokes
    go where they darken most. None where the backdrop is not dark, or not of one colour.
    """
    from scipy.ndimage import binary_fill_holes

    inside = stands_out(photo, _SAME)
    if inside is None or _lightness(photo) >= _DARK:
        return None
    found: NDArray[np.bool_] = binary_fill_holes(_pieces(inside))
    return found & frame_mask(photo)


def without_holes(
    inside: NDArray[np.bool_], photo: Photo, seen: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """What `before_backdrop` gave, without the backdrop that shows through handles.

    Args:
        inside: `[size, size]`.
        seen: `[size, size]`, another mask of the object: it tells the backdrop in a handle from a
            part that is as dark. It is not heeded where it lacks much of the object.
    """
    import cv2

    bright = stands_out(photo, _SAME)
    solid = inside if bright is None else inside & _pieces(bright)
    if (seen & solid).sum() < _KNOWN * solid.sum():
        return inside
    found = inside.copy()
    count, labels = cv2.connectedComponents((inside & ~solid).astype(np.uint8))
    for hole in (labels == k for k in range(1, count)):
        found[hole] = seen[hole].mean() >= 0.5
    return found


def _pieces(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The large pieces of a mask, with their gaps closed."""
    import cv2

    gap = max(3, round(_GAP * len(inside)))
    closing = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (gap, gap))
    closed = cv2.morphologyEx(inside.astype(np.uint8), cv2.MORPH_CLOSE, closing)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(closed)
    areas = boxes[:, cv2.CC_STAT_AREA]
    kept = [k for k in range(1, count) if areas[k] >= _PIECE * areas[1:].max()]
    pieces: NDArray[np.bool_] = np.isin(labels, kept)
    return pieces


def _uniform(away: NDArray[np.float32]) -> bool:
    """Whether a border is of one colour, by what `_away` tells of it."""
    return bool((_ring(away) < _SAME).mean() > _UNIFORM)


def _lightness(photo: Photo) -> float:
    import cv2

    lab = cv2.cvtColor(photo.pixels, cv2.COLOR_RGB2LAB)
    rows, columns = np.nonzero(frame_mask(photo))
    window = lab[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    return float(np.median(_ring(window)[:, 0]))


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
