"""Tasks done in this process, in several or on a cluster: one runner for all that is many sketches.

Figures, evaluations and batches are made by it. Wherever tasks are done, the same is told of them
(`workers.Event`), in this process and by the same thread, so that who listens needs no locks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar

from clipasso.errors import ClipassoError
from clipasso.pipeline.capacity import cores
from clipasso.pipeline.worker import Make, Talk
from clipasso.pipeline.workers import Event, Workers

__all__ = ["Far", "GridProgress", "Pool", "perform"]

T = TypeVar("T")


class Pool(Protocol[T]):
    """Who does tasks, each taken from an iterator when there is room for it."""

    def run(self, tasks: Iterator[T]) -> Iterator[Event[T]]:
        """Do them; what becomes known, until all is done and the iterator has no more."""
        ...


def perform(
    make: Make,
    tasks: Iterator[T],
    see: Callable[[Event[T]], None],
    count: int = 1,
    pool: AbstractContextManager[Pool[T]] | None = None,
) -> None:
    """Do tasks; errors that people can mend are told, all others end it.

    Args:
        make: loads what tasks share, and returns what does one; pickled where that is elsewhere.
        tasks: taken one by one; asked again after it has ended while others are in work, so it may
            give a lost one anew.
        see: is told what becomes known.
        count: processes of this machine; 1 is this process itself, with all its threads.
        pool: in place of those.

    Raises:
        ClipassoError: what `make` raises, or workers that cannot be had.
    """
    if pool is None and count == 1:
        _perform_here(make, tasks, see)
        return
    chosen = pool or Workers[T](make, count, max(1, cores() // count))
    with chosen as workers:
        for event in workers.run(tasks):
            see(event)


def _perform_here(make: Make, tasks: Iterator[T], see: Callable[[Event[T]], None]) -> None:
    talk = _Here[T](see)
    work = make(talk)
    see(Event("ready", 0, None))
    while todo := list(islice(tasks, 1)):
        talk.task = todo[0]
        try:
            kind, value = "done", work(todo[0])
        except ClipassoError as error:
            kind, value = "failed", error
        talk.task = None
        see(Event(kind, 0, todo[0], value))


class _Here(Talk, Generic[T]):
    """How a task of this process speaks."""

    def __init__(self, see: Callable[[Event[T]], None]) -> None:
        self.stop = threading.Event()
        self.task: T | None = None
        self._see = see

    def send(self, kind: str, value: Any = None) -> None:
        self._see(Event(kind, 0, self.task, value))


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


class Far(Generic[T]):
    """How far a grid is, told as `GridProgress`.

    Args:
        label, steps: of a task.
        runs, kept, total: as `runs`, `kept` and `of_steps` of what is told.
        sketches: how many a task makes.
    """

    def __init__(
        self,
        label: Callable[[T], str],
        steps: Callable[[T], int],
        runs: int,
        kept: int,
        total: int,
        on_progress: Callable[[GridProgress], None],
        sketches: Callable[[T], int] = lambda task: 1,
    ) -> None:
        self._label, self._steps, self._sketches = label, steps, sketches
        self._runs, self._kept, self._total = runs, kept, total
        self._on_progress = on_progress
        self._ended, self._done = 0, 0  # sketches, and their steps
        self._at: dict[int, int] = {}  # steps of tasks in work, by identity: they stay as they are

    def show(self, task: T, steps: int = 0, loss: float | None = None) -> None:
        """A task has made so many steps."""
        self._at[id(task)] = steps
        self._tell(task, self._ended + 1, loss)

    def finish(self, task: T, loss: float) -> None:
        """All of it has been kept."""
        self.end(task)
        self._tell(task, self._ended, loss, finished=True)

    def end(self, task: T) -> None:
        """It is over, kept or not."""
        self.drop(task)
        self._ended += self._sketches(task)
        self._done += self._steps(task)

    def drop(self, task: T) -> None:
        """It has been given up, and will be begun anew."""
        self._at.pop(id(task), None)

    def _tell(self, task: T, number: int, loss: float | None, finished: bool = False) -> None:
        steps = self._done + sum(self._at.values())
        self._on_progress(GridProgress(
            self._label(task), number, self._runs, self._kept, steps, self._total, loss, finished,
        ))  # fmt: skip
