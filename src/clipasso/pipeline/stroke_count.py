"""How many strokes a photo needs: `--strokes auto`.

A quick ladder goes down from the most strokes to one; its losses say how much of the photo is told
by how few of them. What the most tell is the measure, so that a simple object, of which little more
can be told after some strokes, needs fewer than one with many parts.
"""

from __future__ import annotations

import io
import itertools
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from clipasso.optimise.encoded_photo import PhotoPool, Targets
from clipasso.optimise.loop import optimise_together
from clipasso.pipeline.prepare import prepare

if TYPE_CHECKING:
    from clipasso.optimise.strokes import Drawing
    from clipasso.photo.canvas import Photo
    from clipasso.photo.masks import Mask
    from clipasso.pipeline.models import Models
    from clipasso.settings import Settings

__all__ = ["StrokeCount", "count_strokes", "curve_picture", "fewest", "levels_below"]

_FIRST, _EACH = 60, 15  # steps of the top level and of every other, at most
_PARTS = 6  # a level's steps are at most this part of those that the sketch will have
_GENTLE = 0.5  # of the rate: strokes of the level above are near their places
_STEP = 0.63  # each level has about so many of the strokes of the one above
_TOGETHER = 6  # drawings that are encoded in one call


@dataclass(frozen=True)
class StrokeCount:
    """How many strokes were chosen, and why.

    Attributes:
        strokes: as many.
        fidelity: the part of what the most strokes tell that was asked for, 0..1.
        blank: the loss of white paper.
        curve: (strokes, loss), from the most to one.
        steps: gradient steps that finding out took, of one image each.
        looks: images that it drew and encoded besides.
        seconds: it took.
    """

    strokes: int
    fidelity: float
    blank: float
    curve: tuple[tuple[int, float], ...]
    steps: int
    looks: int
    seconds: float

    def in_words(self) -> str:
        """`they tell 80 % of what 32 do`."""
        return f"they tell {100 * self.fidelity:g} % of what {self.curve[0][0]} do"

    def as_dict(self) -> dict[str, Any]:
        """Plain values for a report."""
        return {
            "strokes": self.strokes, "fidelity": self.fidelity, "blank": self.blank,
            "curve": [{"strokes": n, "loss": loss} for n, loss in self.curve],
            "steps": self.steps, "looks": self.looks,
        }  # fmt: skip


def count_strokes(
    photo: Photo,
    mask: Mask,
    models: Models,
    settings: Settings,
    stop: threading.Event | None = None,
) -> StrokeCount:
    """The fewest strokes that tell as much of a photo as `settings.fidelity` asks for.

    Args:
        photo, mask: zoomed to the object, if they are to be.
        models: as for `sketch_photo`.
        settings: of these `strokes` is the most, and the first seed is tried.
        stop: once set, what is known by then decides.

    Raises:
        ClipassoError: settings that do not go together, or a photo with nothing to draw.
    """
    assert settings.fidelity is not None
    began = time.monotonic()
    own = replace(
        settings, segments=settings.segments_each, seeds=1, augmentations=0, pool=0, prefixes=False,
        faces="none", tolerance=0.0,
    )  # fmt: skip
    job = prepare(photo, models, own, mask, None, "", {}).job
    clean = PhotoPool(job.photo, job.objective, own, torch.Generator()).clean
    blank = float(clean.loss(torch.ones_like(job.photo[:, :1])).total)
    curve: list[tuple[int, float]] = []
    drawing, steps, seen = job.initial, 0, 2
    for count in levels_below(settings.strokes):
        if curve:
            if stop is not None and stop.is_set():
                break
            seen += drawing.points.shape[1]
            drawing = _most_missed(drawing.to(job.photo.device), count, clean, own.canvas).to("cpu")
        most = max(1, settings.iterations // _PARTS)
        taken = min(most, _EACH if curve else _FIRST)
        rate = own.learning_rate * (_GENTLE if curve else 1.0)
        level = replace(
            own, strokes=count, iterations=taken, evaluate_every=taken, learning_rate=rate
        )
        (out,) = optimise_together([replace(job, initial=drawing)], level, stop=stop)
        drawing = out.drawing
        steps, seen = steps + out.steps, seen + len(out.curve)
        curve.append((count, out.losses[0]))
    found = fewest(curve, blank, settings.fidelity)
    spent = time.monotonic() - began
    return StrokeCount(found, settings.fidelity, blank, tuple(curve), steps, seen, spent)


def levels_below(most: int) -> list[int]:
    """Numbers of strokes that are tried, from the most to one."""
    levels = [most]
    while levels[-1] > 1:
        levels.append(min(levels[-1] - 1, round(levels[-1] * _STEP)))
    return levels


def told(curve: Sequence[tuple[int, float]], blank: float) -> list[tuple[int, float]]:
    """How much so many strokes tell, as a part of what the most do, from one to the most.

    More strokes can always tell what fewer do, whatever a quick run made of them.
    """
    rising = sorted(curve)
    lowest = list(itertools.accumulate((loss for _, loss in rising), min))
    whole = max(blank - lowest[-1], 1e-9)
    return [(n, (blank - loss) / whole) for (n, _), loss in zip(rising, lowest, strict=True)]


def fewest(curve: Sequence[tuple[int, float]], blank: float, fidelity: float) -> int:
    """The fewest strokes that tell this part of what the most do.

    Between the levels that were tried the loss is taken to fall with the logarithm of the number.

    Args:
        curve: (strokes, loss).
        blank: the loss of white paper.
        fidelity: 0..1.
    """
    counts, parts = zip(*told(curve, blank), strict=True)
    every = np.arange(counts[0], counts[-1] + 1)
    between = np.interp(np.log(every), np.log(counts), parts)
    enough = every[between >= fidelity - 1e-9]
    return int(enough[0]) if len(enough) else int(counts[-1])


@torch.no_grad()
def _most_missed(drawing: Drawing, count: int, clean: Targets, size: int) -> Drawing:
    """The strokes that are missed most when each is left out, all looked at once."""
    everyone = torch.arange(drawing.points.shape[1], device=drawing.points.device)
    losses = []
    for some in everyone.split(_TOGETHER):
        fewer = [drawing.strokes(everyone[everyone != k]).render(size) for k in some]
        losses.append(clean.loss(torch.cat(fewer)).total)
    kept = torch.cat(losses).argsort(descending=True, stable=True)[:count]
    return drawing.strokes(kept.sort().values)


def curve_picture(found: StrokeCount) -> Image.Image:
    """The curve: how much so many strokes tell, and which number was chosen."""
    from matplotlib.figure import Figure

    counts, parts = zip(*told(found.curve, found.blank), strict=True)
    page = Figure(figsize=(6, 4), dpi=112, layout="constrained")
    axes = page.add_subplot()
    axes.plot(counts, [100 * part for part in parts], "o-", color="black", markersize=4)
    axes.axhline(100 * found.fidelity, color="#e02020", linewidth=1, linestyle="--")
    axes.axvline(found.strokes, color="#e02020", linewidth=1)
    axes.set(
        xlabel="strokes", ylabel=f"told of what {counts[-1]} strokes tell, %", xlim=(0, None),
        ylim=(min(0.0, 100 * parts[0]), 103), title=f"{found.strokes} strokes",
    )  # fmt: skip
    axes.grid(alpha=0.3)
    buffer = io.BytesIO()
    page.savefig(buffer, format="png")
    return Image.open(buffer).convert("RGB")
