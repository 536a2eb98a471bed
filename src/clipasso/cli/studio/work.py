"""What the worker does: sketches, sketches that settle around edited strokes, ladders."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from clipasso.cli.studio.wording import ladder_command, sketch_command

if TYPE_CHECKING:
    from clipasso.cli.studio.line import Job
    from clipasso.cli.studio.material import Material
    from clipasso.cli.studio.visitors import Held, Visitor
    from clipasso.cli.studio.wishes import Wish
    from clipasso.pipeline.models import Models
    from clipasso.pipeline.preview import Preview
    from clipasso.settings import Settings
    from clipasso.vector.sketch import Sketch

__all__ = ["Recipe", "Shelf", "as_values", "make_ladder", "make_settled", "make_sketch"]

_LOOKED_AT = 6  # evaluations that the time left is told from
_FOLDER = "sketches"  # where the command line puts what it makes


class Shelf:
    """The networks that were used last, which most sketches share."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._lock = threading.Lock()
        self._last: tuple[object, Models] | None = None

    def models(self, settings: Settings, encoder: str) -> Models:
        """Those of a run. Raises ClipassoError as `load_models`."""
        from clipasso.pipeline.models import load_models

        asked = (encoder, settings.loss, settings.saliency, settings.precision)
        with self._lock:
            if self._last is None or self._last[0] != asked:
                self._last = None  # two would be held at a time
                self._last = asked, load_models(settings, encoder, device=self._device)
            return self._last[1]


@dataclass(frozen=True)
class Recipe:
    """A wish as settings.

    Attributes:
        preset, encoder: names; the encoder's is the preset's where none was asked for.
    """

    settings: Settings
    preset: str
    encoder: str

    @classmethod
    def of(
        cls, wish: Wish, overrides: Mapping[str, Any], encoder: str | None, frame: str
    ) -> Recipe:
        """A recipe.

        Args:
            overrides: settings of the studio, which come before the preset's and after the wish's.
            encoder: the studio's, likewise.
            frame: as the setting.

        Raises:
            ClipassoError: a preset or a value that is none.
        """
        from clipasso.settings import make_settings

        asked = {
            "strokes": wish.strokes, "seeds": wish.seeds, "width": wish.width,
            "width_rate": 0.0 if wish.one_width else None, "frame": frame,
        }  # fmt: skip
        chosen = {**overrides, **{k: v for k, v in asked.items() if v is not None}}
        settings, preferred = make_settings(wish.preset, **chosen)
        return cls(settings, wish.preset, wish.encoder or encoder or preferred)


def make_sketch(
    job: Job, visitor: Visitor, material: Material, recipe: Recipe, shelf: Shelf
) -> None:
    """Sketch a photo; every seed's sketch is kept."""
    from clipasso.pipeline.sketch import sketch_photo

    models = shelf.models(recipe.settings, recipe.encoder)
    told = _Told(job, visitor)
    result = sketch_photo(
        material.photo, models, recipe.settings, mask=material.mask, stop=job.stop,
        on_progress=told.progress, on_preview=told.preview,
    )  # fmt: skip
    if job.unwanted:
        return
    stem, losses = PurePath(material.name).stem, sorted(result.outcome.losses)
    command = sketch_command(
        material.name, recipe.settings, recipe.preset, recipe.encoder, _mask_name(material),
        all_seeds=len(losses) > 1,
    )  # fmt: skip
    for rank, (sketch, loss) in enumerate(zip(result.sketches, losses, strict=True), 1):
        own = stem if rank == 1 else f"{stem}-rank{rank}"
        title = f"{_counted(len(sketch))}, seed {sketch.metadata['seed']}"
        visitor.keep(
            sketch=sketch, stem=own, kind="seed", title=title,
            group=job.number, loss=loss, file=f"{_FOLDER}/{own}.svg", commands=(command,),
        )  # fmt: skip
    job.note = _told_once([*result.notes, job.note])


def make_settled(
    job: Job, visitor: Visitor, material: Material, recipe: Recipe, shelf: Shelf, start: Held,
    freeze: str,
) -> None:  # fmt: skip
    """Sketch on from a sketch of the visitor's: what is frozen stays, the rest settles around it.

    Args:
        freeze: as `clipasso.sketch` takes it.
    """
    from clipasso.pipeline.ladder import gentle
    from clipasso.pipeline.sketch import sketch_photo

    settings = gentle(
        replace(
            recipe.settings,
            control_points=start.sketch.degree + 1,
            segments=start.sketch.segments,
            order="none",  # strokes keep their numbers, by which a person knows them
        )
    )
    models = shelf.models(settings, recipe.encoder)
    told = _Told(job, visitor)
    result = sketch_photo(
        material.photo, models, settings, mask=material.mask, init=start.as_file(), freeze=freeze,
        stop=job.stop, on_progress=told.progress, on_preview=told.preview,
    )  # fmt: skip
    if job.unwanted:
        return
    command = sketch_command(
        material.name, settings, recipe.preset, recipe.encoder, _mask_name(material),
        init=start.file, freeze=freeze,
    )  # fmt: skip
    stem = PurePath(material.name).stem
    visitor.keep(
        sketch=result.sketch, stem=f"{stem}-settled", kind="seed", title="Settled",
        group=job.number, loss=result.outcome.losses[result.outcome.winner],
        file=f"settled/{stem}.svg", commands=(*start.commands, f"{command} -o settled"),
    )  # fmt: skip
    job.note = _told_once([*result.notes, job.note])


def make_ladder(
    job: Job, visitor: Visitor, material: Material, recipe: Recipe, shelf: Shelf, top: Held,
    levels: Sequence[int],
) -> None:  # fmt: skip
    """Fewer and fewer strokes, from a sketch down; each level is kept as it comes."""
    from clipasso.pipeline.ladder import Rung, climb_down

    stem = PurePath(material.name).stem
    command = ladder_command(
        material.name, levels, recipe.settings, recipe.preset, recipe.encoder,
        _mask_name(material), top.file,
    )  # fmt: skip

    def keep(rung: Rung) -> None:
        if not job.unwanted:
            own = f"{stem}-{rung.strokes}"
            visitor.keep(
                sketch=rung.sketch, stem=own, kind="level", title=_counted(rung.strokes),
                group=job.number, loss=rung.loss, file=f"{_FOLDER}/{own}.svg",
                commands=(*top.commands, command),
            )  # fmt: skip
            visitor.tell_state()

    models = shelf.models(recipe.settings, recipe.encoder)
    told = _Told(job, visitor, len(levels))
    visitor.keep(
        sketch=top.sketch, stem=top.stem, kind="level", title=_counted(len(top.sketch)),
        group=job.number, loss=top.loss, file=top.file, commands=top.commands,
    )  # fmt: skip
    climb_down(
        material.photo, models, recipe.settings, levels, mask=material.mask, above=top.as_file(),
        on_rung=keep, on_progress=told.level, on_preview=told.preview, stop=job.stop,
    )  # fmt: skip


def as_values(sketch: Sketch, decimals: int | None = None) -> dict[str, Any]:
    """A sketch as the JSON of `clipasso export` has it, its points rounded if so many are given."""
    found: dict[str, Any] = json.loads(sketch.to_json())
    if decimals is not None:
        for stroke, points in zip(
            found["strokes"], sketch.points.round(decimals).tolist(), strict=True
        ):
            stroke["points"] = points
    return found


class _Told:
    """Tells a visitor of a run: how far it is, and the strokes meanwhile.

    Args:
        parts: runs one after the other that the job consists of.
    """

    def __init__(self, job: Job, visitor: Visitor, parts: int = 1) -> None:
        self._job, self._visitor, self._parts = job, visitor, parts
        self._recent: deque[tuple[int, float]] = deque(maxlen=_LOOKED_AT)
        self._before = 0.0

    def progress(self, progress: Any) -> None:
        """Of a job in one part."""
        self.level(0, progress)

    def level(self, part: int, progress: Any) -> None:
        """Of one of several parts, from 0."""
        if self._recent and progress.step == 0:
            self._before += self._recent[-1][1]
        steps = self._parts * progress.steps
        step, seconds = part * progress.steps + progress.step, self._before + progress.seconds
        first = self._recent[0] if self._recent else (step, seconds)
        self._recent.append((step, seconds))
        left = None
        if step > first[0]:
            left = (seconds - first[1]) / (step - first[0]) * (steps - step)
        self._job.progress(step, steps, left, progress.best)

    def preview(self, preview: Preview) -> None:
        """Strokes on their way."""
        values = as_values(preview.sketch, 2)
        self._visitor.tell("preview", {"job": self._job.number, "sketch": values})


def _told_once(notes: Sequence[str]) -> str:
    return "; ".join(dict.fromkeys(filter(None, notes)))


def _mask_name(material: Material) -> str:
    return f"{PurePath(material.name).stem}-mask.png" if material.painted else material.how


def _counted(strokes: int) -> str:
    return f"{strokes} stroke{'s' * (strokes > 1)}"
