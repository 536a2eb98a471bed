"""What commands that make sketches share: where results go, messages, and Ctrl-C."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from clipasso.errors import ClipassoError

if TYPE_CHECKING:
    from clipasso.optimise import Progress
    from clipasso.result import Result

T = TypeVar("T")

__all__ = ["Outlet", "run_shown", "say", "stop_on_interrupt"]


def say(line: str) -> None:
    """One line on stderr."""
    print(f"clipasso: {line}", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Outlet:
    """Where results go and what is told of them.

    Attributes:
        folder: for the files; made if missing.
        seeds: of each result, at most.
        all_seeds, debug: write more files (`write_result`).
        force: overwrite existing files.
        quiet, as_json: print nothing, or each report as a line of JSON.
    """

    folder: Path
    seeds: int
    all_seeds: bool
    debug: bool
    force: bool
    quiet: bool
    as_json: bool

    @property
    def silent(self) -> bool:
        """Whether a progress bar would be in the way."""
        return self.quiet or self.as_json

    def plan(self, photos: Iterable[Path]) -> list[tuple[Path, str]]:
        """Photos and the stems of their results; sees clashes and bad folders before any work."""
        by_stem: dict[str, Path] = {}
        for photo in photos:
            other = by_stem.setdefault(photo.stem, photo)
            if other is not photo:
                raise ClipassoError(
                    f"{photo} and {other}: would both be written as "
                    f"{self.folder / photo.stem}.svg; sketch them into different folders"
                )
            self.claim(photo.stem)
        self.prepare()
        return [(photo, stem) for stem, photo in by_stem.items()]

    def claim(self, stem: str) -> None:
        """See that no file of this stem would be overwritten unasked."""
        from clipasso.output import planned_files

        for path in planned_files(
            self.folder, stem, self.seeds, all_seeds=self.all_seeds, debug=self.debug
        ):
            if path.exists() and not self.force:
                raise ClipassoError(f"{path}: exists already; give --force to overwrite it")

    def prepare(self) -> None:
        """Make the folder."""
        from clipasso.files import prepare_folder

        prepare_folder(self.folder)

    def write(self, result: Result, stem: str) -> None:
        """Write a result's files and say so."""
        from clipasso.output import write_result

        files = write_result(result, self.folder, stem, all_seeds=self.all_seeds, debug=self.debug)
        if self.as_json:
            report = {**result.report(), "files": [str(f) for f in files]}
            print(json.dumps(report), flush=True)
        elif not self.quiet:
            times = result.photo.frame.zoom
            zoom = "" if times == 1 else f", zoomed {round(times, 1):g} times to its object"
            loss = result.outcome.losses[result.outcome.winner]
            together = f" with {result.together - 1} more" if result.together > 1 else ""
            print(
                f"{files[0]}  {len(result.sketch)} strokes, loss {loss:.4g}, seed {result.seed}, "
                f"{result.outcome.steps} steps in {sum(result.seconds.values()):.0f} s{together}, "
                f"{result.encoder}, mask: {result.mask.source}{zoom}",
                flush=True,
            )
        if result.outcome.stopped == "interrupted":
            say(f"stopped at step {result.outcome.steps}; the best sketch so far is written")


def run_shown(
    name: str,
    silent: bool,
    work: Callable[[Callable[[Progress], None], threading.Event], T],
) -> T:
    """Run an optimisation with a progress bar and a soft landing for Ctrl-C.

    Args:
        name: for the bar.
        silent: show none.
        work: takes what is to be called at every evaluation, and the event that asks it to end;
            what it returns is returned.
    """
    from clipasso.cli.progress import progress_bar

    with stop_on_interrupt() as (stop, started), progress_bar(name, silent) as show:

        def on_progress(progress: Progress) -> None:
            started.set()
            show(progress)

        return work(on_progress, stop)


@contextmanager
def stop_on_interrupt() -> Iterator[tuple[threading.Event, threading.Event]]:
    """Turn the first Ctrl-C into a request to stop, once there is something to keep.

    Yields (stop, started): the loop watches the one, its first evaluation sets the other. Before
    that, and for a second Ctrl-C, the interrupt takes its usual way.
    """
    stop, started = threading.Event(), threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop, started
        return

    def on_interrupt(number: int, frame: Any) -> None:
        if stop.is_set() or not started.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield stop, started
    finally:
        signal.signal(signal.SIGINT, before)
