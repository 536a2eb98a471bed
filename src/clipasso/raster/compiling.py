"""Compiling the CPU kernels before they are drawn with, and telling who waits for it.

Nothing heavy is imported here: numba comes in the thread that compiles, and in processes of their
own where there is nothing yet to load. Those compile while this one imports torch, which a thread
cannot, since both want Python's lock.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from glob import escape, glob
from typing import Literal

from clipasso._caches import kernel_folder

__all__ = ["Kernel", "compile_ahead", "report", "watched"]

Kernel = Literal["forward", "backward", "paint"]

_log = logging.getLogger(__name__)
_lock = threading.Lock()
_asked: set[Kernel] = set()
_watchers: list[Callable[[bool], None]] = []

_FUNCTIONS: dict[Kernel, tuple[str, str]] = {
    "forward": ("kernel_forward", "_forward"),
    "backward": ("kernel_backward", "_backward"),
    "paint": ("kernel_forward", "_paint"),
}
_TOGETHER: tuple[tuple[Kernel, ...], ...] = (("forward", "paint"), ("backward",))
"""What one process compiles in a row: `paint` shares most of its functions with `forward`."""

_Apart = dict[Kernel, "subprocess.Popen[bytes]"]

_APART = """
import sys
sys.path[:] = sys.argv[1].split(sys.argv[2])
from clipasso.raster.kernel import draw_once
for name in sys.argv[3:]:
    draw_once(name)
    print(flush=True)
"""


def compile_ahead(*kernels: Kernel) -> None:
    """Have kernels compiled in processes of their own, or loaded where their code was kept.

    Who draws meanwhile waits for no more than is missing. Where no process can be had or nothing
    can be kept, a thread compiles. A program that ends waits for the kernel at work, whose code is
    kept for the next run, but begins no other.

    Args:
        kernels: in the order in which they will be needed; those asked for before are left out.
    """
    with _lock:
        new = [name for name in kernels if name not in _asked]
        _asked.update(new)
    if new:
        arguments = (new, _start_apart(new))
        threading.Thread(target=_compile, args=arguments, name="clipasso-compiling").start()


def _start_apart(kernels: Sequence[Kernel]) -> _Apart:
    """Processes that compile what was not kept, where that is of use; each says a line for one."""
    folder = kernel_folder()
    found: _Apart = {}
    alone = getattr(sys, "frozen", False) or not sys.executable  # no Python to be started
    if folder is None or alone or (os.cpu_count() or 1) < 2:
        return found
    for row in _TOGETHER:
        names = [name for name in row if name in kernels and not _kept(name, folder)]
        if not names:
            continue
        paths = os.pathsep.join(map(str, sys.path))
        words = [sys.executable, "-c", _APART, paths, os.pathsep, *names]
        none, quiet = subprocess.DEVNULL, getattr(subprocess, "CREATE_NO_WINDOW", 0)
        try:
            process = subprocess.Popen(
                words, stdin=none, stdout=subprocess.PIPE, stderr=none, creationflags=quiet
            )
        except OSError as error:
            _log.debug("not compiled apart: %r", error)
            continue
        found.update(dict.fromkeys(names, process))
    return found


def _kept(name: Kernel, folder: str) -> bool:
    """Whether there is code of a kernel that seems to be of its source as it is now.

    A wrong answer costs time only: numba itself looks again, and closer.
    """
    module, function = _FUNCTIONS[name]
    source = os.path.join(os.path.dirname(__file__), f"{module}.py")
    file = f"{module}.{function}-*.py{sys.version_info[0]}{sys.version_info[1]}*.nbi"
    root = escape(folder)
    try:
        changed = os.path.getmtime(source)
        found = [*glob(os.path.join(root, file)), *glob(os.path.join(root, "*", file))]
        return any(os.path.getmtime(path) >= changed for path in found)
    except OSError:
        return False


def _compile(kernels: Sequence[Kernel], apart: _Apart) -> None:
    try:
        from clipasso.raster.compiled import elsewhere
        from clipasso.raster.kernel import draw_once

        for name in kernels:
            if name in apart:
                with elsewhere():
                    _wait(apart[name])
            if threading.main_thread().is_alive():
                draw_once(name)
        for process in apart.values():
            process.communicate()
    except Exception as error:  # who draws meets it too, and can say what it was for
        _log.debug("not compiled ahead: %r", error)


def _wait(process: subprocess.Popen[bytes]) -> None:
    """Until it has compiled one kernel more, or has ended."""
    assert process.stdout is not None
    if not process.stdout.readline():
        process.wait()


@contextmanager
def watched(watcher: Callable[[bool], None]) -> Iterator[None]:
    """Have a function called with True when a kernel begins to be compiled and with False after.

    It is called in the thread that waits for it, and never for code that is loaded.
    """
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)


def report(busy: bool) -> None:
    """Tell the watchers."""
    _log.info("a kernel is being compiled" if busy else "the kernel is compiled")
    for watcher in tuple(_watchers):
        watcher(busy)
