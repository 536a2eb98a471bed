"""What sketches are compared with: the photo's features under random transforms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from clipasso.augment import apply_homographies, identity_homographies, random_homographies
from clipasso.encoders.base import Encoder, Features
from clipasso.loss import Loss, blank_distances, perceptual_loss
from clipasso.settings import Borders

__all__ = ["PhotoPool", "Targets"]


@dataclass(frozen=True)
class Targets:
    """The photo as the encoder sees it through n transforms; the first leaves it as it is.

    Attributes:
        transforms: `[n, 3, 3]` homographies.
        features: of the transformed photos, batch n.
        units: for a relative recipe, their distances to the blank canvas by layer, each `[n]`.
        borders: what stands outside a transformed image.
    """

    transforms: Tensor
    features: Features
    units: Mapping[str, Tensor]
    borders: Borders

    def __len__(self) -> int:
        return len(self.transforms)

    def __getitem__(self, index: Tensor) -> Targets:
        """Some of the targets, in any order and any number of times."""
        units = {name: unit[index] for name, unit in self.units.items()}
        return Targets(self.transforms[index], self.features[index], units, self.borders)

    def loss(self, sketches: Tensor, encoder: Encoder) -> Loss:
        """Compare every sketch with the photo under every transform.

        Args:
            sketches: `[m, channels, size, size]`, 0..1.

        Returns:
            Terms `[m * n]`: the first sketch under all transforms, then the second ...
        """
        m, n = len(sketches), len(self)
        all_pairs = self[torch.arange(n, device=sketches.device).repeat(m)]
        images = sketches.repeat_interleave(n, 0)
        seen = encoder.encode(
            apply_homographies(images, all_pairs.transforms, borders=self.borders)
        )
        return perceptual_loss(seen, all_pairs.features, encoder.recipe, all_pairs.units)


class PhotoPool:
    """Random transforms of a photo, encoded once at the start and drawn from in every step.

    Encoding the photo afresh in every step costs as much as encoding the sketch's forward pass and
    buys nothing that shows (`benchmarks/pool.py`).

    Args:
        photo: `[1, 3, size, size]`, 0..1.
        count: transforms in the pool; 0 draws fresh ones in every step.
        borders: what stands outside a transformed image.
        generator: the only source of randomness, on the CPU.
    """

    def __init__(
        self,
        photo: Tensor,
        encoder: Encoder,
        count: int,
        borders: Borders,
        generator: torch.Generator,
    ) -> None:
        self.photo, self.encoder, self.borders = photo, encoder, borders
        self.count, self.generator = count, generator
        self.clean = self._encode(identity_homographies(1))
        self.pool = self._encode(self._random(count)) if count else None

    def draw(self, count: int) -> Targets:
        """The clean photo and `count` different random transforms of it."""
        if count == 0:
            return self.clean
        if self.pool is None:
            return _join([self.clean, self._encode(self._random(count))])
        chosen = torch.randperm(self.count, generator=self.generator)[:count]
        return _join([self.clean, self.pool[chosen.to(self.photo.device)]])

    def _random(self, count: int) -> Tensor:
        return random_homographies(count, self.photo.shape[-1], self.generator)

    @torch.no_grad()
    def _encode(self, transforms: Tensor, chunk: int = 8) -> Targets:
        parts = []
        for some in transforms.to(self.photo.device).split(chunk):
            seen = self._see(self.photo, some)
            units = {}
            if self.encoder.recipe.relative:
                blank = self._see(torch.ones_like(self.photo), some)
                units = blank_distances(seen, blank, self.encoder.recipe)
            parts.append(Targets(some, seen, units, self.borders))
        return _join(parts)

    def _see(self, image: Tensor, transforms: Tensor) -> Features:
        images = image.expand(len(transforms), -1, -1, -1)
        return self.encoder.encode(apply_homographies(images, transforms, borders=self.borders))


def _join(parts: list[Targets]) -> Targets:
    first = parts[0]
    return Targets(
        torch.cat([p.transforms for p in parts]),
        Features(
            {k: torch.cat([p.features.layers[k] for p in parts]) for k in first.features.layers},
            torch.cat([p.features.embedding for p in parts]),
        ),
        {k: torch.cat([p.units[k] for p in parts]) for k in first.units},
        first.borders,
    )
