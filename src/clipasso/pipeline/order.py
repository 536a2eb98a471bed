"""Strokes in the order in which they tell most: the first k are the best k to see first.

The paper names it as a limit that its strokes come in no order. Greedily, the next stroke is always
the one that, drawn beside those before it, lowers the loss most. Whole, that draws and encodes
n (n + 1) / 2 sketches; a finished sketch's own strokes are put in order by fewer looks.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from clipasso.optimise.encoded_photo import PhotoPool, Targets
from clipasso.photo.canvas import Fit, Photo, load_photo
from clipasso.photo.masks import Mask, make_mask
from clipasso.photo.picture_frame import without_frame
from clipasso.photo.zoom import zoomed
from clipasso.pipeline.models import Models, load_models
from clipasso.pipeline.prepare import prepare
from clipasso.settings import Settings, make_settings
from clipasso.vector.plot.order import directions, turned
from clipasso.vector.sketch import Sketch

if TYPE_CHECKING:
    from clipasso.encoders.base import Encoder
    from clipasso.optimise.job import Job
    from clipasso.optimise.strokes import Drawing

__all__ = [
    "Arrangement", "arrange", "best_first", "in_order", "looks", "losses_of_prefixes", "order",
    "order_strokes", "quickly_best_first",
]  # fmt: skip

_TOGETHER = 6  # drawings that are encoded in one call: as many as stay in a CPU's cache
_PLACES = 32  # the first ones, which are looked for; what comes later tells little


@dataclass(frozen=True)
class Arrangement:
    """In which order and direction a sketch's strokes are written.

    Attributes:
        order: their numbers as they were laid, `[strokes]`; () leaves them as they were.
        backwards: `[strokes]`, in that order: those that are drawn from their end.
        losses: of the first 1, 2 ... of those that may be ordered, beside all others, as far as
            that is known.
        whole: whether the order was found in time.
    """

    order: tuple[int, ...] = ()
    backwards: tuple[bool, ...] = ()
    losses: tuple[float, ...] = ()
    whole: bool = True

    def of(self, sketch: Sketch) -> Sketch:
        """A sketch of as many strokes, which are those that were laid, so arranged."""
        if not self.order:
            return sketch
        return turned(sketch.select(list(self.order)), self.backwards)


def looks(strokes: int) -> int:
    """How many sketches `arrange` draws and encodes for so many strokes, at most."""
    return 1 + strokes + sum(min(_TOGETHER, strokes - k) for k in range(1, min(strokes, _PLACES)))


def arrange(
    drawing: Drawing,
    job: Job,
    settings: Settings,
    *,
    pinned: NDArray[np.bool_] | None = None,
    late: Callable[[], bool] = lambda: False,
) -> Arrangement:
    """Put the strokes of a finished drawing in order, those that tell most of its photo first.

    Their directions are chosen for a short way of a pen.

    Args:
        drawing: one seed's. Strokes of several colours stay as they were laid, since others would
            be on top.
        job: what it was optimised for.
        settings: of these `order` and `canvas`.
        pinned: `[strokes]`, those that stay as they are and come first, as somebody's own lines.
        late: asked now and then whether there is no time left for this.
    """
    count = drawing.points.shape[1]
    still = np.zeros(count, bool) if pinned is None else pinned
    colors = drawing.colors[0]
    if settings.order == "none" or still.sum() > count - 2 or (colors != colors[:1]).any():
        return Arrangement()
    drawing, fixed = drawing.to(job.photo.device), np.flatnonzero(still).tolist()
    clean = PhotoPool(job.photo, job.objective, replace(settings, pool=0), torch.Generator()).clean
    order, losses, whole = quickly_best_first(drawing, clean, settings.canvas, fixed, late)
    ends = drawing.points[0].cpu().double().numpy()[order]
    back = directions(ends[:, 0], ends[:, -1], still[order])
    return Arrangement(tuple(order), tuple(back.tolist()), tuple(losses), whole)


@torch.no_grad()
def quickly_best_first(
    drawing: Drawing,
    clean: Targets,
    size: int,
    fixed: list[int] | None = None,
    late: Callable[[], bool] = lambda: False,
) -> tuple[list[int], list[float], bool]:
    """About the order of `best_first`, by `looks` sketches.

    What a stroke adds is less the more there is already, as a rule. So all are looked at once, and
    then, for each place, the six that added most when they were last looked at; after 32 places the
    others follow by that alone.

    Args:
        fixed: strokes that come first, in this order.
        late: asked before each place; once it is true the others follow at once.

    Returns:
        Their numbers; the loss with the first, the first two ... of those not fixed, as far as
        they were looked for; whether it was not late.
    """
    chosen = list(fixed or [])
    left = [k for k in range(drawing.points.shape[1]) if k not in chosen]
    losses: list[float] = []
    gains = dict.fromkeys(left, 0.0)
    loss = float(clean.loss(torch.ones(1, 1, size, size, device=drawing.points.device)).total)
    if chosen:
        loss = float(_losses(drawing, [chosen], clean, size)[0])
    while left and len(losses) < _PLACES and not late():
        some = sorted(left, key=lambda k: -gains[k])[: _TOGETHER if losses else None]
        found = _losses(drawing, [[*chosen, k] for k in some], clean, size).tolist()
        gains.update((k, loss - value) for k, value in zip(some, found, strict=True))
        best = some[int(np.argmin(found))]
        loss = min(found)
        losses.append(loss)
        chosen.append(best)
        left.remove(best)
    whole = not left or len(losses) == _PLACES
    return [*chosen, *sorted(left, key=lambda k: -gains[k])], losses, whole


def order(
    sketch: Sketch,
    source: Any,
    *,
    encoder: str | Encoder | None = None,
    weights: str | Path | None = None,
    fit: Fit = "pad",
    mask: str | os.PathLike[str] = "auto",
    device: str = "auto",
    **settings: Any,
) -> Sketch:
    """The same strokes, those that tell most of the photo first.

    Args:
        sketch: of the photo, in its proportions.
        source: the photo, as for `clipasso.sketch`.
        encoder, weights, fit, mask, device: as for `clipasso.sketch`.
        settings: fields of `Settings` that the loss depends on.

    Raises:
        ClipassoError: what `clipasso.sketch` raises.
    """
    own = {"strokes": max(1, len(sketch)), "control_points": sketch.degree + 1,
           "segments": sketch.segments}  # fmt: skip
    made, preferred = make_settings("default", **{**settings, **own})
    photo = without_frame(load_photo(source, size=made.canvas, fit=fit), made.frame)
    models = load_models(made, encoder or preferred, weights, device=device)
    found = make_mask(photo, os.fspath(mask), fit)
    return in_order(sketch, order_strokes(sketch, photo, models, made, found)[0])


def in_order(sketch: Sketch, order: NDArray[np.intp]) -> Sketch:
    """The strokes in that order, some the other way round where that spares a pen way."""
    chosen = sketch.select(order)
    return turned(chosen, directions(chosen.points[:, 0], chosen.points[:, -1]))


def order_strokes(
    sketch: Sketch, photo: Photo, models: Models, settings: Settings, mask: Mask | None = None
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """In which order to draw a sketch's strokes, and what that gives.

    Args:
        sketch: with as many strokes, and of the make, as the settings say.
        photo, models, settings, mask: as for `sketch_photo`.

    Returns:
        Their numbers, `[strokes]`, and the loss of the first 1, 2 ... of them.

    Raises:
        ClipassoError: settings that do not go together.
    """
    near, inside = zoomed(photo, mask or Mask(None, "none"), settings.zoom)
    job = prepare(near, models, settings, inside, sketch, "", {}).job
    clean = PhotoPool(job.photo, job.objective, replace(settings, pool=0), torch.Generator()).clean
    return best_first(job.initial.only(0).to(job.photo.device), clean, settings.canvas)


@torch.no_grad()
def best_first(
    drawing: Drawing, clean: Targets, size: int
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """`order_strokes` of one seed's drawing: n (n + 1) / 2 of them are drawn and encoded.

    Args:
        drawing: on the device of `clean`.
        clean: the photo without transforms.
        size: of the canvas, px.
    """
    left = list(range(drawing.points.shape[1]))
    chosen: list[int] = []
    losses: list[float] = []
    while left:
        found = _losses(drawing, [[*chosen, k] for k in left], clean, size)
        best = int(found.argmin())
        losses.append(float(found[best]))
        chosen.append(left.pop(best))
    return np.array(chosen, np.intp), np.array(losses)


@torch.no_grad()
def losses_of_prefixes(
    drawing: Drawing, order: NDArray[np.intp], clean: Targets, size: int
) -> NDArray[np.float64]:
    """The loss of the first 1, 2 ... strokes of an order, `[strokes]`; as `best_first`."""
    numbers = order.tolist()
    return _losses(drawing, [numbers[: k + 1] for k in range(len(numbers))], clean, size)


def _losses(
    drawing: Drawing, choices: list[list[int]], clean: Targets, size: int
) -> NDArray[np.float64]:
    """The loss of some of the strokes, drawn in their order, for each choice of them."""
    found = []
    for first in range(0, len(choices), _TOGETHER):
        images = [drawing.strokes(torch.tensor(some, device=drawing.points.device)).render(size)
                  for some in choices[first : first + _TOGETHER]]  # fmt: skip
        found.append(clean.loss(torch.cat(images)).total)
    return torch.cat(found).double().cpu().numpy()
