"""What is on the paper: ink, strokes that carry nothing, and agreement with the photo's edges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from clipasso.raster import rasterize
from clipasso.start.edges import xdog_edges
from clipasso.vector.sketch import Sketch

__all__ = [
    "CANVAS", "MOST_STROKES", "EdgeAgreement", "InkStatistics", "chamfer_distances", "darkness",
    "edge_agreement", "ink_statistics", "object_edges",
]  # fmt: skip

CANVAS = 224
"""Side of the canvas that everything is measured on, pixels."""

MOST_STROKES = 2000
"""Sketches of more strokes are too much to measure stroke by stroke."""

_SHORTEST = 4.0  # px: a dot as wide as long
_COVERED = 0.9  # of a stroke's ink, by others'
_NEAR = 4.0  # px between ink and edge that still agree
_DARK = 0.5
_CHUNK = 16  # strokes drawn at once
_FULL = 65_535  # the level of full ink
_COLUMNS = 1024  # pixels looked at together
_RIM = 2  # px around the mask: an outline lies half outside its object


@dataclass(frozen=True)
class InkStatistics:
    """Of a sketch on the canvas.

    Attributes:
        strokes: in the file.
        length: of all strokes, px of the canvas; parts off the canvas count.
        coverage: of the canvas by ink, 0..1.
        overlap: part of the ink that lies on other strokes' ink, 0..1.
        dead: strokes that carry nothing: shorter than 4 px, invisible, or at least 90 % within the
            ink of the others (of two equal strokes one is dead).
    """

    strokes: int
    length: float
    coverage: float
    overlap: float
    dead: int


@dataclass(frozen=True)
class EdgeAgreement:
    """Between ink and a photo's edges, in both directions.

    Attributes:
        ink_to_edge: mean distance from ink to the nearest edge, px of the canvas.
        edge_to_ink: the other way round.
        precision: part of the ink within 4 px of an edge.
        recall: part of the edges within 4 px of ink.
    """

    ink_to_edge: float
    edge_to_ink: float
    precision: float
    recall: float

    @property
    def distance(self) -> float:
        """Mean of both directions, px: the symmetric chamfer distance."""
        return (self.ink_to_edge + self.edge_to_ink) / 2


def ink_statistics(sketch: Sketch) -> InkStatistics:
    """Measure a sketch.

    Args:
        sketch: on a canvas of 224 x 224 px, of at most `MOST_STROKES`.
    """
    if not len(sketch):
        return InkStatistics(0, 0.0, 0.0, 0.0, 0)
    lengths = sketch.lengths()
    # The longest first: they are the last to be found dead, and of equals argmax takes the first.
    order = np.argsort(lengths, kind="stable")[::-1]
    inks = np.empty((len(sketch), CANVAS**2), np.uint16)  # 200 MB at most
    amounts, union = np.empty(len(sketch)), np.zeros(CANVAS**2, np.float32)
    for first in range(0, len(sketch), _CHUNK):
        chunk = slice(first, first + _CHUNK)
        ink = _inks(sketch.select(order[chunk]))
        inks[chunk], amounts[chunk] = np.rint(ink * _FULL), ink.sum(1)
        union = np.maximum(union, ink.max(0))
    total, covered = float(amounts.sum()), float(union.sum())
    return InkStatistics(
        strokes=len(sketch),
        length=float(lengths.sum()),
        coverage=covered / union.size,
        overlap=1 - covered / total if total > 0 else 0.0,
        dead=_dead(inks, lengths[order], amounts),
    )


def _inks(sketch: Sketch) -> NDArray[np.float32]:
    """The darkness of each stroke alone, `[strokes, 224 * 224]`, 0..1."""
    image = rasterize(
        torch.tensor(sketch.points)[:, None].float(),
        widths=torch.tensor(sketch.widths)[:, None].float(),
        colors=torch.tensor(sketch.colors)[:, None].float(),
        opacities=torch.tensor(sketch.opacities)[:, None].float(),
        size=CANVAS,
        degree=sketch.degree,
    )
    ink: NDArray[np.float32] = (1 - image.mean(1)).clamp(0, 1).flatten(1).numpy()
    return ink


def _dead(
    inks: NDArray[np.uint16], lengths: NDArray[np.float64], amounts: NDArray[np.float64]
) -> int:
    """Count them from the shortest, the last: a stroke found dead covers no other."""
    alive = (lengths >= _SHORTEST) & (amounts > 1)  # less than one pixel's ink cannot be seen
    darkest = _Darkest(inks, alive)
    for k in reversed(np.flatnonzero(alive)):
        here = np.flatnonzero(inks[k])
        # Where the others are lighter, what they lack is this stroke's own.
        lack = inks[k, here].astype(np.int64) - darkest.others(k, here)
        if lack.clip(0).sum() <= (1 - _COVERED) * _FULL * amounts[k]:
            alive[k] = False
            darkest.forget(k, here)
    return int((~alive).sum())


class _Darkest:
    """The two strokes with the most ink at each pixel, among those alive.

    A stroke is compared with the darkest of all others at each of its pixels: with these two at
    hand that needs no look at every other stroke.
    """

    def __init__(self, inks: NDArray[np.uint16], alive: NDArray[np.bool_]) -> None:
        """Look at inks `[strokes, pixels]`; `alive` `[strokes]` is shared with the caller."""
        self._inks, self._alive = inks, alive
        self._strokes = np.full((2, inks.shape[1]), -1)
        self._ink = np.zeros((2, inks.shape[1]), np.int64)
        self._look(np.arange(inks.shape[1]))

    def others(self, k: int, here: NDArray[np.intp]) -> NDArray[np.int64]:
        """The most ink of any stroke but `k` at some pixels."""
        first, second = self._ink[:, here]
        others: NDArray[np.int64] = np.where(self._strokes[0, here] == k, second, first)
        return others

    def forget(self, k: int, here: NDArray[np.intp]) -> None:
        """Look again where stroke `k`, no longer alive, was among the two."""
        self._look(here[(self._strokes[:, here] == k).any(0)])

    def _look(self, pixels: NDArray[np.intp]) -> None:
        alive = np.flatnonzero(self._alive)
        if not len(alive):
            return
        for first in range(0, len(pixels), _COLUMNS):
            some = pixels[first : first + _COLUMNS]
            inks = self._inks[np.ix_(alive, some)]
            for place in range(2):
                best = inks.argmax(0)
                self._strokes[place, some] = alive[best]
                self._ink[place, some] = inks[best, np.arange(len(some))]
                inks[best, np.arange(len(some))] = 0


def darkness(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of a picture `[height, width, 3]` on white, `[height, width]`; both in 0..1."""
    dark: NDArray[np.float32] = (1 - pixels.mean(-1)).clip(0, 1)
    return dark


def object_edges(
    pixels: NDArray[np.float32], inside: NDArray[np.bool_] | None
) -> NDArray[np.bool_]:
    """XDoG's edges of a photo (section 3.3), those of the object alone.

    Args:
        pixels: `[height, width, 3]`, the photo with its background cut out, 0..1.
        inside: `[height, width]`, the object's mask; None keeps all edges.
    """
    from scipy.ndimage import binary_dilation

    edges: NDArray[np.bool_] = xdog_edges(pixels) > 0.5
    return edges if inside is None else edges & binary_dilation(inside, iterations=_RIM)


def edge_agreement(ink: NDArray[np.float32], edges: NDArray[np.bool_]) -> EdgeAgreement | None:
    """How well ink and edges lie on each other, by distance transforms.

    Args:
        ink: `[height, width]`, darkness in 0..1; 0.5 and more counts as ink.
        edges: `[height, width]`.

    Returns:
        None where the photo has no edges. Without ink both distances are the canvas's diagonal
        and both parts 0.
    """
    drawn = ink >= _DARK
    if not edges.any():
        return None
    to_edge, to_ink = chamfer_distances(drawn, edges)
    if not drawn.any():
        return EdgeAgreement(float(to_ink[0]), float(to_ink[0]), 0.0, 0.0)
    return EdgeAgreement(
        float(to_edge.mean()), float(to_ink.mean()),
        float((to_edge <= _NEAR).mean()), float((to_ink <= _NEAR).mean()),
    )  # fmt: skip


def chamfer_distances(
    drawn: NDArray[np.bool_], edges: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """From each ink pixel to the nearest edge, and from each edge pixel to the nearest ink, px.

    Where the other is nowhere, the distance is the canvas's diagonal.
    """
    from scipy.ndimage import distance_transform_edt

    farthest = float(np.hypot(*drawn.shape))

    def distance(to: NDArray[np.bool_]) -> NDArray[np.float64]:
        if not to.any():
            return np.full(to.shape, farthest)
        found: NDArray[np.float64] = distance_transform_edt(~to)
        return found

    return distance(edges)[drawn], distance(drawn)[edges]
