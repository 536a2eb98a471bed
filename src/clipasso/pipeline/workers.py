"""Tasks done side by side by processes, each with a share of the cores and networks of its own.

A small network leaves much of a second core idle, so on a CPU several photos at once, a process and
a thread each, are done sooner than one after the other. The standard library's pools lose tasks, or
all their work, when one of their processes is killed, and know neither progress nor a request to
stop. Here tasks are handed out one by one over a pipe a worker, so it is always known who is at
work on what, and a pipe that breaks tells either side that the other has gone.
"""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from clipasso.errors import ClipassoError
from clipasso.pipeline.worker import STOP, Make, Talk, serve

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess
    from types import TracebackType

__all__ = ["Event", "Make", "Talk", "Workers"]

T = TypeVar("T")

_TICK = 0.2  # seconds between looks at the request to stop
_PATIENCE = 5.0  # seconds that a process has to end by itself


class Event(NamedTuple, Generic[T]):
    """What became known of a worker.

    Attributes:
        kind: `ready`, it has loaded; `told`, progress; `said`, a line for people; `printed`, a line
            that some library wrote; `done` or `failed`, its task has ended; `lost`, its process has
            ended, and its task with it; `stopped`, its task was given up at our request.
        worker: its number, from 0.
        task: what it is or was at work on; None while it loads.
        value: what was told, said, printed or returned, a `ClipassoError`, or how it was lost.
    """

    kind: str
    worker: int
    task: T | None
    value: Any = None


@dataclass(eq=False)
class _Worker(Generic[T]):
    """A process and what is known of it."""

    number: int
    process: SpawnProcess
    connection: Connection
    ready: bool = False
    task: T | None = None
    told: bool = False  # of this task


@dataclass(eq=False)
class Workers(Generic[T]):
    """Processes for tasks; a context manager that ends them, however it is left.

    They are started anew and not forked, which threads do not survive. So Python's usual condition
    holds: a script that does this at its top level does it under `if __name__ == "__main__"`.

    Attributes:
        make: called once in each process; its result is called with each task. It, tasks and all
            that is told of them are pickled.
        count: how many processes.
        threads: of each.
    """

    make: Make
    count: int
    threads: int
    _workers: list[_Worker[T]] = field(default_factory=list, init=False)
    _given_up: list[_Worker[T]] = field(default_factory=list, init=False)

    def __enter__(self) -> Workers[T]:
        try:
            for number in range(self.count):
                self._start(number, aloud=number == 0)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._end()

    @property
    def keeping(self) -> bool:
        """Whether a task in work has told of progress, so that stopping would keep something."""
        return any(worker.told for worker in self._workers)

    def run(self, tasks: Iterator[T], stop: threading.Event | None = None) -> Iterator[Event[T]]:
        """Do tasks, each taken from the iterator when a worker is free for it.

        A worker that was killed is replaced only where no other is left, since memory that was too
        short for all should not be asked for again.

        Args:
            stop: once set no more tasks are begun, those that have told of progress are asked to
                end with what they have, and the others are given up.

        Yields:
            What becomes known, until all is done.

        Raises:
            ClipassoError: what `make` raised, or no worker that lives long enough to load.
            RuntimeError: any other error in a worker, with its traceback.
        """
        stopped, ahead = False, list[T]()
        while True:
            if not stopped and stop is not None and stop.is_set():
                stopped, tasks, ahead = True, iter(()), []
                yield from self._stop()
            for worker in [w for w in self._workers if w.ready and w.task is None]:
                ahead = ahead or list(islice(tasks, 1))
                if ahead:
                    self._give(worker, ahead.pop())
            if not self._workers:
                ahead = ahead or list(islice(tasks, 1))
                if ahead:
                    self._start(0)
            if all(worker.ready and worker.task is None for worker in self._workers):
                return
            yield from self._hear(_TICK)

    def _start(self, number: int, aloud: bool = False) -> None:
        """Start a process; an interrupt waits until it is known, so that it is ended too.

        The process begins with interrupts blocked, and so is not ended by one that is not for it.
        """
        context = multiprocessing.get_context("spawn")
        with _uninterrupted():
            ours, theirs = context.Pipe()
            arguments = theirs, pickle.dumps(self.make), self.threads, aloud
            process = context.Process(target=serve, args=arguments)
            try:
                process.start()
            finally:
                theirs.close()  # so that the pipe breaks when the process ends
            self._workers.append(_Worker(number, process, ours))

    def _give(self, worker: _Worker[T], task: T) -> None:
        worker.task = task
        with suppress(OSError):  # it has just ended, and its pipe will say so
            worker.connection.send_bytes(pickle.dumps(task))

    def _stop(self) -> Iterator[Event[T]]:
        yield from self._hear(0)  # what is done is done
        for worker in list(self._workers):
            if worker.told:
                with suppress(OSError):
                    worker.connection.send_bytes(STOP)
                continue
            self._workers.remove(worker)
            self._given_up.append(worker)
            worker.connection.close()
            if worker.task is not None:
                yield Event("stopped", worker.number, worker.task)

    def _hear(self, seconds: float) -> Iterator[Event[T]]:
        """What comes from workers, if something does in that time."""
        speakers = {id(worker.connection): worker for worker in self._workers}
        for connection in wait([worker.connection for worker in self._workers], seconds):
            worker = speakers[id(connection)]
            try:
                kind, value = worker.connection.recv()
            except (EOFError, OSError):
                yield from self._lose(worker)
                continue
            if kind == "broken":
                raise RuntimeError(f"in a worker process:\n{value}")
            if kind == "failed" and not worker.ready:
                raise value
            event = Event(kind, worker.number, worker.task, value)
            if kind in ("done", "failed"):
                worker.task = None
            worker.ready = worker.ready or kind == "ready"
            worker.told = worker.task is not None and (worker.told or kind == "told")
            yield event

    def _lose(self, worker: _Worker[T]) -> Iterator[Event[T]]:
        self._workers.remove(worker)
        how = _ended(worker)
        if not worker.ready and not self._workers:
            raise ClipassoError(
                f"worker processes end before they have loaded ({how}); give --workers 1 to do "
                "without them"
            )
        yield Event("lost", worker.number, worker.task, how)

    def _end(self) -> None:
        with _uninterrupted():
            workers = self._workers + self._given_up
            self._workers, self._given_up = [], []
            for worker in workers:
                worker.connection.close()  # which ends them all; then wait for each
        for worker in workers:
            _ended(worker)


def _ended(worker: _Worker[Any]) -> str:
    """Wait until a process whose pipe is closed has ended, and see that it does; how it ended."""
    worker.connection.close()
    worker.process.join(_PATIENCE)
    if worker.process.exitcode is None:
        worker.process.kill()
        worker.process.join()
    code = worker.process.exitcode or 0
    if code >= 0:
        return f"exit status {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait, where signals can; processes started meanwhile inherit that."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing.resource_tracker import ensure_running

    ensure_running()  # starting a process starts it, and in Python 3.11 that lets signals through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
