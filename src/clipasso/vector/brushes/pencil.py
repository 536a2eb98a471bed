"""A soft pencil on drawing paper."""

from __future__ import annotations

import numpy as np

from clipasso.vector.bezier import FloatArray
from clipasso.vector.brushes.base import Brush, Mark, Pixels
from clipasso.vector.brushes.noise import Noise
from clipasso.vector.brushes.trace import Trace

__all__ = ["Pencil"]


class Pencil(Brush):
    """Each stroke is gone over three times, never quite on the same line."""

    name = "pencil"
    about = "each stroke gone over three times; on the grain of the paper in a PNG"
    textured = True

    LINES = 3
    ASTRAY = 0.55  # of the stroke's width, how far a line strays from it
    WIDTH = 0.5  # of the stroke's width, each line's

    def marks(self, trace: Trace, width: float, rng: np.random.Generator) -> list[Mark]:
        marks = []
        for _ in range(self.LINES):
            drawn = trace.extended(*(width * rng.uniform(-0.5, 1.2, 2)))
            noise = Noise(*rng.integers(2**31, size=2))
            astray = [noise.line(drawn.along, 40.0, row) - 0.5 for row in (0, 1)]
            points = drawn.points + 2 * self.ASTRAY * width * np.stack(astray, axis=1)
            first, last = drawn.ends(6.0, 12.0)
            press = 0.8 + 0.5 * noise.line(drawn.along, 18.0, 2)
            radii = width / 2 * self.WIDTH * press * (0.5 + 0.5 * first * last)
            marks.append(Mark(points, radii, 0.75))
        return marks

    def ink(self, pixels: Pixels) -> FloatArray:
        grain = pixels.paper.plane(pixels.x, pixels.y, 0.5, 4)
        press = 0.62 + 0.5 * pixels.noise.line(pixels.along, 14.0)
        core = np.clip(pixels.depth / pixels.radius, 0, 1)
        soft = core * (2 - core)  # graphite thins out towards a line's edges
        return np.asarray(np.clip(1.05 * press * soft + 1.7 * (0.44 - grain), 0, 1))
