"""Bold strokes for a thin pen: passes side by side until the ink is as wide as the stroke.

The pen follows lines of one distance from the stroke's centre line each, which are rings around it,
and the centre line itself where rings leave it out. From one to the next it stays on the paper
where it can go within the stroke.
"""

from __future__ import annotations

from math import acos, ceil, pi
from typing import TYPE_CHECKING

import numpy as np

from clipasso.errors import ClipassoError
from clipasso.vector.bezier import FloatArray
from clipasso.vector.sketch import Sketch

if TYPE_CHECKING:
    from shapely import LineString, Point
    from shapely.geometry.base import BaseGeometry

__all__ = ["passes"]

_TOLERANCE = 0.02  # mm that rings are off at most, and a stroke of one line wider than the pen
_FINE = 1 / 25  # of the pen: a fine one's rings are off by less, or paper would show between them
_STEP = 0.9  # of the pen, from one pass to the next at most: they overlap by a tenth
_MOST = 1000  # passes side by side; more are a slip in a unit
_DOT = 1e-6  # mm: a shorter stroke is a dot


def passes(chain: FloatArray, width: float, pen: float) -> list[FloatArray]:
    """What a pen draws so that its ink is all of a round-capped stroke and nothing else.

    The pen's centre stays half its width within the stroke's outline, and half its width from some
    pass lies every point of the stroke: to 0.02 mm, or less for pens under half a millimetre.

    Args:
        chain: the centre line, `[segments, degree + 1, 2]` mm.
        width: the stroke's, mm.
        pen: its width, mm.

    Returns:
        Chains of the same degree, each drawn without lifting the pen, mostly a single one: rings of
        straight segments from the outermost inwards, a short way from one to the next, and last
        the centre line if it is needed. The centre line alone if the stroke is no wider than the
        pen.

    Raises:
        ClipassoError: the stroke is more than a thousand pens wide.
    """
    tolerance = min(_TOLERANCE, _FINE * pen)
    if width <= pen + tolerance:
        return [chain]
    spread = width - pen  # of the pen's centre
    count = ceil(spread / (_STEP * pen)) + 1
    if count > _MOST:
        raise ClipassoError(
            f"--pen {pen:g}mm: would fill a stroke of {width:.3g} mm in {count} passes; give a "
            "wider pen or leave out --fill"
        )
    line, degree = _centre_line(chain, tolerance / 8), chain.shape[1] - 1
    # An even number of passes side by side has none in the middle.
    radii = [spread * (0.5 - k / (count - 1)) for k in range(count // 2)]
    middle = count % 2 == 1
    rings: list[FloatArray] = []
    for radius, inner in zip(radii, [*radii[1:], 0.0], strict=True):
        shape = _widened(line, radius, tolerance / 8)
        missed = shape.buffer(-pen / 2)  # what this ring does not reach
        if inner or middle:
            missed = missed.difference(_widened(line, inner + pen / 2, tolerance / 8))
        left = _thick(missed, tolerance)
        if left and not inner and not middle:
            middle, left = True, []  # a stroke beside itself is wider than its innermost ring's ink
        rings += _rings(shape, min(tolerance / 2, radius / 20))
        # In the corner of a sharp bend two rings are further apart than along its sides.
        for area in left:
            rings += _spot(area, pen, tolerance / 2)
    within = _widened(line, spread / 2 + tolerance, tolerance / 8)
    drawn = [_straight(path, degree) for path in _linked(rings, chain[0, 0], within, width)]
    if not middle:
        return drawn
    for k, path in enumerate(drawn):
        for way in (chain, chain[::-1, ::-1]):
            ends = path[-1, -1], way[0, 0]
            if _is_open(*ends, within, width):
                drawn[k] = np.concatenate([path, _straight(np.stack(ends), degree), way])
                return drawn
    return [*drawn, chain]


def _centre_line(chain: FloatArray, tolerance: float) -> BaseGeometry:
    """As a polyline, or a point if it has no length."""
    from shapely import LineString, Point

    points = np.concatenate([chain[0, :1], *chain[:, 1:]])
    if np.ptp(points, axis=0).max() < _DOT:
        return Point(points[0])
    (line,) = Sketch(points[None], (1, 1), chain.shape[1] - 1).flatten(tolerance)
    return LineString(line)


def _widened(line: BaseGeometry, radius: float, tolerance: float) -> BaseGeometry:
    """All that is as near as this, with arcs in as many corners as they need."""
    angle = acos(1 - min(tolerance / radius, 0.5))  # half of what one chord spans
    return line.buffer(radius, quad_segs=ceil(pi / 4 / angle))


def _thick(area: BaseGeometry, tolerance: float) -> list[BaseGeometry]:
    """The parts of an area that are more than slivers."""
    from shapely import get_parts

    return [part for part in get_parts(area) if not part.buffer(-tolerance).is_empty]


def _spot(area: BaseGeometry, pen: float, tolerance: float) -> list[FloatArray]:
    """How a spot narrower than the pen is inked: a dot if that will do, or around its edge."""
    middle = area.representative_point()
    if middle.hausdorff_distance(area) <= pen / 2:
        return [np.repeat([[middle.x, middle.y]], 2, axis=0)]
    return _rings(area, tolerance)


def _rings(area: BaseGeometry, tolerance: float) -> list[FloatArray]:
    """Outlines and those of holes, `[3 or more, 2]`, the first point repeated at the end."""
    from shapely import get_coordinates, get_rings

    return [get_coordinates(ring) for ring in get_rings(area.simplify(tolerance))]


def _linked(
    rings: list[FloatArray], start: FloatArray, within: BaseGeometry, longest: float
) -> list[FloatArray]:
    """Rings as paths of the pen, each on to the nearest of those left to which it may stay down.

    Args:
        rings: polylines `[n, 2]` that end where they start.
        start: what the first one starts nearest to.
        within: where the pen may go.
        longest: mm from one ring to the next.
    """
    from shapely import LineString, Point

    first, *left = map(LineString, rings)
    paths = [[_turned(first, Point(start))]]
    while left:
        here = paths[-1][-1][-1]
        at = Point(here)
        near = sorted(left, key=at.distance)
        ways = (ring for ring in near if _is_open(here, _turned(ring, at)[0], within, longest))
        taken = next(ways, None)
        if taken is None:  # the pen is lifted
            taken = near[0]
            paths.append([])
        left.remove(taken)
        paths[-1].append(_turned(taken, at))
    return [np.concatenate(path) for path in paths]


def _turned(ring: LineString, at: Point) -> FloatArray:
    """The points of a closed line, from the place on it that is nearest to a point."""
    from shapely import get_coordinates
    from shapely.ops import substring

    if not ring.length:  # a dot
        return np.asarray(get_coordinates(ring))
    place = ring.project(at)
    to_end, to_place = substring(ring, place, ring.length), substring(ring, 0, place)
    return np.concatenate([get_coordinates(to_end), get_coordinates(to_place)[1:]])


def _is_open(start: FloatArray, end: FloatArray, within: BaseGeometry, longest: float) -> bool:
    """Whether the pen may go straight from one point to another without being lifted."""
    from shapely import LineString

    link = LineString([start, end])
    return bool(link.length <= longest and within.covers(link))


def _straight(points: FloatArray, degree: int) -> FloatArray:
    """A polyline `[n, 2]` as a chain of that degree."""
    steps = np.linspace(0, 1, degree + 1)[:, None]
    return (1 - steps) * points[:-1, None] + steps * points[1:, None]
