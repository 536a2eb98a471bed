"""Rounded corners of a photo on a ground of one colour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["rounded_by"]

_NOISE, _STEP = 7.0, 11.0  # scaled CIELAB: what is of the ground's colour, and what is not
_GROUND, _ARC = 0.9, 0.6  # of what is outside of the arc, and of the pixels along its inner side
_ROUND = 0.15  # of the picture's shorter side, a corner's radius at most

Picture = NDArray[np.float32]


def rounded_by(lab: Picture) -> int:
    """How far the photo's sides must move in to leave its rounded corners out, px."""
    reach = int(_ROUND * min(lab.shape[:2]))
    flips = (slice(None), slice(None, None, -1))
    corners = [lab[y, x][:reach, :reach] for y in flips for x in flips]
    colours = np.array([corner[:2, :2].mean((0, 1)) for corner in corners])
    colour = np.median(colours, axis=0)
    depths = [d for d in (_corner(corner, colour) for corner in corners) if d]
    if len(depths) < 3 or np.ptp(depths) > 1 + 0.2 * max(depths):
        return 0
    return max(depths)


def _corner(view: Picture, colour: NDArray[np.float32]) -> int:
    """How deep along the diagonal the upper left corner is of a colour; 0 for none that is round.

    Args:
        view: square, where the whole corner is.
        colour: scaled CIELAB.
    """
    away = np.linalg.norm(view - colour, axis=2)
    diagonal = np.diagonal(away)
    if not (diagonal > _NOISE).any():
        return 0
    depth = int((diagonal > _NOISE).argmax())
    radius = (depth + 0.5) / (1 - 0.5**0.5)
    if depth < 2 or radius > len(view):
        return 0
    y, x = np.mgrid[: len(view), : len(view)] + 0.5
    beyond = np.hypot(radius - x, radius - y) - radius
    beyond[(x > radius) | (y > radius)] = -np.inf
    outside, inside = away[beyond > 2], away[(beyond < -2) & (beyond > -4)]
    if not outside.size or (outside <= _NOISE).mean() < _GROUND:
        return 0
    return depth if (inside > _STEP).mean() > _ARC else 0
