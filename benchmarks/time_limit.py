"""How long `--time` really takes, and when there is a first picture.

    python benchmarks/time_limit.py PHOTO...
    python benchmarks/time_limit.py PHOTO... --limits 10 20 --spread [-- OPTIONS OF clipasso sketch]

Every run is a process of its own and counts from its start to its end, interpreter and imports
included. The preview's file is watched from outside: the first picture is there when it first
appears. The baseline is no limit: `--preset draft` and what the same photos cost by default.
`--spread` also makes, for every limit, three seeds with a third of the steps each in place of one
seed with all, and compares the losses.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import chain
from pathlib import Path
from typing import Any

from common import load, machine, print_table, split, write_json


def run(photo: str, options: list[str]) -> dict[str, Any]:
    """One command: seconds to the first picture and to the end, and its report."""
    with tempfile.TemporaryDirectory() as folder:
        preview, out = Path(folder) / "preview.svg", Path(folder) / "out"
        command = [sys.executable, "-m", "clipasso", "sketch", photo, "-o", str(out), "-q"]
        busy, began = load(), time.monotonic()
        child = subprocess.Popen(
            [*command, "--preview", str(preview), *options], stderr=subprocess.DEVNULL
        )
        first, pictures, before = None, 0, None
        while child.poll() is None:
            time.sleep(0.01)
            try:
                found = os.stat(preview).st_mtime_ns
            except FileNotFoundError:
                continue
            if first is None:
                first = time.monotonic() - began
            pictures += found != before
            before = found
        spent = time.monotonic() - began
        if child.returncode:
            raise SystemExit(f"{photo}: status {child.returncode}")
        (report,) = out.glob("*.json")
        made = json.loads(report.read_text())
    plan = made["time_plan"] or {}
    return {
        "photo": photo, "all": spent, "first": first, "pictures": pictures, "loss": made["loss"],
        "seeds": made["settings"]["seeds"], "steps": made["settings"]["iterations"],
        "kept": plan.get("kept", True), "load": busy,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="+")
    parser.add_argument("--encoder", default="efficientnet-lite0")
    parser.add_argument("--limits", nargs="+", type=float, default=[5, 10, 20, 60])
    parser.add_argument("--runs", type=int, default=1, help="of each photo and limit")
    parser.add_argument("--spread", action="store_true", help="also three seeds for the same steps")
    parser.add_argument("--baseline", action="store_true", help="also runs without a limit")
    parser.add_argument("--json", metavar="FILE")
    own, *further = split(sys.argv[1:])
    arguments = parser.parse_args(own)
    print(", ".join(f"{k} {v}" for k, v in machine().items()))
    shared = ["--encoder", arguments.encoder, *chain.from_iterable(further)]
    kinds = {f"--time {limit:g}s": ["--time", f"{limit}s"] for limit in arguments.limits}
    if arguments.baseline:
        kinds |= {"--preset draft": ["--preset", "draft"], "no limit": []}
    figures: dict[str, list[dict[str, Any]]] = {kind: [] for kind in kinds}
    for _ in range(arguments.runs):
        for photo in arguments.photos:  # limits in turn, so that a busy minute is shared
            for kind, options in kinds.items():
                figures[kind].append(run(photo, [*shared, *options]))
                print(kind, figures[kind][-1], file=sys.stderr)
    rows = []
    for kind, made in figures.items():
        spent = [m["all"] for m in made]
        plans = sorted({f"{m['seeds']} x {m['steps']}" for m in made})
        rows.append([
            kind, f"{statistics.median(spent):.1f}", f"{max(spent):.1f}",
            f"{statistics.median(m['first'] for m in made):.1f}",
            f"{max(m['first'] for m in made):.1f}",
            f"{statistics.median(m['pictures'] for m in made):.0f}",
            ", ".join(plans), f"{sum(m['kept'] for m in made)} of {len(made)}",
            f"{statistics.mean(m['loss'] for m in made):.4f}",
            f"{min(m['load'] for m in made):.1f} to {max(m['load'] for m in made):.1f}",
        ])  # fmt: skip
    table = print_table(
        ["", "seconds", "worst", "first picture", "worst", "pictures", "seeds x steps",
         "plan kept", "mean loss", "load before"],
        rows,
    )  # fmt: skip
    if arguments.spread:
        spread(figures, shared)
    write_json(arguments.json, figures, {"time-limit": table})


def spread(figures: dict[str, list[dict[str, Any]]], shared: list[str]) -> None:
    """One seed with all of a limit's steps against three with a third of them each."""
    rows = []
    for kind, made in figures.items():
        alone = [m for m in made if m["seeds"] == 1 and m["steps"] >= 3]
        three = [
            run(m["photo"], [*shared, "--seeds", "3", "--iterations", str(m["steps"] // 3)])
            for m in alone
        ]
        if alone:
            rows.append([
                kind, f"{statistics.mean(m['loss'] for m in alone):.4f}",
                f"{statistics.mean(m['loss'] for m in three):.4f}",
            ])  # fmt: skip
    print_table(["", "loss, one seed", "three, a third of the steps"], rows)


if __name__ == "__main__":
    main()
