"""Pictures decoded smaller than they are: JPEG's own scaling, and very large files."""

from __future__ import annotations

import math

import numpy as np
from PIL import ExifTags, Image
from PIL.ImageFile import ImageFile

from clipasso.photo.opening import MAX_PIXELS

__all__ = ["finest", "load"]

_STRIP = 16 << 20  # pixels that are converted at a time


def finest(width: int, height: int) -> float:
    """How many of a picture's pixels `load` gives at most, on each axis, as a part of 1."""
    return 0.5 if width * height > MAX_PIXELS else 1.0


def load(image: ImageFile, size: int, fit: str) -> Image.Image:
    """Decode a picture; a JPEG, or any that is very large, no finer than `size` and `fit` need.

    It stays twice as fine as needed, and covers the frame exactly: a last pixel that is there in
    part only would shift the photo against it.
    """
    width, height = image.size
    large = width * height > MAX_PIXELS
    side = max(width, height) if fit == "pad" else min(width, height)
    if image.format in ("JPEG", "MPO"):
        # A JPEG decodes at 1/2, 1/4 or 1/8 for less.
        factor = 8 if large else math.gcd(width, height, 8)
        while factor > (2 if large else 1) and side < 2 * size * factor:
            factor //= 2
        image.draft(None, (width // factor, height // factor))
        image.load()
        return _exactly(image, width / factor, height / factor)
    if large and image.format == "TIFF":
        # Pillow makes the image itself otherwise, and then it heeds its own limit of pixels.
        turned = image.tag_v2.get(ExifTags.Base.Orientation, 1) > 4  # type: ignore[attr-defined]
        image.im = Image.new(image.mode, image.size[::-1] if turned else image.size).im
    image.load()
    return _reduced(image, max(2, side // (2 * size))) if large else image


def _reduced(image: ImageFile, factor: int) -> Image.Image:
    """Means of squares of pixels, a strip at a time, since Pillow copies what it converts."""
    width, height = image.size
    factor = min(factor, width, height)
    rows = factor * max(1, _STRIP // (width * factor))
    strips = []
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(top + rows, height)))
        strips.append(_reducible(strip).reduce(factor))
    small = Image.new(strips[0].mode, (strips[0].width, sum(strip.height for strip in strips)))
    for k, strip in enumerate(strips):
        small.paste(strip, (0, k * rows // factor))
    small.info = {k: v for k, v in image.info.items() if k != "transparency"}
    return _exactly(small, width / factor, height / factor)


def _reducible(strip: Image.Image) -> Image.Image:
    """Pixels of which means can be taken."""
    if strip.mode.startswith("I;16"):
        key = strip.info.get("transparency")
        values = np.asarray(strip).astype(np.int32)
        strip = Image.fromarray(values)
        if isinstance(key, int):
            strip.info["transparency"] = key
        return strip
    if strip.has_transparency_data:
        return strip.convert("RGBA")
    if strip.mode in ("1", "P", "PA"):
        return strip.convert("L" if strip.mode == "1" else "RGB")
    return strip


def _exactly(image: Image.Image, width: float, height: float) -> Image.Image:
    """An image without the parts of pixels beyond its frame of `width` x `height` pixels."""
    if image.width == width and image.height == height:
        return image
    size = max(1, math.floor(width)), max(1, math.floor(height))
    exact = image.resize(size, Image.Resampling.BILINEAR, (0, 0, width, height))
    exact.info = image.info
    return exact
