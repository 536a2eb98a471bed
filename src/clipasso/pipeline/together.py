"""Photos optimised together, and fewer of them at a time where memory is short."""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from clipasso.errors import ClipassoError, ran_out_of_memory
from clipasso.optimise.loop import Outcome, Progress, optimise_together

if TYPE_CHECKING:
    from clipasso.optimise.limit import Limit
    from clipasso.optimise.showing import Look
    from clipasso.optimise.state import Keeping
    from clipasso.pipeline.prepare import Prepared
    from clipasso.settings import Settings

__all__ = ["optimised"]

_log = logging.getLogger(__name__)


def optimised(
    prepared: Sequence[Prepared],
    settings: Settings,
    on_progress: Callable[[Progress], None],
    stop: threading.Event | None = None,
    *,
    on_look: Callable[[Look], None] | None = None,
    limit: Limit | None = None,
    keeping: Keeping | None = None,
    after: int = 0,
) -> list[Outcome | ClipassoError]:
    """Optimise photos in one batch, or in halves of it where that needs too much memory.

    Args:
        prepared: the photos.
        on_progress, on_look: are told a photo's number among `prepared`.
        settings, stop, limit, keeping, after: as for `optimise_together`.

    Returns:
        For each photo what was found, or that there is not even memory for it alone, or that its
        loss never was a number.

    Raises:
        ClipassoError: of `keeping`, what it is to go on from is of another run.
    """
    if not prepared:
        return []
    try:
        outcomes = optimise_together(
            [one.job for one in prepared], settings, on_progress, stop,
            on_look=on_look, limit=limit, keeping=keeping, after=after,
        )  # fmt: skip
        return [_seen(one, out) for one, out in zip(prepared, outcomes, strict=True)]
    except Exception as error:
        if not ran_out_of_memory(error):
            raise
        reason = (str(error).splitlines() or [type(error).__name__])[0]
    _let_go(prepared)
    if len(prepared) == 1:
        return [_too_large(prepared[0], reason)]
    half = (len(prepared) + 1) // 2
    _log.info("%d photos need too much memory together; %d now", len(prepared), half)
    found: list[Outcome | ClipassoError] = []
    for first, some in ((0, prepared[:half]), (half, prepared[half:])):

        def told(progress: Progress, first: int = first) -> None:
            on_progress(replace(progress, photo=first + progress.photo))

        def looked(look: Look, first: int = first) -> None:
            if on_look is not None:
                on_look(replace(look, photo=first + look.photo))

        found += optimised(
            some, settings, told, stop, on_look=None if on_look is None else looked, limit=limit,
            after=after,
        )  # fmt: skip
    return found


def _seen(one: Prepared, outcome: Outcome) -> Outcome | ClipassoError:
    """What was found, with what a person should be told of seeds that were lost."""
    settings, lost = one.settings, outcome.lost
    if lost and not any(loss < float("inf") for loss in outcome.losses):
        return ClipassoError(
            f"{one.photo.name}: its loss is no number from the first step on, so there is no "
            "sketch; give --precision fp32, or another --encoder or --weights"
        )
    notes = [
        f"{one.photo.name}: seed {settings.seed_of(k)} was given up at step {step}, its loss is "
        "no number any more; its best strokes before that count"
        for k, step in sorted(lost.items())
    ]
    return replace(outcome, notes=(*outcome.notes, *notes))


def _too_large(one: Prepared, reason: str) -> ClipassoError:
    device = one.job.photo.device
    where = "memory" if device.type == "cpu" else f"memory on {device}"
    return ClipassoError(
        f"{one.photo.name}: there is not enough {where} for its strokes ({reason[:100]}); "
        "end other programs, give fewer --seeds or --augmentations, or --encoder "
        "efficientnet-lite0"
    )


def _let_go(prepared: Sequence[Prepared]) -> None:
    """Give back what a failed attempt has left."""
    import torch

    gc.collect()
    if prepared[0].job.photo.device.type == "cuda":
        torch.cuda.empty_cache()
