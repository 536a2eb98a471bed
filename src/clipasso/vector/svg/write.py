"""Sketches written as SVG."""

import re
from collections.abc import Mapping, Sequence
from typing import Protocol
from xml.sax.saxutils import escape, quoteattr

from clipasso.vector.bezier import FloatArray
from clipasso.vector.svg.document import SVG

__all__ = ["OURS", "ROUND", "attributes", "write_svg"]

OURS = "urn:clipasso:sketch"  # the namespace of our metadata

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Drawn(Protocol):
    """What is asked of a sketch to be written; `Sketch` has it."""

    @property
    def size(self) -> tuple[float, float]: ...
    @property
    def degree(self) -> int: ...
    @property
    def points(self) -> FloatArray: ...
    @property
    def widths(self) -> FloatArray: ...
    @property
    def colors(self) -> FloatArray: ...
    @property
    def opacities(self) -> FloatArray: ...
    @property
    def metadata(self) -> Mapping[str, str]: ...
    def __len__(self) -> int: ...


ROUND = 'fill="none" stroke-linecap="round" stroke-linejoin="round"'
"""What all strokes have in common."""


def write_svg(
    sketch: Drawn, *, style: str = "", each: Sequence[str] = (), group: str = "", after: str = ""
) -> str:
    """The text of an SVG file: a `<path>` for each stroke, in drawing order, and no background.

    Numbers keep three decimals, colours eight bits a channel, metadata every character of XML.

    Args:
        style: a style sheet, without what XML escapes.
        each: further attributes of each stroke.
        group: further attributes of the group that all are in.
        after: elements that follow on it.
    """
    paths = ""
    for k in range(len(sketch)):
        looks = attributes(sketch, k)
        if looks["stroke-opacity"] == "1":
            del looks["stroke-opacity"]
        text = " ".join(f'{name}="{value}"' for name, value in looks.items())
        paths += f"    <path {text}{' ' + each[k] if each else ''}/>\n"
    items = ""
    for name, value in sketch.metadata.items():
        key = quoteattr(_NOT_XML.sub("", name))
        items += f"    <clipasso:item name={key}>{_text(value)}</clipasso:item>\n"
    photo = sketch.metadata.get("photo")
    title = sketch.metadata.get("title", "Sketch" if photo is None else f"Sketch of {photo}")
    w, h = map(_number, sketch.size)
    sheet = f"  <style>\n{style}  </style>\n" if style else ""
    return (
        f'<svg xmlns="{SVG[1:-1]}" xmlns:clipasso="{OURS}" '
        f'width="{w}" height="{h}" viewBox="0 0 {w} {h}">\n'
        f"  <title>{_text(title)}</title>\n"
        f"  <desc>Bezier strokes: {len(sketch)}. Written by clipasso.</desc>\n"
        f"  <metadata>\n{items}  </metadata>\n{sheet}"
        f"  <g {group + ' ' if group else ''}{ROUND}>\n{paths}  </g>\n{after}"
        "</svg>\n"
    )


def attributes(sketch: Drawn, stroke: int) -> dict[str, str]:
    """The attributes of a stroke's `<path>`."""
    points, degree = sketch.points[stroke], sketch.degree
    d = f"M{_coordinates(points[:1])}"
    for first in range(1, len(points), degree):
        d += f" {'LQC'[degree - 1]}{_coordinates(points[first : first + degree])}"
    return {
        "d": d,
        "stroke": "#" + "".join(f"{round(255 * value):02x}" for value in sketch.colors[stroke]),
        "stroke-width": _number(sketch.widths[stroke]),
        "stroke-opacity": _number(sketch.opacities[stroke]),
    }


def _coordinates(points: FloatArray) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points)


def _number(value: float) -> str:
    return f"{value:z.3f}".rstrip("0").rstrip(".")  # z: no -0


def _text(value: str) -> str:
    return escape(_NOT_XML.sub("", value), {"\r": "&#13;"})  # a bare \r would be read as \n
