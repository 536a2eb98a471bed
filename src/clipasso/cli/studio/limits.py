"""What a studio allows its visitors."""

from __future__ import annotations

from dataclasses import dataclass, fields

from clipasso.errors import ClipassoError

__all__ = ["Limits"]


@dataclass(frozen=True)
class Limits:
    """What one visitor may ask for, and how long what is left behind is kept.

    Attributes:
        upload: bytes of a photo.
        seconds: that a sketch may take; then it ends with the best so far.
        idle: seconds without a page open after which a visitor's files are removed.
        away: seconds without a page open after which a visitor's work is stopped.
        waiting: sketches that may wait for their turn, of all visitors.
        visitors: at a time.
        strokes: of a sketch that is asked for; an edited one may have four times as many.
        seeds: of a sketch that is asked for.
        kept: sketches of a visitor; the oldest goes for one more.

    Raises:
        ClipassoError: one of them is 0 or less.
    """

    upload: int = 64_000_000
    seconds: float = 600.0
    idle: float = 1800.0
    away: float = 20.0
    waiting: int = 8
    visitors: int = 16
    strokes: int = 128
    seeds: int = 8
    kept: int = 60

    def __post_init__(self) -> None:
        for field in fields(self):
            if not getattr(self, field.name) > 0:
                raise ClipassoError(f"studio: the limit {field.name} must be above 0")
