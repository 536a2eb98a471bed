"""Keep the memory that a step frees for the next step."""

import ctypes
import sys

__all__ = ["keep_freed_memory"]

_TRIM, _TOP_PAD, _MMAP = -1, -2, -3  # mallopt's numbers in malloc.h
_LARGEST = 32 << 20  # bytes; glibc takes no higher threshold


def keep_freed_memory() -> bool:
    """Tell glibc's allocator not to give memory back between steps; whether it listens.

    Every step allocates and frees the same activations, of some megabytes each. By default the
    allocator returns such blocks to the kernel, which then clears every page anew: up to a third of
    a step's time (`benchmarks/sketch.py`). Elsewhere than with glibc nothing is done.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    wanted = ((_MMAP, _LARGEST), (_TRIM, 2**31 - 1), (_TOP_PAD, 8 * _LARGEST))
    return all(set_option(option, value) == 1 for option, value in wanted)
