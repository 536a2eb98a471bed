"""Read a photo of nearly any kind and lay it, opaque and in sRGB, on a square canvas.

Coordinates are continuous: pixel (row i, column j) covers y in [i, i + 1] and x in [j, j + 1].
"""

import logging
import math
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from clipasso.errors import ClipassoError
from clipasso.photo.decode import Fit, Layers, PhotoSource, read, reason, repeatable
from clipasso.photo.opening import MAX_PIXELS

__all__ = [
    "Fit", "Frame", "Photo", "PhotoSource", "check_fit", "closer", "explained", "load_photo",
    "picture", "redrawn", "without_surround",
]  # fmt: skip

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Frame:
    """Where the photo's own frame lies on the square canvas: one affine map per axis.

    `width`, `height`: the frame, in the photo's proportions, in output px; its longer side equals
    the canvas for pad and stretch, its shorter one for crop. `left`, `top`: where its corner lies,
    in canvas px; >= 0 for pad, <= 0 for crop, 0 for stretch, anywhere once zoomed. `scale_x`,
    `scale_y`: canvas px per output px; `zoom` unless the photo is stretched. `zoom`: how many
    times `closer` has magnified the canvas, 1 for never. A stroke's width on the canvas is `zoom`
    times that in the frame; stretching leaves widths alone. `inner`: left, top, right and bottom of
    what is the photo, in output px, where something is laid around it (`photo.picture_frame`);
    what is outside counts as padding. None where all of it is the photo.
    """

    width: float
    height: float
    left: float
    top: float
    scale_x: float
    scale_y: float
    zoom: float = 1.0
    inner: tuple[float, float, float, float] | None = None

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of what is the photo, in output px."""
        x0, y0, x1, y1 = self.inner or (0.0, 0.0, self.width, self.height)
        return x0, y0, x1, y1

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
    `alpha` is how opaque each pixel was, read-only float32 [size, size] in 0..1 and 0 in the
    padding; None where the picture had no transparency or was opaque all over. `source` and `fit`
    are what it was read from, for `closer`; no source, as after the pixels were changed, no zoom.
    `detail`: how many of the source's px there are for one of the canvas, unzoomed. `surround`:
    what is laid around it and was left out, in words.
    """

    pixels: NDArray[np.float32]
    name: str
    frame: Frame
    notes: tuple[str, ...]
    alpha: NDArray[np.float32] | None = None
    source: PhotoSource | None = None
    fit: Fit = "pad"
    detail: float = 1.0
    surround: str = ""


def check_fit(fit: str) -> Fit:
    """The name of a fit, if it is one. Raises ClipassoError otherwise."""
    if fit not in get_args(Fit):
        raise ClipassoError(f"unknown fit {fit!r}; choose one of {', '.join(get_args(Fit))}")
    return fit  # type: ignore[return-value]


def load_photo(
    source: PhotoSource, *, size: int = 224, fit: Fit = "pad", name: str | None = None
) -> Photo:
    """Read a photo and resize it onto a canvas of `size` x `size` px.

    `source` is a path, a file's bytes, a Pillow image (its current frame) or an array [H, W] or
    [H, W, 1 | 3 | 4] of bool, uint8, uint16 or floats in 0..1. `fit` "pad" centres the whole photo
    on white, "crop" keeps the largest central square, "stretch" squeezes the photo to the square.
    `name` replaces the photo's name. Raises ClipassoError for anything that cannot be used.
    """
    check_fit(fit)
    if size < 1 or size * size > MAX_PIXELS:
        raise ClipassoError(f"a canvas of {size} px; choose 1 to {math.isqrt(MAX_PIXELS)}")
    if not isinstance(source, str | os.PathLike | bytes | Image.Image | np.ndarray):
        raise ClipassoError("a photo must be a path, bytes, a Pillow image or a numpy array")

    named = source if isinstance(source, str | os.PathLike) else getattr(source, "filename", "")
    path = os.fsdecode(named or "")
    title = _printable(name or os.path.basename(path)) or "photo"
    shown = _printable(path) or title
    remarks: list[str] = []
    with explained(shown):
        source = repeatable(source)
        layers = read(source, size, fit, remarks)
    pixels, alpha, frame = _lay_out(layers, size, fit)
    notes = tuple(f"{title}: {remark}" for remark in remarks)
    sides = zip(
        layers.size, (frame.width * frame.scale_x, frame.height * frame.scale_y), strict=True
    )
    detail = layers.finest * max(own / drawn for own, drawn in sides)
    _log.info("%s: on a canvas of %d px, %.3g of its px in one", title, size, detail)
    return Photo(pixels, title, frame, notes, alpha, source, fit, detail)


def picture(photo: Photo, most: int) -> tuple[NDArray[np.float32], float]:
    """All of a photo's own picture, in its own pixels or fewer.

    Returns float32 [height, width, 3], sRGB in 0..1 on white, its longer side at most `most` px,
    and how many of the photo's px there are for one of these. Raises ClipassoError for a photo
    without a source or whose source has gone.
    """
    if photo.source is None:
        raise ClipassoError(f"{photo.name}: its pixels were changed; load it again")
    with explained(photo.name):
        layers = read(photo.source, most, "pad", [])
    width, height = layers.colours[0].size
    by = min(1.0, most / max(width, height))
    size = max(1, round(by * width)), max(1, round(by * height))
    held = [_values(layer, size, (0, 0, width, height)) for layer in layers.colours]
    found = np.dstack(held)
    return np.repeat(found, 3, 2) if found.shape[2] == 1 else found, layers.size[0] / size[0]


def redrawn(photo: Photo, size: int) -> Photo:
    """The same photo on a canvas of another size, read anew; it is no zoom, and loses one.

    Raises ClipassoError for a photo without a source or whose source has gone.
    """
    if photo.source is None:
        raise ClipassoError(f"{photo.name}: its pixels were changed; load it again")
    fresh = load_photo(photo.source, size=size, fit=photo.fit, name=photo.name)
    if photo.frame.inner is None:
        return fresh
    by = size / len(photo.pixels)
    x0, y0, x1, y1 = (by * end for end in photo.frame.inner)
    return without_surround(fresh, (x0, y0, x1, y1))


def without_surround(photo: Photo, inner: tuple[float, float, float, float]) -> Photo:
    """The photo with what lies outside of a rectangle taken for padding, read anew.

    `inner` is its left, top, right and bottom in px of the photo's frame. Nothing moves: a sketch
    still lies over the whole photo. Raises ClipassoError for a photo without a source, one whose
    source has gone, or a rectangle of which the canvas shows nothing.
    """
    if photo.source is None:
        raise ClipassoError(f"{photo.name}: its pixels were changed; load it again")
    size, frame = len(photo.pixels), replace(photo.frame, inner=inner)
    with explained(photo.name):
        layers = read(photo.source, math.ceil(size * frame.zoom), photo.fit, [])
    pixels, alpha = _shown(layers, frame, size, photo.name)
    return replace(photo, pixels=pixels, alpha=alpha, frame=frame)


def closer(photo: Photo, box: tuple[float, float, float]) -> Photo:
    """Show a part of a photo's canvas on the whole canvas, read anew from the photo's source.

    `box` is the part's left, top and side in px of `photo`'s canvas; it may reach beyond the photo,
    where the canvas is white and clear as in all padding. Raises ClipassoError for a box without
    area or off the photo, and for a photo without a source or whose source has gone.
    """
    size, (x, y, side) = photo.pixels.shape[0], box
    if photo.source is None:
        raise ClipassoError(f"{photo.name}: its pixels were changed; load it again to zoom")
    if not (side > 0 and all(map(math.isfinite, box))):
        raise ClipassoError(f"{photo.name}: a box of {side:g} px cannot be shown")
    old, by = photo.frame, size / side
    frame = replace(
        old, left=(old.left - x) * by, top=(old.top - y) * by,
        scale_x=old.scale_x * by, scale_y=old.scale_y * by, zoom=old.zoom * by,
    )  # fmt: skip
    with explained(photo.name):
        layers = read(photo.source, math.ceil(size * frame.zoom), photo.fit, [])
    pixels, alpha = _shown(layers, frame, size, photo.name)
    return replace(photo, pixels=pixels, alpha=alpha, frame=frame)


@contextmanager
def explained(shown: str) -> Iterator[None]:
    """Turn whatever reading a picture raises into one line that begins with `shown`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what matters of Pillow's warnings is refused instead
        try:
            yield
        except ClipassoError as error:
            raise ClipassoError(f"{shown}: {error}") from error.__cause__
        except Exception as error:  # damaged bytes make Pillow raise nearly anything
            raise ClipassoError(f"{shown}: {reason(error)}") from error


def _printable(text: str) -> str:
    """Keep a name on one line and safe for a terminal and for XML."""
    return "".join(c if c.isprintable() else "?" for c in text)


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


def _lay_out(
    layers: Layers, size: int, fit: Fit
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None, Frame]:
    """Resize to a white canvas [size, size, 3] and, where there is one, an alpha [size, size]."""
    width, height = layers.size
    unit = min(width, height) if fit == "crop" else max(width, height)
    own = width * size / unit, height * size / unit
    drawn = (float(size), float(size)) if fit == "stretch" else own
    left, columns, (x0, x1) = _axis(width, drawn[0], size)
    top, rows, (y0, y1) = _axis(height, drawn[1], size)
    pixels, alpha = _resize(layers, size, rows, columns, (x0, y0, x1, y1))
    return pixels, alpha, Frame(*own, left, top, drawn[0] / own[0], drawn[1] / own[1])


def _seen(length: int, start: float, drawn: float, size: int) -> tuple[slice, tuple[float, float]]:
    """The whole canvas pixels that `length` photo px fill, and the range of photo px they show.

    `start`, `drawn`: where the photo's frame lies on the canvas of `size` px, in canvas px.
    """
    first, last = max(0, math.ceil(start - 1e-3)), min(size, math.floor(start + drawn + 1e-3))
    step = length / drawn
    return slice(first, last), (
        max((first - start) * step, 0.0), min((last - start) * step, float(length))
    )  # fmt: skip


def _shown(
    layers: Layers, frame: Frame, size: int, name: str
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """A picture on the canvas where its frame lies, or as much of it as is the photo."""
    left, top = frame.left, frame.top
    width, height = frame.width * frame.scale_x, frame.height * frame.scale_y
    if frame.inner is not None:
        part, layers = _part(layers, frame)
        left, top = left + part[0] * width, top + part[1] * height
        width, height = (part[2] - part[0]) * width, (part[3] - part[1]) * height
    columns, (x0, x1) = _seen(layers.size[0], left, width, size)
    rows, (y0, y1) = _seen(layers.size[1], top, height, size)
    if columns.start >= columns.stop or rows.start >= rows.stop:
        raise ClipassoError(f"{name}: the box lies off the photo")
    return _resize(layers, size, rows, columns, (x0, y0, x1, y1))


def _part(layers: Layers, frame: Frame) -> tuple[tuple[float, float, float, float], Layers]:
    """What is the photo, cut out so that resizing blends nothing else into it.

    Returns:
        Its left, top, right and bottom as parts of the whole, on whole pixels, and its layers.
    """
    across, down = layers.colours[0].size
    x0, y0, x1, y1 = frame.box
    left, top = (
        math.ceil(x0 / frame.width * across - 1e-3),
        math.ceil(y0 / frame.height * down - 1e-3),
    )
    right = max(left + 1, math.floor(x1 / frame.width * across + 1e-3))
    bottom = max(top + 1, math.floor(y1 / frame.height * down + 1e-3))

    def cut(layer: Image.Image) -> Image.Image:
        return layer.crop((left, top, right, bottom))

    part = left / across, top / down, right / across, bottom / down
    size = right - left, bottom - top  # of an unreduced picture: only ratios of it are used
    alpha = None if layers.alpha is None else cut(layers.alpha)
    return part, Layers([cut(layer) for layer in layers.colours], alpha, size)


def _resize(
    layers: Layers, size: int, rows: slice, columns: slice, box: tuple[float, float, float, float]
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """A part of a picture on some rows and columns of a white canvas, and its alpha if any.

    `box`: left, top, right and bottom of that part, in the picture's own px.
    """
    cells = columns.stop - columns.start, rows.stop - rows.start
    across, down = (
        there / own for there, own in zip(layers.colours[0].size, layers.size, strict=True)
    )
    part = box[0] * across, box[1] * down, box[2] * across, box[3] * down

    pixels = np.ones((size, size, 3), dtype=np.float32)
    pixels[rows, columns] = np.dstack([_values(layer, cells, part) for layer in layers.colours])
    pixels.setflags(write=False)
    if layers.alpha is None:
        return pixels, None
    alpha = np.zeros((size, size), dtype=np.float32)
    alpha[rows, columns] = _values(layers.alpha, cells, part)
    alpha.setflags(write=False)
    return pixels, alpha


def _values(
    layer: Image.Image, cells: tuple[int, int], part: tuple[float, float, float, float]
) -> NDArray[np.float32]:
    """A part of a layer at another size, 0..1."""
    small = layer.resize(cells, Image.Resampling.LANCZOS, part, 3.0)
    values = np.asarray(small, dtype=np.float32) / (1 if small.mode == "F" else 255)
    held: NDArray[np.float32] = values.clip(0, 1)  # Lanczos overshoots in mode F
    return held
