"""Two programs that would write the same files: the second is told, before it works for nothing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

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
    from filelock import FileLock, Timeout

    key = hashlib.sha256(os.fsencode(what)).hexdigest()[:12]
    lock = FileLock(folder / f".clipasso-{key}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ClipassoError(
            f"{folder / what}: another clipasso is at work on it; wait for that, or choose another "
            "output folder with -o"
        ) from None
    except (OSError, NotImplementedError):
        yield
        return
    try:
        yield
    finally:
        with suppress(OSError):  # removed while it is held, so that no other can hold a lost one
            os.unlink(lock.lock_file)
        lock.release()
