"""`clipasso sketch` of several photos at once, in processes of their own; only this one speaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from clipasso.cli.bars import Bars, shown_bars
from clipasso.cli.console import say
from clipasso.cli.forecast import Forecast
from clipasso.cli.outlet import Job, Outlet, Written
from clipasso.cli.photos import load_masked
from clipasso.cli.stdio import STANDARD, read_standard
from clipasso.cli.stopping import Stopping
from clipasso.errors import ClipassoError
from clipasso.pipeline.capacity import choose, cores

if TYPE_CHECKING:
    from clipasso.pipeline.models import Models
    from clipasso.pipeline.workers import Event, Talk
    from clipasso.settings import Settings
    from clipasso.vector.sketch import Sketch

__all__ = ["Sketcher", "choose_workers", "sketch_side_by_side"]


def choose_workers(
    asked: str, photos: int, settings: Settings, together: int | None, device: str, alone: str = ""
) -> int:
    """How many processes sketch so many photos.

    Args:
        asked: `auto` or a number.
        together, device: as asked for.
        alone: an option that is for one process, if it was given.

    Raises:
        ClipassoError: it does not go with the others.
    """
    if together is not None and together > 1:
        if asked not in ("auto", "1"):
            raise ClipassoError(f"--workers {asked} and --together {together}: give one of them")
        return 1
    if alone:
        if asked not in ("auto", "1"):
            raise ClipassoError(f"--workers {asked} and {alone}: give one of them")
        return 1
    return choose(asked, photos, photos * settings.seeds * settings.iterations, device)


class _Loaded(NamedTuple):
    """What a worker tells when it has its networks."""

    encoder: str
    note: str | None


class _Task(NamedTuple):
    """A photo, its place among all, and what standard input held if it comes from there."""

    number: int
    job: Job
    data: bytes | None


@dataclass(frozen=True)
class Sketcher:
    """What a worker does: loads networks, then sketches photos and writes their files.

    Attributes:
        settings, encoder, weights, saliency_encoder, saliency_weights: as for `load_models`.
        fit, mask, mask_weights: of the photos.
        init, freeze, notes: as for `sketch_photo`.
        outlet: where files go; it is not spoken to.
    """

    settings: Settings
    encoder: str
    weights: Path | None
    saliency_encoder: str | None
    saliency_weights: Path | None
    fit: Any
    mask: str | bytes
    mask_weights: Path | None
    init: Sketch | None
    freeze: str
    notes: tuple[str, ...]
    outlet: Outlet

    def __call__(self, talk: Talk) -> Callable[[_Task], Written]:
        """Load; what sketches one photo."""
        from clipasso.pipeline.models import load_models

        models = load_models(
            self.settings, self.encoder, self.weights, self.saliency_encoder,
            self.saliency_weights, "cpu",
        )  # fmt: skip
        talk.tell(_Loaded(models.loss.name, models.note))
        return lambda task: self._sketch(task, models, talk)

    def _sketch(self, task: _Task, models: Models, talk: Talk) -> Written:
        from clipasso.pipeline.sketch import sketch_photo

        photo, mask = load_masked(
            task.job.photo, self.settings, self.fit, self.mask, self.mask_weights, talk.say,
            task.data,
        )  # fmt: skip
        result = sketch_photo(
            photo, models, self.settings, mask=mask, init=self.init, freeze=self.freeze,
            notes=self.notes, stop=talk.stop,
            on_progress=lambda progress: talk.tell((progress.step, min(progress.best))),
        )  # fmt: skip
        for note in result.notes[len(photo.notes) :]:
            talk.say(note)
        written = self.outlet.keep(result, task.job.stem)
        if self.outlet.record is None:
            return written
        return written._replace(
            recorded=self.outlet.record.write(result, task.job.stem, silent=True)
        )


def sketch_side_by_side(
    sketcher: Sketcher,
    jobs: list[Job],
    count: int,
    stopping: Stopping,
    forecast: Callable[[str], Forecast],
) -> int:
    """Sketch photos in so many processes; what is told comes in the photos' order.

    Args:
        stopping: is told whether there is something to keep.
        forecast: makes what says that this is long, from the encoder's name.

    Returns:
        The exit status.

    Raises:
        ClipassoError: networks that cannot be loaded, or processes that cannot be had.
    """
    from clipasso.pipeline.workers import Workers

    outlet, steps = sketcher.outlet, sketcher.settings.iterations
    batch = _Batch(jobs, outlet, set(sketcher.notes))
    try:
        with (
            Workers[_Task](sketcher, count, max(1, cores() // count)) as workers,
            shown_bars(len(jobs), steps, outlet.silent) as bars,
        ):
            show = _Shown(bars, len(jobs), steps, count, forecast)
            for event in workers.run(batch.tasks(), stopping.event):
                stopping.keeping = workers.keeping
                show.see(event)
                batch.see(event)
    finally:
        batch.close()
    if stopping.event.is_set():
        if batch.ended < len(jobs):
            outlet.say_stopped(len(jobs))
        return stopping.status
    return 0 if batch.good and not outlet.unrecorded else 2


class _Batch:
    """The photos: claimed as their turn comes, told of in their order.

    Attributes:
        good: whether all that have ended are written.
        ended: how many have, written or not.
    """

    def __init__(self, jobs: list[Job], outlet: Outlet, said: set[str]) -> None:
        self.good, self.ended = True, 0
        self._jobs, self._outlet, self._said = jobs, outlet, said
        self._claims: dict[int, ExitStack] = {}
        self._lines: dict[int, list[str | Written]] = {n: [] for n in range(len(jobs))}
        self._over: set[int] = set()

    def tasks(self) -> Iterator[_Task]:
        """The photos that can be begun, each when it is asked for."""
        for number, job in enumerate(self._jobs):
            self._claims[number] = ExitStack()
            try:
                self._outlet.claim(job, self._claims[number])
                data = read_standard() if job.photo == STANDARD else None
            except ClipassoError as error:  # the other photos must not suffer
                self._end(number, str(error))
                continue
            yield _Task(number, job, data)

    def see(self, event: Event[_Task]) -> None:
        """Take note of what became known of a worker."""
        kind, value = event.kind, event.value
        if event.task is None:
            if kind == "told" and value.note:
                self._say(value.note)
            elif kind == "lost":
                self._say(f"a worker process was lost before it began ({value}); others go on")
            return
        number, job = event.task.number, event.task.job
        if kind == "said":
            self._lines[number].append(value)
            self._tell()
        elif kind == "printed":
            self._say(value)
        elif kind == "done":
            self._end(number, value)
        elif kind == "failed":
            self._end(number, str(value))
        elif kind == "lost":
            self._end(
                number,
                f"{job.photo}: its worker process was lost ({value}), as happens where memory is "
                "short; sketch it again, with fewer --workers",
            )
        elif kind == "stopped":
            self._claims.pop(number).close()

    def close(self) -> None:
        """Tell what is left to tell, and let go of what is claimed."""
        self._over = set(self._lines)
        self._tell()
        for claim in self._claims.values():
            claim.close()

    def _end(self, number: int, line: str | Written) -> None:
        self.ended += 1
        self.good = self.good and isinstance(line, Written)
        self._claims.pop(number).close()
        self._lines[number].append(line)
        self._over.add(number)
        self._tell()

    def _tell(self) -> None:
        """Tell all of the first photos that are over, and what there is of the next."""
        for number in list(self._lines):
            for line in self._lines[number]:
                if isinstance(line, Written):
                    self._outlet.tell(line)
                else:
                    self._say(line)
            if number not in self._over:
                self._lines[number] = []
                break
            del self._lines[number]

    def _say(self, line: str) -> None:
        """Say it, once: what several processes or photos note is the same for all."""
        if line not in self._said:
            say(line)
        self._said.add(line)


class _Shown:
    """The bars, and the word that this will be long."""

    def __init__(
        self, bars: Bars, photos: int, steps: int, count: int, forecast: Callable[[str], Forecast]
    ) -> None:
        self._bars, self._photos, self._steps, self._count = bars, photos, steps, count
        self._forecast_of = forecast
        self._forecast: Forecast | None = None
        self._at: dict[int, int] = {}

    def see(self, event: Event[_Task]) -> None:
        """Take note of what became known of a worker."""
        kind, worker, task = event.kind, event.worker, event.task
        if task is None:
            if kind == "told" and self._forecast is None:
                self._forecast = self._forecast_of(event.value.encoder)
        elif kind == "told":
            self._at[worker], loss = event.value
            self._bars.show(worker, task.job.photo.name, self._at[worker], loss)
            if self._forecast is not None and len(self._at) == self._count:
                # By the slowest, since a single one's steps tell nothing of the others'.
                left = (self._photos - self._bars.ended) * self._steps
                self._forecast.see(min(self._at.values()) * self._count, left)
        elif kind in ("done", "failed", "lost", "stopped"):
            self._at.pop(worker, None)
            self._bars.end(worker)
