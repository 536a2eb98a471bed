"""`clipasso sketch`."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clipasso.errors import ClipassoError

if TYPE_CHECKING:
    from clipasso.encoders.base import Encoder
    from clipasso.optimise import Progress
    from clipasso.result import Result
    from clipasso.settings import Settings


class FitChoice(StrEnum):
    """How a photo that is not square meets the square canvas."""

    pad = "pad"
    crop = "crop"
    stretch = "stretch"


class PresetChoice(StrEnum):
    """Named bundles of settings."""

    default = "default"
    paper = "paper"
    draft = "draft"


def command(
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTO...", help="Photos to sketch.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder for the results; made if missing.")
    ] = Path("sketches"),
    strokes: Annotated[
        int | None, typer.Option(help="Number of strokes: fewer is more abstract (16).")
    ] = None,
    control_points: Annotated[
        int | None,
        typer.Option(help="Control points of a stroke: 4, 3 or 2, which is straight (4)."),
    ] = None,
    width: Annotated[
        float | None, typer.Option(help="Stroke width in pixels of the 224-pixel canvas (3.0).")
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            help="auto, efficientnet-lite0, RN101, RN50, ViT-B-32, ViT-B-16; "
            "see `clipasso encoders` (auto)."
        ),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="A local checkpoint for the encoder.")
    ] = None,
    preset: Annotated[
        PresetChoice,
        typer.Option(help="`paper` has every value of the paper; `draft` is quick and rough."),
    ] = PresetChoice.default,
    seeds: Annotated[
        int | None, typer.Option(help="Initialisations to try; the best one wins (3).")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The first seed (0).")] = None,
    iterations: Annotated[
        int | None, typer.Option(help="Gradient steps at most (the preset's).")
    ] = None,
    fit: Annotated[
        FitChoice, typer.Option(help="Photos that are not square: pad with white, crop, stretch.")
    ] = FitChoice.pad,
    mask: Annotated[
        str,
        typer.Option(
            help="Remove the background: auto (only where the photo's border is not white), "
            "grabcut, none, or a picture that is white where the object is."
        ),
    ] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    all_seeds: Annotated[
        bool, typer.Option("--all-seeds", help="Write the other seeds' sketches too.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Write saliency, sampled points and initial strokes.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite existing results.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print nothing but errors and warnings.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print each result's report as one line of JSON.")
    ] = False,
) -> int:
    """Turn photos into sketches of a few strokes.

    For each photo writes NAME.svg, NAME.png (1024 pixels) and NAME.json (settings, losses, times).
    Ctrl-C ends early and keeps the best sketch so far.

    Examples:

      clipasso sketch cat.jpg

      clipasso sketch horse.png flamingo.png -o out --strokes 8

      clipasso sketch cat.jpg --preset paper --weights RN101.pt
    """
    from clipasso.settings import make_settings

    settings, preferred = make_settings(
        preset.value, strokes=strokes, control_points=control_points, width=width, seeds=seeds,
        seed=seed, iterations=iterations,
    )  # fmt: skip
    jobs = _plan(photos, output, settings, all_seeds=all_seeds, debug=debug, force=force)

    from clipasso.encoders import load_encoder
    from clipasso.pipeline import choose_saliency, embedded_note, pick_device

    where = pick_device(device)
    asked = encoder or preferred
    loaded = load_encoder(asked, weights, where)
    attention = choose_saliency(loaded)
    if note := embedded_note(loaded, asked):
        _say(note)
    status = 0
    for photo, stem in jobs:
        try:
            result, interrupted = _sketch_one(
                photo, loaded, attention, settings, fit.value, mask, quiet or as_json
            )
            _write(result, output, stem, all_seeds, debug, quiet, as_json)
        except ClipassoError as error:  # the other photos must not suffer
            _say(str(error))
            status = 2
            continue
        if interrupted:
            _say(f"stopped at step {result.outcome.steps}; the best sketch so far was written")
            return 130
    return status


def _plan(
    photos: list[Path], output: Path, settings: Settings, *, all_seeds: bool, debug: bool,
    force: bool,
) -> list[tuple[Path, str]]:  # fmt: skip
    """Photos and the stems of their results; sees clashes and bad folders before any work."""
    from clipasso.files import prepare_folder
    from clipasso.output import planned_files

    by_stem: dict[str, Path] = {}
    for photo in photos:
        other = by_stem.setdefault(photo.stem, photo)
        if other is not photo:
            raise ClipassoError(
                f"{photo} and {other}: would both be written as {output / photo.stem}.svg; "
                "sketch them into different folders"
            )
        for path in planned_files(
            output, photo.stem, settings.seeds, all_seeds=all_seeds, debug=debug
        ):
            if path.exists() and not force:
                raise ClipassoError(f"{path}: exists already; give --force to overwrite it")
    prepare_folder(output)
    return [(photo, stem) for stem, photo in by_stem.items()]


def _sketch_one(
    path: Path,
    encoder: Encoder,
    attention: Encoder,
    settings: Settings,
    fit: Any,
    mask: str,
    silent: bool,
) -> tuple[Result, bool]:
    """One photo's result, and whether Ctrl-C cut it short."""
    from clipasso.cli.progress import progress_bar
    from clipasso.masks import make_mask
    from clipasso.photo import load_photo
    from clipasso.pipeline import sketch_photo

    photo = load_photo(path, size=settings.canvas, fit=fit)
    for note in photo.notes:
        _say(note)
    with _stop_on_interrupt() as (stop, started), progress_bar(photo.name, silent) as show:

        def on_progress(progress: Progress) -> None:
            started.set()
            show(progress)

        found = make_mask(photo, mask, fit)
        result = sketch_photo(
            photo, encoder, settings, saliency_encoder=attention, mask=found,
            on_progress=on_progress,
            stop=stop,
        )  # fmt: skip
    return result, result.outcome.stopped == "interrupted"


def _write(
    result: Result, folder: Path, stem: str, all_seeds: bool, debug: bool, quiet: bool,
    as_json: bool,
) -> None:  # fmt: skip
    from clipasso.output import write_result

    files = write_result(result, folder, stem, all_seeds=all_seeds, debug=debug)
    if as_json:
        print(json.dumps({**result.report(), "files": [str(f) for f in files]}), flush=True)
    elif not quiet:
        loss, seconds = result.outcome.losses[result.outcome.winner], sum(result.seconds.values())
        print(
            f"{files[0]}  {len(result.sketch)} strokes, loss {loss:.4g}, seed {result.seed}, "
            f"{result.outcome.steps} steps in {seconds:.0f} s, {result.encoder}, "
            f"mask: {result.mask.source}",
            flush=True,
        )


@contextmanager
def _stop_on_interrupt() -> Iterator[tuple[threading.Event, threading.Event]]:
    """Turn the first Ctrl-C into a request to stop, once there is something to keep.

    Yields (stop, started): the loop watches the one, its first evaluation sets the other. Before
    that, and for a second Ctrl-C, the interrupt takes its usual way.
    """
    stop, started = threading.Event(), threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop, started
        return

    def on_interrupt(number: int, frame: Any) -> None:
        if stop.is_set() or not started.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield stop, started
    finally:
        signal.signal(signal.SIGINT, before)


def _say(line: str) -> None:
    print(f"clipasso: {line}", file=sys.stderr, flush=True)
