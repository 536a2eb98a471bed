"""What the benchmarks share: timing, machine, version, tables, and the files of results."""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

__all__ = [
    "ROOT", "Table", "clock", "git", "labels", "load", "machine", "medians", "print_table",
    "processor_seconds", "split", "version", "write_json",
]  # fmt: skip

ROOT = Path(__file__).resolve().parents[1]
"""Of this checkout."""

MEASURED = ("src",)  # what figures depend on, of the files in a commit

Table = dict[str, Any]
"""As stored: `heading`, a list of words, and `rows`, a list of such lists."""


def load() -> float:
    """Processes that ran or waited for a core, over the last minute; 0 where nobody tells."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


_began = load()


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    import torch

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
        "load": round(load(), 1),
    }


def git(*words: str) -> str | None:
    """What a git command in this checkout prints; None where it fails or there is no git."""
    try:
        done = subprocess.run(
            ["git", *words], cwd=ROOT, capture_output=True, text=True, check=True
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def version() -> str:
    """The last commit that changed what is measured, with `-changed` where files differ from it.

    A commit of documents alone has the figures of the commit before it.
    """
    commit = git("log", "-1", "--format=%h", "--", *MEASURED)
    changed = commit and git("status", "--porcelain", "--", *MEASURED)
    return (commit or "unknown") + ("-changed" if changed else "")


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


def processor_seconds() -> float:
    """User and system time of all processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def labels(photos: Sequence[str | Path]) -> list[str]:
    """A short name for each photo: its stem, with its folder's where two have the same."""
    paths = [Path(photo) for photo in photos]
    stems = [path.stem for path in paths]
    return [
        stem if stems.count(stem) == 1 else f"{path.resolve().parent.name}/{stem}"
        for path, stem in zip(paths, stems, strict=True)
    ]


def split(words: list[str]) -> list[list[str]]:
    """The words between each `--` and the next."""
    parts: list[list[str]] = [[]]
    for word in words:
        if word == "--":
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


def print_table(heading: list[str], rows: list[list[str]]) -> Table:
    """Print a Markdown table, and return it as `write_json` keeps it."""
    widths = [max(len(r[i]) for r in [heading, *rows]) for i in range(len(heading))]
    for row in [heading, ["-" * w for w in widths], *rows]:
        print("| " + " | ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) + " |")
    return {"heading": heading, "rows": rows}


def write_json(path: str | None, figures: Any, tables: dict[str, Table] | None = None) -> None:
    """Keep the figures, and the tables as printed, where a path was given.

    Args:
        path: of the file, which is written whole or not at all.
        figures: whatever was measured.
        tables: by the names that they have between the markers of docs/performance.md.
    """
    if not path:
        return
    from clipasso.vector.safe_write import write_atomically

    content = {
        "version": version(),
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "machine": machine(),
        "load": [round(_began, 1), round(load(), 1)],
        "figures": figures,
        "tables": tables or {},
    }
    write_atomically(path, json.dumps(content, indent=2) + "\n")
