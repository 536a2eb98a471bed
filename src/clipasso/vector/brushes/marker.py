"""A felt-tip pen."""

from __future__ import annotations

import numpy as np

from clipasso.vector.brushes.base import Brush, Mark
from clipasso.vector.brushes.calligraphy import flat_nib
from clipasso.vector.brushes.trace import Trace, broadened

__all__ = ["Marker"]


class Marker(Brush):
    """Flat and see-through, darker where strokes overlap; a little longer than the stroke."""

    name = "marker"
    about = "a felt tip: broad, flat, see-through, a little longer than each stroke"

    WIDTH = 2.6  # times the stroke's width
    OPACITY = 0.55

    def __init__(self) -> None:
        self._nib = flat_nib(65.0, 0.6)

    def marks(self, trace: Trace, width: float, rng: np.random.Generator) -> list[Mark]:
        over = width * rng.uniform(0.3, 1.0, 2)
        longer = trace.extended(float(over[0]), float(over[1]))
        radii = np.full(len(longer.points), broadened(width, self.WIDTH) / 2)
        return [Mark(longer.points, radii, self.OPACITY, self._nib)]
