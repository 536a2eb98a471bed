"""The way of a result's strokes, from the first ones to the end (figure 7), as an animation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from clipasso.optimise.page import Page
from clipasso.vector.animate.recorded import recorded

if TYPE_CHECKING:
    from clipasso.pipeline.result import Result
    from clipasso.vector.animate.moving import Moving
    from clipasso.vector.sketch import Sketch

__all__ = ["record", "states"]


def record(result: Result, seconds: float, hold: float) -> Moving:
    """An animation of the winner's strokes; see `Result.recording`."""
    return recorded(states(result), seconds, hold)


def states(result: Result) -> list[Sketch]:
    """The winner's strokes at each evaluation up to its best, which is the result's sketch.

    They are in the photo's frame and cut where the photo ends, as the result's are.
    """
    out, frame, page = result.outcome, result.photo.frame, Page.of(result.photo)
    losses = [values[out.winner] for _, values in out.curve]
    finite = [k for k, loss in enumerate(losses) if math.isfinite(loss)]
    best = min(finite, key=losses.__getitem__, default=0)
    before = [drawing.only(out.winner) for drawing in out.history[:best]]
    return [
        result.arrangement.of(page.cut(drawing).to_sketch((frame.width, frame.height), frame))
        for drawing in before
        if torch.isfinite(drawing.points).all()  # else a step has gone wrong
    ] + [result.sketch]
