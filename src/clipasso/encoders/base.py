"""What every encoder is to the rest of the program."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["Encoder", "Features", "Recipe"]


@dataclass(frozen=True)
class Features:
    """What an encoder sees in a batch of images.

    Attributes:
        layers: activations by layer name, `[batch, channels, height, width]` for convolutional
            encoders and `[batch, tokens, channels]` for transformers, tapped layers only.
        embedding: the final embedding, `[batch, dimensions]`, not normalised.
    """

    layers: Mapping[str, Tensor]
    embedding: Tensor

    def __getitem__(self, index: Tensor | slice) -> Features:
        """The features of a part of the batch."""
        return Features({k: v[index] for k, v in self.layers.items()}, self.embedding[index])


@dataclass(frozen=True)
class Recipe:
    """How an encoder's features become a loss (`clipasso.loss`).

    Attributes:
        layers: layer name to its weight in the geometric term (eq. 2).
        semantic_weight: w_s of eq. 3.
        normalized: scale the feature vector of every position to unit length first.
        relative: divide each layer's distance by the photo's distance to the blank canvas, so that
            1 means "no better than white paper" whatever the scale of the activations.
    """

    layers: Mapping[str, float] = field(default_factory=dict)
    semantic_weight: float = 0.1
    normalized: bool = False
    relative: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", MappingProxyType(dict(self.layers)))

    def as_dict(self) -> dict[str, Any]:
        """Every field by name, for reports."""
        return {f.name: getattr(self, f.name) for f in fields(self)} | {"layers": {**self.layers}}


class Encoder(ABC, nn.Module):
    """A frozen vision encoder.

    Attributes:
        name: what `load_encoder` knows it by.
        description: model and weights in words, for people and for a sketch's metadata.
        input_size: side of its square input, pixels.
        recipe: the loss that suits its features.
    """

    name: str
    description: str
    input_size: int
    recipe: Recipe
    mean: Tensor
    std: Tensor

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    @property
    @abstractmethod
    def layer_names(self) -> tuple[str, ...]:
        """Every layer that can be tapped, shallow to deep."""

    @abstractmethod
    def encode(self, images: Tensor) -> Features:
        """Activations of the recipe's layers and the final embedding; differentiable in images.

        Args:
            images: `[batch, 3, height, width]`, sRGB in 0..1 (`[batch, 1, ...]` is grey). Other
                sizes than `input_size` are resampled to it.
        """

    @abstractmethod
    def saliency(self, image: Tensor) -> Tensor:
        """How much each position of a photo matters (section 3.3).

        Args:
            image: `[1, 3, height, width]`, 0..1.

        Returns:
            `[height, width]`, scaled to 0..1.
        """

    def normalize(self, images: Tensor) -> Tensor:
        """Bring images to the size and scale the network was trained on."""
        side = (self.input_size, self.input_size)
        if images.shape[-2:] != side:
            images = F.interpolate(images, side, mode="bilinear", antialias=True)
        x = (images.expand(-1, 3, -1, -1) - self.mean) / self.std
        return x.contiguous(memory_format=torch.channels_last)


def unit_range(values: Tensor) -> Tensor:
    """Scale to 0..1; a constant map becomes all ones, since it prefers nothing."""
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else torch.ones_like(values)
