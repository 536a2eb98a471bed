"""Animations made into files, with a bar where that takes long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clipasso.vector.animate.files import FileOptions
    from clipasso.vector.animate.film import Animation

__all__ = ["encode_shown"]


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
