"""PNG of any size, also without a ground."""

import io

from clipasso.vector.render import render_image
from clipasso.vector.sketch import Sketch

__all__ = ["write_png"]


def write_png(sketch: Sketch, side: int, *, transparent: bool = False) -> bytes:
    """The bytes of a PNG file.

    Args:
        side: of its longer side, pixels, 1 to 16384.
        transparent: without the white ground: RGBA, colours not multiplied by opacity.

    Raises:
        ClipassoError: as `clipasso.vector.render.render`.
    """
    buffer = io.BytesIO()
    render_image(sketch, side, transparent=transparent).save(buffer, format="png")
    return buffer.getvalue()
