"""Sketch every photo at every number of strokes, once, and keep the sketches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from clipasso.errors import ClipassoError
from clipasso.evaluate.series import Drawn, Series, read_drawn
from clipasso.figures.plan import Run
from clipasso.figures.study import Study

if TYPE_CHECKING:
    from clipasso.evaluate.subjects import Subject
    from clipasso.optimise import Progress
    from clipasso.settings import Settings

__all__ = ["METHOD", "Grid", "GridProgress", "own_series"]

METHOD = "clipasso"


@dataclass(frozen=True)
class GridProgress:
    """How far the grid is.

    Attributes:
        label: of the sketch that is being made: photo and strokes.
        number, runs: which of the sketches to make, from 1, and how many these are.
        kept: sketches that were there already.
        steps, of_steps: gradient steps done and to do, of all these sketches and their seeds.
        loss: the lowest so far; None before the first evaluation.
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


def own_series(strokes: Sequence[int]) -> tuple[Series, ...]:
    """A series for each number of strokes, the paper's levels of abstraction."""
    return tuple(
        Series(f"{n} stroke{'' if n == 1 else 's'}", METHOD, n) for n in dict.fromkeys(strokes)
    )


@dataclass(frozen=True, eq=False)
class Grid:
    """The sketches of an evaluation.

    Attributes:
        study: keeps them; a sketch is made anew only if its photo, a setting, the encoder or the
            version is another.
        settings: of all sketches, but for their strokes.
        preferred: the encoder that the settings' preset names.
        mask: as for `make_mask`.
    """

    study: Study
    settings: Settings
    preferred: str = "auto"
    mask: str = "auto"

    def make(
        self,
        subjects: Sequence[Subject],
        series: Sequence[Series],
        *,
        force: bool = False,
        on_progress: Callable[[GridProgress], None] = lambda progress: None,
    ) -> tuple[list[Drawn], list[str]]:
        """Sketch what is not there yet, photo by photo.

        Returns:
            The sketches, and a line on each that could not be made: one photo must not cost the
            others theirs.
        """
        failures: list[str] = []
        wanted = []
        for subject in subjects:
            for column in series:
                run = self._run(subject, column)
                try:
                    there = self.study.has(run)
                except ClipassoError as error:
                    failures.append(str(error))
                    break
                wanted.append((subject, column, run, there and not force))
        todo = [(subject, column, run) for subject, column, run, there in wanted if not there]
        steps = self.settings.iterations * self.settings.seeds
        failed: set[Run] = set()
        for number, (subject, column, run) in enumerate(todo, 1):
            if run in failed:
                continue
            now = GridProgress(
                f"{subject.name}, {column.label}", number, len(todo), len(wanted) - len(todo),
                (number - 1) * steps, len(todo) * steps,
            )  # fmt: skip
            on_progress(now)

            def follow(progress: Progress, now: GridProgress = now) -> None:
                done = now.steps + progress.step * self.settings.seeds
                on_progress(replace(now, steps=done, loss=min(progress.best)))

            try:
                loss = self.study.make(run, follow)
            except ClipassoError as error:
                failures.append(f"{subject.name}, {column.label}: {error}")
                failed.add(run)
                continue
            on_progress(replace(now, steps=number * steps, loss=loss, finished=True))
        drawn = [
            read_drawn(subject, column, self._file(run))
            for subject, column, run, _ in wanted if run not in failed
        ]  # fmt: skip
        return drawn, failures

    def _run(self, subject: Subject, series: Series) -> Run:
        assert series.strokes is not None
        settings = replace(self.settings, strokes=series.strokes)
        return Run(subject.path, settings, self.mask, self.preferred)

    def _file(self, run: Run) -> Path:
        return self.study.folder / f"{self.study.stem(run)}.svg"
