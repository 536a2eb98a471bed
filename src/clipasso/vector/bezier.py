"""Bezier curves as arrays of control points: evaluated, split exactly, and cut at a box.

A curve of one degree is `[degree + 1, 2]`; a chain is curves `[segments, degree + 1, 2]`, each of
which starts where the one before it ends, and whose parameter runs from 0 to `segments`.
"""

import heapq
from collections.abc import Sequence
from itertools import pairwise
from math import comb, sqrt
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "bernstein",
    "extent",
    "inside",
    "longest_inside",
    "part",
    "room",
    "split",
    "subdivided",
]

FloatArray: TypeAlias = NDArray[np.float64]

_ALONG = np.linspace(0, 1, 33)  # parameters of a curve, where a look at it will do
_EDGE = 1e-9  # px: what strays less from a box lies in it, a line along its edge for one


def bernstein(degree: int, t: ArrayLike) -> FloatArray:
    """Values of the Bernstein polynomials at the parameters `t` `[m]`: `[m, degree + 1]`."""
    u = np.asarray(t, dtype=np.float64)[:, None]
    i = np.arange(degree + 1)
    return np.array([comb(degree, k) for k in i]) * u**i * (1.0 - u) ** (degree - i)


def split(segments: FloatArray, at: float = 0.5) -> FloatArray:
    """Split curves `[..., degree + 1, 2]` at a parameter: `[..., 2, degree + 1, 2]`."""
    level, left, right = segments, [segments[..., 0, :]], [segments[..., -1, :]]
    while level.shape[-2] > 1:  # de Casteljau
        level = (1 - at) * level[..., :-1, :] + at * level[..., 1:, :]
        left.append(level[..., 0, :])
        right.append(level[..., -1, :])
    return np.stack([np.stack(left, axis=-2), np.stack(right[::-1], axis=-2)], axis=-3)


def part(chain: FloatArray, start: float, end: float) -> list[FloatArray]:
    """What a chain draws from one parameter to a later one, as curves `[degree + 1, 2]`."""
    pieces = []
    for k, segment in enumerate(chain):
        low, high = max(start - k, 0.0), min(end - k, 1.0)
        if low < high:
            head = segment if high == 1 else split(segment, high)[0]
            pieces.append(head if low == 0 else split(head, low / high)[1])
    return pieces


def subdivided(curves: Sequence[FloatArray], count: int) -> FloatArray:
    """The same chain in `count` curves of its degree, not fewer than it has: `[count, ...]`.

    The longest are halved first, and of equals (a dot has no length) the one with the widest share.
    """
    heap = [_entry(curve, 1.0, k) for k, curve in enumerate(curves)]
    heapq.heapify(heap)
    while len(heap) < count:
        _, share, start, curve = heapq.heappop(heap)
        for k, half in enumerate(split(curve)):
            heapq.heappush(heap, _entry(half, -share / 2, start - k * share / 2))
    return np.array([curve for *_, curve in sorted(heap, key=lambda entry: entry[2])])


def _entry(curve: FloatArray, share: float, start: float) -> tuple[float, float, float, FloatArray]:
    length = np.linalg.norm(np.diff(curve, axis=0), axis=1).sum()
    return -float(length), -share, start, curve


def extent(chain: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The corners (x, y), the lower first, of the smallest box that holds a chain's curves."""
    low, high = chain[:, [0, -1]].min((0, 1)), chain[:, [0, -1]].max((0, 1))
    for segment in chain:
        if ((segment >= low) & (segment <= high)).all():
            continue
        for axis in (0, 1):
            slopes = np.diff(segment[:, axis]).tolist()
            turns = [t for t in _linear_or_quadratic(slopes) if 0 < t < 1]
            values = bernstein(len(segment) - 1, turns) @ segment[:, axis]
            low[axis] = min(low[axis], values.min(initial=np.inf))
            high[axis] = max(high[axis], values.max(initial=-np.inf))
    return low, high


def inside(chain: FloatArray, low: ArrayLike, high: ArrayLike) -> list[tuple[float, float]]:
    """Where a chain lies in a box, edges included: parameters from which to which, in order.

    Where it touches the box in a point only, that is nowhere.

    Args:
        chain: `[segments, degree + 1, 2]`.
        low, high: the box's corners (x, y).
    """
    low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
    found: list[tuple[float, float]] = []
    for k, segment in enumerate(chain):
        stops = {0.0, 1.0}
        for axis in (0, 1):
            for bound in (low[axis], high[axis]):
                stops.update(_zeros((segment[:, axis] - bound).tolist()))
        for start, end in pairwise(sorted(stops)):
            if k + start == k + end:  # apart by less than parameters of the chain can tell
                continue
            middle = bernstein(len(segment) - 1, [(start + end) / 2])[0] @ segment
            if not ((middle >= low - _EDGE) & (middle <= high + _EDGE)).all():
                continue
            if found and found[-1][1] == k + start:
                found[-1] = found[-1][0], k + end
            else:
                found.append((k + start, k + end))
    return found


def longest_inside(chain: FloatArray, low: ArrayLike, high: ArrayLike) -> FloatArray:
    """The longest piece of a chain in a box, in as many curves as before.

    Where there is none, a dot: the point of the box that the chain comes nearest to.

    Args:
        chain: `[segments, degree + 1, 2]`.
        low, high: the box's corners (x, y).
    """
    low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
    if ((chain >= low) & (chain <= high)).all():  # no curve leaves the hull of its control points
        return chain
    ranges = inside(chain, low, high)
    if ranges == [(0, len(chain))]:
        return chain
    if not ranges:
        drawn = _drawn(chain)
        held = np.clip(drawn, low, high)
        nearest = held[np.linalg.norm(drawn - held, axis=1).argmin()]
        return np.broadcast_to(nearest, chain.shape)
    pieces = [subdivided(part(chain, *ends), len(chain)) for ends in ranges]
    lengths = [np.linalg.norm(np.diff(_drawn(piece), axis=0), axis=1).sum() for piece in pieces]
    best = pieces[int(np.argmax(lengths))]
    # A parameter right to its last bit may be a little out in px.
    best[0, 0], best[-1, -1] = np.clip(best[0, 0], low, high), np.clip(best[-1, -1], low, high)
    return best


def room(box: FloatArray, widths: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Where the centre lines of strokes may run whose ink, round ends included, is to be in a box.

    Args:
        box: its corners, the lower first, `[2, 2]` (x, y).
        widths: of the strokes, any shape.

    Returns:
        The corners of each stroke's own box `[..., 2]`, and its width `[...]`: at most half the
        box's shorter side, or there would be no room.
    """
    thin = np.minimum(widths, np.ptp(box, axis=0).min() / 2)
    return box[0] + thin[..., None] / 2, box[1] - thin[..., None] / 2, thin


def _drawn(chain: FloatArray) -> FloatArray:
    """Points along a chain, `[any, 2]`."""
    return np.concatenate([bernstein(len(curve) - 1, _ALONG) @ curve for curve in chain])


def _zeros(values: list[float]) -> list[float]:
    """Where a polynomial of degree 1 to 3, given by its Bernstein values, is 0 between 0 and 1."""
    if min(values) > 0 or max(values) < 0 or not any(values):
        return []
    # Between its turns it is monotone, where halving finds a zero to the last bit. Formulae and
    # companion matrices lose digits where the leading coefficient nearly vanishes.
    slopes = [b - a for a, b in pairwise(values)]
    turns = [t for t in _linear_or_quadratic(slopes) if 0 < t < 1]
    zeros = [t for t in turns if _value(values, t) == 0]
    for a, b in pairwise([0.0, *sorted(turns), 1.0]):
        if _value(values, a) * _value(values, b) < 0:
            zeros.append(_halved(values, a, b))
    return zeros


def _halved(values: list[float], a: float, b: float) -> float:
    """Where a polynomial crosses 0 between `a` and `b`, of whose values one alone is above 0."""
    rising = _value(values, b) > 0
    while a < (middle := (a + b) / 2) < b:
        a, b = (a, middle) if (_value(values, middle) > 0) == rising else (middle, b)
    return b


def _value(values: list[float], t: float) -> float:
    """A polynomial at `t`, from its Bernstein values."""
    while len(values) > 1:
        values = [(1 - t) * a + t * b for a, b in pairwise(values)]
    return values[0]


def _linear_or_quadratic(values: list[float]) -> list[float]:
    """Zeros of a polynomial of degree 0 to 2, given by its Bernstein values."""
    if len(values) == 1:
        return []
    c = values[0]
    if len(values) == 2:
        return [c / (c - values[1])] if c != values[1] else []
    a, b = values[0] - 2 * values[1] + values[2], 2 * (values[1] - values[0])
    under = b * b - 4 * a * c
    if under < 0:
        return []
    q = -(b + (sqrt(under) if b >= 0 else -sqrt(under))) / 2
    return [top / bottom for top, bottom in ((q, a), (c, q)) if bottom != 0]
