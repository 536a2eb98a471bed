"""Whether the first k strokes of a sketch are a drawing: the area under loss against strokes.

    python benchmarks/order.py PHOTO... [--strokes 16] [--iterations 200]

Every photo is sketched with one seed twice, by default and with `--prefixes`. Of each sketch the
mean is taken over the losses of its first 1, 2 ... n strokes, in several orders: as laid, by
chance, the longest first, greedily with all looks (`clipasso order`), and with the fewer that
`clipasso sketch` takes. The loss is that of the photo without transforms. What ordering costs is
told in parts of the sketch's time, both measured in the same run.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from clipasso.encoders import EMBEDDED
from clipasso.optimise.encoded_photo import PhotoPool
from clipasso.optimise.loop import optimise_together
from clipasso.photo.canvas import load_photo
from clipasso.photo.masks import make_mask
from clipasso.photo.picture_frame import without_frame
from clipasso.photo.zoom import zoomed
from clipasso.pipeline.models import Models, load_models
from clipasso.pipeline.order import best_first, looks, losses_of_prefixes, quickly_best_first
from clipasso.pipeline.prepare import prepare
from clipasso.settings import Settings, make_settings
from common import labels, machine, print_table, write_json

_CHANCES = 3
_ORDERS = ("laid", "chance", "longest", "quick", "all looks")


def measured(path: str, models: Models, settings: Settings) -> dict[str, Any]:
    """Mean losses of a sketch's prefixes by order, the loss of the whole, and seconds."""
    photo = without_frame(load_photo(path, size=settings.canvas), settings.frame)
    near, mask = zoomed(photo, make_mask(photo), settings.zoom)
    job, size = prepare(near, models, settings, mask, None, "", {}).job, settings.canvas
    clean = PhotoPool(job.photo, job.objective, replace(settings, pool=0), torch.Generator()).clean
    began = time.perf_counter()
    (out,) = optimise_together([job], settings)
    sketching = time.perf_counter() - began
    drawing, rng = out.drawing, np.random.default_rng(settings.seed)
    count = drawing.points.shape[1]

    def mean(order: Any) -> float:
        losses = losses_of_prefixes(drawing, np.asarray(order, np.intp), clean, size)
        return float(losses.mean())

    lengths = drawing.to_sketch((size, size)).lengths()
    began = time.perf_counter()
    quick = quickly_best_first(drawing, clean, size)[0]
    ordering = time.perf_counter() - began
    means = {
        "laid": mean(range(count)),
        "chance": statistics.mean(mean(rng.permutation(count)) for _ in range(_CHANCES)),
        "longest": mean(np.argsort(-lengths, kind="stable")),
        "quick": mean(quick),
        "all looks": float(best_first(drawing, clean, size)[1].mean()),
    }
    return {"means": means, "whole": out.losses[0], "sketching": sketching, "ordering": ordering}


def spread(values: list[float]) -> str:
    """Mean and standard error."""
    error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return f"{statistics.mean(values):+.4f} ± {error:.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="+")
    parser.add_argument("--strokes", type=int, default=16)
    parser.add_argument("--iterations", type=int, default=200)
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    print(", ".join(f"{k} {v}" for k, v in machine().items()))
    made, _ = make_settings(
        "default", strokes=arguments.strokes, iterations=arguments.iterations, seeds=1, faces="none"
    )
    models = load_models(made, EMBEDDED, device="cpu")
    kinds = {"default": made, "--prefixes": replace(made, prefixes=True)}
    found: dict[str, dict[str, Any]] = {}
    for path, name in zip(arguments.photos, labels(arguments.photos), strict=True):
        found[name] = {kind: measured(path, models, own) for kind, own in kinds.items()}
        for kind, one in found[name].items():
            told = ", ".join(f"{order} {value:.3f}" for order, value in one["means"].items())
            ratio = one["ordering"] / one["sketching"]
            print(f"{name}, {kind}: {told}; whole {one['whole']:.3f}; {ratio:.3f}", flush=True)
    rows = []
    for kind in kinds:
        for order in _ORDERS:
            values = [one[kind]["means"][order] for one in found.values()]
            less = [v - one["default"]["means"]["quick"]
                    for v, one in zip(values, found.values(), strict=True)]  # fmt: skip
            rows.append([kind, order, f"{statistics.mean(values):.4f}", spread(less)])
        whole = [one[kind]["whole"] for one in found.values()]
        less = [v - one["default"]["whole"] for v, one in zip(whole, found.values(), strict=True)]
        rows.append([kind, "the whole sketch", f"{statistics.mean(whole):.4f}", spread(less)])
    heading = ["sketch", "order", "mean loss of prefixes", "less the default's"]
    table = print_table(heading, rows)
    costs = [one["default"]["ordering"] / one["default"]["sketching"] for one in found.values()]
    print(
        f"{looks(arguments.strokes)} looks cost {statistics.median(costs):.3f} of one seed's "
        f"{arguments.iterations} steps, the median of {len(costs)} photos"
    )
    write_json(arguments.json, found, {"order": table})


if __name__ == "__main__":
    main()
