"""Whether a ladder's levels are as good as sketches made apart in the same time, and than removal.

    python benchmarks/ladder.py PHOTO... [-- PHOTO...] [--strokes 16,8,4]

Every photo is sketched with `clipasso.ladder`; then its levels are sketched independently, with the
ladder's whole work shared out evenly; then strokes are only removed. Work is counted in gradient
steps, so that the figures do not depend on how busy a machine is: what the ladder's choice of
strokes to link or drop draws and encodes counts as so many steps too. Photos after `--` are a group
of their own, as those that a ladder's settings were not tuned on.
"""

from __future__ import annotations

import argparse
import itertools
import math
import statistics
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from clipasso.encoders import EMBEDDED
from clipasso.photo.canvas import load_photo
from clipasso.photo.masks import make_mask
from clipasso.photo.picture_frame import without_frame
from clipasso.pipeline.ladder import Rung, climb_down, parse_levels
from clipasso.pipeline.models import Models, load_models
from clipasso.settings import Settings, make_settings
from clipasso.start.linking import looks
from common import Table, labels, machine, print_table, split, write_json

_FORWARD = 0.4  # of a step's time: what its images take without their gradients (optimise/pace.py)


def choosing(levels: Sequence[int], images: int) -> float:
    """Steps that choosing what to link and drop takes as long as.

    Args:
        levels: going down.
        images: that a step draws and encodes.
    """
    drawn = sum(looks(high, low) for high, low in itertools.pairwise(levels))
    return drawn * _FORWARD / images


def compare(path: str, models: Models, settings: Settings, levels: Sequence[int]) -> dict[str, Any]:
    """The losses of a photo's levels by method, and the steps that each took."""
    photo = without_frame(load_photo(path, size=settings.canvas), settings.frame)
    mask = make_mask(photo)

    def levels_by(method: Any, own: Settings, top: Rung | None = None) -> list[Rung]:
        return climb_down(photo, models, own, levels, method=method, mask=mask, top=top)

    down = levels_by("rearrange", settings)
    work = sum(rung.steps for rung in down) + choosing(levels, 1 + settings.augmentations)
    whole = down[0].steps / settings.iterations  # seeds that are given up take fewer
    share = replace(settings, iterations=round(work / len(levels) / whole))
    methods = {
        "ladder": down,
        "independent": levels_by("independent", share),
        "remove": levels_by("remove", settings, down[0]),
    }
    return {
        "work": work,
        "losses": {name: [rung.loss for rung in rungs] for name, rungs in methods.items()},
        "steps": {name: [rung.steps for rung in rungs] for name, rungs in methods.items()},
    }


def spread(values: Sequence[float]) -> str:
    """Mean and standard error."""
    error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return f"{statistics.mean(values):+.4f} ± {error:.4f}"


def rows_of(name: str, found: Sequence[dict[str, Any]], levels: Sequence[int]) -> list[list[str]]:
    """A row for each level: median losses, and the ladder's less each other method's, paired."""
    rows = []
    for k, level in enumerate(levels):
        losses = {m: [one["losses"][m][k] for one in found] for m in found[0]["losses"]}
        rows.append([name, str(level)] + [f"{statistics.median(v):.3f}" for v in losses.values()])
        for other in ("independent", "remove"):
            less = [a - b for a, b in zip(losses["ladder"], losses[other], strict=True)]
            rows[-1].append(spread(less))
    return rows


def table_of(groups: Sequence[Sequence[dict[str, Any]]], levels: Sequence[int]) -> Table:
    heading = ["photos", "strokes", "ladder", "apart", "removal", "ladder - apart",
               "ladder - removal"]  # fmt: skip
    everyone = [one for group in groups for one in group]
    rows = []
    for group in groups:
        if len(groups) > 1:
            rows += rows_of(f"{len(group)}", group, levels)
    return print_table(heading, rows + rows_of(f"all {len(everyone)}", everyone, levels))


def main() -> None:
    first, *more = split(sys.argv[1:])
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="+")
    parser.add_argument("--strokes", default="16,8,4", help="the levels, going down")
    parser.add_argument("--seeds", type=int, default=1, help="of the first and of apart levels")
    parser.add_argument("--iterations", type=int, default=200)
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args(first)
    levels = parse_levels(arguments.strokes)
    print(", ".join(f"{k} {v}" for k, v in machine().items()))
    settings, _ = make_settings(
        "default", strokes=levels[0], seeds=arguments.seeds, iterations=arguments.iterations
    )
    models = load_models(settings, EMBEDDED, device="cpu")
    groups: list[list[dict[str, Any]]] = []
    for paths in [arguments.photos, *more]:
        groups.append([])
        for path, name in zip(paths, labels(paths), strict=True):
            one = {"photo": name, **compare(path, models, settings, levels)}
            groups[-1].append(one)
            told = "; ".join(
                f"{method} {', '.join(f'{loss:.3f}' for loss in losses)}"
                for method, losses in one["losses"].items()
            )
            print(f"{Path(path).stem}: {told}", flush=True)
    table = table_of(groups, levels)
    write_json(arguments.json, groups, {"ladder": table})


if __name__ == "__main__":
    main()
