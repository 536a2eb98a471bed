"""Pictures of more than 8 bits: which of their values are black and white."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image
from PIL.ImageFile import ImageFile

from clipasso.errors import ClipassoError

__all__ = [
    "few_bits", "integer_white", "is_wide", "planes_of_16", "scaled", "show_lower_bytes",
    "uses_few_bits", "widened",
]  # fmt: skip

_USED = (1, 8, 10, 12, 14)  # bits that cameras, scanners and microscopes keep in 16
_UPPER = 2 ** (14 - 8)  # what the upper byte of those stays below
_DIM = 0.25  # of the range 0..1: floats that stay below it have another white
_SWAPPED = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
# Pillow's names for what it keeps the upper bytes of. A pixel of 16-bit grey and alpha is four
# bytes, and so can be read as such.
_WIDE = {
    **{
        f"{bands};16{order}": f"{bands};16{other}"
        for bands in ("RGB", "RGBA", "RGBX", "R", "G", "B")
        for order, other in _SWAPPED.items()
    },
    "LA;16B": "RGBA",
}


def integer_white(high: float) -> float:
    """The value that is white in 16 bits of which `high` is the highest used."""
    return float(next((2**bits - 1 for bits in _USED if 0 < high < 2**bits), 65535))


def planes_of_16(image: ImageFile) -> None:
    """Have 16 bits a colour, in planes of their own, read as such: Pillow takes them for 8.

    Args:
        image: not yet loaded.
    """
    if image.format != "TIFF":
        return
    tags = image.tag_v2  # type: ignore[attr-defined]
    if set(tags.get(ExifTags.Base.BitsPerSample, ())) != {16}:
        return
    order = "L" if tags.prefix.startswith(b"II") else "B"
    image.tile = [
        _with(tile, f"{_raw_mode(tile)};16{order}") if _raw_mode(tile) in ("R", "G", "B") else tile
        for tile in image.tile
    ]


def is_wide(image: ImageFile) -> bool:
    """Whether a picture, not yet loaded, has colours of 16 bits, of which Pillow keeps 8."""
    return bool(image.tile) and all(_raw_mode(tile) in _WIDE for tile in image.tile)


def show_lower_bytes(image: ImageFile) -> bool:
    """Have such a picture load the lower 8 in place of the upper.

    Returns:
        Whether it will load both: grey's upper and lower in its first two bands, alpha's in others.
    """
    both = any(_raw_mode(tile) == "LA;16B" for tile in image.tile)
    image.tile = [_with(tile, _WIDE[_raw_mode(tile)]) for tile in image.tile]
    return both


def _raw_mode(tile: Any) -> str:
    """How a part of a picture, as Pillow describes it, is stored."""
    args = tile[3]  # a plain tuple before Pillow 11
    return str(args[0] if isinstance(args, tuple) and args else args)


def _with(tile: Any, raw_mode: str) -> Any:
    args = raw_mode if isinstance(tile[3], str) else (raw_mode, *tile[3][1:])
    return tile._replace(args=args) if hasattr(tile, "_replace") else (*tile[:3], args)


def uses_few_bits(upper: Image.Image) -> bool:
    """Whether a wide picture, loaded, may use 14 of its bits or fewer."""
    extrema = upper.getextrema()[:3]
    return max(high for _, high in extrema) < _UPPER  # type: ignore[misc]


def widened(upper: Image.Image, lower: Image.Image, both: bool, remarks: list[str]) -> Image.Image:
    """A wide picture that uses few bits, in 8 bits of those.

    Args:
        upper, lower: its bytes, mode RGB or RGBA.
        both: what `show_lower_bytes` said of `lower`.
        remarks: a line a person should see is appended.
    """
    first, second = (np.asarray(image, np.uint16) for image in (upper, lower))
    if both:
        first, second = first.copy(), second[..., [1, 1, 1, 3]]
    values = first * np.uint16(256) + second
    high = float(values[..., :3].max())
    white = integer_white(high)
    if white < 65535:
        remarks.append(few_bits(high, white))
    full = np.full(values.shape[2], white, np.float32)
    if values[..., 3:].max(initial=0) > white:
        full[3:] = 65535
    levels: NDArray[np.uint8] = np.round(values * (np.float32(255) / full)).astype(np.uint8)
    key = upper.info.get("transparency")
    if isinstance(key, tuple):
        clear = (values == np.array(key, np.uint16)).all(2)
        levels = np.dstack([levels, np.where(clear, np.uint8(0), np.uint8(255))])
    image = Image.fromarray(levels)
    image.info = {name: value for name, value in upper.info.items() if name != "transparency"}
    return image


def few_bits(high: float, white: float) -> str:
    """What a person should be told of 16 bits that were scaled."""
    bits = round(math.log2(white + 1))
    return f"its values end at {high:g} of 65535, so it is read as {bits} bits: {white:g} is white"


def scaled(
    image: Image.Image, remarks: list[str], *, unsigned: bool = False, negative: bool = False
) -> tuple[NDArray[np.float32], NDArray[np.bool_] | None]:
    """Grey of 16 bits, 32 bits or floats as 0 (black) to 1 (white).

    Args:
        image: of mode I, I;16 or F.
        remarks: a line a person should see is appended.
        unsigned: its 32 bits are, although Pillow takes them for signed ones.
        negative: its 0 is white.

    Returns:
        The values, and where they are opaque if one value means clear.

    Raises:
        ClipassoError: values that are not finite; without the picture's name.
    """
    raw = np.asarray(image)
    raw = raw.view(np.uint32) if unsigned else raw
    key = image.info.get("transparency")
    opaque = raw != key if isinstance(key, int) else None
    if opaque is not None and not opaque.any():
        return np.ones(raw.shape, np.float32), opaque
    seen = raw if opaque is None else raw[opaque]
    low, high = float(seen.min()), float(seen.max())
    if not math.isfinite(low + high):
        raise ClipassoError("has infinite or undefined pixels; convert it to PNG or JPEG")
    black, white = _ends(low, high, raw.dtype.kind == "f")
    usual = 1.0 if raw.dtype.kind == "f" else 65535.0
    if black == 0 <= low and high <= white < usual and usual > 1:
        remarks.append(few_bits(high, white))
    elif low < 0 or white != usual:
        remarks.append(f"values run from {low:g} to {high:g}; {black:g} is black, {white:g} white")
    values = (raw.astype(np.float32) - np.float32(black)) / np.float32(white - black)
    values = np.clip(1 - values if negative else values, 0, 1)
    if opaque is not None:
        values[~opaque] = 1
    return values, opaque


def _ends(low: float, high: float, floats: bool) -> tuple[float, float]:
    """The values that are black and white, of those that run from `low` to `high`."""
    if low < 0 and (high <= 0 or (not floats and -low > high)):
        return low, (high if high > low else low + 1)  # mostly negative: 0 is nothing special
    if floats:
        return 0.0, high if high > 1 or 0 < high < _DIM else 1.0
    return 0.0, integer_white(high) if high <= 65535 else high
