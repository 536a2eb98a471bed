"""Cut the object out of a photo's background (sections 4 and B).

The method draws whatever is in the photo, so a background costs strokes. The paper masks it with
U2-Net. Here GrabCut does it without a download, seeded by where an ImageNet classifier sees an
object that the borders of the photo do not show.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from clipasso.borders import extended, frame_mask
from clipasso.errors import ClipassoError
from clipasso.photo import Fit, Photo, load_photo

__all__ = ["Mask", "cut_out", "grabcut", "make_mask"]

_WHITE = 0.93  # a border brighter than this is paper
_SURE, _UNLIKELY, _IMPOSSIBLE = 0.8, 0.35, 0.07  # of the seed map, 0..1
_LIKELY_PART = 0.45  # of the photo, where GrabCut starts from "probably the object"
_ROUNDS = 6
_SMALLEST, _LARGEST = 0.02, 0.97  # of the photo: beyond that the mask has failed
_MINOR = 0.15  # parts that carry less than this of the largest part's seed are dropped


@dataclass(frozen=True, eq=False)
class Mask:
    """Where the object is.

    Attributes:
        inside: `[size, size]` on the photo's canvas; None where the whole photo is kept.
        source: `grabcut`, a file's name, or `none` with the reason.
    """

    inside: NDArray[np.bool_] | None
    source: str


def make_mask(photo: Photo, how: str = "auto", fit: Fit = "pad") -> Mask:
    """Find the object by name of a method or from a file.

    Args:
        photo: on its canvas.
        how: `none`; `grabcut`; `auto`: nothing where the photo's border is white already, GrabCut
            otherwise; or the path of a picture of the photo's proportions, bright where the object
            is.
        fit: how the photo was fitted to its canvas.

    Raises:
        ClipassoError: no such method or file, or a file of other proportions.
    """
    if how == "none":
        return Mask(None, "none")
    if how == "auto" and _white_border(photo):
        return Mask(None, "none, the border is white")
    if how not in ("auto", "grabcut"):
        return _from_file(photo, how, fit)
    frame = frame_mask(photo)
    if np.ptp(photo.pixels[frame], axis=0).max() < 0.02:
        return Mask(None, "none, the photo is flat")
    inside = grabcut(photo.pixels, frame, _seed(photo))
    if not _SMALLEST <= inside[frame].mean() <= _LARGEST:
        return Mask(None, "none, GrabCut found no object")
    return Mask(inside, "grabcut")


def cut_out(photo: Photo, mask: Mask) -> Photo:
    """The photo with everything outside the mask made white."""
    if mask.inside is None:
        return photo
    pixels = np.where(mask.inside[..., None], photo.pixels, np.float32(1))
    pixels.setflags(write=False)
    return replace(photo, pixels=pixels)


def _white_border(photo: Photo) -> bool:
    """Whether nearly all of the photo's outermost pixels are white."""
    frame = frame_mask(photo)
    rows, columns = (np.flatnonzero(frame.any(axis)) for axis in (1, 0))
    inside = photo.pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].min(-1)
    ring = [inside[1:2], inside[-2:-1], inside[:, 1:2], inside[:, -2:-1]]
    return bool(np.mean(np.concatenate([side.ravel() for side in ring]) > _WHITE) > 0.85)


def _from_file(photo: Photo, how: str, fit: Fit) -> Mask:
    if not Path(how).exists():
        raise ClipassoError(f"--mask {how}: no such file; give auto, grabcut, none or a picture")
    picture = load_photo(how, size=photo.pixels.shape[0], fit=fit)
    ours, theirs = photo.frame, picture.frame
    if abs(ours.width / ours.height / (theirs.width / theirs.height) - 1) > 0.03:
        raise ClipassoError(f"--mask {how}: its proportions are not those of {photo.name}")
    return Mask((picture.pixels.mean(-1) > 0.5) & frame_mask(picture), picture.name)


@lru_cache(maxsize=1)
def _classifier() -> Any:
    from clipasso.encoders.efficientnet import EfficientNetLite0

    return EfficientNetLite0()


def _seed(photo: Photo) -> NDArray[np.float32]:
    """How likely each pixel belongs to the object, `[size, size]`, 0..1; 0 in the padding."""
    frame = frame_mask(photo)
    image = torch.tensor(extended(photo)).permute(2, 0, 1)[None].contiguous()
    heat = _both_ways(image, torch.tensor(frame))
    seed: NDArray[np.float32] = heat.numpy() * frame
    return seed / max(float(seed.max()), 1e-6)


def _both_ways(image: torch.Tensor, frame: torch.Tensor) -> torch.Tensor:
    """The objectness of a photo and of its mirror image, averaged: the map is coarse."""
    see = _classifier().objectness
    straight, mirrored = see(image, frame), see(image.flip(-1), frame.flip(-1))
    both: torch.Tensor = (straight + mirrored.flip(-1)) / 2
    return both


def grabcut(
    pixels: NDArray[np.float32], frame: NDArray[np.bool_], seed: NDArray[np.float32]
) -> NDArray[np.bool_]:
    """Segment the object by colour from a coarse map of where it is.

    Args:
        pixels: `[size, size, 3]`, 0..1.
        frame: `[size, size]` where the photo lies.
        seed: `[size, size]`, 0..1.

    Returns:
        `[size, size]`, true on the object.
    """
    import cv2

    likely = seed > np.quantile(seed[frame], 1 - _LIKELY_PART)
    labels = np.where(likely, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[seed > _SURE] = cv2.GC_FGD
    rim = frame & ~cv2.erode(frame.astype(np.uint8), np.ones((7, 7), np.uint8)).astype(bool)
    labels[(seed < _IMPOSSIBLE) | ~frame | (rim & (seed < _UNLIKELY))] = cv2.GC_BGD
    if not (labels == cv2.GC_BGD).any():  # GrabCut needs both kinds
        labels[rim] = cv2.GC_BGD
    image = np.ascontiguousarray((pixels[..., ::-1] * 255).astype(np.uint8))
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(image, labels, None, *models, _ROUNDS, cv2.GC_INIT_WITH_MASK)
    found = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)

    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    found = cv2.morphologyEx(found, cv2.MORPH_OPEN, disc)
    count, parts = cv2.connectedComponents(found)
    weight = np.bincount(parts.ravel(), weights=seed.ravel(), minlength=count)
    weight[0] = 0
    kept = np.isin(parts, np.flatnonzero(weight > _MINOR * weight.max())).astype(np.uint8)
    object_: NDArray[np.bool_] = cv2.morphologyEx(kept, cv2.MORPH_CLOSE, disc).astype(bool)
    return object_ & frame
