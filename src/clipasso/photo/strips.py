"""Strips and lines along a picture's sides: what frames consist of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ALL",
    "MOST",
    "SAME",
    "SOME",
    "SURE",
    "Picture",
    "Strip",
    "alike",
    "line_along",
    "strip_along",
]

# CIELAB units, in which a and b count half: JPEG smears colours over a strip's edge.
_NOISE = 7.0  # what is no farther from a strip's colour belongs to it, and
_GRAIN = 3.0  # times the strip's own spread, where that is more, as on paper,
_ROUGH = 8.0  # up to such a spread,
_FAR = 15.0  # and no more than that
_EVEN = 2.5  # a drawn strip's spread
_STEP = 11.0  # at a strip's inner edge
SAME = 9.0  # between the sides of one border
_VARIED = 6.0  # along the photo at a strip's edge: a wall or the sea is more even
_DARK, _PALE = 35.0, 88.0  # lightness that a scanner's lid may not be between

SOME, MOST, SURE, ALL = 0.3, 0.6, 0.8, 0.93
"""Of a side's length has the step: a photo in black bars may itself be black in places."""

# Parts of a side's length.
_CLEAN = 0.97  # of a strip's innermost row is the strip's colour,
_GROUND = 0.45  # and that much at least of each of its rows: the rest is writing
_SURER = 0.1  # than a straight strip's a tilted one's step must be
_TILT = 0.06  # how far a scanner's edge may turn, px per px

# Parts of the picture.
_REACH = 0.38  # how deep a strip may be on one side,
_SKEW = 0.1  # or where it is uneven,
_INSET = 0.08  # or a line be from its side

Picture = NDArray[np.float32]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Strip:
    """A strip along one side.

    Attributes:
        colour: the scaled CIELAB of its ground.
        depth: px, of an uneven one the most.
        step: part of the side's length with a sharp step at its inner edge.
        written: whether there is something on it.
        varied: whether the photo along its inner edge is of several colours.
        uneven: whether its inner edge is not parallel to the side.
        even: whether its colour is, as in what was drawn.
        inset: whether it is a line, and what of the photo is outside of it.
    """

    colour: NDArray[np.float32]
    depth: int
    step: float
    written: bool = False
    varied: bool = True
    uneven: bool = False
    even: bool = False
    inset: bool = False


def strip_along(view: Picture, span: slice = slice(None)) -> Strip | None:
    """The strip along the top; None where there is none with a sharp inner edge.

    Args:
        view: with that side on top.
        span: the columns where the photo is.
    """
    import cv2

    reach = max(3, int(_REACH * len(view)))
    # Noise is less along the side, and the step across it as sharp as before.
    along = max(1, view.shape[1] // 200)
    top = cv2.blur(np.ascontiguousarray(view[: reach + 4]), (2 * along + 1, 1))
    colour = np.median(top[0], axis=0)
    away: NDArray[np.float32] = np.linalg.norm(top - colour, axis=2)
    spread = float(np.quantile(away[0], 0.9))
    if spread > _ROUGH:
        return None
    tolerance = min(max(_NOISE, _GRAIN * spread), _FAR)
    same = away[:, span] <= tolerance
    stepped = away[:, span] > max(_STEP, tolerance)
    straight = _straight(top[:, span], same, stepped, colour, reach, spread)
    tilted = _tilted(same, stepped, colour, int(_SKEW * len(view)))
    if straight and tilted:
        return tilted if tilted.step > straight.step + _SURER else straight
    return straight or tilted


def _straight(
    top: Picture,
    same: Flags,
    stepped: Flags,
    colour: NDArray[np.float32],
    reach: int,
    spread: float,
) -> Strip | None:
    ground = same.mean(1)
    whole = np.flatnonzero(ground < _GROUND)
    last = min(reach, int(whole[0]) if len(whole) else reach)
    depths = np.arange(1, last + 1)
    # A blended row may lie between the strip and the photo.
    before = same[np.maximum(depths - 2, 0)]
    beyond = stepped[depths] | stepped[depths + 1]
    step = (before & beyond).mean(1)
    step[ground[np.maximum(depths - 2, 0)] < _CLEAN] = 0
    if not len(step) or step.max() < SOME:
        return None
    best = int(step.argmax())
    depth = int(depths[best])
    # The first of two rows that both show the step is the edge.
    if best and step[best - 1] >= step[best] - 0.02:
        depth -= 1
    while depth < last and (ground[depth] > _CLEAN and step[depth - 1] < step[best] - 0.02):
        depth += 1
    row = top[min(depth + 2, len(top) - 1)]
    varied = np.linalg.norm(row - np.median(row, axis=0), axis=1)
    return Strip(
        colour, depth, float(step[best]),
        written=bool((ground[: max(1, depth - 1)] < _CLEAN).any()),
        varied=float(np.quantile(varied, 0.8)) > _VARIED,
        even=spread < _EVEN,
    )  # fmt: skip


def _tilted(same: Flags, stepped: Flags, colour: NDArray[np.float32], reach: int) -> Strip | None:
    """A strip that is deeper at one end, as where a photo lay askew on a scanner."""
    if not (colour[0] < _DARK or colour[0] > _PALE) or reach < 3:
        return None
    width = same.shape[1]
    out = ~same[:reach]
    ends = np.where(out.any(0), out.argmax(0), reach)
    x = np.arange(width)
    below = np.minimum(ends + 2, len(stepped) - 1)
    sharp = (ends < reach) & (stepped[below, x] | stepped[below - 1, x])
    best, found = 0.0, None
    for slope in np.linspace(-_TILT, _TILT, 61):
        level = ends - slope * (x - width / 2)
        counts = np.bincount(np.maximum(np.rint(level[sharp]), 0).astype(int), minlength=3)
        near = counts + np.roll(counts, 1) + np.roll(counts, -1)
        base = int(near.argmax())
        line = base + slope * (x - width / 2)
        step = float((sharp & (np.abs(ends - np.maximum(line, 0)) <= 1.5)).mean())
        shallow = float((ends < line - 1.5).mean())
        if step > best and shallow < 1 - _CLEAN:
            best, found = step, line
    if found is None or best < MOST:
        return None
    depth = int(np.ceil(found.max())) + 1
    return Strip(colour, depth, best, uneven=True) if 2 <= depth <= reach else None


def line_along(view: Picture) -> Strip | None:
    """The innermost thin line along the top, which begins and ends with the side's last tenths."""
    import cv2

    length = view.shape[1]
    top = cv2.blur(np.ascontiguousarray(view[: int(_INSET * len(view)) + 8]), (3, 1))
    top = top[:, length // 10 : length - length // 10]
    for y in range(len(top) - 8, 1, -1):
        colour = np.median(top[y], axis=0)
        away = np.linalg.norm(top[max(0, y - 5) : y + 6] - colour, axis=2)
        here = min(5, y)
        if (away[here] <= 2 * _NOISE).mean() < SURE:
            continue
        without, within = away[:here].max(0), away[here + 1 :].max(0)
        if min((without > _STEP).mean(), (within > _STEP).mean()) > MOST:
            return Strip(colour, y + 2, 1, inset=True)
    return None


def alike(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    """Whether two colours, scaled CIELAB, are those of one border."""
    return float(np.linalg.norm(one - other)) <= SAME
