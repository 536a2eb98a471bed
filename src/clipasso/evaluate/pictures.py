"""Photos and sketches as parts of a page that needs nothing beside itself."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clipasso.evaluate.looks import see_sketch

__all__ = ["SIDE", "image_tag", "jpeg_uri", "sketch_tag", "sketch_uri"]

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


def sketch_tag(file: Path) -> str:
    """A sketch as HTML: our own as its strokes, others as a picture of how they look.

    Strokes are written anew: no file's own code reaches the page.

    Raises:
        ClipassoError: it cannot be read.
    """
    look = see_sketch(file)
    if look.ours and look.strokes is not None:
        return look.strokes.to_svg()
    return image_tag(_drawn_uri(look.pixels))


def sketch_uri(file: Path) -> str:
    """A sketch as the URI of an SVG where it is our own, of a PNG of how it looks otherwise.

    Raises:
        ClipassoError: it cannot be read.
    """
    look = see_sketch(file)
    if look.ours and look.strokes is not None:
        text = look.strokes.to_svg().encode()
        return f"data:image/svg+xml;base64,{base64.b64encode(text).decode()}"
    return _drawn_uri(look.pixels)


def _drawn_uri(pixels: NDArray[np.float32]) -> str:
    grey = bool((pixels == pixels[..., :1]).all())
    return _uri(_picture(pixels, SIDE).convert("L" if grey else "RGB"), "png")


def image_tag(uri: str) -> str:
    """An `<img>`; what it shows stands beside it."""
    return f'<img src="{uri}" alt="">'
