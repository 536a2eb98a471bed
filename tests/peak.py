"""The memory that a process took at most."""

from pathlib import Path

__all__ = ["peak"]


def peak() -> float:
    """In MB, since the program was started; on Linux.

    `resource.getrusage` would tell of the process that started it too, if that was larger.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
