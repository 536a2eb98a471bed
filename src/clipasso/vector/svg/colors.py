"""Colours and other paints, in the forms of CSS."""

import re
from math import isfinite
from typing import Any, Literal, TypeAlias

import numpy as np

from clipasso.vector.bezier import FloatArray

__all__ = ["BLACK", "RGBA", "Paint", "parse_color", "parse_paint"]

RGBA: TypeAlias = tuple[float, float, float, float]  # each 0..1
Paint: TypeAlias = RGBA | Literal["none", "currentcolor", "pattern"]

BLACK: RGBA = (0.0, 0.0, 0.0, 1.0)

_ICC = re.compile(r"icc-color\(", re.IGNORECASE)  # a second form of the colour for printers


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
        color = parse(_ICC.split(text, 1)[0].strip())
        if color is None or isinstance(color, str):
            raise ValueError("no colour")
        red, green, blue = np.clip(_srgb(color), 0, 1).tolist()
        if not isfinite(red + green + blue):
            raise ValueError("not a number")
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
