"""SVG files read as sketches."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from clipasso.errors import ClipassoError
from clipasso.vector.bezier import FloatArray
from clipasso.vector.svg import limits
from clipasso.vector.svg.alike import make_alike
from clipasso.vector.svg.colors import BLACK, RGBA
from clipasso.vector.svg.document import parse_document
from clipasso.vector.svg.notes import Notes
from clipasso.vector.svg.outline import outline
from clipasso.vector.svg.style import Style
from clipasso.vector.svg.values import Length, parse_length
from clipasso.vector.svg.walk import Item, View, Walk, view_box
from clipasso.vector.svg.write import OURS

__all__ = ["Found", "read_strokes"]


class _Stroke(NamedTuple):
    points: FloatArray  # [points, 2] px of the canvas, the control points, joints once
    degrees: list[int]  # of its segments
    width: float
    color: tuple[float, ...]
    opacity: float


class Found(NamedTuple):
    """The strokes of a file, as `Sketch` takes them."""

    points: FloatArray  # [strokes, degree * segments + 1, 2] px of the canvas
    size: tuple[float, float]
    degree: int
    widths: list[float]
    colors: FloatArray  # [strokes, 3]
    opacities: list[float]
    metadata: dict[str, str]


def read_strokes(text: str | bytes) -> tuple[Found, tuple[str, ...]]:
    """The strokes of an SVG file, and a line on each kind of thing that a sketch cannot keep.

    Points are in user units, from the upper left corner of the viewBox. Each subpath of a stroked
    shape becomes a stroke, with round ends and joins; arcs become cubics. All strokes are then
    split and raised to as many segments and as high a degree as any has, without a change of shape;
    very long ones beside many others are cut into several (`clipasso.vector.svg.alike`). What an
    element has wrong is passed over as in browsers, and noted.

    Args:
        text: of a file, or its bytes, which may be gzipped (.svgz).

    Raises:
        ClipassoError: what is no SVG, has no size, or is larger than `clipasso.vector.svg.limits`.
    """
    root, notes = parse_document(text), Notes()
    view = _view(root)
    farthest = min(limits.MAX_COORDINATE, limits.MAX_REACH * max(view[2:]))
    with np.errstate(all="ignore"):  # what overflows is left out
        strokes = [*_strokes(Walk(root, notes).items(view), farthest, notes)]
        alike = make_alike([s.points for s in strokes], [s.degrees for s in strokes])
    looks = [strokes[origin] for origin in alike.origins.tolist()]
    if len(looks) > len(strokes):
        cut = int((np.bincount(alike.origins) > 1).sum())
        notes.count("{n} long stroke{s} in one piece, now cut at joints", cut)
    found = Found(
        alike.points,
        view[2:],
        alike.degree,
        widths=[stroke.width for stroke in looks],
        colors=np.reshape([stroke.color for stroke in looks], (-1, 3)),
        opacities=[stroke.opacity for stroke in looks],
        metadata={e.get("name", ""): e.text or "" for e in root.iter(f"{{{OURS}}}item")},
    )
    return found, notes.lines()


def _view(root: ET.Element) -> View:
    view, font = view_box(root), Style().font_size
    if view is None:
        try:
            sides = [parse_length(root.get(name, "")) for name in ("width", "height")]
            width, height = (side.absolute(font, font) for side in sides)
        except ValueError:
            width = height = Length(0.0, "")
        view = (0.0, 0.0, width.number, height.number)
        if width.unit or height.unit or not 0 < min(view[2:]) <= max(view) < limits.MAX_COORDINATE:
            raise ClipassoError("has no size: give it a viewBox, or a width and height in px or mm")
    return view


def _strokes(items: list[Item], farthest: float, notes: Notes) -> Iterator[_Stroke]:
    """The strokes of shapes, less what lies beyond `farthest` px."""
    make, segments = cache(outline), 0
    for item in items:
        matrix = item.frame.matrix
        linear = np.array([[matrix.a, matrix.b], [matrix.c, matrix.d]])
        try:
            chains = make(item.data)
            points = chains.points @ linear + (matrix.e, matrix.f)
            if not (np.abs(points) < farthest).all() or not item.stroke_width < farthest:
                raise ValueError("far, infinite or not a number")
        except ClipassoError:
            raise
        except Exception:  # svgelements raises whatever its arithmetic trips over
            notes.mistake("far", item.node, f"what reaches beyond {farthest:g} px")
            continue
        segments += sum(map(len, chains.degrees))
        limits.check_parts(segments)
        if item.frame.clip and _leaves(points, item.stroke_width, *item.frame.clip):
            notes.count("the edges of the <svg> or <symbol> that {n} shape{s} may cross")
        *color, alpha = _color(item.frame.style, notes)
        opacity = item.frame.opacity * item.frame.style.stroke_opacity * alpha
        start = 0
        for degrees in chains.degrees:
            end = start + sum(degrees) + 1
            yield _Stroke(points[start:end], degrees, item.stroke_width, tuple(color), opacity)
            start = end


def _color(style: Style, notes: Notes) -> RGBA:
    if style.stroke == "currentcolor":
        return style.color
    if isinstance(style.stroke, str):
        notes.count("unknown or patterned paint of {n} stroke{s}, now black")
        return BLACK
    return style.stroke


def _leaves(points: FloatArray, width: float, matrix: Any, edges: View) -> bool:
    """Whether strokes along control points `[points, 2]` could cross the edges of a viewport."""
    scale = abs(matrix.determinant) ** 0.5
    if not scale > 0:
        return False
    linear = np.array([[matrix.a, matrix.b], [matrix.c, matrix.d]])
    inside = (points - (matrix.e, matrix.f)) @ np.linalg.inv(linear) - edges[:2]
    reach = width / scale / 2 - 1e-6 * max(edges[2:])  # of ink, but for rounding
    return bool(((inside < reach) | (inside > np.array(edges[2:]) - reach)).any())
