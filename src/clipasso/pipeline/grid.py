"""Many sketches, each made once and kept: what figures and evaluations are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from clipasso.errors import ClipassoError
from clipasso.pipeline.capacity import choose
from clipasso.pipeline.engine import Far, GridProgress, perform

if TYPE_CHECKING:
    from clipasso.pipeline.study import Study
    from clipasso.pipeline.workers import Event, Talk
    from clipasso.settings import Settings

__all__ = ["GridProgress", "Run", "make_runs"]


@dataclass(frozen=True)
class Run:
    """One sketch of a grid, told by all that it depends on.

    Attributes:
        photo: its file.
        settings: how it is sketched.
        mask: as for `make_mask`.
        preferred: the encoder that its preset names, for where none was asked for.
        optional: its grid can do without it, as where LPIPS has no weights here.
    """

    photo: Path
    settings: Settings
    mask: str = "auto"
    preferred: str = "auto"
    optional: bool = False

    @property
    def steps(self) -> int:
        """Gradient steps of all its seeds, at most."""
        return self.settings.iterations * self.settings.seeds


def make_runs(
    study: Study,
    labels: Mapping[Run, str],
    *,
    force: bool = False,
    on_progress: Callable[[GridProgress], None] = lambda progress: None,
    on_failure: Callable[[Run, ClipassoError], None] | None = None,
) -> None:
    """Make those runs that are not there yet, in their order; runs that are alike once.

    Where the study has several workers, as many runs are in work at once.

    Args:
        study: makes and keeps them.
        labels: the runs, and how each is called in the progress.
        force: make all anew.
        on_progress: called when a run begins, at its evaluations and when it is kept.
        on_failure: is told of a run that cannot be made, and the others are; None raises.

    Raises:
        ClipassoError: a run that cannot be made, unless `on_failure` takes it.
    """
    todo = {study.stem(run): run for run in labels if force or not study.has(run)}
    runs, total = list(todo.values()), sum(run.steps for run in todo.values())
    count = choose(study.workers, len(runs), total, study.device)
    far = Far[Run](
        labels.__getitem__, lambda run: run.steps, len(runs), len(labels) - len(runs), total,
        on_progress,
    )  # fmt: skip

    def see(event: Event[Run]) -> None:
        run, value = event.task, event.value
        if event.kind in ("said", "printed"):
            study.note(value)
        elif run is None:
            return
        elif event.kind == "told":
            far.show(run, *value)
        elif event.kind == "done":
            far.finish(run, value)
        elif event.kind in ("failed", "lost"):
            error = value if event.kind == "failed" else ClipassoError(
                f"{run.photo}: its worker process was lost ({value}), as happens where memory is "
                "short; the same command with fewer --workers goes on from there"
            )  # fmt: skip
            if on_failure is None:
                raise error
            far.end(run)
            on_failure(run, error)

    def begun() -> Iterator[Run]:
        for run in runs:
            far.show(run)
            yield run

    perform(_Maker.like(study) if count > 1 else partial(_work, study), begun(), see, count)


def _work(study: Study, talk: Talk) -> Callable[[Run], float]:
    """Make runs in this process or in one beside it."""

    def work(run: Run) -> float:
        seeds = run.settings.seeds
        return study.make(run, lambda p: talk.tell((p.step * seeds, min(p.best))))

    return work


@dataclass(frozen=True)
class _Maker:
    """What a worker does: the fields of a study of its own."""

    folder: Path
    encoder: str | None
    weights: Path | None
    saliency_encoder: str | None
    saliency_weights: Path | None
    lpips_weights: Path | None
    preset: str

    @classmethod
    def like(cls, study: Study) -> _Maker:
        return cls(
            study.folder, study.encoder, study.weights, study.saliency_encoder,
            study.saliency_weights, study.lpips_weights, study.preset,
        )  # fmt: skip

    def __call__(self, talk: Talk) -> Callable[[Run], float]:
        from clipasso.pipeline.study import Study

        return _work(Study(
            self.folder, self.encoder, self.weights, self.saliency_encoder,
            self.saliency_weights, self.lpips_weights, "cpu", self.preset, talk.say,
        ), talk)  # fmt: skip
