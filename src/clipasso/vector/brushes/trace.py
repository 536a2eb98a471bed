"""A stroke as a hand draws it: points at even steps, and how fast the hand goes at each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from clipasso.vector.bezier import FloatArray

__all__ = ["SIDE", "STEP", "Trace", "broadened", "smoothed"]

SIDE = 224.0
"""Units in a sketch's longer side."""

STEP = 0.5  # units between points
_CORNER = 0.5  # radians; points where a line turns more are kept
_SAME = 1e-6  # units; points nearer than that are one
_CALM = 0.04  # of curvature per unit: where the hand is at about three quarters of its speed


@dataclass(frozen=True)
class Trace:
    """Points along a stroke.

    Attributes:
        points: `[n, 2]`, n >= 1; one alone is a dot.
        along: `[n]`, rising: how far each is from the first, along the stroke, units.
    """

    points: FloatArray
    along: FloatArray

    @classmethod
    def of(cls, line: FloatArray, step: float = STEP) -> Trace:
        """From a polyline `[m, 2]`, m >= 1, with a point at each of its corners."""
        apart = np.linalg.norm(np.diff(line, axis=0), axis=1)
        line = line[np.append(True, apart > _SAME)]
        parts = np.diff(line, axis=0)
        along = np.append(0.0, np.cumsum(np.linalg.norm(parts, axis=1)))
        if len(line) < 2:
            return cls(line, along)
        angles = np.arctan2(parts[:, 1], parts[:, 0])
        corners = along[1:-1][np.abs(_turns(angles)) > _CORNER]
        even = np.linspace(0, along[-1], max(2, int(np.ceil(along[-1] / step)) + 1))
        where = np.unique(np.concatenate([even, corners]))
        where = where[np.append(True, np.diff(where) > _SAME)]
        points = np.stack([np.interp(where, along, line[:, k]) for k in (0, 1)], axis=1)
        return cls(points, where)

    @property
    def length(self) -> float:
        """Units."""
        return float(self.along[-1])

    @cached_property
    def headings(self) -> FloatArray:
        """Unit vectors `[n, 2]` of the way it goes; (1, 0) for a dot."""
        if len(self.points) < 2:
            return np.array([[1.0, 0.0]])
        parts = np.diff(self.points, axis=0)
        parts /= np.linalg.norm(parts, axis=1, keepdims=True)
        both = np.concatenate([parts[:1], parts[:-1] + parts[1:], parts[-1:]])
        sizes = np.linalg.norm(both, axis=1, keepdims=True)
        after = np.concatenate([parts, parts[-1:]])  # where it turns right round
        return np.asarray(np.where(sizes > 1e-9, both / np.maximum(sizes, 1e-9), after))

    @cached_property
    def slowness(self) -> FloatArray:
        """`[n]` in 0..1: 0 on a straight line, 1 where the hand stops to turn.

        People draw with a speed that falls with the cube root of the curvature (the two-thirds
        power law of movement).
        """
        if len(self.points) < 3:
            return np.zeros(len(self.points))
        turns = np.zeros(len(self.points))
        parts = np.diff(self.points, axis=0)
        turns[1:-1] = np.abs(_turns(np.arctan2(parts[:, 1], parts[:, 0])))
        steps = np.gradient(self.along)
        curvature = np.maximum(smoothed(turns / steps, 2.0 / STEP), 0.0)
        return np.asarray(1.0 - np.cbrt(_CALM / (_CALM + curvature)))

    def ends(self, start: float, end: float) -> tuple[FloatArray, FloatArray]:
        """Where each point is between the ends and the middle: two ramps `[n]` from 0 to 1.

        Args:
            start, end: how long each ramp is at most, units; a short stroke has them over a third
                and half of its length.
        """
        if self.length <= 0:
            return np.ones(1), np.ones(1)
        first = self.along / min(start, self.length / 3)
        last = (self.length - self.along) / min(end, self.length / 2)
        return _eased(first), _eased(last)

    def extended(self, start: float, end: float) -> Trace:
        """Longer at both ends, straight on, by so many units; shorter where they are below 0.

        A dot stays one. No end is cut by more than a quarter of the length.
        """
        if self.length <= 0:
            return self
        start, end = (max(float(by), -self.length / 4) for by in (start, end))
        keep = (self.along > max(0.0, -start)) & (self.along < self.length - max(0.0, -end))
        first = self.points[0] - start * self.headings[0] if start >= 0 else self._at(-start)
        straight = self.points[-1] + end * self.headings[-1]
        last = straight if end >= 0 else self._at(self.length + end)
        inner = [self.points[:1]] * (start > 0) + [self.points[keep]]
        inner += [self.points[-1:]] * (end > 0)
        return Trace.of(np.concatenate([first[None], *inner, last[None]]))

    def _at(self, along: float) -> FloatArray:
        return np.array([np.interp(along, self.along, self.points[:, k]) for k in (0, 1)])


def broadened(width: float, factor: float) -> float:
    """A stroke's width times `factor`, less where it is broad already: a brush has its size."""
    return width * (1 + (factor - 1) * 6.0 / (6.0 + max(0.0, width - 3.0)))


def smoothed(values: FloatArray, sigma: float) -> FloatArray:
    """Values `[n, ...]` blurred along the first axis by a Gaussian of `sigma` steps."""
    from scipy.ndimage import gaussian_filter1d

    return np.asarray(gaussian_filter1d(values, sigma, axis=0, mode="nearest"))


def _turns(angles: FloatArray) -> FloatArray:
    """How far each direction turns from the one before, in -pi..pi."""
    return np.asarray((np.diff(angles) + np.pi) % (2 * np.pi) - np.pi)


def _eased(ramp: FloatArray) -> FloatArray:
    clipped = np.clip(ramp, 0, 1)
    return np.asarray(clipped * clipped * (3 - 2 * clipped))
