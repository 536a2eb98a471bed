"""Ctrl-C and SIGTERM: the first keeps what there is, and each is told from a mere end of input.

Neither acts while a module is imported. Raised in there, an interrupt may be swallowed, end the
process from within C++, or leave a module's lock that is never released, and what is compiled in
another thread then waits for it for ever.
"""

from __future__ import annotations

import functools
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, TypeVar

__all__ = [
    "Cancelled",
    "Ended",
    "Stopping",
    "Terminated",
    "cancellable",
    "exit_status",
    "outside_imports",
    "terminable",
]

C = TypeVar("C", bound=Callable[..., Any])
Handler = Callable[[int, FrameType | None], None]

_AGAIN = 0.02  # seconds until an import is looked after again


class Terminated(KeyboardInterrupt):
    """SIGTERM, taken as Ctrl-C is: whoever cleans up after the one does after the other."""


class Cancelled(Exception):  # noqa: N818 - no error
    """A command that was interrupted.

    Attributes:
        status: what the process should end with.
        said: whether it has been said what is left of its work.
    """

    def __init__(self, status: int, said: bool = False) -> None:
        super().__init__(status)
        self.status = status
        self.said = said


class Ended(int):
    """The exit status of a command that has ended by itself and has said what there was to say."""


def exit_status(error: BaseException) -> int:
    """128 and the signal's number, as shells have it."""
    return 128 + (signal.SIGTERM if isinstance(error, Terminated) else signal.SIGINT)


def cancellable(command: C) -> C:
    """A command that returns `Ended` and whose interrupts come out as `Cancelled`.

    The library of the command line turns a KeyboardInterrupt into the mere number 130, and takes an
    EOFError, as a cut file may raise it, for Ctrl-C.
    """

    @functools.wraps(command)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        try:
            return Ended(command(*arguments, **options) or 0)
        except KeyboardInterrupt as error:
            raise Cancelled(exit_status(error)) from error
        except EOFError as error:
            raise RuntimeError(f"unexpected end of a file: {error}") from error

    return wrapped  # type: ignore[return-value]


def outside_imports(act: Callable[[int], None]) -> Handler:
    """A signal's handler that acts once the main thread imports nothing; at once on Windows."""

    def handle(number: int, frame: FrameType | None) -> None:
        if not _importing(frame) or not hasattr(signal, "setitimer"):
            act(number)
            return
        signal.signal(signal.SIGALRM, lambda _, later: handle(number, later))
        signal.setitimer(signal.ITIMER_REAL, _AGAIN)

    return handle


def _importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def _interrupt(number: int) -> None:
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM raise `Terminated`, where it would end the process at once, and both wait for
    imports."""
    usual = {signal.SIGTERM: signal.SIG_DFL, signal.SIGINT: signal.default_int_handler}
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number, handler in usual.items():
            if signal.getsignal(number) is handler:
                before[number] = signal.signal(number, outside_imports(_interrupt))
    try:
        yield
    finally:
        for number, was in before.items():
            signal.signal(number, was)


class Stopping:
    """Turns the first Ctrl-C or SIGTERM into a request to stop, while there is something to keep.

    Otherwise, and for a second one, the interrupt takes its usual way. A context manager.

    Attributes:
        event: set by the request; the loop watches it.
        keeping: whether there is something to keep; the loop's first evaluation sets it.
    """

    def __init__(self) -> None:
        self.event = threading.Event()
        self.keeping = False
        self._number: int = signal.SIGINT
        self._before: dict[int, Any] = {}

    @property
    def status(self) -> int:
        """What a process that was asked to stop should end with."""
        return 128 + self._number

    def __enter__(self) -> Stopping:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, outside_imports(self._act))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _act(self, number: int) -> None:
        if self.event.is_set() or not self.keeping:
            _interrupt(number)
        self._number = number
        self.event.set()
