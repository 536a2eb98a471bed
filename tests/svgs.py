"""Small SVG documents, and what an independent renderer makes of them."""

import io

import numpy as np
import resvg_py
from PIL import Image

from clipasso.vector.sketch import Sketch, read_svg


def document(body: str, box: str = 'viewBox="0 0 100 100"') -> str:
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f"<svg {names} {box}>{body}</svg>"


def strokes(body: str) -> Sketch:
    """The sketch of a document of which nothing is left out."""
    sketch, left_out = read_svg(document(f'<g fill="none" stroke="black">{body}</g>'))
    assert left_out == ()
    return sketch


def rendered(svg: str, width: int) -> np.ndarray:
    """Darkness `[height, width]` in 0..1 of the drawing on white."""
    png = resvg_py.svg_to_bytes(svg_string=svg, width=width, dpi=96, background="#ffffff")
    image = Image.open(io.BytesIO(bytes(png))).convert("RGB")
    return 1 - np.asarray(image, dtype=float).mean(axis=2) / 255


def assert_drawn_as_by_resvg(body: str) -> tuple[str, ...]:
    """Compare our strokes of round-ended lines with resvg's drawing; returns what is left out."""
    look = 'fill="none" stroke="black" stroke-width="3" stroke-linecap="round"'
    text = document(f'<g {look} stroke-linejoin="round">{body}</g>')
    sketch, left_out = read_svg(text)
    theirs, ours = rendered(text, 400), rendered(sketch.to_svg(), 400)
    assert theirs.sum() > 500
    difference = np.abs(theirs - ours)
    assert difference.max() < 0.3  # curves split otherwise differ along their edges
    assert difference.mean() < 3e-4
    moved = rendered(sketch.translated(0.3, 0.3).to_svg(), 400)
    assert np.abs(theirs - moved).mean() > 3e-4  # that it would show
    return left_out
