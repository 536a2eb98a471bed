"""The course of a run: how many steps it has, and how far in the schedule each of them is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clipasso.optimise.limit import MARGIN, Limit

__all__ = ["Course"]

_NEWEST = 0.1  # weight of the last step in what a step is taken to last
_HICCUP = 3.0  # a step that lasts longer by this counts as if it lasted no longer
_WORTH = 1.25  # times as many steps: when a schedule that was compressed is stretched again


class Course:
    """Steps of a run, as many as were planned unless they would end too late.

    Then the rest of the schedule is compressed into the steps that fit, so that it ends at its end
    and not in the middle; if there is time again it is stretched, up to one step for each planned.

    Args:
        planned: steps, at least 1.
        limit: when the last one is to be done; None is whenever it is.
        pace: seconds that a step is expected to last.

    Attributes:
        planned: the schedule's length.
        done: steps taken.
        total: steps that there will be in all, as things are.
        at: how far in the schedule, 0..planned.
        kept: whether it is still as planned.
    """

    def __init__(self, planned: int, limit: Limit | None = None, pace: float = 0.0) -> None:
        self.planned = self.total = planned
        self.done, self.at, self.kept = 0, 0.0, True
        self._limit, self._pace = limit, pace
        self._last: float | None = None

    @property
    def part(self) -> float:
        """How far in the schedule, 0..1."""
        return self.at / self.planned

    @property
    def ended(self) -> bool:
        """Whether all steps are taken."""
        return self.done >= self.total

    def advance(self) -> None:
        """Take note that a step was taken."""
        left = self.total - self.done
        self.at = float(self.planned) if left <= 1 else self.at + (self.planned - self.at) / left
        self.done += 1

    def go_to(self, done: int, at: float) -> None:
        """Be where another course of the same length, without a limit, was."""
        self.done, self.at = done, at

    def rest(self) -> NDArray[np.float64]:
        """Where in the schedule the steps are that are left, `[total - done]`."""
        left = self.total - self.done
        places: NDArray[np.float64] = self.at + (self.planned - self.at) * np.arange(left) / left
        return places

    def changed(self) -> bool:
        """Look at the clock, once before each step; whether there are other steps than before."""
        if self._limit is None or self.ended:
            return False
        now = self._limit.clock()
        if self._last is not None:
            took = min(now - self._last, _HICCUP * self._pace)
            self._pace += _NEWEST * (took - self._pace)
        self._last = now
        left = self.total - self.done
        room = max(0.0, self._limit.until - now) / max(self._pace, 1e-9)
        whole = int(self.planned - self.at + 1e-6)  # as many as were planned, from here on
        fitting = max(1, min(whole, int(room * MARGIN)))
        if left <= max(1.0, room) and (left >= whole or fitting < _WORTH * left):
            return False
        self.total, self.kept = self.done + fitting, False
        return True
