"""The tasks of a batch: rows of its manifest that go to workers, and what comes back."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from clipasso.errors import ClipassoError
from clipasso.pipeline.batch.make import Made, Piece, Task
from clipasso.pipeline.batch.manifest import Manifest, Row, Stamp
from clipasso.pipeline.batch.names import FILES, THUMBS
from clipasso.vector.safe_write import write_atomically

if TYPE_CHECKING:
    from clipasso.pipeline.batch.plan import Recipe
    from clipasso.pipeline.engine import Far
    from clipasso.pipeline.workers import Event

__all__ = ["Work"]

_TRIES = 2  # that a photo has whose worker is lost; on a cluster, which loses machines, more
_TRIES_ON_A_CLUSTER = 5
_UNWRITTEN = 3  # results in a row that cannot be written: the disk is full, not a name too long


class Work:
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

    def __iter__(self) -> Work:
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
