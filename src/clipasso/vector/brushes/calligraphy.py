"""A broad nib that keeps its angle."""

from __future__ import annotations

import math

import numpy as np

from clipasso.errors import ClipassoError
from clipasso.vector.bezier import FloatArray
from clipasso.vector.brushes.base import Brush, Mark
from clipasso.vector.brushes.trace import Trace, broadened

__all__ = ["Calligraphy", "flat_nib"]


class Calligraphy(Brush):
    """Thick across the nib, hairlines along it."""

    name = "calligraphy"
    about = "a broad nib held at an angle (--angle): thick across it, hairlines along it"

    WIDTH, THICKNESS = 2.3, 0.3  # times the stroke's width

    def __init__(self, angle: float = 40.0) -> None:
        if not math.isfinite(angle):
            raise ClipassoError(f"--angle {angle}: give degrees from the horizontal, as 40")
        self._nib = flat_nib(angle, self.THICKNESS / self.WIDTH)

    def turned(self, angle: float) -> Calligraphy:
        return Calligraphy(angle)

    def marks(self, trace: Trace, width: float, rng: np.random.Generator) -> list[Mark]:
        radii = np.full(len(trace.points), broadened(width, self.WIDTH) / 2)
        return [Mark(trace.points, radii, nib=self._nib)]


def flat_nib(angle: float, thickness: float) -> FloatArray:
    """A rectangle with rounded corners, 2 long and `2 * thickness` thick: `[24, 2]`.

    Args:
        angle: of its long side, degrees from the horizontal, anticlockwise as seen.
        thickness: 0..1.
    """
    corner = 0.5 * thickness
    turn = np.linspace(0, np.pi / 2, 6)
    corners = []
    for k, (x, y) in enumerate([(1, 1), (-1, 1), (-1, -1), (1, -1)]):
        arc = np.stack([np.cos(turn + k * np.pi / 2), np.sin(turn + k * np.pi / 2)], axis=1)
        corners.append(corner * arc + (x * (1 - corner), y * (thickness - corner)))
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    # y points down
    return np.asarray(np.concatenate(corners) @ np.array([[cos, -sin], [sin, cos]]))
