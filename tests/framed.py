"""Photos put into frames of many kinds: for tests, and for `benchmarks/frames.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

__all__ = ["FRAMES", "Framed", "framed"]

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Framed:
    """A photo in its frame: the whole, uint8 `[height, width, 3]`, and the photo's box in it."""

    pixels: NDArray[np.uint8]
    box: Box


def framed(photo: Image.Image, kind: str, quality: int | None = 85) -> Framed:
    """Put a photo into a frame, and through JPEG unless `quality` is None."""
    whole, box = FRAMES[kind](photo.convert("RGB"))
    if quality is not None:
        held = BytesIO()
        whole.save(held, "JPEG", quality=quality)
        whole = Image.open(held).convert("RGB")
    return Framed(np.asarray(whole), box)


def _border(*layers: tuple[int, str]) -> Callable[[Image.Image], tuple[Image.Image, Box]]:
    """Borders from within: width in px, and colour."""

    def put(photo: Image.Image) -> tuple[Image.Image, Box]:
        wide = sum(width for width, _ in layers)
        whole = photo
        for width, colour in layers:
            whole = ImageOps.expand(whole, width, colour)
        return whole, (wide, wide, wide + photo.width, wide + photo.height)

    return put


def _bars(
    across: float, down: float, colour: str
) -> Callable[[Image.Image], tuple[Image.Image, Box]]:
    """Bars on two opposite sides, as parts of the photo's width and height."""

    def put(photo: Image.Image) -> tuple[Image.Image, Box]:
        x, y = round(across * photo.width), round(down * photo.height)
        return ImageOps.expand(photo, (x, y, x, y), colour), (
            x,
            y,
            x + photo.width,
            y + photo.height,
        )

    return put


def _strip(
    side: str, ground: str, ink: str, text: str, part: float = 0.1
) -> Callable[[Image.Image], tuple[Image.Image, Box]]:
    """A strip with writing along one side."""

    def put(photo: Image.Image) -> tuple[Image.Image, Box]:
        width, height = photo.size
        length, other = (width, height) if side in ("above", "below") else (height, width)
        wide = max(14, round(part * other))
        strip = Image.new("RGB", (length, wide), ground)
        font = ImageFont.load_default(round(0.5 * wide))
        ImageDraw.Draw(strip).text((length * 0.08, 0.15 * wide), text, ink, font)
        if side in ("left", "right"):
            strip = strip.transpose(Image.Transpose.ROTATE_90)
        x, y = wide * (side == "left"), wide * (side == "above")
        whole = Image.new(
            "RGB", (width + wide * (side in ("left", "right")),
                    height + wide * (side in ("above", "below"))),
        )  # fmt: skip
        whole.paste(photo, (x, y))
        whole.paste(strip, (width * (side == "right"), height * (side == "below")))
        return whole, (x, y, x + width, y + height)

    return put


def _rounded(
    wide: int, colour: str, part: float
) -> Callable[[Image.Image], tuple[Image.Image, Box]]:
    """A border within which the photo's corners are round; `part` of its shorter side.

    The box is the one that all corners leave.
    """

    def put(photo: Image.Image) -> tuple[Image.Image, Box]:
        fine = Image.new("L", (4 * photo.width, 4 * photo.height), 0)
        radius = 4 * part * min(photo.size)
        ImageDraw.Draw(fine).rounded_rectangle((0, 0, fine.width - 1, fine.height - 1), radius, 255)
        ground = Image.new("RGB", photo.size, colour)
        ground.paste(photo, mask=fine.resize(photo.size, Image.Resampling.BOX))
        lost = int(0.29 * part * min(photo.size))  # between a corner's arc and its square
        x, y = photo.size
        whole = ImageOps.expand(ground, wide, colour)
        return whole, (wide + lost, wide + lost, wide + x - lost, wide + y - lost)

    return put


def _scanned(
    sides: tuple[str, ...], level: int, deep: tuple[float, float]
) -> Callable[[Image.Image], tuple[Image.Image, Box]]:
    """Wedges with noise along some sides, over the photo; `deep` px at their two ends."""

    def put(photo: Image.Image) -> tuple[Image.Image, Box]:
        pixels = np.asarray(photo).copy()
        rng = np.random.default_rng(0)
        box = [0, 0, photo.width, photo.height]
        for side in sides:
            view = pixels.transpose(1, 0, 2) if side in ("left", "right") else pixels
            view = view[::-1] if side in ("right", "below") else view
            line = np.linspace(*deep, view.shape[1])
            where = np.arange(len(view))[:, None] < line
            noise = rng.normal(level, 3, where.sum()).clip(0, 255)
            view[where] = noise[:, None].astype(np.uint8)
            most = int(np.ceil(max(deep)))
            k = ("left", "above", "right", "below").index(side)
            box[k] += most if k < 2 else -most
        return Image.fromarray(pixels), (box[0], box[1], box[2], box[3])

    return put


def _paper(wide: int) -> Callable[[Image.Image], tuple[Image.Image, Box]]:
    """A border of old paper with its grain."""

    def put(photo: Image.Image) -> tuple[Image.Image, Box]:
        whole, box = _border((wide, "#ece6d6"))(photo)
        pixels = np.asarray(whole).astype(np.float32)
        grain = np.random.default_rng(0).normal(0, 4, pixels.shape[:2])[..., None]
        outside = np.ones(pixels.shape[:2], bool)
        outside[box[1] : box[3], box[0] : box[2]] = False
        pixels += grain * outside[..., None]
        return Image.fromarray(pixels.clip(0, 255).astype(np.uint8)), box

    return put


def _polaroid(photo: Image.Image) -> tuple[Image.Image, Box]:
    thin, thick = round(0.05 * photo.width), round(0.2 * photo.width)
    whole = ImageOps.expand(photo, (thin, thin, thin, thick), "#f6f4ee")
    return whole, (thin, thin, thin + photo.width, thin + photo.height)


def _inset(photo: Image.Image) -> tuple[Image.Image, Box]:
    """A line within the photo, which goes on outside of it."""
    whole, away = photo.copy(), round(0.03 * min(photo.size))
    box = away, away, photo.width - away - 1, photo.height - away - 1
    ImageDraw.Draw(whole).rectangle(box, outline="white", width=2)
    return whole, (away + 2, away + 2, box[2] - 1, box[3] - 1)


FRAMES: dict[str, Callable[[Image.Image], tuple[Image.Image, Box]]] = {
    "thin black line": _border((1, "black")),
    "thin white line": _border((2, "white")),
    "black border 5": _border((5, "black")),
    "black border 40": _border((40, "black")),
    "white border 8": _border((8, "white")),
    "white border 40": _border((40, "white")),
    "two lines": _border((2, "black"), (6, "white"), (1, "black")),
    "line in black": _border((2, "white"), (20, "black")),
    "grey mount": _border((1, "#333333"), (30, "#b8b8b0")),
    "paper": _paper(24),
    "polaroid": _polaroid,
    "rounded white": _rounded(0, "white", 0.08),
    "rounded in black": _rounded(12, "black", 0.06),
    "letterbox": _bars(0, 0.17, "black"),
    "pillarbox": _bars(0.4, 0, "black"),
    "white bars": _bars(0, 0.25, "white"),
    "scanned left, below": _scanned(("left", "below"), 14, (3, 13)),
    "scanned right": _scanned(("right",), 235, (9, 2)),
    "caption below": _strip("below", "white", "black", "A day in the country, 1987"),
    "name above": _strip("above", "#202020", "#eeeeee", "www.photos.example", 0.07),
    "name on the right": _strip("right", "black", "white", "photos.example", 0.06),
    "inset line": _inset,
}
"""Every kind, by name."""
