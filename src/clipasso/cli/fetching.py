"""`clipasso encoders --get`: weights fetched before they are needed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from clipasso.cli.console import say, shown, tell
from clipasso.cli.stopping import Cancelled, exit_status
from clipasso.errors import ClipassoError
from clipasso.pipeline.words import size_in_words

if TYPE_CHECKING:
    from clipasso.encoders.fetch import Remote

__all__ = ["get"]


def get(names: list[str]) -> None:
    """Fetch encoders' weights, one after the other, and say where they are.

    Raises:
        ClipassoError: a name that is none, or weights that cannot be had.
        Cancelled: interrupted; what has come stays, and that has been said.
    """
    from clipasso.encoders import EMBEDDED, PAPER, SALIENCY, has_weights, split_name

    for name in names:  # all names before any download
        if name == "auto":
            raise ClipassoError(f"--get auto: name one, as {PAPER}, which auto takes where it is")
        if name != EMBEDDED:
            split_name(name)
    for name in names:
        if name == EMBEDDED:
            tell(f"{name}: comes with the program")
        else:
            _get(name, *split_name(name))
    if PAPER in {split_name(n)[0] for n in names if n != EMBEDDED} and not has_weights(SALIENCY):
        say(
            f"{SALIENCY} places the first strokes for {PAPER} where it is here too: "
            f"clipasso encoders --get {SALIENCY}"
        )


def _get(name: str, architecture: str, tag: str) -> None:
    from clipasso.encoders.fetch import fetch, find_remote
    from clipasso.encoders.hub import cached_weights

    path = cached_weights(architecture, tag)
    if path is not None and not _is_damaged(path):
        tell(f"{name}: here already, {path} ({size_in_words(os.path.getsize(path))})")
        return
    remote = find_remote(architecture, tag)
    begun = f", of which {size_in_words(remote.here)} are here" if remote.here else ""
    say(
        f"{name}: fetching {remote.file} of {remote.repository} from the model hub, "
        f"{size_in_words(remote.size)}{begun}"
    )
    try:
        with _bar(name, remote) as show:
            path = fetch(remote, show)
    except KeyboardInterrupt as error:
        say(
            f"stopped; {size_in_words(remote.here)} of {size_in_words(remote.size)} are here, "
            "and the same command goes on from there"
        )
        raise Cancelled(exit_status(error), said=True) from error
    tell(f"{name}: {path} ({size_in_words(remote.size)}, checksum right)")


def _is_damaged(path: Path) -> bool:
    """Whether it must be fetched anew; removes what is not what its name says."""
    from clipasso.encoders.fetch import damaged

    try:
        if (bad := damaged(path)) is None:
            return False
        say(f"{path}: damaged, its checksum is wrong; it is fetched anew")
        bad.unlink()
        return True
    except OSError as error:
        raise ClipassoError(f"{path}: cannot be checked ({error.strerror or error})") from None


@contextmanager
def _bar(name: str, remote: Remote) -> Iterator[Callable[[int], None]]:
    """Show on stderr what has come, the speed and the time left; yields what is to be called."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(),
        TimeRemainingColumn(), TextColumn("left"),
    )  # fmt: skip
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as bars:
        task = bars.add_task(escape(shown(name)), total=remote.size, completed=remote.here)
        yield lambda count: bars.update(task, completed=count)
