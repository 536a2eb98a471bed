"""Strokes shown while they are optimised, without work for the encoder and to no effect on them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from clipasso.optimise.best_so_far import Track
from clipasso.optimise.strokes import Drawing

__all__ = ["Look", "Showing"]

_EVERY = 0.5  # seconds from one look to the next
_PART = 0.1  # of the time that looks may take; where one takes long they become rarer


@dataclass(frozen=True, eq=False)
class Look:
    """The strokes of a photo's leading seed as they are, averaged as those that are kept.

    Attributes:
        drawing: one seed's, a copy on the CPU; not cut at the page, not evaluated.
        step, steps: how far the run is, and how far it will go.
        photo: which of the photos that are optimised together, from 0.
    """

    drawing: Drawing
    step: int
    steps: int
    photo: int = 0


class Showing:
    """Calls back with strokes every half second.

    Args:
        show: is called for every photo that is still in work; None shows nothing.
        clock: seconds since some moment.
    """

    def __init__(
        self, show: Callable[[Look], None] | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._show, self._clock = show, clock
        self._next = clock()

    def look(self, tracks: Sequence[Track], strokes: Callable[[int], Drawing]) -> None:
        """Show them if it is time.

        Args:
            tracks: one a photo.
            strokes: those of all seeds of a photo as they are, on any device.
        """
        began = self._clock()
        if self._show is None or began < self._next:
            return
        for number, track in enumerate(tracks):
            if track.active:
                lead = track.lead
                now = strokes(number).only(lead).clone() if lead in track.active else None
                drawing = track.best(lead) if now is None else now.to("cpu")
                look = Look(drawing, track.course.done, track.course.total, number)
                self._show(look)
        ended = self._clock()
        self._next = max(began + _EVERY, ended + (ended - began) * (1 / _PART - 1))
