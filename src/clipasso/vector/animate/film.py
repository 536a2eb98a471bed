"""An animation as a value: a sketch at every moment, frames of it, and its files."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from math import isfinite
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from clipasso.errors import ClipassoError
from clipasso.vector.render import render
from clipasso.vector.safe_write import write_atomically
from clipasso.vector.sketch import Sketch

__all__ = ["LONGEST", "Animation", "Frame", "Picture", "check_seconds"]

LONGEST = 600.0  # seconds
_SHORTEST = 0.1


Picture: TypeAlias = NDArray[np.uint8]


class Frame(NamedTuple):
    """A picture `[height, width, 3]`, from when it is shown, and until when, in seconds."""

    picture: Picture
    start: float
    end: float


class Animation(ABC):
    """Strokes that move, or that are drawn one after the other.

    Attributes:
        still: the sketch that it ends with, and which is shown where nothing may move.
        duration: seconds, with what is held still.
    """

    still: Sketch
    duration: float

    @abstractmethod
    def at(self, seconds: float) -> Sketch:
        """The strokes at a moment, those that are not begun or that are gone left out."""

    @abstractmethod
    def to_svg(self, loop: int = 1) -> str:
        """The text of an SVG file that moves in browsers; others, and our reader, see `still`.

        Args:
            loop: how often it is played, 0 for ever.

        Raises:
            ClipassoError: more strokes than such a file may have.
        """

    @property
    @abstractmethod
    def looks(self) -> tuple[Sketch, ...]:
        """Sketches in which all colours occur that are ever shown, but for those in between."""

    def frame_count(self, fps: float) -> int:
        """How many frames there are of so many a second, at least one."""
        return max(1, round(self.duration * fps))

    def frame_ends(self, fps: float) -> list[float]:
        """Until when each frame is shown, seconds; the last for as long as there is."""
        count = self.frame_count(fps)
        return [*((k + 1) / fps for k in range(count - 1)), self.duration]

    def pictures(self, size: int, fps: float) -> Iterator[Picture]:
        """All frames, one held at a time: `[height, width, 3]`, as `render` draws them.

        Each shows the moment at which it ends, so that the first is not empty and the last is the
        whole sketch. Where nothing has changed it is the same array again.

        Args:
            size: their longer side, pixels.
            fps: how many a second.

        Raises:
            ClipassoError: as `render`.
        """
        shown, picture = None, None
        for end in self.frame_ends(fps):
            now = self.at(end)
            if picture is None or (now is not shown and now != shown):
                shown, picture = now, render(now, size)
            yield picture

    def encode(
        self,
        format: str,
        *,
        size: int | None = None,
        fps: float | None = None,
        loop: int | None = None,
        on_progress: Callable[[float], None] | None = None,
    ) -> bytes:
        """A file's bytes.

        Args:
            format: `svg`, `html`, `gif`, `webp` or `mp4` (which needs PyAV, `clipasso[video]`).
            size: longer side of the frames, pixels, 16 to 4096 (512).
            fps: frames a second, 1 to 60, of a GIF 1 to 50 (25).
            loop: how often it is played, 0 for ever: GIF and WebP by default, others once.
            on_progress: called with the seconds that are done, frame by frame.

        Raises:
            ClipassoError: what does not go with the format, is out of range or too much.
        """
        from clipasso.vector.animate.files import encode, options_for

        return encode(self, options_for(format, size, fps, loop), on_progress)

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        format: str | None = None,
        size: int | None = None,
        fps: float | None = None,
        loop: int | None = None,
        on_progress: Callable[[float], None] | None = None,
    ) -> None:
        """Write a file, all or nothing; its name's ending says the format if nothing else does.

        Raises:
            ClipassoError: as `encode`, or the file cannot be written.
        """
        from clipasso.vector.animate.files import format_of

        kind = format or format_of(path)
        data = self.encode(kind, size=size, fps=fps, loop=loop, on_progress=on_progress)
        write_atomically(path, data)


def check_seconds(name: str, seconds: float, least: float = _SHORTEST) -> float:
    """A time in range.

    Raises:
        ClipassoError: it is not.
    """
    if not (isfinite(seconds) and least <= seconds <= LONGEST):
        raise ClipassoError(f"{name} {seconds:g}: must be from {least:g} to {LONGEST:g} seconds")
    return float(seconds)
