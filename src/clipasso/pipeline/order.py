"""Strokes in the order in which they tell most: the first k are the best k to see first.

The paper names it as a limit that its strokes come in no order. Greedily, the next stroke is always
the one that, drawn beside those before it, lowers the loss most.
"""

from __future__ import annotations

import os
from dataclasses import replace
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
from clipasso.vector.sketch import Sketch

if TYPE_CHECKING:
    from clipasso.encoders.base import Encoder
    from clipasso.optimise.strokes import Drawing

__all__ = ["best_first", "losses_of_prefixes", "order", "order_strokes"]

_TOGETHER = 6  # drawings that are encoded in one call: as many as stay in a CPU's cache


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
    return sketch.select(order_strokes(sketch, photo, models, made, found)[0])


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
