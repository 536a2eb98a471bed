"""What is done of a batch and what is not: one row a photo, in a file of SQLite.

A row is `todo`, `working` once it has been handed out, then `done` or `failed`. Files are written
while it is `working`, and it is `done` only when all of them are there; so whatever ends the
program, the next start knows what counts, and which files it may write over.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from clipasso.errors import ClipassoError
from clipasso.pipeline.batch.names import free_name, is_inside
from clipasso.pipeline.batch.source import Entry

__all__ = ["Manifest", "Row", "Stamp"]

_APPLICATION = 0x434C5042  # how `file` and we tell ours from other SQLite files
_FORMAT = 1
_PAGE = 500  # rows held at a time

_TABLES = """
CREATE TABLE photos (
  id INTEGER PRIMARY KEY,
  photo NOT NULL,           -- its path within its source
  turn INTEGER NOT NULL,    -- 0, or more where a source names it again
  path NOT NULL,            -- where it was last
  name NOT NULL COLLATE NOCASE UNIQUE,  -- of its results, in the batch's folder, without ending
  place INTEGER,            -- in the source's order; NULL where the source names it no more
  options TEXT NOT NULL,    -- of its row, as JSON
  key TEXT NOT NULL,        -- a hash of its settings, encoder and version
  steps INTEGER NOT NULL,   -- gradient steps of all its seeds, at most
  state TEXT NOT NULL CHECK (state IN ('todo', 'working', 'done', 'failed')),
  begun INTEGER NOT NULL DEFAULT 0,  -- how often it was handed out
  made TEXT,                -- the key that its files were made with
  size INTEGER, mtime INTEGER, sha256 TEXT,  -- of the photo that they were made from; nanoseconds
  loss REAL, seconds REAL, encoder TEXT, error TEXT, at TEXT,
  UNIQUE (photo, turn));
CREATE INDEX by_place ON photos (place);
CREATE INDEX by_state ON photos (state, place);
"""


class Stamp(NamedTuple):
    """A file's size and the time of its last change, in nanoseconds; the state of a photo."""

    size: int
    mtime: int

    @classmethod
    def of(cls, path: str) -> Stamp | None:
        """None where there is no such file."""
        try:
            found = os.stat(path)
        except (OSError, ValueError):
            return None
        return cls(found.st_size, found.st_mtime_ns)


@dataclass(frozen=True)
class Row:
    """A photo of the manifest, as its columns are called there."""

    id: int
    photo: str
    path: str
    name: str
    options: str
    key: str
    steps: int
    state: str
    begun: int
    made: str | None
    size: int | None
    mtime: int | None
    sha256: str | None
    loss: float | None
    seconds: float | None
    encoder: str | None
    error: str | None


_COLUMNS = ", ".join(Row.__dataclass_fields__)


class Manifest:
    """A batch's rows. One process writes them at a time; others may read them meanwhile.

    A context manager, which closes the file.

    Raises:
        ClipassoError: from all methods: the file cannot be read or written, or is none of ours.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        with self._explained():
            self._db = sqlite3.connect(file, timeout=30, isolation_level=None)
            try:
                self._open()
            except BaseException:
                self._db.close()
                raise

    def _open(self) -> None:
        ours, version = self._one("PRAGMA application_id"), self._one("PRAGMA user_version")
        if ours == 0 and self._one("SELECT count(*) FROM sqlite_master") == 0:
            with self.transaction():
                for statement in _TABLES.split(";\n"):
                    if statement.strip():
                        self._db.execute(statement)
                self._db.execute(f"PRAGMA application_id = {_APPLICATION}")
                self._db.execute(f"PRAGMA user_version = {_FORMAT}")
        elif ours != _APPLICATION or version != _FORMAT:
            kind = f"of format {version}" if ours == _APPLICATION else "something else"
            raise ClipassoError(
                f"{self.file}: is no manifest that this version can read, but {kind}; move it "
                "away, or choose another output folder with -o"
            )
        # A commit waits for no disk then; a power cut costs the last ones, which are made again.
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")

    def __enter__(self) -> Manifest:
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(sqlite3.Error):
            self._db.execute("PRAGMA busy_timeout = 1000")  # somebody may be reading
            self._db.execute("PRAGMA journal_mode = DELETE")  # all in one file again
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Change all or nothing."""
        with self._explained():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def begin_listing(self) -> None:
        """Forget which photos the source names; `enter` says it anew."""
        with self._explained():
            self._db.execute("UPDATE photos SET place = NULL WHERE place IS NOT NULL")

    def enter(
        self, entry: Entry, place: int, options: str, key: str, steps: int,
        stands: Callable[[Row], bool],
    ) -> None:  # fmt: skip
        """Enter a photo of the source: its row becomes `done` or `todo`.

        Args:
            place: in the source's order.
            stands: whether what was done of it still counts, asked where it was made by this key;
                takes its row with the photo's path of now.
        """
        with self._explained():
            photo = _storable(entry.photo)
            turn = self._one(
                "SELECT count(*) FROM photos WHERE photo = ? AND place IS NOT NULL", photo
            )
            found = self._rows("WHERE photo = ? AND turn = ?", photo, turn)
            now = (_storable(entry.path), place, options, key, steps)
            for row in found:
                kept = row.state == "done" and row.made == key
                kept = kept and stands(replace(row, path=entry.path))
                name = self._renamed(entry, row)
                kept = kept and name == row.name
                self._db.execute(
                    "UPDATE photos SET path = ?, place = ?, options = ?, key = ?, steps = ?, "
                    "state = ?, name = ? WHERE id = ?",
                    (*now, "done" if kept else "todo", _storable(name), row.id),
                )  # fmt: skip
                return
            name = free_name(entry, self._is_taken)
            self._db.execute(
                "INSERT INTO photos (photo, turn, name, path, place, options, key, steps, state) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'todo')",
                (photo, turn, _storable(name), *now),
            )

    def _renamed(self, entry: Entry, row: Row) -> str:
        """A name once given stays, so that a photo more in the source renames no other."""
        if entry.name is None or re.fullmatch(rf"{re.escape(entry.name)}(-\d+)?", row.name):
            return row.name
        return free_name(entry, lambda name: name != row.name and self._is_taken(name))

    def _is_taken(self, name: str) -> bool:
        return bool(self._one("SELECT count(*) FROM photos WHERE name = ?", _storable(name)))

    def restamp(self, row: Row, stamp: Stamp) -> None:
        """Its photo was touched, and is still the same."""
        with self._explained():
            self._db.execute("UPDATE photos SET size = ?, mtime = ? WHERE id = ?", (*stamp, row.id))

    def listed(self, where: str = "", *values: object) -> Iterator[Row]:
        """Rows of photos that the source names, in its order, a page at a time.

        Args:
            where: a further condition, as `state = 'failed'`.
        """
        place, condition = -1, f" AND {where}" if where else ""
        while True:
            with self._explained(), closing(self._db.execute(
                f"SELECT place, {_COLUMNS} FROM photos WHERE place > ?{condition} "
                "ORDER BY place LIMIT ?", (place, *values, _PAGE),
            )) as cursor:  # fmt: skip
                page = cursor.fetchall()
            for found in page:
                yield self._row(found[1:])
            if not page:
                return
            place = page[-1][0]

    def count(self, state: str) -> tuple[int, int]:
        """How many of the photos that the source names are in a state, and their steps."""
        with self._explained(), closing(self._db.execute(
            "SELECT count(*), total(steps) FROM photos WHERE state = ? AND place IS NOT NULL",
            (state,),
        )) as cursor:  # fmt: skip
            photos, steps = cursor.fetchone()
            return photos, int(steps)

    def begin(self, rows: list[Row]) -> None:
        """These are handed out."""
        with self.transaction():
            self._db.executemany(
                "UPDATE photos SET state = 'working', begun = begun + 1 WHERE id = ?",
                [(row.id,) for row in rows],
            )

    def give_back(self, rows: list[Row]) -> None:
        """They are to be handed out once more."""
        with self._explained():
            self._db.executemany(
                "UPDATE photos SET state = 'todo' WHERE id = ?", [(row.id,) for row in rows]
            )

    def finish(
        self, row: Row, stamp: Stamp, sha256: str, loss: float, seconds: float, encoder: str
    ) -> None:
        """All its files are there."""
        with self._explained():
            self._db.execute(
                "UPDATE photos SET state = 'done', made = key, size = ?, mtime = ?, sha256 = ?, "
                "loss = ?, seconds = ?, encoder = ?, error = NULL, at = ? WHERE id = ?",
                (*stamp, sha256, loss, seconds, encoder, _now(), row.id),
            )

    def fail(self, row: Row, error: str) -> None:
        """It cannot be made, for this reason."""
        with self._explained():
            self._db.execute(
                "UPDATE photos SET state = 'failed', made = NULL, error = ?, at = ? WHERE id = ?",
                (error.encode("utf-8", "backslashreplace").decode(), _now(), row.id),
            )

    def _rows(self, rest: str, *values: object) -> list[Row]:
        with closing(self._db.execute(f"SELECT {_COLUMNS} FROM photos {rest}", values)) as cursor:
            return [self._row(found) for found in cursor]

    def _row(self, found: Sequence[Any]) -> Row:
        """A row whose values are of their kinds, and whose files lie in the batch's folder."""
        row = Row(*map(_text, found))
        texts = row.photo, row.path, row.name, row.options, row.key, row.state
        numbers = row.id, row.steps, row.begun
        whole = all(isinstance(text, str) for text in texts)
        whole = whole and all(isinstance(number, int) for number in numbers)
        if not whole or not is_inside(row.name):
            raise ClipassoError(
                f"{self.file}: the batch's manifest is damaged (photo {row.id}); move it away, or "
                "choose another output folder with -o"
            )
        return row

    def _one(self, statement: str, *values: object) -> Any:
        with closing(self._db.execute(statement, values)) as cursor:
            return cursor.fetchone()[0]

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise ClipassoError(
                f"{self.file}: the batch's manifest cannot be used ({error}); move it away, or "
                "choose another output folder with -o"
            ) from None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _storable(text: str) -> str | bytes:
    """A file name may have bytes of no encoding, which SQLite takes as bytes only."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return os.fsencode(text)
    return text


def _text(value: Any) -> Any:
    return os.fsdecode(value) if isinstance(value, bytes) else value
