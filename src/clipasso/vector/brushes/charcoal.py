"""A stick of charcoal on rough paper."""

from __future__ import annotations

import numpy as np

from clipasso.vector.bezier import FloatArray
from clipasso.vector.brushes.base import Brush, Mark, Pixels
from clipasso.vector.brushes.noise import Noise
from clipasso.vector.brushes.trace import Trace, broadened

__all__ = ["Charcoal"]


class Charcoal(Brush):
    """Broad and dark in the middle, broken by the grain of the paper towards its edges."""

    name = "charcoal"
    about = "broad, dark in the middle and broken by the paper's grain at the edges; PNG only"
    vector = False
    textured = True

    WIDTH = 2.4  # times the stroke's width

    def marks(self, trace: Trace, width: float, rng: np.random.Generator) -> list[Mark]:
        noise = Noise(*rng.integers(2**31, size=2))
        first, last = trace.ends(8.0, 14.0)
        press = (0.8 + 0.4 * noise.line(trace.along, 22.0)) * (0.65 + 0.35 * first * last)
        press = press * (1 + 0.35 * trace.slowness)
        return [Mark(trace.points, broadened(width, self.WIDTH) / 2 * press, 0.9)]

    def ink(self, pixels: Pixels) -> FloatArray:
        inside = np.clip(pixels.depth / pixels.radius, 0, 1)
        tooth = pixels.paper.plane(pixels.x, pixels.y, 0.5, 4)
        patch = pixels.paper.plane(pixels.x + 50, pixels.y, 1.7, 2)
        grain = 0.62 * tooth + 0.38 * patch
        press = 0.2 + 0.62 * np.sqrt(inside)
        press += 0.3 * (pixels.noise.line(pixels.along, 16.0) - 0.5)
        solid = np.clip((press - grain) * 2.6 + 0.25, 0, 1)
        dust = 0.3 * inside * (1.2 - patch)  # what is rubbed into the hollows
        return np.asarray(1 - (1 - solid) * (1 - dust))
