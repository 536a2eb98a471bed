"""`clipasso sketch`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clipasso.cli import options as opt
from clipasso.cli.work import Outlet, run_shown, say
from clipasso.errors import ClipassoError

if TYPE_CHECKING:
    from clipasso.masks import Mask
    from clipasso.models import Models
    from clipasso.photo import Photo
    from clipasso.result import Result
    from clipasso.settings import Settings
    from clipasso.strokes import Sketch

_ON_CUDA = 8  # photos in one batch where none are asked for; not yet measured
_MOST = 1000


def command(
    ctx: typer.Context,
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTO...", help="Photos to sketch.")],
    output: opt.Output = Path("sketches"),
    strokes: opt.Strokes = None,
    control_points: opt.ControlPoints = None,
    segments: opt.Segments = None,
    width: opt.Width = None,
    width_rate: opt.WidthRate = None,
    opacity_rate: opt.OpacityRate = None,
    color_rate: opt.ColorRate = None,
    encoder: opt.Encoder = None,
    weights: opt.Weights = None,
    loss: opt.Loss = None,
    layers: opt.Layers = None,
    semantic_weight: opt.SemanticWeight = None,
    distance: opt.Distance = None,
    text: opt.Text = None,
    text_weight: opt.TextWeight = None,
    preset: opt.Preset = "default",
    seeds: opt.Seeds = None,
    seed: opt.Seed = None,
    iterations: opt.Iterations = None,
    learning_rate: opt.LearningRate = None,
    augmentations: opt.Augmentations = None,
    precision: opt.Precision = None,
    device: opt.Device = "auto",
    together: opt.Together = None,
    init: opt.Init = None,
    freeze: opt.Freeze = "",
    saliency: opt.Saliency = None,
    saliency_encoder: opt.SaliencyEncoder = None,
    saliency_weights: opt.SaliencyWeights = None,
    edges: opt.Edges = None,
    temperature: opt.Temperature = None,
    start: opt.Start = None,
    mask: opt.Mask = "auto",
    mask_weights: opt.MaskWeights = None,
    background_weight: opt.BackgroundWeight = None,
    lighten: opt.Lighten = None,
    zoom: opt.Zoom = None,
    fit: opt.Fit = "pad",
    all_seeds: opt.AllSeeds = False,
    debug: opt.Debug = False,
    force: opt.Force = False,
    quiet: opt.Quiet = False,
    as_json: opt.AsJson = False,
) -> int:
    """Turn photos into sketches of a few strokes.

    For each photo writes NAME.svg, NAME.png (1024 pixels) and NAME.json (settings, losses, times).
    Ctrl-C ends early and keeps the best sketch so far.

    Examples:

      clipasso sketch cat.jpg

      clipasso sketch horse.png flamingo.png -o out --strokes 8

      clipasso sketch cat.jpg --preset paper --weights RN101.pt

      clipasso sketch cat.jpg --init mine.svg --freeze all --strokes 12
    """
    from clipasso.given import read_init
    from clipasso.models import load_models
    from clipasso.settings import make_settings

    if together is not None and not 1 <= together <= _MOST:
        raise ClipassoError(f"--together {together}: must be from 1 to {_MOST}")
    given, implied, notes = read_init(init)
    for note in notes:
        say(note)
    settings, preferred = make_settings(preset, **{**implied, **opt.chosen_settings(ctx.params)})
    outlet = Outlet(output, settings.seeds, all_seeds, debug, force, quiet, as_json)
    jobs = outlet.plan(photos)
    asked = encoder or preferred
    models = load_models(settings, asked, weights, saliency_encoder, saliency_weights, device)
    if models.note:
        say(models.note)
    if together is None:
        together = _ON_CUDA if models.device.type == "cuda" else 1
    said = set(notes)
    good = True
    for first in range(0, len(jobs), together):
        some = jobs[first : first + together]
        loaded = list(_load(some, settings.canvas, fit, mask, mask_weights))
        results = (
            _sketch(loaded, models, settings, given, freeze, notes, outlet.silent) if loaded else []
        )
        written = [
            _write(outlet, photo, stem, result, said)
            for (photo, _, stem), result in zip(loaded, results, strict=True)
        ]
        good = good and len(loaded) == len(some) and all(written)
        if any(_interrupted(result) for result in results):
            return 130
    return 0 if good else 2


def _load(
    jobs: list[tuple[Path, str]], canvas: int, fit: Any, mask: str, mask_weights: Path | None
) -> Iterator[tuple[Photo, Mask, str]]:
    """Those photos that can be read, with their masks and stems; says what is wrong with others."""
    from clipasso.masks import make_mask
    from clipasso.photo import load_photo

    for path, stem in jobs:
        try:
            photo = load_photo(path, size=canvas, fit=fit)
            for note in photo.notes:
                say(note)
            yield photo, make_mask(photo, mask, fit, mask_weights), stem
        except ClipassoError as error:  # the other photos must not suffer
            say(str(error))


def _sketch(
    loaded: list[tuple[Photo, Mask, str]],
    models: Models,
    settings: Settings,
    given: Sketch | None,
    freeze: str,
    notes: tuple[str, ...],
    silent: bool,
) -> list[Result | ClipassoError]:
    """Sketch photos together behind one progress bar."""
    from clipasso.pipeline import sketch_photos

    photos = [photo for photo, _, _ in loaded]
    name = photos[0].name if len(photos) == 1 else f"{len(photos)} photos"
    return run_shown(
        name,
        silent,
        lambda on_progress, stop: sketch_photos(
            photos, models, settings, masks=[found for _, found, _ in loaded], init=given,
            freeze=freeze, notes=notes, on_progress=on_progress, stop=stop,
        ),
    )  # fmt: skip


def _write(
    outlet: Outlet, photo: Photo, stem: str, result: Result | ClipassoError, said: set[str]
) -> bool:
    """Write a result and say its notes, or its error; whether it is written.

    Args:
        said: notes that were said already, since some hold for every photo; grows.
    """
    try:
        if isinstance(result, ClipassoError):
            raise result
        for note in result.notes[len(photo.notes) :]:
            if note not in said:
                say(note)
            said.add(note)
        outlet.write(result, stem)
    except ClipassoError as error:
        say(str(error))
        return False
    return True


def _interrupted(result: Result | ClipassoError) -> bool:
    return not isinstance(result, ClipassoError) and result.outcome.stopped == "interrupted"
