"""Says that the rasteriser is being compiled, where that takes long."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from clipasso.cli.console import say
from clipasso.raster.compiling import watched

__all__ = ["LONG_SECONDS", "compiling_said"]

LONG_SECONDS = 2.0
"""Compilation that takes longer than this in all is told of."""


@contextmanager
def compiling_said(quiet: bool = False) -> Iterator[None]:
    """Say once, while the block runs, that kernels have been compiled for `LONG_SECONDS`.

    Args:
        quiet: say nothing.
    """
    if quiet:
        yield
        return
    timer: threading.Timer | None = None
    began, left, told = 0.0, LONG_SECONDS, threading.Event()

    def tell() -> None:
        if not told.is_set():
            told.set()
            say("compiling the rasteriser, once after an install; later runs start at once")

    def watch(busy: bool) -> None:
        nonlocal timer, began, left
        if busy and not told.is_set():
            began, timer = monotonic(), threading.Timer(max(0.0, left), tell)
            timer.daemon = True
            timer.start()
        elif not busy and timer is not None:
            timer.cancel()
            left -= monotonic() - began

    with watched(watch):
        try:
            yield
        finally:
            told.set()
            if timer is not None:
                timer.cancel()
