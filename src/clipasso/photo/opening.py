"""Open picture files: which kinds, how large, and what Pillow alone would refuse.

Nothing of Pillow's own settings is changed, since those belong to the whole process.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from importlib import import_module
from io import SEEK_END
from typing import IO, BinaryIO

from PIL import ExifTags, Image, UnidentifiedImageError
from PIL.ImageFile import ImageFile

from clipasso.errors import ClipassoError
from clipasso.photo import depth, png

__all__ = ["MAX_PIXELS", "MAX_REDUCED", "check_size", "open_picture"]

MAX_PIXELS = 100_000_000
"""Of pictures that are decoded as they are, and of arrays."""

MAX_REDUCED = 250_000_000
"""Of files that are reduced while they are read; phones make 200 million."""

_BYTES = 1 << 30  # of memory that decoding a file may take before it is reduced
_DENSE = 300  # times what is in the file, above MAX_PIXELS: what unpacks to more is no photo
_REDUCED = ("JPEG", "MPO", "PNG", "TIFF", "BMP", "PPM")  # others take several copies to decode
# An explicit list keeps Pillow from handing a file to Ghostscript or to rarely tested parsers.
# AVIF is there only where Pillow was built with it.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "PPM", "JPEG2000", "AVIF", "HEIF")
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs")
_HEIF = (*_HEIC, b"mif1", b"msf1", b"mif2")
_AVIF = {b"avif", b"avis"}
_Opener = Callable[[IO[bytes], str | bytes], ImageFile]
_REDUCED_COPY = 1  # bit of a TIFF page's NewSubfileType


def check_size(width: int, height: int, most: int = MAX_PIXELS) -> None:
    """Raise ClipassoError for a picture of more than `most` pixels, or too small to sketch."""
    if width * height > most:
        many = f"more than {most // 10**6} million pixels"
        raise ClipassoError(f"{width} x {height} px is {many}; scale it down first")
    if min(width, height) < 2 or max(width, height) < 16:
        raise ClipassoError(f"{width} x {height} px is too small to sketch; the least is 16 x 2")


def open_picture(stream: BinaryIO) -> ImageFile:
    """Read a picture's header; nothing is decoded.

    Args:
        stream: seekable; it must stay open until the picture is loaded.

    Raises:
        ClipassoError: an empty file, a picture too large or too small, or one of a kind for which
            an extra is missing; without its name.
        UnidentifiedImageError: no picture that can be read.
        Exception: nearly any, of damaged files.
    """
    stream.seek(0)
    head = stream.read(512)
    if not head:
        raise ClipassoError("is empty; save or download it again")
    profile = None
    if head.startswith(png.SIGNATURE):
        stream, profile = png.acceptable(stream)
    image = _identified(stream, head)
    if profile is not None:
        image.info["icc_profile"] = profile
    if image.format == "TIFF" and image.width * image.height > MAX_PIXELS:
        _choose_copy(image)
    reducible = image.format in _REDUCED
    check_size(*image.size, MAX_REDUCED if reducible else MAX_PIXELS)
    if image.width * image.height > MAX_PIXELS:
        _check_cost(image, stream.seek(0, SEEK_END))
    depth.planes_of_16(image)
    return image


def _identified(stream: BinaryIO, head: bytes) -> ImageFile:
    """`Image.open` without its own limit of pixels, which is another than ours."""
    Image.init()
    brands = _brands(head)
    for name in _FORMATS:
        factory, accept = Image.OPEN.get(name, (None, None))
        if name == "HEIF" and factory is None and brands & set(_HEIF) and not brands & _AVIF:
            factory = _heif_opener(brands)
        if factory is None or (accept is not None and accept(head[:16]) is not True):
            continue
        try:
            stream.seek(0)
            return factory(stream, "")
        except (SyntaxError, IndexError, TypeError, struct.error):
            continue  # another kind after all
    raise UnidentifiedImageError


def _brands(head: bytes) -> set[bytes]:
    """The kinds of picture that an ISO media file says it is; none for other files."""
    if head[4:8] != b"ftyp":
        return set()
    box = head[: min(int.from_bytes(head[:4], "big"), len(head))]
    return {box[k : k + 4] for k in range(8, len(box) - 3, 4) if k != 12}


def _heif_opener(brands: set[bytes]) -> _Opener:
    """pillow-heif's reader, used without registering it for the whole process."""
    try:
        opener: _Opener = import_module("pillow_heif.as_plugin").HeifImageFile
        return opener
    except ImportError:
        kind = "HEIC" if brands & set(_HEIC) else "HEIF"
        raise ClipassoError(
            f"is a {kind} picture, which needs pip install 'clipasso[heic]'; "
            "or convert it to PNG or JPEG"
        ) from None


def _choose_copy(image: ImageFile) -> None:
    """Go to the largest smaller copy of itself that a TIFF holds, if it holds any."""
    width, height = image.size
    best, most = 0, 0
    for page in range(1, getattr(image, "n_frames", 1)):
        image.seek(page)
        tags, pixels = image.tag_v2, image.width * image.height  # type: ignore[attr-defined]
        copy = tags.get(ExifTags.Base.NewSubfileType, 0) & _REDUCED_COPY
        alike = abs(image.width * height / (image.height * width) - 1) < 0.01
        if copy and alike and most < pixels <= MAX_PIXELS:
            best, most = page, pixels
    image.seek(best)


def _check_cost(image: ImageFile, length: int) -> None:
    """Refuse what would take too much memory, before any of it is decoded.

    Args:
        length: of the file, bytes.
    """
    pixels = image.width * image.height
    cost = pixels * (1 if image.mode in ("1", "L", "P") else 2 if ";16" in image.mode else 4)
    if image.format in ("JPEG", "MPO"):
        # Decoded at half its size or less; but a progressive one holds all its coefficients.
        cost //= 4
        if image.info.get("progressive"):
            layers = [(v, h) for _, v, h, _ in getattr(image, "layer", [])] or [(1, 1)]
            least = max(v for v, _ in layers) * max(h for _, h in layers)
            cost += 2 * pixels * sum(v * h for v, h in layers) // least
    elif image.format == "TIFF":
        turned = image.tag_v2.get(ExifTags.Base.Orientation, 1) != 1  # type: ignore[attr-defined]
        cost *= 2 if turned else 1  # Pillow turns it while the other is there
    if cost > _BYTES or cost > _DENSE * length:
        raise ClipassoError(
            f"{image.width} x {image.height} px takes too much memory to read in this file; "
            "scale it down first, or save it as an ordinary JPEG"
        )
