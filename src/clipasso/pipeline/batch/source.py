"""Where a batch's photos come from: folders, globs, lists, tables with options of each row."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from clipasso.errors import ClipassoError
from clipasso.photo.folders import pictures_among
from clipasso.pipeline.batch.tables import LISTS, TABLES, read_list, read_table
from clipasso.pipeline.output import own_pictures

__all__ = ["Entry", "Reading", "read_sources"]


@dataclass(frozen=True)
class Entry:
    """A photo of a batch.

    Attributes:
        path: where it is now.
        photo: what it is called in the batch: its path within its source, with `/`.
        name: of its results, without ending; None takes the photo's, without its own.
        options: of its row, by name, as in `rows.parse_row`.
        where: file and line that name it, for messages; "" where it was found in a folder.
    """

    path: str
    photo: str
    name: str | None = None
    options: tuple[tuple[str, object], ...] = ()
    where: str = ""


@dataclass(frozen=True)
class Reading:
    """How sources are read.

    Attributes:
        output: the folder of results, which is passed over.
        column: of a table, that names the photos; None takes `photo`, `path`, `file` or `image`.
        ignored: columns that are passed over; `*` for all that mean nothing.
    """

    output: Path
    column: str | None = None
    ignored: frozenset[str] = frozenset()


def read_sources(sources: Sequence[str | os.PathLike[str]], how: Reading) -> Iterator[Entry]:
    """The photos of all sources, in their order; of folders and globs sorted, folders last.

    Hidden files and folders are passed over, linked folders too, and so are pictures that belong
    to sketches of ours. Few are held at a time: those of one folder, all of a glob, none of a list.

    Raises:
        ClipassoError: a source that cannot be read, or has no photo.
    """
    if not sources:
        raise ClipassoError("batch: give photos, a folder, a glob, a list or a table")
    for source in sources:
        text, path = os.fspath(source), Path(source)
        if os.path.isdir(path):
            found = _in_folder(path, how)
        elif path.suffix.lower() in TABLES:
            found = _checked(path, _in_table(path, how))
        elif path.suffix.lower() in LISTS:
            found = _checked(path, _in_list(path))
        elif not os.path.exists(path) and glob.has_magic(text):
            found = _in_glob(text, how)
        else:
            found = iter([Entry(text, path.name)])
        some = False
        for entry in found:
            some = True
            yield entry
        if not some:
            what = "a folder without photos" if os.path.isdir(path) else "names no photo"
            raise ClipassoError(f"{text}: {what}; give photos, a folder of them, or a list")


def _in_folder(folder: Path, how: Reading) -> Iterator[Entry]:
    if _same(folder, how.output):
        raise ClipassoError(
            f"{how.output}: the photos are in it; choose another output folder with -o"
        )
    for here, inside, names in os.walk(folder, onerror=_refuse):
        inside[:] = sorted(
            name for name in inside
            if not name.startswith(".") and not _same(Path(here, name), how.output)
        )  # fmt: skip
        listing = pictures_among(Path(here, name) for name in names)
        ours = own_pictures(listing.others)
        for picture in listing.pictures:
            if picture not in ours:
                yield Entry(str(picture), picture.relative_to(folder).as_posix())


def _refuse(error: OSError) -> None:
    raise ClipassoError(f"{error.filename}: cannot be read ({error.strerror or error})")


def _in_glob(pattern: str, how: Reading) -> Iterator[Entry]:
    """Pictures that match; called by their paths below the last folder without a wildcard."""
    root = Path(pattern)
    while glob.has_magic(str(root)):
        root = root.parent
    found = sorted(glob.iglob(pattern, recursive=True))
    listing = pictures_among(path for path in map(Path, found) if how.output not in path.parents)
    ours = own_pictures(listing.others)
    for path in listing.pictures:
        if path not in ours:
            yield Entry(str(path), path.relative_to(root).as_posix())


def _in_list(file: Path) -> Iterator[Entry]:
    for number, line in read_list(file):
        yield _named(file, line, None, (), f"{file}, line {number}")


def _in_table(file: Path, how: Reading) -> Iterator[Entry]:
    for number, row in read_table(file, how.column, how.ignored):
        where = f"{file}, row {number}"
        yield _named(file, row.photo, row.name, _found(file, row.options), where)


def _found(file: Path, options: tuple[tuple[str, object], ...]) -> tuple[tuple[str, object], ...]:
    """A row's options, a mask that is a picture by its path from the file's own folder."""
    if not any(name == "mask" for name, _ in options):
        return options
    from clipasso.photo.masks import METHODS

    return tuple(
        (name, str(file.parent / str(value)) if name == "mask" and value not in METHODS else value)
        for name, value in options
    )


def _named(
    file: Path, photo: str, name: str | None, options: tuple[tuple[str, object], ...], where: str
) -> Entry:
    """A photo that a file names, from the file's own folder."""
    path = file.parent / photo
    home = os.path.abspath(file.parent)
    full = os.path.abspath(path)
    inside = os.path.commonpath([home, full]) == home if _one_drive(home, full) else False
    called = os.path.relpath(full, home) if inside else os.path.splitdrive(full)[1]
    return Entry(str(path), Path(called).as_posix().lstrip("/"), name, options, where)


def _checked(file: Path, entries: Iterator[Entry]) -> Iterator[Entry]:
    try:
        yield from entries
    except OSError as error:
        raise ClipassoError(f"{file}: cannot be read ({error.strerror or error})") from None


def _one_drive(one: str, other: str) -> bool:
    return os.path.splitdrive(one)[0] == os.path.splitdrive(other)[0]


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # one of them is not there
        return False
