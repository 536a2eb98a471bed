"""The shapes of a document in drawing order, each as often as it is drawn."""

import re
import xml.etree.ElementTree as ET
from functools import cache, cached_property
from typing import Any, NamedTuple, TypeAlias

from clipasso.vector.svg import limits
from clipasso.vector.svg.document import SVG
from clipasso.vector.svg.geometry import SHAPES, Lengths, path_data
from clipasso.vector.svg.notes import Notes, shorten
from clipasso.vector.svg.outline import check
from clipasso.vector.svg.style import EFFECTS, Cascade, Style
from clipasso.vector.svg.write import OURS

__all__ = ["Item", "View", "Walk", "view_box"]

_GROUPS = {"g", "a", "switch"}
_LOST = {"text", "flowRoot", "image", "foreignObject"}  # to be seen, but no strokes
_DRAWN = _GROUPS | _LOST | SHAPES | {"svg", "use"}
_ALIGNED = re.compile(r"none|x(Min|Mid|Max)Y(Min|Mid|Max)( (meet|slice))?")

View: TypeAlias = tuple[float, float, float, float]  # left, top, width and height, user units


class Frame(NamedTuple):
    """What an element has from those around it."""

    style: Style
    matrix: Any  # svgelements.Matrix from its user units to px of the canvas
    opacity: float  # of the groups around it
    size: tuple[float, float]  # of the nearest viewport, which percentages are of
    clip: tuple[Any, View] | None = None  # the viewport's matrix and edges, if it cuts at them


class Item(NamedTuple):
    """A shape to be drawn."""

    node: ET.Element
    frame: Frame  # with the shape's own style, matrix and opacity
    data: str  # of its path, without mistakes
    stroke_width: float  # px of the canvas


class Walk:
    """One pass over a document, which counts before anything is made of the shapes."""

    def __init__(self, root: ET.Element, notes: Notes) -> None:
        """Read the style sheets. Raises ClipassoError for too many."""
        self._root = root
        self._notes = notes
        self._cascade = Cascade(root, notes)
        self._check = cache(check)
        self._parts = 0
        self._open: set[ET.Element] = set()  # the elements around the one visited, through `use`
        self._stack: list[tuple[ET.Element, Frame | None, ET.Element | None]] = []

    def items(self, view: View) -> list[Item]:
        """The shapes inside the root's view; others are noted.

        Raises:
            ClipassoError: more elements and segments than allowed.
        """
        from svgelements import Matrix  # type: ignore[import-untyped]

        matrix = Matrix.translate(-view[0], -view[1])
        self._stack.append((self._root, Frame(Style(), matrix, 1.0, view[2:]), None))
        items: list[Item] = []
        while self._stack:
            node, outer, user = self._stack.pop()
            if outer is None:  # all in it has been visited
                self._open.discard(node)
                continue
            self._parts += 1
            limits.check_parts(self._parts)
            tag = node.tag.removeprefix(SVG)
            if tag in _DRAWN or (tag == "symbol" and user is not None):
                item = self._visit(node, tag, outer, user)
                if item:
                    items.append(item)
        return items

    def _visit(
        self, node: ET.Element, tag: str, outer: Frame, user: ET.Element | None
    ) -> Item | None:
        """Look at one element, of which `user` is the `use` that asks for it."""
        if tag in _LOST:
            self._notes.count(f"{{n}} <{tag}> element{{s}}")
            return None
        own = self._cascade.own(node)
        style = outer.style.inherited(own)
        if node is self._root:
            style = style.at_root()
        if not own.get("display", True) or (tag in SHAPES and not style.visible):
            if node.get(f"{{{OURS}}}moving") is None:  # the same strokes, on their way
                self._notes.count("{n} hidden element{s}")
            return None
        for effect in EFFECTS:
            if own.get(effect, "none") != "none":
                self._notes.count(f"{effect} on {{n}} element{{s}}")
        matrix = own["transform"] * outer.matrix if "transform" in own else outer.matrix
        opacity = outer.opacity * own.get("opacity", 1.0)
        frame = outer._replace(style=style, matrix=matrix, opacity=opacity)
        lengths = Lengths(node, own, style, *outer.size, self._notes)
        if tag in SHAPES:
            return self._shape(node, tag, frame, lengths)
        if tag == "use":
            self._use(node, frame, lengths)
            return None
        if tag in ("svg", "symbol") and node is not self._root:
            asked = None if user is None else lengths._replace(
                node=user, own=self._cascade.own(user), style=outer.style
            )  # fmt: skip
            inside = _viewport(node, frame, lengths, asked)
            if inside is None:
                return None
            frame = inside
        self._open_up(node, _chosen(node) if tag == "switch" else list(node), frame)
        return None

    def _open_up(self, node: ET.Element, inside: list[ET.Element], frame: Frame) -> None:
        self._open.add(node)
        self._stack.append((node, None, None))
        self._stack += [(child, frame, None) for child in reversed(inside)]

    def _shape(self, node: ET.Element, tag: str, frame: Frame, lengths: Lengths) -> Item | None:
        style = frame.style
        filled = tag != "line" and style.filled
        if style.stroke == "none":
            kind = "{n} filled shape{s} without a stroke" if filled else "{n} invisible shape{s}"
            self._notes.count(kind)
            return None
        text = path_data(tag, lengths)
        data, parts, mistake = self._check(tag, text)
        self._parts += parts
        limits.check_parts(self._parts)
        if mistake is not None:
            name, rest = "d" if tag == "path" else "points", text[mistake : mistake + 99]
            what = f"the {name} from its character {mistake + 1} on, {shorten(rest)}"
            self._notes.mistake(name, node, what)
        if filled:
            self._notes.count("the fill of {n} stroked shape{s}")
        if style.dashed:
            self._notes.count("dash pattern on {n} path{s}")
        scale = abs(frame.matrix.determinant) ** 0.5
        return Item(node, frame, data, lengths.stroke_width * scale)

    def _use(self, node: ET.Element, frame: Frame, lengths: Lengths) -> None:
        """Go on with what a `use` refers to."""
        from svgelements import Matrix

        link = node.get("href", node.get("{http://www.w3.org/1999/xlink}href", ""))
        link = link.strip() if len(link) <= limits.MAX_VALUE else ""
        target = self._ids.get(link[1:]) if link.startswith("#") else None
        moved = Matrix.translate(lengths.number("x"), lengths.number("y")) * frame.matrix
        self._open_up(node, [], frame)
        if target is None:
            self._notes.count("{n} <use> element{s} of what is not in the file")
        elif target in self._open:
            self._notes.count("{n} <use> element{s} inside what they use")
        else:
            self._stack.append((target, frame._replace(matrix=moved), node))

    @cached_property
    def _ids(self) -> dict[str, ET.Element]:
        ids: dict[str, ET.Element] = {}
        for node in self._root.iter():
            if node.get("id"):
                ids.setdefault(node.get("id", ""), node)
        return ids


def _chosen(switch: ET.Element) -> list[ET.Element]:
    """The first child that an English reader without extensions sees."""
    for child in switch:
        languages = child.get("systemLanguage", "en")[: limits.MAX_VALUE].split(",")
        known = "en" in (name.strip()[:2] for name in languages)
        drawn = child.tag.removeprefix(SVG) in _DRAWN - {"foreignObject"}
        if drawn and known and not child.get("requiredExtensions"):
            return [child]
    return []


def view_box(node: ET.Element) -> View | None:
    """The user units that an element's viewport shows; None where it is missing or wrong."""
    text = node.get("viewBox", "")[: limits.MAX_VALUE]
    try:
        x, y, width, height = map(float, text.replace(",", " ").split())
        view = x, y, width, height
    except ValueError:  # not four numbers
        return None
    if not (min(width, height) > 0 and all(abs(n) < limits.MAX_COORDINATE for n in view)):
        return None
    return view


def _viewport(
    node: ET.Element, frame: Frame, lengths: Lengths, asked: Lengths | None
) -> Frame | None:
    """The frame inside a nested `svg` or `symbol`; None for one without an extent.

    Args:
        node: the element.
        frame: with its own style, matrix and opacity.
        lengths: of the element.
        asked: of the `use` that refers to it, whose size goes first.
    """
    from svgelements import Matrix, Viewbox

    def side(name: str, whole: float) -> float:
        for one in (asked, lengths):
            found = one.get(name) if one else None
            if found is not None:
                return found
        return whole

    width, height = side("width", frame.size[0]), side("height", frame.size[1])
    if not min(width, height) > 0:
        return None
    place = (lengths.number("x"), lengths.number("y"), width, height)
    shown = view_box(node)
    if shown:
        aspect = " ".join(node.get("preserveAspectRatio", "")[: limits.MAX_VALUE].split())
        aspect = aspect if _ALIGNED.fullmatch(aspect) else "xMidYMid"
        inner = Matrix(Viewbox.viewbox_transform(*place, *shown, aspect))
    else:
        inner = Matrix.translate(*place[:2])
    hides = lengths.own.get("overflow", "hidden") not in ("visible", "auto")
    clip = (frame.matrix, place) if hides else frame.clip
    size = shown[2:] if shown else (width, height)
    return frame._replace(matrix=inner * frame.matrix, size=size, clip=clip)
