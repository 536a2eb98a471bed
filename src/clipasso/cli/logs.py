"""`--verbose` and `--log FILE`: what happens inside, on stderr or as lines of JSON.

The library tells it to the loggers below `clipasso` and sets up none of them; that is done here.
"""

from __future__ import annotations

import functools
import inspect
import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated, Any, TypeVar

import typer

from clipasso.cli.console import say, shown
from clipasso.errors import ClipassoError

__all__ = ["logged", "logging_to"]

C = TypeVar("C", bound=Callable[..., Any])

_VERBOSE = Annotated[
    int,
    typer.Option(
        "-v", "--verbose", count=True, show_default=False, metavar="",
        help="Say what is done, and how long it takes; -vv says more.",
    ),
]  # fmt: skip
_LOG = Annotated[
    Path | None,
    typer.Option(
        "--log", metavar="FILE", help="Add what is done to a file, as lines of JSON; see -vv."
    ),
]


def logged(command: C) -> C:
    """Give a command the options `--verbose` and `--log`."""
    own = inspect.signature(command, eval_str=True)

    @functools.wraps(command)
    def wrapped(*given: Any, verbose: int = 0, log: Path | None = None, **options: Any) -> Any:
        with logging_to(verbose, log):
            return command(*given, **options)

    kinds = {"verbose": (_VERBOSE, 0), "log": (_LOG, None)}
    new = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in kinds.items()
    ]
    ours = [p.replace(kind=p.KEYWORD_ONLY) for p in own.parameters.values()]
    wrapped.__signature__ = own.replace(parameters=[*ours, *new])  # type: ignore[attr-defined]
    return wrapped  # type: ignore[return-value]


@contextmanager
def logging_to(verbose: int, log: Path | None) -> Iterator[None]:
    """While a command runs: what its loggers are told goes where it should.

    Args:
        verbose: 1 for what is done on stderr, 2 for all of it, 0 for nothing.
        log: a file to add all of it to, as lines of JSON; made if missing.

    Raises:
        ClipassoError: the file cannot be written, or holds something else.
    """
    if not verbose and log is None:
        yield
        return
    logger = logging.getLogger("clipasso")
    handlers: list[logging.Handler] = []
    with ExitStack() as held:
        if verbose:
            handlers.append(_Spoken(logging.INFO if verbose == 1 else logging.DEBUG))
        if log is not None:
            handlers.append(_Lines(held.enter_context(_opened(log)), log))
        before, level = logger.level, min(handler.level for handler in handlers)
        logger.setLevel(level)
        for handler in handlers:
            logger.addHandler(handler)
        try:
            yield
        except ClipassoError as error:
            logger.error("%s", error)
            raise
        except BaseException as error:
            logger.error("ended by %r", error)
            raise
        finally:
            logger.setLevel(before)
            for handler in handlers:
                logger.removeHandler(handler)


def _opened(path: Path) -> IO[bytes]:
    """A log to be added to.

    Raises:
        ClipassoError: it cannot be, or is no log.
    """
    try:
        if os.path.isfile(path):
            with path.open("rb") as there:
                if there.read(1) not in (b"", b"{"):
                    raise ClipassoError(f"--log {path}: holds no log; name another file")
        return path.open("ab", buffering=0)  # a full disk shows at once, and not on closing
    except OSError as error:
        reason = error.strerror or error
        raise ClipassoError(
            f"--log {path}: cannot be written ({reason}); name another file"
        ) from None


class _Spoken(logging.Handler):
    """Lines on stderr, with seconds since the command began."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self._began = time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.ERROR:  # errors are said anyway
            say(f"{time.monotonic() - self._began:7.2f} s  {record.getMessage()}")


class _Lines(logging.Handler):
    """Lines of JSON in a file, each there as soon as it is told."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        super().__init__(logging.DEBUG)
        self._file, self._path, self._began = file, path, time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "seconds": round(time.monotonic() - self._began, 3),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": shown(record.getMessage()),
            **getattr(record, "data", {}),
        }
        try:
            self._file.write(f"{json.dumps(line, default=str)}\n".encode())
        except OSError as error:  # a full disk costs no sketch
            logging.getLogger("clipasso").removeHandler(self)
            say(f"--log {self._path}: cannot be written any more ({error}); going on without")
