"""Lines drawn by hand, as strokes: Bezier chains fitted through the points that a pen was at."""

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clipasso.errors import ClipassoError
from clipasso.vector.bezier import bernstein
from clipasso.vector.curve_fitting import fit_chain

__all__ = ["strokes_along"]

_SAMPLES = 48  # points along a piece that is fitted
_ROUNDS = 6  # of finding better parameters for the points and fitting anew
_ENDS = 12  # times more than others do the ends of a piece count, where it meets the next

FloatArray = NDArray[np.float64]


def strokes_along(
    line: ArrayLike, degree: int = 3, segments: int = 1, *, tolerance: float = 2.0, most: int = 16
) -> FloatArray:
    """Strokes along a line that was drawn by hand, as few as come near enough to it.

    Args:
        line: `[n, 2]` points where the pen was, px, n >= 2, in order.
        degree, segments: of each stroke.
        tolerance: how far from the line strokes may be, px; above 0.
        most: strokes at most; with so many the line may be further off.

    Returns:
        Control points `[strokes, degree * segments + 1, 2]`, end to end. A line without length is
        a dot.

    Raises:
        ClipassoError: no such line.
    """
    try:
        points = np.array(line, np.float64)
    except (TypeError, ValueError):
        points = np.empty(0)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 2 or not np.isfinite(points).all():
        raise ClipassoError("a line must be at least two points of two finite numbers")
    along = np.append(0.0, np.linalg.norm(np.diff(points, axis=0), axis=1).cumsum())
    keep = np.append(True, np.diff(along) > 0)
    points, along = points[keep], along[keep]
    if len(points) < 2:
        return np.broadcast_to(points[0], (1, degree * segments + 1, 2)).copy()
    for count in range(1, most + 1):
        ends = np.linspace(0, along[-1], count + 1)
        found = [
            _fitted(_between(points, along, low, high), degree, segments)
            for low, high in pairwise(ends)
        ]
        if max(off for _, off in found) <= tolerance:
            break
    return np.array([chain for chain, _ in found])


def _between(points: FloatArray, along: FloatArray, low: float, high: float) -> FloatArray:
    """Points at even distances on a part of a polyline, `[_SAMPLES, 2]`."""
    at = np.linspace(low, high, _SAMPLES)
    return np.stack([np.interp(at, along, points[:, axis]) for axis in (0, 1)], 1)


def _fitted(points: FloatArray, degree: int, segments: int) -> tuple[FloatArray, float]:
    """A chain from the first point to the last, and how far from it a point is at most."""
    t = np.linspace(0, 1, len(points))
    best, least = _through(points, t, degree, segments)
    fine = np.linspace(0, 1, 6 * len(points))
    for _ in range(_ROUNDS):
        drawn = _drawn(best, fine, degree, segments)
        away = np.linalg.norm(points[:, None] - drawn[None], axis=2)
        t = np.maximum.accumulate(fine[away.argmin(1)])
        t[0], t[-1] = 0.0, 1.0
        chain, off = _through(points, t, degree, segments)
        if off >= least:
            break
        best, least = chain, off
    return best, least


def _through(
    points: FloatArray, t: FloatArray, degree: int, segments: int
) -> tuple[FloatArray, float]:
    weights = np.ones(len(points), int)
    weights[[0, -1]] = _ENDS
    chain, _ = fit_chain(
        np.repeat(points, weights, axis=0), np.repeat(t, weights), degree, segments
    )
    chain[0], chain[-1] = points[0], points[-1]
    off = np.linalg.norm(_drawn(chain, t, degree, segments) - points, axis=1).max()
    return chain, float(off)


def _drawn(chain: FloatArray, t: FloatArray, degree: int, segments: int) -> FloatArray:
    """A chain at parameters of 0..1, `[m, 2]`."""
    segment = np.minimum((t * segments).astype(int), segments - 1)
    basis = bernstein(degree, t * segments - segment)
    controls = chain[segment[:, None] * degree + np.arange(degree + 1)]
    found: FloatArray = (basis[..., None] * controls).sum(1)
    return found
