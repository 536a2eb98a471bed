"""The strokes of several sketches as one sketch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from clipasso.vector.sketch import Sketch
from clipasso.vector.svg.alike import make_alike

__all__ = ["alike", "join"]


def join(sketches: Sequence[Sketch], metadata: Mapping[str, str] | None = None) -> Sketch:
    """All strokes, in the sketches' order, on the first one's canvas.

    Args:
        sketches: at least one; strokes of different makes become `alike`.
        metadata: of the whole; none by default.
    """
    sketches = alike(sketches)
    first = sketches[0]
    return Sketch(
        np.concatenate([sketch.points for sketch in sketches]),
        first.size,
        first.degree,
        widths=np.concatenate([sketch.widths for sketch in sketches]),
        colors=np.concatenate([sketch.colors for sketch in sketches]),
        opacities=np.concatenate([sketch.opacities for sketch in sketches]),
        metadata=metadata,
    )


def alike(sketches: Sequence[Sketch]) -> list[Sketch]:
    """Sketches whose strokes have one degree and one number of segments, of the same shapes."""
    kinds = {(sketch.degree, sketch.segments) for sketch in sketches}
    if len(kinds) == 1:
        return list(sketches)
    chains = [points for sketch in sketches for points in sketch.points]
    degrees = [[s.degree] * s.segments for s in sketches for _ in range(len(s))]
    made = make_alike(chains, degrees)
    owner = np.repeat(np.arange(len(sketches)), [len(s) for s in sketches])[made.origins]
    first = np.cumsum([0, *(len(s) for s in sketches)])
    result = []
    for k, sketch in enumerate(sketches):
        looks = sketch.select(made.origins[owner == k] - first[k])
        result.append(replace(looks, points=made.points[owner == k], degree=made.degree))
    return result
