"""Background masks by GrabCut, which need no download.

An ImageNet classifier tells coarsely where an object is that the photo's border does not show
(`EfficientNetLite0.objectness`), and the photo's regions tell what hangs together with the border
(`Regions`). GrabCut starts from both in several ways, and the outline that follows the photo's
edges best, around most of what was recognised, wins.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from clipasso.photo.borders import extended, frame_mask
from clipasso.photo.canvas import Photo
from clipasso.photo.masks.regions import Regions, to_lab

__all__ = ["class_shares", "find_object", "from_likely", "grabcut", "recognised"]

_FINE = 448  # px of the longer side that GrabCut works on, so that legs survive
_ROUNDS = 4
_SURE, _LIKELY, _IMPOSSIBLE = 0.85, 0.5, 0.05  # of a region's likelihood
_SEED_SURE, _SEED_UNLIKELY, _SEED_IMPOSSIBLE = 0.8, 0.35, 0.07  # of the seed
_NEAR_SURE, _NEAR_IMPOSSIBLE = 0.9, 0.1  # of another mask's likelihood
_SEED_PART = 0.45  # of the photo, where GrabCut starts from "probably the object"
_THICK = 1 / 28  # of the longer side: what is thinner is a limb or a bridge
_MINOR = 0.12  # parts that carry less than this of the largest part's seed are dropped
_DIM, _BIG = 0.35, 0.06  # of the main part's mean seed and area: a shadow is dim and big
_WORTH = 8.0  # CIELAB units times share: an outline worth less has failed


def find_object(
    photo: Photo, seed: NDArray[np.float32] | None = None, fine: int = _FINE
) -> NDArray[np.bool_]:
    """The object of a photo, `[size, size]`; false all over where none was found.

    Args:
        seed: what `recognised` gave for the photo, where that is known already.
        fine: px of the longer side that GrabCut works on; fewer are faster and lose thin legs.
    """
    seed = recognised(photo) if seed is None else seed
    return grabcut(photo.pixels, frame_mask(photo), seed, fine)


def grabcut(
    pixels: NDArray[np.float32],
    frame: NDArray[np.bool_],
    seed: NDArray[np.float32],
    fine: int = _FINE,
) -> NDArray[np.bool_]:
    """Segment the object by colour from a coarse map of where it is.

    Args:
        pixels: `[size, size, 3]`, 0..1.
        frame: `[size, size]`, a rectangle of true where the photo lies.
        seed: `[size, size]`, 0..1.
        fine: as for `find_object`.

    Returns:
        `[size, size]`, true on the object; false all over where no outline was convincing.
    """
    rows, columns = np.flatnonzero(frame.any(1)), np.flatnonzero(frame.any(0))
    window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    rgb, heat = np.ascontiguousarray(pixels[window]), seed[window].clip(0, 1)
    regions = Regions(rgb)
    starts = [_from_seed(heat)]
    starts += [_from_regions(regions.object_map(heat, portrait)) for portrait in (False, True)]
    lab = to_lab(rgb)
    best, most = np.zeros(heat.shape, bool), _WORTH
    for start in starts:
        inside = _tidy(_cut(rgb, start, fine), heat)
        worth = _worth(lab, inside, heat)
        if worth > most:
            best, most = inside, worth
    found = np.zeros(frame.shape, bool)
    found[window] = best
    return found


def from_likely(photo: Photo, likely: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Another method's mask with its outline moved to where colours change, `[size, size]`.

    Args:
        likely: `[size, size]`, 0..1, how likely each pixel is the object's.
    """
    import cv2

    frame = frame_mask(photo)
    rows, columns = np.flatnonzero(frame.any(1)), np.flatnonzero(frame.any(0))
    window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    chance = np.ascontiguousarray(likely[window])
    labels = np.where(chance > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[chance > _NEAR_SURE] = cv2.GC_FGD
    labels[chance < _NEAR_IMPOSSIBLE] = cv2.GC_BGD
    found = np.zeros(frame.shape, bool)
    found[window] = _tidy(_cut(np.ascontiguousarray(photo.pixels[window]), labels), chance)
    return found


@lru_cache(maxsize=1)
def _classifier() -> Any:
    from clipasso.encoders.efficientnet import EfficientNetLite0

    return EfficientNetLite0()


def class_shares(images: torch.Tensor) -> NDArray[np.float32]:
    """How sure a classifier is of each class: `[batch, 3, height, width]` to `[batch, 1000]`."""
    with torch.no_grad():
        shares: NDArray[np.float32] = _classifier().classify(images).softmax(1).numpy()
    return shares


def recognised(photo: Photo) -> NDArray[np.float32]:
    """Coarsely where a classifier sees an object, `[size, size]`, 0..1; 0 in the padding."""
    frame = frame_mask(photo)
    image = torch.tensor(extended(photo)).permute(2, 0, 1)[None].contiguous()
    shown, see = torch.tensor(frame), _classifier().objectness
    # The map is coarse; the mirrored photo's has its cells elsewhere.
    both = (see(image, shown) + see(image.flip(-1), shown.flip(-1)).flip(-1)) / 2
    seed: NDArray[np.float32] = both.numpy() * frame
    return seed / max(float(seed.max()), 1e-6)


def _from_seed(seed: NDArray[np.float32]) -> NDArray[np.uint8]:
    """GrabCut's first labels from the seed alone, `[height, width]`."""
    import cv2

    likely = seed > np.quantile(seed, 1 - _SEED_PART)
    labels = np.where(likely, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[seed > _SEED_SURE] = cv2.GC_FGD
    rim = np.ones(seed.shape, bool)
    rim[3:-3, 3:-3] = False
    labels[(seed < _SEED_IMPOSSIBLE) | (rim & (seed < _SEED_UNLIKELY))] = cv2.GC_BGD
    return labels


def _from_regions(likely: NDArray[np.float32]) -> NDArray[np.uint8]:
    """GrabCut's first labels from the regions' likelihoods, `[height, width]`."""
    import cv2

    labels = np.where(likely > _LIKELY, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[likely > _SURE] = cv2.GC_FGD
    labels[likely < _IMPOSSIBLE] = cv2.GC_BGD
    return labels


def _cut(
    rgb: NDArray[np.float32], labels: NDArray[np.uint8], fine: int = _FINE
) -> NDArray[np.bool_]:
    """Run GrabCut at a finer scale; all false where the labels name one kind only."""
    import cv2

    height, width = labels.shape
    larger = min(2.0, max(1.0, fine / max(height, width)))
    size = max(1, round(width * larger)), max(1, round(height * larger))
    image = cv2.resize((rgb[..., ::-1] * 255).astype(np.uint8), size, interpolation=cv2.INTER_CUBIC)
    labels = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST)
    kinds = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
    # GrabCut fits five colours to each kind and refuses fewer pixels than that.
    if min(kinds.sum(), (~kinds).sum()) < 10:
        return np.zeros((height, width), bool)
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(image, labels, None, *models, _ROUNDS, cv2.GC_INIT_WITH_MASK)
    found = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    half: NDArray[np.bool_] = (
        cv2.resize(found, (width, height), interpolation=cv2.INTER_AREA) >= 0.5
    )
    return half


def _disc(radius: int) -> NDArray[np.uint8]:
    import cv2

    shape: NDArray[np.uint8] = cv2.getStructuringElement(
        cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)
    )
    return shape


def _tidy(found: NDArray[np.bool_], seed: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Drop specks and shadows, keep limbs, and fill pinholes but not the hole of a handle.

    What is thick makes the parts. Parts that the seed does not know are dropped, and thin pieces
    go with the part that they hang on.
    """
    import cv2

    whole = cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_CLOSE, _disc(1))
    radius = max(1, round(_THICK * max(found.shape) / 2))
    around = 3 * radius  # an object that the photo cuts off is thick there
    padded = cv2.copyMakeBorder(whole, *(around,) * 4, cv2.BORDER_REPLICATE)
    thick = cv2.morphologyEx(padded, cv2.MORPH_OPEN, _disc(radius))
    thick = np.ascontiguousarray(thick[around:-around, around:-around]) & whole
    count, parts = cv2.connectedComponents(thick)
    if count < 2:
        return np.zeros(found.shape, bool)
    area = np.bincount(parts.ravel(), minlength=count)
    weight = np.bincount(parts.ravel(), seed.ravel(), count)
    area[0], weight[0] = 1, 0
    main = int(weight.argmax())
    dim = weight / area < _DIM * weight[main] / area[main]
    shadow = dim & (area > _BIG * area[main])
    known = (weight > _MINOR * weight[main]) & ~shadow
    shadow[0] = known[0] = False

    kept, dropped = known[parts].astype(np.uint8), shadow[parts].astype(np.uint8)
    reached = -1
    while reached != (reached := int(kept.sum() + dropped.sum())):
        free = whole & ~kept & ~dropped
        kept |= cv2.dilate(kept, _disc(1)) & free
        dropped |= cv2.dilate(dropped, _disc(1)) & free & ~kept
    count, holes = cv2.connectedComponents(1 - kept, connectivity=4)
    sizes = np.bincount(holes.ravel(), minlength=count)
    pinhole = sizes < max(25, 0.004 * int(kept.sum()))
    pinhole[0] = False  # the object itself
    inside: NDArray[np.bool_] = kept.astype(bool) | pinhole[holes]
    return inside


def _worth(lab: NDArray[np.float32], inside: NDArray[np.bool_], seed: NDArray[np.float32]) -> float:
    """How good an outline is: colour contrast across it times the share of the seed inside.

    The photo's own border is no outline, and an object that lies along much of it is doubtful,
    least of all at the bottom, where portraits end.
    """
    import cv2

    if not inside.any() or inside.all():
        return 0.0
    weight = inside.astype(np.float32)
    blur = max(inside.shape) / 90

    def mean_colour(where: NDArray[np.float32]) -> Any:
        total = cv2.GaussianBlur(lab * where[..., None], (0, 0), blur)
        return total / np.maximum(cv2.GaussianBlur(where, (0, 0), blur), 1e-3)[..., None]

    contrast = np.linalg.norm(mean_colour(weight) - mean_colour(1 - weight), axis=2)
    outline = cv2.dilate(weight, _disc(1)) > cv2.erode(weight, _disc(1))
    across = contrast[2:-2, 2:-2][outline[2:-2, 2:-2]]
    if not across.size:
        return 0.0
    # The lower quartile finds an outline that is right in places only.
    clear = (np.median(across) + np.quantile(across, 0.25)) / 2
    middle = len(inside) * 6 // 10
    upper = np.concatenate([inside[0], inside[:middle, 0], inside[:middle, -1]]).mean()
    lower = np.concatenate([inside[-1], inside[middle:, 0], inside[middle:, -1]]).mean()
    touching = max(0.0, 1 - 2 * upper) * (1 - lower / 4)
    return float(clear * seed[inside].sum() / max(float(seed.sum()), 1e-6) * touching)
