"""Files of animations as commands write them: seen to be possible before the work, then written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from clipasso.cli.stdio import STANDARD
from clipasso.errors import ClipassoError
from clipasso.vector.safe_write import (
    check_names,
    exists,
    keep_apart,
    prepare_folder,
    refuse_existing,
)

if TYPE_CHECKING:
    from clipasso.vector.animate.files import FileOptions
    from clipasso.vector.animate.film import Animation

__all__ = ["encode_shown", "see_writable"]


def see_writable(path: Path, option: str, force: bool, read: Iterable[Path | None]) -> None:
    """See, before any work, that a file can be written; makes its folder.

    Args:
        path: of the file; standard output and devices are no matter.
        option: that names it.
        force: whether one that is there already may be overwritten.
        read: what the command reads.

    Raises:
        ClipassoError: it cannot be, or would overwrite what is read, or unasked what is there.
    """
    if path == STANDARD:
        return
    keep_apart(read, [path], option)
    if exists(path) and path.is_dir():
        raise ClipassoError(f"{option} {path}: is a folder; name a file")
    refuse_existing(path, force)
    if exists(path) and not path.is_file():
        return
    prepare_folder(path.parent, option)
    try:
        check_names([path])
    except ClipassoError as error:
        reason = str(error).rpartition(";")[0]
        raise ClipassoError(f"{option} {reason}; choose another name") from None


def encode_shown(film: Animation, options: FileOptions, name: str, silent: bool) -> bytes:
    """A file's bytes, with a bar on stderr, where that is a terminal, for what takes long."""
    from clipasso.vector.animate.files import encode

    times = options.loop if options.format == "mp4" else 1
    with _bar(name, film.duration * times, silent) as show:
        return encode(film, options, show)


@contextmanager
def _bar(name: str, seconds: float, silent: bool) -> Iterator[Callable[[float], None] | None]:
    if silent:
        yield None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    from clipasso.cli.console import shown

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True,
                  disable=not console.is_terminal) as bars:  # fmt: skip
        task = bars.add_task(escape(shown(name)), total=seconds)
        before = last = 0.0

        def show(done: float) -> None:
            nonlocal before, last
            if done < last:  # played again
                before += last
            last = done
            bars.update(task, completed=before + done)

        yield show
