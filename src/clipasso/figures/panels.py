"""Draw one panel: a photo, a map, or strokes as true Bezier paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clipasso.photo.canvas import load_photo

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from clipasso.figures.plan import Cell
    from clipasso.photo.canvas import Frame
    from clipasso.pipeline.archive import Kept
    from clipasso.vector.sketch import Sketch

__all__ = ["caption", "draw_panel", "draw_sketch"]

_PHOTO_SIDE = 512
_RED = "#e02020"
_CODES = {1: (2,), 2: (3, 3), 3: (4, 4, 4)}  # matplotlib's LINETO, CURVE3 and CURVE4


def draw_panel(axes: Axes, cell: Cell, kept: Kept) -> None:
    """Draw what a cell shows; the axes become the photo's frame, y down.

    Args:
        axes: of the frame's proportions, without decoration.
        cell: what to show.
        kept: of the cell's run.
    """
    frame = kept.frame
    axes.set_xlim(0, frame.width)
    axes.set_ylim(frame.height, 0)
    if cell.show == "photo":
        photo = load_photo(cell.run.photo, size=_PHOTO_SIDE)
        _image(axes, photo.pixels, photo.frame, frame)
    elif cell.show == "sketch":
        draw_sketch(axes, kept.sketches[cell.index])
    elif cell.show == "initial":
        draw_sketch(axes, kept.initial[cell.index])
    elif cell.show == "step":
        draw_sketch(axes, kept.at(cell.index)[1])
    elif cell.show == "saliency":
        if kept.report["saliency"] == "none":
            _words(axes, "none:\nevery position alike")
        else:
            _image(axes, kept.saliency, frame, frame, cmap="viridis")
    elif cell.show == "points":
        dark = 0.12 if kept.report["saliency"] == "none" else 0.45
        chances = 1 - dark * np.sqrt(kept.distribution)
        _image(axes, chances, frame, frame, beyond=1, cmap="gray")
        first = kept.initial[cell.index].points[:, 0]
        axes.plot(*first.T, "o", color=_RED, markersize=2.6, markeredgewidth=0)
    elif cell.show == "mask":
        _image(axes, kept.inside, frame, frame, cmap="gray")
    elif cell.show == "xdog":
        _image(axes, 1 - kept.edges, frame, frame, beyond=1, cmap="gray")
    else:
        _image(axes, 1 - _canny(kept.pixels), frame, frame, beyond=1, cmap="gray")


def caption(cell: Cell, kept: Kept, comparable: bool) -> tuple[str, str]:
    """Two lines under a panel: what it is, and which encoder made it."""
    report, best = kept.report, kept.seeds[cell.index if cell.show != "step" else 0]
    if cell.show == "photo":
        return report["photo"], ""
    if cell.show == "saliency":
        source = report["saliency"]
        return ("", "") if source == "none" else ("saliency", source)
    if cell.show in ("points", "initial"):
        source = report["saliency"].rpartition(",")[0] or "no saliency"
        return f"seed {best['seed']}", source
    if cell.show == "mask":
        return report["mask"], ""
    if cell.show in ("xdog", "canny"):
        return cell.note, ""
    words = [cell.note] if cell.note else []
    if cell.show == "step":
        step, _, loss = kept.at(cell.index)
        words += [] if step == cell.index else [f"ended at step {step}"]
        words.append(f"loss {loss:#.4g}")
    elif comparable:
        words.append(f"loss {best['loss']:#.4g}")
        if cell.marked or cell.index:
            words.append(f"seed {best['seed']}")
    return ", ".join(words), report["encoder"]


def draw_sketch(axes: Axes, sketch: Sketch) -> None:
    """Strokes as vector paths with round caps, their widths in proportion to the canvas.

    Args:
        axes: of the sketch's proportions; x is set to its canvas, y to the same, downwards.
        sketch: on any canvas.
    """
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    axes.set_xlim(0, sketch.size[0])
    axes.set_ylim(sketch.size[1], 0)
    page = axes.get_figure(root=True)
    assert page is not None
    points_per_px = axes.get_position().width * page.get_figwidth() * 72 / sketch.size[0]
    codes = [1, *_CODES[sketch.degree] * sketch.segments]
    looks = zip(sketch.points, sketch.widths, sketch.colors, sketch.opacities, strict=True)
    for points, width, color, opacity in looks:
        axes.add_patch(PathPatch(
            Path(points, codes), fill=False, linewidth=width * points_per_px,
            edgecolor=(*color, opacity), capstyle="round", joinstyle="round",
        ))  # fmt: skip


def _image(
    axes: Axes, image: NDArray[Any], own: Frame, shown: Frame, beyond: float = 0.0, **look: Any
) -> None:
    """An image `[side, side]` or `[side, side, 3]` of a whole canvas, cut to the photo.

    Args:
        own: where the photo lies on the image.
        shown: the frame that the axes show, the same photo's.
        beyond: the value of those parts of the photo that a zoomed canvas does not show.
    """
    side = len(image)
    corners = own.to_canvas([(0, 0), (own.width, own.height)])
    (left, top), (right, bottom) = np.rint(corners.clip(0, side)).astype(int)
    ends = own.to_photo([(left, top), (right, bottom)]) * shown.width / own.width
    if own.zoom == 1:  # the fraction of a pixel that rounding cut off is not worth a white line
        ends = np.array([(0, 0), (shown.width, shown.height)])
    else:
        whole = (0, shown.width, shown.height, 0)
        axes.imshow([[beyond]], extent=whole, aspect="auto", vmin=0, vmax=1, **look)
    axes.imshow(
        np.asarray(image, np.float32)[top:bottom, left:right],
        extent=(ends[0, 0], ends[1, 0], ends[1, 1], ends[0, 1]), aspect="auto",
        interpolation="bilinear" if look.get("cmap") == "viridis" else "antialiased",
        vmin=0, vmax=1, **look,
    )  # fmt: skip
    axes.set_xlim(0, shown.width)
    axes.set_ylim(shown.height, 0)


def _canny(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Canny's edges of a photo, `[height, width]`, 1 on edges."""
    from skimage.color import rgb2gray
    from skimage.feature import canny

    edges: NDArray[np.float32] = canny(rgb2gray(pixels), sigma=2.0).astype(np.float32)
    return edges


def _words(axes: Axes, text: str) -> None:
    axes.text(
        0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", fontsize=6,
        color="0.4", parse_math=False, wrap=True,
    )  # fmt: skip
