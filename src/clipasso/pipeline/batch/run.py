"""`clipasso.batch`: sketch what is missing of many photos, and show all of them."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipasso.errors import ClipassoError
from clipasso.pipeline.batch.make import Loader, Made, Piece, Task, digest
from clipasso.pipeline.batch.manifest import Manifest, Row, Stamp
from clipasso.pipeline.batch.names import (
    FILES,
    GALLERY,
    LOCK,
    MANIFEST,
    SHEET,
    THUMBS,
)
from clipasso.pipeline.batch.pages import write_gallery
from clipasso.pipeline.batch.plan import Recipe, enter_sources
from clipasso.pipeline.batch.source import Reading
from clipasso.pipeline.capacity import choose, gpu_possible
from clipasso.pipeline.claims import claimed
from clipasso.pipeline.engine import Far, GridProgress, perform
from clipasso.settings import make_settings
from clipasso.vector.safe_write import (
    exists,
    prepare_folder,
    temporary_files,
    write_atomically,
)

if TYPE_CHECKING:
    from clipasso.pipeline.cluster import Cluster
    from clipasso.pipeline.engine import Pool
    from clipasso.pipeline.workers import Event

__all__ = ["Summary", "batch", "gallery"]

_ON_CUDA = 8  # photos in one task, as in `clipasso sketch`
_TRIES = 2  # that a photo has whose worker is lost; on a cluster, which loses machines, more
_TRIES_ON_A_CLUSTER = 5
_UNWRITTEN = 3  # results in a row that cannot be written: the disk is full, not a name too long


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
        work = _Work(manifest, folder, recipe, on_failure, say)
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


class _Work:
    """The tasks of a batch, taken one by one, and what becomes of them; an iterator of tasks.

    It may be asked again after it has ended: photos of a lost worker are given once more.
    """

    def __init__(
        self,
        manifest: Manifest,
        folder: Path,
        recipe: Recipe,
        on_failure: Callable[[str], None],
        say: Callable[[str], None],
    ) -> None:
        self._manifest, self._folder, self._recipe = manifest, folder, recipe
        self._on_failure, self._say = on_failure, say
        self._rows: Iterator[Row] = iter(())
        self._held: list[Row] = []
        self._out: dict[int, tuple[Task, list[Row]]] = {}  # by identity of the task
        self._lost: Counter[int] = Counter()
        self._said: set[str] = set()
        self._unwritten = 0

    def prepare(self, together: int, remote: bool, far: Far[Task]) -> None:
        """Set what a task is: so many photos, and whether it goes to another machine."""
        self._together, self._remote, self._far = together, remote, far
        self._tries = _TRIES_ON_A_CLUSTER if remote else _TRIES

    def __iter__(self) -> _Work:
        return self

    def __next__(self) -> Task:
        while True:
            rows = self._take()
            task, rows = self._task(rows)
            if rows:
                break
        self._manifest.begin(rows)
        self._out[id(task)] = task, rows
        self._far.show(task)
        return task

    def _take(self) -> list[Row]:
        """The next rows of the same options, as many as go together."""
        rows, self._held = self._held, []
        while len(rows) < self._together:
            row = next(self._rows, None)
            if row is None and not rows:  # from the start: some may have been given back
                self._rows = self._manifest.listed("state = 'todo'")
                row = next(self._rows, None)
                if row is None:
                    raise StopIteration
            if row is None:
                break
            if rows and (row.options, row.key) != (rows[0].options, rows[0].key):
                self._held = [row]
                break
            rows.append(row)
        return rows

    def _task(self, rows: list[Row]) -> tuple[Task, list[Row]]:
        """A task of the rows, and those whose photos can be sent where it is done."""
        settings, mask, fit = self._recipe.of(json.loads(rows[0].options))
        sent, pieces = [], []
        for row in rows:
            try:
                pieces.append(_sent(row) if self._remote else Piece(row.path))
                sent.append(row)
            except ClipassoError as error:
                self._manifest.fail(row, str(error))
                self._on_failure(str(error))
        content: str | bytes = mask
        if self._remote and os.path.isfile(mask):
            content = Path(mask).read_bytes()
        return Task(tuple(pieces), settings, content, fit), sent

    def see(self, event: Event[Task]) -> None:
        """Take note of what became known of a worker."""
        if event.kind in ("said", "printed"):
            if event.value not in self._said and len(self._said) < 1000:
                self._said.add(event.value)
                self._say(event.value)
        elif event.task is None:
            if event.kind == "lost":
                self._say(f"a worker was lost before it began ({event.value}); others go on")
        elif event.kind == "told":
            self._far.show(event.task, *event.value)
        elif event.kind == "lost":
            self._lose(event.task, str(event.value))
        elif event.kind in ("done", "failed"):
            _, rows = self._out.pop(id(event.task))
            ends = event.value if event.kind == "done" else [str(event.value)] * len(rows)
            losses = [self._end(row, end) for row, end in zip(rows, ends, strict=True)]
            good = [loss for loss in losses if loss is not None]
            if good:
                self._far.finish(event.task, min(good))
            else:
                self._far.end(event.task)

    def _lose(self, task: Task, how: str) -> None:
        """Its worker has gone: give its photos once more, but not those that end every worker."""
        _, rows = self._out.pop(id(task))
        self._lost.update(row.id for row in rows)
        again = [row for row in rows if self._lost[row.id] < self._tries]
        self._manifest.give_back(again)
        self._far.drop(task)
        if again:
            return
        self._far.end(task)
        for row in rows:
            self._end(
                row,
                f"{row.path}: its worker was lost {self._tries} times ({how}), as happens where "
                "memory is short; give fewer --workers",
            )

    def _end(self, row: Row, end: Made | str) -> float | None:
        """Write what was made, then let the manifest say so; the loss, or None for a failure."""
        if isinstance(end, Made):
            try:
                self._write(row, end)
                self._unwritten = 0
            except ClipassoError as error:
                self._unwritten += 1
                if self._unwritten == _UNWRITTEN:
                    raise
                end = str(error)
            else:
                self._manifest.finish(
                    row, end.stamp, end.sha256, end.loss, end.seconds, end.encoder
                )
                return end.loss
        self._manifest.fail(row, end)
        self._on_failure(end)
        return None

    def _write(self, row: Row, made: Made) -> None:
        try:
            for path in (self._folder / row.name, self._folder / THUMBS / row.name):
                path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ClipassoError(
                f"{self._folder / row.name}: its folder cannot be made ({error.strerror or error})"
            ) from None
        write_atomically(self._folder / THUMBS / f"{row.name}.jpg", made.thumb)
        for ending in FILES:
            write_atomically(self._folder / f"{row.name}{ending}", made.contents[ending])


def _label(task: Task) -> str:
    name = Path(task.pieces[0].path).name
    more = len(task.pieces) - 1
    return f"{name} and {more} more" if more else name


def _sketches(task: Task) -> int:
    return len(task.pieces)


def _sent(row: Row) -> Piece:
    """A photo's bytes, for a machine that does not have its file."""
    stamp = Stamp.of(row.path)
    try:
        data = Path(row.path).read_bytes()
    except (OSError, ValueError) as error:
        raise ClipassoError(
            f"{row.path}: cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from None
    assert stamp is not None
    return Piece(row.path, stamp, data)


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
