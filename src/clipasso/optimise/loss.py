"""Geometric and semantic distance between sketch and photo (section 3.1, equations 1 to 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from clipasso.encoders.base import Features, Recipe

__all__ = ["Loss", "blank_distances", "cosine_distance", "layer_distance", "perceptual_loss"]

_FLOOR = 1e-3


@dataclass(frozen=True)
class Loss:
    """The terms of eq. 3, each `[batch]`.

    Attributes:
        layers: weighted geometric distance by layer.
        semantic: weighted cosine distance of the embeddings, w_s included.
        extra: terms that the paper's loss does not have, by name, weighted.
    """

    layers: Mapping[str, Tensor]
    semantic: Tensor
    extra: Mapping[str, Tensor] = field(default_factory=dict)

    @property
    def geometric(self) -> Tensor:
        """L_geometric (eq. 2), `[batch]`."""
        return sum(self.layers.values(), torch.zeros_like(self.semantic))

    @property
    def total(self) -> Tensor:
        """What is minimised (eq. 3), `[batch]`."""
        return sum(self.extra.values(), self.geometric + self.semantic)

    @property
    def terms(self) -> dict[str, Tensor]:
        """Every term by name and their sum as `total`, each `[batch]`."""
        return {**self.layers, "semantic": self.semantic, **self.extra, "total": self.total}


def layer_distance(a: Tensor, b: Tensor, recipe: Recipe) -> Tensor:
    """Distance of two activations `[batch, ...]` for each image, `[batch]`; see `Recipe`."""
    channels = 1 if a.ndim == 4 else -1
    if recipe.distance == "cosine":
        return (1 - F.cosine_similarity(a, b, dim=channels)).flatten(1).mean(1)
    if recipe.normalized:
        a, b = F.normalize(a, dim=channels), F.normalize(b, dim=channels)
    difference = (a - b).square() if recipe.distance == "l2" else (a - b).abs()
    return difference.flatten(1).mean(1)


def cosine_distance(a: Tensor, b: Tensor) -> Tensor:
    """1 - cosine of two embeddings `[batch, dimensions]` (eq. 1), `[batch]`."""
    return 1 - F.cosine_similarity(a, b, dim=-1)


def blank_distances(photo: Features, blank: Features, recipe: Recipe) -> dict[str, Tensor]:
    """How far white paper is from the photo, by layer, `[batch]`: the unit of a relative recipe.

    A little of the photo's own energy is added, so that an all-white photo has a unit too.
    """
    units = {}
    for name in recipe.layers:
        seen, paper = photo.layers[name], blank.layers[name]
        own = layer_distance(seen, torch.zeros_like(seen), recipe)
        units[name] = layer_distance(seen, paper, recipe) + _FLOOR * own
    return units


def perceptual_loss(
    sketch: Features, photo: Features, recipe: Recipe, units: Mapping[str, Tensor] | None = None
) -> Loss:
    """Compare sketches with photos image by image; differentiable in the sketch's features.

    Args:
        sketch, photo: features of the same batch size.
        recipe: layers, weights and normalisation.
        units: for a relative recipe, what `blank_distances` gave for these photos.
    """
    layers = {}
    for name, weight in recipe.layers.items():
        distance = layer_distance(sketch.layers[name], photo.layers[name], recipe)
        if recipe.relative:
            if units is None:
                raise ValueError("a relative recipe needs the distances to the blank canvas")
            distance = distance / units[name]
        layers[name] = weight * distance
    cosine = cosine_distance(sketch.embedding, photo.embedding)
    return Loss(layers, recipe.semantic_weight * cosine)
