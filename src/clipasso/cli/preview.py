"""`--preview FILE.svg`: a file that shows the sketch while it is made."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from clipasso.cli.console import say
from clipasso.errors import ClipassoError
from clipasso.pipeline.claims import claimed
from clipasso.vector.safe_write import (
    check_names,
    exists,
    keep_apart,
    prepare_folder,
    write_atomically,
)

if TYPE_CHECKING:
    from clipasso.pipeline.preview import Preview

__all__ = ["PreviewFile"]


class PreviewFile:
    """Where previews go, each in place of the one before.

    It follows the photo in work; of several that are optimised together the first.

    Args:
        path: of an SVG file.
        force: whether one that is there already may be overwritten.
        read: what the command reads.

    Raises:
        ClipassoError: a path that cannot be such a file, or would overwrite what is read, or
            unasked what is there.
    """

    def __init__(self, path: Path, force: bool, read: Iterable[Path | None]) -> None:
        self.path, self._force = path, force
        self._written = self._finished = self._lost = False
        self._photo = 0
        if path.suffix.lower() != ".svg":
            raise ClipassoError(f"--preview {path}: must end in .svg; name an SVG file")
        if exists(path) and not os.path.isfile(path) and not path.is_symlink():
            raise ClipassoError(
                f"--preview {path}: is no file, and a preview is written again and again; name "
                "an SVG file"
            )
        keep_apart(read, [path], "--preview")
        if not force and exists(path):
            raise ClipassoError(
                f"--preview {path}: exists already; remove it, choose another name, or give "
                "--force to overwrite it"
            )

    def plan(self, written: Iterable[Path]) -> None:
        """See, before any work, that it is no result's name; makes the folder.

        Args:
            written: the command's results.

        Raises:
            ClipassoError: it is one's, or cannot be written.
        """
        if _same(self.path) in {_same(path) for path in written}:
            raise ClipassoError(
                f"--preview {self.path}: is also the name of a result; choose another"
            )
        prepare_folder(self.path.parent, "--preview")
        # Not the name itself is tried: a viewer that waits for it would see an empty file.
        first, rest = self.path.name[0], self.path.name[1:]
        stand_in = "~" * len(os.fsencode(first))
        try:
            check_names([self.path.with_name(stand_in + rest)])
        except ClipassoError as error:
            reason = str(error).rpartition(";")[0].replace(stand_in, first, 1)
            raise ClipassoError(f"--preview {reason}; choose another name") from None

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """While previews are made: keeps other processes from the file, and says what it holds if
        nothing came of them.

        Raises:
            ClipassoError: another process makes previews of this name.
        """
        with ExitStack() as held:
            try:
                held.enter_context(claimed(self.path.parent, self.path.name))
            except ClipassoError:
                raise ClipassoError(
                    f"--preview {self.path}: another clipasso is at work on it; choose another name"
                ) from None
            try:
                yield
            finally:
                if self._written and not self._finished:
                    say(f"{self.path}: holds the last preview, which is no result")

    def show(self, preview: Preview) -> None:
        """Write it; where that fails it is said once, and the sketch does not suffer."""
        begins = preview.step == 0 and not preview.finished
        if begins and (self._finished or not self._written):
            self._photo, self._finished = preview.photo, False  # another photo's turn
        if self._lost or preview.photo != self._photo:
            return
        try:
            replace = self._force or self._written
            write_atomically(self.path, preview.sketch.to_svg(), replace=replace)
        except ClipassoError as error:
            self._lost = True
            say(f"--preview {error}; the sketch goes on without")
            return
        self._written, self._finished = True, preview.finished


def _same(path: Path) -> str:
    """One name for all that lead to a file, there or not."""
    return os.path.normcase(os.path.realpath(path))
