"""What a brush is: marks laid along a stroke, and perhaps a texture that they are drawn with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from clipasso.errors import ClipassoError
from clipasso.vector.bezier import FloatArray
from clipasso.vector.brushes.noise import Noise
from clipasso.vector.brushes.trace import Trace

__all__ = ["Brush", "Mark", "Pixels"]


@dataclass(frozen=True)
class Mark:
    """A nib drawn along points, growing and shrinking.

    Attributes:
        points: `[n, 2]`, n >= 1, units.
        radii: `[n]`, above 0: half the nib's width at each point, units.
        opacity: 0..1, of all of it, however often it crosses itself.
        nib: corners `[corners, 2]` of a convex nib for a radius of 1; None for a round one.
    """

    points: FloatArray
    radii: FloatArray
    opacity: float = 1.0
    nib: FloatArray | None = None


@dataclass(frozen=True)
class Pixels:
    """The pixels `[n]` that a round mark covers, as a texture sees them. Lengths are in units.

    Attributes:
        x, y: where they are on the sketch.
        depth: how far inside the mark's edge, -0.5 px at the least.
        radius: half the mark's width there.
        along: from the mark's start, along it; below 0 and above `length` in its round ends.
        across: from its middle line, to the right of its way positive.
        length: of the mark.
        noise: the stroke's own; `paper` the same for all strokes.
    """

    x: FloatArray
    y: FloatArray
    depth: FloatArray
    radius: FloatArray
    along: FloatArray
    across: FloatArray
    length: float
    noise: Noise
    paper: Noise


class Brush(ABC):
    """A way to draw strokes.

    All lengths are in units, of which a sketch's longer side has 224 whatever its own size: so
    marks and textures look the same in every file and at every size.

    Attributes:
        name: as people give it.
        about: a line that says what it looks like.
        vector: whether its marks by themselves look like it, so that an SVG can hold it.
        textured: whether pictures of it have a texture, by `ink`.
    """

    name: ClassVar[str]
    about: ClassVar[str]
    vector: ClassVar[bool] = True
    textured: ClassVar[bool] = False

    @abstractmethod
    def marks(self, trace: Trace, width: float, rng: np.random.Generator) -> list[Mark]:
        """What the brush leaves of one stroke, in drawing order; round nibs if it is textured.

        Args:
            trace: the stroke.
            width: of the stroke, above 0, units.
            rng: the stroke's own; the only source of chance.
        """

    def ink(self, pixels: Pixels) -> FloatArray:
        """How much of the ink stays at each pixel, `[n]` in 0..1; asked of textured brushes."""
        return np.ones(len(pixels.x))

    def turned(self, angle: float) -> Brush:
        """The brush with its nib at an angle, degrees from the horizontal.

        Raises:
            ClipassoError: it has no nib to turn, or that is no angle.
        """
        raise ClipassoError(f"--angle: {self.name} has no nib to turn; give it with calligraphy")
