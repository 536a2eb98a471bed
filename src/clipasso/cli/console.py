"""What is said to people: lines that no file name, full disk or closed pipe turns into a crash."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, cast

__all__ = ["Stream", "say", "shown", "tell", "tell_bytes", "tolerant_streams"]


def shown(text: object) -> str:
    """A text on one line that is safe for a terminal: what is not printable is escaped.

    File names may hold line ends, a terminal's control sequences, or bytes of no encoding.
    """
    return "".join(c if c.isprintable() else _escaped(c) for c in str(text))


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file name that is no text
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")


def say(line: str) -> None:
    """One line on stderr."""
    print(f"clipasso: {shown(line)}", file=sys.stderr, flush=True)


def tell(line: str) -> None:
    """One line on stdout, or on stderr where stdout carries a result (`tell_bytes`)."""
    out = sys.stdout
    if getattr(out, "carries_bytes", False):
        out = sys.stderr
    print(shown(line), file=out, flush=True)


def tell_bytes(data: bytes) -> None:
    """A result on stdout, as for `-o -`; lines go to stderr from then on."""
    out = sys.stdout
    if isinstance(out, Stream):
        out.write_bytes(data)
    elif out is not None:
        out.flush()
        out.buffer.write(data)
        out.buffer.flush()


class Stream:
    """A text stream that escapes what it cannot encode and falls silent when it is lost.

    Attributes:
        lost: why nothing can be written any more, as a full disk or a reader that has gone.
        carries_bytes: whether a result was written.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self.lost: OSError | ValueError | None = None
        self.carries_bytes = False

    def write(self, text: str) -> int:
        """Write it, as far as that is possible; returns its length."""
        if self.lost is None:
            with self._losing():
                try:
                    self._stream.write(text)
                except UnicodeEncodeError as error:
                    encoded = text.encode(error.encoding, "backslashreplace")
                    self._stream.write(encoded.decode(error.encoding))
        return len(text)

    def flush(self) -> None:
        """Hand on what was written."""
        if self.lost is None:
            with self._losing():
                self._stream.flush()

    def write_bytes(self, data: bytes) -> None:
        """Write beside the encoding."""
        self.carries_bytes = True
        if self.lost is None:
            with self._losing():
                self._stream.flush()
                self._stream.buffer.write(data)  # type: ignore[attr-defined]
                self._stream.buffer.flush()  # type: ignore[attr-defined]

    def silence(self) -> None:
        """Let nothing that is still buffered fail at the interpreter's end."""
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)

    @contextmanager
    def _losing(self) -> Iterator[None]:
        """Take note of a failure in place of raising it."""
        try:
            yield
        except (OSError, ValueError) as error:  # ValueError: it has been closed
            self.lost = error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def tolerant_streams() -> Iterator[tuple[Stream | None, Stream | None]]:
    """Make stdout and stderr such streams; None stands for one that was closed at the start."""
    before = sys.stdout, sys.stderr
    made = tuple(None if stream is None else Stream(stream) for stream in before)
    sys.stdout, sys.stderr = cast("tuple[Any, Any]", made)
    try:
        yield made[0], made[1]
    finally:
        sys.stdout, sys.stderr = before
        for stream in made:
            if stream is not None:
                stream.flush()
                if stream.lost is not None:
                    stream.silence()
