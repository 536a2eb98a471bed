"""One display of several photos in work: a bar for all, and one for each process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from clipasso.cli.console import shown

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["Bars", "shown_bars"]


class Bars:
    """How far the photos are; shown if there is a display.

    Attributes:
        ended: photos that are done or given up.
    """

    def __init__(self, photos: int, steps: int, display: Progress | None) -> None:
        self.ended = 0
        self._photos, self._steps, self._display = photos, steps, display
        self._rows: dict[int, TaskID] = {}
        self._at: dict[int, int] = {}
        if display is not None:
            self._whole = display.add_task(
                f"{photos} photos", total=None, count="loading", loss=""
            )  # fmt: skip

    def show(self, worker: int, name: str, step: int, loss: float) -> None:
        """A worker is at this step of a photo, whose lowest loss so far is this."""
        self._at[worker] = step
        if self._display is None:
            return
        if worker not in self._rows:
            self._rows[worker] = self._display.add_task(
                "", total=self._steps, count="", loss=""
            )  # fmt: skip
        row = self._rows[worker]
        if step < self._display.tasks[self._display.task_ids.index(row)].completed:
            self._display.reset(row)  # else it would take the time of the photo before
        self._display.update(
            row, description=_plain(name), completed=step, count=f"{step}/{self._steps}",
            loss=f"loss {loss:.4f}", visible=True,
        )  # fmt: skip
        self._update()

    def end(self, worker: int) -> None:
        """A worker's photo is done or given up."""
        self.ended += 1
        self._at.pop(worker, None)
        if self._display is not None:
            if worker in self._rows:
                self._display.update(self._rows[worker], visible=False)
            self._update()

    def _update(self) -> None:
        assert self._display is not None
        self._display.update(
            self._whole, completed=self.ended * self._steps + sum(self._at.values()),
            total=self._photos * self._steps, count=f"{self.ended}/{self._photos}",
        )  # fmt: skip


@contextmanager
def shown_bars(photos: int, steps: int, silent: bool) -> Iterator[Bars]:
    """Show bars on stderr.

    Args:
        photos: how many in all.
        steps: of each, at most.
        silent: show nothing.
    """
    if silent:
        yield Bars(photos, steps, None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[count]}"),
        TextColumn("{task.fields[loss]}"), TimeRemainingColumn(), TextColumn("left"),
    )  # fmt: skip
    console = Console(stderr=True)
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as display:
        yield Bars(photos, steps, display)


def _plain(name: str) -> str:
    from rich.markup import escape

    return escape(shown(name))
