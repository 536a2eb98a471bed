"""Strokes that were optimised become a result: in order, and with where they come from."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from clipasso._version import __version__
from clipasso.pipeline.order import Arrangement, arrange
from clipasso.pipeline.result import Result
from clipasso.vector.sketch import Sketch

if TYPE_CHECKING:
    from clipasso.encoders.base import Encoder
    from clipasso.optimise.loop import Outcome
    from clipasso.photo.canvas import Photo
    from clipasso.pipeline.models import Models
    from clipasso.pipeline.prepare import Prepared
    from clipasso.pipeline.ready import Ready
    from clipasso.settings import Settings

__all__ = ["finish"]

_log = logging.getLogger(__name__)


def finish(
    ready: Ready,
    models: Models,
    outcome: Outcome,
    spent: float,
    together: int,
    late: Callable[[], bool],
) -> Result:
    """What came of it.

    Args:
        ready: what was optimised, and what was settled beforehand.
        models: those that it was optimised with.
        outcome: every seed's strokes and losses.
        spent: seconds of optimising.
        together: photos that were optimised with it, itself included.
        late: whether there is no time left for putting strokes in order.

    Returns:
        The result, the best seed's strokes in order, the others' as they were laid.
    """
    prepared, close_ups, count = ready
    photo, settings, start = prepared.photo, prepared.settings, prepared.start
    if outcome.plan is not None:
        settings = replace(settings, seeds=outcome.plan.seeds, iterations=outcome.plan.steps)
        start = replace(start, drawing=start.drawing.seeds(slice(settings.seeds)))
        if not outcome.plan.after:
            settings = replace(settings, order="none")
    _tell_of(outcome, prepared, spent)
    began = time.monotonic()
    arrangement = _arranged(ready, outcome, settings, late)
    if outcome.plan is not None and (
        close_ups.steps > outcome.plan.steps  # so few steps would give faces fewer too
        or not arrangement.whole
    ):
        outcome = replace(outcome, plan=replace(outcome.plan, kept=False))
    about = {"close-ups": close_ups.in_words()} if close_ups.faces else {}
    if count is not None:
        about["stroke-count"] = f"auto: {count.in_words()}"
    ranks = sorted(range(settings.seeds), key=outcome.losses.__getitem__)
    best, *others = (
        _to_sketch(k, outcome, photo, models.loss, settings).with_metadata(**about) for k in ranks
    )
    sketches = (arrangement.of(best), *others)
    return Result(
        sketch=sketches[0],
        sketches=sketches,
        photo=photo,
        settings=settings,
        initialisation=start,
        mask=prepared.mask,
        outcome=outcome,
        encoder=models.loss.description,
        precision=str(models.loss.precision).removeprefix("torch."),
        recipe=prepared.job.objective.recipe,
        device=str(models.device),
        seconds={**prepared.seconds, "optimise": spent, "order": time.monotonic() - began},
        notes=(*prepared.notes, *outcome.notes),
        together=together,
        close_ups=close_ups,
        arrangement=arrangement,
        stroke_count=count,
    )


def _tell_of(outcome: Outcome, prepared: Prepared, spent: float) -> None:
    seconds = {**prepared.seconds, "optimise": spent}
    told = ", ".join(f"{name} {value:.2f} s" for name, value in seconds.items())
    _log.info(
        "%s: %s after %d steps, loss %.4g; %s", prepared.photo.name, outcome.stopped,
        outcome.steps, outcome.losses[outcome.winner], told,
        extra={"data": {"stage": "done", "seconds_by_stage": seconds}},
    )  # fmt: skip


def _arranged(
    ready: Ready, outcome: Outcome, settings: Settings, late: Callable[[], bool]
) -> Arrangement:
    """The winner's strokes in order; those that somebody gave and froze stay, and come first."""
    job = ready.prepared.job
    pinned = None
    if ready.close_ups.sketch is None:  # faces' strokes are frozen too, but our own
        pinned = job.initial.frozen.numpy()
    drawing = outcome.drawing.only(outcome.winner)
    if not torch.isfinite(drawing.points).all():
        return Arrangement()
    return arrange(drawing, job, settings, pinned=pinned, late=late)


def _to_sketch(
    k: int, outcome: Outcome, photo: Photo, encoder: Encoder, settings: Settings
) -> Sketch:
    """One seed's strokes in the photo's frame, with where they come from."""
    frame = photo.frame
    found = outcome.drawing.only(k).to_sketch((frame.width, frame.height), frame)
    about = {
        "title": f"Sketch of {photo.name}" if photo.name else settings.text,
        **({"photo": photo.name} if photo.name else {}),
        "encoder": encoder.description,
        "strokes": str(settings.strokes),
        "seed": str(settings.seed_of(k)),
        "loss": f"{outcome.losses[k]:.6g}",
        "steps": str(outcome.steps),
        "version": f"clipasso {__version__}",
    }
    if photo.surround:
        about["left-out"] = photo.surround
    if frame.zoom != 1:
        about["zoom"] = f"{frame.zoom:.3g}"
    if settings.text:
        about["text"] = settings.text
    return found.with_metadata(**about)
