"""Sketches that turn into one another, stroke by stroke."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clipasso.vector.animate.matching import Match, along, match
from clipasso.vector.animate.moving import Moving
from clipasso.vector.bezier import FloatArray
from clipasso.vector.join import alike
from clipasso.vector.sketch import Sketch

__all__ = ["fitted", "morph"]

_NEAR = 65  # points of a stroke that one without a partner may grow from


def morph(sketches: Sequence[Sketch], seconds: float, hold: float) -> Moving:
    """Turn the first sketch into the second, that into the third, and so on.

    Strokes are paired as `match` does. One without a partner shrinks, or grows from, the nearest
    point of the stroke that it is nearest to. Sketches on other canvases than the first one's are
    laid into its middle, as large as fits. In motion strokes are drawn over each other as in the
    last sketch, with those below that it has not.

    Args:
        sketches: two or more, of at least one stroke each.
        seconds: of all motion together, shared evenly.
        hold: seconds for which each sketch is held.
    """
    shown = [sketches[0], *(fitted(sketch, sketches[0].size) for sketch in sketches[1:])]
    same = alike(shown)
    tracks = _Tracks.beginning(same[0])
    for before, after in pairwise(same):
        tracks = tracks.followed(match(before, after), before, after)
    motion = seconds / (len(same) - 1)
    arrivals = [k * (hold + motion) for k in range(len(same))]
    leaves = [arrival + hold for arrival in arrivals]
    return Moving(tracks.poses(same), arrivals, leaves, exact=shown)


def fitted(sketch: Sketch, size: tuple[float, float]) -> Sketch:
    """A sketch in the middle of a canvas of another size, as large as fits."""
    if sketch.size == size:
        return sketch
    factor = min(size[0] / sketch.size[0], size[1] / sketch.size[1])
    large = sketch.scaled(factor)
    dx, dy = (size[0] - large.size[0]) / 2, (size[1] - large.size[1]) / 2
    return large.translated(dx, dy).with_size(size)


class _Pose(NamedTuple):
    """What is known of every track at one sketch."""

    stroke: NDArray[np.intp]  # [tracks] the sketch's stroke that it is, or -1
    points: FloatArray  # [tracks, points, 2]


class _Tracks(NamedTuple):
    """Strokes through all sketches: each is a stroke in some, and a point in the others."""

    columns: tuple[_Pose, ...]  # one a sketch so far

    @classmethod
    def beginning(cls, sketch: Sketch) -> _Tracks:
        numbers = np.arange(len(sketch))
        return cls((_Pose(numbers, sketch.points),))

    def followed(self, found: Match, before: Sketch, after: Sketch) -> _Tracks:
        """The same tracks one sketch further, and those that begin with it."""
        last = self.columns[-1]
        old, new = len(last.stroke), len(found.gained)
        track_of = np.empty(len(before), np.intp)
        track_of[last.stroke[last.stroke >= 0]] = np.flatnonzero(last.stroke >= 0)
        stroke = np.concatenate([np.full(old, -1, np.intp), found.gained])
        points = np.concatenate([last.points, after.points[found.gained]])
        mine = track_of[found.first]
        stroke[mine] = found.second
        # A track may itself run against its stroke of the sketch before.
        against = (last.points[mine] != before.points[found.first]).any((1, 2)) ^ found.turned
        moved = after.points[found.second]
        points[mine] = np.where(against[:, None, None], moved[:, ::-1], moved)
        gone = track_of[found.lost]
        ends = _nearest_points(before.select(found.lost), after.select(found.nearest[0]))
        points[gone] = ends[:, None]
        births = _nearest_points(after.select(found.gained), before.select(found.nearest[1]))
        kept = [
            _Pose(
                np.concatenate([column.stroke, np.full(new, -1, np.intp)]),
                np.concatenate([column.points, _dots(births, column.points.shape[1])]),
            )
            for column in self.columns
        ]
        return _Tracks((*kept, _Pose(stroke, points)))

    def poses(self, sketches: Sequence[Sketch]) -> list[Sketch]:
        """A sketch of all tracks at each of the sketches; those that are no stroke have no width.

        Their looks are those of the nearest sketch in which they are one.
        """
        last = self.columns[-1].stroke
        order = np.lexsort((np.where(last >= 0, last, np.arange(len(last))), last >= 0))
        there = np.array([column.stroke >= 0 for column in self.columns])  # [sketches, tracks]
        made = []
        for k, (sketch, column) in enumerate(zip(sketches, self.columns, strict=True)):
            away = np.where(there, np.abs(np.arange(len(there)) - k)[:, None], len(there))
            source = away.argmin(0)  # [tracks] a sketch
            looks = [(sketches[n], self.columns[n].stroke[t]) for t, n in enumerate(source)]
            whole = Sketch(
                column.points, sketch.size, sketch.degree,
                widths=[s.widths[i] if there[k, t] else 0.0 for t, (s, i) in enumerate(looks)],
                colors=np.array([s.colors[i] for s, i in looks]),
                opacities=[s.opacities[i] for s, i in looks],
                metadata=sketch.metadata,
            )  # fmt: skip
            made.append(whole.select(order))
        return made


def _dots(points: FloatArray, count: int) -> FloatArray:
    return np.repeat(points[:, None], count, axis=1)


def _nearest_points(strokes: Sketch, others: Sketch) -> FloatArray:
    """For each stroke the point of its other one that is nearest to its middle, `[strokes, 2]`."""
    if not len(strokes):
        return np.empty((0, 2))
    middles = along(strokes, 3)[:, 1]
    points = along(others, _NEAR)
    best = np.linalg.norm(points - middles[:, None], axis=2).argmin(1)
    return np.asarray(points[np.arange(len(strokes)), best])
