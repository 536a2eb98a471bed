"""Many sketches, each made once and kept: what figures and evaluations are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clipasso.errors import ClipassoError
from clipasso.pipeline.capacity import choose, cores
from clipasso.pipeline.workers import Workers

if TYPE_CHECKING:
    from clipasso.pipeline.study import Study
    from clipasso.pipeline.workers import Talk
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


@dataclass(frozen=True)
class GridProgress:
    """How far a grid is.

    Attributes:
        label: of the sketch in work.
        number, runs: which of the sketches to make it is, from 1, and how many these are; where
            several are in work, by the order in which they end.
        kept: sketches that were there already.
        steps, of_steps: gradient steps done and to do, of all these sketches and their seeds.
        loss: the lowest so far of the sketch in work; None before its first evaluation.
        finished: it has just been kept.
    """

    label: str
    number: int
    runs: int
    kept: int
    steps: int
    of_steps: int
    loss: float | None = None
    finished: bool = False


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
    far = _Far(labels, len(runs), len(labels) - len(runs), total, on_progress, on_failure)
    if count > 1:
        _make_side_by_side(study, runs, count, far)
        return
    for run in runs:
        far.show(run)
        try:
            loss = study.make(run, lambda p, run=run: far.show(run, p.step, min(p.best)))  # type: ignore[misc]
        except ClipassoError as error:
            far.fail(run, error)
            continue
        far.finish(run, loss)


def _make_side_by_side(study: Study, runs: list[Run], count: int, far: _Far) -> None:
    """The same in so many processes, which begin in the runs' order and end in any."""
    maker = _Maker(
        study.folder, study.encoder, study.weights, study.saliency_encoder,
        study.saliency_weights, study.lpips_weights, study.preset,
    )  # fmt: skip
    with Workers[Run](maker, count, max(1, cores() // count)) as workers:
        for event in workers.run(iter(runs)):
            kind, run, value = event.kind, event.task, event.value
            if kind in ("said", "printed"):
                study.note(value)
            elif run is None:
                continue
            elif kind == "told":
                far.show(run, *value)
            elif kind == "done":
                far.finish(run, value)
            elif kind == "failed":
                far.fail(run, value)
            elif kind == "lost":
                far.fail(run, ClipassoError(
                    f"{run.photo}: its worker process was lost ({value}), as happens where memory "
                    "is short; the same command with fewer --workers goes on from there"
                ))  # fmt: skip


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

    def __call__(self, talk: Talk) -> Callable[[Run], float]:
        from clipasso.pipeline.study import Study

        study = Study(
            self.folder, self.encoder, self.weights, self.saliency_encoder,
            self.saliency_weights, self.lpips_weights, "cpu", self.preset, talk.say,
        )  # fmt: skip
        return lambda run: study.make(run, lambda p: talk.tell((p.step, min(p.best))))


class _Far:
    """How far a grid is, told in the words of `make_runs`."""

    def __init__(
        self,
        labels: Mapping[Run, str],
        runs: int,
        kept: int,
        total: int,
        on_progress: Callable[[GridProgress], None],
        on_failure: Callable[[Run, ClipassoError], None] | None,
    ) -> None:
        self._labels, self._runs, self._kept, self._total = labels, runs, kept, total
        self._on_progress, self._on_failure = on_progress, on_failure
        self._ended, self._done = 0, 0  # runs, and their steps
        self._at: dict[Run, int] = {}  # steps of those in work

    def show(self, run: Run, step: int = 0, loss: float | None = None) -> None:
        """A run is at this step."""
        self._at[run] = step * run.settings.seeds
        self._tell(run, self._ended + 1, loss)

    def finish(self, run: Run, loss: float) -> None:
        """It has been kept."""
        self._end(run)
        self._tell(run, self._ended, loss, finished=True)

    def fail(self, run: Run, error: ClipassoError) -> None:
        """It cannot be made."""
        if self._on_failure is None:
            raise error
        self._end(run)
        self._on_failure(run, error)

    def _end(self, run: Run) -> None:
        self._at.pop(run, None)
        self._ended += 1
        self._done += run.steps

    def _tell(self, run: Run, number: int, loss: float | None, finished: bool = False) -> None:
        steps = self._done + sum(self._at.values())
        self._on_progress(GridProgress(
            self._labels[run], number, self._runs, self._kept, steps, self._total, loss, finished,
        ))  # fmt: skip
