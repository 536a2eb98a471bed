"""Lists of photos (text) and tables of them (CSV, TSV, Parquet), read row by row."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from clipasso.errors import ClipassoError
from clipasso.pipeline.batch.rows import PHOTO_COLUMNS, known_columns, parse_row

__all__ = ["LISTS", "TABLES", "Row", "read_list", "read_table"]

LISTS = (".txt", ".lst", ".list")
"""Endings of files that name a photo a line."""

TABLES = (".csv", ".tsv", ".parquet")
"""Endings of files with a column of photos."""

_CHUNK = 1000  # rows of a Parquet file at a time


class Row(NamedTuple):
    """A photo as its row names it, its results' name if it has one, and its options."""

    photo: str
    name: str | None
    options: tuple[tuple[str, object], ...]


def read_list(file: Path) -> Iterator[tuple[int, str]]:
    """Number and text of each line that names a photo; empty ones and those after `#` do not.

    Raises:
        ClipassoError: it is no text.
    """
    # A file name may have bytes of no encoding, and a list of them too.
    with file.open(encoding="utf-8-sig", errors="surrogateescape") as lines:
        for number, line in enumerate(lines, 1):
            text = line.strip()
            if "\0" in text:
                raise ClipassoError(f"{file}: is no list of photos, which is text, one a line")
            if text and not text.startswith("#"):
                yield number, text


def read_table(
    file: Path, column: str | None = None, ignored: frozenset[str] = frozenset()
) -> Iterator[tuple[int, Row]]:
    """Number of each row, from 1 without the heading, and what it says.

    Args:
        column, ignored: as in `source.Reading`.

    Raises:
        ClipassoError: a heading or a cell that means nothing; a library is missing.
    """
    parquet = file.suffix.lower() == ".parquet"
    heading, rows = _parquet(file) if parquet else _separated(file)
    photos = _photo_column(file, heading, column)
    wanted = _meant(file, heading, photos, ignored)
    for number, row in rows:
        cells = {heading[k]: row[k] for k in range(len(heading)) if heading[k] in wanted}
        photo = row[heading.index(photos)]
        where = f"{file}, row {number}"
        if photo is None or not str(photo).strip():
            raise ClipassoError(f"{where}: names no photo in its column {photos}")
        name, options = parse_row(cells, where)
        yield number, Row(str(photo).strip(), name, options)


def _separated(file: Path) -> tuple[list[str], Iterator[tuple[int, list[Any]]]]:
    tabs = file.suffix.lower() == ".tsv"

    def rows() -> Iterator[list[str]]:
        with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as lines:
            reader = csv.reader(lines, "excel-tab" if tabs else "excel", strict=True)
            try:
                yield from reader
            except (csv.Error, ValueError) as error:
                raise ClipassoError(f"{file}, line {reader.line_num}: {error}") from None

    each = rows()
    heading = [name.strip() for name in next(each, [])]

    def numbered() -> Iterator[tuple[int, list[Any]]]:
        for number, row in enumerate(each, 1):
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(heading):
                raise ClipassoError(
                    f"{file}, row {number}: has {len(row)} cells, and the heading has "
                    f"{len(heading)}; quote cells that hold a comma"
                )
            yield number, row

    return heading, numbered()


def _parquet(file: Path) -> tuple[list[str], Iterator[tuple[int, list[Any]]]]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ClipassoError(
            f"{file}: reading Parquet needs pyarrow; pip install 'clipasso[parquet]', or give a CSV"
        ) from None
    try:
        table = parquet.ParquetFile(file)
    except (pyarrow.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())[:120]
        raise ClipassoError(f"{file}: cannot be read ({reason})") from None

    def rows() -> Iterator[tuple[int, list[Any]]]:
        number = 0
        try:
            with table:
                for batch in table.iter_batches(_CHUNK):
                    columns = [column.to_pylist() for column in batch.columns]
                    for row in zip(*columns, strict=True):
                        number += 1
                        yield number, list(row)
        except (pyarrow.ArrowException, OSError) as error:
            reason = " ".join(str(error).split())[:120]
            raise ClipassoError(f"{file}, after row {number}: {reason}") from None

    return list(table.schema_arrow.names), rows()


def _photo_column(file: Path, heading: list[str], asked: str | None) -> str:
    if asked is not None:
        if asked not in heading:
            raise ClipassoError(f"--column {asked}: {file} has {_listed(heading)}")
        return asked
    found = [name for name in heading if name.lower() in PHOTO_COLUMNS]
    if len(found) != 1:
        which = "several of them" if found else f"none of them among {_listed(heading)}"
        raise ClipassoError(
            f"{file}: photos are in a column {', '.join(PHOTO_COLUMNS[:-1])} or "
            f"{PHOTO_COLUMNS[-1]}, and it has {which}; name it with --column"
        )
    return found[0]


def _meant(file: Path, heading: list[str], photos: str, ignored: frozenset[str]) -> set[str]:
    """The columns that are options; refuses others, unless they are to be ignored."""
    if twice := sorted({name for name in heading if heading.count(name) > 1}):
        raise ClipassoError(f"{file}: has the column {twice[0]} twice")
    known: Mapping[str, str] = known_columns()
    wanted, unknown, seen = set[str](), list[str](), dict[str, str]()
    for name in heading:
        if name == photos or name in ignored:
            continue
        meaning = known.get(name.lower().replace("-", "_"))
        if meaning is None:
            unknown.append(name)
        elif (other := seen.setdefault(meaning, name)) != name:
            raise ClipassoError(f"{file}: its columns {other} and {name} mean the same")
        else:
            wanted.add(name)
    if unknown and "*" not in ignored:
        raise ClipassoError(
            f"{file}: no setting is called {_listed(unknown)}; --ignore-columns "
            f"{','.join(unknown)} passes over them, and * over all that mean nothing"
        )
    return wanted


def _listed(names: list[str]) -> str:
    shown = ", ".join(name or "(empty)" for name in names[:8])
    return shown + (" ..." if len(names) > 8 else "") or "no columns"
