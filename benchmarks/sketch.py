"""Whole sketches: loss against time, the time to a first preview, start-up and memory.

    python benchmarks/sketch.py PHOTO...
    python benchmarks/sketch.py PHOTO... --more 3    # the same with three times as many steps
    python benchmarks/sketch.py PHOTO... --against REV [--runs N] [-- BOTH [-- NOW]]

The baseline of the loss is the same preset with `--more` times as many steps and no seed dropped;
that of the time is the default preset with no seed dropped. A preview counts from the command's
start to the first evaluation whose best loss is within a tenth of the final one. Every run is a
process of its own, so start-up is in it and memory is its peak.

`--against` another revision checks it out in a temporary folder, sketches each photo with the
default settings of either in turn, and compares seconds and what judges say (`against.py`). BOTH
and NOW are further options of `clipasso sketch`, of both versions and of this one alone.
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

from common import load, machine, print_table, split, write_json

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
    busy = load()
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    made: dict[str, Any] = json.loads(output)
    made["load"] = busy
    made["first step"] = made["seen"][1][0] if len(made["seen"]) > 1 else made["seen"][0][0]
    near = 1.1 * made["loss"]
    made["preview"] = next(seconds for seconds, _, loss in made["seen"] if loss <= near)
    return made


def parsed(words: list[str]) -> tuple[argparse.Namespace, list[list[str]]]:
    """The options, and those of `clipasso sketch` after each `--`."""
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
    other = parser.add_argument_group("against another version")
    other.add_argument("--against", metavar="REV", help="a revision, or another checkout")
    other.add_argument("--runs", type=int, default=1, help="of each photo and version")
    other.add_argument("--threads", type=int, help="of each process; as many as cores by default")
    other.add_argument("--among", nargs="*", default=[], help="more photos, for the judges")
    other.add_argument("--keep", metavar="DIR", help="for the sketches of both")
    own, *further = split(words)
    arguments = parser.parse_args(own)
    if (further and not arguments.against) or len(further) > 2:
        parser.error("options after -- are of --against: -- BOTH [-- NOW]")
    alone, compared = ("presets", "more", "whole"), ("runs", "threads", "among", "keep")
    for name in alone if arguments.against else compared:
        if getattr(arguments, name) != parser.get_default(name):
            parser.error(f"--{name}: {'not' if arguments.against else 'only'} with --against")
    if arguments.runs < 1:
        parser.error("--runs: one at least")
    return arguments, further


def main() -> None:
    arguments, further = parsed(sys.argv[1:])
    print(", ".join(f"{k} {v}" for k, v in machine().items()))
    if arguments.against:
        from against import compare
        from clipasso.errors import ClipassoError

        try:
            compare(arguments, *[*further, [], []][:2])
        except ClipassoError as error:
            sys.exit(str(error))
        return
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
        loads = [m["load"] for m in made]
        rows.append([kind, *times, f"{middle['peak']:.0f}", f"{loss:.4f}",
                     f"{min(loads):.1f} to {max(loads):.1f}"])  # fmt: skip
    whole = print_table(
        ["preset", "seconds", "to the 2nd evaluation", "within a tenth of the final loss",
         "peak MB", "mean loss", "load before"], rows,
    )  # fmt: skip
    for kind, made in figures.items():
        losses = ", ".join(f"{m['loss']:.4f}" for m in made)
        print(f"{kind}: losses {losses}")
    write_json(arguments.json, figures, {"whole": whole})


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
