"""`-` in place of a file: standard input or output."""

from __future__ import annotations

import sys
from pathlib import Path

from clipasso.errors import ClipassoError

__all__ = ["STANDARD", "once", "read_standard"]

STANDARD = Path("-")
"""What stands for standard input or output on the command line."""


def once(*paths: str | Path | None) -> None:
    """See that not more than one file is to come from standard input.

    Raises:
        ClipassoError: more than one.
    """
    if sum(str(path) == str(STANDARD) for path in paths) > 1:
        raise ClipassoError("-: standard input can be read once; give files for the others")


def read_standard() -> bytes:
    """All of standard input.

    Raises:
        ClipassoError: it is closed, a terminal where nobody can type a picture, or cannot be read.
    """
    if sys.stdin is None or sys.stdin.closed:
        raise ClipassoError("-: standard input is closed; pipe a file into it")
    if sys.stdin.isatty():
        raise ClipassoError("-: standard input is a terminal; pipe a file into it")
    try:
        return sys.stdin.buffer.read()
    except (OSError, ValueError) as error:
        raise ClipassoError(f"-: standard input cannot be read ({error})") from None
