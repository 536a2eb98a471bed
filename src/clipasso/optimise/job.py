"""What the loop is given of each photo, and how several of them become one batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clipasso.optimise.adam import Adam
from clipasso.optimise.page import ANYWHERE, Page
from clipasso.optimise.strokes import Drawing

if TYPE_CHECKING:
    from clipasso.optimise.objective import Objective
    from clipasso.settings import Settings

__all__ = ["Job", "owners", "strokes_of_all"]


@dataclass(frozen=True, eq=False)
class Job:
    """A photo and the strokes that are to sketch it.

    Attributes:
        initial: where the strokes of its seeds start.
        photo: `[1, 3, canvas, canvas]`, 0..1, on the device to work on.
        objective: what is minimised; its encoder is on the same device.
        page: where strokes are to stay and are cut in the end; None lets them go anywhere.
        anew: gives strokes in place of those that left the page, from how many, which seed (from
            0), at which step and beside which others: `[strokes, points, 2]` in canvas px. None
            leaves them where they are.
    """

    initial: Drawing
    photo: Tensor
    objective: Objective
    page: Page | None = None
    anew: Callable[[int, int, int, Drawing], NDArray[np.float64]] | None = None

    def first(self, seeds: int) -> Job:
        """The same with no more than so many of its seeds."""
        return replace(self, initial=self.initial.seeds(slice(seeds)))


def owners(jobs: Sequence[Job]) -> list[int]:
    """The photo of each seed, `[seeds of all]`."""
    return [number for number, job in enumerate(jobs) for _ in range(len(job.initial))]


def strokes_of_all(jobs: Sequence[Job], settings: Settings) -> Adam:
    """The strokes of all seeds of all photos at their start, ready to be moved."""
    whole = Drawing.join([job.initial for job in jobs]).to(jobs[0].photo.device)
    frozen = torch.cat([job.initial.frozen.expand(len(job.initial), -1) for job in jobs])
    reach = [ANYWHERE if job.page is None else job.page.reach
             for job in jobs for _ in range(len(job.initial))]  # fmt: skip
    if settings.width_rate is None:
        settings = replace(settings, width_rate=jobs[0].objective.recipe.width_rate)
    return Adam(whole, frozen, settings, torch.tensor(np.array(reach)))
