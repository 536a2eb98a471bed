"""Frames around photos: are they found, and are masks the same with them as without?

    python benchmarks/frames.py FOLDER_OF_PHOTOS ... [--every N] [--json FILE]

Each photo is put into frames of many kinds, and the masks of the photo with and without a frame are
compared by intersection over union; where the photo alone has no mask, none is wanted. Photos that
have a frame of their own are named and left out of that.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clipasso import load_photo
from clipasso.photo.borders import frame_mask
from clipasso.photo.canvas import Photo
from clipasso.photo.masks import make_mask
from clipasso.photo.picture_frame import without_frame
from common import print_table, write_json

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from framed import FRAMES, Box, framed

_SIDE = 500  # px of a photo's longer side
_KEPT = 224  # px of the side that masks are compared at


def held(photo: Photo, box: Box | None = None) -> NDArray[np.bool_]:
    """What a photo's mask holds of a box in it, or of all of it, `[_KEPT, _KEPT]`."""
    inside = make_mask(photo).inside
    kept = frame_mask(photo) if inside is None else inside
    frame, (width, height) = photo.frame, (photo.frame.width, photo.frame.height)
    x0, y0, x1, y1 = (0, 0, width, height) if box is None else box
    corners = frame.to_canvas([(x0, y0), (x1, y1)]).ravel()
    image = Image.fromarray(kept).convert("L")
    part = image.resize((_KEPT, _KEPT), Image.Resampling.BILINEAR, tuple(corners))
    return np.asarray(part) > 127


def overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Intersection over union."""
    return float((one & other).sum() / max(1, (one | other).sum()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--every", type=int, default=1, help="use each so-manieth photo")
    parser.add_argument("--json")
    given = parser.parse_args()
    paths = sorted(p for f in given.folders for p in ([f] if f.is_file() else f.rglob("*.*")))
    overlaps: dict[str, list[float]] = {kind: [] for kind in FRAMES}
    before: dict[str, list[float]] = {kind: [] for kind in FRAMES}
    own = 0
    for path in paths[:: given.every]:
        image = Image.fromarray((load_photo(path, size=_SIDE).pixels * 255).astype(np.uint8))
        photo = load_photo(path)
        x, y = photo.frame.left, photo.frame.top
        by = _SIDE / len(photo.pixels)
        image = image.crop(tuple(round(by * v) for v in (
            x, y, x + photo.frame.width, y + photo.frame.height)))  # fmt: skip
        if (surround := without_frame(photo).surround) or image.width < 64 or image.height < 64:
            print(f"{path.name}: {surround}")
            own += 1
            continue
        alone = held(load_photo(np.asarray(image)))
        for kind in FRAMES:
            made = framed(image, kind)
            large = load_photo(made.pixels)
            box: Box = tuple(  # type: ignore[assignment]
                v * large.frame.width / made.pixels.shape[1] for v in made.box
            )
            x0, y0, x1, y1 = made.box
            clean = alone if (x1 - x0, y1 - y0) == image.size else None
            if clean is None:  # the frame lies over the photo: compare what it leaves
                left, top = (image.width - x1 + x0) // 2, (image.height - y1 + y0) // 2
                if kind.startswith("scanned"):
                    left, top = x0, y0
                part = (left, top, left + x1 - x0, top + y1 - y0)
                small = load_photo(np.asarray(image))
                scale = small.frame.width / image.width
                clean = held(small, tuple(v * scale for v in part))  # type: ignore[arg-type]
            overlaps[kind].append(overlap(clean, held(without_frame(large), box)))
            before[kind].append(overlap(clean, held(large, box)))
    rows, every, was = [], [], []
    for kind in FRAMES:
        every += overlaps[kind]
        was += before[kind]
        rows.append([kind, *(f"{v:.2f}" for v in (
            np.mean(before[kind]), np.mean(overlaps[kind]), np.min(overlaps[kind])))])  # fmt: skip
    rows.append(["all", f"{np.mean(was):.2f}", f"{np.mean(every):.2f}", f"{np.min(every):.2f}"])
    print_table(["frame", "kept: mean", "left out: mean", "worst"], rows)
    below = int((np.array(every) < 0.5).sum())
    print(f"{len(every)} pairs, {below} below 0.5; {own} photos with a frame of their own")
    write_json(given.json, {"left out": overlaps, "kept": before})


if __name__ == "__main__":
    main()
