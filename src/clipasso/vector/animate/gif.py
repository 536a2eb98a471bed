"""Frames written as a GIF one by one, each only where it differs from the one before.

Pillow's own way to many frames keeps them all until the end, so its way to the data of one is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import GifImagePlugin, Image, ImageChops

from clipasso.vector.animate.film import Frame

__all__ = ["GREYS", "NEAREST_GREY", "write_gif"]

GREYS = np.linspace(0, 255, 32).round().astype(np.uint8)
"""Of which pictures of grey strokes are made: nobody tells finer steps of an edge apart."""

NEAREST_GREY = (np.arange(256) * (len(GREYS) - 1) / 255).round().astype(np.uint8)
"""Which of them comes nearest to each of 256 levels, `[256]`."""

_LONGEST = 65_535  # hundredths of a second that one picture may be held
_END = b";"

Picture = NDArray[np.uint8]


def write_gif(frames: Iterable[Frame], samples: Picture | None, loop: int, file: BinaryIO) -> None:
    """Write a GIF in one palette: `GREYS`, or 256 colours.

    Args:
        frames: in their order; times are rounded to hundredths of a second.
        samples: `[height, width, 3]`, pictures whose colours are those of all; None for greys.
        loop: how often it is played, 0 for ever.
    """
    reduced = _in_greys() if samples is None else _in_colors(samples)
    before: Image.Image | None = None
    for frame in frames:
        now = reduced(frame.picture)
        if before is None:
            file.write(_header(now, loop))
            box = (0, 0, *now.size)
        else:
            box = ImageChops.difference(now.convert("RGB"), before.convert("RGB")).getbbox() or (
                0, 0, 1, 1,
            )  # fmt: skip
        left = round(100 * frame.end) - round(100 * frame.start)
        while left > 0:
            held = min(left, _LONGEST)
            data = GifImagePlugin.getdata(
                now.crop(box), box[:2], duration=10 * held, disposal=1, include_color_table=False
            )
            file.write(b"".join(data))
            left, box = left - held, (0, 0, 1, 1)
        before = now
    file.write(_END)


def _header(picture: Image.Image, loop: int) -> bytes:
    """With the palette. The file counts how often it is played again, and 0 is for ever."""
    again = {} if loop == 1 else {"loop": loop - 1 if loop else 0}
    info = {"duration": 1, **again}  # a duration makes it one that may have several pictures
    return b"".join(GifImagePlugin.getheader(picture.copy(), info=info)[0])


def _in_greys() -> Callable[[Picture], Image.Image]:
    """What brings a picture into a ramp of greys."""

    def reduced(picture: Picture) -> Image.Image:
        image = Image.fromarray(NEAREST_GREY[picture[:, :, 0]])
        image.putpalette(GREYS.repeat(3).tobytes())
        return image

    return reduced


def _in_colors(samples: Picture) -> Callable[[Picture], Image.Image]:
    """What brings a picture into white and 255 colours by which the samples are shown well."""
    from scipy.spatial import cKDTree  # Pillow's own search takes white for what is near it

    found = Image.fromarray(samples).quantize(255, Image.Quantize.MAXCOVERAGE).getpalette() or []
    palette = np.array([255, 255, 255, *found[: 3 * 255]], np.uint8)
    colors = cKDTree(palette.reshape(-1, 3))

    def reduced(picture: Picture) -> Image.Image:
        packed = picture.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
        values, places = np.unique(packed, return_inverse=True)
        unpacked = np.stack([values >> 16, (values >> 8) & 255, values & 255], axis=1)
        nearest = colors.query(unpacked)[1].astype(np.uint8)
        image = Image.fromarray(nearest[places].reshape(picture.shape[:2]))
        image.putpalette(palette.tobytes())
        return image

    return reduced
