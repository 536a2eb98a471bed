"""A sketch drawn stroke by stroke, at a hand's pace."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from clipasso.vector.animate.film import Animation
from clipasso.vector.animate.pace import hands_pace
from clipasso.vector.bezier import part, subdivided
from clipasso.vector.sketch import Sketch

__all__ = ["Drawing"]


class Drawing(Animation):
    """The strokes of a sketch in their order, each growing from its first point to its last.

    Args:
        sketch: at least one stroke.
        seconds: that drawing takes.
        hold: seconds that the finished sketch is held.

    Attributes:
        pace: when each stroke is drawn, in shares of `seconds`.
    """

    def __init__(self, sketch: Sketch, seconds: float, hold: float) -> None:
        self.still, self.seconds, self.duration = sketch, seconds, seconds + hold
        self.pace = hands_pace(sketch)

    def at(self, seconds: float) -> Sketch:
        """The strokes as far as they are drawn, the last one cut exactly where the pen is."""
        moment, pace = seconds / self.seconds, self.pace
        done = int(np.searchsorted(pace.ends, moment, side="right"))
        if done == len(self.still) or moment >= 1:
            return self.still
        if moment <= pace.starts[done]:
            return self.still[:done]
        end = pace.parameter(done, moment)
        drawn = self.still[: done + 1]
        points = drawn.points.copy()
        chain = self.still.controls[done]
        begun = part(chain, 0.0, end) or [np.broadcast_to(chain[0, 0], chain[0].shape)]
        curves = subdivided(begun, len(chain))
        points[done] = np.concatenate([curves[0, :1], *curves[:, 1:]])
        return replace(drawn, points=points)

    @property
    def looks(self) -> tuple[Sketch, ...]:
        """The sketch."""
        return (self.still,)

    def to_svg(self, loop: int = 1) -> str:
        """The sketch's own file, with a style sheet by which browsers draw it stroke by stroke."""
        from clipasso.vector.animate.styled import drawn_svg

        return drawn_svg(self, loop)
