"""Read a photo of nearly any kind and lay it, opaque and in sRGB, on a square canvas.

Coordinates are continuous: pixel (row i, column j) covers y in [i, i + 1] and x in [j, j + 1].
"""

import math
import os
import warnings
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Any, BinaryIO, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError

from clipasso.errors import ClipassoError

__all__ = ["Fit", "Frame", "Photo", "PhotoSource", "load_photo"]

Fit = Literal["pad", "crop", "stretch"]
PhotoSource = str | os.PathLike[str] | bytes | Image.Image | NDArray[Any]

_MAX_PIXELS = 100_000_000
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
class Frame:
    """Where the photo's own frame lies on the square canvas: one affine map per axis.

    `width`, `height`: the frame, in the photo's proportions, in output px; its longer side equals
    the canvas for pad and stretch, its shorter one for crop. `left`, `top`: where its corner lies,
    in canvas px; >= 0 for pad, <= 0 for crop, 0 for stretch. `scale_x`, `scale_y`: canvas px per
    output px; 1 unless the photo is stretched.
    """

    width: float
    height: float
    left: float
    top: float
    scale_x: float
    scale_y: float

    def to_photo(self, points: ArrayLike) -> NDArray[np.float64]:
        """Map [..., 2] points (x, y) from canvas px to px of the photo's frame."""
        return np.divide(np.subtract(points, (self.left, self.top)), (self.scale_x, self.scale_y))

    def to_canvas(self, points: ArrayLike) -> NDArray[np.float64]:
        """Map [..., 2] points (x, y) from px of the photo's frame to canvas px."""
        return np.add(np.multiply(points, (self.scale_x, self.scale_y)), (self.left, self.top))


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo on its canvas: `pixels` is read-only float32 [size, size, 3], sRGB in 0..1, on white.

    `name` is the file's name without folders, or "photo"; `notes` are lines a person should see.
    """

    pixels: NDArray[np.float32]
    name: str
    frame: Frame
    notes: tuple[str, ...]


def load_photo(
    source: PhotoSource, *, size: int = 224, fit: Fit = "pad", name: str | None = None
) -> Photo:
    """Read a photo and resize it onto a canvas of `size` x `size` px.

    `source` is a path, a file's bytes, a Pillow image (its current frame) or an array [H, W] or
    [H, W, 1 | 3 | 4] of bool, uint8, uint16 or floats in 0..1. `fit` "pad" centres the whole photo
    on white, "crop" keeps the largest central square, "stretch" squeezes the photo to the square.
    `name` replaces the photo's name. Raises ClipassoError for anything that cannot be used.
    """
    if fit not in get_args(Fit):
        raise ClipassoError(f"unknown fit {fit!r}; choose one of {', '.join(get_args(Fit))}")
    if size < 1 or size * size > _MAX_PIXELS:
        raise ClipassoError(f"a canvas of {size} px; choose 1 to {math.isqrt(_MAX_PIXELS)}")
    if not isinstance(source, str | os.PathLike | bytes | Image.Image | np.ndarray):
        raise ClipassoError("a photo must be a path, bytes, a Pillow image or a numpy array")

    named = source if isinstance(source, str | os.PathLike) else getattr(source, "filename", "")
    path = os.fsdecode(named or "")
    title = _printable(name or os.path.basename(path)) or "photo"
    shown = _printable(path) or title
    remarks: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what matters of Pillow's warnings is refused instead
        try:
            layers = _read(source, size, fit, remarks)
        except ClipassoError as error:
            raise ClipassoError(f"{shown}: {error}") from error.__cause__
        except Exception as error:  # damaged bytes make Pillow raise nearly anything
            raise ClipassoError(f"{shown}: {_reason(error)}") from error
    pixels, frame = _lay_out(layers, size, fit)
    return Photo(pixels, title, frame, tuple(f"{title}: {remark}" for remark in remarks))


def _printable(text: str) -> str:
    """Keep a name on one line and safe for a terminal and for XML."""
    return "".join(c if c.isprintable() else "?" for c in text)


def _reason(error: Exception) -> str:
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


def _read(source: PhotoSource, size: int, fit: Fit, remarks: list[str]) -> list[Image.Image]:
    """Decode to one opaque image of mode L or RGB, or to one or three of mode F in 0..1."""
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
    if width * height > _MAX_PIXELS:
        raise ClipassoError(f"{width} x {height} px is {_TOO_MANY}")
    if min(width, height) < 2 or max(width, height) < 16:
        raise ClipassoError(f"{width} x {height} px is too small to sketch; the least is 16 x 2")


def _file_layers(stream: BinaryIO, size: int, fit: Fit, remarks: list[str]) -> list[Image.Image]:
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


def _image_layers(image: Image.Image, remarks: list[str]) -> list[Image.Image]:
    image.load()
    # ImageOps.exif_transpose also writes the tags back, so one bad tag would lose the orientation.
    turn = None
    with suppress(Exception):  # broken EXIF is common and harmless
        turn = _UPRIGHT.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    image = image if turn is None else image.transpose(turn)
    return [_deep(image, remarks) if image.mode[0] in "IF" else _opaque(image)]


def _deep(image: Image.Image, remarks: list[str]) -> Image.Image:
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
    if isinstance(key, int):
        values[raw == key] = 1
    return Image.fromarray(values)


def _opaque(image: Image.Image) -> Image.Image:
    """Turn an 8-bit image into sRGB on white, of mode L or RGB."""
    icc, alpha = image.info.get("icc_profile"), None
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        alpha = rgba.getchannel("A")
        # Grey stays grey, because its profile is one for grey.
        image = image.convert("L") if image.mode in ("L", "LA") else rgba.convert("RGB")
    image = _to_srgb(image, icc) if icc else image
    if image.mode != "L":
        image = image.convert("L" if image.mode == "1" else "RGB")
    if alpha is None:
        return image
    white = Image.new(image.mode, image.size, "white")
    white.paste(image, mask=alpha)
    return white


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


def _array_layers(array: NDArray[Any]) -> list[Image.Image]:
    shape, kind = array.shape, array.dtype.kind + str(array.dtype.itemsize)
    array = array[..., None] if array.ndim == 2 else array
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        raise ClipassoError(f"an array of shape {shape}; give [H, W] or [H, W, 1, 3 or 4]")
    _check_size(shape[1], shape[0])
    if kind in ("b1", "u1"):
        levels = array.astype(np.uint8) * np.uint8(255 if kind == "b1" else 1)
        return [_opaque(Image.fromarray(levels[..., 0] if array.shape[2] == 1 else levels))]
    if kind == "u2":
        array = array / np.float32(65535)
    elif kind[0] != "f":
        raise ClipassoError(f"an array of {array.dtype}; give bool, uint8, uint16 or floats 0..1")
    low, high = float(array.min()), float(array.max())
    if not (low >= -1e-3 and high <= 1.001):  # some slack for rounding; NaN is refused as well
        raise ClipassoError(f"floats run from {low:g} to {high:g}; scale them to 0..1")
    array = array.astype(np.float32)
    if array.shape[2] == 4:
        array = array[..., :3] * array[..., 3:] + (1 - array[..., 3:])
    return [Image.fromarray(np.ascontiguousarray(layer)) for layer in np.moveaxis(array, 2, 0)]


def _axis(length: int, drawn: float, size: int) -> tuple[float, slice, tuple[float, float]]:
    """Centre `length` photo px, drawn over `drawn` canvas px, on a canvas of `size` px.

    Returns where the photo's frame starts (canvas px), the canvas pixels to fill and the range of
    photo px they show. Only whole pixels are filled, and the fraction of a pixel left over is cut
    off rather than squeezed in, which keeps the frame exact.
    """
    count = min(size, max(1, math.floor(drawn)))
    first = (size - count) // 2
    start = first + (count - drawn) / 2
    if count < size:
        start = max(start, 0.0)
    step = length / drawn
    low = max((first - start) * step, 0.0)
    return start, slice(first, first + count), (low, min(low + count * step, float(length)))


def _lay_out(layers: list[Image.Image], size: int, fit: Fit) -> tuple[NDArray[np.float32], Frame]:
    """Resize the layers of `_read` onto a white canvas [size, size, 3]."""
    width, height = layers[0].size
    unit = min(width, height) if fit == "crop" else max(width, height)
    own = width * size / unit, height * size / unit
    drawn = (float(size), float(size)) if fit == "stretch" else own
    left, columns, (x0, x1) = _axis(width, drawn[0], size)
    top, rows, (y0, y1) = _axis(height, drawn[1], size)
    cells, box = (columns.stop - columns.start, rows.stop - rows.start), (x0, y0, x1, y1)
    small = [layer.resize(cells, Image.Resampling.LANCZOS, box, 3.0) for layer in layers]
    values = np.dstack([np.asarray(layer, dtype=np.float32) for layer in small])
    pixels = np.ones((size, size, 3), dtype=np.float32)
    pixels[rows, columns] = values if small[0].mode == "F" else values / 255
    np.clip(pixels, 0, 1, out=pixels)  # Lanczos overshoots in mode F
    pixels.setflags(write=False)
    return pixels, Frame(*own, left, top, drawn[0] / own[0], drawn[1] / own[1])
