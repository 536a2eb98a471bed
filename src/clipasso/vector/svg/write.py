"""Sketches written as SVG."""

import re
from collections.abc import Mapping, Sequence
from typing import Protocol
from xml.sax.saxutils import escape, quoteattr

from clipasso.vector.bezier import FloatArray
from clipasso.vector.svg.document import SVG

__all__ = ["OURS", "path_data", "write_svg", "xml_number", "xml_text"]

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
    def controls(self) -> FloatArray: ...
    @property
    def widths(self) -> FloatArray: ...
    @property
    def colors(self) -> FloatArray: ...
    @property
    def opacities(self) -> FloatArray: ...
    @property
    def metadata(self) -> Mapping[str, str]: ...
    def __len__(self) -> int: ...


def write_svg(sketch: Drawn, layers: Sequence[tuple[str, int]] = (), decimals: int = 3) -> str:
    """The text of an SVG file: a `<path>` for each stroke, in drawing order, and no background.

    Numbers keep that many decimals, colours eight bits a channel, metadata every character of XML.

    Args:
        layers: a label and how many strokes, for each layer in drawing order; all of them lie on
            some layer, or there are none. Inkscape shows them as its own.
    """
    looks = zip(sketch.controls, sketch.colors, sketch.widths, sketch.opacities, strict=True)
    paths = []
    for segments, color, width, opacity in looks:
        d = path_data(segments, decimals)
        stroke = "#" + "".join(f"{round(255 * value):02x}" for value in color)
        opaque = xml_number(opacity, decimals)
        faint = "" if opaque == "1" else f' stroke-opacity="{opaque}"'
        thick = xml_number(width, decimals)
        paths.append(f'<path d="{d}" stroke="{stroke}" stroke-width="{thick}"{faint}/>')
    items = ""
    for name, value in sketch.metadata.items():
        key = quoteattr(_NOT_XML.sub("", name))
        items += f"    <clipasso:item name={key}>{xml_text(value)}</clipasso:item>\n"
    photo = sketch.metadata.get("photo")
    title = sketch.metadata.get("title", "Sketch" if photo is None else f"Sketch of {photo}")
    w, h = (xml_number(side, decimals) for side in sketch.size)
    inkscape = f'xmlns:inkscape="{_INKSCAPE}" ' if layers else ""
    groups, first = "", 0
    for label, count in layers or [("", len(paths))]:
        layer = f'inkscape:groupmode="layer" inkscape:label={quoteattr(label)} ' if layers else ""
        groups += f'  <g {layer}fill="none" stroke-linecap="round" stroke-linejoin="round">\n'
        groups += "".join(f"    {path}\n" for path in paths[first : first + count]) + "  </g>\n"
        first += count
    return (
        f'<svg xmlns="{SVG[1:-1]}" xmlns:clipasso="{OURS}" {inkscape}'
        f'width="{w}" height="{h}" viewBox="0 0 {w} {h}">\n'
        f"  <title>{xml_text(title)}</title>\n"
        f"  <desc>Bezier strokes: {len(sketch)}. Written by clipasso.</desc>\n"
        f"  <metadata>\n{items}  </metadata>\n"
        f"{groups}</svg>\n"
    )


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
