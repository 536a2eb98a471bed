"""What of a sketch is to be seen: strokes cut exactly at the edges of the canvas."""

from typing import NamedTuple

import numpy as np

from clipasso.vector.bezier import FloatArray, inside, part
from clipasso.vector.sketch import Sketch

__all__ = ["Piece", "visible"]

_SPECK = 1e-7  # of the canvas's longer side: a shorter piece is where a stroke touches the edge


class Piece(NamedTuple):
    """A part of a stroke, the whole stroke if that lies within the canvas."""

    stroke: int  # its index in the sketch
    chain: FloatArray  # [segments, degree + 1, 2] px


def visible(sketch: Sketch) -> list[Piece]:
    """The parts of a sketch's strokes whose centre lines lie on the canvas, in drawing order.

    A stroke that leaves and comes back is several pieces (`Sketch.cut` keeps the longest). One that
    is fully transparent or has no width is none. A dot is a piece of no length.
    """
    low, high = np.zeros(2), np.array(sketch.size)
    drawn = np.flatnonzero((sketch.widths > 0) & (sketch.opacities > 0))
    controls, pieces = sketch.controls, list[Piece]()
    for k in drawn.tolist():
        chain = controls[k]
        if ((chain >= low) & (chain <= high)).all():  # no curve leaves the hull of its points
            pieces.append(Piece(k, chain))
            continue
        for start, end in inside(chain, low, high):
            piece = np.array(part(chain, start, end))
            whole = (start, end) == (0, len(chain))
            length = np.linalg.norm(np.diff(piece, axis=1), axis=2).sum()
            if not whole and length <= _SPECK * max(sketch.size):
                continue
            # A parameter right to its last bit may be a little out in px.
            piece[0, 0] = np.clip(piece[0, 0], low, high)
            piece[-1, -1] = np.clip(piece[-1, -1], low, high)
            pieces.append(Piece(k, piece))
    return pieces
