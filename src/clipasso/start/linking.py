"""Fewer strokes from more: two that nearly meet become one, or one is dropped.

Dropping alone loses ink, which matters most where few strokes are left; but few strokes may have
several segments each (`Settings.segments_each`), and then most of the ink can stay.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from clipasso.optimise.encoded_photo import Targets
from clipasso.optimise.strokes import Drawing
from clipasso.vector.bezier import bernstein, subdivided
from clipasso.vector.freehand import strokes_along

__all__ = ["linked", "looks"]

_PART = 3  # of what is too many, so much is changed before the loss is looked at again
_CHUNK = 8  # sketches drawn and encoded at a time
_SAMPLES = 24  # points of a segment that a fit goes through

Chain = NDArray[np.float64]  # [segments * degree + 1, 2], canvas px


class _Stroke(NamedTuple):
    """A chain, and the stroke of the original whose looks it has."""

    chain: Chain
    looks: int


class _Change(NamedTuple):
    """What becomes of one or two strokes, by their places."""

    of: tuple[int, ...]
    into: _Stroke | None


@torch.no_grad()
def linked(drawing: Drawing, count: int, segments: int, clean: Targets, size: int) -> Drawing:
    """Link or drop strokes of a one-seed drawing until `count` are left, as costs the loss least.

    Args:
        drawing: on the device of `clean`; strokes that are frozen move like the others.
        count: strokes wanted, at least 1.
        segments: that each may have, not fewer than the drawing's have. Two that have more together
            are fitted by so many.
        clean: the photo without transforms.
        size: of the canvas.

    Returns:
        On the same device, with strokes of `segments` segments.
    """
    points = drawing.points[0].double().cpu().numpy()
    strokes = [_Stroke(chain, k) for k, chain in enumerate(points)]
    while len(strokes) > count:
        changes = [_Change((k,), None) for k in range(len(strokes))]
        changes += _links(strokes, drawing.degree, segments)
        losses = []
        for k in range(0, len(changes), _CHUNK):
            drawn = [_drawn(drawing, _changed(strokes, [change]), segments).render(size)
                     for change in changes[k : k + _CHUNK]]  # fmt: skip
            losses.append(clean.loss(torch.cat(drawn)).total)
        order = torch.cat(losses).argsort(stable=True).tolist()
        most = _at_once(len(strokes), count)
        chosen: list[_Change] = []
        touched: set[int] = set()
        for change in (changes[k] for k in order):
            if len(chosen) < most and touched.isdisjoint(change.of):
                chosen.append(change)
                touched.update(change.of)
        strokes = _changed(strokes, chosen)
    return _drawn(drawing, strokes, segments)


def looks(strokes: int, count: int) -> int:
    """How many sketches `linked` draws and encodes to get from so many strokes to `count`."""
    total = 0
    while strokes > count:
        total += 2 * strokes if strokes > 1 else 1
        strokes -= _at_once(strokes, count)
    return total


def _at_once(strokes: int, count: int) -> int:
    return max(1, (strokes - count) // _PART)


def _links(strokes: Sequence[_Stroke], degree: int, segments: int) -> list[_Change]:
    """As many as there are strokes, of those whose ends are nearest to each other."""
    pairs = []
    for i, j in itertools.combinations(range(len(strokes)), 2):
        a, b = strokes[i].chain, strokes[j].chain
        for one, other in itertools.product((a, a[::-1]), (b, b[::-1])):
            pairs.append((float(np.linalg.norm(one[-1] - other[0])), i, j, one, other))
    pairs.sort(key=lambda pair: pair[0])
    found = []
    for _, i, j, one, other in pairs[: len(strokes)]:
        longer = max(i, j, key=lambda k: _length(strokes[k].chain))
        chain = _link(one, other, degree, segments)
        found.append(_Change((i, j), _Stroke(chain, strokes[longer].looks)))
    return found


def _link(one: Chain, other: Chain, degree: int, segments: int) -> Chain:
    """One chain, which meets where the end of the first and the start of the second are midway."""
    one, other = one.copy(), other.copy()
    middle = (one[-1] + other[0]) / 2
    if degree > 1:  # what is before the end goes along, so that the direction stays
        one[-2] += middle - one[-1]
        other[1] += middle - other[0]
    one[-1] = other[0] = middle
    chain = np.concatenate([one, other[1:]])
    count = (len(chain) - 1) // degree
    if count <= segments:
        return chain
    there = np.concatenate([_sampled(curve) for curve in _curves(chain, degree)])
    fitted: Chain = strokes_along(there, degree, segments, most=1)[0]
    return fitted


def _sampled(curve: Chain) -> Chain:
    return bernstein(len(curve) - 1, np.linspace(0, 1, _SAMPLES)) @ curve


def _curves(chain: Chain, degree: int) -> list[Chain]:
    return [chain[k : k + degree + 1] for k in range(0, len(chain) - 1, degree)]


def _length(chain: Chain) -> float:
    return float(np.linalg.norm(np.diff(chain, axis=0), axis=1).sum())


def _changed(strokes: Sequence[_Stroke], changes: Sequence[_Change]) -> list[_Stroke]:
    """The strokes after changes that do not touch each other's, in their order."""
    result: dict[int, _Stroke | None] = dict(enumerate(strokes))
    for change in changes:
        for place in change.of:
            result[place] = None
        result[change.of[0]] = change.into
    return [stroke for stroke in result.values() if stroke is not None]


def _drawn(drawing: Drawing, strokes: Sequence[_Stroke], segments: int) -> Drawing:
    """Strokes in the looks of the original's, each in so many segments."""
    degree, device = drawing.degree, drawing.points.device
    chains = []
    for stroke in strokes:
        curves = subdivided(_curves(stroke.chain, degree), segments)
        chains.append(np.concatenate([curves[0][:1], *(curve[1:] for curve in curves)]))
    chosen = drawing.strokes(torch.tensor([stroke.looks for stroke in strokes], device=device))
    made = Drawing.make(np.array(chains)[None], degree)
    return Drawing(
        made.points.to(device), chosen.widths, chosen.opacities, chosen.colors, degree,
        torch.zeros_like(chosen.frozen),
    )  # fmt: skip
