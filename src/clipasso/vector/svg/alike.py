"""Chains of Bezier segments made alike: a sketch's strokes have one degree and one number."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clipasso.vector.bezier import FloatArray, split
from clipasso.vector.svg import limits

__all__ = ["Alike", "make_alike"]


class Alike(NamedTuple):
    """Strokes as `Sketch` takes them."""

    points: FloatArray  # [strokes, degree * segments + 1, 2]
    degree: int
    origins: NDArray[np.intp]  # [strokes] the chain that each is (a part of)


def make_alike(chains: list[FloatArray], degrees: list[list[int]]) -> Alike:
    """Raise and split the segments of chains, without a change of shape.

    All get the highest degree, and the number of segments of the longest chain. Where that would
    be more than `limits.MAX_ALIKE` segments in all, the longest chains are first cut into several
    strokes at joints, as few times as will do; see-through ones then show where they meet.

    Args:
        chains: `[points, 2]` each, the control points, joints once.
        degrees: of the segments of each chain, at least one.
    """
    if not chains:
        return Alike(np.empty((0, 4, 2)), 3, np.empty(0, np.intp))
    of = np.array([d for chain in degrees for d in chain])  # [all segments]
    degree = int(of.max())
    segments = _raised(np.concatenate(chains), of, [len(chain) for chain in degrees], degree)
    counts = np.array([len(chain) for chain in degrees])
    counts, origins = _cut(counts)
    parts = _split(segments, counts).reshape(len(counts), -1, degree + 1, 2)
    joints = parts[:, :, 1:].reshape(len(counts), -1, 2)
    return Alike(np.concatenate([parts[:, 0, :1], joints], axis=1), degree, origins)


def _raised(
    points: FloatArray, degrees: NDArray[np.intp], counts: list[int], degree: int
) -> FloatArray:
    """The control points of all segments, raised to one degree: `[segments, degree + 1, 2]`."""
    # A segment begins at the last point of the one before, but for a chain's first.
    chain = np.repeat(np.arange(len(counts)), counts)
    first = np.cumsum(degrees) - degrees + chain
    segments = np.empty((len(degrees), degree + 1, 2))
    for low in np.unique(degrees):
        chosen = degrees == low
        curves = points[first[chosen, None] + np.arange(low + 1)]
        for n in range(low + 1, degree + 1):  # control points so far
            share = np.arange(n + 1)[:, None] / n
            before = np.concatenate([curves[:, :1], curves], axis=1)
            after = np.concatenate([curves, curves[:, -1:]], axis=1)
            curves = share * before + (1 - share) * after
        segments[chosen] = curves
    return segments


def _cut(counts: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Lengths of the chains after cutting, in segments, and the chains that they were."""
    longest = most = int(counts.max())
    while most * int((-(-counts // most)).sum()) > limits.MAX_ALIKE and most > 1:
        most = min(most - 1, -(-longest // (-(-longest // most) + 1)))
    strokes = -(-counts // most)
    origins = np.repeat(np.arange(len(counts)), strokes)
    nth = np.arange(len(origins)) - np.repeat(np.cumsum(strokes) - strokes, strokes)
    whole, rest = np.divmod(counts, strokes)
    return whole[origins] + (nth < rest[origins]), origins


def _split(segments: FloatArray, counts: NDArray[np.intp]) -> FloatArray:
    """Halve the longest segments of each chain until it has as many as the longest chain."""
    total, chain = int(counts.max()), np.repeat(np.arange(len(counts)), counts)
    lengths = _lengths(segments)
    while (missing := total - np.bincount(chain)).any():
        longest = np.maximum.reduceat(lengths, np.flatnonzero(np.diff(chain, prepend=-1)))
        # All that are longer than the halves of the longest come before those, and so at once.
        able = np.flatnonzero((missing[chain] > 0) & (lengths >= longest[chain] / 2))
        able = able[np.lexsort((-lengths[able], chain[able]))]
        rank = np.arange(len(able)) - np.searchsorted(chain[able], chain[able])
        chosen = np.sort(able[rank < missing[chain[able]]])
        halves = split(segments[chosen])
        first = chosen + np.arange(len(chosen))  # where they go, each moved on by those before it
        twice = np.ones(len(chain), np.intp)
        twice[chosen] = 2
        segments, lengths = np.repeat(segments, twice, axis=0), np.repeat(lengths, twice)
        chain = np.repeat(chain, twice)
        for half in (0, 1):
            segments[first + half] = halves[:, half]
            lengths[first + half] = _lengths(halves[:, half])
    return segments


def _lengths(segments: FloatArray) -> FloatArray:
    """Of the control polygons."""
    return np.asarray(np.linalg.norm(np.diff(segments, axis=1), axis=2).sum(axis=1))
