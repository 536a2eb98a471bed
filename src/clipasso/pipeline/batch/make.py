"""What does one task of a batch, wherever it runs: from photos to the contents of their files.

Nothing is written here. Contents go back to the process that keeps the manifest, and that alone
writes: so a worker or a whole machine may end at any moment and leave nothing half done.
"""

from __future__ import annotations

import hashlib
import io
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from clipasso.errors import ClipassoError
from clipasso.pipeline.batch.manifest import Stamp

if TYPE_CHECKING:
    from PIL.Image import Image

    from clipasso.optimise.loop import Progress
    from clipasso.photo.canvas import Photo
    from clipasso.pipeline.models import Models
    from clipasso.pipeline.result import Result
    from clipasso.pipeline.worker import Talk
    from clipasso.settings import Settings

__all__ = ["THUMB", "Loader", "Made", "Piece", "Task"]

THUMB = 192
"""Longer side of a small picture, px; photo and sketch lie side by side in one."""

_METRICS = ("l2", "lpips")  # losses with a network of their own
_MOST = 2  # sets of networks that a process keeps


class Piece(NamedTuple):
    """A photo to sketch: its file, or its bytes where the file is on another machine."""

    path: str
    stamp: Stamp | None = None
    data: bytes | None = None


class Task(NamedTuple):
    """Photos that are sketched together, on a GPU more than one, and how."""

    pieces: tuple[Piece, ...]
    settings: Settings
    mask: str | bytes
    fit: Any

    @property
    def steps(self) -> int:
        """Gradient steps of all seeds and photos, at most."""
        return len(self.pieces) * self.settings.iterations * self.settings.seeds


class Made(NamedTuple):
    """A sketch that is made, and not yet written.

    Attributes:
        contents: of its files, by their endings; the SVG last.
        thumb: photo and sketch side by side, JPEG.
        stamp, sha256: of the photo that was read.
    """

    contents: dict[str, bytes]
    thumb: bytes
    stamp: Stamp
    sha256: str
    loss: float
    seconds: float
    encoder: str


@dataclass(frozen=True)
class Loader:
    """What a worker does: loads networks once, then tasks.

    Attributes:
        settings: of the batch, which networks are loaded by.
        encoder: a name, not `auto`, so that all workers take the same.
        weights, saliency_encoder, saliency_weights, device: as for `load_models`.
        mask_weights: as for `make_mask`.
        noted: nobody has named the encoder, so it is said which it is.
    """

    settings: Settings
    encoder: str
    weights: Path | None = None
    saliency_encoder: str | None = None
    saliency_weights: Path | None = None
    mask_weights: Path | None = None
    device: str = "cpu"
    noted: bool = False

    def __call__(self, talk: Talk) -> Callable[[Task], list[Made | str]]:
        """Load; what does a task."""
        from clipasso.pipeline.models import embedded_note

        worker = _Worker(self, talk)
        models = worker.models(self.settings)
        alone = self.saliency_encoder is not None
        if self.noted and (note := embedded_note(models.loss, "auto", self.settings, alone)):
            talk.say(note)
        return worker.sketch


@dataclass(eq=False)
class _Worker:
    """Networks, and what is done with them."""

    loader: Loader
    talk: Talk
    _kept: dict[tuple[str, str, str], Models] = field(default_factory=dict)

    def models(self, settings: Settings) -> Models:
        """Networks for these settings; few sets are kept, the last used."""
        from clipasso.pipeline.models import load_models

        own, base = _kind(settings), _kind(self.loader.settings)
        found = self._kept.pop(own, None)
        if found is None and own[0] and own != base:
            shared = self.models(self.loader.settings)
            found = load_models(
                settings, shared.loss, None, shared.saliency, device=self.loader.device
            )
        elif found is None:
            found = load_models(
                settings, self.loader.encoder, self.loader.weights, self.loader.saliency_encoder,
                self.loader.saliency_weights, self.loader.device,
            )  # fmt: skip
        self._kept[own] = found
        while len(self._kept) > _MOST:
            self._kept.pop(next(iter(self._kept)))
        return found

    def sketch(self, task: Task) -> list[Made | str]:
        """Sketch photos; for each what came of it, or why nothing did."""
        from clipasso.pipeline.sketch import sketch_photos

        ends: list[Made | str] = []
        seen: list[tuple[int, Photo, Any, Stamp, str]] = []
        for number, piece in enumerate(task.pieces):
            try:
                seen.append((number, *self._read(piece, task)))
                ends.append("")
            except Exception as error:
                ends.append(_reason(piece, error))
        at: dict[int, int] = {}

        def told(progress: Progress) -> None:
            at[progress.photo] = progress.step * task.settings.seeds
            self.talk.tell((sum(at.values()), min(progress.best)))

        try:
            models = self.models(task.settings)
            results = sketch_photos(
                [photo for _, photo, *_ in seen], models, task.settings,
                masks=[mask for _, _, mask, *_ in seen], on_progress=told,
            )  # fmt: skip
        except Exception as error:
            for number, *_ in seen:
                ends[number] = _reason(task.pieces[number], error)
            return ends
        for (number, photo, _, stamp, sha256), result in zip(seen, results, strict=True):
            try:
                if isinstance(result, ClipassoError):
                    raise result
                ends[number] = _made(result, photo, stamp, sha256)
            except Exception as error:
                ends[number] = _reason(task.pieces[number], error)
        return ends

    def _read(self, piece: Piece, task: Task) -> tuple[Photo, Any, Stamp, str]:
        """A photo without its frame, its mask, and what tells whether its file is the same."""
        from clipasso.photo.canvas import load_photo
        from clipasso.photo.masks import make_mask
        from clipasso.photo.picture_frame import without_frame

        stamp = piece.stamp or Stamp.of(piece.path)
        if piece.data is not None:
            sha256 = hashlib.sha256(piece.data).hexdigest()
        else:
            sha256 = digest(piece.path)
        photo = load_photo(
            piece.path if piece.data is None else piece.data, size=task.settings.canvas,
            fit=task.fit, name=Path(piece.path).name,
        )  # fmt: skip
        photo = without_frame(photo, task.settings.frame)
        mask = make_mask(photo, task.mask, task.fit, self.loader.mask_weights)
        assert stamp is not None  # it has just been read
        return photo, mask, stamp, sha256


def digest(path: str | Path) -> str:
    """SHA-256 of a file.

    Raises:
        ClipassoError: it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        raise ClipassoError(
            f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from None


def _kind(settings: Settings) -> tuple[str, str, str]:
    """What of the settings chooses networks."""
    metric = settings.loss if settings.loss in _METRICS else ""
    return metric, settings.precision, settings.saliency


def _reason(piece: Piece, error: Exception) -> str:
    """Why a photo has no sketch, in one line; a fault of ours must not end a night's work."""
    if isinstance(error, ClipassoError):
        text = str(error)
    else:
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}, line {where.lineno}"
        text = f"a fault of clipasso ({place}): {type(error).__name__}: {error}"
    line = " ".join(text.split())[:400]
    name = Path(piece.path).name
    if line.startswith(piece.path):
        return line
    return piece.path + line[len(name) :] if line.startswith(name) else f"{piece.path}: {line}"


def _made(result: Result, photo: Photo, stamp: Stamp, sha256: str) -> Made:
    from clipasso.pipeline.output import result_contents

    return Made(
        result_contents(result), _thumb(photo, result), stamp, sha256,
        result.outcome.losses[result.outcome.winner], sum(result.seconds.values()), result.encoder,
    )  # fmt: skip


def _thumb(photo: Photo, result: Result) -> bytes:
    """Photo and sketch side by side, each on a square of `THUMB` pixels."""
    import numpy as np
    from PIL import Image

    from clipasso.vector.render import render_image

    frame, size = photo.frame, photo.pixels.shape[0]
    corners = frame.to_canvas([(0, 0), (frame.width, frame.height)]).clip(0, size)
    left, top, right, bottom = np.rint(corners).astype(int).ravel().tolist()
    whole = Image.fromarray(np.rint(photo.pixels * 255).astype(np.uint8))
    pair = Image.new("RGB", (2 * THUMB, THUMB), "white")
    seen = whole.crop((left, top, max(right, left + 1), max(bottom, top + 1)))
    for place, picture in enumerate((seen, render_image(result.sketch, 2 * THUMB))):
        small = _fitted(picture)
        x, y = ((THUMB - length) // 2 for length in small.size)
        pair.paste(small, (place * THUMB + x, y))
    buffer = io.BytesIO()
    pair.save(buffer, "jpeg", quality=82)
    return buffer.getvalue()


def _fitted(picture: Image) -> Image:
    from PIL import Image as Pillow

    scale = THUMB / max(picture.size)
    width, height = (max(1, round(length * scale)) for length in picture.size)
    return picture.resize((width, height), Pillow.Resampling.LANCZOS)
