"""Decode files, Pillow images and arrays to sRGB on white, with their transparency apart."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError
from PIL.ImageFile import ImageFile

from clipasso.errors import ClipassoError
from clipasso.photo import depth, reducing
from clipasso.photo.opening import check_size, open_picture

__all__ = [
    "Fit", "Layers", "PhotoSource", "as_stored", "read", "reason", "repeatable", "turn_of_source",
]  # fmt: skip

Fit = Literal["pad", "crop", "stretch"]
PhotoSource = str | os.PathLike[str] | bytes | Image.Image | NDArray[Any]

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_QUARTER = tuple(_UPRIGHT[k] for k in (5, 6, 7, 8))


@dataclass(frozen=True)
class Layers:
    """A decoded picture of any size.

    Attributes:
        colours: one opaque image of mode L or RGB on white, or one or three of mode F in 0..1.
        alpha: how opaque each pixel was, mode L or F (0..1); None where every pixel was.
        size: the picture's own, px; there are fewer here of one that was reduced.
    """

    colours: list[Image.Image]
    alpha: Image.Image | None = None
    size: tuple[int, int] = (0, 0)

    @property
    def finest(self) -> float:
        """How many of the picture's pixels can be had on each axis, as a part of 1."""
        return reducing.finest(*self.size)


def reason(error: Exception) -> str:
    """What an error while reading a file means, in words that follow the file's name."""
    match error:
        case FileNotFoundError():
            return "no such file; check the path"
        case PermissionError():
            return "may not be read; check the file's permissions"
        case UnidentifiedImageError():
            return "is no readable picture; convert it to PNG or JPEG (WebP, GIF and TIFF work)"
        case Image.DecompressionBombError() | MemoryError():
            return "has too many pixels to hold in memory; scale it down first"
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
        if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
            return path.read_bytes()
    return source


def read(source: PhotoSource, size: int, fit: Fit, remarks: list[str]) -> Layers:
    """Decode a picture; a JPEG or a very large file no finer than `size` and `fit` need.

    Args:
        remarks: lines a person should see are appended.

    Raises:
        ClipassoError: the picture cannot be used; without its name.
        OSError: it cannot be opened; damaged files raise nearly anything.
    """
    if isinstance(source, np.ndarray):
        return _array_layers(source, remarks)
    if isinstance(source, Image.Image):
        check_size(*source.size)
        source.load()
        return _image_layers(source, source.size, source, remarks)
    with _opened(source) as stream:
        image = open_picture(stream)
        own, drafted = image.size, image.format in ("JPEG", "MPO")
        _tell_of_frames(image, remarks)
        found = _loaded(image, stream, size, fit, remarks)
        # A draft changes the size that is told, and loading a TIFF may turn it.
        return _image_layers(image, own if drafted else image.size, found, remarks)


def as_stored(source: str | os.PathLike[str] | bytes) -> tuple[Image.Image, Image.Transpose | None]:
    """A file's values as they are, and what would turn them upright; raises as `read`."""
    with _opened(source) as stream:
        image = open_picture(stream)
        found = _loaded(image, stream, max(image.size), "pad", [])
        return found, _turn_of(image)


def turn_of_source(source: PhotoSource) -> Image.Transpose | None:
    """What turns a photo upright that is stored otherwise; raises as `read`."""
    if isinstance(source, np.ndarray):
        return None
    if isinstance(source, Image.Image):
        return _turn_of(source)
    with _opened(source) as stream:
        return _turn_of(open_picture(stream))


@contextmanager
def _opened(source: str | os.PathLike[str] | bytes) -> Iterator[BinaryIO]:
    """A file's bytes as a stream that can seek.

    Raises:
        ClipassoError: a folder; without its name.
        OSError: it cannot be opened.
    """
    if isinstance(source, bytes):
        yield BytesIO(source)
        return
    if "\0" in os.fsdecode(source):
        raise FileNotFoundError
    if os.path.isdir(source):
        raise ClipassoError("is a folder; name one picture file")
    with open(source, "rb") as file:
        # Pillow must seek, which a pipe such as /dev/stdin cannot.
        yield file if file.seekable() else BytesIO(file.read())


def _turn_of(image: Image.Image) -> Image.Transpose | None:
    """What turns a picture upright, by its EXIF data."""
    # ImageOps.exif_transpose also writes the tags back, so one bad tag would lose the orientation.
    with suppress(Exception):  # broken EXIF is common and harmless
        return _UPRIGHT.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    return None


def _tell_of_frames(image: ImageFile, remarks: list[str]) -> None:
    # An MPO is a camera's JPEG: its further pictures are previews, of no interest to anyone.
    count = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
    if count < 2 or (image.format == "TIFF" and image.tell()):  # there: a smaller copy was chosen
        return
    kind, unit, which = "animated", "frames", "first"
    if image.format == "TIFF":
        kind, unit = "multi-page", "pages"
    elif image.format == "HEIF":
        kind, unit, which = "a series", "pictures", "main one"
    remarks.append(f"{kind}, the {which} of {count} {unit} is used")


def _loaded(
    image: ImageFile, stream: BinaryIO, size: int, fit: Fit, remarks: list[str]
) -> Image.Image:
    """Decode, with all bits that colours use."""
    wide = depth.is_wide(image)
    found = reducing.load(image, size, fit)
    if wide and depth.uses_few_bits(found):
        again = open_picture(stream)
        both = depth.show_lower_bytes(again)
        return depth.widened(found, reducing.load(again, size, fit), both, remarks)
    return found


def _image_layers(
    origin: Image.Image, size: tuple[int, int], image: Image.Image, remarks: list[str]
) -> Layers:
    """A picture that was decoded, upright and as colours.

    Args:
        origin: what knows its tags.
        size: its own.
        image: its pixels, perhaps fewer.
    """
    turn = _turn_of(origin)
    if turn is not None:
        image = image.transpose(turn)
        size = size[::-1] if turn in _QUARTER else size
    if image.mode[0] not in "IF":
        return replace(_opaque(image), size=size)
    tags = getattr(origin, "tag_v2", {})
    unsigned = origin.mode == "I" and tags.get(ExifTags.Base.BitsPerSample) == (32,)
    values, opaque = depth.scaled(
        image, remarks,
        unsigned=unsigned and tags.get(ExifTags.Base.SampleFormat, (1,)) == (1,),
        negative=tags.get(ExifTags.Base.PhotometricInterpretation) == 0,
    )  # fmt: skip
    alpha = None if opaque is None else _unless_opaque(opaque.astype(np.float32))
    return Layers([Image.fromarray(values)], alpha, size)


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


def _array_layers(array: NDArray[Any], remarks: list[str]) -> Layers:
    shape, kind = array.shape, array.dtype.kind + str(array.dtype.itemsize)
    array = array[..., None] if array.ndim == 2 else array
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        raise ClipassoError(f"an array of shape {shape}; give [H, W] or [H, W, 1, 3 or 4]")
    check_size(shape[1], shape[0])
    if kind in ("b1", "u1"):
        levels = array.astype(np.uint8) * np.uint8(255 if kind == "b1" else 1)
        image = Image.fromarray(levels[..., 0] if array.shape[2] == 1 else levels)
        return replace(_opaque(image), size=image.size)
    if kind == "u2":
        array = _of_16_bits(array, remarks)
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
    layers = [Image.fromarray(np.ascontiguousarray(layer)) for layer in colours]
    return Layers(layers, alpha, layers[0].size)


def _of_16_bits(array: NDArray[np.uint16], remarks: list[str]) -> NDArray[np.float32]:
    """uint16 `[H, W, 1, 3 or 4]` as 0..1; of colours in 14 bits or fewer those are the range."""
    high = float(array[..., :3].max())
    white = depth.integer_white(high)
    if white < 65535:
        remarks.append(depth.few_bits(high, white))
    found = array.astype(np.float32)
    found[..., :3] /= white
    found[..., 3:] /= white if array[..., 3:].max(initial=0) <= white else 65535
    return found
