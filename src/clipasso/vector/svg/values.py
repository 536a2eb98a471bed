"""Values of attributes and properties: numbers, lengths, opacities and transforms."""

import re
from math import isfinite
from typing import Any, NamedTuple

__all__ = [
    "NUMBER",
    "SPACE",
    "Length",
    "parse_font_size",
    "parse_fraction",
    "parse_length",
    "parse_transform",
    "parse_width",
]

SPACE = "[ \t\n\f\r]*+"
NUMBER = r"[-+]?+(?:[0-9]++\.?+[0-9]*+|\.[0-9]++)(?:[eE][-+]?+[0-9]++)?+"

_LENGTH = re.compile(rf"{SPACE}({NUMBER})([a-zA-Z]*+|%){SPACE}")
_PIXELS = {"": 1.0, "px": 1.0, "in": 96.0, "cm": 96 / 2.54, "mm": 96 / 25.4, "q": 96 / 101.6,
           "pt": 4 / 3, "pc": 16.0}  # fmt: skip
_EMS = {"em": 1.0, "ex": 0.5, "ch": 0.5}  # usual proportions, since no font is looked at
_ARGUMENT = rf"{NUMBER}(?:[a-zA-Z]++|%)?+"
_TRANSFORM = re.compile(
    rf"{SPACE}(?:(?:matrix|translate[xy]?|scale[xy]?|rotate|skew[xy]?){SPACE}"
    rf"\({SPACE}{_ARGUMENT}(?:[ \t\n\f\r,]*+{_ARGUMENT})*+{SPACE}\)[ \t\n\f\r,]*+)*+",
    re.IGNORECASE,
)
_FONT_SIZES = {"xx-small": 9.0, "x-small": 10.0, "small": 13.0, "medium": 16.0, "large": 18.0,
               "x-large": 24.0, "xx-large": 32.0}  # fmt: skip


class Length(NamedTuple):
    """A number with its unit in lower case: "" for px, or em, ex, ch, rem, %."""

    number: float
    unit: str

    def absolute(self, font: float, root_font: float) -> "Length":
        """Without units of the font, whose sizes here and at the root are in px."""
        if self.unit == "rem":
            return Length(self.number * root_font, "")
        return Length(self.number * _EMS[self.unit] * font, "") if self.unit in _EMS else self

    def pixels(self, whole: float) -> float:
        """In px of an absolute length, a percentage being of `whole`."""
        return self.number / 100 * whole if self.unit == "%" else self.number


def parse_length(text: str) -> Length:
    """A length in any unit; raises ValueError."""
    match = _LENGTH.fullmatch(text)
    if not match:
        raise ValueError("no length")
    number, unit = float(match[1]), match[2].lower()
    if unit in _PIXELS:
        number, unit = number * _PIXELS[unit], ""
    elif unit not in ("%", "rem", *_EMS):
        raise ValueError("unknown unit")
    if not isfinite(number):
        raise ValueError("not finite")
    return Length(number, unit)


def parse_width(text: str) -> Length:
    """A length that is not negative; raises ValueError."""
    length = parse_length(text)
    if length.number < 0:
        raise ValueError("negative")
    return length


def parse_font_size(text: str) -> Length:
    """A length, or a keyword for one; raises ValueError."""
    word = text.strip().lower()
    if word in ("larger", "smaller"):
        return Length(1.2 if word == "larger" else 1 / 1.2, "em")
    if word in _FONT_SIZES:
        return Length(_FONT_SIZES[word], "")
    size = parse_width(text)
    return Length(size.number / 100, "em") if size.unit == "%" else size


def parse_fraction(text: str) -> float:
    """An opacity in 0..1, from a number or a percentage; raises ValueError."""
    number, unit = parse_length(text)
    if unit not in ("", "%") or text.strip()[-1:].isalpha():
        raise ValueError("no number")
    return min(max(number / 100 if unit else number, 0.0), 1.0)


def parse_transform(text: str) -> Any:
    """An svgelements.Matrix; raises ValueError."""
    from svgelements import Matrix  # type: ignore[import-untyped]

    if text.strip().lower() == "none":
        return Matrix()
    if not _TRANSFORM.fullmatch(text):
        raise ValueError("no transform")
    try:
        matrix = Matrix(text, ppi=96)
    except (ArithmeticError, AttributeError, IndexError, TypeError) as error:
        raise ValueError("no transform") from error  # as of too few numbers
    numbers = (matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f)
    if not all(isinstance(n, float) and isfinite(n) for n in numbers):
        raise ValueError("not finite, or a length whose unit is not known here")
    return matrix
