"""Says at the first opportunity that a run will take long, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from clipasso.cli.console import say
from clipasso.pipeline.words import time_in_words

__all__ = ["LONG_SECONDS", "Forecast", "where"]

LONG_SECONDS = 120.0
"""What takes longer than this is announced."""


class Forecast:
    """Extrapolates from the first steps of a run, and says once that it will take long if so.

    What comes before the first step is not counted, and seeds may be given up on the way, so the
    time is that of all steps at most.

    Args:
        work: what takes so long, in words; asked for when it is needed.
        hint: what a person can do about it.
        quiet: say nothing.
    """

    def __init__(self, work: Callable[[], str], hint: str, quiet: bool = False) -> None:
        self._work, self._hint, self._told = work, hint, quiet
        self._first: tuple[float, float] | None = None

    def see(self, done: float, total: float) -> None:
        """Take note of how far the run is, in any unit that time is proportional to.

        Args:
            done: so far; the time counts from the last call with as little done as in the first.
            total: in the end, at most.
        """
        if self._told:
            return
        now = monotonic()
        if self._first is None or done <= self._first[0]:
            self._first = done, now
            return
        start, began = self._first
        self._told = True
        seconds = (now - began) / (done - start) * total
        if seconds > LONG_SECONDS:
            time = time_in_words(seconds)
            say(f"this will take at most about {time} ({self._work()}); {self._hint}")


def where(device: object) -> str:
    """A device as people call it."""
    kind = str(device).partition(":")[0]
    return {"cpu": "the CPU", "cuda": "the GPU", "mps": "the GPU"}.get(kind, kind)
