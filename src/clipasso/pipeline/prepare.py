"""What a photo needs before its strokes are optimised (sections 3.2 and 3.3)."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from clipasso.errors import ClipassoError
from clipasso.optimise.encoded_photo import PhotoPool
from clipasso.optimise.loop import Job
from clipasso.optimise.objective import Objective, make_objective
from clipasso.optimise.page import Page
from clipasso.optimise.strokes import Drawing
from clipasso.photo.borders import extended, frame_mask
from clipasso.photo.line_drawing import is_line_drawing
from clipasso.photo.masks import Mask, cut_out
from clipasso.photo.silhouette import darkened, is_flat
from clipasso.photo.tone import lightened, with_local_contrast
from clipasso.start.first_strokes import Initialisation, initialise
from clipasso.start.from_sketch import on_canvas, parse_frozen, without_least_missed
from clipasso.start.laying import Laying

if TYPE_CHECKING:
    from clipasso.photo.canvas import Photo
    from clipasso.pipeline.models import Models
    from clipasso.settings import Settings
    from clipasso.vector.sketch import Sketch

__all__ = ["Prepared", "prepare"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A photo whose first strokes are placed.

    Attributes:
        photo: perhaps zoomed to its object.
        settings: as they became, for instance with one seed where all strokes are given.
        mask: on the photo's canvas.
        start: saliency, edges and first strokes.
        job: what is to be optimised.
        notes: lines a person should see.
        seconds: spent so far, by stage.
    """

    photo: Photo
    settings: Settings
    mask: Mask
    start: Initialisation
    job: Job
    notes: tuple[str, ...]
    seconds: dict[str, float]


def prepare(
    photo: Photo,
    models: Models,
    settings: Settings,
    mask: Mask,
    init: Sketch | None,
    freeze: str,
    seconds: dict[str, float],
) -> Prepared:
    """Cut the object out, place its first strokes, and say what is to be minimised.

    Args:
        photo, mask: zoomed to the object, if they are to be.
        init, freeze, seconds: as for `pipeline.sketch.sketch_photo`.

    Raises:
        ClipassoError: settings that do not go together, or a photo with nothing to draw.
    """
    notes, began = list(photo.notes), time.monotonic()
    notes += mask.notes
    if settings.background_weight and mask.inside is None:
        notes.append(
            f"{photo.name}: no mask ({mask.source}), so the background weight does nothing"
        )
    inside = mask.inside if settings.background_weight else None
    objective = make_objective(models.loss, settings, inside)
    objective, note = _for_drawings(objective, settings, photo)
    notes += note
    seen = photo if inside is not None else cut_out(photo, mask)
    shown = darkened(photo, None if seen is photo else mask.inside)
    if shown is not None:
        notes.append(f"{photo.name}: its object is as pale as paper, so it is drawn as if darker")
        seen = shown
    if (objective.recipe.layers or objective.recipe.semantic_weight) and is_flat(seen):
        raise ClipassoError(f"{photo.name}: {_why_flat(photo, mask)}")
    seen = with_local_contrast(seen, objective.recipe.contrast)
    seen = lightened(seen, objective.recipe.lighten)
    pixels = extended(seen) if settings.borders == "extend" else seen.pixels
    image = torch.tensor(pixels, device=models.device).permute(2, 0, 1)[None].contiguous()
    given = None
    if init is not None:
        given = _given(init, freeze, photo, image, objective, settings)
        if len(init) >= settings.strokes and settings.seeds > 1:
            settings = replace(settings, seeds=1)
            notes.append(f"{photo.name}: one seed, since all strokes are given and none is drawn")
    elif freeze:
        raise ClipassoError("--freeze: needs strokes to keep; give them with --init SKETCH.svg")
    allowed = frame_mask(photo) if inside is None else frame_mask(photo) & inside
    start = initialise(pixels, allowed, image, models.saliency, settings, given)
    spent = {**seconds, "initialise": time.monotonic() - began}
    _log.info(
        "%s: %d strokes of %d seeds placed by %s, zoomed %.3g times, in %.2f s", photo.name,
        settings.strokes, settings.seeds, start.saliency_from, photo.frame.zoom,
        spent["initialise"],
    )  # fmt: skip
    laying = Laying(start.distribution, pixels, allowed, settings)
    job = Job(start.drawing, image, objective, Page.of(photo), laying.anew)
    return Prepared(photo, settings, mask, start, job, tuple(notes), spent)


def _why_flat(photo: Photo, mask: Mask) -> str:
    if is_flat(photo) or mask.inside is None:
        return "it is of one colour all over, so there is nothing to draw; give another photo"
    return (
        f"what its mask ({mask.source}) leaves is of one colour all over, so there is nothing to "
        "draw; give another mask, or --mask none"
    )


def _for_drawings(
    objective: Objective, settings: Settings, photo: Photo
) -> tuple[Objective, list[str]]:
    """What is to be minimised, with a drawing's tones left alone unless they were asked for."""
    recipe = objective.recipe
    changed = replace(
        recipe,
        lighten=0.0 if settings.lighten is None else recipe.lighten,
        contrast=0.0 if settings.contrast is None else recipe.contrast,
    )
    if changed == recipe or not is_line_drawing(photo):
        return objective, []
    pale = changed.lighten != recipe.lighten
    note = f"{photo.name}: a line drawing, so it is not lightened"
    return replace(objective, recipe=changed), [note] if pale else []


def _given(
    init: Sketch, freeze: str, photo: Photo, image: torch.Tensor, objective: Objective,
    settings: Settings,
) -> Drawing:  # fmt: skip
    """The strokes to start from, not more than the settings ask for."""
    frozen = parse_frozen(freeze, len(init))
    if frozen.all() and len(init) >= settings.strokes:
        raise ClipassoError("--freeze: all strokes would stay as they are; ask for more --strokes")
    degree = settings.control_points - 1
    given = on_canvas(init, photo.frame, degree, settings.segments_each, frozen)
    if len(init) <= settings.strokes:
        return given
    clean = PhotoPool(image, objective, replace(settings, pool=0), torch.Generator()).clean
    few = without_least_missed(given.to(image.device), settings.strokes, clean, settings.canvas)
    return few.to("cpu")
