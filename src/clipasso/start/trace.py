"""First strokes that run along the photo's edges.

The paper's first strokes are short random walks (section A): their first points are placed with
care, and the optimiser has to find how long they are and where they lead. Few strokes then end in
whatever they met on their way. Here a stroke's other points come from the photo too: from a point
drawn as in the paper it runs along the edge there, both ways, until the edge ends or turns more
than its curves can follow. Of a few such strokes that which covers most of the distribution is
taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clipasso.start.sampling import initial_strokes
from clipasso.vector.curve_fitting import fit_chain

__all__ = ["EdgeField", "edge_field", "follow_edges", "traced_strokes"]

_TOGETHER = 1280.0  # pixels of a 224-pixel canvas, as are all lengths here: many strokes are short
_SHORT, _LONGEST = 24.0, 160.0  # between these is the longest of a stroke of one segment
_SHORTEST = 8.0  # an edge that ends sooner starts a random walk
_STRIDE = 2.0
_CANDIDATES = 16
_TURN = 0.5  # cosine of the sharpest turn in one stride
_FAINT = 0.25  # of an edge that is typical of where strokes may start: weaker is no edge
_FLAT = 0.01  # grey levels (of 1) a pixel: nor is this
_TAKEN = 5.0  # no stroke runs along another one at less than this
_NEAR = 12.0  # standard deviation of the Gaussian by which a stroke damps the distribution
_MISS = 8.0  # how far a curve may be off its path

Path = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class EdgeField:
    """Where edges run and how strong they are.

    Attributes:
        tangent: `[height, width, 2]` unit vectors (x, y) along the edge, of either sign.
        strength: `[height, width]`, at least 0: grey levels a pixel of a 224-pixel canvas.
    """

    tangent: NDArray[np.float64]
    strength: NDArray[np.float64]


def edge_field(pixels: NDArray[np.float32], scale: float = 1.0) -> EdgeField:
    """The structure tensor of all three colours.

    Args:
        pixels: `[height, width, 3]`, 0..1.
        scale: pixels of this canvas in one of a 224-pixel canvas.
    """
    from scipy.ndimage import gaussian_filter

    inner, outer = 1.5 * scale, 2.0 * scale
    tensor = np.zeros((3, *pixels.shape[:2]))
    for channel in np.moveaxis(np.asarray(pixels, np.float64), -1, 0):
        dx = gaussian_filter(channel, inner, order=(0, 1))
        dy = gaussian_filter(channel, inner, order=(1, 0))
        tensor += np.stack([dx * dx, dx * dy, dy * dy])
    xx, xy, yy = (gaussian_filter(part, outer) for part in tensor)
    across = 0.5 * np.arctan2(2 * xy, xx - yy)  # the angle of the gradient
    tangent = np.stack([-np.sin(across), np.cos(across)], -1)
    return EdgeField(tangent, scale * np.sqrt(xx + yy))


def follow_edges(
    field: EdgeField,
    starts: NDArray[np.float64],
    free: NDArray[np.bool_],
    *,
    faint: float,
    longest: float = _LONGEST,
    stride: float = _STRIDE,
) -> list[Path]:
    """Walk along the edges from each start, both ways.

    Args:
        starts: `[m, 2]` (x, y) in pixels.
        free: `[height, width]` where a path may go; it ends before it would leave.
        faint: strength below which there is no edge.
        longest: length of a whole path, pixels.
        stride: pixels between two points of a path.

    Returns:
        m paths, each `[any, 2]`, at least its start moved onto the ridge of its edge.
    """
    height, width = free.shape

    def strength(xy: Path) -> NDArray[np.float64]:
        found: NDArray[np.float64] = field.strength[_cells(xy, free.shape)]
        return found

    def tangent(xy: Path) -> Path:
        found: Path = field.tangent[_cells(xy, free.shape)]
        return found

    def centred(xy: Path, along: Path, reach: float, pull: float) -> Path:
        """Moved across the edge towards where it is strongest within reach."""
        across = np.stack([along[:, 1], -along[:, 0]], -1)
        sides = np.stack([strength(xy + s * reach * across) for s in (-1, 0, 1)])
        moved: Path = xy + pull * (sides.argmax(0) - 1)[:, None] * across
        return moved

    ridge = np.asarray(starts, np.float64).copy()
    for _ in range(6):
        step = 0.75 * stride
        ridge = centred(ridge, tangent(ridge), step, step)
    both = np.concatenate([ridge, ridge])
    heading = tangent(both) * np.repeat([1.0, -1.0], len(ridge))[:, None]
    going, lengths = np.ones(len(both), bool), np.zeros(len(both), np.intp)
    trail = np.empty((int(longest / 2 / stride), len(both), 2))
    for k in range(len(trail)):
        along = tangent(both)
        cosine = (along * heading).sum(1)
        along = along * np.where(cosine < 0, -1.0, 1.0)[:, None]
        going &= (np.abs(cosine) >= _TURN) & (strength(both) >= faint)
        heading = heading + along
        heading /= np.linalg.norm(heading, axis=1, keepdims=True).clip(1e-9)
        ahead = centred(both + stride * heading, heading, stride / 2, stride / 4)
        in_frame = ((ahead >= 0) & (ahead < (width, height))).all(1)
        going &= in_frame & free[_cells(ahead, free.shape)]
        if not going.any():
            break
        both = np.where(going[:, None], ahead, both)
        trail[k], lengths = both, lengths + going
    m = len(ridge)
    return [np.concatenate([trail[: lengths[m + i], m + i][::-1], ridge[i : i + 1],
                            trail[: lengths[i], i]]) for i in range(m)]  # fmt: skip


def traced_strokes(
    distribution: NDArray[np.float64],
    field: EdgeField,
    free: NDArray[np.bool_],
    count: int,
    rng: np.random.Generator,
    *,
    degree: int = 3,
    segments: int = 1,
    taken: NDArray[np.float64] | None = None,
    of: int = 0,
) -> NDArray[np.float64]:
    """Strokes along the edges, started at points drawn from the distribution.

    Args:
        distribution: `[size, size]`, sums to 1.
        field: of the photo on the same canvas.
        free: `[size, size]` where strokes may run.
        degree, segments: of the chain of Bezier curves that a stroke is.
        taken: `[any, 2]` points of strokes that are there already, pixels; new ones keep away.
        of: how many strokes there will be, where that is more than `count`: of many, each is short.

    Returns:
        `[count, segments * degree + 1, 2]`, pixels.
    """
    from scipy.ndimage import distance_transform_edt

    size = len(distribution)
    scale = size / 224
    left, free = distribution.copy(), free.copy()
    typical = float(np.quantile(field.strength[distribution > 0], 0.7))
    faint = max(_FLAT, _FAINT * typical)
    longest = min(max(_TOGETHER / max(1, count, of), _SHORT), _LONGEST * segments) * scale

    def take(path: Path) -> None:
        away = np.ones((size, size), bool)
        away[_cells(path, away.shape)] = False
        far = distance_transform_edt(away) / scale
        left[:] *= 1 - np.exp(-((far / _NEAR) ** 2) / 2)
        free[far < _TAKEN] = False

    if taken is not None and len(taken):
        take(taken)
    strokes = np.empty((count, degree * segments + 1, 2))
    for i in range(count):
        p = left if left.sum() > 0 else distribution
        chosen = rng.choice(p.size, _CANDIDATES, p=(p / p.sum()).ravel())
        starts = np.stack([chosen % size, chosen // size], -1).astype(np.float64) + 0.5
        paths = follow_edges(
            field, starts, free, faint=faint, longest=longest, stride=_STRIDE * scale
        )
        curves = [_curve(path, degree, segments, scale) for path in paths]
        best = int(np.argmax([left[_cells(path, left.shape)].sum() for _, path in curves]))
        strokes[i], path = curves[best]
        if len(path) == 1:
            walk = initial_strokes(starts[best : best + 1], degree * segments + 1, size, rng)
            strokes[i], path = walk[0], walk[0]
        take(path)
    return strokes


def _cells(xy: Path, shape: tuple[int, ...]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the pixels that points lie in, or of those nearest to them."""
    height, width = shape
    inside = np.clip(xy.astype(np.intp), 0, (width - 1, height - 1))
    return inside[:, 1], inside[:, 0]


def _curve(path: Path, degree: int, segments: int, scale: float) -> tuple[Path, Path]:
    """The curve along as much of a path as it can follow, and that part; else a point."""
    stride = _STRIDE * scale
    while (len(path) - 1) * stride >= _SHORTEST * scale:
        along = np.concatenate([[0.0], np.linalg.norm(np.diff(path, axis=0), axis=1).cumsum()])
        t = np.linspace(0, 1, max(len(path), 2 * degree * segments + 1))
        even = np.stack([np.interp(t, along / along[-1], path[:, k]) for k in (0, 1)], -1)
        curve, miss = fit_chain(even, t, degree, segments)
        if miss <= _MISS * scale:
            return curve, path
        cut = max(1, len(path) // 16)
        path = path[cut:-cut]
    return np.zeros((degree * segments + 1, 2)), path[:1]
