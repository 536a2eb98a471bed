"""Locks between processes, where the file system knows them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["held"]


@contextmanager
def held(
    path: str | os.PathLike[str], *, seconds: float = -1, remove: bool = False
) -> Iterator[None]:
    """Hold a lock; it ends with this process, however that ends.

    A file system without locks, or a folder that cannot be written to, lets everybody pass.

    Args:
        path: of the file that stands for it, in a folder that exists.
        seconds: to wait for whoever else has it; without end if negative.
        remove: take the file away afterwards.

    Raises:
        TimeoutError: another process had it all the time.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    locked = False
    try:
        lock.acquire(timeout=seconds)
        locked = True
    except Timeout as error:
        raise TimeoutError(str(error)) from None
    except (OSError, NotImplementedError):  # what filelock raises where there are no locks
        pass
    try:
        yield
    finally:
        if locked:
            if remove:
                with suppress(OSError):  # while it is held, so that no other can hold a lost one
                    os.unlink(lock.lock_file)
            lock.release()
