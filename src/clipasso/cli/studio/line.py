"""The line in front of the one worker: sketches are made one at a time, in the order of asking."""

from __future__ import annotations

import itertools
import math
import threading
import traceback
from collections import deque
from collections.abc import Callable
from typing import Any, Literal

from clipasso.errors import ClipassoError

__all__ = ["Job", "Line", "State"]

State = Literal["waiting", "running", "done", "failed", "cancelled"]

_POINTS = 160  # of a loss curve that is sent


class Job:
    """Something to be made for a visitor.

    Args:
        kind: what it is, for the page.
        work: makes it, in the worker's thread; it heeds `stop`.
        told: is called, in any thread, whenever there is something new to say of it.

    Attributes:
        number: no other job of this program has it.
        stop: once set, the work ends with the best so far.
        state: how far it is.
        note: what a person should be told of it; the error's line of one that failed.
        ended_early: it was stopped, by hand or by the time limit, and what there was is kept.
    """

    _numbers = itertools.count(1)

    def __init__(self, kind: str, work: Callable[[Job], None], told: Callable[[Job], None]) -> None:
        self.number = next(self._numbers)
        self.kind, self.work, self._told = kind, work, told
        self.stop = threading.Event()
        self.state: State = "waiting"
        self.ahead = 0
        self.note = ""
        self.ended_early = self.unwanted = False
        self._step = self._steps = 0
        self._left: float | None = None
        self._curve: list[tuple[int, tuple[float, ...]]] = []

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state not in ("waiting", "running")

    def tell(self) -> None:
        """Have its visitor told how it stands."""
        self._told(self)

    def progress(
        self, step: int, steps: int, left: float | None, losses: tuple[float, ...]
    ) -> None:
        """Take note of an evaluation.

        Args:
            left: seconds to the end, if that is known.
            losses: of each seed.
        """
        self._step, self._steps, self._left = step, steps, left
        if all(map(math.isfinite, losses)):
            self._curve.append((step, losses))
        self.tell()

    def as_dict(self) -> dict[str, Any]:
        """How it stands, as plain values."""
        every = -(-len(self._curve) // _POINTS)
        curve = self._curve[:: max(1, every)]
        return {
            "number": self.number, "kind": self.kind, "state": self.state, "ahead": self.ahead,
            "step": self._step, "steps": self._steps, "left": self._left, "note": self.note,
            "stopping": self.stop.is_set(), "endedEarly": self.ended_early, "curve": curve,
        }  # fmt: skip


class Line:
    """The worker and the jobs that wait for it.

    Args:
        most: jobs that may wait.
        seconds: that a job may take; then its `stop` is set.
    """

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._waiting: deque[Job] = deque()
        self._running: Job | None = None
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="clipasso-studio", daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        """Jobs that wait or are in work."""
        with self._changed:
            return len(self._waiting) + (self._running is not None)

    def submit(self, job: Job) -> None:
        """Put a job at the end.

        Raises:
            ClipassoError: too many wait already, or the studio is closing.
        """
        with self._changed:
            if self._closed or len(self._waiting) >= self._most:
                raise ClipassoError(
                    f"as many sketches as may are waiting ({self._most}); try again in a minute"
                )
            self._waiting.append(job)
            self._changed.notify_all()
        self._tell_waiting()

    def stop(self, job: Job, unwanted: bool = False) -> None:
        """Take a job out of the line or, if it is in work, have it end with the best so far.

        Args:
            unwanted: nobody will look at what comes of it.
        """
        with self._changed:
            job.unwanted = job.unwanted or unwanted
            job.stop.set()
            waiting = job in self._waiting
            if waiting:
                self._waiting.remove(job)
                job.state = "cancelled"
        job.tell()
        if waiting:
            self._tell_waiting()

    def close(self, seconds: float = 10.0) -> None:
        """Stop everything and wait so long for the worker."""
        with self._changed:
            self._closed = True
            for job in [*self._waiting, *filter(None, [self._running])]:
                job.unwanted = True
                job.stop.set()
            self._waiting.clear()
            self._changed.notify_all()
        self._thread.join(seconds)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return
                job = self._running = self._waiting.popleft()
                job.state, job.ahead = "running", 0
            job.tell()
            self._tell_waiting()
            self._do(job)
            with self._changed:
                self._running = None
            job.tell()
            self._tell_waiting()

    def _do(self, job: Job) -> None:
        timer = threading.Timer(self._seconds, self._end_in_time, [job])
        timer.daemon = True
        timer.start()
        try:
            job.work(job)
            job.ended_early = job.stop.is_set()
            job.state = "done"
        except ClipassoError as error:
            job.note, job.state = str(error), "failed"
        except Exception:  # ours to mend; the next visitor must not suffer
            traceback.print_exc()
            job.note, job.state = "something went wrong; the terminal says what", "failed"
        finally:
            timer.cancel()

    def _end_in_time(self, job: Job) -> None:
        if not job.stop.is_set():
            job.note = f"ended after {self._seconds:g} s, the most here; the best so far is kept"
            job.stop.set()

    def _tell_waiting(self) -> None:
        with self._changed:
            busy = self._running is not None
            moved = [(job, k + busy) for k, job in enumerate(self._waiting)]
        for job, ahead in moved:
            job.ahead = ahead
            job.tell()
