"""Cut the object out of a photo's background (sections 4 and B).

The method draws whatever is in the photo, so a background costs strokes. The paper masks it with
U2-Net; a small U2-Net that comes with the program and GrabCut do it here without a download.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clipasso.errors import ClipassoError
from clipasso.photo.borders import frame_mask
from clipasso.photo.canvas import Fit, Photo, closer, load_photo
from clipasso.photo.line_drawing import is_line_drawing
from clipasso.photo.masks.backdrop import (
    before_backdrop,
    clean_border,
    uniform_border,
    without_holes,
)
from clipasso.photo.masks.candidates import find_candidates, window
from clipasso.photo.masks.grabcut import find_object, grabcut
from clipasso.photo.masks.magnify import magnified
from clipasso.photo.masks.picture import read_mask
from clipasso.photo.masks.score import Scored, scored
from clipasso.photo.masks.u2net import U2Net, cached_weights, installed
from clipasso.photo.masks.u2netp import salient

__all__ = [
    "METHODS", "Choice", "Mask", "cut_out", "grabcut", "inside_at", "make_mask", "mask_near",
]  # fmt: skip

METHODS = ("none", "alpha", "u2net", "u2netp", "grabcut", "auto")
"""What `make_mask` knows by name."""

_log = logging.getLogger(__name__)

_INSIDE = 0.5  # the paper's threshold
_SMALLEST, _LARGEST = 0.02, 0.97  # of the photo: beyond that the mask has failed
_CLEAR = 0.01  # of the photo: less transparency is rounded corners, no cut-out
_UNIFORM = "none, the border is uniform"
_FLAT = "none, the photo is flat"


@dataclass(frozen=True, eq=False)
class Choice:
    """What a mask was chosen among.

    Attributes:
        photo: on the canvas on which it was chosen, before any zoom.
        ranked: the candidates; the first was taken.
    """

    photo: Photo
    ranked: tuple[Scored, ...]

    def as_list(self) -> list[dict[str, Any]]:
        """Names, scores and measurements as plain values for JSON, the chosen one first."""
        return [{"name": one.name, "score": one.score, **one.terms} for one in self.ranked]


@dataclass(frozen=True, eq=False)
class Mask:
    """Where the object is.

    Attributes:
        inside: `[size, size]` on the photo's canvas; None where the whole photo is kept.
        source: `alpha`, `backdrop`, `u2net`, `u2netp`, `grabcut`, a file's name, or `none` with
            the reason.
        picture: that file's, on a canvas of its own; None for a mask that was found.
        notes: lines a person should see.
        choice: the candidates it was chosen among; None where there was nothing to choose.
    """

    inside: NDArray[np.bool_] | None
    source: str
    picture: Photo | None = None
    notes: tuple[str, ...] = ()
    choice: Choice | None = None


def make_mask(
    photo: Photo, how: str | bytes = "auto", fit: Fit = "pad", weights: Path | None = None
) -> Mask:
    """Find the object by name of a method or from a file.

    Args:
        photo: on its canvas, its frame left out (`photo.picture_frame`).
        how: `none`; `alpha`, the photo's own transparency; `u2net`; `u2netp`; `grabcut`; the
            path or the bytes of a picture of the photo's proportions, bright where the object is,
            or of one value on zeros, or opaque where it is (`photo.masks.picture`); or `auto`:
            alpha if there is any; nothing of a line drawing, nor where the photo's border is a pale
            backdrop of one colour; U2-Net where its weights are on this machine; otherwise the
            candidate with the best score (`masks.candidates`, `masks.score`), which may be none.
        fit: how the photo was fitted to its canvas.
        weights: a U2-Net in ONNX format, for `u2net` and `auto`; by default the one that rembg
            keeps, which `u2net` fetches on first use and `auto` does not.

    Returns:
        The mask; without one where the method found no object to cut out.

    Raises:
        ClipassoError: no such method or file, a file of other proportions or of unclear meaning, a
            photo without transparency for `alpha`, or U2-Net cannot be had.
    """
    ways: dict[str, Callable[[], Mask]] = {
        "none": lambda: Mask(None, "none"),
        "alpha": lambda: _from_alpha(photo),
        "u2net": lambda: _from_u2net(photo, weights),
        "u2netp": lambda: _from_u2netp(photo),
        "grabcut": lambda: _from_grabcut(photo),
        "auto": lambda: _automatic(photo, weights),
    }
    named = isinstance(how, str) and how in ways
    mask = ways[str(how)]() if named else _from_file(photo, how, fit)
    part = "all" if mask.inside is None else f"{mask.inside.mean():.0%} of the canvas"
    ranked = [] if mask.choice is None else mask.choice.as_list()
    scores = ", ".join(f"{one['name']} {one['score']:.3f}" for one in ranked)
    _log.info(
        "%s: mask %s keeps %s%s", photo.name, mask.source, part,
        f"; scores: {scores}" if scores else "",
        extra={"data": {"stage": "mask", "candidates": ranked}},
    )  # fmt: skip
    return mask


def cut_out(photo: Photo, mask: Mask) -> Photo:
    """The photo with everything outside the mask made white; it has no source any more."""
    if mask.inside is None:
        return photo
    pixels = np.where(mask.inside[..., None], photo.pixels, np.float32(1))
    pixels.setflags(write=False)
    return replace(photo, pixels=pixels, source=None)


def mask_near(mask: Mask, box: tuple[float, float, float], near: Photo) -> Mask:
    """The same mask for a photo that was shown `closer`: as fine as what it came from allows.

    Args:
        mask: of the photo before.
        box: left, top and side of the part that is shown, px of the canvas before.
        near: the photo with that part on its whole canvas.

    Raises:
        ClipassoError: the mask's picture cannot be read again.
    """
    if mask.source == _UNIFORM:
        found = _from_backdrop(near)
        return mask if found.inside is None else found
    if mask.inside is None:
        return mask
    if mask.picture is not None:
        return replace(_from_picture(closer(mask.picture, box), near), notes=mask.notes)
    if mask.source == "alpha" and near.alpha is not None:
        return replace(mask, inside=_solid(near.alpha))
    return replace(mask, inside=magnified(mask.inside, box, near))


def inside_at(mask: Mask, photo: Photo) -> NDArray[np.bool_] | None:
    """A given mask on another canvas; None for one that was found, or none.

    Args:
        photo: the same photo, `[size, size]`.

    Raises:
        ClipassoError: the mask's picture cannot be read again.
    """
    picture = mask.picture
    if picture is not None and picture.source is not None:
        size = len(photo.pixels)
        finer = load_photo(picture.source, size=size, fit=picture.fit, name=picture.name)
        return _from_picture(finer, photo).inside
    return None if mask.source != "alpha" or photo.alpha is None else _solid(photo.alpha)


def _automatic(photo: Photo, weights: Path | None) -> Mask:
    """What the photo itself says, U2-Net where it is here, or the best of the candidates."""
    if photo.alpha is not None:
        opaque = float(_solid(photo.alpha)[frame_mask(photo)].mean())
        if 0 < opaque <= 1 - _CLEAR:
            return _from_alpha(photo)
    if is_line_drawing(photo):
        return Mask(None, "none, it is a line drawing")
    dark = before_backdrop(photo)
    if dark is not None or clean_border(photo):
        return _from_uniform(photo, dark)
    if weights is not None or (cached_weights() and installed()):
        return _from_u2net(photo, weights)
    return (
        Mask(None, _FLAT) if _flat(photo) else _best(photo, scored(photo, *find_candidates(photo)))
    )


def _from_uniform(photo: Photo, dark: NDArray[np.bool_] | None) -> Mask:
    """Before a pale border of one colour nothing is cut; before a dark one, something must be.

    Against a dark photo every white pixel of a sketch is wrong, so even a doubtful mask is better.
    """
    if dark is None or not dark.any():
        return Mask(None, _UNIFORM)
    found = scored(photo, *find_candidates(photo))
    must = any(one.name == "backdrop" for one in found)
    return _best(photo, tuple(sorted(found, key=lambda one: must and one.inside is None)))


def _from_backdrop(photo: Photo) -> Mask:
    """What stands out from a dark border of one colour, in a photo shown closer to it."""
    inside = before_backdrop(photo)
    if inside is not None and _SMALLEST <= inside[frame_mask(photo)].mean() <= _LARGEST:
        seen = _from_u2netp(photo).inside
        return Mask(inside if seen is None else without_holes(inside, photo, seen), "backdrop")
    return Mask(None, _UNIFORM)


def _best(photo: Photo, ranked: tuple[Scored, ...]) -> Mask:
    """The first of the candidates."""
    choice = Choice(photo, ranked)
    if ranked[0].inside is None:
        if uniform_border(photo):
            return Mask(None, _UNIFORM, choice=choice)
        doubt = "no single object found, so all of it is drawn; --mask or a crop may help"
        why = "none, no candidate is convincing"
        return Mask(None, why, notes=(f"{photo.name}: {doubt}",), choice=choice)
    # How a method was run is in the choice; a mask's source is the method.
    return Mask(ranked[0].inside, ranked[0].name.partition("-")[0], choice=choice)


def _solid(alpha: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where a picture is opaque, or nearly as opaque as it is anywhere."""
    solid: NDArray[np.bool_] = alpha > min(_INSIDE, float(alpha.max()) / 2)
    return solid


def _from_alpha(photo: Photo) -> Mask:
    if photo.alpha is None:
        raise ClipassoError(
            f"{photo.name}: it has no transparency for --mask alpha; "
            "give a cut-out PNG, or --mask auto"
        )
    inside = _solid(photo.alpha)
    if not inside.any() or (photo.alpha.max() <= _INSIDE and inside[frame_mask(photo)].all()):
        raise ClipassoError(
            f"{photo.name}: it is transparent all over, so --mask alpha leaves nothing; "
            "give --mask none"
        )
    return Mask(inside, "alpha")


def _from_u2net(photo: Photo, weights: Path | None) -> Mask:
    shown = window(photo)
    inside = np.zeros(photo.pixels.shape[:2], bool)
    inside[shown] = U2Net(weights).predict(photo.pixels[shown]) > _INSIDE
    return _unless_failed(photo, inside, "u2net", "U2-Net")


def _from_u2netp(photo: Photo) -> Mask:
    if _flat(photo):
        return Mask(None, _FLAT)
    shown = window(photo)
    inside = np.zeros(photo.pixels.shape[:2], bool)
    inside[shown] = salient(photo.pixels[shown]) > _INSIDE
    return _unless_failed(photo, inside, "u2netp", "U2-Net-p")


def _flat(photo: Photo) -> bool:
    return float(np.ptp(photo.pixels[window(photo)], axis=(0, 1)).max()) < 0.02


def _from_grabcut(photo: Photo) -> Mask:
    if _flat(photo):
        return Mask(None, _FLAT)
    return _unless_failed(photo, find_object(photo), "grabcut", "GrabCut")


def _unless_failed(photo: Photo, inside: NDArray[np.bool_], source: str, title: str) -> Mask:
    if not _SMALLEST <= inside[frame_mask(photo)].mean() <= _LARGEST:
        return Mask(None, f"none, {title} found no object")
    return Mask(inside, source)


def _from_file(photo: Photo, how: str | bytes, fit: Fit) -> Mask:
    if isinstance(how, str) and not os.path.exists(how):
        raise ClipassoError(
            f"--mask {how}: no such file; give auto, alpha, u2net, u2netp, grabcut, none or "
            "a picture"
        )
    picture, notes = read_mask(how, photo, fit)
    return replace(_from_picture(picture, photo), notes=notes)


def _from_picture(picture: Photo, photo: Photo) -> Mask:
    bright = picture.pixels.mean(-1) > _INSIDE
    # Of a photo whose frame was left out, the mask may be larger than what is shown.
    return Mask(bright & frame_mask(picture) & frame_mask(photo), picture.name, picture)
