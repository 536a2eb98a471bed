"""Decode files, Pillow images and arrays to sRGB on white, with their transparency apart."""

import math
import os
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError

from clipasso.errors import ClipassoError

__all__ = ["MAX_PIXELS", "Fit", "Layers", "PhotoSource", "read", "reason", "repeatable"]

Fit = Literal["pad", "crop", "stretch"]
PhotoSource = str | os.PathLike[str] | bytes | Image.Image | NDArray[Any]

MAX_PIXELS = 100_000_000
_TOO_MANY = "more than 100 million pixels; scale it down first"
# An explicit list keeps Pillow from handing a file to Ghostscript or to rarely tested parsers.
# AVIF and HEIF are there only where Pillow was built with, or an add-on registered, a decoder.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "PPM", "JPEG2000", "AVIF", "HEIF")
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Layers:
    """A decoded picture of any size.

    Attributes:
        colours: one opaque image of mode L or RGB on white, or one or three of mode F in 0..1.
        alpha: how opaque each pixel was, mode L or F (0..1); None where every pixel was.
    """

    colours: list[Image.Image]
    alpha: Image.Image | None = None


def reason(error: Exception) -> str:
    """What an error while reading a file means, in words that follow the file's name."""
    match error:
        case FileNotFoundError():
            return "no such file; check the path"
        case PermissionError():
            return "may not be read; check the file's permissions"
        case Image.DecompressionBombError():
            return f"has {_TOO_MANY}"
        case UnidentifiedImageError():
            return "is no readable picture; convert it to PNG or JPEG (WebP, GIF and TIFF work)"
        case OSError(strerror=str(text)):  # from the system, since Pillow's have no strerror
            return f"cannot be opened ({text}); check the path"
    return "is cut short or damaged; save or download it again, or convert it to PNG or JPEG"


def repeatable(source: PhotoSource) -> PhotoSource:
    """A source that can be read more than once: the bytes of a pipe, anything else as it is.

    Raises:
        OSError: a pipe that cannot be read.
    """
    if isinstance(source, str | os.PathLike) and "\0" not in os.fsdecode(source):
        path = Path(os.fsdecode(source))
        if path.exists() and not (path.is_file() or path.is_dir()):
            return path.read_bytes()
    return source


def read(source: PhotoSource, size: int, fit: Fit, remarks: list[str]) -> Layers:
    """Decode a picture; a JPEG no finer than `size` and `fit` need.

    Args:
        remarks: lines a person should see are appended.

    Raises:
        ClipassoError: the picture cannot be used; without its name.
        OSError: it cannot be opened; damaged files raise nearly anything.
    """
    if isinstance(source, np.ndarray):
        return _array_layers(source)
    if isinstance(source, Image.Image):
        _check_size(*source.size)
        return _image_layers(source, remarks)
    if isinstance(source, bytes):
        return _file_layers(BytesIO(source), size, fit, remarks)
    if "\0" in os.fsdecode(source):
        raise FileNotFoundError
    if os.path.isdir(source):
        raise ClipassoError("is a folder; name one picture file")
    with open(source, "rb") as file:
        # Pillow must seek, which a pipe such as /dev/stdin cannot.
        stream = file if file.seekable() else BytesIO(file.read())
        return _file_layers(stream, size, fit, remarks)


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ClipassoError(f"{width} x {height} px is {_TOO_MANY}")
    if min(width, height) < 2 or max(width, height) < 16:
        raise ClipassoError(f"{width} x {height} px is too small to sketch; the least is 16 x 2")


def _file_layers(stream: BinaryIO, size: int, fit: Fit, remarks: list[str]) -> Layers:
    if not stream.read(1):
        raise ClipassoError("is empty; save or download it again")
    stream.seek(0)
    Image.init()
    image = Image.open(stream, formats=[name for name in _FORMATS if name in Image.OPEN])
    _check_size(*image.size)
    # An MPO is a camera's JPEG: its further pictures are previews, of no interest to anyone.
    count = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
    if count > 1:
        kind, unit = ("multi-page", "pages") if image.format == "TIFF" else ("animated", "frames")
        remarks.append(f"{kind}, the first of {count} {unit} is used")
    if image.format in ("JPEG", "MPO"):
        # A JPEG decodes at 1/2, 1/4 or 1/8 for less; stay twice as fine as needed. The factor must
        # divide both sides, as a partial last pixel would shift the photo against its frame.
        width, height = image.size
        side = max(width, height) if fit == "pad" else min(width, height)
        factor = math.gcd(width, height, 8)
        while factor > 1 and side < 2 * size * factor:
            factor //= 2
        image.draft(None, (width // factor, height // factor))
    return _image_layers(image, remarks)


def _image_layers(image: Image.Image, remarks: list[str]) -> Layers:
    image.load()
    # ImageOps.exif_transpose also writes the tags back, so one bad tag would lose the orientation.
    turn = None
    with suppress(Exception):  # broken EXIF is common and harmless
        turn = _UPRIGHT.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    image = image if turn is None else image.transpose(turn)
    return _deep(image, remarks) if image.mode[0] in "IF" else _opaque(image)


def _deep(image: Image.Image, remarks: list[str]) -> Layers:
    """Turn 16-bit, 32-bit or float grey into mode F, 0 black and 1 white."""
    raw = np.asarray(image)
    low, high = float(raw.min()), float(raw.max())
    if not math.isfinite(low + high):
        raise ClipassoError("has infinite or undefined pixels; convert it to PNG or JPEG")
    white = 1.0 if image.mode == "F" else 65535.0
    if low < 0 or high > white:
        white = max(white, high)
        remarks.append(f"values run from {low:g} to {high:g}; 0 is black, {white:g} white")
    values = np.clip(raw.astype(np.float32) / np.float32(white), 0, 1)
    key = image.info.get("transparency")
    if not isinstance(key, int):
        return Layers([Image.fromarray(values)])
    opaque = raw != key
    values[~opaque] = 1
    return Layers([Image.fromarray(values)], _unless_opaque(opaque.astype(np.float32)))


def _unless_opaque(alpha: NDArray[np.float32]) -> Image.Image | None:
    return None if alpha.min() > 0.999 else Image.fromarray(np.ascontiguousarray(alpha))


def _opaque(image: Image.Image) -> Layers:
    """Lay an 8-bit image, turned into sRGB, on white."""
    icc, alpha = image.info.get("icc_profile"), None
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        alpha = rgba.getchannel("A")
        # Grey stays grey, because its profile is one for grey.
        image = image.convert("L") if image.mode in ("L", "LA") else rgba.convert("RGB")
    image = _to_srgb(image, icc) if icc else image
    if image.mode != "L":
        image = image.convert("L" if image.mode == "1" else "RGB")
    if alpha is None or alpha.getextrema()[0] == 255:
        return Layers([image])
    white = Image.new(image.mode, image.size, "white")
    white.paste(image, mask=alpha)
    return Layers([white], alpha)


def _to_srgb(image: Image.Image, icc: bytes) -> Image.Image:
    """Apply an embedded profile; one that is broken or for other channels changes nothing."""
    try:
        profile = ImageCms.ImageCmsProfile(BytesIO(icc))
        mode = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}[profile.profile.xcolor_space]
        matching = image.convert("RGB") if mode == "RGB" and image.mode in ("L", "P") else image
        if matching.mode != mode:
            return image
        srgb = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(matching, profile, srgb, outputMode="RGB") or image
    except (ImageCms.PyCMSError, ImportError, KeyError, OSError, TypeError, ValueError):
        return image


def _array_layers(array: NDArray[Any]) -> Layers:
    shape, kind = array.shape, array.dtype.kind + str(array.dtype.itemsize)
    array = array[..., None] if array.ndim == 2 else array
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        raise ClipassoError(f"an array of shape {shape}; give [H, W] or [H, W, 1, 3 or 4]")
    _check_size(shape[1], shape[0])
    if kind in ("b1", "u1"):
        levels = array.astype(np.uint8) * np.uint8(255 if kind == "b1" else 1)
        return _opaque(Image.fromarray(levels[..., 0] if array.shape[2] == 1 else levels))
    if kind == "u2":
        array = array / np.float32(65535)
    elif kind[0] != "f":
        raise ClipassoError(f"an array of {array.dtype}; give bool, uint8, uint16 or floats 0..1")
    low, high = float(array.min()), float(array.max())
    if not (low >= -1e-3 and high <= 1.001):  # some slack for rounding; NaN is refused as well
        raise ClipassoError(f"floats run from {low:g} to {high:g}; scale them to 0..1")
    array, alpha = array.astype(np.float32), None
    if array.shape[2] == 4:
        alpha = _unless_opaque(array[..., 3])
        array = array[..., :3] * array[..., 3:] + (1 - array[..., 3:])
    colours = np.moveaxis(array, 2, 0)
    return Layers([Image.fromarray(np.ascontiguousarray(layer)) for layer in colours], alpha)
