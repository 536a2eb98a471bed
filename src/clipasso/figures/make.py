"""From a figure's name and photos to its runs, its sheet and its table."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from clipasso._version import __version__
from clipasso.errors import ClipassoError
from clipasso.figures.catalogue import find_figure
from clipasso.figures.plan import Asked, Block, runs_of, sketches_of
from clipasso.figures.sheet import draw_sheet, encode_sheet, load_plotter
from clipasso.figures.table import write_table
from clipasso.pipeline.grid import GridProgress, Run, make_runs
from clipasso.pipeline.study import Study
from clipasso.vector.safe_write import prepare_folder, write_atomically

if TYPE_CHECKING:
    from clipasso.pipeline.archive import Kept
    from clipasso.settings import Settings

__all__ = ["SHEET", "make_figure"]

SHEET = ("png", "pdf", "csv")
"""Endings of what is written for a figure."""


def make_figure(
    name: str,
    photos: Sequence[str | Path],
    folder: str | Path,
    asked: Asked | None = None,
    *,
    encoder: str | None = None,
    weights: str | Path | None = None,
    saliency_encoder: str | None = None,
    saliency_weights: str | Path | None = None,
    lpips_weights: str | Path | None = None,
    device: str = "auto",
    workers: str = "1",
    force: bool = False,
    on_progress: Callable[[GridProgress], None] = lambda progress: None,
    say: Callable[[str], None] = lambda line: None,
) -> list[Path]:
    """Run a study of the paper, or what is missing of it, and write its sheet and table.

    Args:
        name: one of `FIGURES`.
        photos: their files.
        folder: for `NAME.png`, `NAME.pdf` and `NAME.csv`; the runs go into its folder `runs` and
            are taken up again by a later call.
        asked: what is not the study's own choice.
        encoder, weights, saliency_encoder, saliency_weights, device: as for `clipasso.sketch`.
        lpips_weights: torchvision's VGG16 checkpoint, for the figure of losses.
        workers: how many processes make sketches at once on a CPU, `auto` or a number.
        force: make all runs anew.
        on_progress: called when a run begins, at its evaluations and when it is kept.
        say: is told what a person should know.

    Returns:
        The sheet as PNG and PDF, and the table.

    Raises:
        ClipassoError: anything that cannot be used, before the first run where that can be seen.
    """
    figure, asked = find_figure(name), asked or Asked()
    files = [Path(photo) for photo in photos]
    if not files:
        raise ClipassoError(f"{name}: no photo is given")
    if len(asked.strokes) > 1 and not figure.many_strokes:
        raise ClipassoError(f"--strokes: {name} takes one number of strokes, not several")
    for photo in files:
        asked.run(photo)  # sees a bad value before anything is loaded
        if not os.path.isfile(photo):
            raise ClipassoError(f"{photo}: no such photo")
    load_plotter()
    folder = prepare_folder(folder)
    study = Study(
        prepare_folder(folder / "runs"), encoder, _path(weights), saliency_encoder,
        _path(saliency_weights), _path(lpips_weights), device, asked.preset, say,
        workers,
    )  # fmt: skip
    blocks = figure.plan(files, asked, study.main_encoder())
    missing = _check(study, runs_of(blocks), say)
    labels = _labels(blocks)
    make_runs(
        study, {run: labels[run] for run in runs_of(blocks) if run not in missing},
        force=force, on_progress=on_progress,
    )  # fmt: skip

    kept: dict[Run, Kept | str] = {
        run: missing[run] if run in missing else study.read(run) for run in runs_of(blocks)
    }
    names = {run: study.stem(run) for run in kept if run not in missing}
    page = draw_sheet(figure, blocks, kept, _footer(kept))
    contents: dict[str, bytes | str] = {
        **encode_sheet(page), "csv": write_table(figure, blocks, kept, names)
    }  # fmt: skip
    for kind, data in contents.items():
        write_atomically(folder / f"{name}.{kind}", data)
    return [folder / f"{name}.{kind}" for kind in contents]


def _check(study: Study, runs: Sequence[Run], say: Callable[[str], None]) -> dict[Run, str]:
    """See that all runs can be made; those a figure can do without and cannot have, and why."""
    missing: dict[Run, str] = {}
    reasons: dict[Settings, str] = {}
    for run in runs:
        try:
            if run.settings not in reasons:
                study.check(run)
        except ClipassoError as error:
            if not run.optional:
                raise
            # What `clipasso sketch` calls --weights is the encoder's here.
            reasons[run.settings] = str(error).replace("--weights", "--lpips-weights")
            say(f"left out: {reasons[run.settings]}")
        if run.settings in reasons:
            missing[run] = reasons[run.settings]
    return missing


def _path(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)


def _labels(blocks: Sequence[Block]) -> dict[Run, str]:
    """Each run's photo and its first panel's label."""
    labels: dict[Run, str] = {}
    for label, cell in sketches_of(blocks):
        photo = cell.run.photo.stem
        labels.setdefault(cell.run, photo if cell.alone else f"{photo}, {label}")
    return labels


def _footer(kept: Mapping[Run, Kept | str]) -> str:
    """One paragraph: which encoder, which saliency, how long, by which version."""
    reports = [found.report for found in kept.values() if not isinstance(found, str)]
    settings = [report["settings"] for report in reports]

    def all_of(values: Sequence[object]) -> str:
        return "; ".join(dict.fromkeys(map(str, values)))

    saliency = [report["saliency"] for report in reports if report["saliency"] != "none"]
    parts = [
        f"Encoder: {all_of([report['encoder'] for report in reports])}.",
        f"Saliency: {all_of(saliency) or 'none'}.",
        f"Steps at most: {all_of([s['iterations'] for s in settings])}.",
        f"Seeds: {all_of([s['seeds'] for s in settings])}.",
        f"Mask: {all_of([report['mask'] for report in reports])}.",
        f"clipasso {__version__}.",
    ]
    return " ".join(parts)
