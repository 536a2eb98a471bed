"""How elements look: the cascade of attributes, style sheets and styles, and inheritance."""

import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import cache
from typing import Any

from clipasso.vector.svg import limits, values
from clipasso.vector.svg.colors import BLACK, RGBA, Paint, parse_color, parse_paint
from clipasso.vector.svg.notes import Notes, shorten
from clipasso.vector.svg.sheet import StyleSheets
from clipasso.vector.svg.values import Length

__all__ = ["EFFECTS", "GEOMETRY", "Cascade", "Style"]

EFFECTS = ("clip-path", "mask", "filter", "marker", "marker-start", "marker-mid", "marker-end",
           "vector-effect")  # fmt: skip
GEOMETRY = ("x", "y", "cx", "cy", "r", "rx", "ry", "width", "height")  # also set by style sheets
_ONE = Length(1.0, "")


@dataclass(frozen=True, slots=True)
class Style:
    """What elements inherit."""

    stroke: Paint = "none"
    filled: bool = True
    color: RGBA = BLACK
    stroke_width: Length = _ONE  # absolute, or a percentage
    stroke_opacity: float = 1.0
    dashed: bool = False
    visible: bool = True
    font_size: float = 16.0  # px
    root_font_size: float = 16.0

    def inherited(self, own: Mapping[str, Any]) -> "Style":
        """The style of an element inside, for which the properties `own` are set."""
        fields = {name: own[name] for name in _FIELDS if name in own}
        if not fields:
            return self
        fonts = self.font_size, self.root_font_size
        if "font-size" in fields:
            size: Length = fields["font-size"].absolute(*fonts)
            fields["font-size"] = size.number
            fonts = size.number, self.root_font_size
        if fields.get("stroke") == "unknown":  # better black than lost
            fields["stroke"] = "pattern" if self.stroke == "none" else self.stroke
        if "stroke-width" in fields:
            fields["stroke-width"] = fields["stroke-width"].absolute(*fonts)
        return replace(self, **{_FIELDS[name][0]: value for name, value in fields.items()})

    def at_root(self) -> "Style":
        """The root's own style, whose size of font `rem` is."""
        return replace(self, root_font_size=self.font_size)


def _filled(text: str) -> bool:
    return text.strip().lower() not in ("none", "transparent")


def _dashed(text: str) -> bool:
    return any(digit in text for digit in "123456789")


def _keyword(text: str) -> str:
    return text.strip().lower()


def _visible(text: str) -> bool:
    return text.strip().lower() == "visible"


def _shown(text: str) -> bool:
    return text.strip().lower() != "none"


_FIELDS: dict[str, tuple[str, Callable[[str], Any], str]] = {  # and the initial value
    "stroke": ("stroke", parse_paint, "none"),
    "fill": ("filled", _filled, "black"),
    "color": ("color", parse_color, "black"),
    "stroke-width": ("stroke_width", values.parse_width, "1"),
    "stroke-opacity": ("stroke_opacity", values.parse_fraction, "1"),
    "stroke-dasharray": ("dashed", _dashed, "none"),
    "visibility": ("visible", _visible, "visible"),
    "font-size": ("font_size", values.parse_font_size, "medium"),
}
_PARSERS: dict[str, Callable[[str], Any]] = {
    **{name: parse for name, (_, parse, _) in _FIELDS.items()},
    "opacity": values.parse_fraction,
    "display": _shown,
    "transform": values.parse_transform,
    "overflow": _keyword,
    **dict.fromkeys((*EFFECTS, *GEOMETRY), _keyword),
}


class _Word(Enum):
    WRONG = auto()
    UNSET = auto()  # an inherited value, or the initial one of what is not inherited


class Cascade:
    """Properties of the elements of a document."""

    def __init__(self, root: ET.Element, notes: Notes) -> None:
        """Read the style sheets; mistakes are told to `notes`. Raises ClipassoError."""
        self._sheets = StyleSheets(root, notes)
        self._notes = notes
        self._own: dict[ET.Element, dict[str, Any]] = {}
        self._value = cache(_value)

    def own(self, node: ET.Element) -> Mapping[str, Any]:
        """Values of the properties that are set for an element itself, by their names.

        Of several declarations of a property the last valid one counts, as in browsers. Geometry
        and effects are text.
        """
        if node not in self._own:
            self._own[node] = self._resolve(node)
        return self._own[node]

    def _resolve(self, node: ET.Element) -> dict[str, Any]:
        own: dict[str, Any] = {}
        wrong: dict[str, str] = {}
        for name, text in (*node.items(), *self._sheets.declarations(node)):
            if name not in _PARSERS:
                continue
            value = self._value(name, text)
            if value is _Word.WRONG:
                wrong[name] = text
            else:
                own[name] = value
        for name in [name for name in wrong if name not in own]:
            self._notes.mistake(name, node, f"bad {name} {shorten(wrong[name])}")
            if name == "stroke" and wrong[name].strip():
                own[name] = "unknown"
        return {name: value for name, value in own.items() if value is not _Word.UNSET}


def _value(name: str, text: str) -> Any:
    if len(text) > limits.MAX_VALUE:
        return _Word.WRONG
    word = text.strip().lower()
    if word in ("inherit", "unset", "revert", "revert-layer"):
        return _Word.UNSET
    if word == "initial":
        return _PARSERS[name](_FIELDS[name][2]) if name in _FIELDS else _Word.UNSET
    try:
        return _PARSERS[name](text)
    except ValueError:
        return _Word.WRONG
