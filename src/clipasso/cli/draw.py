"""`clipasso draw`."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from clipasso.cli import options as opt
from clipasso.cli.console import say
from clipasso.cli.duration import Clock
from clipasso.cli.forecast import Forecast, where
from clipasso.cli.outlet import Outlet
from clipasso.cli.photos import load
from clipasso.cli.preview import PreviewFile
from clipasso.cli.progress import run_shown
from clipasso.cli.record import Record


@opt.with_settings(draw=True)
def command(
    context: typer.Context,
    text: Annotated[str, typer.Argument(help="What to draw.", metavar="[TEXT]")] = "",
    photo: Annotated[
        Path | None,
        typer.Option(
            help="A photo to agree with, beside the text or alone; - for standard input.",
            metavar="FILE",
        ),
    ] = None,
    lines: Annotated[
        bool,
        typer.Option(
            "--lines", help="16 thin black lines (figure 13) in place of 256 strokes in colour."
        ),
    ] = False,
    output: opt.OutputOrStdout = Path("sketches"),
    encoder: opt.Encoder = None,
    weights: opt.Weights = None,
    device: opt.Device = "auto",
    time_limit: opt.TimeLimit = None,
    mask: opt.Mask = "none",
    fit: opt.Fit = "pad",
    all_seeds: opt.AllSeeds = False,
    force: opt.Force = False,
    preview: opt.Preview = None,
    record: opt.Record = None,
    quiet: opt.Quiet = False,
    as_json: opt.AsJson = False,
    **chosen: Any,
) -> int:
    """Draw a text, or a photo's meaning, with CLIPDraw: the paper's main comparison.

    Strokes start at random and only CLIP's final embedding is compared, so nothing ties the drawing
    to a photo's geometry. Needs a CLIP encoder (ViT-B/32): the embedded one cannot read. The files
    are named after the photo, or else after the text.

    Examples:

      clipasso draw "a drawing of a cat"

      clipasso draw "a drawing of a horse" --photo horse.png --lines

      clipasso draw "a red lighthouse" --record lighthouse.gif
    """
    from clipasso.pipeline.clipdraw import draw_photo, draw_settings
    from clipasso.pipeline.models import load_models

    settings, preferred = draw_settings(text, photo is not None, lines=lines, **chosen)
    recording = None if record is None else Record(record, force)
    outlet = Outlet(
        output, settings.seeds, all_seeds, False, force, False, quiet, as_json, recording
    )  # fmt: skip
    writing = 0.0 if recording is None else recording.seconds
    clock = None if time_limit is None else Clock(
        time_limit, context.obj, settings, chosen, writing
    )  # fmt: skip
    read = [photo, weights, Path(mask)]
    shown = None if preview is None else PreviewFile(preview, force, read)
    named = photo or Path(re.sub(r"\W+", "-", text.lower()).strip("-")[:60] or "drawing")
    (job,) = outlet.plan([named], [weights, Path(mask)])
    seen = load(photo, settings.canvas, fit) if photo else None  # type: ignore[arg-type]

    with ExitStack() as held, outlet.at_work(1) as stopping:
        outlet.claim(job, held)
        results = [] if outlet.to_stdout else outlet.files(job.stem)
        if recording is not None:
            recording.plan([job.stem], [*results, *([preview] if preview else [])], read)
        if shown is not None:
            shown.plan(results)
            held.enter_context(shown.at_work())
        models = load_models(settings, encoder or preferred, weights, device=device)
        forecast = Forecast(
            lambda: f"{settings.iterations} steps, {models.loss.name} on {where(models.device)}",
            "Ctrl-C keeps the best so far, fewer --iterations are quicker",
            quiet or clock is not None,
        )
        result = run_shown(
            job.stem,
            outlet.silent,
            stopping,
            forecast,
            lambda on_progress: draw_photo(
                seen, models, settings, mask=mask, fit=fit,  # type: ignore[arg-type]
                on_progress=on_progress, on_preview=None if shown is None else shown.show,
                stop=stopping.event, limit=None if clock is None else clock.limit(0, 1, 1),
            ),
        )  # fmt: skip
        for note in result.notes:
            say(note)
        outlet.say_plan(result)
        outlet.write(result, job.stem)
        if stopping.event.is_set():
            return stopping.status
        return 2 if outlet.unrecorded else 0
