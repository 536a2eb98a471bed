"""Sketches as SVG files: written, and read back also from other programs' files."""

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator, Mapping
from math import ceil, tau
from typing import Any, NamedTuple, TypeAlias
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from clipasso.bezier import FloatArray, subdivided
from clipasso.errors import ClipassoError
from clipasso.strokes import Sketch

__all__ = ["read_svg", "write_svg"]

MAX_BYTES = 50_000_000
MAX_PARTS = 100_000  # elements of a file, segments in it, segments of the sketch
MAX_COORDINATE = 1e9
CLOSED = 1e-5  # user units between start and end, left by rounded relative coordinates

_SVG = "{http://www.w3.org/2000/svg}"
_OURS = "urn:clipasso:sketch"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_GROUPS = {"g", "a", "switch"}
_SHAPES = {"path", "line", "polyline", "polygon", "rect", "circle", "ellipse"}
_LOST = {"text", "flowRoot", "image", "use", "foreignObject", "svg"}  # to be seen, but no strokes
_EFFECTS = ("clip-path", "mask", "filter", "marker-start", "marker-end", "vector-effect")
_INHERITED = ("stroke", "fill", "color", "visibility")  # and all that begins so
_LENGTHS = ("x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "width", "height")
_LENGTH = re.compile(r"\s*([-+]?[0-9.]+(e[-+]?[0-9]+)?([a-z]*|%)|auto)\s*", re.IGNORECASE)
_BLACK = re.compile(r"black|#0+(ff?)?|rgba?\(([\s0.%]+,){2}[\s0.%]+(,.*)?\)")
_COORDINATES = re.compile(r"\s*([m0-9.+-][mzlhvcsqtae0-9.,+\-\s]*)?", re.IGNORECASE)


def write_svg(sketch: Sketch) -> str:
    """The text of an SVG file: a `<path>` for each stroke, in drawing order, and no background.

    Numbers keep three decimals, colours eight bits a channel, metadata every character of XML.
    """
    looks = zip(sketch.controls, sketch.colors, sketch.widths, sketch.opacities, strict=True)
    paths = ""
    for segments, color, width, opacity in looks:
        d = f"M{_coordinates(segments[0, :1])}"
        for segment in segments:
            d += f" {'LQC'[sketch.degree - 1]}{_coordinates(segment[1:])}"
        stroke = "#" + "".join(f"{round(255 * value):02x}" for value in color)
        faint = "" if _number(opacity) == "1" else f' stroke-opacity="{_number(opacity)}"'
        paths += f'    <path d="{d}" stroke="{stroke}" stroke-width="{_number(width)}"{faint}/>\n'
    items = ""
    for name, value in sketch.metadata.items():
        key = quoteattr(_NOT_XML.sub("", name))
        items += f"    <clipasso:item name={key}>{_text(value)}</clipasso:item>\n"
    photo = sketch.metadata.get("photo")
    title = sketch.metadata.get("title", "Sketch" if photo is None else f"Sketch of {photo}")
    w, h = map(_number, sketch.size)
    return (
        f'<svg xmlns="{_SVG[1:-1]}" xmlns:clipasso="{_OURS}" '
        f'width="{w}" height="{h}" viewBox="0 0 {w} {h}">\n'
        f"  <title>{_text(title)}</title>\n"
        f"  <desc>Bezier strokes: {len(sketch)}. Written by clipasso.</desc>\n"
        f"  <metadata>\n{items}  </metadata>\n"
        f'  <g fill="none" stroke-linecap="round" stroke-linejoin="round">\n{paths}  </g>\n'
        "</svg>\n"
    )


def _coordinates(points: FloatArray) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points)


def _number(value: float) -> str:
    return f"{value:z.3f}".rstrip("0").rstrip(".")  # z: no -0


def _text(value: str) -> str:
    return escape(_NOT_XML.sub("", value), {"\r": "&#13;"})  # a bare \r would be read as \n


_View: TypeAlias = tuple[float, float, float, float]  # left, top, width and height, user units


class _Stroke(NamedTuple):
    segments: list[FloatArray]  # each [degree + 1, 2], in px of the canvas
    width: float
    color: tuple[float, ...]
    opacity: float


def read_svg(text: str | bytes) -> tuple[Sketch, tuple[str, ...]]:
    """The strokes of an SVG file, and a line on each kind of thing that a sketch cannot keep.

    Points are in user units, from the upper left corner of the viewBox. Each subpath of a stroked
    shape becomes a stroke, with round ends and joins; arcs become cubics. All strokes are then
    split and raised to as many segments and as high a degree as any has, without a change of shape.
    Raises ClipassoError for what is no SVG, is too large, has a DTD or bad numbers.
    """
    root, notes = _parse(text), Counter[str]()
    view = _view(root)
    with np.errstate(all="ignore"):  # what overflows is refused
        strokes = list(_strokes(root, view, notes))
    points, degree = _alike([stroke.segments for stroke in strokes])
    sketch = Sketch(
        points,
        view[2:],
        degree,
        widths=[stroke.width for stroke in strokes],
        colors=np.reshape([stroke.color for stroke in strokes], (-1, 3)),
        opacities=[stroke.opacity for stroke in strokes],
        metadata={e.get("name", ""): e.text or "" for e in root.iter(f"{{{_OURS}}}item")},
    )
    return sketch, tuple(note.format(n=n, s="s" * (n > 1)) for note, n in notes.items())


def _parse(text: str | bytes) -> ET.Element:
    from defusedxml import DTDForbidden
    from defusedxml.ElementTree import fromstring

    if len(text) > MAX_BYTES:
        raise ClipassoError(f"is larger than {MAX_BYTES // 1_000_000} MB; simplify the drawing")
    try:
        root: ET.Element = fromstring(text, forbid_dtd=True)
    except DTDForbidden:
        raise ClipassoError("has a DTD; save it without one") from None
    except (ET.ParseError, ValueError, LookupError) as error:
        raise ClipassoError(f"is not well-formed XML: {error}; give an SVG file") from None
    if root.tag.removeprefix(_SVG) != "svg":
        raise ClipassoError(f"is XML, but its root is {root.tag!r}; give an SVG file")
    return root


def _view(root: ET.Element) -> _View:
    from svgelements import Length  # type: ignore[import-untyped]

    sides = (Length(root.get(name)).value(ppi=96) for name in ("width", "height"))
    try:
        box = root.get("viewBox", "").replace(",", " ").split()
        x, y, width, height = map(float, box or ("0", "0", *map(str, sides)))
    except ValueError:  # not four numbers; str leaves its sign to a percentage
        x = y = width = height = 0.0
    if not (min(width, height) > 0 and max(map(abs, (x, y, width, height))) < MAX_COORDINATE):
        raise ClipassoError("has no size: give it a viewBox, or a width and height in px or mm")
    return x, y, width, height


def _strokes(root: ET.Element, view: _View, notes: Counter[str]) -> Iterator[_Stroke]:
    """Walk the drawing in its order, yield its strokes, and count in `notes` what is left out."""
    from svgelements import Matrix

    rules = _style_sheet("".join(node.text or "" for node in root.iter(f"{_SVG}style")))
    initial = {"fill": "black", "stroke": "none", "visibility": "visible", "opacity": "1"}
    stack, parts = [(root, initial, Matrix.translate(-view[0], -view[1]))], 0
    while stack:
        node, outer, matrix = stack.pop()
        tag = node.tag.removeprefix(_SVG)
        own = _properties(node, tag, rules)
        style = outer | {name: own[name] for name in own if name.startswith(_INHERITED)}
        lost = f"<{tag}>" if tag in _LOST and node is not root else ""
        unseen = tag in _SHAPES and style["visibility"] != "visible"
        if lost or unseen or own.get("display") == "none":
            notes[f"{{n}} {lost or 'hidden'} element{{s}}"] += 1
            continue
        for effect in _EFFECTS:
            if own.get(effect, "none") != "none":
                notes[f"{effect} on {{n}} element{{s}}"] += 1
        try:
            matrix = Matrix(own.get("transform", "")) * matrix
            opacity = float(outer["opacity"]) * _fraction(own.get("opacity", "1"))
            style["opacity"] = str(opacity)  # a group's fades what is in it once more
            strokes = [*_shape(tag, own | style, matrix, view, notes)] if tag in _SHAPES else []
        except Exception as error:  # svgelements raises whatever its arithmetic trips over
            where = f"<{tag} id={node.get('id', '')!r}>"
            raise ClipassoError(f"has bad numbers in {where}; mend or delete it") from error
        parts += 1 + sum(len(stroke.segments) for stroke in strokes)
        if parts > MAX_PARTS:
            raise ClipassoError(f"has more than {MAX_PARTS} parts; simplify the drawing")
        yield from strokes
        if tag in _GROUPS or node is root:
            stack += [(child, style, matrix) for child in reversed(node)]


def _properties(node: ET.Element, tag: str, rules: Mapping[str, dict[str, str]]) -> dict[str, str]:
    """Attributes of `node`, overridden by the style sheet, and that by its own style."""
    own = dict(node.attrib)
    classes = [f".{name}" for name in own.get("class", "").split()]
    for selector in ("*", tag, *classes, *(tag + name for name in classes), f"#{own.get('id')}"):
        own |= rules.get(selector, {})
    own |= _declarations(node.get("style", ""))
    return {name: value for name, value in own.items() if value != "inherit"}


def _declarations(css: str) -> dict[str, str]:
    pairs = (declaration.partition(":") for declaration in css.split(";"))
    return {name.strip(): value.removesuffix("!important").strip() for name, _, value in pairs}


def _style_sheet(css: str) -> dict[str, dict[str, str]]:
    """Declarations by plain selector: `*`, `tag`, `.class`, `tag.class` or `#id`."""
    css = "".join(part.rpartition("*/")[2] for part in css.split("/*"))  # without comments
    rules: dict[str, dict[str, str]] = {}
    for selectors, _, body in (rule.partition("{") for rule in css.split("}")):
        for selector in selectors.split(","):
            rules.setdefault(selector.strip(), {}).update(_declarations(body))
    return rules


def _shape(
    tag: str, values: dict[str, str], matrix: Any, view: _View, notes: Counter[str]
) -> Iterator[_Stroke]:
    """The strokes of one shape, from its attributes and properties of any origin."""
    import svgelements

    filled = tag != "line" and values["fill"] != "none"
    if values["stroke"] == "none":
        notes["{n} filled shape{s} without a stroke" if filled else "{n} invisible shape{s}"] += 1
        return
    if filled:
        notes["the fill of {n} stroked shape{s}"] += 1
    if values.get("stroke-dasharray", "none") != "none":
        notes["dash pattern on {n} path{s}"] += 1
    paint = values.get("color", "black") if values["stroke"] == "currentColor" else values["stroke"]
    color = svgelements.Color(paint)
    if color == "black" and not _BLACK.fullmatch(paint):  # what it does not know is black
        notes["unknown or patterned paint of {n} stroke{s}, now black"] += 1
    numbers = [values[name] for name in (*_LENGTHS, "stroke-width") if name in values]
    outline = values.get("d", "") + values.get("points", "")
    if not (all(map(_LENGTH.fullmatch, numbers)) and _COORDINATES.fullmatch(outline)):
        raise ValueError("not a number")  # which svgelements would pass over, or take for 0
    shape = getattr(svgelements, "SimpleLine" if tag == "line" else tag.capitalize())(values)
    shape.transform = matrix
    shape.render(ppi=96, width=view[2], height=view[3])
    rgb = (color.red / 255, color.green / 255, color.blue / 255)
    alpha = color.opacity * float(values["opacity"]) * _fraction(values.get("stroke-opacity", "1"))
    for segments in _chains(svgelements.Path(shape), matrix):
        yield _Stroke(segments, shape.implicit_stroke_width, rgb, alpha)


def _chains(path: Any, matrix: Any) -> list[list[FloatArray]]:
    """The subpaths of an svgelements.Path as segments `[degree + 1, 2]`, in px of the canvas."""
    from svgelements import Arc, Close, Move

    linear, shift = np.array([[matrix.a, matrix.b], [matrix.c, matrix.d]]), (matrix.e, matrix.f)
    chains: list[list[FloatArray]] = [[]]
    for part in path:
        if isinstance(part, Move):
            chains.append([])
        elif not (isinstance(part, Close) and part.length() < CLOSED and chains[-1]):
            # No sweep is left of an arc without a radius, which is a line.
            pieces = max(1, ceil(abs(part.sweep) / (tau / 8))) if isinstance(part, Arc) else 0
            for curve in part.as_cubic_curves(pieces) if pieces else [part]:
                chains[-1].append(np.array([(p.x, p.y) for p in curve]) @ linear + shift)
                if not (np.abs(chains[-1][-1]) < MAX_COORDINATE).all():
                    raise ValueError("too far, infinite or not a number")
        if isinstance(part, Close):
            chains.append([])
    return [chain for chain in chains if chain]


def _fraction(text: str) -> float:
    value = float(text.rstrip("%")) / (100 if text.endswith("%") else 1)
    return min(max(value, 0.0), 1.0)


def _alike(chains: list[list[FloatArray]]) -> tuple[FloatArray, int]:
    """Chains of segments `[degree + 1, 2]` as points `[chains, points, 2]` of one degree."""
    degree = max((len(segment) - 1 for chain in chains for segment in chain), default=3)
    count = max(map(len, chains), default=1)
    if count * len(chains) > MAX_PARTS:
        raise ClipassoError(f"needs more than {MAX_PARTS} segments; simplify the drawing")
    points = np.empty((len(chains), count * degree + 1, 2))
    for row, chain in zip(points, chains, strict=True):
        ordered = subdivided([_raised(segment, degree) for segment in chain], count)
        row[:] = np.concatenate([ordered[0, :1], *ordered[:, 1:]])
    return points, degree


def _raised(segment: FloatArray, degree: int) -> FloatArray:
    """The same curve with `degree + 1` control points."""
    while (n := len(segment)) <= degree:
        share = np.arange(n + 1)[:, None] / n
        before, after = np.vstack([segment[:1], segment]), np.vstack([segment, segment[-1:]])
        segment = share * before + (1 - share) * after
    return segment
