"""Sketches shown while they are made, in the photo's frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from clipasso.optimise.page import Page

if TYPE_CHECKING:
    from clipasso.optimise.showing import Look
    from clipasso.optimise.strokes import Drawing
    from clipasso.photo.canvas import Photo
    from clipasso.pipeline.prepare import Prepared
    from clipasso.vector.sketch import Sketch

__all__ = ["Preview", "first_preview", "shown_looks"]


@dataclass(frozen=True, eq=False)
class Preview:
    """What `on_preview` is called with.

    Attributes:
        sketch: the strokes of the seed that leads, in the photo's frame and cut where the photo
            ends, as the result's will be. The last preview's is the result's.
        step, steps: gradient steps that lie behind, and that there will be at most. At step 0 these
            are the first strokes, of the first seed, before anything was compared.
        photo: which of the photos that are sketched together, from 0.
        finished: whether this is the result's sketch.
    """

    sketch: Sketch
    step: int
    steps: int
    photo: int = 0
    finished: bool = False


def first_preview(prepared: Prepared, number: int) -> Preview | None:
    """The first strokes, as soon as they are laid."""
    steps = prepared.settings.iterations
    sketch = _in_frame(prepared.start.drawing.only(0), prepared.photo, 0)
    return None if sketch is None else Preview(sketch, 0, steps, number)


def shown_looks(
    prepared: Sequence[Prepared], numbers: Sequence[int], show: Callable[[Preview], None]
) -> Callable[[Look], None]:
    """What the loop is to call with strokes.

    Args:
        prepared: the photos that are optimised together.
        numbers: which of the caller's photos each of them is.
        show: is given the previews.
    """

    def on_look(look: Look) -> None:
        sketch = _in_frame(look.drawing, prepared[look.photo].photo, look.step)
        if sketch is not None:
            show(Preview(sketch, look.step, look.steps, numbers[look.photo]))

    return on_look


def _in_frame(drawing: Drawing, photo: Photo, step: int) -> Sketch | None:
    """One seed's strokes as a sketch; None where some are nowhere, as after a step gone wrong."""
    if not torch.isfinite(drawing.points).all():
        return None
    cut, frame = Page.of(photo).cut(drawing), photo.frame
    sketch = cut.to_sketch((frame.width, frame.height), frame)
    about = {"title": f"Sketch of {photo.name}", "photo": photo.name} if photo.name else {}
    return sketch.with_metadata(**about, steps=str(step))
