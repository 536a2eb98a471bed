"""Functions compiled by numba, whose machine code is kept between runs where that is possible.

numba itself stops where there is no folder to keep code in, where a kept file was cut short and
where the disk is full. None of these is a reason not to draw: the code is compiled anew.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from numba import config, njit
from numba.core import event
from numba.core.compiler_lock import global_compiler_lock

from clipasso.raster.compiling import report

try:
    from numba.core.caching import FunctionCache
except ImportError:  # numba's own business: without it code is compiled in every run
    FunctionCache = object

__all__ = ["compiled", "elsewhere", "uncompiled"]

_log = logging.getLogger(__name__)


def compiled(kept: bool = True, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """A decorator: compile a function on its first call, or take the code that an earlier run kept.

    Args:
        kept: whether its code is kept for later runs; that of what it calls is part of it.
        options: numba's, for `numba.njit`; not `cache`.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        dispatcher = njit(**options)(function)
        # Without it: NUMBA_DISABLE_JIT, or numba has changed.
        if kept and hasattr(dispatcher, "_cache"):
            try:
                dispatcher._cache = _KernelCache(function)
            except Exception as error:
                _log.debug("%s is compiled in every run: %s", function.__name__, error)
        return dispatcher

    return decorate


@contextmanager
def uncompiled() -> Iterator[None]:
    """Let numba leave alone what is imported meanwhile, but for our own kernels."""
    from clipasso.raster import kernel  # noqa: F401  # before another thread asks for it

    with global_compiler_lock:  # no other thread compiles half of a kernel so
        before, config.DISABLE_JIT = config.DISABLE_JIT, True
        try:
            yield
        finally:
            config.DISABLE_JIT = before


@contextmanager
def elsewhere() -> Iterator[None]:
    """Whoever needs a kernel waits, while other processes compile them; watchers are told."""
    with global_compiler_lock:
        report(True)
        try:
            yield
        finally:
            report(False)


class _Reporter(event.Listener):  # type: ignore[misc]
    """Tells of the compilation of our kernels; under numba's lock, so one at a time."""

    def __init__(self) -> None:
        self._depth = 0

    def on_start(self, event: Any) -> None:
        self._count(event, 1)

    def on_end(self, event: Any) -> None:
        self._count(event, -1)

    def _count(self, event: Any, by: int) -> None:
        function = getattr((event.data or {}).get("dispatcher"), "py_func", None)
        if not getattr(function, "__module__", "").startswith("clipasso."):
            return
        before, self._depth = self._depth, self._depth + by
        if not before or not self._depth:
            report(by > 0)


event.register("numba:compile", _Reporter())


class _KernelCache(FunctionCache):  # type: ignore[misc]
    """numba's cache of one function, which no state of the disk makes fail."""

    def load_overload(self, *asked: Any) -> Any:
        try:
            return super().load_overload(*asked)
        except Exception as error:  # an empty or cut pickle fails in many ways
            _log.debug("%s: unreadable code is compiled anew: %r", self._name, error)
            self._throw_away()
            return None

    def save_overload(self, *kept: Any) -> None:
        try:
            super().save_overload(*kept)
        except Exception as error:
            _log.debug("%s: its code cannot be kept: %r", self._name, error)

    def _throw_away(self) -> None:
        try:
            self.flush()  # numba then takes the data files for free
        except Exception as error:
            _log.debug("%s: its code stays unreadable: %r", self._name, error)
            self.disable()
