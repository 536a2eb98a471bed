"""Strokes as they moved while they were optimised (figure 7)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clipasso.vector.animate.moving import Moving
from clipasso.vector.sketch import Sketch

__all__ = ["BEGIN", "recorded"]

BEGIN = 0.5
"""Seconds for which the first strokes are held."""


def recorded(states: Sequence[Sketch], seconds: float, hold: float) -> Moving:
    """Show the strokes of a sketch on their way.

    In the first steps strokes move the most, later they tremble. Between two states there is time
    in proportion to the root of how far the strokes move (the root of the mean square over all
    control points), so the first steps are spread and the last are not lost.

    Args:
        states: the same strokes at one evaluation after the other; a single one stands still.
        seconds: of motion.
        hold: seconds for which the last state is held; the first is for `BEGIN`.
    """
    points = np.stack([state.points for state in states])
    moved = np.sqrt((np.diff(points, axis=0) ** 2).mean(axis=(1, 2, 3)))
    shares = np.sqrt(moved)
    if not shares.sum() > 0:  # nothing to see, or nothing at all
        shares = np.ones(len(moved))
    arrivals = np.concatenate([[0.0], BEGIN + seconds * np.cumsum(shares) / shares.sum()])
    leaves = arrivals.copy()
    leaves[0] = BEGIN
    leaves[-1] += hold
    return Moving(states, arrivals[: len(states)], leaves[: len(states)], eased=False)
