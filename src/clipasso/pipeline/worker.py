"""What runs in one of several processes: it loads once, then does tasks until there are no more.

`workers` is the other side. Here come pickled tasks, or nothing at all as the request to stop; a
pipe that breaks means that the parent has no more to do or has gone, and then this process goes
too. Back go pairs of a kind (`workers.Event`) and a value.
"""

from __future__ import annotations

import _thread
import io
import os
import pickle
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol

from clipasso.errors import MEMORY_SHORT, ClipassoError, ran_out_of_memory
from clipasso.pipeline.capacity import limit_threads

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from types import FrameType

__all__ = ["STOP", "Make", "Talk", "serve"]

STOP = b""
"""The request that the task in work should end with what it has."""

_PATIENCE = 3.0  # seconds that a task has to clean up when all is given up


class Talk:
    """How a task speaks to the parent.

    Attributes:
        stop: set when the task should end with what it has.
    """

    def __init__(self, connection: Connection) -> None:
        self.stop = threading.Event()
        self._connection, self._lock = connection, threading.Lock()

    def tell(self, what: Any) -> None:
        """Progress: from now on stopping keeps something."""
        self.send("told", what)

    def say(self, line: str) -> None:
        """A line for people."""
        self.send("said", line)

    def send(self, kind: str, value: Any = None) -> None:
        """Anything, from any thread."""
        with self._lock:
            self._connection.send((kind, value))


class Make(Protocol):
    """Loads what tasks share, once in each process; returns what does one."""

    def __call__(self, talk: Talk) -> Callable[[Any], Any]: ...


class _Printed(io.TextIOBase):
    """In place of stdout and stderr: whole lines go to the parent, who has the terminal."""

    def __init__(self, talk: Talk) -> None:
        self._talk, self._begun = talk, ""

    def write(self, text: str) -> int:
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            self._talk.send("printed", line)
        return len(text)


def serve(connection: Connection, make: bytes, threads: int, aloud: bool) -> None:
    """Be a worker; returns when there is no more to do.

    Args:
        connection: to the parent.
        make: what loads and works, pickled: threads are limited before anything is imported.
        threads: that libraries may use.
        aloud: loading may write to the terminal, as a download's bar does; of several workers one.
    """
    given_up, ended = threading.Event(), threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        """Ctrl-C reaches all processes of a terminal, but what it means the parent decides."""
        if given_up.is_set() and not ended.is_set():
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)
    talk, tasks = Talk(connection), SimpleQueue[bytes | None]()
    threading.Thread(target=_listen, args=(connection, talk, tasks, given_up), daemon=True).start()
    try:
        limit_threads(threads)
        _work(talk, tasks, make, aloud)
    except (KeyboardInterrupt, OSError):  # the parent wants no more, or has gone
        pass
    finally:
        ended.set()


def _listen(
    connection: Connection, talk: Talk, tasks: SimpleQueue[bytes | None], given_up: threading.Event
) -> None:
    """Take what comes; when nothing can come any more, see that this process ends."""
    try:
        while True:
            message = connection.recv_bytes()
            if message == STOP:
                talk.stop.set()
            else:
                tasks.put(message)
    except (EOFError, OSError):
        given_up.set()
    tasks.put(None)
    _thread.interrupt_main()
    time.sleep(_PATIENCE)
    os._exit(1)  # it is busy where no interrupt reaches it


def _work(talk: Talk, tasks: SimpleQueue[bytes | None], make: bytes, aloud: bool) -> None:
    with nullcontext() if aloud else _into(io.StringIO()):
        kind, work = _attempt(lambda: pickle.loads(make)(talk))
    if kind != "done":
        talk.send(kind, work)
        return

    def do(task: bytes) -> Any:
        return work(pickle.loads(task))

    talk.send("ready")
    with _into(_Printed(talk)):
        while (task := tasks.get()) is not None:
            talk.send(*_attempt(do, task))


@contextmanager
def _into(stream: Any) -> Iterator[None]:
    """Print there meanwhile."""
    with redirect_stdout(stream), redirect_stderr(stream):
        yield


def _attempt(call: Callable[..., Any], *arguments: Any) -> tuple[str, Any]:
    """What came of it: `done`, `failed` for what people can mend, `broken` for faults of ours."""
    try:
        return "done", call(*arguments)
    except ClipassoError as error:
        return "failed", error
    except Exception as error:
        if ran_out_of_memory(error):
            return "failed", ClipassoError(MEMORY_SHORT)
        return "broken", traceback.format_exc()
