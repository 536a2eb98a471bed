"""Sketches written as SVG."""

import re
from collections.abc import Mapping, Sequence
from typing import Protocol
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from clipasso.vector.bezier import FloatArray
from clipasso.vector.svg.document import SVG

__all__ = ["OURS", "ROUND", "attributes", "path_data", "write_svg", "xml_number", "xml_text"]

OURS = "urn:clipasso:sketch"  # the namespace of our metadata
_INKSCAPE = "http://www.inkscape.org/namespaces/inkscape"

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
    sketch: Drawn, layers: Sequence[tuple[str, int]] = (), *, decimals: int = 3, style: str = "",
    each: Sequence[str] = (), group: str = "", after: str = "",
) -> str:  # fmt: skip
    """The text of an SVG file: a `<path>` for each stroke, in drawing order, and no background.

    Numbers keep that many decimals, colours eight bits a channel, metadata every character of XML.

    Args:
        layers: a label and how many strokes, for each layer in drawing order; all of them lie on
            some layer, or there are none. Inkscape shows them as its own.
        style: a style sheet, without what XML escapes.
        each: further attributes of each stroke.
        group: further attributes of the group that all are in, or of each layer.
        after: elements that follow.
    """
    paths = []
    for k in range(len(sketch)):
        looks = attributes(sketch, k, decimals)
        if looks["stroke-opacity"] == "1":
            del looks["stroke-opacity"]
        text = " ".join(f'{name}="{value}"' for name, value in looks.items())
        paths.append(f"    <path {text}{' ' + each[k] if each else ''}/>\n")
    items = ""
    for name, value in sketch.metadata.items():
        key = quoteattr(_NOT_XML.sub("", name))
        items += f"    <clipasso:item name={key}>{xml_text(value)}</clipasso:item>\n"
    photo = sketch.metadata.get("photo")
    title = sketch.metadata.get("title", "Sketch" if photo is None else f"Sketch of {photo}")
    w, h = (xml_number(side, decimals) for side in sketch.size)
    inkscape = f'xmlns:inkscape="{_INKSCAPE}" ' if layers else ""
    sheet = f"  <style>\n{style}  </style>\n" if style else ""
    groups, first = "", 0
    for label, count in layers or [("", len(paths))]:
        layer = f'inkscape:groupmode="layer" inkscape:label={quoteattr(label)} ' if layers else ""
        groups += f"  <g {layer}{group + ' ' if group else ''}{ROUND}>\n"
        groups += "".join(paths[first : first + count]) + "  </g>\n"
        first += count
    return (
        f'<svg xmlns="{SVG[1:-1]}" xmlns:clipasso="{OURS}" {inkscape}'
        f'width="{w}" height="{h}" viewBox="0 0 {w} {h}">\n'
        f"  <title>{xml_text(title)}</title>\n"
        f"  <desc>Bezier strokes: {len(sketch)}. Written by clipasso.</desc>\n"
        f"  <metadata>\n{items}  </metadata>\n{sheet}{groups}{after}</svg>\n"
    )


def attributes(sketch: Drawn, stroke: int, decimals: int = 3) -> dict[str, str]:
    """The attributes of a stroke's `<path>`."""
    points, degree = sketch.points[stroke], sketch.degree
    ends = np.arange(0, len(points) - 1, degree)[:, None]
    return {
        "d": path_data(points[ends + np.arange(degree + 1)], decimals),
        "stroke": "#" + "".join(f"{round(255 * value):02x}" for value in sketch.colors[stroke]),
        "stroke-width": xml_number(sketch.widths[stroke], decimals),
        "stroke-opacity": xml_number(sketch.opacities[stroke], decimals),
    }


def path_data(segments: FloatArray, decimals: int = 3) -> str:
    """A chain of Bezier segments `[segments, degree + 1, 2]` as the `d` of a `<path>`."""
    d = f"M{_coordinates(segments[0, :1], decimals)}"
    for segment in segments:
        d += f" {'LQC'[len(segment) - 2]}{_coordinates(segment[1:], decimals)}"
    return d


def _coordinates(points: FloatArray, decimals: int) -> str:
    return " ".join(f"{xml_number(x, decimals)},{xml_number(y, decimals)}" for x, y in points)


def xml_number(value: float, decimals: int = 3) -> str:
    """A number in as few digits as that many decimals need."""
    return f"{value:z.{decimals}f}".rstrip("0").rstrip(".")  # z: no -0


def xml_text(value: str) -> str:
    """Text between tags, without what XML does not know."""
    return escape(_NOT_XML.sub("", value), {"\r": "&#13;"})  # a bare \r would be read as \n
