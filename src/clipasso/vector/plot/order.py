"""In which order and direction a pen draws strokes, so that it travels little between them.

The nearest end comes next; then runs of strokes are turned round as long as that saves way (2-opt,
where a run of one is a stroke drawn from its other end). The same strokes give the same order.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clipasso.errors import ClipassoError
from clipasso.vector.sketch import Sketch

__all__ = ["PenOrder", "order_for_pen", "pen_order", "pen_travel"]

_Places: TypeAlias = NDArray[np.complex128]  # [n] x + iy

_WINDOW = 1000  # strokes that are turned round together, at most
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
    chosen = sketch.select(order.indices)
    points = np.where(order.backwards[:, None, None], chosen.points[:, ::-1], chosen.points)
    return Sketch(
        points, sketch.size, sketch.degree, widths=chosen.widths, colors=chosen.colors,
        opacities=chosen.opacities, metadata=sketch.metadata,
    )  # fmt: skip


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
        order = _turned(a, b, first, origin)
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


def _turned(a: _Places, b: _Places, order: PenOrder, home: complex) -> PenOrder:
    """Turn runs of strokes round as long as that saves way."""
    indices, backwards = order.indices.copy(), order.backwards.copy()
    enter, leave = _along(a, b, order)
    count, looks, better = len(indices), 0, True
    least = _LEAST * max(float(np.abs(np.concatenate([a, b]) - home).max()), 1e-300)
    while better and looks < _LOOKS:
        better = False
        for i in range(count):
            end = min(count, i + _WINDOW)
            looks += end - i
            before = leave[i - 1] if i else home
            # The run i..j turned round: its end comes first, its beginning is left for j + 1.
            gain = np.abs(before - enter[i]) - np.abs(before - leave[i:end])
            after = enter[i + 1 : end + 1]  # one short where the run ends the way
            runs = len(after)
            gain[:runs] += np.abs(leave[i : i + runs] - after) - np.abs(enter[i] - after)
            j = i + int(gain.argmax())
            if gain[j - i] <= least:
                continue
            run = slice(i, j + 1)
            indices[run] = indices[run][::-1]
            backwards[run] = ~backwards[run][::-1]
            enter[run], leave[run] = leave[run][::-1].copy(), enter[run][::-1].copy()
            better = True
    return PenOrder(indices, backwards)
