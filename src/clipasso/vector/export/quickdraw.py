"""QuickDraw's simplified drawings: lists of strokes, in a square of 256, one drawing a line."""

import hashlib
import json
from itertools import pairwise
from pathlib import PurePath

import numpy as np

from clipasso.errors import ClipassoError
from clipasso.vector.bezier import FloatArray, extent
from clipasso.vector.sketch import Sketch
from clipasso.vector.visible import visible

__all__ = ["quickdraw_strokes", "write_quickdraw"]

_SIDE = 255.0
_EPSILON = 2.0  # of the simplification, in units of the square
_FINE = 0.1  # how far polylines may stray from strokes before they are simplified


def write_quickdraw(sketch: Sketch) -> str:
    """A line of NDJSON with the keys `word`, `key_id` and `drawing`.

    The word is the metadata's `word`, or the name of its photo, or "sketch"; the key a number of 16
    digits that the drawing itself gives. What QuickDraw knows of its players is left out.

    Raises:
        ClipassoError: as `quickdraw_strokes`.
    """
    drawing = quickdraw_strokes(sketch)
    word = sketch.metadata.get("word") or PurePath(sketch.metadata.get("photo", "")).stem
    digest = hashlib.sha256(json.dumps(drawing).encode()).digest()
    key = 10**15 + int.from_bytes(digest[:8], "big") % (9 * 10**15)
    return json.dumps({"word": word or "sketch", "key_id": str(key), "drawing": drawing}) + "\n"


def quickdraw_strokes(sketch: Sketch) -> list[list[list[int]]]:
    """The visible strokes as QuickDraw simplifies them: `[[x, ...], [y, ...]]` each, 0 to 255.

    Moved to the upper left corner, scaled so that the larger side is 255, a point every unit, and
    simplified by Ramer, Douglas and Peucker's method with an epsilon of 2.

    Raises:
        ClipassoError: no stroke is on the canvas.
    """
    from skimage.measure import approximate_polygon

    pieces = visible(sketch)
    if not pieces:
        raise ClipassoError("has no strokes on its canvas to export")
    corners = np.array([extent(piece.chain) for piece in pieces])
    low, high = corners[:, 0].min(0), corners[:, 1].max(0)
    side = float((high - low).max())
    scale = _SIDE / side if side > 1e-9 * max(sketch.size) else 0.0  # a dot stays one
    strokes = []
    for _, chain in pieces:
        points = np.concatenate([chain[0, :1], *chain[:, 1:]])
        placed = Sketch(((points - low) * scale)[None], (256, 256), sketch.degree)
        simple = approximate_polygon(_resampled(placed.flatten(_FINE)[0]), _EPSILON)
        grid = np.clip(np.rint(simple), 0, _SIDE).astype(int).tolist()
        kept = [grid[0], *(b for a, b in pairwise(grid) if a != b)]
        kept = kept if len(kept) > 1 else kept * 2  # a dot: readers draw from point to point
        strokes.append([[x for x, _ in kept], [y for _, y in kept]])
    return strokes


def _resampled(line: FloatArray) -> FloatArray:
    """A point every unit of length, and the last."""
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.append(np.arange(0, along[-1], 1.0), along[-1])
    return np.stack([np.interp(at, along, line[:, axis]) for axis in (0, 1)], axis=1)
