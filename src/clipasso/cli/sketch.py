"""`clipasso sketch`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clipasso.cli import options as opt
from clipasso.cli.checkpoint import CheckpointFile
from clipasso.cli.console import say
from clipasso.cli.duration import Clock
from clipasso.cli.forecast import Forecast, where
from clipasso.cli.outlet import Job, Outlet
from clipasso.cli.photos import expanded, load_masked
from clipasso.cli.preview import PreviewFile
from clipasso.cli.progress import run_shown
from clipasso.cli.record import Record
from clipasso.cli.side_by_side import Sketcher, choose_workers, sketch_side_by_side
from clipasso.cli.stdio import STANDARD, once, read_standard
from clipasso.cli.stopping import Stopping
from clipasso.errors import ClipassoError

if TYPE_CHECKING:
    from clipasso.optimise.limit import Limit
    from clipasso.photo.canvas import Photo
    from clipasso.photo.masks import Mask
    from clipasso.pipeline.checkpoint import Checkpoints
    from clipasso.pipeline.models import Models
    from clipasso.pipeline.preview import Preview
    from clipasso.pipeline.result import Result
    from clipasso.settings import Settings
    from clipasso.vector.sketch import Sketch

__all__ = ["command", "forecast_of"]

_ON_CUDA = 8  # photos in one batch where none are asked for; not yet measured
_MOST = 1000


@opt.with_settings()
def command(
    context: typer.Context,
    photos: Annotated[
        list[Path],
        typer.Argument(
            metavar="PHOTO...", help="Photos to sketch, folders of photos, or - for standard input."
        ),
    ],
    output: opt.OutputOrStdout = Path("sketches"),
    encoder: opt.Encoder = None,
    weights: opt.Weights = None,
    preset: opt.Preset = "default",
    device: opt.Device = "auto",
    time_limit: opt.TimeLimit = None,
    together: opt.Together = None,
    workers: opt.Workers = "auto",
    init: opt.Init = None,
    freeze: opt.Freeze = "",
    saliency_encoder: opt.SaliencyEncoder = None,
    saliency_weights: opt.SaliencyWeights = None,
    mask: opt.Mask = "auto",
    mask_weights: opt.MaskWeights = None,
    fit: opt.Fit = "pad",
    all_seeds: opt.AllSeeds = False,
    debug: opt.Debug = False,
    force: opt.Force = False,
    skip_existing: opt.SkipExisting = False,
    preview: opt.Preview = None,
    record: opt.Record = None,
    checkpoint: opt.Checkpoint = None,
    checkpoint_every: opt.CheckpointEvery = None,
    resume: opt.Resume = None,
    quiet: opt.Quiet = False,
    as_json: opt.AsJson = False,
    **chosen: Any,
) -> int:
    """Turn photos into sketches of a few strokes.

    For each photo writes NAME.svg, NAME.png (1024 pixels) and NAME.json (settings, losses, times);
    in the photo's own folder NAME-sketch.svg and so on. Ctrl-C and SIGTERM end early and keep the
    best sketch so far.

    Examples:

      clipasso sketch cat.jpg

      clipasso sketch horse.png flamingo.png -o out --strokes 8

      clipasso sketch photos -o out --skip-existing

      clipasso sketch cat.jpg --strokes auto --fidelity fine

      clipasso sketch cat.jpg --time 10s --preview growing.svg

      clipasso sketch cat.jpg --record cat.gif

      clipasso sketch cat.jpg --preset paper --checkpoint cat.state

      clipasso sketch cat.jpg --preset paper --weights RN101.pt

      clipasso sketch cat.jpg --init mine.svg --freeze all --strokes 12

      clipasso sketch - -o - < cat.jpg > cat.svg
    """
    from clipasso.settings import make_settings

    if together is not None and not 1 <= together <= _MOST:
        raise ClipassoError(f"--together {together}: must be from 1 to {_MOST}")
    once(*photos, init, mask)
    mask_given: str | bytes = read_standard() if mask == str(STANDARD) else mask
    given, implied, notes = _read_init(init)
    for note in notes:
        say(note)
    settings, preferred = make_settings(
        preset, **{**implied, **{k: v for k, v in chosen.items() if v is not None}}
    )
    kept = CheckpointFile(checkpoint, checkpoint_every, resume, force, settings)
    recording = None if record is None else Record(record, force)
    writing = 0.0 if recording is None else recording.seconds
    clock = None if time_limit is None else Clock(
        time_limit, context.obj, settings, chosen, writing
    )  # fmt: skip
    outlet = Outlet(
        output, settings.seeds, all_seeds, debug, force, skip_existing, quiet, as_json, recording,
        settings.fidelity is not None,
    )  # fmt: skip
    files = [weights, saliency_weights, mask_weights, Path(mask), Path(init) if init else None]
    files += [resume] if checkpoint is None else []
    found = expanded(photos, quiet)
    shown = None if preview is None else PreviewFile(preview, force, [*found, *files])
    jobs = outlet.plan(found, files)
    alone = "--preview" if shown is not None else "--time" if clock is not None else ""
    alone = kept.see(len(jobs), clock is not None) or alone
    count = choose_workers(workers, len(jobs), settings, together, device, alone)
    if not jobs:
        return 0
    good = True
    with ExitStack() as whole, outlet.at_work(len(jobs)) as stopping:
        results = [path for job in jobs for path in outlet.files(job.stem)]
        results = [] if outlet.to_stdout else results
        if recording is not None:
            stems = [job.stem for job in jobs]
            recording.plan(stems, [*results, *([preview] if preview else [])], [*found, *files])
        if shown is not None:
            shown.plan(results)
            whole.enter_context(shown.at_work())
        others = [*results, *([preview] if preview else [])]
        whole.enter_context(kept.at_work(others, [*found, *files]))
        if count > 1:
            sketcher = Sketcher(
                settings, encoder or preferred, weights, saliency_encoder, saliency_weights, fit,
                mask_given, mask_weights, given, freeze, notes, outlet,
            )  # fmt: skip
            return sketch_side_by_side(
                sketcher, jobs, count, stopping,
                lambda name: forecast_of(settings, name, "cpu", len(jobs), quiet),
            )  # fmt: skip
        from clipasso.pipeline.models import load_models  # torch, while kernels are compiled

        models = load_models(
            settings, encoder or preferred, weights, saliency_encoder, saliency_weights, device
        )
        if models.note:
            say(models.note)
        batch = together or (_ON_CUDA if models.device.type == "cuda" else 1)
        batch = 1 if settings.fidelity is not None else batch  # each has its own number of strokes
        silent = quiet or clock is not None
        forecast = forecast_of(settings, models.loss.name, models.device, len(jobs), silent)
        times = -(-len(jobs) // batch)
        said = set(notes)
        for first in range(0, len(jobs), batch):
            some = jobs[first : first + batch]
            limit = None if clock is None else clock.limit(first, batch, len(jobs))
            with ExitStack() as held:
                loaded = _load(some, outlet, held, settings, fit, mask_given, mask_weights)
                made = _sketch(
                    loaded, models, settings, given, freeze, notes, outlet, stopping, forecast,
                    times, None if shown is None else shown.show, limit,
                    kept.checkpoints,
                )  # fmt: skip
                written = [
                    _write(outlet, photo, stem, result, said)
                    for (photo, _, stem), result in zip(loaded, made, strict=True)
                ]
            good = good and len(loaded) == len(some) and all(written)
            kept.end(made[0] if made and all(written) else None)
            if stopping.event.is_set():
                if first + batch < len(jobs):
                    outlet.say_stopped(len(jobs))
                return stopping.status
            stopping.keeping = False
    return 0 if good and not outlet.unrecorded else 2


def _read_init(init: str | None) -> tuple[Sketch | None, dict[str, Any], tuple[str, ...]]:
    if init is None:  # before torch is loaded, which workers do for themselves
        return None, {}, ()
    from clipasso.start.from_sketch import read_init

    if init != str(STANDARD):
        return read_init(init)
    from clipasso.vector.sketch import read_sketch

    drawing, skipped = read_sketch(read_standard(), "standard input")
    given, implied, _ = read_init(drawing)
    return given, implied, tuple(f"standard input: not kept: {line}" for line in skipped)


def _load(
    jobs: list[Job], outlet: Outlet, held: ExitStack, settings: Settings, fit: Any,
    mask: str | bytes, mask_weights: Path | None,
) -> list[tuple[Photo, Mask, str]]:  # fmt: skip
    """Those photos that can be read, with their masks and stems; says what is wrong with others."""
    loaded = []
    for job in jobs:
        try:
            outlet.claim(job, held)
            seen = load_masked(job.photo, settings, fit, mask, mask_weights, say)
            loaded.append((*seen, job.stem))
        except ClipassoError as error:  # the other photos must not suffer
            say(str(error))
    return loaded


def _sketch(
    loaded: list[tuple[Photo, Mask, str]],
    models: Models,
    settings: Settings,
    given: Sketch | None,
    freeze: str,
    notes: tuple[str, ...],
    outlet: Outlet,
    stopping: Stopping,
    forecast: Forecast,
    times: int,
    on_preview: Callable[[Preview], None] | None,
    limit: Limit | None,
    checkpoints: Checkpoints | None,
) -> list[Result | ClipassoError]:
    """Sketch photos together behind one progress bar, as is done so many times in all."""
    from clipasso.pipeline.sketch import sketch_photos

    if not loaded:
        return []
    photos = [photo for photo, _, _ in loaded]
    name = photos[0].name if len(photos) == 1 else f"{len(photos)} photos"
    return run_shown(
        name,
        outlet.silent,
        stopping,
        forecast,
        lambda on_progress: sketch_photos(
            photos, models, settings, masks=[found for _, found, _ in loaded], init=given,
            freeze=freeze, notes=notes, on_progress=on_progress, on_preview=on_preview,
            stop=stopping.event, limit=limit, checkpoints=checkpoints,
        ),
        times,
    )  # fmt: skip


def forecast_of(
    settings: Settings, encoder: str, device: object, photos: int, quiet: bool
) -> Forecast:
    """What will be said of a run over so many photos, if it is long."""
    from clipasso.encoders import EMBEDDED
    from clipasso.settings import PRESETS

    def work() -> str:
        each = f", {photos} photos" if photos > 1 else ""
        seeds = f"{settings.seeds} seeds" if settings.seeds > 1 else "one seed"
        network = f"{encoder} on {where(device)}"
        return f"{settings.iterations} steps of {seeds}{each}, {network}"

    hint = "Ctrl-C keeps " + ("what is done by then" if photos > 1 else "the best so far")
    draft = PRESETS["draft"]
    if settings.seeds * settings.iterations > draft["seeds"] * draft["iterations"]:
        hint += ", --preset draft is quicker"
    elif encoder != EMBEDDED:
        hint += f", --encoder {EMBEDDED} is quicker"
    return Forecast(work, hint, quiet)


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
        outlet.say_plan(result)
        outlet.write(result, stem)
    except ClipassoError as error:
        say(str(error))
        return False
    return True
