"""Sketch every photo at every number of strokes, once, and keep the sketches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from clipasso.errors import ClipassoError
from clipasso.evaluate.series import Drawn, Series, read_drawn
from clipasso.pipeline.grid import GridProgress, Run, make_runs
from clipasso.pipeline.study import Study

if TYPE_CHECKING:
    from clipasso.evaluate.subjects import Subject
    from clipasso.settings import Settings

__all__ = ["METHOD", "Grid", "own_series"]

METHOD = "clipasso"


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
        wanted: list[tuple[Subject, Series, Run]] = []
        for subject in subjects:
            runs = [(subject, column, self._run(subject, column)) for column in series]
            try:
                for _, _, run in runs:
                    self.study.has(run)
            except ClipassoError as error:
                failures.append(str(error))
                continue
            wanted += runs
        labels = {run: f"{subject.name}, {column.label}" for subject, column, run in wanted}
        failed: set[Run] = set()

        def on_failure(run: Run, error: ClipassoError) -> None:
            failures.append(f"{labels[run]}: {error}")
            failed.add(run)

        make_runs(
            self.study, labels, force=force, on_progress=on_progress, on_failure=on_failure
        )  # fmt: skip
        drawn = [
            read_drawn(subject, column, self._file(run))
            for subject, column, run in wanted if run not in failed
        ]  # fmt: skip
        return drawn, failures

    def _run(self, subject: Subject, series: Series) -> Run:
        assert series.strokes is not None
        settings = replace(self.settings, strokes=series.strokes)
        return Run(subject.path, settings, self.mask, self.preferred)

    def _file(self, run: Run) -> Path:
        return self.study.folder / f"{self.study.stem(run)}.svg"
