"""Lengths on paper, as people write them, in millimetres."""

import re
from math import isfinite

from clipasso.errors import ClipassoError

__all__ = ["MM_PER_PX", "millimetres"]

MM_PER_PX = 25.4 / 96  # CSS's px, which SVG's user units are where nothing else is said

_UNITS = {"": 1.0, "mm": 1.0, "cm": 10.0, "in": 25.4, "pt": 25.4 / 72}
_LENGTH = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+) *([a-z]*)", re.ASCII | re.IGNORECASE)


def millimetres(value: float | str, option: str) -> float:
    """A length in millimetres, from a number of them or a text such as `15mm`, `1.5cm`, `0.5in`.

    Args:
        option: that it was given for.

    Raises:
        ClipassoError: no length, a negative one or one that is not finite.
    """
    number, unit = value, "mm"
    if isinstance(value, str):
        match = _LENGTH.fullmatch(value.strip())
        number, unit = (float(match[1]), match[2].lower()) if match else (-1.0, "")
    length = float(number) * _UNITS.get(unit, -1.0)
    if not (isfinite(length) and length >= 0) or unit not in _UNITS:
        raise ClipassoError(
            f"{option} {value}: must be a length on paper such as 15mm, 1.5cm or 0.5in"
        )
    return length
