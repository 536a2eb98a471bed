"""`clipasso evaluate`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from clipasso.cli import options as opt
from clipasso.cli.console import say
from clipasso.cli.grids import GridWords, counts, run_grid, tell_files
from clipasso.errors import ClipassoError

_PAPER = (4, 8, 16, 32)
_JUDGES = "Judges (sections 4.3, C and F)"


@opt.with_settings("loss", "seeds", "seed", "iterations", "augmentations")
def command(
    photos: Annotated[Path, typer.Argument(help="Folder of photos, one folder a class inside.")],
    output: opt.Output = Path("evaluation"),
    strokes: Annotated[
        str | None,
        typer.Option(
            help="Numbers of strokes to sketch with (4,8,16,32; none with --sketches).",
            metavar="N,...",
        ),
    ] = None,
    sketches: Annotated[
        list[str] | None,
        typer.Option(
            help="Sketches made elsewhere, SVG or pictures, named as the photos and judged as they "
            "look; a column of its own each time it is given.",
            metavar="[NAME=]DIR",
        ),
    ] = None,
    judge: Annotated[
        list[str] | None,
        typer.Option(
            help="auto, edges, efficientnet-lite2, an encoder such as ViT-B-32, or "
            "classifier:ARCHITECTURE; may be repeated (auto: all that can be had).",
            metavar="NAME[:TAG]",
            rich_help_panel=_JUDGES,
        ),
    ] = None,
    judge_weights: Annotated[
        Path | None,
        typer.Option(
            help="A local checkpoint for the judge.", metavar="FILE", rich_help_panel=_JUDGES
        ),
    ] = None,
    judge_labels: Annotated[
        Path | None,
        typer.Option(
            help="A classifier's labels, one a line.", metavar="FILE", rich_help_panel=_JUDGES
        ),
    ] = None,
    among: Annotated[
        str,
        typer.Option(
            help="A photo's distractors: photos of its class, or of all.",
            metavar="class|all",
            rich_help_panel=_JUDGES,
        ),
    ] = "class",
    distractors: Annotated[
        int,
        typer.Option(
            help="How many, or all there are; 0 is all.",
            min=0,
            metavar="N",
            rich_help_panel=_JUDGES,
        ),
    ] = 4,
    preset: opt.Preset = "default",
    encoder: opt.Encoder = None,
    weights: opt.Weights = None,
    saliency_encoder: opt.SaliencyEncoder = None,
    saliency_weights: opt.SaliencyWeights = None,
    mask: opt.Mask = "auto",
    device: opt.Device = "auto",
    workers: opt.Workers = "auto",
    force: Annotated[bool, typer.Option("--force", help="Sketch anew what is there.")] = False,
    quiet: opt.Quiet = False,
    **chosen_settings: Any,
) -> int:
    """Measure how recognisable sketches are, as the paper's section 4.3 does.

    Sketches every photo PHOTOS/CLASS/PHOTO.jpg at several numbers of strokes, or takes sketches
    made elsewhere, and lets judges name their class and find their photo among others. Writes
    evaluation.html, evaluation.json, summary.csv and sketches.csv; the sketches are kept in the
    output folder's `runs`: stopped by Ctrl-C, the same command goes on where it was.

    Examples:

      clipasso evaluate photos -o evaluation --judge ViT-B-32

      clipasso evaluate photos --strokes 16 --judge efficientnet-lite2 --judge edges

      clipasso evaluate photos --sketches ours=out --sketches people=drawings
    """
    from clipasso.evaluate.grid import Grid, own_series
    from clipasso.evaluate.panel import choose_judges
    from clipasso.evaluate.results import Protocol
    from clipasso.evaluate.run import FILES, evaluate
    from clipasso.evaluate.series import parse_sketches
    from clipasso.evaluate.subjects import find_subjects
    from clipasso.pipeline.models import pick_device
    from clipasso.pipeline.study import Study
    from clipasso.settings import make_settings
    from clipasso.vector.safe_write import keep_apart, prepare_folder

    if among not in ("class", "all"):
        raise ClipassoError(f"--among {among}: must be class or all")
    others = parse_sketches(sketches or [])
    own = own_series(counts(strokes, "4,8,16,32") or (() if others else _PAPER))
    settings, preferred = make_settings(preset, **chosen_settings)
    for column in own:
        make_settings(preset, strokes=column.strokes)  # sees a bad number before any work
    read = [*(subject.path for subject in find_subjects(photos)[0]), judge_weights, judge_labels]
    read += [file for series in others if series.folder for file in series.folder.rglob("*")]
    if os.path.exists(output) and output.samefile(photos):
        raise ClipassoError(f"{output}: the photos are in it; choose another output folder with -o")
    keep_apart([*read, weights, saliency_weights, Path(mask)], [output / f for f in FILES])
    chosen = choose_judges(judge or [], judge_weights, judge_labels, pick_device(device))
    prepare_folder(output)
    grid = None
    if own:
        study = Study(
            prepare_folder(output / "runs"), encoder, weights, saliency_encoder, saliency_weights,
            None, device, preset, say, workers,
        )  # fmt: skip
        grid = Grid(study, settings, preferred, mask)
    words = GridWords("looking at the photos", "", "sketch", "report", "sketches")
    evaluation, files = run_grid(words, output, quiet, lambda show: evaluate(
        photos, output, own=own, others=others, grid=grid, chosen=chosen,
        protocol=Protocol(among, distractors), mask=mask, force=force, on_progress=show, say=say,
    ))  # fmt: skip
    tell_files(files, quiet)
    return 2 if evaluation.failures else 0
