"""Whether `--strokes auto` gives simple photos fewer strokes than complex ones, and what it costs.

    python benchmarks/stroke_count.py PHOTO... [--opacity 0.015]

The photos are given in the order in which people find them more and more complex. Told are the
numbers of strokes at each fidelity and, for each way of choosing, Spearman's rank correlation with
that order: by what is told (`clipasso sketch`), by the knee of the same curve (the number that is
furthest below the line through its ends, over the logarithm of strokes), by slope (as long as a
stroke lowers the loss by 0.02), and with `--opacity` by opacities that are learned with so much
added to the loss for each, of which those above one half count. The cost is in parts of a default
sketch's work, both in steps: an image drawn and encoded without its gradient is 0.4 of one with it.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from clipasso.encoders import EMBEDDED
from clipasso.optimise.adam import decay
from clipasso.optimise.encoded_photo import PhotoPool
from clipasso.photo.canvas import Photo, load_photo
from clipasso.photo.masks import Mask, make_mask
from clipasso.photo.picture_frame import without_frame
from clipasso.photo.zoom import zoomed
from clipasso.pipeline.models import Models, load_models
from clipasso.pipeline.prepare import prepare
from clipasso.pipeline.stroke_count import StrokeCount, count_strokes, fewest
from clipasso.settings import Settings, make_settings
from common import labels, machine, print_table, write_json

_FIDELITIES = {"draft": 0.7, "normal": 0.8, "fine": 0.9}
_FORWARD = 0.4  # of a step's time: what its images take without their gradients (optimise/pace.py)
_SLOPE = 0.02
_RACE = (0.1, 1.0), (0.2, 2 / 3), (0.7, 1 / 3)  # parts of the steps, and of the seeds in them


def by_knee(found: StrokeCount) -> int:
    """The level furthest below the line from the most strokes to the fewest."""
    counts, losses = (np.array(v) for v in zip(*sorted(found.curve), strict=True))
    x = np.log(counts) / np.log(counts[-1])
    line = losses[0] + (losses[-1] - losses[0]) * (x - x[0]) / (x[-1] - x[0])
    return int(counts[(line - losses).argmax()])


def by_slope(found: StrokeCount) -> int:
    """The level at which loss and a price for each stroke are least together."""
    return min(found.curve, key=lambda pair: pair[1] + _SLOPE * pair[0])[0]


def by_opacity(
    photo: Photo, mask: Mask, models: Models, settings: Settings, price: float, steps: int = 150
) -> int:
    """How many of the most strokes stay dark if each pays for its opacity."""
    own = replace(settings, seeds=1, faces="none", fidelity=None, iterations=steps, pool=0)
    job = prepare(photo, models, own, mask, None, "", {}).job
    clean = PhotoPool(job.photo, job.objective, own, torch.Generator()).clean
    drawing = job.initial.clone()
    points, opacities = drawing.points.requires_grad_(), drawing.opacities.requires_grad_()
    rates = own.learning_rate, 0.05
    adam = torch.optim.Adam([{"params": [p]} for p in (points, opacities)])
    for step in range(steps):
        for group, rate in zip(adam.param_groups, rates, strict=True):
            group["lr"] = rate * decay(step, own)
        loss = clean.loss(drawing.render(own.canvas)).total.sum() + price * opacities.sum()
        adam.zero_grad()
        loss.backward()
        adam.step()
        with torch.no_grad():
            opacities.clamp_(0, 1)
    return int((opacities > 0.5).sum())


def cost(found: StrokeCount, settings: Settings) -> float:
    """Parts of a default sketch's work."""
    seeds = sum(part * going for part, going in _RACE)
    whole = settings.iterations * settings.seeds * seeds * (1 + settings.augmentations)
    return (found.steps + _FORWARD * found.looks) / whole


def correlation(counts: Sequence[int]) -> float:
    """Spearman's, with the order in which they stand."""
    from scipy.stats import spearmanr

    return float(spearmanr(range(len(counts)), counts).statistic)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="+", help="from simple to complex")
    parser.add_argument("--opacity", type=float, metavar="PRICE", help="try this way too")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    print(", ".join(f"{k} {v}" for k, v in machine().items()))
    settings, _ = make_settings("default", strokes="auto", seed=arguments.seed)
    models = load_models(settings, EMBEDDED, device="cpu")
    figures: list[dict[str, Any]] = []
    costs = []
    for path, name in zip(arguments.photos, labels(arguments.photos), strict=True):
        photo = without_frame(load_photo(path, size=settings.canvas), settings.frame)
        near, mask = zoomed(photo, make_mask(photo), settings.zoom)
        found = count_strokes(near, mask, models, settings)
        counts = {k: fewest(found.curve, found.blank, f) for k, f in _FIDELITIES.items()}
        counts |= {"knee": by_knee(found), "slope": by_slope(found)}
        if arguments.opacity is not None:
            counts["opacity"] = by_opacity(near, mask, models, settings, arguments.opacity)
        costs.append(cost(found, settings))
        figures.append({"photo": name, "counts": counts, **found.as_dict()})
        print(f"{name}: {counts}", flush=True)
    ways = list(figures[0]["counts"])
    rows = [[one["photo"], *(str(one["counts"][way]) for way in ways)] for one in figures]
    ranks = [correlation([one["counts"][way] for one in figures]) for way in ways]
    table = print_table(["photo", *ways], [*rows, ["correlation", *(f"{r:.2f}" for r in ranks)]])
    print(f"cost: {statistics.median(costs):.2f} of a default sketch")
    write_json(arguments.json, figures, {"stroke-count": table})


if __name__ == "__main__":
    main()
