"""A time limit: how many seeds and steps fit, from how long a step was seen to take.

Nothing here looks at strokes or waits for a device, so that a test can say what the clock shows.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clipasso.optimise.course import Course

__all__ = ["MARGIN", "Limit", "Pace", "TimePlan", "plan"]

MARGIN = 0.92
"""The part of the time left that is planned for: a machine is rarely as quick as it was tried."""

_AFTER = 0.1  # of the time left, at most, is left over for what comes after the steps


@dataclass(frozen=True)
class Limit:
    """When a run is to end, and what may be chosen for that.

    Attributes:
        seconds: as they were asked for.
        until: when the last step is to be done, by `clock`.
        seeds: the fewest and the most.
        enough: steps that every seed is to have before another seed is tried.
        most: steps of a seed at most.
        clock: seconds since some moment.
    """

    seconds: float
    until: float
    seeds: tuple[int, int]
    enough: int
    most: int
    clock: Callable[[], float] = time.monotonic

    def left(self) -> float:
        """Seconds; negative when the time is over."""
        return self.until - self.clock()

    def before(self, seconds: float) -> tuple[Limit, bool]:
        """The same with so many seconds left over at its end, and whether they are.

        They are not where they would be a large part of the time that is left.
        """
        kept = seconds <= _AFTER * max(0.0, self.left())
        return (replace(self, until=self.until - seconds) if kept else self), kept

    def with_seeds(self, there: int) -> Limit:
        """The same where there are so many seeds to choose from."""
        return replace(self, seeds=(min(self.seeds[0], there), min(self.seeds[1], there)))


@dataclass(frozen=True)
class Pace:
    """How quick this machine is, in seconds.

    Attributes:
        steps: of one step, by the number of seeds; at least for one number.
        encoding: of seeing the photos under one transform.
        pool: transforms that steps draw from, 0 where each step draws its own.
        drawn: how many a step draws.
        seeing: of drawing and encoding one sketch without its gradient.
    """

    steps: Mapping[int, float]
    encoding: float = 0.0
    pool: int = 0
    drawn: int = 0
    seeing: float = 0.0

    def of(self, seeds: int) -> float:
        """Of a step of so many seeds, on a line through what was measured."""
        low, high = min(self.steps), max(self.steps)
        if low == high:
            return self.steps[low] * seeds / low
        slope = (self.steps[high] - self.steps[low]) / (high - low)
        return max(self.steps[low] + slope * (seeds - low), 1e-9)

    def whole(self, steps: int, seeds: int) -> float:
        """Of so many steps, with the transforms that they draw encoded beforehand."""
        seen = float(self.pool) if self.drawn else 0.0
        if steps * self.drawn < self.pool:  # no others are encoded
            seen *= 1 - (1 - self.drawn / self.pool) ** steps
        return steps * self.of(seeds) + seen * self.encoding


@dataclass(frozen=True)
class TimePlan:
    """What was chosen for a time limit, and what became of it.

    Attributes:
        limit: seconds.
        seeds: how many.
        planned: steps that each was to take.
        steps: that its schedule had in the end: fewer where the machine became slower than it was
            when it was tried.
        kept: whether the schedule was followed as planned, so that `iterations` and `seeds` with
            these numbers give the same sketch again.
        after: whether there was time for what comes after the steps: strokes are put in order.
    """

    limit: float
    seeds: int
    planned: int
    steps: int
    kept: bool = True
    after: bool = True

    def followed(self, course: Course) -> TimePlan:
        """The same, once it is known how the run went."""
        return replace(self, steps=course.total, kept=course.kept)

    def in_words(self) -> str:
        """As `1 seed of 140 steps`."""
        steps = f"{self.steps} step{'s' if self.steps > 1 else ''}"
        line = f"{self.seeds} seed{'s' if self.seeds > 1 else ''} of {steps}"
        if self.planned == 1:
            return f"{line}, since nearly all of the time was over before the first"
        if self.steps < self.planned:
            return f"{line}; {self.planned} were planned, but they took longer than when tried"
        return line


def plan(limit: Limit, pace: Pace, left: float) -> TimePlan:
    """As many steps as fit, and more seeds once each has enough of them.

    More steps of one seed lower the loss more than another seed does, up to about as many as the
    settings ask for (docs/performance.md).

    Args:
        left: seconds, from now to the end of the last step.
    """
    fewest, most = limit.seeds
    for seeds in range(most, fewest - 1, -1):
        steps = _fitting(limit, pace, left * MARGIN, seeds)
        if steps >= limit.enough or seeds == fewest:
            break
    return TimePlan(limit.seconds, seeds, max(1, steps), max(1, steps))


def _fitting(limit: Limit, pace: Pace, seconds: float, seeds: int) -> int:
    counts = range(1, limit.most + 1)
    return bisect_right(counts, seconds, key=lambda steps: pace.whole(steps, seeds))
