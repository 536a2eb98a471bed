"""The masks that may be the object's: what several methods find, all of it.

Each method fails on photos of its own: U2-Net-p where the object fills the photo or is one of
several that stand out, GrabCut where object and background share colours. `masks.score` says which
of them to trust.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clipasso.photo.borders import frame_mask
from clipasso.photo.canvas import Photo
from clipasso.photo.masks.backdrop import before_backdrop, without_holes
from clipasso.photo.masks.grabcut import find_object, from_likely, recognised
from clipasso.photo.masks.u2netp import salient

__all__ = ["Candidate", "Evidence", "find_candidates", "window"]

_INSIDE = 0.5  # the paper's threshold
_SCALES = (320, 224)  # px of the square that U2-Net-p sees; the smaller shows it large shapes
_PIECE = 0.25  # of what is recognised of the best piece: pieces with less are other things
_COARSE = 224  # px of the longer side for GrabCut: a quarter of the time of its own 448
_AGREED = 0.85  # of all that any run holds, that every one holds
_SMALLEST, _LARGEST = 0.003, 0.97  # of the photo: beyond that it is dust, or no cut


@dataclass(frozen=True, eq=False)
class Candidate:
    """A mask that may be the object's.

    Attributes:
        name: how it was found.
        inside: `[size, size]` on the photo's canvas.
    """

    name: str
    inside: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Evidence:
    """Where a photo shows something, whatever its outline is.

    Attributes:
        salient: `[size, size]`, 0..1: U2-Net-p's mean over two scales and both ways round.
        known: `[size, size]`, 0..1: what a classifier recognises (`masks.grabcut.recognised`).
    """

    salient: NDArray[np.float32]
    known: NDArray[np.float32]


def window(photo: Photo) -> tuple[slice, slice]:
    """The rows and columns of the canvas that the photo fills."""
    frame = frame_mask(photo)
    rows, columns = np.flatnonzero(frame.any(1)), np.flatnonzero(frame.any(0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def find_candidates(photo: Photo) -> tuple[list[Candidate], Evidence]:
    """Every mask that some method finds, without those of hardly anything or of nearly all.

    `backdrop` is there only for a photo before a dark border of one colour, and `grabcut` only
    where U2-Net-p's runs do not agree: it takes as long as all of them.
    """
    seen, mirrored = _both_ways(photo, _SCALES[0])
    small: NDArray[np.float32] = np.mean(_both_ways(photo, _SCALES[1]), 0, dtype=np.float32)
    mean: NDArray[np.float32] = np.mean([seen, mirrored, small, small], 0, dtype=np.float32)
    known = recognised(photo)
    found: dict[str, NDArray[np.bool_]] = {
        "u2netp": seen > _INSIDE,
        "u2netp-mirror": mirrored > _INSIDE,
        "u2netp-small": small > _INSIDE,
        "u2netp-mean": mean > _INSIDE,
        "u2netp-known": _known_pieces(mean > _INSIDE, known),
        "u2netp-grabcut": from_likely(photo, mean),
    }
    if not _agree(list(found.values())[:3]):
        found["grabcut"] = find_object(photo, known, _COARSE)
    backdrop = before_backdrop(photo)
    if backdrop is not None:
        found["backdrop"] = without_holes(backdrop, photo, found["u2netp-mean"])
    frame = frame_mask(photo)
    some = [
        Candidate(name, inside)
        for name, inside in found.items()
        if _SMALLEST <= inside[frame].mean() <= _LARGEST
    ]
    return some, Evidence(mean, known)


def _both_ways(photo: Photo, side: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """U2-Net-p of the photo and of its mirror, turned back; each `[size, size]`, 0..1.

    The mirror is the same object to us and other numbers to the network: where both agree it sees
    the object, and not how its convolutions happen to fall.
    """
    shown = window(photo)
    pixels = photo.pixels[shown]
    seen, mirrored = (np.zeros(photo.pixels.shape[:2], np.float32) for _ in range(2))
    seen[shown] = salient(pixels, side)
    mirrored[shown] = salient(pixels[:, ::-1], side)[:, ::-1]
    return seen, mirrored


def _agree(masks: list[NDArray[np.bool_]]) -> bool:
    """Whether all hold nearly the same: then no slower method would be believed against them."""
    common, any_of = np.all(masks, 0).sum(), np.any(masks, 0).sum()
    return bool(common > _AGREED * max(int(any_of), 1))


def _known_pieces(inside: NDArray[np.bool_], known: NDArray[np.float32]) -> NDArray[np.bool_]:
    """The pieces of a mask that are recognised nearly as well as the best one."""
    import cv2

    count, pieces = cv2.connectedComponents(inside.astype(np.uint8))
    weight = np.bincount(pieces.ravel(), known.ravel(), count)
    weight[0] = 0
    kept: NDArray[np.bool_] = (weight >= _PIECE * weight.max())[pieces] & inside
    return kept
