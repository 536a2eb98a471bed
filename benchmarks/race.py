"""How often the winning seed would be given up early, and what giving up losers saves.

    clipasso sketch PHOTO... -o DIR      # with every seed run to its end, as --preset paper does
    python benchmarks/race.py DIR/*.json

Reads the loss curves that finished runs left in their reports and plays
`optimise.best_so_far.still_racing` over them. The baseline is the same run with no seed given up.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reports", nargs="+", type=Path)
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    rows, found = [], []
    for path in arguments.reports:
        same, ratio, saved = race(json.loads(path.read_text()))
        found.append({"report": path.stem, "same": same, "loss ratio": ratio, "saved": saved})
        rows.append([path.stem, "yes" if same else "no", f"{ratio:.4f}", f"{100 * saved:.0f} %"])
    print_table(["run", "same winner", "loss / whole run's", "steps saved"], rows)
    count = len(found)
    mean = sum(f["saved"] for f in found) / count
    print(f"same winner in {sum(f['same'] for f in found)} of {count}; {100 * mean:.0f} % saved")
    write_json(arguments.json, found)


if __name__ == "__main__":
    main()
