"""`clipasso.batch`: sketch what is missing of many photos, and show all of them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipasso.errors import ClipassoError
from clipasso.pipeline.batch.make import Loader, Task, digest
from clipasso.pipeline.batch.manifest import Manifest
from clipasso.pipeline.batch.names import (
    GALLERY,
    LOCK,
    MANIFEST,
    SHEET,
    THUMBS,
)
from clipasso.pipeline.batch.pages import write_gallery
from clipasso.pipeline.batch.plan import Recipe, enter_sources
from clipasso.pipeline.batch.source import Reading
from clipasso.pipeline.batch.work import Work
from clipasso.pipeline.capacity import choose, gpu_possible
from clipasso.pipeline.claims import claimed
from clipasso.pipeline.engine import Far, GridProgress, perform
from clipasso.settings import make_settings
from clipasso.vector.safe_write import (
    exists,
    prepare_folder,
    temporary_files,
)

if TYPE_CHECKING:
    from clipasso.pipeline.cluster import Cluster
    from clipasso.pipeline.engine import Pool

__all__ = ["Summary", "batch", "gallery"]

_ON_CUDA = 8  # photos in one task, as in `clipasso sketch`


@dataclass(frozen=True)
class Summary:
    """What came of a batch.

    Attributes:
        folder: of the results.
        photos: that the sources name.
        done: of them that have their sketches, and `made` those of this call.
        failed: photo and reason of those that have none.
        pages: gallery and contact sheet.
    """

    folder: Path
    photos: int
    done: int
    made: int
    failed: tuple[tuple[str, str], ...]
    pages: tuple[Path, ...]


def batch(
    sources: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    preset: str = "default",
    encoder: str | None = None,
    weights: str | Path | None = None,
    saliency_encoder: str | None = None,
    saliency_weights: str | Path | None = None,
    mask: str | Path = "auto",
    mask_weights: str | Path | None = None,
    fit: str = "pad",
    device: str = "auto",
    workers: str | int = "1",
    together: int | None = None,
    cluster: Cluster | None = None,
    column: str | None = None,
    ignore_columns: Iterable[str] = (),
    force: bool = False,
    on_progress: Callable[[GridProgress], None] = lambda progress: None,
    on_failure: Callable[[str], None] = lambda line: None,
    say: Callable[[str], None] = lambda line: None,
    **settings: Any,
) -> Summary:
    """Sketch many photos into a folder, or what is missing or has changed of them.

    A manifest in the folder, `batch.sqlite`, knows what is done: whatever ended a call, the next
    with the same arguments goes on from there and ends with the same files. Names of results mirror
    the sources' folders; a photo that cannot be sketched costs no other.

    Args:
        sources: photos, folders (with those in them), globs, lists (`.txt`, a photo a line) and
            tables (`.csv`, `.tsv`, `.parquet`: a column of photos, and columns called like
            settings, `preset`, `mask`, `fit` or `name`, which hold for their row).
        output: folder for the results, made if missing.
        preset, encoder, weights, saliency_encoder, saliency_weights, mask, mask_weights, fit,
            device, settings: as for `clipasso.sketch`, of all photos whose row says nothing else.
        workers: processes on a CPU, each with its share of the cores: a number or `auto`; on a
            cluster how many at most.
        together: photos optimised in one batch; 8 on CUDA by default, else 1.
        cluster: does the work in place of this machine.
        column, ignore_columns: of tables, as in `Reading`.
        force: make all anew, also over files that the batch has not made.
        on_progress: called when photos begin, at their evaluations and when they are written.
        on_failure: is told of each photo that has no sketch, and why.
        say: is told what else a person should know.

    Raises:
        ClipassoError: a source, setting, encoder or folder that cannot be used, before any work;
            another batch is at work in the folder; or files cannot be written.
    """
    began = time.time()
    listed = [sources] if isinstance(sources, str | os.PathLike) else list(sources)
    made, preferred = make_settings(preset, **settings)
    if together is not None and together < 1:
        raise ClipassoError(f"--together {together}: must be at least 1")
    if not (str(workers) == "auto" or (str(workers).isdecimal() and int(workers))):
        raise ClipassoError(f"--workers {workers}: give auto, or a number from 1")
    folder = Path(output)
    fresh = not exists(folder / MANIFEST)
    for page in (GALLERY, SHEET):
        if fresh and not force and exists(folder / page):
            raise ClipassoError(
                f"{folder / page}: is there, and not of a batch; give --force to overwrite it, or "
                "choose another output folder with -o"
            )
    loader = Loader(
        made, _encoder_name(encoder or preferred, weights, device, cluster),
        _path(weights), saliency_encoder, _path(saliency_weights), _path(mask_weights), device,
        (encoder or preferred) == "auto",
    )  # fmt: skip
    files = [loader.weights, loader.saliency_weights, loader.mask_weights]
    recipe = Recipe(preset, settings, str(mask), fit, {
        "encoder": loader.encoder,
        "saliency": saliency_encoder,
        "weights": ["" if file is None else digest(file) for file in files],
    })  # fmt: skip
    prepare_folder(folder)
    with claimed(folder, LOCK), Manifest(folder / MANIFEST) as manifest:
        _clear_up(manifest, folder, began)
        read = [*files, Path(mask), *map(Path, listed)]
        how = Reading(folder, column, frozenset(ignore_columns))
        enter_sources(manifest, listed, how, recipe, force, read)
        todo, steps = manifest.count("todo")
        kept, _ = manifest.count("done")
        work = Work(manifest, folder, recipe, on_failure, say)
        if todo:
            count, size, pool = _share(workers, todo, steps, device, together, cluster, loader)
            work.prepare(
                size, pool is not None,
                Far(_label, lambda task: task.steps, todo, kept, steps, on_progress, _sketches),
            )  # fmt: skip
            local = loader if count == 1 else _for_cpus(loader)
            perform(local, work, work.see, count, pool)
        pages = write_gallery(folder, manifest)
        done, _ = manifest.count("done")
        failed = tuple(
            (row.photo, row.error or "") for row in islice(manifest.listed("state = 'failed'"), 100)
        )
        photos = done + manifest.count("failed")[0]
    return Summary(folder, photos, done, done - kept, failed, tuple(pages))


def gallery(folder: str | os.PathLike[str]) -> tuple[Path, ...]:
    """Write gallery and contact sheets of a batch anew, as far as it is.

    Raises:
        ClipassoError: there is none, or one is at work there.
    """
    folder = Path(folder)
    if not (folder / MANIFEST).is_file():
        raise ClipassoError(f"{folder}: no batch was made there (it has no {MANIFEST})")
    with claimed(folder, LOCK), Manifest(folder / MANIFEST) as manifest:
        return tuple(write_gallery(folder, manifest))


def _clear_up(manifest: Manifest, folder: Path, before: float) -> None:
    """Remove temporary files that a batch left when it was killed, where it was at work."""
    places = {folder}
    for row in manifest.listed("state = 'working'"):
        places |= {(folder / row.name).parent, (folder / THUMBS / row.name).parent}
    for place in places:
        for path in temporary_files(place):
            with suppress(OSError):
                if path.stat().st_mtime < before:  # no other program's, which has just begun it
                    path.unlink()


def _label(task: Task) -> str:
    name = Path(task.pieces[0].path).name
    more = len(task.pieces) - 1
    return f"{name} and {more} more" if more else name


def _sketches(task: Task) -> int:
    return len(task.pieces)


def _share(
    workers: str | int, todo: int, steps: int, device: str, together: int | None,
    cluster: Cluster | None, loader: Loader,
) -> tuple[int, int, AbstractContextManager[Pool[Task]] | None]:  # fmt: skip
    """How many processes, how many photos in a task of theirs, and the cluster if it is one."""
    if cluster is not None:
        from clipasso.pipeline.cluster import Slots

        size = together or (_ON_CUDA if cluster.gpus else 1)
        most = None if str(workers) == "auto" else int(workers)
        return 1, size, Slots(cluster, loader, most, -(-todo // size))
    if together is not None and together > 1:
        if str(workers) not in ("auto", "1"):
            raise ClipassoError(f"--workers {workers} and --together {together}: give one of them")
        return 1, together, None
    count = choose(str(workers), todo, steps, device)
    cpu = device == "cpu" or (device == "auto" and not gpu_possible())  # seen without torch
    if count > 1 or together is not None or cpu:
        return count, 1, None
    from clipasso.pipeline.models import pick_device

    return 1, _ON_CUDA if pick_device(device).type == "cuda" else 1, None


def _for_cpus(loader: Loader) -> Loader:
    from dataclasses import replace

    return replace(loader, device="cpu")


def _encoder_name(
    asked: str, weights: str | Path | None, device: str, cluster: Cluster | None
) -> str:
    """The encoder that `auto` is here, so that it is the same for all workers and starts."""
    from clipasso.encoders import EMBEDDED, PAPER, at_hand

    if asked != "auto":
        return asked
    if weights is not None:
        return PAPER
    where = device
    if device == "auto":
        where = "cpu"
        if cluster is None and gpu_possible():
            from clipasso.pipeline.models import pick_device

            where = str(pick_device(device))
    return PAPER if at_hand(PAPER, where) else EMBEDDED


def _path(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)
