"""A bristle brush with little paint."""

from __future__ import annotations

import numpy as np

from clipasso.vector.bezier import FloatArray
from clipasso.vector.brushes.base import Brush, Mark, Pixels
from clipasso.vector.brushes.noise import Noise
from clipasso.vector.brushes.trace import Trace, broadened

__all__ = ["DryBrush"]


class DryBrush(Brush):
    """Full where it is set down; the hairs part and leave streaks as the paint runs out."""

    name = "dry-brush"
    about = "bristles that part into streaks as their paint runs out; PNG only"
    vector = False
    textured = True

    WIDTH = 2.7  # times the stroke's width
    HAIRS = 13  # tufts across the brush
    RAGGED = 1.6  # of the brush's half width, how far its hairs start and end apart

    def marks(self, trace: Trace, width: float, rng: np.random.Generator) -> list[Mark]:
        noise = Noise(*rng.integers(2**31, size=2))
        drawn = trace.extended(0.8 * width, 1.4 * width)
        first, _ = drawn.ends(6.0, 6.0)
        press = 0.85 + 0.3 * noise.line(drawn.along, 35.0)
        return [Mark(drawn.points, broadened(width, self.WIDTH) / 2 * press * (0.8 + 0.2 * first))]

    def ink(self, pixels: Pixels) -> FloatArray:
        side = pixels.across / pixels.radius
        hair = side * self.HAIRS / 2
        streak = pixels.noise.plane(pixels.along / 90.0, hair, 1.0, 2)
        fine = pixels.noise.plane(pixels.along / 16.0, hair * 2.3 + 40, 1.0, 1)
        grain = pixels.paper.plane(pixels.x, pixels.y, 0.6, 3)
        run = np.clip(pixels.along / max(pixels.length, 1e-9), 0, 1)
        paint = 0.83 - 0.34 * run**0.8 - 0.12 * side**2
        bare = 0.56 * streak + 0.24 * fine + 0.20 * grain
        # Each hair touches down and is lifted at a place of its own.
        apart = self.RAGGED * pixels.radius * pixels.noise.line(hair, 0.8, 5)
        lifted = self.RAGGED * pixels.radius * pixels.noise.line(hair, 0.8, 9)
        from_ends = np.minimum(
            pixels.along + pixels.radius - apart,
            pixels.length + pixels.radius - pixels.along - lifted,
        )
        ends = np.clip(from_ends / (0.25 * pixels.radius) + 0.5, 0, 1)
        return np.asarray(np.clip((paint - bare) * 9.0, 0, 1) * ends)
