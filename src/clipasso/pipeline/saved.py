"""What a checkpoint holds, how it is told from one of another run, and its file.

The file is one of safetensors: numbers, and a header of text; nothing in it is ever run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from clipasso._version import __version__
from clipasso.errors import ClipassoError
from clipasso.optimise.state import State
from clipasso.photo.faces import Face
from clipasso.pipeline.faces import CloseUps
from clipasso.vector.sketch import Sketch

if TYPE_CHECKING:
    import os

    from clipasso.photo.canvas import Photo
    from clipasso.pipeline.models import Models
    from clipasso.settings import Settings

__all__ = ["Saved", "checksum", "networks", "packed", "place", "read_checkpoint"]

_MARK, _FORMAT = "clipasso checkpoint", 1
_LARGEST = 1 << 30  # bytes; 10 000 strokes and 2000 steps make a tenth of that


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
        theirs = self.made["clipasso"]
        if theirs != __version__:
            raise ClipassoError(
                f"--resume {self.path}: is a checkpoint of clipasso {_told(theirs)}, and "
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
        if self.photo != checksum(photo):
            raise ClipassoError(
                f"--resume {self.path}: is a checkpoint of another photo than {photo.name}, or of "
                "the same with another --fit; give the one it was made from"
            )

    def see_networks(self, models: Models) -> None:
        """See that these networks made it.

        Raises:
            ClipassoError: others did.
        """
        for name, ours in networks(models).items():
            theirs = self.made.get(name, "")
            if theirs != ours:
                raise ClipassoError(
                    f"--resume {self.path}: is a checkpoint of another {name} ({_told(theirs)}, "
                    f"here {_told(ours)}); give the one it was made with"
                )


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
        if "clipasso" not in made:
            raise ValueError("it names no version")
        settings = dict(about["settings"])
        return Saved(path, settings, made, str(about["photo"]), state, close_ups)
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


def packed(state: State, about: Mapping[str, Any], close_ups: CloseUps) -> bytes:
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
    points, widths, colors, opacities = (tensors[f"faces.{name}"].numpy() for name in _STROKES)
    width, height = told["size"]
    sketch = Sketch(
        points, (width, height), told["degree"], widths=widths, colors=colors, opacities=opacities
    )
    faces = []
    for row in tensors["faces"].numpy():
        eyes, nose, mouth = row[4:8].reshape(2, 2), row[8:10], row[10:14].reshape(2, 2)
        box = (float(row[0]), float(row[1]), float(row[2]), float(row[3]))
        faces.append((Face(box, eyes, nose, mouth, float(row[14])), int(row[15])))
    return CloseUps(sketch, tuple(faces), int(told["steps"]), float(told["seconds"]))


def networks(models: Models) -> dict[str, str]:
    """The networks of a run, in words."""
    return {
        "encoder": models.loss.description,
        "precision": str(models.loss.precision).removeprefix("torch."),
        "saliency encoder": models.saliency.description,
    }


def place(models: Models) -> dict[str, str]:
    """What a result depends on to the byte beside everything that people choose."""
    return {
        "torch": torch.__version__,
        "device": str(models.device),
        "threads": str(torch.get_num_threads()),
    }


def checksum(photo: Photo) -> str:
    """Of a photo as it lies on its canvas."""
    digest = hashlib.sha256(photo.pixels.tobytes())
    digest.update(b"" if photo.alpha is None else photo.alpha.tobytes())
    return digest.hexdigest()


def _told(value: object) -> str:
    """A value as it is shown, whatever a file holds."""
    return " ".join(str(value).split())[:100] if value not in (None, "") else "not set"
