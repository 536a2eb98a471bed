"""Where a round mark lies on a tile of pixels: how deep in it each is, and where along it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clipasso.vector.bezier import FloatArray
from clipasso.vector.brushes.base import Mark
from clipasso.vector.brushes.trace import STEP

__all__ = ["Field", "Tile", "pieces"]

_TURN = 2.0  # radians that a piece turns: one that turns no more does not meet itself
_COARSE = 0.3  # of the radius: how long the straight parts of a mark may be


class Tile(NamedTuple):
    """A rectangle of pixels of a picture with `scale` px a unit."""

    left: int
    top: int
    width: int
    height: int
    scale: float


class Piece(NamedTuple):
    """A part of a mark that does not meet itself."""

    points: FloatArray  # [n, 2]
    radii: FloatArray  # [n]
    along: FloatArray  # [n] from the mark's start
    first: bool  # whether it begins and ends with the mark
    last: bool


def pieces(mark: Mark) -> Iterator[Piece]:
    """A mark in pieces, so that each pixel has one place along each."""
    stride = max(1, int(_COARSE * float(np.median(mark.radii)) / STEP))
    some = np.unique(np.append(np.arange(0, len(mark.points), stride), len(mark.points) - 1))
    points, radii = mark.points[some], mark.radii[some]
    whole = np.linalg.norm(np.diff(mark.points, axis=0), axis=1)
    along = np.append(0.0, np.cumsum(whole))[some]
    parts = np.diff(points, axis=0)
    angles = np.arctan2(parts[:, 1], parts[:, 0])
    turns = np.abs((np.diff(angles) + np.pi) % (2 * np.pi) - np.pi)
    start, turned = 0, 0.0
    for k, turn in enumerate(turns.tolist(), 1):
        turned += turn
        if turned > _TURN:
            here = slice(start, k + 1)
            yield Piece(points[here], radii[here], along[here], start == 0, False)
            start, turned = k, 0.0
    yield Piece(points[start:], radii[start:], along[start:], start == 0, True)


class Field(NamedTuple):
    """What a piece covers of a tile. Arrays are `[rows, columns]`, lengths units."""

    left: int  # in the tile
    top: int
    depth: FloatArray  # inside the edge, -inf where the piece is far
    radius: FloatArray
    along: FloatArray
    across: FloatArray
    beyond: NDArray[np.bool_]  # past an end at which another piece of the mark goes on

    @classmethod
    def of(cls, piece: Piece, tile: Tile) -> Field | None:
        """None where the piece does not reach the tile."""
        if len(piece.points) < 2:
            piece = piece._replace(
                points=piece.points.repeat(2, 0), radii=piece.radii.repeat(2),
                along=piece.along.repeat(2),
            )  # fmt: skip
        reach = np.maximum(piece.radii[:-1], piece.radii[1:]) + 1.0 / tile.scale
        pairs = np.stack([piece.points[:-1], piece.points[1:]], axis=1)
        corner = np.array([tile.left, tile.top])
        size = np.array([tile.width, tile.height])
        low = np.floor((pairs.min(1) - reach[:, None]) * tile.scale - corner)
        high = np.ceil((pairs.max(1) + reach[:, None]) * tile.scale - corner)
        low = np.clip(low, 0, size).astype(np.intp)
        high = np.clip(high, 0, size).astype(np.intp)
        touched = np.flatnonzero((low < high).all(1))
        if not len(touched):
            return None
        first, last = low[touched].min(0), high[touched].max(0)
        shape = (int(last[1] - first[1]), int(last[0] - first[0]))
        field = cls(
            int(first[0]), int(first[1]), np.full(shape, -np.inf), np.ones(shape),
            np.zeros(shape), np.zeros(shape), np.zeros(shape, bool),
        )  # fmt: skip
        x = (tile.left + first[0] + np.arange(shape[1]) + 0.5) / tile.scale
        y = (tile.top + first[1] + np.arange(shape[0]) + 0.5) / tile.scale
        for k in touched.tolist():
            window = (
                slice(low[k, 1] - first[1], high[k, 1] - first[1]),
                slice(low[k, 0] - first[0], high[k, 0] - first[0]),
            )
            field._add(piece, k, window, x[window[1]], y[window[0], None])
        return field

    def _add(
        self, piece: Piece, k: int, window: tuple[slice, slice], x: FloatArray, y: FloatArray
    ) -> None:
        """Take in the segment from point `k`: it counts where pixels lie deeper in it."""
        (ax, ay), (bx, by) = piece.points[k], piece.points[k + 1]
        length = float(np.hypot(bx - ax, by - ay))
        ux, uy = ((bx - ax) / length, (by - ay) / length) if length > 0 else (1.0, 0.0)
        px, py = x - ax, y - ay
        forward = px * ux + py * uy
        side = py * ux - px * uy
        held = np.clip(forward, 0, length)
        share = held / length if length > 0 else held
        radius = piece.radii[k] + share * (piece.radii[k + 1] - piece.radii[k])
        away = np.hypot(forward - held, side)
        depth = radius - away
        deeper = depth > self.depth[window]
        # Beyond the mark's ends its texture goes straight on; round a bend it follows the bend.
        low, high = (0.0 if k else -np.inf), (length if k < len(piece.points) - 2 else np.inf)
        begins, ends = piece.first and k == 0, piece.last and high == np.inf
        beyond = ((forward < 0) & (low < 0) & (not begins)) | (
            (forward > length) & (high > length) & (not ends)
        )
        on = np.clip(forward, -np.inf if begins else 0.0, np.inf if ends else length)
        bent = np.where(on == forward, side, np.copysign(away, side))
        for array, values in (
            (self.depth, depth), (self.radius, radius), (self.along, piece.along[k] + on),
            (self.across, bent), (self.beyond, beyond),
        ):  # fmt: skip
            np.copyto(array[window], values, where=deeper)
