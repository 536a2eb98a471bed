"""Encode and differentiate: the embedded encoder as timm builds it, frozen, and packed.

    python benchmarks/encoder.py

The baseline is timm's model in evaluation mode with frozen weights, all images in one batch. Frozen
means batch norms folded and channels-last tensors; packed, that weights are laid out once as well
(`clipasso.encoders.packed`). By seed, the images of one seed are encoded at a time. To stage 5,
what follows the last layer of the geometric term is left out, and with it the semantic term: what
steps without that term would take.
"""

from __future__ import annotations

import argparse
import copy

import timm
import torch

from clipasso import load_encoder
from clipasso.encoders import EMBEDDED, efficientnet
from clipasso.encoders.packed import PackedChain
from common import clock, machine, medians, print_table, write_json


def up_to(encoder: efficientnet.EfficientNetLite0, layer: str, shape: torch.Size) -> PackedChain:
    """The packed network for grey images of a shape, without what follows a layer."""
    chain = copy.copy(encoder._chain(shape))
    end = chain.names.index(layer) + 1
    chain.names, chain.skips, chain.convs = chain.names[:end], chain.skips[:end], chain.convs[:end]
    return chain


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
        # Grey, as sketches are; only the packed network can make use of it.
        images = torch.rand(arguments.seeds * each, 1, 224, 224, requires_grad=True)

        def baseline(images: torch.Tensor = images) -> None:
            plain.forward_features(images.expand(-1, 3, -1, -1)).square().sum().backward()

        def ours(chunk: int, packed: bool, images: torch.Tensor = images) -> None:
            efficientnet.packs = (lambda: True) if packed else (lambda: False)
            for some in images.split(chunk):
                encoder.encode(some).embedding.square().sum().backward()

        def shorter(chunk: int, images: torch.Tensor = images) -> None:
            for some in images.split(chunk):
                up_to(encoder, "stage5", some.shape)(some, ())[1].square().sum().backward()

        def run(each: int = each) -> dict[str, float]:
            parts: dict[str, float] = {}
            clock(parts, "timm", baseline)
            clock(parts, "frozen", lambda: ours(arguments.seeds * each, False))
            clock(parts, "frozen, by seed", lambda: ours(each, False))
            clock(parts, "packed", lambda: ours(arguments.seeds * each, True))
            clock(parts, "packed, by seed", lambda: ours(each, True))
            clock(parts, "to stage 5, by seed", lambda: shorter(each))
            return parts

        seconds = medians(run, arguments.runs)
        figures.append({"seeds": arguments.seeds, "images": each, **seconds})
        rows.append([f"{arguments.seeds} x {each}"] + [f"{1e3 * s:.0f}" for s in seconds.values()]
                    + [f"{seconds['timm'] / seconds['packed, by seed']:.1f}"])  # fmt: skip
    kinds = ["timm", "frozen", "frozen, by seed", "packed", "packed, by seed",
             "to stage 5, by seed"]  # fmt: skip
    table = print_table(["seeds x images", *(f"{kind} ms" for kind in kinds), "x faster"], rows)
    write_json(arguments.json, figures, {"encoder": table})


if __name__ == "__main__":
    main()
