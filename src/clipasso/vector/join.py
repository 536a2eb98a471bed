"""The strokes of several sketches as one sketch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from clipasso.errors import ClipassoError
from clipasso.vector.sketch import Sketch

__all__ = ["join"]


def join(sketches: Sequence[Sketch], metadata: Mapping[str, str] | None = None) -> Sketch:
    """All strokes, in the sketches' order, on the first one's canvas.

    Args:
        sketches: at least one; their strokes are of one make.
        metadata: of the whole; none by default.

    Raises:
        ClipassoError: strokes of different degrees.
        ValueError: strokes with different numbers of points.
    """
    first = sketches[0]
    if any(sketch.degree != first.degree for sketch in sketches):
        raise ClipassoError("sketches whose strokes have different degrees cannot be joined")
    return Sketch(
        np.concatenate([sketch.points for sketch in sketches]),
        first.size,
        first.degree,
        widths=np.concatenate([sketch.widths for sketch in sketches]),
        colors=np.concatenate([sketch.colors for sketch in sketches]),
        opacities=np.concatenate([sketch.opacities for sketch in sketches]),
        metadata=metadata,
    )
