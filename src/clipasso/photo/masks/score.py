"""How good a mask is, without knowing the object: six measurements and how much each tells.

The weights are a logistic regression's. Its data are the candidates of the tuning photos, each good
or not by eye; leaving out one photo at a time, docs/masks.md says how often the choice is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from clipasso.photo.borders import frame_mask
from clipasso.photo.canvas import Photo
from clipasso.photo.masks.candidates import Candidate, Evidence, window
from clipasso.photo.masks.grabcut import class_shares
from clipasso.photo.masks.regions import to_lab

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["TERMS", "Scored", "scored"]

TERMS = {
    "recognised": 1.6,
    "left": -1.8,
    "salient": 6.8,
    "edges": 3.9,
    "touching": -2.1,
    "agreed": 7.7,
}
"""What each measurement, 0..1, adds to a mask's score:

- `recognised`: how much of the classes that a classifier sees in the photo it sees in the cut-out;
- `left`: how much of them it sees in what is cut away;
- `salient`: how salient the mask's pixels are on average (U2-Net-p's mean);
- `edges`: along the outline, the mean share of the photo's pixels whose colours change less;
- `touching`: the share of the photo's top and of the upper part of its sides that it covers;
- `agreed`: its mean overlap with the other candidates. A mask that lost half of what is salient
  overlaps little with those that kept it; the share that is kept told nothing beyond that.
"""

_START = -14.0  # the score of a mask whose measurements are all zero
_LEAST = -1.0  # the score of no mask: what is doubtful is not cut
_UPPER = 0.6  # of the height: below, a portrait's subject leaves the photo rightly
_RIM = 2  # px along the photo's border where an outline is the border's


@dataclass(frozen=True, eq=False)
class Scored:
    """A candidate and what is known of it.

    Attributes:
        name: how it was found, `none` for no mask.
        inside: `[size, size]`; None for `none`.
        score: the larger the better; the logarithm of its odds to be good.
        terms: the measurements by name, 0..1; empty for `none`.
    """

    name: str
    inside: NDArray[np.bool_] | None
    score: float
    terms: dict[str, float]


def scored(photo: Photo, found: Sequence[Candidate], evidence: Evidence) -> tuple[Scored, ...]:
    """Measure each candidate; the best comes first, and `none` is among them.

    The same candidates give the same scores, and of equal ones the first stays first.
    """
    every = [Scored("none", None, _LEAST, {})]
    for candidate, terms in zip(found, _measured(photo, found, evidence), strict=True):
        score = _START + sum(weight * terms[name] for name, weight in TERMS.items())
        every.append(Scored(candidate.name, candidate.inside, round(score, 3), terms))
    return tuple(sorted(every, key=lambda one: -one.score))


def _measured(
    photo: Photo, found: Sequence[Candidate], evidence: Evidence
) -> Iterable[dict[str, float]]:
    shown = window(photo)
    rgb = np.ascontiguousarray(photo.pixels[shown])
    change = _change(rgb)
    ranks = np.searchsorted(np.sort(change, axis=None), change) / change.size
    classes = _classes(photo, found)
    for k, candidate in enumerate(found):
        inside = candidate.inside
        others = [_overlap(inside, o.inside) for o in found if o is not candidate]
        terms = {
            "recognised": np.minimum(classes[0], classes[1 + 2 * k]).sum(),
            "left": np.minimum(classes[0], classes[2 + 2 * k]).sum(),
            "salient": evidence.salient[inside].mean(),
            "edges": _along(ranks, inside[shown]),
            "touching": _touching(inside[shown]),
            "agreed": np.mean(others) if others else 0.0,
        }
        yield {name: round(float(value), 3) for name, value in terms.items()}


def _classes(photo: Photo, found: Sequence[Candidate]) -> NDArray[np.float32]:
    """The classifier's shares of 1: of the photo, then of each cut-out and of what is left."""
    frame = frame_mask(photo)
    # On the photo's mean colour: white or black would be an object of its own.
    ground = photo.pixels[frame].mean(0)
    parts = [frame]
    for candidate in found:
        parts += [candidate.inside, frame & ~candidate.inside]
    images = np.stack([np.where(part[..., None], photo.pixels, ground) for part in parts])
    return class_shares(torch.tensor(images).permute(0, 3, 1, 2).float())


def _change(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """How fast colours change at each pixel, in CIELAB units a pixel, `[height, width]`."""
    import cv2

    smooth = cv2.GaussianBlur(to_lab(rgb), (0, 0), 1.0)
    steps = [cv2.Sobel(smooth, cv2.CV_32F, *way) / 8 for way in ((1, 0), (0, 1))]
    change: NDArray[np.float32] = np.linalg.norm(np.stack(steps), axis=(0, 3))
    return change


def _along(values: NDArray[np.float64], inside: NDArray[np.bool_]) -> float:
    """The mean value along an outline, the photo's own border left out."""
    import cv2

    mask, square = inside.astype(np.uint8), np.ones((3, 3), np.uint8)
    outline = cv2.dilate(mask, square) > cv2.erode(mask, square)
    outline[:_RIM] = outline[-_RIM:] = False
    outline[:, :_RIM] = outline[:, -_RIM:] = False
    return float(values[outline].mean()) if outline.any() else 0.0


def _touching(inside: NDArray[np.bool_]) -> float:
    """How much of the photo's top and of the upper part of its sides a mask covers."""
    upper = max(1, round(_UPPER * len(inside)))
    # The outermost pixels of all are often blended with something else.
    row, column = min(1, len(inside) - 1), min(1, inside.shape[1] - 1)
    sides = inside[row], inside[:upper, column], inside[:upper, -1 - column]
    return float(np.concatenate(sides).mean())


def _overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float((one & other).sum() / max(int((one | other).sum()), 1))
