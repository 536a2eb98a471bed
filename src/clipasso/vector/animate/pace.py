"""How fast a hand draws: when each stroke begins and ends, and how far it is at every moment.

The rule, D being the canvas's longer side and 1 the speed of a hand in full swing (D a unit):

- The pen is at rest at both ends of a stroke. Over the first and the last D / 20 its speed grows
  as the root of the way, as under a constant force; a shorter stroke never comes to full swing.
- In a bend of radius R its speed is (R / R0)^(1/3), as the two-thirds power law of hand movement
  has it, for R below R0 = D / 10; not below a third, so that cusps are passed.
- A dot takes what a line of D / 200 takes.
- Between strokes the pen is lifted for D / 40, and for a third of the way to the next one.

The sum is then stretched to the time that is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clipasso.vector.bezier import FloatArray, bernstein
from clipasso.vector.sketch import Sketch

__all__ = ["Pace", "arc_lengths", "hands_pace"]

_RAMP = 1 / 20
_BEND = 1 / 10
_SLOWEST = 1 / 3
_DOT = 1 / 200
_LIFT = 1 / 40
_IN_AIR = 3.0

_FINE = 64  # parameters a stroke at which it is looked at, at least
_FINEST_SEGMENT = 4  # the same of a segment
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(4)


@dataclass(frozen=True, eq=False)
class Pace:
    """When the strokes of a sketch are drawn, in shares of the whole time, 0..1.

    Attributes:
        starts, ends: of each stroke, `[strokes]`; each starts no sooner than the one before ends.
        moments: shares of a stroke's own time, `[strokes, n]`, from 0 to 1.
        lengths: of the stroke that is drawn by then, a share of its arc length, `[strokes, n]`.
        parameters: where the pen is then, `[n]`: a parameter of the chain, from 0 to its segments.
    """

    starts: FloatArray
    ends: FloatArray
    moments: FloatArray
    lengths: FloatArray
    parameters: FloatArray

    def parameter(self, stroke: int, moment: float) -> float:
        """Where the pen is on a stroke at a share of the whole time."""
        return float(np.interp(self._own(stroke, moment), self.moments[stroke], self.parameters))

    def drawn(self, stroke: int, moment: float) -> float:
        """How much of a stroke's length is drawn by a share of the whole time."""
        own = self._own(stroke, moment)
        return float(np.interp(own, self.moments[stroke], self.lengths[stroke]))

    def _own(self, stroke: int, moment: float) -> float:
        start, end = self.starts[stroke], self.ends[stroke]
        return float((moment - start) / (end - start)) if end > start else float(moment >= end)


def hands_pace(sketch: Sketch) -> Pace:
    """When a hand would draw the strokes of a sketch, in their order, at the pace told above."""
    unit = max(sketch.size)
    parameters, lengths, radii = arc_lengths(sketch.scaled(1 / unit))
    whole = lengths[:, -1:]
    speed = np.clip(np.cbrt(radii / _BEND), _SLOWEST, 1.0)
    times = np.zeros_like(lengths)
    np.cumsum(np.diff(_from_rest(lengths, whole), axis=1) / speed, axis=1, out=times[:, 1:])
    taken = np.maximum(times[:, -1], _from_rest(np.full(1, _DOT), np.full(1, _DOT)))
    dots = whole[:, 0] <= 0
    times[dots] = taken[dots, None] * parameters / parameters[-1]
    ways = np.linalg.norm(sketch.points[1:, 0] - sketch.points[:-1, -1], axis=1) / unit
    lifted = np.concatenate([np.zeros(min(1, len(sketch))), _LIFT + ways / _IN_AIR])
    ends = np.cumsum(taken + lifted)
    total = ends[-1] if len(ends) else 1.0
    return Pace(
        starts=(ends - taken) / total,
        ends=ends / total,
        moments=times / np.maximum(times[:, -1:], np.finfo(float).tiny),
        lengths=np.where(dots[:, None], parameters / parameters[-1],
                         lengths / np.where(dots[:, None], 1.0, whole)),
        parameters=parameters,
    )  # fmt: skip


def arc_lengths(sketch: Sketch) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Arc lengths along strokes, and how they bend.

    Returns:
        parameters: of the chains, `[n]`, from 0 to the number of segments.
        lengths: from the start to there, `[strokes, n]`, units of the sketch.
        radii: of curvature between one and the next, `[strokes, n - 1]`; infinite where straight.
    """
    controls, degree, segments = sketch.controls, sketch.degree, sketch.segments
    steps = max(_FINEST_SEGMENT, -(-_FINE // segments))
    edges = np.linspace(0, 1, steps + 1)
    slopes = degree * np.diff(controls, axis=2)
    nodes = ((edges[:-1, None] + edges[1:, None] + _NODES / steps) / 2).ravel()
    speeds = np.linalg.norm(_along(slopes, nodes), axis=-1)
    parts = speeds.reshape(*speeds.shape[:2], steps, -1) @ _WEIGHTS / (2 * steps)
    lengths = np.zeros((len(sketch), segments * steps + 1))
    np.cumsum(parts.reshape(len(sketch), -1), axis=1, out=lengths[:, 1:])
    middles = (edges[:-1] + edges[1:]) / 2
    velocity, bend = _along(slopes, middles), np.zeros((*slopes.shape[:2], steps, 2))
    if degree > 1:
        bend = _along((degree - 1) * np.diff(slopes, axis=2), middles)
    cross = np.abs(velocity[..., 0] * bend[..., 1] - velocity[..., 1] * bend[..., 0])
    cubed = np.linalg.norm(velocity, axis=-1) ** 3
    radii = np.divide(cubed, cross, out=np.full(cross.shape, np.inf), where=cross > 0)
    parameters = np.linspace(0, segments, segments * steps + 1)
    return parameters, lengths, radii.reshape(len(sketch), -1)


def _along(curves: FloatArray, t: FloatArray) -> FloatArray:
    """Points `[strokes, segments, m, 2]` of Bezier curves `[strokes, segments, points, 2]`."""
    return np.asarray(bernstein(curves.shape[2] - 1, t) @ curves)


def _from_rest(way: FloatArray, whole: FloatArray) -> FloatArray:
    """The time to come so far along a straight line that begins and ends at rest."""

    def begun(way: FloatArray) -> FloatArray:
        near = 2 * np.sqrt(_RAMP * way.clip(0))
        return np.where(way < _RAMP, near, way + _RAMP)

    half = whole / 2
    second = 2 * begun(half) - begun(whole - way)
    return np.asarray(np.where(way <= half, begun(way), second))
