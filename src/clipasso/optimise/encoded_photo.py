"""What sketches are compared with: photos' features under random transforms."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from clipasso.encoders.base import Features
from clipasso.optimise.augment import apply_homographies, identity_homographies, random_homographies
from clipasso.optimise.loss import Loss, blank_distances
from clipasso.optimise.objective import Objective
from clipasso.settings import Borders, Settings

__all__ = ["PhotoPool", "Targets", "shared_objective"]

_TOGETHER = 8  # transforms of a photo that are encoded in one call


@dataclass(frozen=True)
class Targets:
    """Photos as the encoder sees them through n transforms; the first leaves them as they are.

    Attributes:
        objective: what comparing means; its `outside` is `[canvas, canvas]`, or
            `[photos, canvas, canvas]` where there are several photos.
        transforms: `[n, 3, 3]` homographies, the same for every photo.
        features: of the transformed photos, batch photos * n: the first photo under all
            transforms, then the second ...
        units: for a relative recipe, their distances to the blank canvas by layer, each
            `[photos * n]`.
        borders: what stands outside a transformed image.
    """

    objective: Objective
    transforms: Tensor
    features: Features
    units: Mapping[str, Tensor]
    borders: Borders

    def __len__(self) -> int:
        return len(self.transforms)

    def loss(
        self, sketches: Tensor, chosen: Tensor | None = None, photos: Tensor | None = None
    ) -> Loss:
        """Compare every sketch with its photo under some of the transforms.

        Nothing is decided by a tensor's values, so this may stand in a CUDA graph.

        Args:
            sketches: `[m, channels, size, size]`, 0..1, or `[m, c, channels, size, size]`, another
                one for each chosen transform.
            chosen: `[c]` transforms, 0..n - 1; all of them by default.
            photos: `[m]` the photo of each sketch; the first by default.

        Returns:
            Terms `[m * c]`: the first sketch under all chosen transforms, then the second ...
        """
        device, m = sketches.device, len(sketches)
        if chosen is None:
            chosen = torch.arange(len(self), device=device)
        if photos is None:
            photos = torch.zeros(m, dtype=torch.long, device=device)
        c, goal = len(chosen), self.objective
        pairs = (photos[:, None] * len(self) + chosen).flatten()
        transforms = self.transforms[chosen].expand(m, c, 3, 3).flatten(0, 1)
        images = sketches if sketches.ndim == 5 else sketches[:, None].expand(-1, c, -1, -1, -1)
        images = images.flatten(0, 1)
        transformed = apply_homographies(images, transforms, borders=self.borders)
        seen = goal.encoder.encode(transformed, goal.recipe.layers).exact()
        if sketches.ndim == 5:
            sketches, photos = images, photos.repeat_interleave(c)
        if goal.outside is not None and goal.outside.ndim == 3:
            goal = replace(goal, outside=goal.outside[photos])
        units = {name: unit[pairs] for name, unit in self.units.items()}
        return goal.compare(seen, self.features[pairs], units, sketches)


class PhotoPool:
    """Random transforms of photos, each encoded once and drawn from in every step.

    Encoding the photo afresh in every step costs as much as encoding the sketch's forward pass and
    buys nothing that shows (`benchmarks/pool.py`). All photos are seen through the same transforms,
    those that each would get alone.

    Args:
        photos: `[photos, 3, size, size]`, 0..1.
        objective: what comparing means.
        settings: of these `iterations`, `augmentations`, `borders`, `crop` and `pool`; a pool of 0
            draws and encodes fresh transforms in every step.
        generator: the only source of randomness, on the CPU.
        ahead: encode the whole pool now. Else the first step does not wait for what later ones
            draw: `encode_for` is to be called before each.

    Attributes:
        clean: the photos as they are.
        every: those and, where there is a pool, the photos under all its transforms; NaN for those
            that have not been encoded.
        fixed: whether steps draw from a pool, or need none, so that `at` never waits.
    """

    def __init__(
        self, photos: Tensor, objective: Objective, settings: Settings, generator: torch.Generator,
        *, ahead: bool = True,
    ) -> None:  # fmt: skip
        self.photos, self.objective, self.settings = photos, objective, settings
        self.generator, count = generator, settings.augmentations
        self.clean = self.every = self.encode(identity_homographies(1))
        self.fixed = bool(settings.pool) or not count
        if self.fixed and count:
            pool = self.random(settings.pool).to(photos.device)
            more = self.encode(pool) if ahead else _unseen(self.clean, pool)
            self.every = _join([self.clean, more], len(photos))
        rows = [self._draw(count) for _ in range(settings.iterations)] if self.fixed else []
        self._table = torch.stack(rows).to(photos.device) if rows else None
        self._drawn = [] if ahead else [row[1:].tolist() for row in rows]
        self._unseen = list(dict.fromkeys(k for row in self._drawn for k in row))

    def encode_for(self, step: int) -> None:
        """See to it that what a step draws is encoded; with it comes what the next ones draw.

        Args:
            step: 0..iterations - 1.
        """
        while self._unseen and not set(self._unseen).isdisjoint(self._drawn[step]):
            # No transform alone: that costs more, and may round otherwise, than among others.
            count = _TOGETHER if len(self._unseen) > _TOGETHER + 1 else len(self._unseen)
            chosen = torch.tensor(self._unseen[:count], device=self.photos.device)
            self._unseen = self._unseen[count:]
            every, made = self.every, self.encode(self.every.transforms[chosen], count)
            places = _pairs(chosen, len(self.photos), len(every))
            for name, values in made.features.layers.items():
                every.features.layers[name][places] = values
            every.features.embedding[places] = made.features.embedding
            for name, values in made.units.items():
                every.units[name][places] = values

    def at(self, step: Tensor) -> tuple[Targets, Tensor | None]:
        """What a step's sketches are compared with, and which of its transforms are to be used.

        Args:
            step: `[1]`, 0..iterations - 1, on the photos' device.
        """
        if self._table is None:
            return self.draw(self.settings.augmentations), None
        return self.every, self._table.index_select(0, step)[0]

    def draw(self, count: int) -> Targets:
        """The clean photos and as many fresh random transforms of them, for one step."""
        if count == 0:
            return self.clean
        return _join([self.clean, self.encode(self.random(count))], len(self.photos))

    def _draw(self, count: int) -> Tensor:
        """The clean transform and `count` others of `every`, `[1 + count]` on the CPU."""
        chosen = torch.zeros(1 + count, dtype=torch.long)
        if count:
            chosen[1:] = 1 + torch.randperm(len(self.every) - 1, generator=self.generator)[:count]
        return chosen

    def random(self, count: int) -> Tensor:
        """So many transforms, `[count, 3, 3]` on the CPU, by the generator."""
        size = self.photos.shape[-1]
        return random_homographies(count, size, self.generator, crop=self.settings.crop)

    @torch.no_grad()
    def encode(self, transforms: Tensor, chunk: int = _TOGETHER) -> Targets:
        """The photos under transforms `[n, 3, 3]`, so many of them at a time."""
        recipe, borders = self.objective.recipe, self.settings.borders
        transforms = transforms.to(self.photos.device)
        photos = []
        for photo in self.photos.split(1):
            parts = []
            for some in transforms.split(chunk):
                seen = self._see(photo, some)
                units = {}
                if recipe.relative:
                    units = blank_distances(seen, self._blank(photo, some), recipe)
                parts.append(Targets(self.objective, some, seen, units, borders))
            photos.append(_join(parts))
        return replace(_join(photos), transforms=transforms)

    def _blank(self, photo: Tensor, transforms: Tensor) -> Features:
        """White paper under the transforms, whose outside may be black."""
        white = torch.ones_like(photo)
        if self.settings.borders == "plain":
            return self._see(white, transforms)
        return self._see(white, transforms[:1])[torch.zeros(len(transforms), dtype=torch.long)]

    def _see(self, image: Tensor, transforms: Tensor) -> Features:
        images = image.expand(len(transforms), -1, -1, -1)
        images = apply_homographies(images, transforms, borders=self.settings.borders)
        return self.objective.encoder.encode(images, self.objective.recipe.layers).exact()


def shared_objective(objectives: Sequence[Objective]) -> Objective:
    """One objective for several photos, which may differ in where their objects are and no more."""
    first, maps = objectives[0], [o.outside for o in objectives]
    known = next((m for m in maps if m is not None), None)
    if len(maps) == 1 or known is None:
        return first
    outside = torch.stack([torch.zeros_like(known) if m is None else m for m in maps])
    return replace(first, outside=outside)


def _pairs(transforms: Tensor, photos: int, count: int) -> Tensor:
    """Where `Targets` of so many photos and transforms hold each photo under some of these."""
    first = torch.arange(photos, device=transforms.device)[:, None] * count
    return (first + transforms).flatten()


def _unseen(clean: Targets, transforms: Tensor) -> Targets:
    """Room for photos under transforms, NaN until they are encoded."""

    def room(values: Tensor) -> Tensor:
        return torch.cat([values * math.nan] * len(transforms))  # in the encoder's memory layout

    layers = {name: room(values) for name, values in clean.features.layers.items()}
    features = Features(layers, room(clean.features.embedding))
    units = {name: room(values) for name, values in clean.units.items()}
    return replace(clean, transforms=transforms, features=features, units=units)


def _join(parts: Sequence[Targets], photos: int = 1) -> Targets:
    """The same photos under one part's transforms, then under the next part's."""
    first = parts[0]
    if len(parts) == 1:
        return first

    def cat(values: list[Tensor]) -> Tensor:
        by_photo = zip(*(v.chunk(photos) for v in values), strict=True)
        return torch.cat([piece for pieces in by_photo for piece in pieces])

    features = Features(
        {k: cat([p.features.layers[k] for p in parts]) for k in first.features.layers},
        cat([p.features.embedding for p in parts]),
    )
    units = {k: cat([p.units[k] for p in parts]) for k in first.units}
    transforms = torch.cat([p.transforms for p in parts])
    return replace(first, transforms=transforms, features=features, units=units)
