"""Which stroke of one sketch becomes which of another."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clipasso.vector.animate.pace import arc_lengths
from clipasso.vector.bezier import FloatArray
from clipasso.vector.sketch import Sketch

__all__ = ["Match", "along", "match"]

Indices = NDArray[np.intp]

_SAMPLES = 9
_DIRECTION = 0.15  # of the canvas's longer side: what opposite directions weigh as a distance


class Match(NamedTuple):
    """Strokes of two sketches in pairs, and those that are left.

    Attributes:
        first, second: strokes that become each other, `[pairs]`.
        turned: whether the second's runs the other way, `[pairs]`.
        lost, gained: strokes of the first and of the second without a partner.
        nearest: strokes of the other sketch that those are nearest to: first of `lost`, then of
            `gained`.
    """

    first: Indices
    second: Indices
    turned: NDArray[np.bool_]
    lost: Indices
    gained: Indices
    nearest: tuple[Indices, Indices]


def match(first: Sketch, second: Sketch) -> Match:
    """Pair the strokes of two sketches on one canvas so that all together move the least.

    Two strokes are as far apart as nine points along them are in the mean of squares, and as their
    directions there differ, whichever way round the one or the other is drawn. Of all assignments
    the one with the smallest sum is taken.

    Args:
        first, second: at least one stroke each, on canvases of one size.
    """
    from scipy.optimize import linear_sum_assignment

    unit = max(first.size)
    a, b = _looks(first, unit), _looks(second, unit)
    forth, back = _apart(a, b), _apart(a, _reversed(b))
    costs = np.minimum(forth, back)
    rows, columns = linear_sum_assignment(costs)
    lost = np.setdiff1d(np.arange(len(first)), rows)
    gained = np.setdiff1d(np.arange(len(second)), columns)
    return Match(
        rows, columns, back[rows, columns] < forth[rows, columns], lost, gained,
        (costs[lost].argmin(1), costs[:, gained].argmin(0)),
    )  # fmt: skip


def along(sketch: Sketch, count: int) -> FloatArray:
    """Points along strokes, at equal distances by arc length: `[strokes, count, 2]`."""
    parameters, lengths, _ = arc_lengths(sketch)
    shares = lengths / np.where(lengths[:, -1:] > 0, lengths[:, -1:], 1.0)
    t = np.stack([np.interp(np.linspace(0, 1, count), s, parameters) for s in shares])
    segment = np.minimum(t.astype(np.intp), sketch.segments - 1)
    u = (t - segment)[..., None]
    level = sketch.controls[np.arange(len(sketch))[:, None], segment]
    while level.shape[2] > 1:  # de Casteljau
        level = (1 - u[:, :, None]) * level[:, :, :-1] + u[:, :, None] * level[:, :, 1:]
    return np.asarray(level[:, :, 0])


def _looks(sketch: Sketch, unit: float) -> FloatArray:
    """What strokes are compared by, `[strokes, samples, 4]`: points, and weighted directions."""
    points = along(sketch, _SAMPLES) / unit
    ways = np.gradient(points, axis=1)
    sizes = np.linalg.norm(ways, axis=2, keepdims=True)
    directions = np.divide(ways, sizes, out=np.zeros_like(ways), where=sizes > 0)
    return np.concatenate([points, _DIRECTION / 2 * directions], axis=2)


def _reversed(looks: FloatArray) -> FloatArray:
    return np.asarray(looks[:, ::-1] * np.array([1, 1, -1, -1]))


def _apart(a: FloatArray, b: FloatArray) -> FloatArray:
    """Mean squared distances of all pairs, `[first, second]`."""
    x, y = a.reshape(len(a), -1), b.reshape(len(b), -1)
    squares = (x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * x @ y.T
    return np.asarray(squares.clip(0) / _SAMPLES)
