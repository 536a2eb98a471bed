"""Photos and sketches as parts of a page that needs nothing beside itself."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clipasso.evaluate.subjects import sketch_pixels

__all__ = ["SIDE", "image_tag", "jpeg_uri", "sketch_svg", "sketch_uri"]

SIDE = 224


def jpeg_uri(pixels: NDArray[np.float32], side: int = SIDE) -> str:
    """A picture `[height, width, 3]`, 0..1, as the URI of a small JPEG."""
    return _uri(_picture(pixels, side), "jpeg", quality=80)


def _picture(pixels: NDArray[np.float32], side: int) -> Image.Image:
    picture = Image.fromarray(np.rint(pixels * 255).astype(np.uint8))
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    return picture


def _uri(picture: Image.Image, kind: str, **options: int) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, format=kind, **options)
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def sketch_svg(file: Path) -> str | None:
    """A sketch's strokes alone as SVG, written anew: no file's own code reaches the page.

    Returns:
        None for a sketch that is a picture.

    Raises:
        ClipassoError: it cannot be read.
    """
    _, strokes = sketch_pixels(file)
    return None if strokes is None else strokes.to_svg()


def sketch_uri(file: Path) -> str:
    """A sketch as the URI of an SVG, or of a PNG where it is a picture.

    Raises:
        ClipassoError: it cannot be read.
    """
    pixels, strokes = sketch_pixels(file)
    if strokes is None:
        return _uri(_picture(pixels, SIDE).convert("L"), "png")
    return f"data:image/svg+xml;base64,{base64.b64encode(strokes.to_svg().encode()).decode()}"


def image_tag(uri: str) -> str:
    """An `<img>`; what it shows stands beside it."""
    return f'<img src="{uri}" alt="">'
