"""Another version of this project beside this one, and commands of either in timed processes."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from clipasso.pipeline.capacity import THREADS
from common import git, load, processor_seconds

__all__ = ["Spent", "beside", "environment", "timed"]


@dataclass(frozen=True)
class Spent:
    """Of one command: seconds by the clock and of the processor, and the load before it."""

    seconds: float
    processor: float
    load: float


@contextmanager
def beside(revision: str) -> Iterator[Path]:
    """The checkout of another version, in a temporary folder that is removed in the end.

    Also after Ctrl-C or SIGTERM.

    Args:
        revision: any that git knows, or the folder of a checkout, which is left as it is.
    """
    if (Path(revision) / "src" / "clipasso").is_dir():
        yield Path(revision).resolve()
        return
    commit = git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if not commit:
        sys.exit(f"{revision}: no such revision or checkout here; see `git log`")
    heard = {kind: signal.getsignal(kind) for kind in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with tempfile.TemporaryDirectory(prefix="clipasso-", ignore_cleanup_errors=True) as folder:
            place = Path(folder) / commit[:12]
            try:
                if git("worktree", "add", "--detach", str(place), commit) is None:
                    sys.exit(f"{revision}: could not be checked out with `git worktree add`")
                yield place
            finally:
                for kind in heard:  # also by git: a second Ctrl-C must not leave half of it
                    signal.signal(kind, signal.SIG_IGN)
                git("worktree", "remove", "--force", str(place))
                git("worktree", "prune")
    finally:
        for kind, handler in heard.items():
            signal.signal(kind, handler)


def environment(checkout: Path, threads: int | None = None) -> dict[str, str]:
    """The variables with which Python imports a checkout's package, with so many threads.

    Where the interpreter would import another, as some installations make it, this ends.
    """
    chosen = {**os.environ, "PYTHONPATH": str(checkout / "src")}
    if threads is not None:
        chosen |= dict.fromkeys(THREADS, str(threads))
    code = "import importlib.util as u; print(u.find_spec('clipasso').origin)"
    found = subprocess.run(
        [sys.executable, "-c", code], env=chosen, capture_output=True, text=True, check=True
    ).stdout.strip()
    if not Path(found).resolve().is_relative_to(checkout.resolve()):
        sys.exit(f"{sys.executable}: imports {found} in place of {checkout}/src; uninstall it")
    return chosen


def timed(command: Sequence[str], variables: dict[str, str]) -> Spent:
    """Run a command to its end; where it fails this program ends with what it said."""
    busy, before, began = load(), processor_seconds(), time.perf_counter()
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    if done.returncode:
        sys.exit(f"{shlex.join(command)}: status {done.returncode}\n{done.stderr.strip()}")
    return Spent(seconds, processor_seconds() - before, busy)
