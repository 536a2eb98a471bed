"""Make sketches once each and keep them: the networks, photos and masks that they share."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipasso._version import __version__
from clipasso.errors import ClipassoError
from clipasso.optimise.objective import make_recipe
from clipasso.photo.canvas import load_photo
from clipasso.photo.masks import make_mask
from clipasso.photo.picture_frame import without_frame
from clipasso.pipeline.archive import Kept, is_kept, keep, take_up
from clipasso.pipeline.grid import Run
from clipasso.pipeline.models import Models, load_models
from clipasso.pipeline.sketch import sketch_photo
from clipasso.settings import make_settings

if TYPE_CHECKING:
    from clipasso.encoders.base import Encoder
    from clipasso.optimise.loop import Progress
    from clipasso.photo.canvas import Photo
    from clipasso.photo.masks import Mask

__all__ = ["Study"]

_METRICS = ("l2", "lpips")


@dataclass(eq=False)
class Study:
    """The runs of one grid, with the networks, photos and masks that they share.

    Attributes:
        folder: exists; a run is kept as `PHOTO-KEY.*` in it.
        encoder: a name for `load_encoder`; None leaves the choice to each run's preset.
        weights: a local checkpoint, of the encoder asked for or else of the main preset's.
        saliency_encoder, saliency_weights: as for `load_models`.
        lpips_weights: VGG16's checkpoint, for LPIPS.
        device: `auto`, `cpu`, `cuda` or `mps`.
        preset: whose encoder is the main one.
        say: is told what a person should know, each line once.
        workers: how many processes make sketches at once, `auto` or a number.
    """

    folder: Path
    encoder: str | None = None
    weights: Path | None = None
    saliency_encoder: str | None = None
    saliency_weights: Path | None = None
    lpips_weights: Path | None = None
    device: str = "auto"
    preset: str = "default"
    say: Callable[[str], None] = lambda line: None
    workers: str = "1"
    _said: set[str] = field(default_factory=set)
    _models: dict[tuple[str, str], Models] = field(default_factory=dict)
    _photos: dict[tuple[Path, int, str], Photo] = field(default_factory=dict)
    _masks: dict[tuple[Path, int, str, str], Mask] = field(default_factory=dict)
    _digests: dict[Path, str] = field(default_factory=dict)

    def main_encoder(self) -> Encoder:
        """The encoder of all runs whose preset does not want another.

        Raises:
            ClipassoError: it cannot be had.
        """
        return self._compared_by(self._main_name()).loss

    def check(self, run: Run) -> None:
        """See that a run can be made, without making it.

        Raises:
            ClipassoError: a photo, encoder, layer or text that cannot be used.
        """
        self._photo(run)
        models = self._models_of(run)
        make_recipe(models.loss, run.settings)
        if self.has(run):
            return
        self._mask(run)
        if run.settings.text and run.settings.text_weight:
            models.loss.encode_text(run.settings.text)

    def has(self, run: Run) -> bool:
        """Whether it was made before, with the same photo, settings, encoder and version."""
        return is_kept(self.folder, self.stem(run))

    def make(self, run: Run, on_progress: Callable[[Progress], None]) -> float:
        """Sketch and keep; a run that is interrupted leaves nothing that counts.

        Returns:
            The lowest loss.

        Raises:
            ClipassoError: as `sketch_photo`, or a file cannot be written.
        """
        result = sketch_photo(
            self._photo(run), self._models_of(run), run.settings, mask=self._mask(run),
            on_progress=on_progress,
        )  # fmt: skip
        keep(result, self.folder, self.stem(run))
        return min(result.outcome.losses)

    def read(self, run: Run) -> Kept:
        """What was made, from disk, so that a sheet never depends on when it was made.

        Raises:
            ClipassoError: files that are missing or damaged.
        """
        return take_up(self.folder, self.stem(run))

    def stem(self, run: Run) -> str:
        """The name of a run's files: its photo's, and a key of all that it depends on.

        Raises:
            ClipassoError: a file that cannot be read.
        """
        base = self._compared_by(self._name_of(run))
        mask = Path(run.mask)
        files = [self.weights, self.saliency_weights]
        files += [self.lpips_weights] if run.settings.loss == "lpips" else []
        what: dict[str, Any] = {
            "version": __version__,
            "photo": self._digest(run.photo),
            "settings": run.settings.as_dict(),
            "mask": [run.mask, self._digest(mask) if os.path.isfile(mask) else ""],
            "encoder": base.loss.description,
            "saliency": base.saliency.description,
            "weights": [self._digest(file) if file else "" for file in files],
        }
        key = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
        return f"{run.photo.stem}-{key[:12]}"

    def note(self, line: str) -> None:
        """Say something, unless it was said before."""
        if line not in self._said:
            self._said.add(line)
            self.say(line)

    def _photo(self, run: Run) -> Photo:
        key = (run.photo, run.settings.canvas, run.settings.frame)
        if key not in self._photos:
            loaded = load_photo(run.photo, size=run.settings.canvas)
            self._photos[key] = without_frame(loaded, run.settings.frame)
            for note in self._photos[key].notes:
                self.note(note)
        return self._photos[key]

    def _mask(self, run: Run) -> Mask:
        key = (run.photo, run.settings.canvas, run.settings.frame, run.mask)
        if key not in self._masks:
            self._masks[key] = make_mask(self._photo(run), run.mask)
        return self._masks[key]

    def _digest(self, path: Path) -> str:
        """SHA-256 of a file as it was when first asked for."""
        if path not in self._digests:
            try:
                with path.open("rb") as file:
                    self._digests[path] = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError as error:
                raise ClipassoError(f"{path}: cannot be read: {error.strerror}") from None
        return self._digests[path]

    def _main_name(self) -> str:
        return self.encoder or make_settings(self.preset)[1]

    def _name_of(self, run: Run) -> str:
        return self._main_name() if self.weights else self.encoder or run.preferred

    def _models_of(self, run: Run) -> Models:
        """Networks for a run; the encoder and the saliency's are loaded once and shared."""
        base, loss = self._compared_by(self._name_of(run)), run.settings.loss
        if loss not in _METRICS:
            return base
        if ("", loss) not in self._models:
            weights = self.lpips_weights if loss == "lpips" else None
            self._models["", loss] = load_models(
                run.settings, base.loss, weights, base.saliency, device=self.device
            )
        return self._models["", loss]

    def _compared_by(self, name: str) -> Models:
        if (name, "") not in self._models:
            settings, _ = make_settings(self.preset)
            self._models[name, ""] = load_models(
                settings, name, self.weights, self.saliency_encoder, self.saliency_weights,
                self.device,
            )  # fmt: skip
            if note := self._models[name, ""].note:
                self.note(note)
        return self._models[name, ""]
