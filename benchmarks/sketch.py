"""Whole sketches: loss against time, the time to a first preview, start-up and memory.

    python benchmarks/sketch.py PHOTO...
    python benchmarks/sketch.py PHOTO... --more 3    # the same with three times as many steps

The baseline of the loss is the same preset with `--more` times as many steps and no seed dropped;
that of the time is the default preset with no seed dropped. A preview counts from the command's
start to the first evaluation whose best loss is within a tenth of the final one. Every run is a
process of its own, so start-up is in it and memory is its peak.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from typing import Any

from common import machine, print_table, write_json

# Runs in the child: what a person does, with a clock at every evaluation.
CHILD = """
import json, resource, sys, time
began = float(sys.argv[1])
import clipasso
seen = []
result = clipasso.sketch(
    sys.argv[2], on_progress=lambda p: seen.append((time.time() - began, p.step, min(p.best))),
    **json.loads(sys.argv[3]),
)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seen": seen, "all": time.time() - began, "peak": peak,
                  "loss": min(result.outcome.losses), "seed": result.seed}))
"""


def run(photo: str, options: dict[str, Any]) -> dict[str, Any]:
    """One sketch in a process of its own: (seconds, step, best loss) and peak memory in MB."""
    command = [sys.executable, "-c", CHILD, str(time.time()), photo, json.dumps(options)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    made: dict[str, Any] = json.loads(output)
    made["first step"] = made["seen"][1][0] if len(made["seen"]) > 1 else made["seen"][0][0]
    near = 1.1 * made["loss"]
    made["preview"] = next(seconds for seconds, _, loss in made["seen"] if loss <= near)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="+")
    parser.add_argument("--encoder", default="efficientnet-lite0")
    parser.add_argument("--weights")
    parser.add_argument("--presets", nargs="+", default=["default", "draft"])
    parser.add_argument("--strokes", type=int, default=16)
    parser.add_argument("--iterations", type=int, help="in place of the presets'")
    parser.add_argument("--more", type=int, default=0, help="also with this many times the steps")
    parser.add_argument("--whole", action="store_true", help="also with no seed dropped")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    print(", ".join(f"{k} {v}" for k, v in machine().items()))
    shared: dict[str, Any] = {"encoder": arguments.encoder, "strokes": arguments.strokes}
    if arguments.weights:
        shared["weights"] = arguments.weights
    if arguments.iterations:
        shared["iterations"] = arguments.iterations

    from clipasso.settings import make_settings

    kinds: dict[str, dict[str, Any]] = {name: {"preset": name} for name in arguments.presets}
    if arguments.whole:
        kinds["default, no seed dropped"] = {"drop": False}
    if arguments.more:
        steps = arguments.iterations or make_settings("default")[0].iterations
        kinds[f"default, {arguments.more} x steps"] = {
            "iterations": steps * arguments.more, "drop": False,
        }  # fmt: skip
    figures: dict[str, list[dict[str, Any]]] = {}
    for kind, options in kinds.items():
        figures[kind] = [run(photo, {**shared, **options}) for photo in arguments.photos]
    rows = []
    for kind, made in figures.items():
        middle = {k: statistics.median(m[k] for m in made)
                  for k in ("all", "first step", "preview", "peak")}  # fmt: skip
        loss = statistics.mean(m["loss"] for m in made)
        times = [f"{middle[k]:.1f}" for k in ("all", "first step", "preview")]
        rows.append([kind, *times, f"{middle['peak']:.0f}", f"{loss:.4f}"])
    print_table(
        ["preset", "seconds", "to the 2nd evaluation", "to a preview", "peak MB", "mean loss"], rows
    )
    for kind, made in figures.items():
        losses = ", ".join(f"{m['loss']:.4f}" for m in made)
        print(f"{kind}: losses {losses}")
    write_json(arguments.json, figures)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
