"""Questions to servers, which may take a set time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

__all__ = ["in_time"]


def in_time(ask: Callable[[float], T], patience: float) -> T:
    """The answer to a question, if it comes in time.

    A thread does the asking: name resolution alone can hang for longer than any socket timeout.

    Args:
        ask: takes the time it has, seconds.
        patience: that time.

    Raises:
        TimeoutError: no answer yet.
        Exception: whatever `ask` raises.
    """
    answers: list[T] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            answers.append(ask(patience))
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(patience)
    if answers:
        return answers[0]
    raise errors[0] if errors else TimeoutError(f"no answer within {patience:g} s")
