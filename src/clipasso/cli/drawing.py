"""A sketch read for a command that makes one file of it, and that file written."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from clipasso.cli.console import say, tell_bytes
from clipasso.cli.stdio import STANDARD, read_standard
from clipasso.errors import ClipassoError
from clipasso.vector.safe_write import (
    check_names,
    exists,
    keep_apart,
    prepare_folder,
    refuse_existing,
    write_atomically,
)

if TYPE_CHECKING:
    from clipasso.vector.sketch import Sketch

__all__ = ["beside", "deliver", "kind_of", "named", "prepare", "read_drawing"]


def named(path: Path, way: str = "input") -> str:
    """What messages call a file that is read, or written (`output`)."""
    return f"standard {way}" if path == STANDARD else str(path)


def beside(source: Path, ending: str) -> Path:
    """Where a command's file goes if nothing is said: beside what it reads, or standard output.

    Args:
        ending: in place of the source's suffix, as `-color.svg`.

    Raises:
        ClipassoError: the source has no name, or the ending is none of a name.
    """
    if source == STANDARD:
        return STANDARD
    try:
        return source.with_name(f"{source.stem}{ending}")
    except ValueError:
        raise ClipassoError(f"{source}: no file can be named after it; name one with -o") from None


def prepare(read: Iterable[Path | None], target: Path, force: bool, option: str = "-o") -> None:
    """See, before any work, that a file can be written; makes its folder.

    Args:
        read: what the command reads, which it must not overwrite.
        target: the file; standard output and devices are no matter.
        force: whether one that is there already may be overwritten.
        option: that names it.

    Raises:
        ClipassoError: it would overwrite what is read or, unasked, what is there; or it cannot be
            made.
    """
    if target == STANDARD:
        return
    keep_apart(read, [target], option)
    if exists(target) and os.path.isdir(target):
        raise ClipassoError(f"{option} {target}: is a folder; name a file in it")
    refuse_existing(target, force)
    if not exists(target):
        prepare_folder(target.parent, option)
        check_names([target], f"choose another name with {option}")


def read_drawing(source: Path, empty: bool = False) -> tuple[str, Sketch]:
    """What messages call it, and the sketch: of an SVG file or of `clipasso export`'s JSON.

    What is no stroke is said on stderr, a line a kind.

    Args:
        empty: whether it may have no strokes.

    Raises:
        ClipassoError: it cannot be read, or has no strokes.
    """
    from clipasso.vector.sketch import Sketch, open_sketch, read_sketch

    name = named(source)
    skipped: tuple[str, ...] = ()
    data = read_standard() if source == STANDARD else None
    if source != STANDARD and source.suffix.lower() == ".json":
        try:
            data = source.read_bytes()
        except OSError as error:
            raise ClipassoError(f"{name}: cannot be read: {error.strerror}") from None
    if data is None:
        drawing, skipped = open_sketch(source)
    elif data.lstrip().startswith(b"{"):
        try:
            drawing = Sketch.from_json(data)
        except ClipassoError as error:
            raise ClipassoError(f"{name}: {error}") from None
    else:
        drawing, skipped = read_sketch(data, name)
    for line in skipped:
        say(f"{name}: not kept: {line}")
    if not len(drawing) and not empty:
        raise ClipassoError(f"{name}: has no strokes to draw; give its shapes a stroke")
    return name, drawing


def kind_of(target: Path, asked: str | None, kinds: tuple[str, ...]) -> str:
    """The format that a result is written in: what is asked for, or the ending of its name.

    Raises:
        ClipassoError: none of `kinds`, none at all, or two that differ.
    """
    words = " or ".join(kinds)
    if asked is not None and asked not in kinds:
        raise ClipassoError(f"--format {asked}: must be {words}")
    ending = "" if target == STANDARD else target.suffix.lower().removeprefix(".")
    if asked is None and ending not in kinds:
        where = "-o -" if target == STANDARD else str(target)
        how = f"end its name in .{' or .'.join(kinds)}, or give --format"
        raise ClipassoError(f"{where}: {how if target != STANDARD else f'say --format {words}'}")
    if asked is not None and ending in kinds and ending != asked:
        raise ClipassoError(
            f"{target}: ends in .{ending}, but --format {asked} was given; drop one"
        )
    return asked or ending


def deliver(data: bytes | str, target: Path, force: bool) -> str:
    """Write the file, and return what messages call it.

    Raises:
        ClipassoError: it cannot be written.
    """
    if target == STANDARD:
        tell_bytes(data.encode() if isinstance(data, str) else data)
        return named(target, "output")
    write_atomically(target, data, replace=force)
    return str(target)
