"""`clipasso sketch`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clipasso.cli import options as opt
from clipasso.cli.work import Outlet, run_shown, say
from clipasso.errors import ClipassoError

if TYPE_CHECKING:
    from clipasso.models import Models
    from clipasso.result import Result
    from clipasso.settings import Settings
    from clipasso.strokes import Sketch


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
    init: opt.Init = None,
    freeze: opt.Freeze = "",
    saliency: opt.Saliency = None,
    saliency_encoder: opt.SaliencyEncoder = None,
    saliency_weights: opt.SaliencyWeights = None,
    edges: opt.Edges = None,
    temperature: opt.Temperature = None,
    mask: opt.Mask = "auto",
    mask_weights: opt.MaskWeights = None,
    background_weight: opt.BackgroundWeight = None,
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

    given, implied = read_init(init)
    settings, preferred = make_settings(preset, **{**implied, **opt.chosen_settings(ctx.params)})
    outlet = Outlet(output, settings.seeds, all_seeds, debug, force, quiet, as_json)
    jobs = outlet.plan(photos)
    asked = encoder or preferred
    models = load_models(settings, asked, weights, saliency_encoder, saliency_weights, device)
    if models.note:
        say(models.note)
    status = 0
    for photo, stem in jobs:
        try:
            result = _sketch_one(
                photo, models, settings, given, freeze, fit, mask, mask_weights, outlet.silent
            )
            outlet.write(result, stem)
        except ClipassoError as error:  # the other photos must not suffer
            say(str(error))
            status = 2
            continue
        if result.outcome.stopped == "interrupted":
            return 130
    return status


def _sketch_one(
    path: Path,
    models: Models,
    settings: Settings,
    given: Sketch | None,
    freeze: str,
    fit: Any,
    mask: str,
    mask_weights: Path | None,
    silent: bool,
) -> Result:
    from clipasso.masks import make_mask
    from clipasso.photo import load_photo
    from clipasso.pipeline import sketch_photo

    photo = load_photo(path, size=settings.canvas, fit=fit)
    for note in photo.notes:
        say(note)
    found = make_mask(photo, mask, fit, mask_weights)
    result = run_shown(
        photo.name,
        silent,
        lambda on_progress, stop: sketch_photo(
            photo, models, settings, mask=found, init=given, freeze=freeze,
            on_progress=on_progress, stop=stop,
        ),
    )  # fmt: skip
    for note in result.notes[len(photo.notes) :]:
        say(note)
    return result
