"""Whether so many gradient steps are better spent on one seed, or on two with half of them each.

    python benchmarks/seeds.py PHOTO... [--steps 120 240 480]

What `--time` plans by. Every photo is sketched with some seeds, none given up, with all steps and
with half of them, the schedule of rates as long as the run. "The better of two" is the mean over
all pairs of seeds; the baseline is the mean over seeds that had all steps.
"""

from __future__ import annotations

import argparse
import statistics
from itertools import combinations
from pathlib import Path

import clipasso
from clipasso.encoders import EMBEDDED
from clipasso.encoders.base import Encoder
from common import machine, print_table, write_json


def losses(photo: str, steps: int, seeds: int, encoder: Encoder) -> list[float]:
    """The final loss of each seed."""
    result = clipasso.sketch(photo, encoder=encoder, iterations=steps, seeds=seeds, drop=False)
    return [float(loss) for loss in result.outcome.losses]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="+")
    parser.add_argument("--steps", type=int, nargs="+", default=[120, 240, 480])
    parser.add_argument("--seeds", type=int, default=3, help="of each photo, two at least")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    if arguments.seeds < 2:
        parser.error("--seeds: two at least")
    print(", ".join(f"{k} {v}" for k, v in machine().items()))
    encoder = clipasso.load_encoder(EMBEDDED)
    lengths = sorted({n for steps in arguments.steps for n in (steps // 2, steps)})
    figures = {
        Path(photo).stem: {n: losses(photo, n, arguments.seeds, encoder) for n in lengths}
        for photo in arguments.photos
    }
    rows = []
    for steps in arguments.steps:
        one = statistics.mean(loss for found in figures.values() for loss in found[steps])
        two = statistics.mean(
            min(pair) for found in figures.values() for pair in combinations(found[steps // 2], 2)
        )
        rows.append([str(steps), f"{one:.4f}", f"{two:.4f}", f"{two - one:+.4f}"])
    heading = [
        "steps in all",
        "one seed with all",
        "the better of two with half each",
        "difference",
    ]
    table = print_table(heading, rows)
    write_json(arguments.json, figures, {"seeds": table})


if __name__ == "__main__":
    main()
