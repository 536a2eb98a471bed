"""Commands that make one file of one sketch: what they read, and where they write."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from clipasso.cli.console import say, tell, tell_bytes
from clipasso.cli.stdio import STANDARD, read_standard
from clipasso.errors import ClipassoError

if TYPE_CHECKING:
    from clipasso.vector.sketch import Sketch

__all__ = ["deliver", "kind_of", "named", "read_drawing", "settle_target"]


def named(path: Path) -> str:
    """What messages call a file that is read."""
    return "standard input" if path == STANDARD else str(path)


def read_drawing(path: Path) -> Sketch:
    """The strokes of an SVG file or of standard input; what is not kept of it is said.

    Raises:
        ClipassoError: it cannot be read, is no SVG, or has no strokes.
    """
    from clipasso.vector.sketch import open_sketch, read_sketch

    name = named(path)
    read = read_sketch(read_standard(), name) if path == STANDARD else open_sketch(path)
    for line in read[1]:
        say(f"{name}: not kept: {line}")
    if not len(read[0]):
        raise ClipassoError(f"{name}: has no strokes to draw; give its shapes a stroke")
    return read[0]


def settle_target(target: Path, read: Iterable[Path], force: bool) -> None:
    """See, before any work, that a result can be written and nothing is lost by it.

    Raises:
        ClipassoError: it is read by this command, exists already, or cannot be made.
    """
    from clipasso.vector.safe_write import check_names, keep_apart, refuse_existing

    if target == STANDARD:
        return
    keep_apart(read, [target])
    refuse_existing(target, force)
    if target.is_dir():
        raise ClipassoError(f"{target}: is a folder; name a file in it with -o")
    check_names([target], "choose another output with -o")


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


def deliver(target: Path, data: bytes | str, force: bool, words: str) -> None:
    """Write a result, whole or not at all, and tell where it is."""
    from clipasso.vector.safe_write import write_atomically

    if target == STANDARD:
        tell_bytes(data.encode() if isinstance(data, str) else data)
        tell(f"standard output  {words}")
    else:
        write_atomically(target, data, replace=force)
        tell(f"{target}  {words}")
