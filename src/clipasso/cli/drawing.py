"""A sketch read for a command that makes one file of it, and that file written."""

from __future__ import annotations

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

__all__ = ["deliver", "prepare", "read_drawing"]


def prepare(source: Path, target: Path, force: bool) -> None:
    """See that the file can be written, before any work.

    Raises:
        ClipassoError: it would overwrite what is read or, unasked, what is there; or it cannot be
            made.
    """
    if target == STANDARD:
        return
    keep_apart([source], [target])
    refuse_existing(target, force)
    if not exists(target):
        prepare_folder(target.parent)
        check_names([target], "choose another name with -o")


def read_drawing(source: Path) -> tuple[str, Sketch]:
    """What messages call it, and the sketch: of an SVG file or of `clipasso export`'s JSON.

    What is no stroke is said on stderr, a line a kind.

    Raises:
        ClipassoError: it cannot be read, or has no strokes.
    """
    from clipasso.vector.sketch import Sketch, open_sketch, read_sketch

    name = "standard input" if source == STANDARD else str(source)
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
    if not len(drawing):
        raise ClipassoError(f"{name}: has no strokes to draw; give its shapes a stroke")
    return name, drawing


def deliver(data: bytes, target: Path, force: bool) -> str:
    """Write the file, and return what messages call it.

    Raises:
        ClipassoError: it cannot be written.
    """
    if target == STANDARD:
        tell_bytes(data)
        return "standard output"
    write_atomically(target, data, replace=force)
    return str(target)
