"""Two programs that would write the same files: the second is told, before it works for nothing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from clipasso._locks import held
from clipasso.errors import ClipassoError

__all__ = ["claimed"]


@contextmanager
def claimed(folder: Path, what: str) -> Iterator[None]:
    """Hold results of a folder for this process; the lock ends with it, however it ends.

    A hidden file marks the claim and is removed with it. File systems without locks let all claims
    pass, and what is there is still never overwritten unasked (`write_atomically`).

    Args:
        folder: exists.
        what: a name of the results in it, such as their stem.

    Raises:
        ClipassoError: another process holds them.
    """
    key = hashlib.sha256(os.fsencode(what)).hexdigest()[:12]
    with ExitStack() as stack:
        try:
            stack.enter_context(held(folder / f".clipasso-{key}.lock", seconds=0, remove=True))
        except TimeoutError:
            raise ClipassoError(
                f"{folder / what}: another clipasso is at work on it; wait for that, or choose "
                "another output folder with -o"
            ) from None
        yield
