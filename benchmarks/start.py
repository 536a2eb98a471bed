"""Where each second of a short sketch goes, from the command to its end, cold and warm.

    python benchmarks/start.py PHOTO [--runs 5] [--against REV]

Cold: an empty cache of kernels, as after an install. Warm: a full one. `--against` is another
revision of this project, or the folder of a checkout; runs take turns with its. Every run is
the command line in a process of its own. Seconds of processor time (user and system, all threads
and the processes that compile) vary less than those of the clock on a machine that other work
shares.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext

from common import ROOT, print_table, write_json
from versions import beside, environment

_LEAST = 0.1  # seconds, for a ratio to mean anything
_IMPORTS = (
    "torch",
    "numba",
    "timm",
    "torchvision",
    "scipy",
    "skimage",
    "cv2",
    "PIL",
    "numpy",
    "rich",
)
_STAGES = {
    "clipasso.photo.canvas:load_photo": "read the photo",
    "clipasso.photo.picture_frame:without_frame": "read the photo",
    "clipasso.photo.masks:make_mask": "mask",
    "clipasso.pipeline.models:load_models": "load the network",
    "clipasso.pipeline.prepare:prepare": "saliency, first strokes",
    "clipasso.optimise.encoded_photo:PhotoPool._encode": "encode the photo",
    "clipasso.optimise.loop:optimise_together": "steps",
    "clipasso.raster.kernel:forward": "rasterise; wait for kernels",
    "clipasso.raster.kernel:backward": "rasterise; wait for kernels",
    "clipasso.raster.kernel:paint": "rasterise; wait for kernels",
    "clipasso.pipeline.finish:arrange": "put strokes in order",
    "clipasso.pipeline.sketch:arrange": "put strokes in order",  # where versions before have it
    "clipasso.pipeline.output:write_result": "write the files",
}

# Runs in the child: the command line, with a clock around imports and stages. A second counts for
# the innermost of them, and only in the main thread.
CHILD = """
import builtins, functools, json, resource, sys, threading, time

began, imports, stages, words = float(sys.argv[1]), *map(json.loads, sys.argv[2:])
parts, stack = {"interpreter": time.time() - began}, []
main, plain = threading.main_thread(), __import__

def timed(name, call):
    @functools.wraps(call)
    def run(*arguments, **options):
        if threading.current_thread() is not main:
            return call(*arguments, **options)
        start = time.perf_counter()
        stack.append(0.0)
        try:
            return call(*arguments, **options)
        finally:
            spent = time.perf_counter() - start
            parts[name] = parts.get(name, 0.0) + spent - stack.pop()
            if stack:
                stack[-1] += spent
    return run

def importing(name, *rest, **more):
    package = name.partition(".")[0]
    first = package in imports and package not in sys.modules
    found = (timed("import " + package, plain) if first else plain)(name, *rest, **more)
    for place in list(stages):
        module, _, path = place.partition(":")
        *owners, last = path.split(".")
        owner = functools.reduce(lambda o, n: getattr(o, n, None), owners, sys.modules.get(module))
        # Threads import too, and may have found it at the same time.
        if hasattr(owner, last) and (stage := stages.pop(place, None)):
            setattr(owner, last, timed(stage, getattr(owner, last)))
    return found

builtins.__import__ = importing

def command():
    from clipasso.cli import run
    return run(words)

status = timed("all else", command)()
for thread in threading.enumerate():
    if thread is not main and not thread.daemon:
        thread.join()
parts["all"] = time.time() - began
everyone = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
parts["processor"] = sum(used.ru_utime + used.ru_stime for used in everyone)
print(json.dumps(parts), file=sys.stderr)
sys.exit(status)
"""


def run(variables: dict[str, str], photo: str, cache: str, options: list[str]) -> dict[str, float]:
    """Seconds by part of one sketch in a process of its own."""
    with tempfile.TemporaryDirectory() as out:
        words = ["sketch", photo, "-o", out, "--quiet", *options]
        given = map(json.dumps, (_IMPORTS, _STAGES, words))
        done = subprocess.run(
            [sys.executable, "-c", CHILD, str(time.time()), *given],
            env={**variables, "NUMBA_CACHE_DIR": cache},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    if done.returncode:
        sys.exit(done.stderr)
    parts: dict[str, float] = json.loads(done.stderr.splitlines()[-1])
    return parts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photo")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--against", metavar="REV", help="a revision, or another checkout")
    parser.add_argument("--encoder", default="efficientnet-lite0")
    parser.add_argument("--iterations", default="4")
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    options = [
        f"--{name}={getattr(arguments, name)}" for name in ("encoder", "iterations", "seeds")
    ]
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    with beside(arguments.against) if arguments.against else nullcontext() as other:
        checkouts = {"before": other, "now": ROOT} if other else {"now": ROOT}
        ways = {name: environment(checkout) for name, checkout in checkouts.items()}
        for _ in range(arguments.runs):
            for name, variables in ways.items():
                with tempfile.TemporaryDirectory() as cache:
                    for state in ("cold", "warm"):
                        made = run(variables, arguments.photo, cache, options)
                        found.setdefault((name, state), []).append(made)
    columns = [(name, state) for state in ("cold", "warm") for name in checkouts]
    middle = {
        column: {part: statistics.median(m.get(part, 0.0) for m in found[column])
                 for part in {part for m in found[column] for part in m}}
        for column in columns
    }  # fmt: skip
    totals = ["all", "processor"]
    parts = {part for column in columns for part in middle[column]} - set(totals)
    order = sorted(parts, key=lambda p: -max(middle[c].get(p, 0.0) for c in columns))
    heading = ["seconds"]
    rows = [[part] for part in [*order, *totals]]
    for state in ("cold", "warm"):
        heading += [f"{state}, {name}" for name in checkouts]
        for row in rows:
            row += [f"{middle[name, state].get(row[0], 0.0):.2f}" for name in checkouts]
        if len(checkouts) == 2:
            heading.append("ratio")
            for row in rows:
                before, now = (middle[name, state].get(row[0], 0.0) for name in checkouts)
                row.append(f"{now / before:.2f}" if min(before, now) >= _LEAST else "")
    table = print_table(heading, rows)
    figures = [{"version": n, "state": s, **middle[n, s]} for n, s in columns]
    write_json(arguments.json, figures, {"start": table})


if __name__ == "__main__":
    main()
