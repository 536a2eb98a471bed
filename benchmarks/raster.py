"""Forward and backward time of the rasteriser, against the PyTorch reference in the same run.

    python benchmarks/raster.py
    python benchmarks/raster.py --cuda        # only the GPU's rows
    python benchmarks/raster.py --profiles    # how good the gradient of each edge profile is

One thread, float32, one sketch of black cubic strokes of width 3; medians over many runs, each with
another of many random scenes: a processor learns the branches of a scene that it sees again and
again, which no optimisation shows it. The reference is dense, so it is timed once, for few strokes
only, on the first scene. Where `pydiffvg` can be imported, diffvg is timed on the same scenes with
the 2 x 2 samples of the released code. Where there is a GPU the Triton
kernel is timed too, by CUDA events, called from Python and replayed from a CUDA graph.
"""

from __future__ import annotations

import argparse
import itertools
import math
import statistics
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
import torch

from clipasso import rasterize
from clipasso.raster.basis import bezier
from clipasso.raster.reference import closest_parameter, pixel_centres
from common import Table, clock, machine, medians, print_table, write_json

SCENES = 40


def scene(
    strokes: int, reach: float, size: int | tuple[int, int], batch: int = 1, seed: int = 0
) -> torch.Tensor:
    """Random cubic strokes, `[batch, strokes, 4, 2]`: points within `reach` px of a centre."""
    g = torch.Generator().manual_seed(seed)
    sides = torch.tensor((size, size) if isinstance(size, int) else size)
    centre = torch.rand(batch, strokes, 1, 2, generator=g) * sides
    return centre + (torch.rand(batch, strokes, 4, 2, generator=g) - 0.5) * 2 * reach


def draw_diffvg(points: torch.Tensor, size: int) -> torch.Tensor:
    """The same strokes by diffvg, `[size, size, 4]`, as the released code calls it."""
    import pydiffvg

    shapes = [
        pydiffvg.Path(torch.tensor([2]), p, stroke_width=torch.tensor(1.5), is_closed=False)
        for p in points[0]
    ]
    black = torch.tensor([0.0, 0, 0, 1])
    groups = [
        pydiffvg.ShapeGroup(torch.tensor([i]), fill_color=None, stroke_color=black)
        for i in range(len(shapes))
    ]
    described = pydiffvg.RenderFunction.serialize_scene(size, size, shapes, groups)
    return pydiffvg.RenderFunction.apply(size, size, 2, 2, 0, None, *described)


def time_backend(
    backend: str, scenes: list[torch.Tensor], size: int, runs: int
) -> dict[str, float]:
    """Median seconds of forward and backward over the scenes in turn."""
    light = torch.randn(1, 1, size, size, generator=torch.Generator().manual_seed(1))
    turn = itertools.cycle(scenes)

    def run() -> dict[str, float]:
        parts: dict[str, float] = {}
        points = next(turn).clone().requires_grad_()
        if backend == "diffvg":
            image = clock(parts, "forward", lambda: draw_diffvg(points, size))
            clock(parts, "backward", image.sum().backward)
            return parts
        image = clock(
            parts, "forward", lambda: rasterize(points, widths=3.0, size=size, backend=backend)
        )
        clock(parts, "backward", lambda: image.backward(light))
        return parts

    return medians(run, runs)


def time_events(call: Callable[[], object], runs: int, times: int = 10) -> float:
    """Median milliseconds of a call on the GPU, each run a stretch of several."""
    taken = []
    for _ in range(runs):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        for _ in range(times):
            call()
        end.record()
        end.synchronize()
        taken.append(start.elapsed_time(end) / times)
    return statistics.median(taken)


def time_cuda(points: torch.Tensor, size: tuple[int, int], runs: int) -> dict[str, float]:
    """Milliseconds of forward and backward together, called from Python and as a graph."""
    points = points.cuda().requires_grad_()
    g = torch.Generator().manual_seed(1)
    light = torch.randn(len(points), 1, size[1], size[0], generator=g).cuda()

    def step() -> torch.Tensor:
        image = rasterize(points, widths=3.0, size=size, backend="triton")
        return torch.autograd.grad(image, points, light)[0]

    side = torch.cuda.Stream()  # captures want a warm-up on a stream of its own
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured = step()
    graph.replay()
    if not torch.equal(captured, step()):
        raise RuntimeError("the graph's gradients are not those of the call")
    return {"call": time_events(step, runs), "graph": time_events(graph.replay, runs)}


def speed_cuda(arguments: argparse.Namespace) -> tuple[list[dict[str, object]], Table]:
    """The Triton kernel on a batch of three small sketches and on one large, dense one."""
    here = torch.cuda.is_available()
    print(
        f"\nTriton, forward + backward: {torch.cuda.get_device_name() if here else 'no GPU here'}"
    )
    rows, figures = [], []
    for batch, strokes, size, reach in (
        (3, 16, (224, 224), 40), (1, 2048, (2040, 1344), 40), (1, 2048, (2040, 1344), 240)
    ):  # fmt: skip
        row = [f"{size[0]} x {size[1]}", f"{batch} x {strokes}", str(reach)]
        if not here:
            rows.append([*row, "not measured", "not measured"])
            continue
        points = scene(strokes, reach, size, batch)
        ours = time_cuda(points, size, arguments.runs)
        rows.append([*row, f"{ours['call']:.3f}", f"{ours['graph']:.3f}"])
        figures.append({"size": size, "batch": batch, "strokes": strokes, "reach": reach, **ours})
    heading = ["canvas", "strokes", "reach px", "called ms", "in a graph ms"]
    return figures, print_table(heading, rows)


def speed(arguments: argparse.Namespace) -> None:
    if arguments.cuda:
        figures, table = speed_cuda(arguments)
        write_json(arguments.json, {"triton": figures}, {"raster-cuda": table})
        return
    rows, figures = [], []
    for size in (224, 448):
        for strokes in (4, 8, 16, 32, 64):
            reach = 40 * size / 224 if arguments.scaled else 40
            scenes = [scene(strokes, reach, size, seed=k) for k in range(SCENES)]
            ours = time_backend("kernel", scenes, size, arguments.runs)
            dense = arguments.reference and size == 224 and strokes <= 16  # minutes beyond
            theirs = time_backend("reference", scenes[:1], size, 1) if dense else {}
            diffvg = time_backend("diffvg", scenes, size, 5) if find_spec("pydiffvg") else {}
            total = sum(ours.values())
            ink = statistics.mean(
                float((1 - rasterize(points, widths=3.0, size=size)).sum()) for points in scenes
            )
            row = [str(size), str(strokes), f"{ink:.0f}"]
            row += [f"{1e3 * ours[k]:.3f}" for k in ("forward", "backward")]
            row += [f"{1e3 * total:.3f}", f"{1e9 * total / ink:.0f}"]
            row += [f"{sum(t.values()) / total:.0f}" if t else "-" for t in (theirs, diffvg)]
            rows.append(row)
            figures.append({
                "size": size, "strokes": strokes, "ink": ink, "kernel": ours,
                "reference": theirs, "diffvg": diffvg,
            })  # fmt: skip
    table = print_table(
        ["canvas", "strokes", "ink px", "forward ms", "backward ms", "sum ms", "ns / ink px",
         "x reference", "x diffvg"], rows,
    )  # fmt: skip
    triton, cuda = speed_cuda(arguments)
    tables = {"raster": table, "raster-cuda": cuda}
    write_json(arguments.json, {"kernel": figures, "triton": triton}, tables)


def profiles(arguments: argparse.Namespace) -> None:
    """The ink's derivative against width x the derivative of arc length, by edge profile.

    Coverage is a function of s = half-width - distance; the error is relative, over random arcs.
    """

    def ramp(px: float):
        return lambda s: (s / px + 0.5).clamp(0, 1)

    def smoothstep(px: float):
        return lambda s: (x := (s / px + 0.5).clamp(0, 1)) * x * (3 - 2 * x)

    def gaussian(sigma: float):
        return lambda s: 0.5 * (1 + torch.erf(s / (sigma * math.sqrt(2))))

    edges = {f"linear ramp, {w} px": ramp(w) for w in (1, 2)}
    edges |= {f"smoothstep, {w} px": smoothstep(w) for w in (1, 2, 3)}
    edges |= {f"Gaussian, sigma {s} px": gaussian(s) for s in (0.3, 0.4, 0.5, 0.6)}
    rng, width, size = np.random.default_rng(0), 3.0, 96
    pixels = pixel_centres(size, size, torch.zeros(1, dtype=torch.float64))
    errors: dict[str, list[float]] = {name: [] for name in edges}
    for _ in range(24):
        points = random_arc(rng, size).requires_grad_()
        grid = torch.linspace(0, 1, 4001, dtype=torch.float64)
        length = bezier(points[None], grid).diff(dim=0).norm(dim=1).sum()
        (exact,) = torch.autograd.grad(width * length, points)
        index, t = closest_parameter(points.detach()[None], pixels)
        for name, edge in edges.items():
            distance = (bezier(points[None][index], t) - pixels).norm(dim=1)
            (ours,) = torch.autograd.grad(edge(width / 2 - distance).sum(), points)
            errors[name].append(float((ours - exact).norm() / exact.norm()))
    rows = [[n, f"{np.median(e):.3f}", f"{max(e):.3f}"] for n, e in errors.items()]
    table = print_table(["edge profile", "median error", "worst"], rows)
    write_json(arguments.json, errors, {"profiles": table})


def random_arc(rng: np.random.Generator, size: int) -> torch.Tensor:
    """A circular arc as a cubic, `[4, 2]`, somewhere near the middle of the canvas."""
    radius, a, sweep = rng.uniform(12, 30), rng.uniform(0, 7), rng.uniform(0.6, 1.5)
    k, b = 4 / 3 * math.tan(sweep / 4), a + sweep
    p = [
        (math.cos(a), math.sin(a)),
        (math.cos(a) - k * math.sin(a), math.sin(a) + k * math.cos(a)),
        (math.cos(b) + k * math.sin(b), math.sin(b) - k * math.cos(b)),
        (math.cos(b), math.sin(b)),
    ]
    centre = size / 2 + torch.from_numpy(rng.uniform(-1, 1, 2))
    return torch.tensor(p, dtype=torch.float64) * radius + centre


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200, help="timed runs of the kernel")
    parser.add_argument("--no-reference", dest="reference", action="store_false")
    parser.add_argument("--scaled", action="store_true", help="let strokes grow with the canvas")
    parser.add_argument("--cuda", action="store_true", help="only the Triton kernel, on a GPU")
    parser.add_argument("--profiles", action="store_true", help="gradient error by edge profile")
    parser.add_argument("--json", metavar="FILE", help="write the figures here too")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(", ".join(f"{k} {v}" for k, v in machine().items()))
    (profiles if arguments.profiles else speed)(arguments)


if __name__ == "__main__":
    main()
