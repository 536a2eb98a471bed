"""Many sketches, each made once and kept: what figures and evaluations are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from clipasso.errors import ClipassoError

if TYPE_CHECKING:
    from clipasso.optimise.loop import Progress
    from clipasso.pipeline.study import Study
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
        number, runs: which of the sketches to make it is, from 1, and how many these are.
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
    total, done = sum(run.steps for run in todo.values()), 0
    for number, run in enumerate(todo.values(), 1):
        now = GridProgress(
            labels[run], number, len(todo), len(labels) - len(todo), done, total
        )  # fmt: skip
        on_progress(now)

        def follow(progress: Progress, run: Run = run, now: GridProgress = now) -> None:
            steps = now.steps + progress.step * run.settings.seeds
            on_progress(replace(now, steps=steps, loss=min(progress.best)))

        done += run.steps
        try:
            loss = study.make(run, follow)
        except ClipassoError as error:
            if on_failure is None:
                raise
            on_failure(run, error)
            continue
        on_progress(replace(now, steps=done, loss=loss, finished=True))
