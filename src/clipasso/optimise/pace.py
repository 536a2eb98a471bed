"""How long a step takes here: some are tried on copies, so that no result depends on it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from clipasso.optimise.encoded_photo import PhotoPool, shared_objective
from clipasso.optimise.job import Job, owners, strokes_of_all
from clipasso.optimise.limit import Limit, Pace
from clipasso.optimise.step import Step, prefix_lengths

if TYPE_CHECKING:
    from clipasso.settings import Settings

__all__ = ["measure"]

_TRIED = 4  # steps, of which the first, which compiles and allocates, does not count
_CHUNK = 8  # transforms under which the photos are encoded for the same
_PART = 0.2  # of the time left that trying may take, but for the first two steps
_FORWARD = 0.4  # of a step's time, about: what its images take without their gradients


def measure(jobs: Sequence[Job], settings: Settings, limit: Limit) -> Pace:
    """Try a few steps with the fewest seeds, and with the most if there may be time for them.

    The strokes are copies and the random numbers a generator's of their own. A GPU's graphs are not
    recorded for this, so there steps are quicker later.

    Args:
        jobs: with the first strokes of the most seeds.
        settings: those of the run, but for `seeds` and `iterations`.
        limit: if it is over already nothing is tried, and the pace is that of a machine that never
            takes a step.
    """
    if limit.left() <= 0:
        return Pace({1: math.inf}, seeing=math.inf)
    few = replace(
        settings, iterations=_TRIED, pool=min(settings.pool, settings.augmentations)
    )  # fmt: skip
    objective = shared_objective([job.objective for job in jobs])
    generator = torch.Generator().manual_seed(settings.seed)
    pool = PhotoPool(torch.cat([job.photo for job in jobs]), objective, few, generator)
    enough = limit.clock() + _PART * limit.left()
    fewest, most = limit.seeds
    steps = {fewest: _seconds_a_step(jobs, few, pool, fewest, limit, enough)}
    drawn, encoding = settings.augmentations, 0.0
    if settings.pool and drawn:
        encoding = _FORWARD * steps[fewest] / (fewest * (1 + drawn))
        if limit.clock() < enough:
            encoding = _seconds_a_transform(pool, min(_CHUNK, settings.pool), limit)
    seeing = _FORWARD * steps[fewest] / (len(jobs) * fewest * (1 + drawn))
    pace = Pace(steps, encoding, settings.pool, drawn, seeing)
    if most > fewest and pace.whole(limit.enough, fewest) < limit.left():
        steps[most] = _seconds_a_step(jobs, few, pool, most, limit, enough)
    return replace(pace, steps=steps)


def _seconds_a_step(
    jobs: Sequence[Job], settings: Settings, pool: PhotoPool, seeds: int, limit: Limit,
    enough: float,
) -> float:  # fmt: skip
    """The median of a few, or of one if it is late."""
    some = [job.first(seeds) for job in jobs]
    adam = strokes_of_all(some, settings)
    lengths = prefix_lengths(settings, adam)
    step = Step(adam, pool, owners(some), settings.canvas, lengths)
    took: list[float] = []
    while len(took) < _TRIED and (len(took) <= 1 or limit.clock() < enough):
        began = limit.clock()
        step.look()
        step.move()
        _wait(pool.photos.device)
        took.append(limit.clock() - began)
        if limit.left() < took[-1]:
            break
    return statistics.median(took[1:] or took)


def _seconds_a_transform(pool: PhotoPool, count: int, limit: Limit) -> float:
    began = limit.clock()
    pool.encode(pool.random(count))
    _wait(pool.photos.device)
    return (limit.clock() - began) / count


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
