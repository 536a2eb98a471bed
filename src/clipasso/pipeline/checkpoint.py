"""A long sketch kept in a file while it is made, to go on from: `--checkpoint` and `--resume`.

A checkpoint holds the state of the loop (`optimise.state`) and the strokes of faces, which were
drawn before; networks, mask and first strokes are made again when a run goes on, and compared.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from clipasso._version import __version__
from clipasso.errors import ClipassoError
from clipasso.optimise.state import Keeping, State
from clipasso.pipeline.saved import Saved, checksum, networks, packed, place, read_checkpoint
from clipasso.vector.safe_write import exists, write_atomically

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from clipasso.optimise.limit import Limit
    from clipasso.photo.canvas import Photo
    from clipasso.pipeline.faces import CloseUps
    from clipasso.pipeline.models import Models
    from clipasso.settings import Settings

__all__ = ["EVERY", "Checkpoints"]

EVERY = 50
"""Steps from one checkpoint to the next, where nobody says otherwise."""

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class Checkpoints:
    """Where the state of one sketch is kept while it is made, and what it goes on from.

    Attributes:
        path: of the file, written again and again; None keeps none.
        every: steps, at least 1.
        saved: what an earlier run left.
        notes: what a person should be told of it; grows.
    """

    path: Path | None = None
    every: int = EVERY
    saved: Saved | None = None
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(
        cls, checkpoint: str | os.PathLike[str] | None, every: int | None = None,
        resume: str | os.PathLike[str] | None = None, *, force: bool = False,
    ) -> Checkpoints | None:  # fmt: skip
        """As people ask for it; None where they do not.

        Args:
            checkpoint: a file to keep it in. One that is there is not written over, unless it is
                what is gone on from.
            every: steps from one to the next, `EVERY` by default.
            resume: a checkpoint to go on from.
            force: write over any file.

        Raises:
            ClipassoError: a number out of range, a file in the way, or no checkpoint.
        """
        if every is not None and (checkpoint is None or not 1 <= every <= 1_000_000):
            raise ClipassoError(
                f"--checkpoint-every {every}: "
                + ("says how often --checkpoint FILE is written; give that too"
                   if checkpoint is None else "must be from 1 to 1000000")
            )  # fmt: skip
        if checkpoint is None and resume is None:
            return None
        saved = None if resume is None else read_checkpoint(resume)
        path = None if checkpoint is None else Path(checkpoint)
        if path is not None and exists(path) and not force and not _same(path, resume):
            raise ClipassoError(
                f"--checkpoint {path}: exists already; go on from it with --resume {path} beside "
                "--checkpoint, remove it, or choose another name"
            )
        return cls(path, EVERY if every is None else every, saved)

    def begin(
        self, photos: Sequence[Photo], models: Models, settings: Settings, limit: Limit | None
    ) -> CloseUps | None:
        """See that a run can have checkpoints, and that what is gone on from is of such a run.

        Args:
            photos, settings: as they came, before any photo was zoomed.
            models: those of the run.
            limit: its time limit.

        Returns:
            What the earlier run had drawn of the photo's faces; None where there is none.

        Raises:
            ClipassoError: there can be none of several photos or with a limit, or it is not.
        """
        if len(photos) != 1:
            raise ClipassoError(
                f"--checkpoint: is of one sketch, not of {len(photos)}; give one photo"
            )
        if limit is not None:
            raise ClipassoError(
                "--checkpoint: does not go with --time, whose steps follow the clock; give "
                "--iterations"
            )
        if self.saved is None:
            return None
        self.saved.see_version()
        self.saved.see_settings(settings)
        self.saved.see_networks(models)
        self.saved.see_photo(photos[0])
        other = [f"{name} {there} there, {here} here" for name, here in place(models).items()
                 if (there := self.saved.made.get(name, "unknown")) != here]  # fmt: skip
        if other:
            self.notes.append(
                f"{self.saved.path}: was made elsewhere ({', '.join(other)}), so the result will "
                "not be that of an uninterrupted run to the byte"
            )
        self.saved = replace(self.saved, state=replace(self.saved.state, same_place=not other))
        _log.info("going on from step %d of %s", self.saved.state.step, self.saved.path)
        return self.saved.close_ups

    def keeping(
        self, photo: Photo, models: Models, settings: Settings, close_ups: CloseUps
    ) -> Keeping:
        """What the loop is to do for it.

        Args:
            photo, settings: as they came, before the photo was zoomed.
            close_ups: faces that were drawn already.
        """
        begin = None if self.saved is None else self.saved.state
        if self.path is None:
            return Keeping(begin=begin)
        path = self.path
        about = {
            "settings": settings.as_dict(),
            "made": {"clipasso": __version__, **networks(models), **place(models)},
            "photo": checksum(photo),
        }

        def keep(state: State) -> None:
            try:
                write_atomically(path, packed(state, about, close_ups))
                _log.info("step %d is kept in %s", state.step, path)
            except ClipassoError as error:
                _log.info("%s", error)
                note = f"--checkpoint {error}; the sketch went on without"
                if note not in self.notes:
                    self.notes.append(note)

        return Keeping(self.every, keep, begin)


def _same(path: Path, other: str | os.PathLike[str] | None) -> bool:
    try:
        return other is not None and path.samefile(other)
    except OSError:
        return False
