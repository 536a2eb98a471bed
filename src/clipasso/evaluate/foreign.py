"""SVG files of other programs as they look, drawn by resvg."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clipasso.errors import ClipassoError
from clipasso.evaluate.ink import CANVAS
from clipasso.raster.sigma import SIGMA

__all__ = ["draw_svg"]

_FINER = 4  # times the canvas: resvg's own edges have few levels
_LONGEST = 60  # seconds
_MEMORY = 2 << 30  # bytes
_FONT = "DejaVu Sans"

# A process of its own: a file may nest so deeply that resvg's stack overflows, or take for ever.
_DRAW = """
import json, sys
options = json.loads(sys.stdin.buffer.readline())
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (options.pop("memory"),) * 2)
except (ImportError, ValueError, OSError):
    options.pop("memory", None)
import resvg_py
text = sys.stdin.buffer.read().decode()
try:
    sys.stdout.buffer.write(bytes(resvg_py.svg_to_bytes(svg_string=text, **options)))
except ValueError as error:
    sys.exit(str(error))
"""


def draw_svg(text: str) -> NDArray[np.float32]:
    """Draw an SVG on white, centred on the square canvas as a photo is.

    Texts are set in DejaVu Sans, whatever fonts there are, so that the picture is the same
    everywhere.

    Args:
        text: shows nothing but what it holds (`self_contained`).

    Returns:
        `[224, 224, 3]`, 0..1.

    Raises:
        ClipassoError: it cannot be drawn; without the file's name.
    """
    from scipy.ndimage import gaussian_filter

    side = CANVAS * _FINER
    drawn = Image.open(io.BytesIO(_resvg(text, side))).convert("RGB")
    square = Image.new("RGB", (side, side), "white")
    square.paste(drawn, ((side - drawn.width) // 2, (side - drawn.height) // 2))
    light = np.asarray(square, np.float32) / np.float32(255)
    # The pixel filter of our own rasteriser, so that no method's sketches are crisper than
    # another's; a part of its width comes from resvg's pixels and from the mean of their middles.
    width = np.sqrt((SIGMA * _FINER) ** 2 - 1 / 12 - 1 / 4)
    blurred = gaussian_filter(light, (width, width, 0), mode="nearest")
    middles = blurred.reshape(CANVAS, _FINER, CANVAS, _FINER, 3)[:, 1:3, :, 1:3]
    pixels: NDArray[np.float32] = middles.mean((1, 3)).clip(0, 1)
    return pixels


def _resvg(text: str, side: int) -> bytes:
    """A PNG within `side` x `side` px, whatever size the drawing says it has."""
    options = {
        "memory": _MEMORY, "width": side, "height": side, "dpi": 96, "background": "#ffffff",
        "skip_system_fonts": True, "font_files": [_font()],
        **{f"{kind}family": _FONT for kind in
           ("font_", "serif_", "sans_serif_", "cursive_", "fantasy_", "monospace_")},
    }  # fmt: skip
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", _DRAW], check=False, capture_output=True,
            input=f"{json.dumps(options)}\n{text}".encode(), timeout=_LONGEST,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ClipassoError(f"takes longer than {_LONGEST} s to draw; simplify it") from None
    if done.returncode or not done.stdout:
        told = done.stderr.decode(errors="replace").strip().splitlines()
        why = told[-1] if told and done.returncode == 1 else "resvg fails on it"
        raise ClipassoError(f"cannot be drawn ({why}); simplify it, or save it as a picture")
    return done.stdout


@cache
def _font() -> str:
    """The font that comes with matplotlib."""
    import matplotlib

    return str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")
