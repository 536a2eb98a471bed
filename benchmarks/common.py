"""What the benchmarks share: timing, threads, machine, tables."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

__all__ = ["machine", "medians", "print_table", "write_json"]


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [x for x in cpuinfo.read_text().splitlines() if x.startswith("model name")]
        model = lines[0].split(":", 1)[1].strip() if lines else model
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def medians(run: Callable[[], dict[str, float]], runs: int) -> dict[str, float]:
    """Median seconds of each named part over several runs, after one that is not counted."""
    run()
    measured = [run() for _ in range(runs)]
    return {name: statistics.median(m[name] for m in measured) for name in measured[0]}


def clock(parts: dict[str, float], name: str, call: Callable[[], Any]) -> Any:
    """Run a part and note its seconds."""
    began = time.perf_counter()
    value = call()
    parts[name] = time.perf_counter() - began
    return value


def print_table(heading: list[str], rows: list[list[str]]) -> None:
    """A Markdown table."""
    widths = [max(len(r[i]) for r in [heading, *rows]) for i in range(len(heading))]
    for row in [heading, ["-" * w for w in widths], *rows]:
        print("| " + " | ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) + " |")


def write_json(path: str | None, content: Any) -> None:
    """Write the figures beside the table, where a path was given."""
    if path:
        Path(path).write_text(json.dumps({"machine": machine(), "figures": content}, indent=2))
