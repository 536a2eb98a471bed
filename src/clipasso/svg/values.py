"""Values of attributes and properties: numbers, lengths, colours and transforms."""

import re
from math import isfinite
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from clipasso.strokes import FloatArray

__all__ = [
    "BLACK",
    "NUMBER",
    "RGBA",
    "SPACE",
    "Length",
    "Paint",
    "parse_color",
    "parse_font_size",
    "parse_fraction",
    "parse_length",
    "parse_paint",
    "parse_transform",
    "parse_width",
]

SPACE = "[ \t\n\f\r]*+"
NUMBER = r"[-+]?+(?:[0-9]++\.?+[0-9]*+|\.[0-9]++)(?:[eE][-+]?+[0-9]++)?+"

RGBA: TypeAlias = tuple[float, float, float, float]  # each 0..1
Paint: TypeAlias = RGBA | Literal["none", "currentcolor", "pattern"]

BLACK: RGBA = (0.0, 0.0, 0.0, 1.0)

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
_ICC = re.compile(r"\s+icc-color\(.*", re.IGNORECASE | re.DOTALL)


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


def parse_paint(text: str) -> Paint:
    """What a stroke or a filling is painted with; raises ValueError."""
    word = text.strip().lower()
    if word in ("none", "currentcolor"):
        return word  # type: ignore[return-value]
    if word.startswith(("url(", "context-")):
        return "pattern"
    return parse_color(text)


def parse_color(text: str) -> RGBA:
    """A colour in any form of CSS, brought into sRGB; raises ValueError."""
    from tinycss2.color5 import parse_color as parse

    try:
        color = parse(_ICC.sub("", text.strip()))
        if color is None or isinstance(color, str):
            raise ValueError("no colour")
        red, green, blue = np.clip(_srgb(color), 0, 1).tolist()
    except (ValueError, NotImplementedError, AttributeError, TypeError) as error:
        raise ValueError("no colour") from error  # the parser trips over some that are none
    return red, green, blue, float(color.alpha)


_D50_TO_D65 = np.array([  # Bradford's, as CSS Color 4 has it
    [0.955473421488075, -0.02309845494876471, 0.06325924320057072],
    [-0.0283697093338637, 1.0099953980813041, 0.021041441191917323],
    [0.012314014864481998, -0.020507649298898964, 1.330365926242124],
])  # fmt: skip
_XYZ_TO_SRGB = np.array([
    [12831 / 3959, -329 / 214, -1974 / 3959],
    [-851781 / 878810, 1648619 / 878810, 36519 / 878810],
    [705 / 12673, -2585 / 12673, 705 / 667],
])  # fmt: skip
_P3_TO_XYZ = np.array([
    [608311 / 1250200, 189793 / 714400, 198249 / 1000160],
    [35783 / 156275, 247089 / 357200, 198249 / 2500400],
    [0, 32229 / 714400, 5220557 / 5000800],
])  # fmt: skip


def _srgb(color: Any) -> FloatArray:
    """The channels of a tinycss2 colour, perhaps outside 0..1."""
    if color.space in ("srgb", "hsl", "hwb"):
        return np.array([channel or 0.0 for channel in color.to("srgb").coordinates])
    channels = np.array([channel or 0.0 for channel in color.coordinates])
    if color.space == "srgb-linear":
        return _encoded(channels)
    if color.space == "display-p3":  # as design programs save it beside an sRGB colour
        return _encoded(_XYZ_TO_SRGB @ _P3_TO_XYZ @ _decoded(channels))
    if color.space in ("lab", "lch", "xyz-d50"):
        return _encoded(_XYZ_TO_SRGB @ _D50_TO_D65 @ np.array(color.to("xyz-d50").coordinates))
    return _encoded(_XYZ_TO_SRGB @ np.array(color.to("xyz-d65").coordinates))


def _encoded(linear: FloatArray) -> FloatArray:
    size = np.abs(linear)
    curve = np.where(size > 0.0031308, 1.055 * size ** (1 / 2.4) - 0.055, 12.92 * size)
    return np.asarray(np.sign(linear) * curve)


def _decoded(channels: FloatArray) -> FloatArray:
    size = np.abs(channels)
    curve = np.where(size > 0.04045, ((size + 0.055) / 1.055) ** 2.4, size / 12.92)
    return np.asarray(np.sign(channels) * curve)


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
