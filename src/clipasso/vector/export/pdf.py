"""PDF: one page, the strokes as Bezier paths.

Matplotlib writes it. It is a dependency already (the figures), keeps quadratic and cubic segments
as PDF's own curves, and knows of transparency, which a writer of our own would have to learn;
reportlab or pikepdf would be one package more for the same page.
"""

from __future__ import annotations

import io

import numpy as np

from clipasso.errors import ClipassoError
from clipasso.vector.plot.paper import Laid
from clipasso.vector.sketch import Sketch

__all__ = ["write_pdf"]

_CODES = {1: (2,), 2: (3, 3), 3: (4, 4, 4)}  # matplotlib's LINETO, CURVE3 and CURVE4
_FARTHEST = 1e9  # points; further off, the writer's decimals and readers' numbers give out
_POINT = 25.4 / 72  # mm


def write_pdf(sketch: Sketch, mm_per_px: float, laid: Laid | None = None) -> bytes:
    """The bytes of a PDF file, the same for the same sketch. Its page is the canvas, no ground.

    Args:
        mm_per_px: how large a px of the sketch becomes, mm.
        laid: a sheet of paper that is the page instead, and where on it the canvas lies: ink ends
            where the canvas does. It has a size of its own for a px.

    Raises:
        ClipassoError: strokes too far off the canvas, or a page smaller or larger than PDF's are.
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import PathPatch, Rectangle
    from matplotlib.path import Path

    points_per_px = (mm_per_px if laid is None else laid.scale) / _POINT
    left, top = (0.0, 0.0) if laid is None else (at / _POINT for at in laid.offset)
    width, height = (
        (side * points_per_px for side in sketch.size) if laid is None
        else (side / _POINT for side in laid.page)
    )  # fmt: skip
    if not 3 <= min(width, height) <= max(width, height) <= 14_400:
        raise ClipassoError(
            f"would be a page of {width * _POINT:.4g} x {height * _POINT:.4g} mm, and PDF's are "
            "from 1 to 5080 mm; give a --size"
        )
    large = sketch.scaled(points_per_px).translated(left, top)
    if max(np.abs(large.points).max(initial=0), large.widths.max(initial=0)) > _FARTHEST:
        raise ClipassoError("has strokes too far off its canvas to be drawn; delete them")
    page = Figure(figsize=(width / 72, height / 72), frameon=False)
    axes = page.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    codes = [1, *_CODES[sketch.degree] * sketch.segments]
    looks = zip(large.points, large.widths, large.colors, large.opacities, strict=True)
    canvas = Rectangle((left, top), *large.size, transform=axes.transData)
    for points, thick, color, opacity in looks:
        patch = PathPatch(
            Path(points, codes), fill=False, linewidth=float(thick), capstyle="round",
            joinstyle="round", edgecolor=(*color, opacity), visible=bool(thick > 0),
        )  # fmt: skip
        axes.add_patch(patch)
        if laid is not None:
            patch.set_clip_path(canvas)
    buffer = io.BytesIO()
    title = sketch.metadata.get("title", "Sketch")
    page.savefig(
        buffer, format="pdf", metadata={"Creator": "clipasso", "Title": title, "CreationDate": None}
    )
    return buffer.getvalue()
