"""Frames written as an MP4 by PyAV (`clipasso[video]`)."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from clipasso.errors import ClipassoError

__all__ = ["load_av", "write_mp4"]

_ENCODERS = ("libx264", "libopenh264", "h264", "mpeg4")  # the first that is there
_QUALITY = {"libx264": {"crf": "18", "preset": "medium", "tune": "animation"}}
_BITS = 4_000_000  # a second, of encoders that know no quality


def load_av() -> Any:
    """PyAV.

    Raises:
        ClipassoError: it is not installed.
    """
    try:
        import av
    except ImportError:
        raise ClipassoError(
            "an MP4 needs PyAV: pip install 'clipasso[video]', or write a GIF, WebP or SVG"
        ) from None
    return av


def write_mp4(
    pictures: Iterable[NDArray[np.uint8]], size: tuple[int, int], fps: float, file: BinaryIO
) -> None:
    """Write an H.264 file of the pixel format `yuv420p`, which every player knows.

    Its width and height must be even: where a picture's is not, white is added at the right and
    at the bottom.

    Args:
        pictures: `[height, width, 3]`, one a frame.
        size: their width and height.
        fps: frames a second.

    Raises:
        ClipassoError: PyAV is missing, or knows no encoder for it.
    """
    av = load_av()
    name = next((name for name in _ENCODERS if name in av.codecs_available), None)
    if name is None:
        raise ClipassoError("this PyAV has no encoder for an MP4; write a GIF, WebP or SVG")
    width, height = (side + side % 2 for side in size)
    canvas = np.full((height, width, 3), 255, np.uint8)
    with TemporaryDirectory(prefix="clipasso-") as folder:
        path = Path(folder) / "film.mp4"
        # Its table of contents goes to the front, so that it plays while it is loaded: FFmpeg
        # reads the file again for that, and so it must be one.
        with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
            stream = container.add_stream(
                name, rate=Fraction(fps).limit_denominator(1000), options=_QUALITY.get(name, {})
            )
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            if name not in _QUALITY:
                stream.bit_rate = _BITS
            for picture in pictures:
                canvas[: picture.shape[0], : picture.shape[1]] = picture
                container.mux(stream.encode(av.VideoFrame.from_ndarray(canvas, format="rgb24")))
            container.mux(stream.encode(None))
        with path.open("rb") as made:
            shutil.copyfileobj(made, file)
