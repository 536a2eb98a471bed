"""Strokes that move from one pose to the next."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clipasso.vector.animate.film import Animation
from clipasso.vector.bezier import FloatArray
from clipasso.vector.sketch import Sketch

__all__ = ["Moving", "smooth"]


class Moving(Animation):
    """As many strokes as are ever there, interpolated between poses: points, widths and colours.

    Args:
        poses: sketches of as many strokes and points each, all on one canvas, in the order in which
            they are drawn over each other. A stroke of width 0 is not there.
        arrivals, leaves: `[poses]`, seconds at which each is reached and left; in between it holds.
        exact: what is shown while a pose holds, in place of it: the same strokes, those that are
            not there left out, in an order of their own.
        eased: whether motion begins and ends slowly at each pose; else it is even.
    """

    def __init__(
        self, poses: Sequence[Sketch], arrivals: ArrayLike, leaves: ArrayLike,
        exact: Sequence[Sketch] | None = None, eased: bool = True,
    ) -> None:  # fmt: skip
        self.poses, self.exact = tuple(poses), tuple(poses if exact is None else exact)
        self.arrivals, self.leaves = np.asarray(arrivals, float), np.asarray(leaves, float)
        self.eased = eased
        self.still, self.duration = self.exact[-1], float(self.leaves[-1])

    def at(self, seconds: float) -> Sketch:
        """The strokes at a moment."""
        k = max(0, int(np.searchsorted(self.arrivals, seconds, side="right")) - 1)
        if seconds <= self.leaves[k] or k + 1 == len(self.poses):
            return self.exact[k]
        part = (seconds - self.leaves[k]) / (self.arrivals[k + 1] - self.leaves[k])
        part = float(smooth(part)) if self.eased else part
        before, after = self.poses[k], self.poses[k + 1]

        def between(name: str) -> FloatArray:
            a, b = getattr(before, name), getattr(after, name)
            return np.asarray((1 - part) * a + part * b)

        widths = between("widths")
        there = (before.widths > 0) | (after.widths > 0)
        moved = Sketch(
            between("points"), after.size, after.degree, widths=widths,
            colors=between("colors").clip(0, 1), opacities=between("opacities").clip(0, 1),
            metadata=after.metadata,
        )  # fmt: skip
        return moved if there.all() else moved.select(there)

    @property
    def looks(self) -> tuple[Sketch, ...]:
        """What is shown at the poses."""
        return self.exact

    @property
    def stops(self) -> tuple[FloatArray, NDArray[np.intp]]:
        """Moments between which strokes move or hold, seconds, and the pose at each of them."""
        times = np.stack([self.arrivals, self.leaves], axis=1).ravel()
        poses = np.repeat(np.arange(len(self.poses)), 2)
        new = np.diff(times, prepend=-1.0) > 0
        return times[new], poses[new]

    def to_svg(self, loop: int = 1) -> str:
        """A file with the last pose, and beside it, hidden from all but browsers, the motion."""
        from clipasso.vector.animate.timed import moving_svg

        return moving_svg(self, loop)


def smooth(part: float) -> float:
    """A share of a way after a share of its time, from rest to rest: 3 t^2 - 2 t^3.

    In style sheets and SVG the same is `cubic-bezier(1/3, 0, 2/3, 1)`.
    """
    return part * part * (3 - 2 * part)
