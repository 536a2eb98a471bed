"""Encode and differentiate: the embedded encoder as timm builds it, frozen, and seed by seed.

    python benchmarks/encoder.py

The baseline is timm's model in evaluation mode with frozen weights, all images in one batch; ours
has its batch norms folded and its tensors channels-last, and sees one seed's images at a time.
"""

from __future__ import annotations

import argparse

import timm
import torch

from clipasso import load_encoder
from clipasso.encoders import EMBEDDED
from common import clock, machine, medians, print_table, write_json


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--images", type=int, nargs="+", default=[2, 5], help="images a seed")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    print(", ".join(f"{k} {v}" for k, v in machine().items()))
    encoder = load_encoder(EMBEDDED)
    plain = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    plain.requires_grad_(False)
    rows, figures = [], []
    for each in arguments.images:
        images = torch.rand(arguments.seeds * each, 3, 224, 224, requires_grad=True)

        def baseline(images: torch.Tensor = images) -> None:
            plain.forward_features(images).square().sum().backward()

        def frozen(chunk: int, images: torch.Tensor = images) -> None:
            for some in images.split(chunk):
                encoder.encode(some).embedding.square().sum().backward()

        def run(each: int = each) -> dict[str, float]:
            parts: dict[str, float] = {}
            clock(parts, "timm", baseline)
            clock(parts, "frozen", lambda: frozen(arguments.seeds * each))
            clock(parts, "by seed", lambda: frozen(each))
            return parts

        seconds = medians(run, arguments.runs)
        figures.append({"seeds": arguments.seeds, "images": each, **seconds})
        rows.append([f"{arguments.seeds} x {each}"] + [f"{1e3 * s:.0f}" for s in seconds.values()]
                    + [f"{seconds['timm'] / seconds['by seed']:.1f}"])  # fmt: skip
    print_table(["seeds x images", "timm ms", "frozen ms", "by seed ms", "x faster"], rows)
    write_json(arguments.json, figures)


if __name__ == "__main__":
    main()
