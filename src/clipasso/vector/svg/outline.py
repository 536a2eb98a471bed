"""Path data: counted, checked, and turned into Bezier segments."""

import re
from math import ceil, tau
from typing import Any, NamedTuple

import numpy as np

from clipasso.vector.bezier import FloatArray
from clipasso.vector.svg import limits
from clipasso.vector.svg.values import NUMBER, SPACE

__all__ = ["Checked", "Outline", "check", "outline"]

CLOSED = 1e-5  # user units between start and end, left by rounded relative coordinates

_COMMA = rf"{SPACE},?+{SPACE}"
_ARC = _COMMA.join([NUMBER, NUMBER, NUMBER, "[01]", "[01]", NUMBER, NUMBER])
_COUNTS = {"m": 2, "l": 2, "h": 1, "v": 1, "c": 6, "s": 4, "q": 4, "t": 2}
_ARGUMENTS = {**{name: _COMMA.join([NUMBER] * n) for name, n in _COUNTS.items()}, "a": _ARC}
_FIRST = {name: re.compile(SPACE + text) for name, text in _ARGUMENTS.items()}
_FURTHER = {name: re.compile(_COMMA + text) for name, text in _ARGUMENTS.items()}
_COMMAND = re.compile(rf"{_COMMA}([mzlhvcsqta])", re.IGNORECASE)  # no browser minds the comma
_START = re.compile(rf"{SPACE}[mM]")
_BLANKS = " \t\n\f\r"
_BARE_POINT = re.compile(r"(?<=[0-9])\.(?![0-9])")  # 1. is a number, but not for svgelements
_CLOSED_AGAIN = re.compile(r"(?<=[zZ])[ \t\n\f\r]*[zZ]")  # nothing more; svgelements looks far back


class Checked(NamedTuple):
    """Path data without mistakes."""

    data: str
    parts: int  # commands, or as many as their numbers make
    mistake: int | None  # where the first mistake was


def check(tag: str, text: str) -> Checked:
    """Read path data, or the points of a polyline or polygon, as far as they are right.

    This is much quicker than making segments, and goes no further than to more than the most parts.
    """
    start = "" if tag not in ("polyline", "polygon") else "M"
    data = start + text if text.strip(_BLANKS) else ""
    end, parts = 0, 0
    command = _COMMAND.match(data) if _START.match(data) else None
    while command and parts <= limits.MAX_PARTS:
        name = command[1].lower()
        if name == "z":
            end, parts = command.end(), parts + 1
        else:
            found = _FIRST[name].match(data, command.end())
            if not found:
                break
            while found and parts <= limits.MAX_PARTS:
                end, parts = found.end(), parts + (2 if name == "a" else 1)
                found = _FURTHER[name].match(data, end)
        command = _COMMAND.match(data, end)
    right = not data[end:].strip(_BLANKS + ",")
    mistake = None if right else max(end - len(start), 0)
    return Checked(data[:end] + "z" * (tag == "polygon" and end > 0), parts, mistake)


class Outline(NamedTuple):
    """Chains of Bezier segments, one for each subpath."""

    points: FloatArray  # [points, 2] control points of all chains, joints once
    degrees: list[list[int]]  # of each chain's segments


def outline(d: str) -> Outline:
    """Turn checked path data into chains; arcs become cubics.

    Raises:
        ClipassoError: more segments than allowed.
        ValueError, ArithmeticError: a number beyond reason.
    """
    from svgelements import Arc, Close, Move, Path  # type: ignore[import-untyped]

    path = Path(_CLOSED_AGAIN.sub("", _BARE_POINT.sub(".0", d)))
    # No sweep is left of an arc without a radius, which is a line.
    pieces = [max(1, ceil(abs(p.sweep) / (tau / 8))) if isinstance(p, Arc) else 1 for p in path]
    limits.check_parts(sum(pieces))
    points: list[Any] = []
    degrees: list[list[int]] = []
    chain: list[int] = []  # the last of `degrees` until its subpath ends
    for part, count in zip(path, pieces, strict=True):
        curves = [part]
        if isinstance(part, Arc):
            curves = [*part.as_cubic_curves(count)]
        elif isinstance(part, Move) or (
            isinstance(part, Close) and chain and abs(part.end - part.start) < CLOSED
        ):
            curves = []
        for curve in curves:
            if not chain:
                degrees.append(chain)
                points.append(curve.start)
            controls = [*curve][1:]
            points += controls
            chain.append(len(controls))
        if isinstance(part, (Move, Close)):
            chain = []
    return Outline(np.array([(point.x, point.y) for point in points]).reshape(-1, 2), degrees)
