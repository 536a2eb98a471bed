"""Frames written as a WebP, one of which is held at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clipasso.vector.animate.gif import GREYS, NEAREST_GREY

__all__ = ["write_webp"]

_METHOD = 4  # of 6: a third of the bytes of 0, in the same time
_NO_WHOLE_FRAMES = {"kmin": 0, "kmax": 0}  # after the first; half the bytes


def write_webp(
    pictures: Iterator[NDArray[np.uint8]], ends: list[float], loop: int, colored: bool,
    file: BinaryIO,
) -> None:  # fmt: skip
    """Write an animated WebP, with no loss of what the pictures hold.

    Args:
        pictures: `[height, width, 3]`, as many as `ends`, each drawn when its turn comes.
        ends: until when each is shown, seconds.
        loop: how often it is played, 0 for ever.
        colored: keep all colours; else greys are reduced to `GREYS`.
    """
    strip = Image.fromarray(_reduced(next(pictures), colored))
    shown = 0

    def seek(k: int) -> None:
        nonlocal shown
        if k == shown + 1:  # and in the end back to the first, which is no matter
            strip.paste(Image.fromarray(_reduced(next(pictures), colored)))
            shown = k

    # Pillow lists all images before it takes the first, but goes through an image's own frames as
    # it writes them; and what it takes twice in a row, the library keeps once for twice the time.
    vars(strip).update(n_frames=len(ends), seek=seek)
    steps = np.diff(np.round(1000 * np.array([0.0, *ends]))).astype(int).tolist()
    strip.save(
        file, "webp", save_all=True, lossless=True, quality=50, method=_METHOD, loop=loop,
        duration=steps, **_NO_WHOLE_FRAMES,
    )  # fmt: skip


def _reduced(picture: NDArray[np.uint8], colored: bool) -> NDArray[np.uint8]:
    return picture if colored else GREYS[NEAREST_GREY[picture]]
