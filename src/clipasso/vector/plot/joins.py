"""Strokes whose ends touch, joined into one line: the pen stays down."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from clipasso.vector.bezier import FloatArray

__all__ = ["join_touching"]

_SAME = 1e-6  # mm: ends that are one point

_NEIGHBOURS = 4
"""Of an end: it may itself be among them, and the other end of its line, so two are others."""


def join_touching(chains: Sequence[FloatArray], tolerance: float) -> list[FloatArray]:
    """Join chains `[segments, degree + 1, 2]` of one degree whose ends are near each other.

    The nearest ends are joined first, each to one other, by a straight segment where they do not
    meet exactly. Lines are never closed: a pen saves no way by that. No two ends of different lines
    stay that are nearer than the tolerance.

    Args:
        tolerance: how far apart ends may be, in the units of the chains.

    Returns:
        As many chains or fewer, in the order of the first of each.
    """
    if len(chains) < 2:
        return list(chains)
    partner = _partners(np.array([[c[0, 0], c[-1, -1]] for c in chains]), tolerance)
    done = np.zeros(len(chains), bool)
    lines = []
    for first in range(len(chains)):
        if done[first]:
            continue
        # Back to an end without a partner, then forwards from there.
        end = 2 * first
        while partner[end] >= 0:
            end = int(partner[end]) ^ 1
        line: list[FloatArray] = []
        while end >= 0:
            done[end // 2] = True
            line.append(chains[end // 2] if end % 2 == 0 else chains[end // 2][::-1, ::-1])
            end = int(partner[end ^ 1])
        lines.append(_one(line))
    return lines


def _partners(ends: FloatArray, tolerance: float) -> NDArray[np.intp]:
    """To which end each is joined, -1 for none: end e of `ends` is `ends[e // 2, e % 2]`."""
    from scipy.spatial import cKDTree

    points = ends.reshape(-1, 2)
    partner = np.full(len(points), -1)
    far = np.arange(len(points)) ^ 1  # the other end of the line that an end is an end of
    found = True
    while found and len(free := np.flatnonzero(partner < 0)) > 2:
        near, which = cKDTree(points[free]).query(
            points[free], min(_NEIGHBOURS, len(free)), distance_upper_bound=tolerance + _SAME
        )
        row, column = np.nonzero(np.isfinite(near))
        one, other = free[row], free[which[row, column]]
        once = one < other
        pairs = sorted(zip(near[row, column][once], one[once], other[once], strict=True))
        found = False
        for _, i, j in pairs:
            if partner[i] < 0 and partner[j] < 0 and far[i] != j:
                partner[i], partner[j] = j, i
                far[far[i]], far[far[j]] = far[j], far[i]
                found = True
    return partner


def _one(line: list[FloatArray]) -> FloatArray:
    """One chain of several, with a straight segment over each gap."""
    if len(line) == 1:
        return line[0]
    degree = line[0].shape[1] - 1
    parts = [line[0]]
    for before, after in pairwise(line):
        start, end = before[-1, -1], after[0, 0]
        if np.abs(end - start).max() > _SAME:
            steps = np.linspace(0, 1, degree + 1)[:, None]
            parts.append(((1 - steps) * start + steps * end)[None])
        parts.append(after)
    return np.concatenate(parts)
