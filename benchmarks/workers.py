"""Several photos in one call: photos an hour and memory, by how many processes sketch them.

    python benchmarks/workers.py PHOTO PHOTO PHOTO PHOTO
    python benchmarks/workers.py PHOTO PHOTO PHOTO PHOTO --runs 1 -- --preset draft   # its options
    python benchmarks/workers.py PHOTO PHOTO PHOTO PHOTO --against REV

Each run is the command from its start to its end. The baseline is one process that takes all cores,
`--workers 1`, or another version of this project with its default; they take turns, and the median
over runs is told, with the processor time and the machine's load before each run, since on a busy
machine more processes get a larger share of it. Memory is the peak of the program and of its
largest worker (Linux).
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext, suppress
from itertools import chain
from pathlib import Path

from common import ROOT, load, machine, print_table, processor_seconds, split, write_json
from versions import beside, environment


def peaks(process: int) -> dict[int, float]:
    """Peak MB so far of a process and of those that it started, where /proc tells."""
    found = {}
    with suppress(OSError):
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        for one in (process, *map(int, children)):
            with suppress(OSError, StopIteration):
                lines = Path(f"/proc/{one}/status").read_text().splitlines()
                told = next(line for line in lines if line.startswith("VmHWM"))
                found[one] = int(told.split()[1]) / 1024
    return found


def run(photos: list[str], options: list[str], variables: dict[str, str]) -> dict[str, float]:
    """One call: seconds, processor seconds, and peaks in MB."""
    busy = load()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "clipasso", "sketch", *photos, "-o", folder, "-q"]
        before, began = processor_seconds(), time.perf_counter()
        process = subprocess.Popen([*command, *options], env=variables)
        most: dict[int, float] = {}
        while process.poll() is None:
            most |= peaks(process.pid)  # the last told: at first a process has its parent's
            time.sleep(0.1)
        seconds, spent = time.perf_counter() - began, processor_seconds() - before
        if process.returncode:
            raise SystemExit(f"it failed: {' '.join(command)}")
    parent = most.pop(process.pid, 0.0)
    return {
        "seconds": seconds,
        "processor": spent,
        "parent": parent,
        "worker": max(most.values(), default=0.0),
        "load": busy,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="+")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--workers", default="auto", help="to compare with 1")
    parser.add_argument("--against", metavar="REV", help="another version, to compare with too")
    parser.add_argument("--json", metavar="FILE")
    own, *further = split(sys.argv[1:])
    arguments = parser.parse_args(own)
    chosen = [*chain.from_iterable(further)] or ["--encoder", "efficientnet-lite0"]
    print(", ".join(f"{k} {v}" for k, v in machine().items()))
    kinds = [*(["before"] if arguments.against else []), "1", arguments.workers]
    found: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
    with beside(arguments.against) if arguments.against else nullcontext(ROOT) as other:
        for _ in range(arguments.runs):
            for kind, runs in found.items():
                options = [] if kind == "before" else ["--workers", kind]
                variables = environment(other if kind == "before" else ROOT)
                runs.append(run(arguments.photos, [*chosen, *options], variables))
    rows = []
    one = statistics.median(each["seconds"] for each in found["1"])
    for workers, runs in found.items():
        middle = {name: statistics.median(each[name] for each in runs) for name in runs[0]}
        hourly = len(arguments.photos) * 3600 / middle["seconds"]
        loads = [one["load"] for one in runs]
        rows.append([
            workers, f"{middle['seconds']:.0f}", f"{middle['processor']:.0f}", f"{hourly:.0f}",
            f"{one / middle['seconds']:.2f}", f"{middle['parent']:.0f}", f"{middle['worker']:.0f}",
            f"{min(loads):.1f} to {max(loads):.1f}",
        ])  # fmt: skip
    table = print_table(
        ["workers", "seconds", "processor s", "photos an hour", "of one", "MB", "MB of a worker",
         "load before"], rows,
    )  # fmt: skip
    figures = {
        "against": arguments.against,
        "photos": len(arguments.photos),
        "options": chosen,
        "runs": found,
    }
    write_json(arguments.json, figures, {"workers": table})


if __name__ == "__main__":
    main()
