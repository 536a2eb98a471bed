"""Photos that are drawings already: lines, writing and logos, dark on light paper."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clipasso.photo.borders import frame_mask
from clipasso.photo.canvas import Photo, picture

__all__ = ["is_line_drawing", "looks_drawn"]

_SIDE = 512  # px, at most, of the picture that is looked at
_THIN = 0.04  # of its longer side: what is wider is no line
# CIELAB units:
_LIGHT = 35.0  # paper is at least that light,
_EVEN = 8.0  # and changes that little from place to place
_COLOURED = 14.0  # chroma that paper does not have, nor black ink
_PAPER, _INK = 8.0, 25.0  # less than this from paper is paper, more is ink
_CONTRAST, _BLACK = 40.0, 35.0  # of the darkest tenth of lines; lightness of a logo's black
_FLAT = 3.0  # how far a logo's black spreads
# Parts of the picture:
_MOSTLY, _SMOOTH, _FEW = 0.65, 0.95, 0.06
_BLENDED = 0.04  # of what is not paper: tones between it and a logo's black
_LEAST, _MOST = 0.002, 0.35

Levels = NDArray[np.float32]


def is_line_drawing(photo: Photo) -> bool:
    """Whether a photo shows dark lines, or black shapes, on light paper and nothing else.

    Such a picture has no background to cut out, and lightening it would fade what is to be drawn.

    Raises:
        ClipassoError: the photo cannot be read again.
    """
    if photo.source is None:
        frame = frame_mask(photo)
        size = int(frame.any(1).sum()), int(frame.any(0).sum()), 3
        return looks_drawn(photo.pixels[frame].reshape(size))
    rgb, _ = picture(photo, _SIDE)
    x0, y0, x1, y1 = np.array(photo.frame.box) / ((photo.frame.width, photo.frame.height) * 2)
    rows, columns = rgb.shape[:2]
    top, left = int(np.ceil(y0 * rows)), int(np.ceil(x0 * columns))
    return looks_drawn(
        rgb[top : max(top + 1, int(y1 * rows)), left : max(left + 1, int(x1 * columns))]
    )


def looks_drawn(rgb: NDArray[np.float32]) -> bool:
    """`is_line_drawing` of a picture's pixels `[height, width, 3]`, sRGB in 0..1."""
    import cv2

    lab = cv2.cvtColor(np.ascontiguousarray(rgb, np.float32), cv2.COLOR_RGB2LAB)
    light, chroma = np.ascontiguousarray(lab[..., 0]), np.hypot(lab[..., 1], lab[..., 2])
    return _has_lines(light, chroma) or _has_shapes(light, chroma)


def _has_lines(light: Levels, chroma: Levels) -> bool:
    """Thin structures, dark on paper whose light may be uneven."""
    import cv2

    wide = max(5, int(_THIN * max(light.shape))) | 1
    kernel = np.ones((wide, wide), np.uint8)
    paper = cv2.GaussianBlur(cv2.morphologyEx(light, cv2.MORPH_CLOSE, kernel), (0, 0), wide / 4)
    change = cv2.dilate(paper, kernel) - cv2.erode(paper, kernel)
    if (paper > _LIGHT).mean() < _SMOOTH or (change < _EVEN).mean() < _SMOOTH:
        return False
    below = paper - light
    blank = below < _PAPER
    if blank.mean() < _MOSTLY or np.median(chroma[blank]) > _COLOURED:
        return False
    ink = below > _INK
    if not _LEAST <= ink.mean() <= _MOST or np.quantile(below[ink], 0.9) < _CONTRAST:
        return False
    return float(_between(ink, blank).mean()) <= _FEW


def _has_shapes(light: Levels, chroma: Levels) -> bool:
    """Flat black on even white."""
    paper = float(np.median(light))
    blank = np.abs(light - paper) < _PAPER
    ink = (light < _BLACK) & (chroma < _COLOURED)
    if paper < 90 or blank.mean() < 1 / 3 or ink.mean() < _LEAST or np.median(chroma) > _COLOURED:
        return False
    core = _worn(ink)
    if core.any() and float(light[core].std()) > _FLAT:
        return False
    return float(_between(ink, blank).sum() / (~blank).sum()) <= _BLENDED


def _between(ink: NDArray[np.bool_], blank: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where tones between are that are no soft edges of the ink's."""
    import cv2

    near = cv2.dilate(ink.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    between: NDArray[np.bool_] = ~near & ~blank
    return between


def _worn(ink: NDArray[np.bool_]) -> NDArray[np.bool_]:
    import cv2

    core: NDArray[np.bool_] = cv2.erode(ink.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return core
