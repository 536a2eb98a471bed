"""Lengths that an element gives, and its shape as the data of a path."""

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from math import hypot, isfinite, sqrt
from typing import Any, NamedTuple

from clipasso.vector.svg import limits
from clipasso.vector.svg.notes import Notes, shorten
from clipasso.vector.svg.style import Style
from clipasso.vector.svg.values import parse_length

__all__ = ["SHAPES", "Lengths", "path_data"]

SHAPES = {"path", "line", "polyline", "polygon", "rect", "circle", "ellipse"}

_ALONG_X = {"x", "x1", "x2", "cx", "rx", "width"}
_ALONG_Y = {"y", "y1", "y2", "cy", "ry", "height"}
_NOT_NEGATIVE = {"r", "rx", "ry", "width", "height"}


class Lengths(NamedTuple):
    """The lengths of one element, in user units.

    Attributes:
        node: the element.
        own: properties set for it, by style sheets or attributes.
        style: with the sizes that its units may be of.
        width, height: of the viewport that percentages are of.
        notes: are told of mistakes.
    """

    node: ET.Element
    own: Mapping[str, Any]
    style: Style
    width: float
    height: float
    notes: Notes

    def get(self, name: str) -> float | None:
        """The length of that name; None where it is missing, `auto` or no length."""
        text = self.own.get(name, self.node.get(name, "auto"))
        if len(text) <= limits.MAX_VALUE and text.strip().lower() == "auto":
            return None
        try:
            if len(text) > limits.MAX_VALUE:
                raise ValueError("no length")
            length = parse_length(text).absolute(self.style.font_size, self.style.root_font_size)
            number = length.pixels(self._whole(name))
            if not isfinite(number) or (number < 0 and name in _NOT_NEGATIVE):
                raise ValueError("out of range")
        except ValueError:
            self.notes.mistake(name, self.node, f"bad {name} {shorten(text)}")
            return None
        return number

    def number(self, name: str) -> float:
        """Like `get`, with 0 where there is none."""
        return self.get(name) or 0.0

    @property
    def stroke_width(self) -> float:
        """Of its strokes, before its transform."""
        return self.style.stroke_width.pixels(self._whole("stroke-width"))

    def _whole(self, name: str) -> float:
        """What percentages are of: the viewport's side, or its mean diagonal."""
        if name in _ALONG_X:
            return self.width
        return self.height if name in _ALONG_Y else hypot(self.width, self.height) / sqrt(2)


def path_data(tag: str, lengths: Lengths) -> str:
    """The `d` of a path that draws the shape, or its `points`; empty for one that is not drawn."""
    node, number = lengths.node, lengths.number
    if tag == "path":
        return node.get("d", "")
    if tag in ("polyline", "polygon"):
        return node.get("points", "")
    if tag == "line":
        return f"M{number('x1')} {number('y1')}L{number('x2')} {number('y2')}"
    if tag == "rect":
        return _rectangle(lengths)
    rx, ry = (lengths.get(name) for name in (("r", "r") if tag == "circle" else ("rx", "ry")))
    rx, ry = rx if rx is not None else ry or 0.0, ry if ry is not None else rx or 0.0
    if not (rx > 0 and ry > 0):
        return ""
    x, y = number("cx"), number("cy")
    ends = ((x, y + ry), (x - rx, y), (x, y - ry), (x + rx, y))
    arcs = "".join(f"A{rx} {ry} 0 0 1 {u} {v}" for u, v in ends)
    return f"M{x + rx} {y}{arcs}z"


def _rectangle(lengths: Lengths) -> str:
    x, y, width, height = (lengths.number(name) for name in ("x", "y", "width", "height"))
    if not (width > 0 and height > 0):
        return ""
    rx, ry = lengths.get("rx"), lengths.get("ry")
    rx, ry = rx if rx is not None else ry or 0.0, ry if ry is not None else rx or 0.0
    rx, ry = min(rx, width / 2), min(ry, height / 2)
    right, bottom = x + width, y + height
    if not (rx > 0 and ry > 0):
        return f"M{x} {y}H{right}V{bottom}H{x}z"
    arc = f"A{rx} {ry} 0 0 1"
    return (
        f"M{x + rx} {y}H{right - rx}{arc} {right} {y + ry}V{bottom - ry}"
        f"{arc} {right - rx} {bottom}H{x + rx}{arc} {x} {bottom - ry}V{y + ry}{arc} {x + rx} {y}z"
    )
