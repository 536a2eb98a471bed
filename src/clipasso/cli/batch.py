"""`clipasso batch`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from clipasso.cli import options as opt
from clipasso.cli.console import say, tell
from clipasso.cli.grids import GridWords, run_grid
from clipasso.errors import ClipassoError

_TABLES = "Tables"
_CLUSTER = "Cluster (with clipasso[cluster])"
_NAMED = 5  # failures that the summary names


@opt.with_settings()
def command(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE...",
            help="Folders of photos with those in them, photos, globs, lists (.txt, a photo a "
            "line), tables (.csv, .tsv, .parquet: a column of photos and one for each option).",
        ),
    ] = None,
    output: opt.Output = Path("sketches"),
    column: Annotated[
        str | None,
        typer.Option(
            help="A table's column of photos (photo, path, file or image).", metavar="NAME",
            rich_help_panel=_TABLES,
        ),
    ] = None,
    ignore_columns: Annotated[
        str | None,
        typer.Option(
            help="Columns that are passed over, * for all that mean nothing.", metavar="NAME,...",
            rich_help_panel=_TABLES,
        ),
    ] = None,
    encoder: opt.Encoder = None,
    weights: opt.Weights = None,
    preset: opt.Preset = "default",
    device: opt.Device = "auto",
    together: opt.Together = None,
    workers: opt.Workers = "auto",
    cluster: Annotated[
        str | None,
        typer.Option(
            help="Work on a cluster of Ray's: ray://HOST:10001, auto on one of its machines, or "
            "local to try it out.",
            metavar="ADDRESS", rich_help_panel=_CLUSTER,
        ),
    ] = None,
    worker_cpus: Annotated[
        int | None,
        typer.Option(
            help="Cores of a worker, which has as many threads (1).", metavar="N",
            rich_help_panel=_CLUSTER,
        ),
    ] = None,
    worker_gpus: Annotated[
        float | None,
        typer.Option(
            help="GPUs of a worker; 0.25 lets four share one (0).", metavar="X",
            rich_help_panel=_CLUSTER,
        ),
    ] = None,
    saliency_encoder: opt.SaliencyEncoder = None,
    saliency_weights: opt.SaliencyWeights = None,
    mask: opt.Mask = "auto",
    mask_weights: opt.MaskWeights = None,
    fit: opt.Fit = "pad",
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Make all anew, also over files that are not this batch's.",
            rich_help_panel="Files",
        ),
    ] = False,
    gallery_only: Annotated[
        bool,
        typer.Option(
            "--gallery-only", help="Sketch nothing; write gallery and contact sheets anew.",
            rich_help_panel="Files",
        ),
    ] = False,
    quiet: opt.Quiet = False,
    **chosen: Any,
) -> int:  # fmt: skip
    """Sketch many photos into a folder, and go on where it was stopped.

    For SOURCE/animals/cat.jpg writes DIR/animals/cat.svg, .png and .json; in the end index.html, a
    gallery, and contact sheets. DIR/batch.sqlite knows what is done: however it was ended, the same
    command goes on from there, and does only what is missing or has changed. A photo that cannot be
    sketched is told, and the exit status is 1 then.

    Examples:

      clipasso batch photos -o sketches

      clipasso batch 'photos/**/*.jpg' -o sketches --strokes 8 --workers 4

      clipasso batch photos.csv -o sketches --ignore-columns title,year

      clipasso batch photos -o sketches --cluster ray://head:10001 --worker-gpus 0.25
    """
    from clipasso.pipeline.batch import batch, gallery

    if gallery_only:
        if sources:
            raise ClipassoError("--gallery-only: takes no SOURCE, only -o DIR")
        _tell(gallery(output), quiet)
        return 0
    if cluster is None and (worker_cpus is not None or worker_gpus is not None):
        raise ClipassoError("--worker-cpus, --worker-gpus: are for --cluster ADDRESS")
    where = None
    if cluster is not None:
        from clipasso.pipeline.cluster import Cluster

        where = Cluster(cluster, 1 if worker_cpus is None else worker_cpus, worker_gpus or 0.0)
    words = GridWords("looking at the photos", "", "sketch", "gallery", "sketches")
    summary = run_grid(words, None, quiet, lambda show: batch(
        sources or [], output, preset=preset, encoder=encoder, weights=weights,
        saliency_encoder=saliency_encoder, saliency_weights=saliency_weights, mask=mask,
        mask_weights=mask_weights, fit=fit, device=device, workers=workers, together=together,
        cluster=where, column=column,
        ignore_columns=[name.strip() for name in (ignore_columns or "").split(",") if name.strip()],
        force=force, on_progress=show, on_failure=say, say=say,
        **{name: value for name, value in chosen.items() if value is not None},
    ))  # fmt: skip
    _tell(summary.pages, quiet)
    failed = summary.photos - summary.done
    if not quiet or failed:
        before = summary.done - summary.made
        kept = f", {before if summary.made else 'all'} of them before" if before else ""
        say(f"{summary.done} of {summary.photos} photos are sketched{kept}")
    if failed:
        names = ", ".join(photo for photo, _ in summary.failed[:_NAMED])
        more = f" and {failed - _NAMED} more" if failed > _NAMED else ""
        say(
            f"{failed} could not be: {names}{more}; {output}/index.html says why, and the same "
            "command tries them again"
        )
    return 1 if failed else 0


def _tell(pages: tuple[Path, ...], quiet: bool) -> None:
    if not quiet:
        for page in pages:
            tell(str(page))
