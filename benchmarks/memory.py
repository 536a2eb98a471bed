"""The memory that the largest pictures and photos take, each in a process of its own.

    python benchmarks/memory.py [--runs 3]

Pictures: `clipasso render` at its largest size, against the usual 1024 px. Photos: a JPEG of 200
million pixels, against one of 3 million. Linux tells a process's peak in /proc.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from clipasso import Sketch
from common import print_table, write_json

_MEASURE = """
import sys
from pathlib import Path
{work}
lines = Path("/proc/self/status").read_text().splitlines()
print(next(line for line in lines if line.startswith("VmHWM")).split()[1])
"""
_RENDER = "from clipasso.cli import run; assert run(sys.argv[1:]) == 0"
_READ = "from clipasso import load_photo; load_photo(sys.argv[1])"


def measured(work: str, *arguments: str) -> tuple[float, float]:
    """Peak in MB and seconds of a process, its start included."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE.format(work=work), *arguments],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return int(done.stdout.split()[-1]) / 1024, time.perf_counter() - began


def strokes(count: int, path: Path) -> None:
    """Write a sketch of so many strokes."""
    rng = np.random.default_rng(0)
    starts = rng.uniform(0, 224, (count, 1, 2))
    points = np.concatenate([starts, starts + rng.normal(0, 30, (count, 3, 2))], 1)
    Sketch(points, (224, 224)).save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--largest", type=int, default=16_384, help="side of a picture, px")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    rows, figures = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cases = []
        for count in (1, 32, 2000):
            svg = folder / f"{count}.svg"
            strokes(count, svg)
            for size in (1024, arguments.largest):
                words = ("render", str(svg), "-o", str(folder / "out.png"), "--force", "--size")
                cases.append((f"{count} strokes at {size} px", _RENDER, (*words, str(size))))
        ramp = np.add.outer(np.arange(1530), np.arange(2040)).astype(np.uint8)
        small = Image.fromarray(ramp).convert("RGB")
        for label, side in (("3 million", (2040, 1530)), ("200 million", (16_320, 12_240))):
            path = folder / f"{side[0]}.jpg"
            small.resize(side, Image.Resampling.NEAREST).save(path, quality=80)
            cases.append((f"a JPEG of {label} pixels", _READ, (str(path),)))
        first = 1.0
        for k, (label, work, words) in enumerate(cases):
            found = [measured(work, *words) for _ in range(arguments.runs)]
            megabytes, seconds = (statistics.median(values) for values in zip(*found, strict=True))
            first = megabytes if k % 2 == 0 else first
            figures.append({"what": label, "MB": megabytes, "seconds": seconds})
            rows.append([label, f"{megabytes:.0f}", f"{megabytes / first:.1f}", f"{seconds:.1f}"])
    table = print_table(["what", "MB", "of the smaller", "seconds"], rows)
    write_json(arguments.json, figures, {"memory": table})


if __name__ == "__main__":
    main()
