"""A ladder: one photo with fewer and fewer strokes, each level made from the one above it.

Sketches of 32 and of 8 strokes that are optimised apart have nothing in common. Here each level
keeps the strokes of the one above that are missed most and lets them find their places anew, so
that the levels belong together, as the states of Picasso's bull do. The paper's remark on Muhammad
et al. is that removing strokes without rearranging the others fails; `remove` shows that.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import torch
from PIL import Image

from clipasso.errors import ClipassoError
from clipasso.optimise.encoded_photo import PhotoPool
from clipasso.optimise.objective import make_recipe
from clipasso.photo.canvas import Fit, Photo, load_photo
from clipasso.photo.masks import Mask, make_mask
from clipasso.photo.picture_frame import without_frame
from clipasso.photo.zoom import zoomed
from clipasso.pipeline.models import Models, load_models
from clipasso.pipeline.prepare import prepare
from clipasso.pipeline.sketch import sketch_photo
from clipasso.settings import Settings, make_settings
from clipasso.start.linking import linked
from clipasso.vector.join import join
from clipasso.vector.render import render_image
from clipasso.vector.sketch import Sketch
from clipasso.vector.svg import write_svg

if TYPE_CHECKING:
    from clipasso.encoders.base import Encoder
    from clipasso.optimise.encoded_photo import Targets
    from clipasso.optimise.job import Job
    from clipasso.optimise.loop import Progress
    from clipasso.pipeline.preview import Preview

__all__ = [
    "Method", "Rung", "climb_down", "gentle", "ladder", "layered", "parse_levels", "side_by_side",
]  # fmt: skip

Method = Literal["rearrange", "remove", "independent"]

_PART = 3  # a level takes a third of the first one's steps,
_GENTLE = 0.5  # at half its rate: strokes are near their places already


@dataclass(frozen=True, eq=False)
class Rung:
    """One level of a ladder.

    Attributes:
        strokes: how many it has.
        sketch: in the photo's frame.
        loss: on the clean photo, comparable between levels and methods.
        steps: gradient steps that were taken for it, of all its seeds.
        seconds: it took.
    """

    strokes: int
    sketch: Sketch
    loss: float
    steps: int
    seconds: float


def ladder(
    source: Any,
    strokes: Sequence[int] = (32, 16, 8, 4),
    *,
    method: Method = "rearrange",
    preset: str = "default",
    encoder: str | Encoder | None = None,
    weights: str | Path | None = None,
    fit: Fit = "pad",
    mask: str | os.PathLike[str] = "auto",
    above: Sketch | None = None,
    device: str = "auto",
    on_rung: Callable[[Rung], None] | None = None,
    stop: threading.Event | None = None,
    **settings: Any,
) -> list[Rung]:
    """Sketch a photo with fewer and fewer strokes.

    Args:
        source: a photo, as for `clipasso.sketch`.
        strokes: how many, from the most to the fewest.
        method, above: as for `climb_down`.
        preset, encoder, weights, fit, mask, device: as for `clipasso.sketch`.
        on_rung: called with each level as it is done.
        stop: once set, the level in work ends with its best so far, and no other begins.
        settings: fields of `Settings`, of the first level.

    Raises:
        ClipassoError: levels that do not go down, or what `clipasso.sketch` raises.

    Example:
        >>> for rung in clipasso.ladder("horse.png", [32, 16, 8]):
        ...     rung.sketch.save(f"horse-{rung.strokes}.svg")
    """
    levels = _checked(strokes)
    made, preferred = make_settings(preset, **{**settings, "strokes": levels[0]})
    photo = without_frame(load_photo(source, size=made.canvas, fit=fit), made.frame)
    models = load_models(made, encoder or preferred, weights, device=device)
    found = make_mask(photo, os.fspath(mask), fit)
    return climb_down(
        photo, models, made, levels, method=method, mask=found, above=above, on_rung=on_rung,
        stop=stop,
    )  # fmt: skip


def climb_down(
    photo: Photo,
    models: Models,
    settings: Settings,
    levels: Sequence[int],
    *,
    method: Method = "rearrange",
    mask: Mask | None = None,
    top: Rung | None = None,
    above: Sketch | None = None,
    on_rung: Callable[[Rung], None] | None = None,
    on_progress: Callable[[int, Progress], None] | None = None,
    on_preview: Callable[[Preview], None] | None = None,
    stop: threading.Event | None = None,
) -> list[Rung]:
    """`ladder` with everything loaded.

    Args:
        photo, models, mask: as for `sketch_photo`.
        settings: of the first level, but for its number of strokes. Faces are drawn like the rest,
            since strokes of their own could not be taken from level to level.
        levels: numbers of strokes, going down.
        method: `rearrange` drops strokes, the least missed one each time, and optimises the others
            anew for a third of the steps; `remove` only drops them; `independent` sketches every
            level from scratch.
        top: the first level, if it is made already, as of another method.
        above: a sketch of the photo that the first level is made from too, of more strokes.
        on_progress: called at every evaluation with the level's place and the loop's progress.
        on_preview: as for `sketch_photo`, with the strokes of the level in work.
        on_rung, stop: as for `ladder`.

    Raises:
        ClipassoError: settings that do not go together.
    """
    levels = _checked(levels)
    if above is not None:
        _checked([len(above), *levels])
        settings = replace(settings, control_points=above.degree + 1)
    if method not in get_args(Method):
        raise ClipassoError(f"ladder: {method}: choose one of {', '.join(get_args(Method))}")
    rate = make_recipe(models.loss, settings).width_rate  # at every level, given strokes or not
    settings = replace(settings, faces="none", fidelity=None, width_rate=rate)
    rungs: list[Rung] = [] if top is None else [top]
    for place, count in list(enumerate(levels))[len(rungs) :]:
        if rungs and stop is not None and stop.is_set():
            break
        began, above = time.monotonic(), rungs[-1].sketch if rungs else above
        if method == "independent":
            above = None
        own = replace(settings, strokes=count)
        if above is not None:
            chain = above.segments * max(1, own.segments_each // above.segments)  # none is moved
            own = replace(gentle(own), segments=chain)
        if above is not None and method == "remove":
            sketch, loss, taken = *_removed(photo, mask, models, own, above), 0
        else:

            def told(progress: Progress, place: int = place) -> None:
                if on_progress is not None:
                    on_progress(place, progress)

            if above is not None:
                above = _fewer(photo, mask, models, own, above)
            result = sketch_photo(
                photo, models, own, mask=mask, init=above, on_progress=told,
                on_preview=on_preview, stop=stop,
            )  # fmt: skip
            sketch, out = result.sketch, result.outcome
            loss, taken = out.losses[out.winner], _steps(out.curve)
        rung = Rung(count, sketch, loss, taken, time.monotonic() - began)
        rungs.append(rung)
        if on_rung is not None:
            on_rung(rung)
    return rungs


def gentle(settings: Settings) -> Settings:
    """The same for strokes that are near their places already: fewer steps, and smaller ones."""
    steps = max(1, settings.iterations // _PART)
    rate = _GENTLE * settings.learning_rate
    return replace(settings, seeds=1, iterations=steps, learning_rate=rate)


def parse_levels(text: str) -> tuple[int, ...]:
    """`32,16,8,4` as numbers.

    Raises:
        ClipassoError: not understood, or not going down.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and len(part) < 6 for part in parts):
        raise ClipassoError(f"--strokes {text}: give numbers of strokes, as in 32,16,8,4")
    return _checked([int(part) for part in parts])


def _checked(levels: Sequence[int]) -> tuple[int, ...]:
    pairs = itertools.pairwise(levels)
    if not levels or min(levels) < 1 or any(low >= high for high, low in pairs):
        told = ",".join(map(str, levels))
        raise ClipassoError(f"--strokes {told}: a ladder goes down, as in 32,16,8,4")
    return tuple(levels)


def _steps(curve: Sequence[tuple[int, tuple[float, ...]]]) -> int:
    """Steps of all seeds: a seed that stopped shows the same loss from then on."""
    total = 0
    for (first, before), (last, after) in itertools.pairwise(curve):
        moving = sum(x != y for x, y in zip(before, after, strict=True))
        total += moving * (last - first)
    return total


@torch.no_grad()
def _removed(
    photo: Photo, mask: Mask | None, models: Models, settings: Settings, above: Sketch
) -> tuple[Sketch, float]:
    """The strokes that are missed most, where they are, and their loss."""
    job, near, clean = _compared(photo, mask, models, settings, above)
    drawing = job.initial.only(0)
    loss = clean.loss(drawing.to(job.photo.device).render(settings.canvas)).total.item()
    frame = near.frame
    return drawing.to_sketch((frame.width, frame.height), frame), loss


def _fewer(
    photo: Photo, mask: Mask | None, models: Models, settings: Settings, above: Sketch
) -> Sketch:
    """As many strokes as the settings have, linked and dropped."""
    all_there = replace(settings, strokes=len(above), segments=above.segments)
    job, near, clean = _compared(photo, mask, models, all_there, above)
    drawing = job.initial.only(0).to(job.photo.device)
    few = linked(drawing, settings.strokes, settings.segments_each, clean, settings.canvas)
    return few.to_sketch((near.frame.width, near.frame.height), near.frame)


def _compared(
    photo: Photo, mask: Mask | None, models: Models, settings: Settings, above: Sketch
) -> tuple[Job, Photo, Targets]:
    """A job that starts from a sketch, its photo as zoomed, and what to compare with."""
    near, inside = zoomed(photo, mask or Mask(None, "none"), settings.zoom)
    job = prepare(near, models, settings, inside, above, "", {}).job
    still = replace(settings, pool=0)
    return job, near, PhotoPool(job.photo, job.objective, still, torch.Generator()).clean


def layered(rungs: Sequence[Rung]) -> str:
    """One SVG with a layer for each level, as Inkscape shows them; the first is on top."""
    below = list(reversed(rungs))
    whole = join([rung.sketch for rung in below], rungs[0].sketch.metadata)
    return write_svg(whole, [(f"{rung.strokes} strokes", rung.strokes) for rung in below])


def side_by_side(rungs: Sequence[Rung], side: int = 512) -> Image.Image:
    """All levels in a row, the longer side of each so many pixels."""
    pictures = [render_image(rung.sketch, side) for rung in rungs]
    width, height = pictures[0].size
    sheet = Image.new("RGB", (len(pictures) * width, height), "white")
    for k, picture in enumerate(pictures):
        sheet.paste(picture, (k * width, 0))
    return sheet
