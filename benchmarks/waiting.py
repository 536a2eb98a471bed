"""How long a step of RN101 takes in units of one convolution: what `auto` foretells is made of it.

    python benchmarks/waiting.py

The loop runs as in a sketch with the default settings, one seed, and RN101 with random weights,
which decide no time. `clipasso.pipeline.waiting` times the same convolution wherever it runs and
multiplies it with a constant, which is the last column's median here. One thread, and the time that
the processor spent on it, so that what else the machine does matters little.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
import torch

from clipasso import Settings
from clipasso.encoders.clip import ClipTower
from clipasso.encoders.open_clip_models import build_model, wrap_tower
from clipasso.optimise.loop import optimise
from clipasso.optimise.objective import make_objective
from clipasso.optimise.strokes import Drawing
from clipasso.pipeline.models import has_bf16
from clipasso.pipeline.waiting import convolution_seconds
from common import machine, print_table, write_json

SIZE = 224


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(", ".join(f"{k} {v}" for k, v in machine().items()))
    from skimage import data

    pixels = np.ascontiguousarray(data.coffee()[::2, 88:488:2][:SIZE])
    photo = torch.ones(1, 3, SIZE, SIZE)
    photo[..., : pixels.shape[0], : pixels.shape[1]] = (
        torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255
    )
    rows, figures = [], {}
    for precision in ("fp32", "bf16") if has_bf16(torch.device("cpu")) else ("fp32",):
        torch.manual_seed(0)
        tower = wrap_tower(
            build_model("RN101", quick_gelu=True).visual, "RN101", "openai", "random"
        )
        if precision == "bf16":
            tower.lower_precision()
        steps, probes = [], []
        for run in range(arguments.runs + 1):
            probes.append(convolution_seconds(tower.precision))
            step = seconds_a_step(tower, photo, arguments.steps)
            probes.append(convolution_seconds(tower.precision))
            if run:  # the first warms up
                steps.append(step)
        images = 1 + Settings().augmentations
        ratios = [s / images / min(p) for s, p in zip(steps, _pairs(probes)[1:], strict=True)]
        figures[precision] = {"step": steps, "probe": probes, "ratio": statistics.median(ratios)}
        rows.append([
            precision, f"{1e3 * statistics.median(steps):.0f}",
            f"{1e3 * statistics.median(probes):.2f}",
            f"{statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})",
        ])  # fmt: skip
    table = print_table(
        ["precision", "step of a seed, ms", "convolution, ms", "an image / conv."], rows
    )
    write_json(arguments.json, figures, {"waiting": table})


def _pairs(values: list[float]) -> list[tuple[float, float]]:
    return list(zip(values[::2], values[1::2], strict=True))


def seconds_a_step(tower: ClipTower, photo: torch.Tensor, steps: int) -> float:
    """Of the processor, from the first evaluation to the last: what comes once is not counted."""
    settings = Settings(seeds=1, iterations=steps, evaluate_every=steps, pool=2)
    generator = np.random.default_rng(0)
    points = generator.uniform(60, 160, (1, 16, 1, 2)) + generator.uniform(-20, 20, (1, 16, 4, 2))
    drawing = Drawing.make(points, 3)
    seen: list[float] = []
    optimise(drawing, photo, make_objective(tower, settings), settings,
             on_progress=lambda progress: seen.append(time.process_time()))  # fmt: skip
    return (seen[-1] - seen[0]) / steps


if __name__ == "__main__":
    main()
