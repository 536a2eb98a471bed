"""A long sketch kept in a file while it is made, to go on from: `--checkpoint` and `--resume`.

A checkpoint is a safetensors file: numbers, and a header of text; nothing in it is ever run. It
holds the state of the loop (`optimise.state`) and the strokes of faces, which were drawn before;
networks, mask and first strokes are made again when a run goes on, and compared.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from clipasso._version import __version__
from clipasso.errors import ClipassoError
from clipasso.optimise.state import Keeping, State
from clipasso.photo.faces import Face
from clipasso.pipeline.faces import CloseUps
from clipasso.vector.safe_write import exists, write_atomically
from clipasso.vector.sketch import Sketch

if TYPE_CHECKING:
    import os

    from clipasso.photo.canvas import Photo
    from clipasso.pipeline.models import Models
    from clipasso.settings import Settings

__all__ = ["EVERY", "Checkpoints", "Saved", "read_checkpoint"]

EVERY = 50
"""Steps from one checkpoint to the next, where nobody says otherwise."""

_MARK, _FORMAT = "clipasso checkpoint", 1
_LARGEST = 1 << 30  # bytes; 10 000 strokes and 2000 steps make a tenth of that

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Saved:
    """What a checkpoint holds.

    Attributes:
        path: of its file.
        settings: that were asked for, by name.
        made: what made it, by name: `clipasso`, `encoder`, `precision`, `saliency`, `device` ...
        photo: the checksum of the photo on its canvas, before it was zoomed.
        state: of the loop.
        close_ups: faces that were drawn before it.
    """

    path: Path
    settings: Mapping[str, Any]
    made: Mapping[str, str]
    photo: str
    state: State
    close_ups: CloseUps

    def see_version(self) -> None:
        """See that this version of the program made it.

        Raises:
            ClipassoError: another did, and steps may have changed since.
        """
        if self.made["clipasso"] != __version__:
            raise ClipassoError(
                f"--resume {self.path}: is a checkpoint of clipasso {self.made['clipasso']}, and "
                f"this is {__version__}; go on with that one, or begin anew without --resume"
            )

    def see_settings(self, settings: Settings) -> None:
        """See that it was made with these settings.

        Raises:
            ClipassoError: one is another.
        """
        ours = json.loads(json.dumps(settings.as_dict()))
        for name, mine in ours.items():
            theirs = self.settings.get(name)
            if theirs != mine:
                raise ClipassoError(
                    f"--resume {self.path}: is a checkpoint of other settings ({name} was "
                    f"{_told(theirs)}, here {_told(mine)}); give those it was made with"
                )

    def see_photo(self, photo: Photo) -> None:
        """See that it is of this photo, before anything is done with it.

        Raises:
            ClipassoError: it is of another.
        """
        if self.photo != _checksum(photo):
            raise ClipassoError(
                f"--resume {self.path}: is a checkpoint of another photo than {photo.name}, or of "
                "the same with another --fit; give the one it was made from"
            )

    def see_networks(self, models: Models) -> None:
        """See that these networks made it.

        Raises:
            ClipassoError: others did.
        """
        for name, ours in _networks(models).items():
            theirs = self.made.get(name, "")
            if theirs != ours:
                raise ClipassoError(
                    f"--resume {self.path}: is a checkpoint of another {name} ({theirs}, here "
                    f"{ours}); give the one it was made with"
                )


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

    def begin(self, photo: Photo, models: Models, settings: Settings) -> None:
        """See that what is gone on from is of such a run.

        Raises:
            ClipassoError: it is not.
        """
        if self.saved is None:
            return
        self.saved.see_version()
        self.saved.see_settings(settings)
        self.saved.see_networks(models)
        self.saved.see_photo(photo)
        other = [f"{name} {there} there, {here} here" for name, here in _place(models).items()
                 if (there := self.saved.made.get(name, "unknown")) != here]  # fmt: skip
        if other:
            self.notes.append(
                f"{self.saved.path}: was made elsewhere ({', '.join(other)}), so the result will "
                "not be that of an uninterrupted run to the byte"
            )
        self.saved = replace(self.saved, state=replace(self.saved.state, same_place=not other))
        _log.info("going on from step %d of %s", self.saved.state.step, self.saved.path)

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
            "made": {"clipasso": __version__, **_networks(models), **_place(models)},
            "photo": _checksum(photo),
        }

        def keep(state: State) -> None:
            try:
                write_atomically(path, _packed(state, about, close_ups))
                _log.info("step %d is kept in %s", state.step, path)
            except ClipassoError as error:
                _log.warning("%s", error)
                note = f"--checkpoint {error}; the sketch went on without"
                if note not in self.notes:
                    self.notes.append(note)

        return Keeping(self.every, keep, begin)

    def remove(self) -> None:
        """Take the file away, once the result is where it should be."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)


def read_checkpoint(path: str | os.PathLike[str]) -> Saved:
    """What a checkpoint holds.

    Raises:
        ClipassoError: it cannot be read, or is none.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > _LARGEST:
            raise ValueError(f"it has {size >> 20} MB")
        tensors, about = _unpacked(path.read_bytes())
        state = State(
            int(about["step"]), float(about["seconds"]), tensors, tuple(map(str, about["names"])),
            f"--resume {path}",
        )  # fmt: skip
        made = {str(k): str(v) for k, v in about["made"].items()}
        close_ups = _close_ups_from(tensors, about["close-ups"])
        made["clipasso"], dict(about["settings"])  # noqa: B018 - they must be there
        return Saved(path, about["settings"], made, str(about["photo"]), state, close_ups)
    except OSError as error:
        raise ClipassoError(
            f"--resume {path}: cannot be read ({error.strerror or error}); give the file that "
            "--checkpoint wrote"
        ) from None
    except Exception as error:  # of a file that anybody may have made
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise ClipassoError(
            f"--resume {path}: is no checkpoint of clipasso, or a damaged one ({reason}); give "
            "the file that --checkpoint wrote"
        ) from None


def _packed(state: State, about: Mapping[str, Any], close_ups: CloseUps) -> bytes:
    """The bytes of a checkpoint."""
    from safetensors.torch import save

    tensors, told = _close_ups_to(close_ups)
    text = {**about, "step": state.step, "seconds": state.seconds, "names": state.names,
            "close-ups": told, "format": _FORMAT}  # fmt: skip
    data: bytes = save({**state.tensors, **tensors}, {_MARK: json.dumps(text)})
    return data


def _unpacked(data: bytes) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors, and what is told of them; raises whatever is wrong."""
    from safetensors.torch import load

    length = int.from_bytes(data[:8], "little")
    if not 2 <= length <= len(data) - 8:
        raise ValueError("it has no header")
    about = json.loads(json.loads(data[8 : 8 + length])["__metadata__"][_MARK])
    if about["format"] != _FORMAT:
        raise ValueError(f"format {about['format']}, where {_FORMAT} is known")
    return load(data), about


_STROKES = ("points", "widths", "colors", "opacities")


def _close_ups_to(close_ups: CloseUps) -> tuple[dict[str, Tensor], dict[str, Any] | None]:
    sketch = close_ups.sketch
    if sketch is None:
        return {}, None
    rows = [[*f.box, *f.eyes.flatten(), *f.nose, *f.mouth.flatten(), f.sure, count]
            for f, count in close_ups.faces]  # fmt: skip
    tensors = {f"faces.{n}": torch.tensor(getattr(sketch, n).copy()) for n in _STROKES}
    tensors["faces"] = torch.tensor(rows, dtype=torch.float64)
    told = {"size": list(sketch.size), "degree": sketch.degree, "steps": close_ups.steps,
            "seconds": close_ups.seconds}  # fmt: skip
    return tensors, told


def _close_ups_from(tensors: Mapping[str, Tensor], told: dict[str, Any] | None) -> CloseUps:
    if told is None:
        return CloseUps()
    points, *rest = (tensors[f"faces.{name}"].numpy() for name in _STROKES)
    width, height = told["size"]
    sketch = Sketch(points, (width, height), told["degree"], **dict(zip(_STROKES[1:], rest)))  # noqa: B905
    faces = []
    for row in tensors["faces"].numpy():
        eyes, nose, mouth = row[4:8].reshape(2, 2), row[8:10], row[10:14].reshape(2, 2)
        box = (float(row[0]), float(row[1]), float(row[2]), float(row[3]))
        faces.append((Face(box, eyes, nose, mouth, float(row[14])), int(row[15])))
    return CloseUps(sketch, tuple(faces), int(told["steps"]), float(told["seconds"]))


def _networks(models: Models) -> dict[str, str]:
    return {
        "encoder": models.loss.description,
        "precision": str(models.loss.precision).removeprefix("torch."),
        "saliency encoder": models.saliency.description,
    }


def _place(models: Models) -> dict[str, str]:
    """What a result depends on to the byte beside everything that people choose."""
    return {
        "torch": torch.__version__,
        "device": str(models.device),
        "threads": str(torch.get_num_threads()),
    }


def _checksum(photo: Photo) -> str:
    digest = hashlib.sha256(photo.pixels.tobytes())
    digest.update(b"" if photo.alpha is None else photo.alpha.tobytes())
    return digest.hexdigest()


def _same(path: Path, other: str | os.PathLike[str] | None) -> bool:
    try:
        return other is not None and path.samefile(other)
    except OSError:
        return False


def _told(value: object) -> str:
    return "not set" if value is None or value == "" else str(value)
