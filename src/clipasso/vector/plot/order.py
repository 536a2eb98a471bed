"""In which order and direction a pen draws strokes, so that it travels little between them.

The nearest end comes next; then runs of strokes are turned round (2-opt, where a run of one is a
stroke drawn from its other end) and short ones moved elsewhere (Or-opt) as long as that saves way.
The same strokes give the same order.
"""

from dataclasses import replace
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clipasso.errors import ClipassoError
from clipasso.vector.sketch import Sketch

__all__ = ["PenOrder", "directions", "order_for_pen", "pen_order", "pen_travel", "turned"]

_Places: TypeAlias = NDArray[np.complex128]  # [n] x + iy

_WINDOW = 1000  # strokes that are turned round together or that one is moved past, at most
_MOVED = 3  # strokes that are moved together, at most
_LOOKS = 50_000_000  # at pairs, in all: a second or two, for thousands of strokes
_LEAST = 1e-9  # of the drawing's extent: less is not saved but rounding


class PenOrder(NamedTuple):
    """A way for the pen."""

    indices: NDArray[np.intp]  # [strokes], the first drawn first
    backwards: NDArray[np.bool_]  # [strokes], in that order: drawn from its end


def order_for_pen(sketch: Sketch, home: tuple[float, float] = (0.0, 0.0)) -> Sketch:
    """The same strokes in another order, some the other way round, for little pen-up travel.

    What strokes look like does not change, but where see-through or coloured ones lie over each
    other another may be on top.

    Args:
        home: where the pen starts, px.

    Raises:
        ClipassoError: a home that is no point.
    """
    order = pen_order(sketch.points[:, 0], sketch.points[:, -1], home)
    return turned(sketch.select(order.indices), order.backwards)


def turned(sketch: Sketch, backwards: ArrayLike) -> Sketch:
    """The same strokes in the same order, those that `backwards` `[strokes]` names from their end.

    What they look like does not change.
    """
    other = np.asarray(backwards, bool)[:, None, None]
    return replace(sketch, points=np.where(other, sketch.points[:, ::-1], sketch.points))


def directions(starts: ArrayLike, ends: ArrayLike, fixed: ArrayLike = False) -> NDArray[np.bool_]:
    """Which strokes a pen draws from their end so that it travels least, in the order given.

    Exact, one stroke after the other: the shortest way to either end of each.

    Args:
        starts, ends: `[n, 2]`.
        fixed: `[n]`, those that stay as they are.

    Raises:
        ClipassoError: as `pen_order`.
    """
    a, b, _ = _places(starts, ends, (0.0, 0.0))
    still = np.broadcast_to(np.asarray(fixed, bool), a.shape)
    enter, leave = np.stack([a, b]), np.stack([b, a])  # of each stroke drawn forwards, backwards
    costs = np.array([0.0, np.inf if still[:1].any() else 0.0])
    before = np.zeros((len(a), 2), np.intp)
    for n in range(1, len(a)):
        ways = costs[:, None] + np.abs(leave[:, n - 1, None] - enter[None, :, n])
        before[n], costs = ways.argmin(0), ways.min(0)
        if still[n]:
            costs[1] = np.inf
    backwards = np.zeros(len(a), bool)
    state = int(costs.argmin())
    for n in range(len(a) - 1, -1, -1):
        backwards[n], state = bool(state), int(before[n, state])
    return backwards


def pen_order(starts: ArrayLike, ends: ArrayLike, home: ArrayLike = (0.0, 0.0)) -> PenOrder:
    """Order and directions for strokes from `starts` to `ends`, `[n, 2]` each.

    The pen starts at `home` and need not come back. It never travels further than in the order
    given.

    Raises:
        ClipassoError: shapes that do not fit, or numbers that are not finite.
    """
    a, b, origin = _places(starts, ends, home)
    count = len(a)
    best = PenOrder(np.arange(count), np.zeros(count, bool))
    if not count:
        return best
    least = np.inf
    for first in (_greedy(a, b, origin), best):
        order = _Way(a, b, first, origin).shorten()
        way = _way(a, b, order, origin)
        if way < least:
            best, least = order, way
    return best


def pen_travel(
    starts: ArrayLike,
    ends: ArrayLike,
    order: PenOrder | None = None,
    home: ArrayLike = (0.0, 0.0),
) -> float:
    """How far the pen travels in the air from `home` to the last stroke; `order` as given if None.

    Raises:
        ClipassoError: as `pen_order`.
    """
    a, b, origin = _places(starts, ends, home)
    count = len(a)
    return _way(a, b, order or PenOrder(np.arange(count), np.zeros(count, bool)), origin)


def _places(
    starts: ArrayLike, ends: ArrayLike, home: ArrayLike
) -> tuple[_Places, _Places, complex]:
    a, b, origin = (np.asarray(value, np.float64) for value in (starts, ends, home))
    if a.ndim != 2 or a.shape[1] != 2 or a.shape != b.shape or origin.shape != (2,):
        raise ClipassoError("starts and ends must have the shape [strokes, 2], home the shape [2]")
    if not all(np.isfinite(value).all() for value in (a, b, origin)):
        raise ClipassoError("starts, ends and home must be finite numbers")
    return a[:, 0] + 1j * a[:, 1], b[:, 0] + 1j * b[:, 1], complex(origin[0], origin[1])


def _way(a: _Places, b: _Places, order: PenOrder, home: complex) -> float:
    enter, leave = _along(a, b, order)
    return float(np.abs(enter - np.concatenate([[home], leave[:-1]])[: len(enter)]).sum())


def _along(a: _Places, b: _Places, order: PenOrder) -> tuple[_Places, _Places]:
    """Where each stroke is begun and left, in the order."""
    a, b = a[order.indices], b[order.indices]
    return np.where(order.backwards, b, a), np.where(order.backwards, a, b)


def _greedy(a: _Places, b: _Places, home: complex) -> PenOrder:
    """Always to the nearest end of a stroke that is not drawn yet."""
    from scipy.spatial import cKDTree

    count = len(a)
    ends = np.concatenate([a, b])
    todo = np.ones(count, bool)
    indices, backwards = np.zeros(count, np.intp), np.zeros(count, bool)
    here, inside, left = home, np.arange(0), 0
    for n in range(count):
        if 2 * left <= len(inside):  # half of the tree is drawn: a smaller one
            inside = np.flatnonzero(np.tile(todo, 2))
            left = len(inside)
            tree = cKDTree(np.stack([ends[inside].real, ends[inside].imag], axis=1))
        near, k = np.arange(0), 4
        while not len(near):
            found = np.atleast_1d(tree.query([here.real, here.imag], min(k, len(inside)))[1])
            near = found[todo[inside[found] % count]]
            k *= 4
        end = int(inside[near[0]])
        indices[n], backwards[n] = end % count, end >= count
        todo[end % count] = False
        left -= 2
        here = complex(ends[(end + count) % (2 * count)])
    return PenOrder(indices, backwards)


class _Way:
    """An order that is made shorter in place, step by step."""

    def __init__(self, a: _Places, b: _Places, order: PenOrder, home: complex) -> None:
        self.indices, self.backwards = order.indices.copy(), order.backwards.copy()
        self.enter, self.leave = _along(a, b, order)
        self.home, self.looks = home, 0
        extent = float(np.abs(np.concatenate([a, b]) - home).max(initial=0))
        self.least = max(_LEAST * extent, 1e-300)

    def shorten(self) -> PenOrder:
        """Turn runs round and move short ones elsewhere, as long as that saves way."""
        better = True
        while better and self.looks < _LOOKS:
            better = False
            for i in range(len(self.indices)):
                better |= self._turn(i)
                better |= any(self._move(i, i + size) for size in range(1, _MOVED + 1))
        return PenOrder(self.indices, self.backwards)

    def _before(self, i: int) -> complex:
        """Where the pen comes from to the i-th stroke."""
        return complex(self.leave[i - 1]) if i else self.home

    def _turn(self, i: int) -> bool:
        """Turn the run round that begins at i and saves most, if any does."""
        enter, leave, before = self.enter, self.leave, self._before(i)
        end = min(len(enter), i + _WINDOW)
        self.looks += end - i
        # The run i..j turned round: its end comes first, its beginning is left for j + 1.
        gain = np.abs(before - enter[i]) - np.abs(before - leave[i:end])
        after = enter[i + 1 : end + 1]  # one short where the run ends the way
        runs = len(after)
        gain[:runs] += np.abs(leave[i : i + runs] - after) - np.abs(enter[i] - after)
        best = int(gain.argmax())
        if gain[best] <= self.least:
            return False
        self._lay(i, i + best + 1, np.arange(i, i + best + 1)[::-1], slice(None))
        return True

    def _move(self, start: int, end: int) -> bool:
        """Move the run to where that saves most, in one direction or the other, if it does."""
        enter, leave, count = self.enter, self.leave, len(self.enter)
        if end > count:
            return False
        first, last, before = enter[start], leave[end - 1], self._before(start)
        gain = np.abs(before - first)
        if end < count:
            gain += np.abs(last - enter[end]) - np.abs(before - enter[end])
        if gain <= self.least:
            return False
        low, high = max(0, start - _WINDOW // 2), min(count, end + _WINDOW // 2)
        self.looks += high - low
        # Into the gap before stroke q; the last gap, behind all, has no other side.
        gaps = np.arange(low, high + 1)
        here = np.concatenate([[self._before(low)], leave[low:high]])
        there = enter[low : high + 1]
        inner = len(there)
        costs = np.stack([np.abs(here - first), np.abs(here - last)])
        costs[0, :inner] += np.abs(last - there) - np.abs(here[:inner] - there)
        costs[1, :inner] += np.abs(first - there) - np.abs(here[:inner] - there)
        costs[:, (gaps >= start) & (gaps <= end)] = np.inf
        turned, k = divmod(int(costs.argmin()), len(gaps))
        if gain - costs[turned, k] <= self.least:
            return False
        gap, run = int(gaps[k]), np.arange(start, end)[:: -1 if turned else 1]
        if gap < start:
            order = np.concatenate([run, np.arange(gap, start)])
            self._lay(gap, end, order, slice(end - start) if turned else slice(0))
        else:
            order = np.concatenate([np.arange(end, gap), run])
            self._lay(start, gap, order, slice(gap - end, None) if turned else slice(0))
        return True

    def _lay(self, start: int, end: int, order: NDArray[np.intp], turned: slice) -> None:
        """Put strokes `order` in places `start` to `end`, some of these turned round."""
        enter, leave = self.enter[order], self.leave[order]
        enter[turned], leave[turned] = leave[turned].copy(), enter[turned].copy()
        backwards = self.backwards[order]
        backwards[turned] = ~backwards[turned]
        place = slice(start, end)
        self.indices[place], self.backwards[place] = self.indices[order], backwards
        self.enter[place], self.leave[place] = enter, leave
