"""Lay strokes on a photo: the first ones of a seed, and in place of those that left the page."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from clipasso.optimise.strokes import Drawing
from clipasso.settings import Settings
from clipasso.start.sampling import initial_strokes, sample_positions
from clipasso.start.trace import EdgeField, edge_field, traced_strokes

__all__ = ["Laying"]

Points = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Laying:
    """How strokes are laid on a photo.

    Attributes:
        distribution: `[canvas, canvas]`, sums to 1; where they start.
        pixels: `[canvas, canvas, 3]`, 0..1, whose edges they follow.
        allowed: `[canvas, canvas]`, where they may run.
        settings: of these the strokes' make, `start`, `spread` and `seed`.
    """

    distribution: NDArray[np.float64]
    pixels: NDArray[np.float32]
    allowed: NDArray[np.bool_]
    settings: Settings

    @cached_property
    def _field(self) -> EdgeField:
        return edge_field(self.pixels, len(self.pixels) / 224)

    def strokes(
        self, count: int, rng: np.random.Generator, beside: Drawing | None = None, of: int = 0
    ) -> Points:
        """Lay so many strokes, `[count, points, 2]` in canvas px.

        Args:
            beside: one seed's strokes that are there already; new ones keep away from them.
            of: how many strokes there will be, where that is more than `count`.
        """
        made, size = self.settings, len(self.pixels)
        taken = np.empty((0, 2))
        if beside is not None:
            along = np.linspace(0, 1, 5 if made.start == "walk" else 33)
            taken = beside.to_sketch((size, size)).evaluate(along).reshape(-1, 2)
        if made.start == "walk":
            starts = sample_positions(
                self.distribution, count, rng, spread=made.spread, taken=taken
            )
            return initial_strokes(starts, made.points_per_stroke, size, rng)
        return traced_strokes(
            self.distribution, self._field, self.allowed, count, rng,
            degree=made.control_points - 1, segments=made.segments_each, taken=taken, of=of,
        )  # fmt: skip

    def anew(self, count: int, seed: int, step: int, beside: Drawing) -> Points:
        """`strokes` in place of some that were lost at a step; the same for the same seed."""
        rng = np.random.default_rng((self.settings.seed_of(seed), step))
        return self.strokes(count, rng, beside, self.settings.strokes)
