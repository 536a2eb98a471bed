"""Frames around photos: lines, borders, bars, captions and what a scanner leaves at the sides.

They are no part of what a photo shows. Left in, the strongest edge of all is theirs, and their
colour is taken for the photo's backdrop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from clipasso.photo.canvas import Photo, picture, without_surround
from clipasso.photo.rounded import rounded_by
from clipasso.photo.strips import (
    ALL,
    MOST,
    SAME,
    SOME,
    SURE,
    Picture,
    Strip,
    alike,
    line_along,
    strip_along,
)
from clipasso.settings import PictureFrame

__all__ = ["Inner", "find_frame", "without_frame"]

Side = Literal["left", "above", "right", "below"]
Inner = tuple[int, int, int, int]
"""Left, top, right and bottom of what a frame leaves, px."""

_SIDES: tuple[Side, ...] = ("left", "above", "right", "below")
_OPPOSITE: tuple[tuple[Side, Side], ...] = (("above", "below"), ("left", "right"))

_SIDE = 1024  # px, at most, of the picture that is looked at

_ALONE = 0.3  # of the picture: how deep a strip may be that is on one side alone
_LEFT = 0.2  # of its area stays at least
_ROUNDS = 6  # nested frames
_CLEAN = 0.97  # of a border that the photo beside it merges with is the border's colour
_LINE = 2  # px: so thin a border costs nothing where it is guessed
_UNLIKE, _UNLIKE_OF_3 = 2.0, 1.25  # how often deeper a border is on one side than on another
_SMALL = 24  # px: a picture in which there is nothing to find
_WRITTEN = 8  # px that a strip with writing is deep at least


def without_frame(photo: Photo, how: PictureFrame = "auto") -> Photo:
    """The photo without what is laid around it, which then counts as padding.

    It is looked for in the photo's own pixels, before a mask is made. Nothing moves: a sketch still
    lies over the whole photo. A photo with no frame comes back as it is, and so does every photo
    where `how` is `keep`, one that is zoomed, and one whose pixels were changed since it was read.

    Raises:
        ClipassoError: the photo cannot be read again.
    """
    if how == "keep" or photo.source is None or photo.frame.zoom != 1 or photo.frame.inner:
        return photo
    rgb, px = picture(photo, _SIDE)
    found = find_frame(rgb)
    if found is None:
        return photo
    (x0, y0, x1, y1), words, depths = found
    height, width = rgb.shape[:2]
    across, down = photo.frame.width / width, photo.frame.height / height
    inner = x0 * across, y0 * down, x1 * across, y1 * down
    surround = f"{words} ({_measured(depths, px)})" if any(depths.values()) else words
    note = f"{photo.name}: frame left out: {surround}"
    seen = without_surround(photo, inner)
    return replace(seen, surround=surround, notes=(*photo.notes, note))


def _measured(depths: Mapping[Side, int], px: float) -> str:
    """How wide it is on each side, in the photo's own pixels."""
    wide = {side: round(px * depth) for side, depth in depths.items() if depth}
    if len(wide) == 4 and max(wide.values()) - min(wide.values()) <= max(1, px):
        return f"{max(wide.values())} px"
    sides = (
        f"{depth} px {s if s in ('above', 'below') else f'on the {s}'}" for s, depth in wide.items()
    )
    return ", ".join(sides)


def find_frame(rgb: Picture) -> tuple[Inner, str, dict[Side, int]] | None:
    """What of a picture is the photo, where something is laid around it.

    A frame is a strip along a side, of one colour with perhaps some writing on it, that ends at a
    straight and sharp edge along nearly all of the side: all around, on two opposite sides, or on
    one. An object before a backdrop of one colour has no such edge, and neither has a dark photo.

    Args:
        rgb: `[height, width, 3]`, sRGB in 0..1.

    Returns:
        The rectangle inside; what is around it in words, from without; and how deep that is on
        each side, px, the rectangle being smaller by what blends into it. None for no frame.
    """
    import cv2

    lab: Picture = cv2.cvtColor(np.ascontiguousarray(rgb, np.float32), cv2.COLOR_RGB2LAB)
    lab[..., 1:] /= 2
    height, width = lab.shape[:2]
    if min(height, width) < _SMALL:
        return None
    edges = dict.fromkeys(_SIDES, 0)
    words: list[str] = []
    for _ in range(_ROUNDS):
        inside = lab[
            edges["above"] : height - edges["below"], edges["left"] : width - edges["right"]
        ]
        layer = _layer(inside)
        if not layer:
            break
        deeper = {side: edges[side] + strip.depth for side, strip in layer.items()}
        if not _enough({**edges, **deeper}, width, height):
            break
        edges.update(deeper)
        words += _described(layer, words)
    inside = lab[edges["above"] : height - edges["below"], edges["left"] : width - edges["right"]]
    rounded = rounded_by(inside)
    if rounded:
        words.append("rounded corners")
    if not words:
        return None
    # A strip's innermost pixels are blended with the photo's.
    less = {side: depth + rounded + 1 if depth + rounded else 0 for side, depth in edges.items()}
    inner = less["left"], less["above"], width - less["right"], height - less["below"]
    return inner, ", ".join(words), edges


def _enough(edges: Mapping[Side, int], width: int, height: int) -> bool:
    across = width - edges["left"] - edges["right"]
    down = height - edges["above"] - edges["below"]
    return min(across, down) >= 16 and across * down >= _LEFT * width * height


def _layer(lab: Picture) -> dict[Side, Strip]:
    """The strips of the outermost frame; none where there is none."""
    strips = _strips(lab)
    return _ring(lab, strips) or _bars(lab, strips) or _alone(lab, strips) or _inset(lab)


def _strips(lab: Picture) -> dict[Side, Strip]:
    """A strip for every side that has one, its step measured between those beside it."""
    first = {side: strip_along(_turned(lab, side)) for side in _SIDES}
    depth = {side: strip.depth if strip else 0 for side, strip in first.items()}
    found: dict[Side, Strip] = {}
    for side in _SIDES:
        beside: tuple[Side, Side] = (
            ("above", "below") if side in ("left", "right") else ("left", "right")
        )
        view = _turned(lab, side)
        low, high = depth[beside[0]], view.shape[1] - depth[beside[1]]
        strip = strip_along(view, slice(low, high)) if high - low >= 16 else None
        if strip:
            found[side] = strip
    return found


def _turned(lab: Picture, side: Side) -> Picture:
    """The picture with a side on top."""
    if side in ("left", "right"):
        lab = lab.transpose(1, 0, 2)
    return lab[::-1] if side in ("right", "below") else lab


def _ring(lab: Picture, strips: Mapping[Side, Strip]) -> dict[Side, Strip]:
    """A border of one colour on at least three sides, and on the fourth if there may be one."""
    sure = {s: strip for s, strip in strips.items() if strip.step >= MOST and not strip.uneven}
    if len(sure) < 3:
        return {}
    colour = np.median([strip.colour for strip in sure.values()], axis=0)
    found = {s: strip for s, strip in sure.items() if alike(strip.colour, colour)}
    if len(found) < 3:
        return {}
    depths = sorted(strip.depth for strip in found.values())
    # What stands before a plain wall may have straight sides too, but is seldom in the middle.
    if depths[2] > depths[0] * (_UNLIKE if len(found) == 4 else _UNLIKE_OF_3) + 2:
        return {}
    depth = depths[1]
    for side in [side for side in _SIDES if side not in found]:
        strip = strips.get(side)
        if strip and not strip.uneven and alike(strip.colour, colour):
            found[side] = strip
        elif depth <= _LINE or _may_go_on(lab, side, colour, depth):
            found[side] = Strip(colour, depth, 0)
    return found


def _bars(lab: Picture, strips: Mapping[Side, Strip]) -> dict[Side, Strip]:
    """Strips on opposite sides that belong together."""
    found: dict[Side, Strip] = {}
    for pair in _OPPOSITE:
        there = {side: strips[side] for side in pair if side in strips}
        if len(there) == 2:
            if _are_bars(*there.values()) and not _goes_around(lab, there):
                found |= there
            continue
        for side, strip in there.items():
            (other,) = set(pair) - {side}
            drawn = strip.step >= SURE and strip.even and not strip.uneven and strip.varied
            if drawn and _may_go_on(lab, other, strip.colour, strip.depth):
                found |= {side: strip, other: Strip(strip.colour, strip.depth, 0)}
    return found


def _may_go_on(lab: Picture, side: Side, colour: NDArray[np.float32], depth: int) -> bool:
    """Whether a side may have the border of the others, and the photo there be of its colour."""
    view = _turned(lab, side)[:depth]
    within = view[:, depth:-depth] if view.shape[1] > 4 * depth else view
    same = np.linalg.norm(within - colour, axis=2) <= SAME
    return bool(same.mean() > _CLEAN)


def _goes_around(lab: Picture, bars: Mapping[Side, Strip]) -> bool:
    """Whether bars are a plain ground, which is at a side between them too."""
    low, high = (strip.depth for strip in bars.values())
    for side in (side for side in _SIDES if side not in bars):
        view = _turned(lab, side)
        between = view[1:4, low : view.shape[1] - high]
        colour = next(iter(bars.values())).colour
        if (np.linalg.norm(between - colour, axis=2) <= SAME).mean() > _CLEAN:
            return True
    return False


def _are_bars(one: Strip, other: Strip) -> bool:
    if one.uneven or other.uneven or not alike(one.colour, other.colour):
        return False
    low, high = sorted((one.step, other.step))
    if abs(one.depth - other.depth) <= max(2, 0.05 * max(one.depth, other.depth)):
        return high >= MOST and low >= SOME
    return low >= ALL and one.varied and other.varied


def _alone(lab: Picture, strips: Mapping[Side, Strip]) -> dict[Side, Strip]:
    """Strips on one side, or on two that meet."""
    height, width = lab.shape[:2]
    return {
        side: strip
        for side, strip in strips.items()
        if strip.depth <= _ALONE * (width if side in ("left", "right") else height)
        and (
            (strip.written and strip.even and strip.step >= MOST and strip.depth >= _WRITTEN)
            or (strip.uneven and strip.step >= SURE)
            or (strip.step >= ALL and strip.varied and strip.even)
        )
    }


def _inset(lab: Picture) -> dict[Side, Strip]:
    """A line drawn all around within the photo, and what is outside of it."""
    found: dict[Side, Strip] = {}
    for side in _SIDES:
        line = line_along(_turned(lab, side))
        if line is None:
            return {}
        found[side] = line
    depths = [strip.depth for strip in found.values()]
    colour = np.median([strip.colour for strip in found.values()], axis=0)
    if max(depths) - min(depths) > max(3, 0.2 * max(depths)):
        return {}
    return found if all(alike(strip.colour, colour) for strip in found.values()) else {}


def _described(layer: Mapping[Side, Strip], before: list[str]) -> list[str]:
    """What a layer of a frame is, unless one of its colour was named: most often a blended row."""
    strips = list(layer.values())
    colour = _named(np.median([strip.colour for strip in strips], axis=0))
    if all(strip.inset for strip in strips):
        what = "line"
    elif any(strip.written for strip in strips):
        what = "strip with writing"
    elif any(strip.uneven for strip in strips):
        what = "uneven edge"
    elif len(strips) == 2 and set(layer) in map(set, _OPPOSITE):
        what = "bars"
    else:
        what = "border" if len(strips) > 2 else "strip"
    if any(colour in word.split() for word in before):
        return []
    return [f"{colour} {what}" if what == "bars" else f"a {colour} {what}"]


def _named(colour: NDArray[np.float32]) -> str:
    if np.hypot(*colour[1:]) > 5:
        return "coloured"
    return "black" if colour[0] < 15 else "white" if colour[0] > 92 else "grey"
