"""`--time`: times as people write them, and what of one is left to the photos of a command."""

from __future__ import annotations

import re
from time import monotonic
from typing import TYPE_CHECKING, Any

from clipasso.errors import ClipassoError

if TYPE_CHECKING:
    from clipasso.optimise.limit import Limit
    from clipasso.settings import Settings

__all__ = ["Clock", "seconds_of"]

_WRITING = 0.5  # seconds that a photo's files and the end of the program take

_NUMBER = r"(\d+(?:\.\d*)?|\.\d+)"
_TIME = re.compile(rf"(?:{_NUMBER}h)?(?:{_NUMBER}m)?(?:{_NUMBER}s?)?", re.ASCII)
_LENGTHS = (3600.0, 60.0, 1.0)


def seconds_of(text: str, option: str) -> float:
    """The seconds of a time.

    Args:
        text: hours, minutes and seconds, each optional, as `1h`, `1m30s`, `2.5m`; a number alone is
            seconds.
        option: which was given it, for the message.

    Raises:
        ClipassoError: no time, or none at all.
    """
    found = _TIME.fullmatch(text.strip().lower().replace(" ", ""))
    parts = found.groups() if found else ()
    seconds = sum(
        float(part) * length for part, length in zip(parts, _LENGTHS, strict=False) if part
    )
    if not 0 < seconds < float("inf"):
        raise ClipassoError(f"{option} {text}: must be a time above 0, as 10s, 90, 2m or 1m30s")
    return seconds


class Clock:
    """The time that is left to a command, of which every batch of its photos gets its share.

    Args:
        text: as it was given.
        started: when the command was.
        settings: of every photo.
        chosen: settings as they were given, None for those that were not.
        recording: seconds that a photo's recording takes.
    """

    def __init__(
        self, text: str, started: float, settings: Settings, chosen: dict[str, Any],
        recording: float = 0.0,
    ) -> None:  # fmt: skip
        self._writing = _WRITING + recording
        self._seconds, self._started = seconds_of(text, "--time"), started
        self._settings, self._given = settings, {k for k, v in chosen.items() if v is not None}

    def limit(self, first: int, batch: int, photos: int) -> Limit:
        """That of the batch that begins with the photo `first`, from 0."""
        from clipasso.pipeline.timed import make_limit

        now, left = monotonic(), photos - first
        share = max(0.0, self._started + self._seconds - now) * min(batch, left) / left
        return make_limit(
            self._seconds, self._settings, self._given,
            since=now + share - self._seconds, reserve=self._writing * min(batch, left),
        )  # fmt: skip
