"""The page: what of the canvas a result may have ink on, and what becomes of strokes that leave it.

It is the photo's frame as far as the canvas shows it, without what is laid around the photo. Ink
beyond the canvas is seen by nobody and costs no loss, and ink in the padding would lie outside the
result: a browser hides it, a plotter draws it on the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from clipasso.vector.bezier import bernstein, room

if TYPE_CHECKING:
    from clipasso.optimise.strokes import Drawing
    from clipasso.photo.canvas import Frame, Photo

__all__ = ["ANYWHERE", "Page"]

_REACH = 1 / 8  # of the canvas: how far beyond the page control points may pull a stroke's ends
_ROUNDED = 1e-3  # px: an SVG's three decimals must not lead out again
_ALONG = np.linspace(0, 1, 33)

Points = NDArray[np.float64]

ANYWHERE: Points = np.array([[-np.inf, -np.inf], [np.inf, np.inf]])
"""The reach of strokes that keep to no page."""


@dataclass(frozen=True)
class Page:
    """Where a result may have ink.

    Attributes:
        frame: where the photo lies on the canvas.
        canvas: its side, pixels.
    """

    frame: Frame
    canvas: int

    @classmethod
    def of(cls, photo: Photo) -> Page:
        """The page of a photo on its canvas."""
        return cls(photo.frame, len(photo.pixels))

    @property
    def box(self) -> Points:
        """Its upper left and lower right corner in px of the photo's frame, `[2, 2]` (x, y)."""
        frame = self.frame
        shown = frame.to_photo([(0.0, 0.0), (self.canvas, self.canvas)])
        box: Points = shown.clip(frame.box[:2], frame.box[2:])
        return box

    @property
    def reach(self) -> Points:
        """The corners of what control points may not leave, `[2, 2]` (x, y) in canvas px."""
        beyond = _REACH * self.canvas
        corners: Points = self.frame.to_canvas(self.box) + np.array([[-beyond], [beyond]])
        return corners

    def lost(self, drawing: Drawing) -> NDArray[np.bool_]:
        """Which strokes `cut` would leave nothing of, `[seeds, strokes]`; frozen ones never are."""
        points = self.frame.to_photo(drawing.points.detach().double().cpu().numpy())
        first = np.arange((points.shape[2] - 1) // drawing.degree)[:, None] * drawing.degree
        controls = points[:, :, first + np.arange(drawing.degree + 1)]
        drawn = np.einsum("md,nsgdc->nsgmc", bernstein(drawing.degree, _ALONG), controls)
        widths = drawing.widths.detach().double().cpu().numpy() / self.frame.zoom
        low, high, _ = room(self.box, widths)
        there = (drawn >= low[:, :, None, None]) & (drawn <= high[:, :, None, None])
        drawn_at_all = np.isfinite(points).all((2, 3))
        free: NDArray[np.bool_] = ~drawing.frozen.cpu().numpy()
        gone: NDArray[np.bool_] = free & drawn_at_all & ~there.all(-1).any((2, 3))
        return gone

    def held(self, points: Points, widths: Points) -> Points:
        """Control points `[strokes, points, 2]` (canvas px) of which none is off the page."""
        low, high, _ = room(self.box, widths / self.frame.zoom)
        inside = self.frame.to_photo(points).clip(low[:, None], high[:, None])
        return self.frame.to_canvas(inside)

    def cut(self, drawing: Drawing) -> Drawing:
        """The same strokes of the same seeds, cut at the page's edges as `Sketch.cut` does.

        What lies inside stays to the bit, and so do frozen strokes.
        """
        rounded = np.minimum(_ROUNDED, np.ptp(self.box, axis=0) / 4)
        box = self.box + np.array([rounded, -rounded])
        frozen = drawing.frozen.cpu().numpy()
        new = drawing.clone().to("cpu")
        for k in range(len(drawing)):
            sketch = drawing.only(k).to_sketch((self.frame.width, self.frame.height), self.frame)
            cut = sketch.cut(box, keep=frozen)
            moved = (cut.points != sketch.points).any((1, 2))
            thinned = cut.widths != sketch.widths
            there = self.frame.to_canvas(cut.points[moved])
            new.points[k, torch.tensor(moved)] = torch.tensor(there, dtype=new.points.dtype)
            thin = torch.tensor(cut.widths[thinned] * self.frame.zoom, dtype=new.widths.dtype)
            new.widths[k, torch.tensor(thinned)] = thin
        return new
