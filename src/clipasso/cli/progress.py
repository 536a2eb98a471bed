"""The progress bar: step, loss, time left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clipasso.optimise import Progress

__all__ = ["progress_bar"]


@contextmanager
def progress_bar(name: str, silent: bool) -> Iterator[Callable[[Progress], None]]:
    """Show the loop's progress on stderr; yields what the loop is to call.

    Args:
        name: of the photo.
        silent: show nothing.
    """
    if silent:
        yield lambda progress: None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]}"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(escape(name), total=None, loss="...")

        def show(progress: Progress) -> None:
            loss = f"{min(progress.best):.4f}"
            bars.update(task, completed=progress.step, total=progress.steps, loss=loss)

        yield show
