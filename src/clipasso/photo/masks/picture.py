"""Masks that are given as pictures: what their values mean, and which way up they are."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clipasso.errors import ClipassoError
from clipasso.photo.canvas import Fit, Photo, explained, load_photo
from clipasso.photo.decode import as_stored, turn_of_source
from clipasso.photo.depth import integer_white

__all__ = ["read_mask"]

_SAMPLE = 2_000_000  # pixels that are looked at, of larger masks every second, third ...
_SHARE = 0.005  # of the pixels: an area of one value that is no accident
_SPECK = 9  # pixels: the same for small whole numbers, which are none of an outline's greys
_LABELS = 32  # of 255: if nothing is brighter, values are numbers of objects
_ENDS = 1 / 16  # of the range: greys that near to black or white are taken for it
_FEW = 8  # different values: then none of them is rounding
_COLOURED = 24  # levels of 255 that two channels of a grey differ by at most
_CORNERS = 0.01  # of the pixels: less transparency is rounded corners
_ALIKE = 0.03  # how far proportions may differ, of 1
_ADVICE = "paint the object white and all else black"


def read_mask(source: str | bytes, photo: Photo, fit: Fit) -> tuple[Photo, tuple[str, ...]]:
    """A mask's picture on the photo's canvas, bright where the object is.

    Understood are white on black, soft or not, of any depth; one number or colour on zeros; and an
    object on transparency.

    Args:
        source: the path or the bytes of a picture of the photo's proportions; lying as the photo
            is stored will do too.
        fit: how the photo was fitted to its canvas.

    Returns:
        The mask, which can be seen `closer`, and lines a person should see.

    Raises:
        ClipassoError: no such picture, one of other proportions, or one that may mean several
            things or marks nothing.
    """
    path = "-" if isinstance(source, bytes) else source
    with explained(path):
        image, turn = as_stored(source)
    try:
        stored = _object(image)
    except ClipassoError as error:
        raise ClipassoError(f"--mask {path}: {error}") from None
    if not (stored > 127).any():
        raise ClipassoError(f"--mask {path}: marks no object; {_ADVICE}, or give --mask none")
    ours = photo.frame.width / photo.frame.height
    name = "standard input" if isinstance(source, bytes) else os.path.basename(path)
    # Programs that heed a photo's EXIF orientation make masks that lie otherwise than those that
    # do not, and some copy it to masks that are upright already.
    ways = [(turn, False), (None, True)]
    if photo.source is not None:
        with explained(photo.name):
            ways.append((turn_of_source(photo.source), True))
    for way, odd in ways:
        upright = stored if way is None else np.asarray(Image.fromarray(stored).transpose(way))
        if abs(upright.shape[1] / upright.shape[0] / ours - 1) <= _ALIKE:
            picture = load_photo(upright, size=len(photo.pixels), fit=fit, name=name)
            return picture, (f"{picture.name}: turned to lie as its photo does",) if odd else ()
    raise ClipassoError(f"--mask {path}: its proportions are not those of {photo.name}")


def _object(image: Image.Image) -> NDArray[np.uint8]:
    """How surely each pixel is the object's, `[height, width]`, 0..255; raises without a name."""
    colours = image
    if image.has_transparency_data and image.mode[0] not in "IF":
        rgba = image.convert("RGBA")
        alpha = np.asarray(rgba.getchannel("A"))
        if (alpha < 128).mean() > _CORNERS:
            return _of_alpha(np.asarray(rgba.convert("L")), alpha)
        colours = rgba
    if image.mode[0] in "IF":
        return _of_grey(np.asarray(image))
    if image.mode in ("1", "L", "LA"):
        return _of_grey(np.asarray(colours.convert("L")))
    rgb = np.asarray(colours.convert("RGB"))
    apart = np.ptp(_sample(rgb).astype(np.int16), axis=2)
    if (apart > _COLOURED).mean() > _SHARE:
        return _of_colours(rgb)
    return _of_grey(np.asarray(colours.convert("L")))


def _of_alpha(grey: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What is opaque, unless black and white in it are a mask of their own."""
    seen = grey[alpha >= 128]
    if len(seen):
        black, white = (seen < 16).mean(), (seen > 239).mean()
        if min(black, white) > _SHARE and black + white > 0.98:
            raise ClipassoError(
                f"is black, white and transparent, so it has two meanings; {_ADVICE}"
            )
    return alpha


def _of_colours(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """One colour on black."""
    sample = _sample(rgb).astype(np.int32)
    found = _areas(sample @ np.array([1 << 16, 1 << 8, 1], np.int32), _SHARE)
    if len(found) == 2 and 0 in found:
        code = int(max(found))
        brightest = max(code >> 16, code >> 8 & 255, code & 255)
        return np.asarray(np.minimum(rgb.max(2) * (255 / brightest), 255), np.uint8)
    raise ClipassoError(f"is coloured, so which of its colours is the object is unknown; {_ADVICE}")


def _of_grey(values: NDArray[Any]) -> NDArray[np.uint8]:
    """What is bright, or has the one number that is not zero."""
    low, high = float(values.min()), float(values.max())
    if not np.isfinite(low + high) or low < 0:
        raise ClipassoError(f"has values from {low:g} to {high:g}; {_ADVICE}")
    top = _top(values, high)
    if low == high:
        if high not in (0, 1, top):
            raise ClipassoError(f"is of one grey all over; {_ADVICE}")
        return np.full(values.shape, 255 if high else 0, np.uint8)
    bright = _bright(_sample(values), high, top)
    return np.asarray(np.minimum(values * (255 / bright), 255), np.uint8)


def _top(values: NDArray[Any], high: float) -> float:
    """The value that is white."""
    if values.dtype.kind == "f":
        return 1.0 if high <= 1 else high
    return 255.0 if high <= 255 else integer_white(high) if high <= 65535 else high


def _bright(sample: NDArray[Any], high: float, top: float) -> float:
    """The value that is the object's: white's, or a number's.

    Args:
        high, top: the highest value, and the one that is white.
    """
    numbers = high <= top * _LABELS / 255
    few = len(np.unique(sample)) <= _FEW
    found = set()
    for value in _areas(sample, 0 if numbers else _SHARE):
        white, black = value >= top * (1 - _ENDS), value <= top * _ENDS
        found.add(top if white else 0.0 if black and not few and not numbers else value)
    small = {value for value in found if 0 < value <= top * _ENDS}
    if len(found) > 2 or (small and high > max(found)):
        named = ", ".join(f"{value:g}" for value in sorted(found | {high})[:6])
        raise ClipassoError(
            f"has several values ({named}), so which of them is the object is unknown; {_ADVICE}"
        )
    if found == {top} or min(found, default=0) < top / 2 <= high:
        return top
    if min(found, default=1) == 0 and (found == {0, high} or few):
        return high
    raise ClipassoError(f"has nothing that is white, or that stands alone on black; {_ADVICE}")


def _sample(values: NDArray[Any]) -> NDArray[Any]:
    step = max(1, round((values.shape[0] * values.shape[1] / _SAMPLE) ** 0.5))
    return values[::step, ::step]


def _areas(values: NDArray[Any], least: float) -> list[float]:
    """The values that fill areas.

    What an outline is smoothed with fills none: a pixel counts if all around it are its equals.

    Args:
        least: share of the pixels below which an area is an accident.
    """
    inner = values[1:-1, 1:-1]
    same = np.ones(inner.shape, bool)
    rows, columns = values.shape
    for y in range(3):
        for x in range(3):
            same &= values[y : rows - 2 + y, x : columns - 2 + x] == inner
    found, counts = np.unique(inner[same], return_counts=True)
    return [float(value) for value in found[counts >= max(least * inner.size, _SPECK)]]
