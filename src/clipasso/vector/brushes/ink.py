"""A pointed pen."""

from __future__ import annotations

import numpy as np

from clipasso.vector.brushes.base import Brush, Mark
from clipasso.vector.brushes.noise import Noise
from clipasso.vector.brushes.trace import Trace, smoothed

__all__ = ["Ink"]


class Ink(Brush):
    """Thin where the hand is quick, swelling where it slows to turn, with tapered ends."""

    name = "ink"
    about = "a pointed pen: swells in turns, tapers where it is lifted"

    THINNEST, THICKEST = 0.1, 1.7  # times the stroke's width

    def marks(self, trace: Trace, width: float, rng: np.random.Generator) -> list[Mark]:
        sway = Noise(*rng.integers(2**31, size=2)).line(trace.along, 30.0) - 0.5
        press = 0.72 + 1.5 * trace.slowness + 0.5 * sway
        first, last = trace.ends(max(8.0, 2 * width), max(26.0, 4 * width))
        # Dots and short strokes are not lifted in flight.
        lift = min(1.0, trace.length / (5 * width))
        taper = (1 - lift * 0.6 * (1 - first)) * (1 - lift * 0.88 * (1 - last))
        if len(press) > 2:
            press = smoothed(press, 5.0)
        factor = np.clip(press * taper, self.THINNEST, self.THICKEST)
        return [Mark(trace.points, width / 2 * factor)]
