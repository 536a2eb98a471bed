"""`--checkpoint FILE` and `--resume FILE`: one long sketch, kept while it is made."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from clipasso.cli.console import say
from clipasso.errors import ClipassoError
from clipasso.pipeline.claims import claimed
from clipasso.vector.safe_write import check_names, exists, keep_apart, prepare_folder

if TYPE_CHECKING:
    from clipasso.pipeline.checkpoint import Checkpoints
    from clipasso.pipeline.result import Result
    from clipasso.settings import Settings

__all__ = ["CheckpointFile"]


class CheckpointFile:
    """The file that the state of a sketch is kept in, beside the results.

    Args:
        checkpoint, every, resume: as they were asked for, None where they were not.
        force: write over what is there.
        settings: of the sketch.

    Attributes:
        checkpoints: as the library takes them; None where there are none.

    Raises:
        ClipassoError: a file in the way, no checkpoint, or one of other settings.
    """

    checkpoints: Checkpoints | None = None

    def __init__(
        self, checkpoint: Path | None, every: int | None, resume: Path | None, force: bool,
        settings: Settings,
    ) -> None:  # fmt: skip
        self.path = checkpoint
        if checkpoint is None and every is None and resume is None:
            return
        from clipasso.pipeline.checkpoint import Checkpoints

        self.checkpoints = Checkpoints.of(checkpoint, every, resume, force=force)
        saved = None if self.checkpoints is None else self.checkpoints.saved
        if saved is not None:  # before networks are loaded
            saved.see_version()
            saved.see_settings(settings)

    def see(self, photos: int, timed: bool) -> str:
        """See that there is one photo and no time limit; the option's name, empty for none.

        Raises:
            ClipassoError: it is not so.
        """
        if self.checkpoints is None:
            return ""
        name = "--resume" if self.path is None else "--checkpoint"
        if photos > 1:
            raise ClipassoError(f"{name}: is of one sketch, not of {photos}; give one photo")
        if timed:
            raise ClipassoError(
                f"{name}: does not go with --time, whose steps follow the clock; "
                "give --iterations instead"
            )
        return name

    @contextmanager
    def at_work(self, written: Iterable[Path], read: Iterable[Path | None]) -> Iterator[None]:
        """Keep the file for this process.

        Args:
            written: what else the command writes.
            read: what it reads.

        Raises:
            ClipassoError: the file is one of these, cannot be written, or is another process's.
        """
        path = self.path
        if path is None:
            yield
            return
        if path.absolute() in {other.absolute() for other in written}:
            raise ClipassoError(
                f"--checkpoint {path}: is also the name of a result; choose another"
            )
        keep_apart(read, [path], "--checkpoint")
        prepare_folder(path.parent, "--checkpoint")
        if not exists(path):
            check_names([path], "choose another name for --checkpoint")
        elif not os.path.isfile(path):
            raise ClipassoError(f"--checkpoint {path}: is no file; choose another name")
        with claimed(path.parent, path.name):
            yield

    def end(self, result: Result | ClipassoError | None) -> None:
        """Take the checkpoint away if the sketch is whole, else say how to go on from it."""
        path = self.path
        if path is None:
            return
        stopped = getattr(getattr(result, "outcome", None), "stopped", "interrupted")
        if stopped != "interrupted":
            path.unlink(missing_ok=True)
        elif exists(path):
            say(f"{path}: the same command goes on from there with --resume {path} --force")
