"""How often the winning seed would be given up early, and what giving up losers saves.

    python benchmarks/race.py PHOTO...     # sketched first, every seed run to its end
    python benchmarks/race.py DIR/*.json   # reports of such runs, as --preset paper leaves them

Plays `optimise.best_so_far.still_racing` over the loss curves of runs in which no seed was given
up, which are the baseline.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import clipasso
from clipasso.encoders import EMBEDDED
from clipasso.optimise.best_so_far import still_racing
from common import print_table, write_json


def race(report: dict[str, Any]) -> tuple[bool, float, float]:
    """Whether the winner stays the same, its loss over the whole run's, and the steps saved."""
    curve, seeds = report["curve"], len(report["seeds"])
    whole = [min(row["losses"][k] for row in curve) for k in range(seeds)]
    best, active, taken = [float("inf")] * seeds, list(range(seeds)), 0
    total = curve[-1]["step"]
    for row, after in zip(curve, [*curve[1:], None], strict=True):
        for k in active:
            best[k] = min(best[k], row["losses"][k])
        active = still_racing(active, best, row["step"] / total)
        taken += len(active) * ((after or row)["step"] - row["step"])
    winner = min(range(seeds), key=best.__getitem__)
    same = winner == min(range(seeds), key=whole.__getitem__)
    return same, best[winner] / min(whole), 1 - taken / (seeds * total)


def whole_run(photo: Path, iterations: int | None, seeds: int) -> dict[str, Any]:
    """The report of a sketch with the default settings, every seed run to its end."""
    changes = {"iterations": iterations} if iterations else {}
    result = clipasso.sketch(
        photo, encoder=EMBEDDED, seeds=seeds, drop=False, evaluate_every=20, **changes
    )
    return result.report()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path, help="photos, or reports")
    parser.add_argument("--seeds", type=int, default=3, help="of each photo")
    parser.add_argument("--iterations", type=int, help="in place of the default preset's")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    rows, found = [], []
    for path in arguments.files:
        if path.suffix == ".json":
            report = json.loads(path.read_text())
        else:
            report = whole_run(path, arguments.iterations, arguments.seeds)
        same, ratio, saved = race(report)
        found.append({"run": path.stem, "same": same, "loss ratio": ratio, "saved": saved})
        rows.append([path.stem, "yes" if same else "no", f"{ratio:.4f}", f"{100 * saved:.0f} %"])
    count = len(found)
    ratio, saved = (sum(f[key] for f in found) / count for key in ("loss ratio", "saved"))
    same = f"{sum(f['same'] for f in found)} of {count}"
    rows.append(["all", same, f"{ratio:.4f}", f"{100 * saved:.0f} %"])
    table = print_table(["run", "same winner", "loss / whole run's", "steps saved"], rows)
    write_json(arguments.json, found, {"race": table})


if __name__ == "__main__":
    main()
