"""Progress bars: step, loss, time left; of one sketch, and of a whole grid of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from clipasso.cli.console import say, shown
from clipasso.cli.stopping import Stopping

if TYPE_CHECKING:
    from clipasso.optimise import Progress

T = TypeVar("T")

__all__ = ["GridWords", "grid_bar", "progress_bar", "run_shown"]


def run_shown(
    name: str, silent: bool, stopping: Stopping, work: Callable[[Callable[[Progress], None]], T]
) -> T:
    """Run an optimisation behind a progress bar.

    Args:
        name: for the bar.
        silent: show none.
        stopping: is told that there is something to keep, once there is.
        work: takes what is to be called at every evaluation; what it returns is returned.
    """
    with progress_bar(name, silent) as show:

        def on_progress(progress: Progress) -> None:
            stopping.keeping = True
            show(progress)

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


class GridStep(Protocol):
    """What a grid of sketches tells at every evaluation.

    Attributes:
        number, runs: the sketch in work, from 1, and how many are to be made.
        kept: sketches that were there already.
        steps, of_steps: done and to do over the whole grid.
        loss: best so far of the sketch in work; None before its first evaluation.
    """

    @property
    def number(self) -> int: ...
    @property
    def runs(self) -> int: ...
    @property
    def kept(self) -> int: ...
    @property
    def label(self) -> str: ...
    @property
    def steps(self) -> int: ...
    @property
    def of_steps(self) -> int: ...
    @property
    def loss(self) -> float | None: ...
    @property
    def finished(self) -> bool: ...


@dataclass(frozen=True)
class GridWords:
    """How a grid is spoken of: while it loads, before each label, its items and its result."""

    loading: str
    before: str
    item: str
    result: str
    items: str = "runs"


@contextmanager
def grid_bar(
    words: GridWords, quiet: bool
) -> Iterator[tuple[Callable[[GridStep], None], Callable[[], str]]]:
    """Show a bar over a whole grid on stderr, or a line an item where that is no terminal.

    Yields what is to be called with the progress, and what says how far it came.

    Args:
        quiet: show nothing.
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=True)
    last: list[GridStep] = []
    columns = (
        TextColumn("{task.description}"), BarColumn(),
        TextColumn("{task.percentage:>3.0f} %  loss {task.fields[loss]}"), TimeRemainingColumn(),
        TextColumn("left"),
    )  # fmt: skip
    hidden = quiet or not console.is_terminal
    with Bars(*columns, console=console, transient=True, disable=hidden) as bars:
        task = bars.add_task(words.loading, total=None, loss="...")

        def show(now: GridStep) -> None:
            last[:] = [now]
            what = f"{now.number} of {now.runs}: {now.label}"
            loss = "..." if now.loss is None else f"{now.loss:#.4g}"
            bars.update(
                task, description=escape(shown(words.before + what)), completed=now.steps,
                total=now.of_steps, loss=loss,
            )  # fmt: skip
            if now.finished and not quiet and not console.is_terminal:
                say(f"{what}: loss {loss}")

        def so_far() -> str:
            done = last[0].kept + last[0].number - (not last[0].finished) if last else 0
            stay = (
                f"finished {words.items} that stay: {done}"
                if done else f"no {words.item} was finished"
            )  # fmt: skip
            return (
                f"stopped, no {words.result} was written; {stay}; "
                "the same command goes on from there"
            )

        yield show, so_far
