"""`--record FILE`: an animation of how a sketch came about."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from clipasso.cli.drawing import prepare
from clipasso.cli.film import encode_shown
from clipasso.cli.stdio import STANDARD
from clipasso.errors import ClipassoError
from clipasso.vector.safe_write import write_atomically

if TYPE_CHECKING:
    from clipasso.pipeline.result import Result

__all__ = ["Record", "Recorded"]

_NAME = "NAME"
_SECONDS, _HOLD = 4.0, 1.5
_WRITING = {"svg": 0.1, "html": 0.1, "gif": 3.0, "webp": 3.0, "mp4": 4.0}  # seconds, with reserve


class Recorded(NamedTuple):
    """What is told of a recording: a line for people, or why there is none."""

    line: str
    written: bool


@dataclass(frozen=True)
class Record:
    """Where recordings go.

    Attributes:
        path: as it was given; `NAME` in the file's name stands for the photo's.
        force: whether files that are there already may be overwritten.

    Raises:
        ClipassoError: a path that can be no such file.
    """

    path: Path
    force: bool

    def __post_init__(self) -> None:
        from clipasso.vector.animate.files import either, format_of

        if self.path == STANDARD:
            raise ClipassoError(f"--record -: name a file that ends in {either('.')}")
        try:
            kind = format_of(self.path)
            if kind == "mp4":
                from clipasso.vector.animate.mp4 import load_av

                load_av()
        except ClipassoError as error:
            raise ClipassoError(f"--record {error}") from None

    @property
    def seconds(self) -> float:
        """That making one takes at most, on a slow machine."""
        from clipasso.vector.animate.files import format_of

        return _WRITING[format_of(self.path)]

    def file(self, stem: str) -> Path:
        """That of a photo's sketch of this stem."""
        return self.path.with_name(self.path.name.replace(_NAME, stem))

    def plan(
        self, stems: Sequence[str], others: Iterable[Path], read: Iterable[Path | None]
    ) -> None:
        """See, before any work, that all can be written; makes their folder.

        Args:
            stems: of the sketches.
            others: files that the command writes besides.
            read: files that it reads.

        Raises:
            ClipassoError: they cannot be, or would overwrite each other, one of the others, what
                is read, or unasked what is there.
        """
        if len(stems) > 1 and _NAME not in self.path.name:
            raise ClipassoError(
                f"--record {self.path}: is one file for {len(stems)} photos; put {_NAME} into it, "
                f"as {_NAME}{self.path.suffix}, which then stands for each photo's name"
            )
        taken, read = {_same(path) for path in others}, list(read)
        for stem in stems:
            path = self.file(stem)
            if _same(path) in taken:
                raise ClipassoError(
                    f"--record {path}: is also the name of another file that is written; choose "
                    "another"
                )
            taken.add(_same(path))
            prepare(read, path, self.force, "--record")

    def write(self, result: Result, stem: str, silent: bool) -> Recorded:
        """Write one; where that fails, its line says why, and the sketch does not suffer."""
        from clipasso.vector.animate.files import format_of, options_for

        path = self.file(stem)
        try:
            film = result.recording(seconds=_SECONDS, hold=_HOLD)
            data = encode_shown(film, options_for(format_of(path)), str(path), silent)
            write_atomically(path, data, replace=self.force)
        except ClipassoError as error:
            return Recorded(f"--record {error}", False)
        line = f"{path}  the strokes on their way, {film.duration:g} s, {len(data) / 1000:.0f} kB"
        return Recorded(line, True)


def _same(path: Path) -> str:
    """One name for all that lead to a file, there or not."""
    return os.path.normcase(os.path.realpath(path))
