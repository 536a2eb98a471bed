"""A time limit in people's terms: what they asked for stays, the rest is chosen to fit."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from clipasso.errors import ClipassoError
from clipasso.optimise.limit import Limit

if TYPE_CHECKING:
    from clipasso.settings import Settings

__all__ = ["make_limit"]

_LONGEST = 3  # times the settings' steps: more were never measured


def make_limit(
    seconds: float,
    settings: Settings,
    given: Collection[str] = (),
    *,
    since: float | None = None,
    reserve: float = 0.0,
    clock: Callable[[], float] = time.monotonic,
) -> Limit:
    """The limit of a run.

    Args:
        seconds: that it may take in all.
        settings: their `seeds` are the most, and their `iterations` what each seed is to have
            before another is tried; three times as many are the most.
        given: names of settings that somebody asked for: then `seeds` are exactly these, and
            `iterations` the most.
        since: when it began, by `clock`; now by default.
        reserve: seconds to leave for what comes after the steps.

    Raises:
        ClipassoError: no time at all.
    """
    if not (math.isfinite(seconds) and seconds > 0):
        raise ClipassoError(f"--time {seconds:g}: must be more than 0 seconds")
    least = settings.seeds if "seeds" in given else 1
    most = settings.iterations * (1 if "iterations" in given else _LONGEST)
    until = (clock() if since is None else since) + seconds - reserve
    return Limit(
        seconds, until, (least, settings.seeds), settings.iterations, min(most, 1_000_000), clock
    )
