"""Compiling the CPU kernels before they are drawn with, and telling who waits for it.

Nothing heavy is imported here: numba comes in the thread that compiles.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

__all__ = ["Kernel", "compile_ahead", "report", "watched"]

Kernel = Literal["forward", "backward", "paint"]

_log = logging.getLogger(__name__)
_lock = threading.Lock()
_asked: set[Kernel] = set()
_watchers: list[Callable[[bool], None]] = []


def compile_ahead(*kernels: Kernel) -> None:
    """Have kernels compiled in a thread, or loaded where an earlier run kept their code.

    Who draws meanwhile waits for no more than is missing. A program that ends waits for the kernel
    at work, whose code is kept for the next run, but begins no other.

    Args:
        kernels: in the order in which they will be needed; those asked for before are left out.
    """
    with _lock:
        new = [name for name in kernels if name not in _asked]
        _asked.update(new)
    if new:
        threading.Thread(target=_compile, args=(new,), name="clipasso-compiling").start()


def _compile(kernels: list[Kernel]) -> None:
    try:
        from clipasso.raster.kernel import draw_once

        for name in kernels:
            if threading.main_thread().is_alive():
                draw_once(name)
    except Exception as error:  # who draws meets it too, and can say what it was for
        _log.debug("not compiled ahead: %r", error)


@contextmanager
def watched(watcher: Callable[[bool], None]) -> Iterator[None]:
    """Have a function called with True when a kernel begins to be compiled and with False after.

    It is called in the thread that compiles, and never for code that is loaded.
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
