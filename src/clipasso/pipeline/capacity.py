"""How many processes this machine has room for: cores that may be used, memory that is free."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from pathlib import Path

from clipasso.errors import ClipassoError

__all__ = [
    "THREADS", "WORKER_BYTES", "choose", "cores", "free_memory", "gpu_possible", "limit_threads",
    "room",
]  # fmt: skip

WORKER_BYTES = 1_600_000_000
"""What a process is taken to need: the most that one took with the default settings, and a tenth
more (docs/performance.md). Larger canvases and networks take more."""

THREADS = (
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS", "OPENCV_FOR_THREADS_NUM",
)  # fmt: skip
"""Environment variables by which libraries are told how many threads to use."""

_WORTH = 400  # steps of a seed that take about as long as it takes to start processes for them
_GROUPS = Path("/sys/fs/cgroup")


def choose(asked: str, tasks: int, steps: int, device: str) -> int:
    """How many processes make so many sketches.

    Args:
        asked: `auto`, or a number from 1.
        tasks: how many sketches.
        steps: of all their seeds, at most.
        device: as asked for; on a GPU one process does better.

    Returns:
        At least 1, and not more than `tasks` need.

    Raises:
        ClipassoError: several are asked for, and it is no CPU.
    """
    if asked == "auto":
        count = 1 if steps < _WORTH else room(tasks)
    else:
        count = max(1, min(int(asked), tasks))
    if count == 1 or device == "cpu" or (device == "auto" and not gpu_possible()):
        return count
    from clipasso.pipeline.models import pick_device

    kind = pick_device(device).type
    if kind != "cpu" and asked != "auto":
        raise ClipassoError(f"--workers {asked}: for CPUs only, and this would be {kind}")
    return count if kind == "cpu" else 1


def room(tasks: int) -> int:
    """How many processes do so many tasks soonest: one a core, where the memory is there for them.

    Returns:
        From 1 to `tasks`.
    """
    most = min(cores(), tasks)
    if most > 1 and (free := free_memory()) is not None:
        most = min(most, free // WORKER_BYTES)
    return max(1, most)


def cores() -> int:
    """Physical cores that this process may use, as its affinity and its container allow.

    OMP_NUM_THREADS bounds them, since somebody who sets it wants no more to be used.
    """
    if hasattr(os, "sched_getaffinity"):
        processors = os.sched_getaffinity(0)
    else:
        processors = set(range(os.cpu_count() or 1))
    limits = [len({_siblings(number) for number in processors})]
    if (quota := _quota()) is not None:
        limits.append(quota)
    if told := re.match(r"\d+", os.environ.get("OMP_NUM_THREADS", "")):  # it may be a list
        limits.append(int(told[0]))
    return max(1, min(limits))


def free_memory() -> int | None:
    """Bytes that programs can still take, in the machine and in this container; None if unknown."""
    free = []
    if told := re.search(r"MemAvailable:\s+(\d+) kB", _read(Path("/proc/meminfo"))):
        free.append(int(told[1]) * 1024)
    for group, limit, used, cache in (
        (_own_group(""), "memory.max", "memory.current", "inactive_file"),
        (_own_group("memory"), "memory.limit_in_bytes", "memory.usage_in_bytes",
         "total_inactive_file"),
    ):  # fmt: skip
        most, taken = _read(group / limit), _read(group / used)
        if most.isdecimal() and taken.isdecimal():  # else "max", or no such group
            kept = re.search(rf"^{cache} (\d+)", _read(group / "memory.stat"), re.MULTILINE)
            free.append(int(most) - int(taken) + (int(kept[1]) if kept else 0))
    return max(0, min(free)) if free else None


def limit_threads(threads: int) -> None:
    """Let this process's libraries use so many threads; they look when they are imported.

    Those that were imported before keep what they have, but for torch.
    """
    os.environ.update(dict.fromkeys(THREADS, str(threads)))
    if "torch" in sys.modules:  # by the main script
        sys.modules["torch"].set_num_threads(threads)


def gpu_possible() -> bool:
    """Whether there can be a GPU; on Linux it is known without loading torch that there is none."""
    if not sys.platform.startswith("linux"):
        return True
    kinds = ("nvidia", "nvhost", "nvgpu", "kfd", "dxg")  # NVIDIA's, AMD's, and those of WSL
    with suppress(OSError):
        return any(name.startswith(kinds) for name in os.listdir("/dev"))
    return True


def _siblings(processor: int) -> str:
    """What names the core that a processor is a thread of."""
    place = Path(f"/sys/devices/system/cpu/cpu{processor}/topology/thread_siblings_list")
    return _read(place) or str(processor)


def _quota() -> int | None:
    """Cores' worth of time that a container has, rounded up; None without such a limit."""
    told = _read(_own_group("") / "cpu.max").split()
    if not told:
        group = _own_group("cpu")
        told = [_read(group / "cpu.cfs_quota_us"), _read(group / "cpu.cfs_period_us")]
    if not all(number.isdecimal() for number in told):  # "max", -1, or not there
        return None
    quota, period = map(int, told)
    return max(1, -(-quota // period)) if period else None


def _own_group(controller: str) -> Path:
    """This process's control group: of a controller's own tree, or "" of the one for all.

    Inside a container the path that the kernel tells may be the one outside; the root is the
    container's own then.
    """
    tree = _GROUPS / controller
    for line in _read(Path("/proc/self/cgroup")).splitlines():
        _, names, path = line.split(":", 2)
        if controller in names.split(",") and (tree / path.lstrip("/")).is_dir():
            return tree / path.lstrip("/")
    return tree


def _read(path: Path) -> str:
    """A small file's text, empty where there is none."""
    with suppress(OSError, UnicodeDecodeError):
        return path.read_text().strip()
    return ""
