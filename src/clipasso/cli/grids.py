"""What commands over a whole grid of sketches share: their bar, their interrupts, their counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from clipasso.cli.compiling import compiling_said
from clipasso.cli.console import say, shown, tell
from clipasso.cli.forecast import Forecast
from clipasso.cli.stopping import Cancelled, exit_status
from clipasso.errors import ClipassoError
from clipasso.pipeline.claims import claimed

if TYPE_CHECKING:
    from clipasso.pipeline.grid import GridProgress

T = TypeVar("T")

__all__ = ["GridWords", "counts", "run_grid", "tell_files"]


def counts(text: str | None, example: str) -> tuple[int, ...]:
    """Numbers of strokes from a text such as `4,8,16`; none for None.

    Raises:
        ClipassoError: not understood; `example` shows how.
    """
    if text is None:
        return ()
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or not all(part.isdecimal() for part in parts):
        raise ClipassoError(f"--strokes {text}: give a number, or several as in {example}")
    return tuple(map(int, parts))


def tell_files(files: Iterable[Path], quiet: bool) -> None:
    """Say what was written."""
    if not quiet:
        for file in files:
            tell(str(file))


def run_grid(
    words: GridWords, folder: Path | None, quiet: bool,
    work: Callable[[Callable[[GridProgress], None]], T],
) -> T:  # fmt: skip
    """Make a grid behind a bar, with its folder of runs held for this process.

    Args:
        folder: exists; its `runs` are where sketches are kept. None: `work` holds what it needs.
        quiet: show nothing.
        work: takes what is to be called with the progress; what it returns is returned.

    Raises:
        Cancelled: interrupted; how far it came has been said.
        ClipassoError: another process is at work there.
    """
    bar = _grid_bar(words, quiet)
    held = nullcontext() if folder is None else claimed(folder, "runs")
    with held, compiling_said(quiet), bar as (show, so_far):
        try:
            return work(show)
        except KeyboardInterrupt as error:
            say(so_far())
            raise Cancelled(exit_status(error), said=True) from error


@dataclass(frozen=True)
class GridWords:
    """How a grid is spoken of: while it loads, before each label, its items and its result."""

    loading: str
    before: str
    item: str
    result: str
    items: str = "runs"


@contextmanager
def _grid_bar(
    words: GridWords, quiet: bool
) -> Iterator[tuple[Callable[[GridProgress], None], Callable[[], str]]]:
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
    last: list[GridProgress] = []
    columns = (
        TextColumn("{task.description}"), BarColumn(),
        TextColumn("{task.percentage:>3.0f} %  loss {task.fields[loss]}"), TimeRemainingColumn(),
        TextColumn("left"),
    )  # fmt: skip
    hidden = quiet or not console.is_terminal
    forecast = Forecast(
        lambda: f"{last[0].runs} {words.items if last[0].runs > 1 else words.item}",
        f"Ctrl-C keeps finished {words.items}, and the same command goes on from there",
        quiet,
    )
    with Bars(*columns, console=console, transient=True, disable=hidden) as bars:
        task = bars.add_task(words.loading, total=None, loss="...")

        def show(now: GridProgress) -> None:
            last[:] = [now]
            what = f"{now.number} of {now.runs}: {now.label}"
            loss = "..." if now.loss is None else f"{now.loss:#.4g}"
            bars.update(
                task, description=escape(shown(words.before + what)), completed=now.steps,
                total=now.of_steps, loss=loss,
            )  # fmt: skip
            forecast.see(now.steps, now.of_steps)
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
