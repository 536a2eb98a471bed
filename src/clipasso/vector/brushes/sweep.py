"""Outlines of marks: the union of a nib's places, which cusps and loops leave no artefacts in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clipasso.vector.bezier import FloatArray

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from clipasso.vector.brushes.base import Mark

__all__ = ["TOLERANCE", "outline", "rings"]

TOLERANCE = 0.02
"""Units that an outline may be off: a third of a pixel where the longer side has 4096."""


def outline(mark: Mark) -> BaseGeometry:
    """The area that a mark covers, as a shapely polygon or several.

    Between two places a nib covers their convex hull; the mark is the union of these.
    """
    import shapely

    nib = _round(float(mark.radii.max())) if mark.nib is None else mark.nib
    places = mark.points[:, None] + mark.radii[:, None, None] * nib  # [n, corners, 2]
    if len(places) > 1:
        places = np.concatenate([places[:-1], places[1:]], axis=1)
    hulls = shapely.convex_hull(shapely.multipoints(places))
    return shapely.simplify(shapely.union_all(hulls), TOLERANCE / 2)


def rings(area: BaseGeometry) -> list[FloatArray]:
    """Closed rings `[m, 2]` of an area, the first point not repeated; holes turn the other way."""
    import shapely

    found = []
    for polygon in shapely.get_parts(area):
        turned = shapely.orient_polygons(polygon)
        found += [shapely.get_coordinates(ring)[:-1] for ring in shapely.get_rings(turned)]
    return found


def _round(radius: float) -> FloatArray:
    """A circle of radius 1, with as many corners as one of `radius` needs."""
    off = min(TOLERANCE / 2 / max(radius, TOLERANCE), 1.0)
    count = int(np.clip(np.ceil(np.pi / np.arccos(1 - off)), 8, 256))
    angles = np.arange(count) * (2 * np.pi / count)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)
