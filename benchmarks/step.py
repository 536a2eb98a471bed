"""One step of the paper's loop, stage by stage: the loop as released, and ours.

    python benchmarks/step.py                      # RN101, random weights where none are given
    python benchmarks/step.py --weights RN101.pt

The baseline is what the released code does, written plainly in PyTorch: five images of sketch and
photo, both encoded in every step in fp32 by open_clip's model, torchvision's augmentations, diffvg.
Where `pydiffvg` cannot be imported its stage is left out of the baseline, and the table says so.
Ours: the photo's features from the pool, batch norms folded, channels last, bf16 where the
processor has it. Both with one seed, 16 strokes and four augmented pairs. Weights decide neither
time nor memory, so random ones will do.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision import transforms

from clipasso.encoders.clip import ClipTower
from clipasso.encoders.open_clip_models import build_model, load_tower, wrap_tower
from clipasso.optimise.augment import apply_homographies
from clipasso.optimise.encoded_photo import PhotoPool
from clipasso.optimise.objective import make_objective
from clipasso.optimise.strokes import Drawing
from clipasso.pipeline.models import has_bf16
from clipasso.raster import rasterize
from clipasso.settings import make_settings
from common import clock, machine, medians, print_table, write_json

SIZE, STROKES, IMAGES = 224, 16, 5
FLOP = 2 * 98e9  # of RN101 for five images, forward and as much backward


def first_points() -> Tensor:
    """Where 16 strokes start, `[1, 16, 4, 2]`."""
    g = torch.Generator().manual_seed(0)
    centre = 40 + torch.rand(1, STROKES, 1, 2, generator=g) * (SIZE - 80)
    return centre + (torch.rand(1, STROKES, 4, 2, generator=g) - 0.5) * 80


def released(visual: Any, photo: Tensor) -> Callable[[], dict[str, float]]:
    """A step as the released code takes it; visual: open_clip's tower, as it comes."""
    try:
        import pydiffvg
    except ImportError:
        pydiffvg = None
    mean = torch.tensor((0.48145466, 0.4578275, 0.40821073)).view(3, 1, 1)
    std = torch.tensor((0.26862954, 0.26130258, 0.27577711)).view(3, 1, 1)
    augment = transforms.Compose([
        transforms.RandomPerspective(fill=0, p=1.0, distortion_scale=0.5),
        transforms.RandomResizedCrop(SIZE, scale=(0.8, 0.8), ratio=(1.0, 1.0), antialias=True),
    ])  # fmt: skip
    points = first_points()[0].requires_grad_()
    adam = torch.optim.Adam([points], lr=1.0)

    def draw() -> Tensor:
        if pydiffvg is None:
            return rasterize(points[None], widths=3.0, size=SIZE).expand(-1, 3, -1, -1)
        shapes = [
            pydiffvg.Path(torch.tensor([2]), p, stroke_width=torch.tensor(1.5), is_closed=False)
            for p in points
        ]
        black = torch.tensor([0.0, 0, 0, 1])
        groups = [
            pydiffvg.ShapeGroup(torch.tensor([i]), fill_color=None, stroke_color=black)
            for i in range(STROKES)
        ]
        scene = pydiffvg.RenderFunction.serialize_scene(SIZE, SIZE, shapes, groups)
        image = pydiffvg.RenderFunction.apply(SIZE, SIZE, 2, 2, 0, None, *scene)
        alpha = image[:, :, 3:]
        return (alpha * image[:, :, :3] + 1 - alpha).permute(2, 0, 1)[None]

    def encode(images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = visual.stem((images - mean) / std)
        second = visual.layer2(visual.layer1(x))
        third = visual.layer3(second)
        return second, third, visual.attnpool(visual.layer4(third))

    def compare(a: tuple[Tensor, ...], b: tuple[Tensor, ...]) -> Tensor:
        near = sum((x - y).square().mean() for x, y in zip(a[:2], b[:2], strict=True))
        return near + 0.1 * (1 - F.cosine_similarity(a[2], b[2])).mean()

    def step() -> dict[str, float]:
        parts: dict[str, float] = {}
        image = clock(parts, "rasterise", draw)
        leaf = image.detach().requires_grad_()

        def augmented() -> tuple[Tensor, Tensor]:
            both = torch.cat([leaf, photo])
            pairs = [both, *(augment(both) for _ in range(IMAGES - 1))]
            photos = torch.stack([p[1] for p in pairs]).detach()  # none flows back to the photo
            return torch.stack([p[0] for p in pairs]), photos

        sketches, photos = clock(parts, "augment", augmented)
        theirs = clock(parts, "encode the photo", lambda: encode(photos))
        ours = clock(parts, "encode the sketch", lambda: encode(sketches))
        clock(parts, "backward", lambda: compare(ours, theirs).backward())
        clock(parts, "rasterise, backward", lambda: image.backward(leaf.grad))
        clock(parts, "Adam", adam.step)
        adam.zero_grad()
        if pydiffvg is None:
            parts["rasterise"] = parts["rasterise, backward"] = 0.0
        return parts

    return step


def ours(encoder: ClipTower, photo: Tensor) -> Callable[[], dict[str, float]]:
    """A step of `clipasso.optimise.loop` with the paper's values, the pool apart."""
    settings, _ = make_settings("paper", pool=60, seeds=1)
    generator = torch.Generator().manual_seed(0)
    objective = make_objective(encoder, settings)
    pool = PhotoPool(photo, objective, settings, generator)
    drawing = Drawing.make(first_points().numpy(), 3)
    adam = torch.optim.Adam([drawing.points.requires_grad_()], lr=1.0)
    layers, number = objective.recipe.layers, itertools.count()

    def step() -> dict[str, float]:
        parts: dict[str, float] = {}
        image = clock(parts, "rasterise", lambda: drawing.render(SIZE))
        leaf = image.detach().requires_grad_()

        def augmented() -> tuple[Any, Any, Tensor]:
            every, chosen = pool.at(torch.tensor([next(number)]))
            assert chosen is not None  # drawn from the pool, all of which was encoded above
            units = {name: unit[chosen] for name, unit in every.units.items()}
            images = leaf.expand(len(chosen), -1, -1, -1)
            moved = apply_homographies(images, every.transforms[chosen], borders=every.borders)
            return every.features[chosen], units, moved

        photo_seen, units, images = clock(parts, "augment", augmented)
        parts["encode the photo"] = 0.0
        seen = clock(parts, "encode the sketch", lambda: encoder.encode(images, layers).exact())
        loss = objective.compare(seen, photo_seen, units, leaf)
        clock(parts, "backward", lambda: loss.total.mean().backward())
        clock(parts, "rasterise, backward", lambda: image.backward(leaf.grad))
        clock(parts, "Adam", adam.step)
        adam.zero_grad()
        return parts

    return step


def accuracy(tower: Callable[[], ClipTower], photo: Tensor) -> float:
    """Cosine between the gradients of the control points in fp32 and in bf16."""
    grads = []
    for low in (False, True):
        encoder = tower()
        if low:
            encoder.lower_precision()
        settings, _ = make_settings("paper", pool=60, seeds=1)
        generator = torch.Generator().manual_seed(0)
        pool = PhotoPool(photo, make_objective(encoder, settings), settings, generator)
        points = first_points().requires_grad_()
        pool.draw(4).loss(rasterize(points, widths=3.0, size=SIZE)).total.mean().backward()
        grads.append(points.grad.flatten())
    return float(F.cosine_similarity(*grads, dim=0))


def rate(dtype: torch.dtype, side: int = 2048, runs: int = 5) -> float:
    """Operations a second in a product of two square matrices; the best of some runs."""
    a = torch.rand(side, side).to(dtype)
    seconds = []
    for _ in range(runs + 1):  # the first warms up
        parts: dict[str, float] = {}
        clock(parts, "product", lambda: a @ a)
        seconds.append(parts["product"])
    return float(2 * side**3 / min(seconds[1:]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", help="RN101's checkpoint; random weights without")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    print(", ".join(f"{k} {v}" for k, v in machine().items()))

    torch.manual_seed(0)
    plain = build_model("RN101", quick_gelu=True).visual.eval().requires_grad_(False)
    state = plain.state_dict()

    def tower() -> ClipTower:
        if arguments.weights:
            return load_tower("RN101", "openai", arguments.weights)
        visual = build_model("RN101", quick_gelu=True).visual
        visual.load_state_dict(state)
        return wrap_tower(visual, "RN101", "openai", "random weights")

    from skimage import data

    pixels = np.ascontiguousarray(data.coffee()[:400, 100:500])
    photo = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
    photo = F.interpolate(photo, (SIZE, SIZE), mode="bilinear", antialias=True)

    figures = {"as released": medians(released(plain, photo), arguments.runs)}
    figures["ours, fp32"] = medians(ours(tower(), photo), arguments.runs)
    low = tower()
    low.lower_precision()
    figures["ours, bf16"] = medians(ours(low, photo), arguments.runs)
    base = sum(figures["as released"].values())
    rows = []
    for stage in figures["as released"]:
        rows.append([stage] + [f"{1e3 * parts[stage]:.1f}" for parts in figures.values()])
    rows.append(["sum"] + [f"{1e3 * sum(p.values()):.0f}" for p in figures.values()])
    rows.append(["times faster"] + [f"{base / sum(p.values()):.2f}" for p in figures.values()])
    table = print_table(["stage, ms", *figures], rows)
    if figures["as released"]["rasterise"] == 0:
        print("diffvg is not installed: the released loop is timed without it")
    print(f"bf16 in hardware: {has_bf16(torch.device('cpu'))}")
    rates = {"fp32": rate(torch.float32), "bf16": rate(torch.bfloat16)}
    cosine = accuracy(tower, photo)
    rows = [
        [name, f"{per / 1e9:.0f}", f"{1e3 * FLOP / per:.0f}", like]
        for (name, per), like in zip(rates.items(), ("1", f"{cosine:.4f}"), strict=True)
    ]
    heading = ["precision", "GFLOP/s of two large matrices", "so a step, ms",
               "cosine of the control points' gradient with fp32's"]  # fmt: skip
    floor = print_table(heading, rows)
    content = {"stages": figures, "rates": rates, "cosine": cosine}
    write_json(arguments.json, content, {"step": table, "step-floor": floor})


if __name__ == "__main__":
    main()
