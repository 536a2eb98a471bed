"""Ctrl-C and SIGTERM: the first keeps what there is, and each is told from a mere end of input."""

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
    "terminable",
]

C = TypeVar("C", bound=Callable[..., Any])


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


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM raise `Terminated`, where it would end the process at once."""
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def on_terminate(number: int, frame: FrameType | None) -> None:
        raise Terminated

    signal.signal(signal.SIGTERM, on_terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


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
                self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.event.is_set() or not self.keeping:
            raise Terminated if number == signal.SIGTERM else KeyboardInterrupt
        self._number = number
        self.event.set()
