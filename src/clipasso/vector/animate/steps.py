"""Curves over time with as few corners as will do, for files that hold each as text."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clipasso.vector.bezier import FloatArray

__all__ = ["corners"]


def corners(times: FloatArray, values: FloatArray, tolerance: float) -> NDArray[np.intp]:
    """The moments between which values may be interpolated linearly (Ramer, Douglas, Peucker).

    Args:
        times: `[n]`, not falling.
        values: `[n, ...]`.
        tolerance: how far any value may then be off.

    Returns:
        Indices in order, the first and the last among them.
    """
    rows = values.reshape(len(times), -1)
    kept, todo = {0, len(times) - 1}, [(0, len(times) - 1)]
    while todo:
        first, last = todo.pop()
        if last - first < 2:
            continue
        span = times[last] - times[first]
        share = ((times[first + 1 : last] - times[first]) / (span or 1.0))[:, None]
        line = (1 - share) * rows[first] + share * rows[last]
        off = np.abs(rows[first + 1 : last] - line).max(1)
        worst = int(off.argmax())
        if off[worst] > tolerance:
            middle = first + 1 + worst
            kept.add(middle)
            todo += [(first, middle), (middle, last)]
    return np.array(sorted(kept))
