"""From photo to sketch: photo -> saliency -> initial strokes -> optimisation -> best sketch."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from clipasso._version import __version__
from clipasso.borders import extended, frame_mask
from clipasso.drawing import Drawing
from clipasso.edges import xdog_edges
from clipasso.errors import ClipassoError
from clipasso.given import on_canvas, parse_frozen, read_init, without_least_missed
from clipasso.initialise import initial_strokes, sample_positions, stroke_distribution
from clipasso.masks import Mask, cut_out, make_mask
from clipasso.models import Models, load_models
from clipasso.objective import Objective, make_objective
from clipasso.optimise import Job, Outcome, Progress, optimise_together
from clipasso.photo import Fit, Photo, load_photo
from clipasso.result import SEED_STEP, Initialisation, Result
from clipasso.settings import Settings, make_settings
from clipasso.strokes import Sketch
from clipasso.targets import PhotoPool
from clipasso.zoom import zoomed

if TYPE_CHECKING:
    from PIL.Image import Image

    from clipasso.encoders.base import Encoder

__all__ = ["initialise", "sketch", "sketch_photo", "sketch_photos"]


def sketch(
    source: str | os.PathLike[str] | bytes | Image | NDArray[Any],
    *,
    preset: str = "default",
    encoder: str | Encoder | None = None,
    weights: str | Path | None = None,
    saliency_encoder: str | Encoder | None = None,
    saliency_weights: str | Path | None = None,
    init: str | os.PathLike[str] | Sketch | None = None,
    freeze: str = "",
    fit: Fit = "pad",
    mask: str | Path = "auto",
    mask_weights: str | Path | None = None,
    device: str = "auto",
    on_progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    **settings: Any,
) -> Result:
    """Turn a photo into a sketch.

    Args:
        source: a photo's path or bytes, a PIL image, or an array (`load_photo` says which).
        preset: `default`, `paper` or `draft`.
        encoder: a name for `load_encoder`, or an encoder that is loaded already.
        weights: a local checkpoint for a named encoder.
        saliency_encoder: places the first strokes; None is the paper's choice for the encoder.
        saliency_weights: a local checkpoint for a named one.
        init: `vit+xdog`, `vit` or `random` (section D.1), or a sketch to start from, or its SVG
            file: its strokes are kept, dropped or added to until there are `strokes` (as many as
            it has by default).
        freeze: which of them stay as they are: `all`, or numbers from 1 as in `1-4,7`.
        fit: how a photo that is not square meets the square canvas: `pad`, `crop` or `stretch`.
        mask: how the background is removed: `auto`, `alpha`, `u2net`, `grabcut`, `none` or a
            picture of the object's mask; see `make_mask`.
        mask_weights: a local U2-Net.
        device: `auto`, `cpu`, `cuda` or `mps`.
        on_progress: called at every evaluation.
        stop: set it, from another thread or a signal handler, to end early with the best so far.
        settings: fields of `Settings`: `strokes=16`, `seeds=3`, `width=3.0`, `seed=0` ...

    Raises:
        ClipassoError: a photo, setting, encoder or device that cannot be used.

    Example:
        >>> result = clipasso.sketch("cat.jpg", strokes=16)
        >>> result.sketch.save("cat.svg")
    """
    given, implied = read_init(init)
    chosen = {name: value for name, value in settings.items() if value is not None}
    made, preferred = make_settings(preset, **{**implied, **chosen})
    photo = load_photo(source, size=made.canvas, fit=fit)
    began = time.monotonic()
    models = load_models(
        made, encoder or preferred, weights, saliency_encoder, saliency_weights, device
    )
    found = make_mask(photo, str(mask), fit, None if mask_weights is None else Path(mask_weights))
    return sketch_photo(
        photo, models, made, mask=found, init=given, freeze=freeze,
        on_progress=on_progress, stop=stop, seconds={"load": time.monotonic() - began},
    )  # fmt: skip


def sketch_photo(
    photo: Photo,
    models: Models,
    settings: Settings,
    *,
    mask: Mask | None = None,
    init: Sketch | None = None,
    freeze: str = "",
    on_progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    seconds: dict[str, float] | None = None,
) -> Result:
    """`sketch` with everything loaded: what a batch of photos shares stays with the caller.

    Args:
        photo: on a canvas of `settings.canvas` pixels; the result's may be zoomed to its object.
        models: on the device to work on.
        mask: what `make_mask` found; None keeps the whole photo.
        init, freeze: as in `sketch`.
        seconds: time spent already, by stage.

    Raises:
        ClipassoError: settings that do not go together.
    """
    (result,) = sketch_photos(
        [photo], models, settings, masks=[mask], init=init, freeze=freeze,
        on_progress=on_progress, stop=stop, seconds=seconds,
    )  # fmt: skip
    if isinstance(result, ClipassoError):
        raise result
    return result


def sketch_photos(
    photos: Sequence[Photo],
    models: Models,
    settings: Settings,
    *,
    masks: Sequence[Mask | None] | None = None,
    init: Sketch | None = None,
    freeze: str = "",
    on_progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    seconds: dict[str, float] | None = None,
) -> list[Result | ClipassoError]:
    """Sketch several photos in one batch, each as `sketch_photo` would alone.

    It is for GPUs, where one large batch costs less than many small ones (not yet run on one); a
    CPU takes as long as for one photo after the other, and more memory.

    Args:
        photos: each on a canvas of `settings.canvas` pixels.
        masks: one for each photo, as in `sketch_photo`; None keeps all of them whole.
        on_progress: called at every evaluation for each photo still in work; `Progress.photo` says
            which of `photos` it is.
        stop: once set, every photo ends with its best so far.
        models, settings, init, freeze, seconds: as in `sketch_photo`.

    Returns:
        For each photo its result, or the error for which it has none; the others do not suffer.
    """
    made: list[_Prepared | ClipassoError] = []
    for photo, mask in zip(photos, masks or [None] * len(photos), strict=True):
        try:
            made.append(_prepare(photo, models, settings, mask, init, freeze, seconds or {}))
        except ClipassoError as error:
            made.append(error)
    good = [n for n, prepared in enumerate(made) if isinstance(prepared, _Prepared)]

    def told(progress: Progress) -> None:
        if on_progress is not None:
            on_progress(replace(progress, photo=good[progress.photo]))

    began = time.monotonic()
    jobs = [prepared.job for prepared in made if isinstance(prepared, _Prepared)]
    outcomes = iter(optimise_together(jobs, settings, told, stop) if jobs else [])
    spent = time.monotonic() - began
    return [
        p if isinstance(p, ClipassoError) else p.finish(models, next(outcomes), spent, len(jobs))
        for p in made
    ]


@dataclass(frozen=True, eq=False)
class _Prepared:
    """A photo whose first strokes are placed."""

    photo: Photo
    settings: Settings
    mask: Mask
    start: Initialisation
    job: Job
    notes: tuple[str, ...]
    seconds: dict[str, float]

    def finish(self, models: Models, outcome: Outcome, spent: float, together: int) -> Result:
        """What came of it, after so many seconds with so many photos."""
        photo, settings = self.photo, self.settings
        order = sorted(range(settings.seeds), key=outcome.losses.__getitem__)
        sketches = tuple(_to_sketch(k, outcome, photo, models.loss, settings) for k in order)
        return Result(
            sketch=sketches[0],
            sketches=sketches,
            photo=photo,
            settings=settings,
            initialisation=self.start,
            mask=self.mask,
            outcome=outcome,
            encoder=models.loss.description,
            precision=str(models.loss.precision).removeprefix("torch."),
            recipe=self.job.objective.recipe,
            device=str(models.device),
            seconds={**self.seconds, "optimise": spent},
            notes=(*self.notes, *outcome.notes),
            together=together,
        )


def _prepare(
    photo: Photo,
    models: Models,
    settings: Settings,
    mask: Mask | None,
    init: Sketch | None,
    freeze: str,
    seconds: dict[str, float],
) -> _Prepared:
    """Zoom to the object, cut it out, place its first strokes, and say what is to be minimised."""
    notes, began = list(photo.notes), time.monotonic()
    photo, mask = zoomed(photo, mask or Mask(None, "none"), settings.zoom)
    if settings.background_weight and mask.inside is None:
        notes.append(
            f"{photo.name}: no mask ({mask.source}), so the background weight does nothing"
        )
    inside = mask.inside if settings.background_weight else None
    seen = photo if inside is not None else cut_out(photo, mask)
    pixels = extended(seen) if settings.borders == "extend" else seen.pixels
    image = torch.tensor(pixels, device=models.device).permute(2, 0, 1)[None].contiguous()
    objective = make_objective(models.loss, settings, inside)
    given = None
    if init is not None:
        given = _given(init, freeze, photo, image, objective, settings)
        if len(init) >= settings.strokes and settings.seeds > 1:
            settings = replace(settings, seeds=1)
            notes.append(f"{photo.name}: one seed, since all strokes are given and none is drawn")
    elif freeze:
        raise ClipassoError("--freeze: needs strokes to keep; give them with --init SKETCH.svg")
    allowed = frame_mask(photo) if inside is None else frame_mask(photo) & inside
    start = initialise(pixels, allowed, image, models.saliency, settings, given)
    spent = {**seconds, "initialise": time.monotonic() - began}
    job = Job(start.drawing, image, objective)
    return _Prepared(photo, settings, mask, start, job, tuple(notes), spent)


def _given(
    init: Sketch, freeze: str, photo: Photo, image: torch.Tensor, objective: Objective,
    settings: Settings,
) -> Drawing:  # fmt: skip
    """The strokes to start from, not more than the settings ask for."""
    frozen = parse_frozen(freeze, len(init))
    if frozen.all() and len(init) >= settings.strokes:
        raise ClipassoError("--freeze: all strokes would stay as they are; ask for more --strokes")
    degree = settings.control_points - 1
    given = on_canvas(init, photo.frame, degree, settings.segments, frozen)
    if len(init) <= settings.strokes:
        return given
    clean = PhotoPool(image, objective, replace(settings, pool=0), torch.Generator()).clean
    few = without_least_missed(given.to(image.device), settings.strokes, clean, settings.canvas)
    return few.to("cpu")


def initialise(
    pixels: NDArray[np.float32],
    allowed: NDArray[np.bool_],
    image: torch.Tensor,
    encoder: Encoder,
    settings: Settings,
    given: Drawing | None = None,
) -> Initialisation:
    """Saliency x edges, sampled for each seed (section 3.3).

    Args:
        pixels: the photo on its canvas; image: the same as a tensor `[1, 3, canvas, canvas]`.
        allowed: `[canvas, canvas]` where strokes may start: not in the padding.
        encoder: makes the saliency.
        given: strokes that are there already, of one seed.
    """
    flat = np.ones(allowed.shape, np.float32)
    saliency, source = flat, "none"
    if settings.saliency != "none":
        saliency = encoder.saliency(image, settings.saliency).cpu().numpy()
        method = settings.saliency if settings.saliency != "auto" else encoder.saliency_methods[0]
        source = f"{encoder.description}, {method}"
    edges = xdog_edges(pixels) if settings.edges == "xdog" else flat
    saliency, edges = saliency * allowed, edges * allowed
    distribution = stroke_distribution(saliency, edges, temperature=settings.temperature)
    drawing = _first_strokes(distribution, settings, given)
    return Initialisation(pixels, saliency, edges, distribution, drawing, source)


def _first_strokes(
    distribution: NDArray[np.float64], settings: Settings, given: Drawing | None
) -> Drawing:
    """Strokes drawn for each seed, after those that are given."""
    degree = settings.control_points - 1
    count = settings.strokes - (0 if given is None else given.points.shape[1])
    taken = None
    if given is not None:
        taken = given.to_sketch((settings.canvas,) * 2).evaluate(np.linspace(0, 1, 5))
        taken = taken.reshape(-1, 2)
    points, colors = [], []
    for k in range(settings.seeds):
        rng = np.random.default_rng(settings.seed + SEED_STEP * k)
        starts = sample_positions(distribution, count, rng, spread=settings.spread, taken=taken)
        walk = initial_strokes(starts, settings.points_per_stroke, settings.canvas, rng)
        points.append(walk)
        colors.append(rng.random((count, 3)) if settings.ink == "random" else np.zeros((count, 1)))
    width = settings.width * settings.canvas / 224
    new = Drawing.make(np.stack(points), degree, widths=width, colors=np.stack(colors))
    return new if given is None else given.beside(new)


def _to_sketch(
    k: int, outcome: Outcome, photo: Photo, encoder: Encoder, settings: Settings
) -> Sketch:
    """One seed's strokes in the photo's frame, with where they come from."""
    frame = photo.frame
    found = outcome.drawing.only(k).to_sketch((frame.width, frame.height), frame)
    about = {
        "title": f"Sketch of {photo.name}" if photo.name else settings.text,
        **({"photo": photo.name} if photo.name else {}),
        "encoder": encoder.description,
        "strokes": str(settings.strokes),
        "seed": str(settings.seed + SEED_STEP * k),
        "loss": f"{outcome.losses[k]:.6g}",
        "steps": str(outcome.steps),
        "version": f"clipasso {__version__}",
    }
    if frame.zoom != 1:
        about["zoom"] = f"{frame.zoom:.3g}"
    if settings.text:
        about["text"] = settings.text
    return found.with_metadata(**about)
