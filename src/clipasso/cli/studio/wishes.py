"""What a page asks for, checked as the command line checks its options."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clipasso.errors import ClipassoError

if TYPE_CHECKING:
    from clipasso.cli.studio.limits import Limits

__all__ = ["Wish", "levels_of", "line_of", "number_of", "numbers_of", "read_object", "text_of"]


@dataclass(frozen=True)
class Wish:
    """How a sketch is wanted; None leaves a setting to the preset, as no `one_width` does."""

    strokes: int
    seeds: int | None
    width: float | None
    one_width: bool
    preset: str
    encoder: str | None

    @classmethod
    def of(cls, asked: dict[str, Any], preset: str, limits: Limits) -> Wish:
        """From a page's values.

        Args:
            preset: where none is asked for.

        Raises:
            ClipassoError: a value of the wrong kind, or beyond the limits.
        """
        encoder = text_of(asked, "encoder", "") or None
        return cls(
            strokes=_within(number_of(asked, "strokes"), limits.strokes, "strokes"),
            seeds=None if asked.get("seeds") is None
            else _within(number_of(asked, "seeds"), limits.seeds, "seeds"),
            width=None if asked.get("width") is None else _real(asked["width"], "width"),
            one_width=_yes(asked, "oneWidth"),
            preset=text_of(asked, "preset", preset),
            encoder=encoder,
        )  # fmt: skip


def read_object(body: bytes) -> dict[str, Any]:
    """A JSON object. Raises ClipassoError for anything else."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ClipassoError("the page asked in a way that is not understood; load it again")
    return found


def number_of(asked: dict[str, Any], name: str) -> int:
    """A whole number. Raises ClipassoError for anything else."""
    value = asked.get(name)
    if type(value) is not int:
        raise ClipassoError(f"{name} {value!r}: must be a whole number")
    return value


def numbers_of(asked: dict[str, Any], name: str) -> list[int]:
    """A list of whole numbers. Raises ClipassoError for anything else."""
    values = asked.get(name, [])
    if not isinstance(values, list) or not all(type(value) is int for value in values):
        raise ClipassoError(f"{name}: must be whole numbers")
    return values


def text_of(asked: dict[str, Any], name: str, otherwise: str) -> str:
    """A text. Raises ClipassoError for anything else."""
    value = asked.get(name)
    if value is None:
        return otherwise
    if not isinstance(value, str) or len(value) > 200:
        raise ClipassoError(f"{name}: must be a short text")
    return value


def levels_of(asked: dict[str, Any]) -> tuple[int, ...]:
    """A ladder's levels. Raises ClipassoError where they do not go down."""
    from clipasso.pipeline.ladder import parse_levels

    return parse_levels(",".join(map(str, numbers_of(asked, "levels"))))


def line_of(asked: dict[str, Any]) -> list[tuple[float, float]]:
    """Points of a line that was drawn. Raises ClipassoError for anything else, or too many."""
    points = asked.get("line")
    if not isinstance(points, list) or not 2 <= len(points) <= 5000:
        raise ClipassoError("line: must be 2 to 5000 points")
    for point in points:
        if not isinstance(point, list) or len(point) != 2:
            raise ClipassoError("line: must be points of two numbers")
    return [(_real(x, "line"), _real(y, "line")) for x, y in points]


def _real(value: Any, name: str) -> float:
    if type(value) not in (int, float) or not math.isfinite(value) or abs(value) > 1e6:
        raise ClipassoError(f"{name} {value!r}: must be a number")
    return float(value)


def _yes(asked: dict[str, Any], name: str) -> bool:
    value = asked.get(name, False)
    if not isinstance(value, bool):
        raise ClipassoError(f"{name} {value!r}: must be true or false")
    return value


def _within(value: int, most: int, name: str) -> int:
    if not 1 <= value <= most:
        raise ClipassoError(f"{name} {value}: must be from 1 to {most} in the studio")
    return value
