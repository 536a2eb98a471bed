"""The files of an animation: which there are, what each takes, and how large one may become."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from math import isfinite
from pathlib import PurePath

import numpy as np

from clipasso.errors import ClipassoError
from clipasso.vector.animate.film import Animation, Frame, Picture
from clipasso.vector.render import render

__all__ = [
    "FORMATS",
    "FileOptions",
    "check",
    "choose_format",
    "either",
    "encode",
    "format_of",
    "options_for",
]

FORMATS = ("svg", "html", "gif", "webp", "mp4")

_SIZES = (16, 4096)
_RATES = {"gif": 50.0, "webp": 60.0, "mp4": 60.0}  # browsers slow GIFs down that have more
_LOOPS = 1000
_PIXELS = 4_000_000_000  # of all frames: a minute of 25 a second of 1600 x 1600
_SAMPLE = 256  # px: of pictures that a palette is made from
_SAMPLES = 12


@dataclass(frozen=True)
class FileOptions:
    """What a file is to be like.

    Attributes:
        format: one of `FORMATS`.
        size: longer side of the frames, pixels; no matter for SVG and HTML.
        fps: frames a second; likewise.
        loop: how often it is played, 0 for ever.
    """

    format: str
    size: int
    fps: float
    loop: int


def format_of(path: str | os.PathLike[str]) -> str:
    """The format that a file's name ends in.

    Raises:
        ClipassoError: it ends in none.
    """
    ending = PurePath(path).suffix.lower().removeprefix(".")
    ending = {"htm": "html"}.get(ending, ending)
    if ending not in FORMATS:
        raise ClipassoError(f"{os.fspath(path)}: must end in {either('.')}")
    return ending


def choose_format(path: PurePath, asked: str | None) -> str:
    """The format of a file: what is asked for, or what its name ends in.

    Raises:
        ClipassoError: nothing says it, or both do and differ.
    """
    if asked is None:
        if str(path) == "-":
            raise ClipassoError(f"-o -: standard output has no name; give --format, {either()}")
        return format_of(path)
    asked = asked.lower()
    if path.suffix.lower().removeprefix(".") in {*FORMATS, "htm"} and format_of(path) != asked:
        raise ClipassoError(f"{path} and --format {asked}: are two formats; leave one of them out")
    return asked


def options_for(
    format: str, size: int | None = None, fps: float | None = None, loop: int | None = None
) -> FileOptions:
    """Options in range, with the defaults that `Animation.encode` tells.

    Raises:
        ClipassoError: one is out of range, or nothing for the format.
    """
    if format not in FORMATS:
        raise ClipassoError(f"--format {format}: must be {either()}")
    highest = _RATES.get(format)
    if highest is None:
        for name, value in (("size", size), ("fps", fps)):
            if value is not None:
                raise ClipassoError(f"--{name}: {format.upper()} has no frames; leave it out")
    size = 512 if size is None else size
    fps = 25.0 if fps is None else float(fps)
    loop = (0 if format in ("gif", "webp") else 1) if loop is None else loop
    if not _SIZES[0] <= size <= _SIZES[1]:
        raise ClipassoError(f"--size {size}: must be from {_SIZES[0]} to {_SIZES[1]} pixels")
    if not (isfinite(fps) and 1 <= fps <= (highest or fps)):
        raise ClipassoError(f"--fps {fps:g}: must be from 1 to {highest:g} for {format.upper()}")
    if not 0 <= loop <= _LOOPS:
        raise ClipassoError(f"--loop {loop}: must be from 0 (for ever) to {_LOOPS}")
    if format == "mp4" and loop == 0:
        raise ClipassoError("--loop 0: an MP4 cannot ask to be played for ever; give a number")
    return FileOptions(format, size, fps, loop)


def check(film: Animation, options: FileOptions) -> None:
    """See, before any work, that a file can be made.

    Raises:
        ClipassoError: it would be too large, or needs what is not installed.
    """
    if options.format not in _RATES:
        return
    width, height = _sides(film, options)
    times = options.loop if options.format == "mp4" else 1
    pixels = width * height * film.frame_count(options.fps) * times
    if pixels > _PIXELS:
        raise ClipassoError(
            f"{pixels / 1e9:.1f} thousand million pixels in all frames are more than "
            f"{_PIXELS / 1e9:g}; choose a smaller --size, --fps or --seconds"
        )
    if options.format == "mp4":
        from clipasso.vector.animate.mp4 import load_av

        load_av()


def encode(
    film: Animation, options: FileOptions, on_progress: Callable[[float], None] | None = None
) -> bytes:
    """A file's bytes; of its frames one or two are held at a time.

    Args:
        on_progress: called with the seconds that are done, frame by frame.

    Raises:
        ClipassoError: as `check`; or the film cannot be drawn, or not be written as text.
    """
    check(film, options)
    if options.format == "svg":
        return film.to_svg(options.loop).encode()
    if options.format == "html":
        from clipasso.vector.animate.page import to_html

        return to_html(film, options.loop).encode()
    ends = film.frame_ends(options.fps)

    def pictures() -> Iterator[Picture]:
        for end, picture in zip(ends, film.pictures(options.size, options.fps), strict=True):
            yield picture
            if on_progress is not None:
                on_progress(end)

    file = io.BytesIO()
    if options.format == "gif":
        from clipasso.vector.animate.gif import write_gif

        write_gif(_merged(pictures(), ends), _samples(film), options.loop, file)
    elif options.format == "webp":
        from clipasso.vector.animate.webp import write_webp

        write_webp(pictures(), ends, options.loop, not _is_grey(film), file)
    else:
        from clipasso.vector.animate.mp4 import write_mp4

        again = chain.from_iterable(pictures() for _ in range(options.loop))
        write_mp4(again, _sides(film, options), options.fps, file)
    return file.getvalue()


def _merged(pictures: Iterator[Picture], ends: list[float]) -> Iterator[Frame]:
    """Pictures that differ, each for as long as it is shown."""
    held, start, until = next(pictures), 0.0, ends[0]
    for picture, end in zip(pictures, ends[1:], strict=True):
        if not (picture is held or np.array_equal(picture, held)):
            yield Frame(held, start, until)
            held, start = picture, until
        until = end
    yield Frame(held, start, until)


def _is_grey(film: Animation) -> bool:
    return all(bool((look.colors == look.colors[:, :1]).all()) for look in film.looks)


def _samples(film: Animation) -> Picture | None:
    """Small pictures, one below the other, with the colours that occur; None for greys alone."""
    if _is_grey(film):
        return None
    step = -(-len(film.looks) // _SAMPLES)
    return np.concatenate([render(look, _SAMPLE) for look in film.looks[::step]])


def _sides(film: Animation, options: FileOptions) -> tuple[int, int]:
    """Width and height of the frames, as `render` makes them."""
    width, height = film.still.size
    unit = options.size / max(width, height)
    return max(1, round(width * unit)), max(1, round(height * unit))


def either(before: str = "") -> str:
    """All formats in words, each with something before it."""
    *most, last = (before + name for name in FORMATS)
    return f"{', '.join(most)} or {last}"
