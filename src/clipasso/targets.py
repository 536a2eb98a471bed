"""What sketches are compared with: the photo's features under random transforms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from clipasso.augment import apply_homographies, identity_homographies, random_homographies
from clipasso.encoders.base import Features
from clipasso.loss import Loss, blank_distances
from clipasso.objective import Objective
from clipasso.settings import Borders, Settings

__all__ = ["PhotoPool", "Targets"]


@dataclass(frozen=True)
class Targets:
    """The photo as the encoder sees it through n transforms; the first leaves it as it is.

    Attributes:
        objective: what comparing means.
        transforms: `[n, 3, 3]` homographies.
        features: of the transformed photos, batch n.
        units: for a relative recipe, their distances to the blank canvas by layer, each `[n]`.
        borders: what stands outside a transformed image.
    """

    objective: Objective
    transforms: Tensor
    features: Features
    units: Mapping[str, Tensor]
    borders: Borders

    def __len__(self) -> int:
        return len(self.transforms)

    def __getitem__(self, index: Tensor) -> Targets:
        """Some of the targets, in any order and any number of times."""
        units = {name: unit[index] for name, unit in self.units.items()}
        features = self.features[index]
        return Targets(self.objective, self.transforms[index], features, units, self.borders)

    def loss(self, sketches: Tensor) -> Loss:
        """Compare every sketch with the photo under every transform.

        Args:
            sketches: `[m, channels, size, size]`, 0..1.

        Returns:
            Terms `[m * n]`: the first sketch under all transforms, then the second ...
        """
        m, n = len(sketches), len(self)
        pairs = self[torch.arange(n, device=sketches.device).repeat(m)]
        images = sketches.repeat_interleave(n, 0)
        goal = self.objective
        transformed = apply_homographies(images, pairs.transforms, borders=self.borders)
        seen = goal.encoder.encode(transformed, goal.recipe.layers).exact()
        return goal.compare(seen, pairs.features, pairs.units, sketches)


class PhotoPool:
    """Random transforms of a photo, encoded once at the start and drawn from in every step.

    Encoding the photo afresh in every step costs as much as encoding the sketch's forward pass and
    buys nothing that shows (`benchmarks/pool.py`).

    Args:
        photo: `[1, 3, size, size]`, 0..1.
        objective: what comparing means.
        settings: of these `pool` (0 draws fresh transforms in every step), `augmentations`,
            `borders` and `crop`.
        generator: the only source of randomness, on the CPU.
    """

    def __init__(
        self, photo: Tensor, objective: Objective, settings: Settings, generator: torch.Generator
    ) -> None:
        self.photo, self.objective, self.settings = photo, objective, settings
        self.generator = generator
        self.clean = self._encode(identity_homographies(1))
        pooled = settings.pool if settings.augmentations else 0
        self.pool = self._encode(self._random(pooled)) if pooled else None

    def draw(self, count: int) -> Targets:
        """The clean photo and `count` different random transforms of it."""
        if count == 0:
            return self.clean
        if self.pool is None:
            return _join([self.clean, self._encode(self._random(count))])
        chosen = torch.randperm(len(self.pool), generator=self.generator)[:count]
        return _join([self.clean, self.pool[chosen.to(self.photo.device)]])

    def _random(self, count: int) -> Tensor:
        size = self.photo.shape[-1]
        return random_homographies(count, size, self.generator, crop=self.settings.crop)

    @torch.no_grad()
    def _encode(self, transforms: Tensor, chunk: int = 8) -> Targets:
        recipe = self.objective.recipe
        parts = []
        for some in transforms.to(self.photo.device).split(chunk):
            seen = self._see(self.photo, some)
            units = {}
            if recipe.relative:
                units = blank_distances(seen, self._blank(some), recipe)
            parts.append(Targets(self.objective, some, seen, units, self.settings.borders))
        return _join(parts)

    def _blank(self, transforms: Tensor) -> Features:
        """White paper under the transforms, whose outside may be black."""
        white = torch.ones_like(self.photo)
        if self.settings.borders == "plain":
            return self._see(white, transforms)
        return self._see(white, transforms[:1])[torch.zeros(len(transforms), dtype=torch.long)]

    def _see(self, image: Tensor, transforms: Tensor) -> Features:
        images = image.expand(len(transforms), -1, -1, -1)
        images = apply_homographies(images, transforms, borders=self.settings.borders)
        return self.objective.encoder.encode(images, self.objective.recipe.layers).exact()


def _join(parts: list[Targets]) -> Targets:
    first = parts[0]
    features = Features(
        {k: torch.cat([p.features.layers[k] for p in parts]) for k in first.features.layers},
        torch.cat([p.features.embedding for p in parts]),
    )
    units = {k: torch.cat([p.units[k] for p in parts]) for k in first.units}
    transforms = torch.cat([p.transforms for p in parts])
    return Targets(first.objective, transforms, features, units, first.borders)
