"""The progress bar of sketches that are optimised together: step, loss, time left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from clipasso.cli.console import shown
from clipasso.cli.forecast import Forecast
from clipasso.cli.stopping import Stopping

if TYPE_CHECKING:
    from clipasso.optimise.loop import Progress

T = TypeVar("T")

__all__ = ["progress_bar", "run_shown"]


def run_shown(
    name: str,
    silent: bool,
    stopping: Stopping,
    forecast: Forecast,
    work: Callable[[Callable[[Progress], None]], T],
    times: int = 1,
) -> T:
    """Run an optimisation behind a progress bar.

    Args:
        name: for the bar.
        silent: show none.
        stopping: is told that there is something to keep, once there is.
        forecast: is told how far it is.
        work: takes what is to be called at every evaluation; what it returns is returned.
        times: how many optimisations like this one there are in all.
    """
    with progress_bar(name, silent) as show:

        def on_progress(progress: Progress) -> None:
            stopping.keeping = True
            show(progress)
            forecast.see(progress.step, progress.steps * times)

        return work(on_progress)


@contextmanager
def progress_bar(name: str, silent: bool) -> Iterator[Callable[[Progress], None]]:
    """Show the loop's progress on stderr; yields what the loop is to call.

    The loss shown is the best so far, of several photos the mean of their best.

    Args:
        name: of the photo or photos.
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
        task = bars.add_task(escape(shown(name)), total=None, loss="...")
        best: dict[int, float] = {}

        def show(progress: Progress) -> None:
            best[progress.photo] = min(progress.best)
            loss = f"{sum(best.values()) / len(best):.4f}"
            bars.update(task, completed=progress.step, total=progress.steps, loss=loss)

        yield show
