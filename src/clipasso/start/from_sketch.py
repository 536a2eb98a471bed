"""Start from an existing sketch: bring its strokes to the canvas, the style and the number."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from clipasso.errors import ClipassoError
from clipasso.optimise.strokes import Drawing
from clipasso.settings import INITIALISATIONS
from clipasso.vector.curve_fitting import fit_chain
from clipasso.vector.sketch import Sketch, open_sketch

if TYPE_CHECKING:
    from clipasso.optimise.encoded_photo import Targets
    from clipasso.photo.canvas import Frame

__all__ = ["on_canvas", "parse_frozen", "read_init", "refitted", "without_least_missed"]


def read_init(
    init: str | os.PathLike[str] | Sketch | None,
) -> tuple[Sketch | None, dict[str, Any], tuple[str, ...]]:
    """What a run starts from, the settings that follow from it, and what was not kept of a file.

    Args:
        init: a name of `INITIALISATIONS`, a sketch, or the path of its SVG file.

    Returns:
        The sketch, None for a name; its number and make of strokes, or what the name stands for;
        lines a person should see.

    Raises:
        ClipassoError: neither a name nor a sketch that can be read, or a sketch without strokes.
    """
    if init is None or (isinstance(init, str) and init in INITIALISATIONS):
        return None, dict(INITIALISATIONS[init]) if init else {}, ()
    notes: tuple[str, ...] = ()
    if not isinstance(init, Sketch):
        if not os.path.exists(init):
            raise ClipassoError(
                f"--init {init}: no such file; give {', '.join(INITIALISATIONS)} or an SVG sketch"
            )
        name = os.fspath(init)
        init, skipped = open_sketch(name)
        notes = tuple(f"{name}: not kept: {line}" for line in skipped)
    if not len(init):
        raise ClipassoError("--init: the sketch has no strokes")
    make = {"strokes": len(init), "control_points": init.degree + 1, "segments": init.segments}
    return init, make, notes


def parse_frozen(text: str, count: int) -> NDArray[np.bool_]:
    """Which strokes of a sketch stay as they are, `[count]`.

    Args:
        text: `all`, or numbers and ranges counted from 1, as in `1-4,7`; "" for none.
        count: strokes of the sketch.

    Raises:
        ClipassoError: not understood, or beyond the sketch's strokes.
    """
    frozen = np.zeros(count, bool)
    if text == "all":
        return ~frozen
    for part in filter(None, text.split(",")):
        first, dash, last = part.strip().partition("-")
        last = last if dash else first
        if not (first.isdecimal() and last.isdecimal()):
            raise ClipassoError(f"--freeze {text}: give all, or numbers of strokes as in 1-4,7")
        low, high = int(first), int(last)
        if not 1 <= low <= high <= count:
            raise ClipassoError(f"--freeze {text}: the sketch has strokes 1 to {count}")
        frozen[low - 1 : high] = True
    return frozen


def refitted(sketch: Sketch, degree: int, segments: int) -> NDArray[np.float64]:
    """The strokes as chains of another make, `[strokes, degree * segments + 1, 2]`.

    A least-squares fit through points evenly spaced in the parameter; exact wherever the new chain
    can draw the old one, as when a line becomes a cubic.
    """
    if (sketch.degree, sketch.segments) == (degree, segments):
        return sketch.points.copy()
    t = np.linspace(0, 1, 16 * degree * max(segments, sketch.segments) + 1)
    there = sketch.evaluate(t).transpose(1, 0, 2)
    return fit_chain(there, t, degree, segments)[0]


def on_canvas(
    sketch: Sketch, frame: Frame, degree: int, segments: int, frozen: NDArray[np.bool_]
) -> Drawing:
    """One seed's drawing of a sketch whose canvas is laid into the photo's frame.

    Args:
        sketch: of any size; it keeps its proportions, as large as fits and in the frame's middle.
        frame: of the photo on its canvas.
        degree, segments: of the strokes wanted.
        frozen: `[strokes]`.
    """
    scaled = sketch.scaled(min(frame.width / sketch.size[0], frame.height / sketch.size[1]))
    width, height = scaled.size
    fitted = scaled.translated((frame.width - width) / 2, (frame.height - height) / 2)
    grey = np.ptp(fitted.colors, axis=1).max(initial=0.0) == 0
    return Drawing.make(
        frame.to_canvas(refitted(fitted, degree, segments))[None],
        degree,
        widths=fitted.widths[None] * frame.zoom,
        opacities=fitted.opacities[None],
        colors=fitted.colors[None, :, : 1 if grey else 3],
        frozen=frozen,
    )


@torch.no_grad()
def without_least_missed(
    drawing: Drawing, count: int, clean: Targets, size: int, chunk: int = 8
) -> Drawing:
    """Drop strokes of a one-seed drawing until `count` are left, the least missed one each time.

    Args:
        drawing: on the device of `clean`.
        count: strokes to keep.
        clean: the photo without transforms.
        size: of the canvas.

    Raises:
        ClipassoError: more strokes are frozen than may stay.
    """
    if int(drawing.frozen.sum()) > count:
        raise ClipassoError(
            f"--strokes {count}: {int(drawing.frozen.sum())} strokes are frozen; allow for more"
        )
    while drawing.points.shape[1] > count:
        total = drawing.points.shape[1]
        everyone = torch.arange(total, device=drawing.points.device)
        candidates = everyone[~drawing.frozen]
        losses = []
        for some in candidates.split(chunk):
            fewer = [drawing.strokes(everyone[everyone != k]).render(size) for k in some]
            losses.append(clean.loss(torch.cat(fewer)).total)
        least = candidates[torch.cat(losses).argmin()]
        drawing = drawing.strokes(everyone[everyone != least])
    return drawing
