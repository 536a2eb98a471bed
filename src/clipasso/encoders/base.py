"""What every encoder is to the rest of the program."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from clipasso.errors import ClipassoError

__all__ = ["Distance", "Encoder", "Features", "Recipe", "enlarge", "unit_range"]

Distance = Literal["l2", "l1", "cosine"]


@dataclass(frozen=True)
class Features:
    """What an encoder sees in a batch of images.

    Attributes:
        layers: activations by layer name, `[batch, channels, height, width]` for convolutional
            encoders and `[batch, tokens, channels]` for transformers, the layers asked for only.
        embedding: the final embedding, `[batch, dimensions]`, not normalised.
    """

    layers: Mapping[str, Tensor]
    embedding: Tensor

    def __getitem__(self, index: Tensor | slice) -> Features:
        """The features of a part of the batch."""
        return Features({k: v[index] for k, v in self.layers.items()}, self.embedding[index])

    def exact(self) -> Features:
        """The same with bfloat16 turned into float32, for sums over many positions."""

        def widen(x: Tensor) -> Tensor:
            return x.float() if x.dtype == torch.bfloat16 else x

        return Features({k: widen(v) for k, v in self.layers.items()}, widen(self.embedding))


@dataclass(frozen=True)
class Recipe:
    """How an encoder's features become a loss (`clipasso.optimise.loss`).

    Attributes:
        layers: layer name to its weight in the geometric term (eq. 2).
        semantic_weight: w_s of eq. 3.
        distance: between two activations, a mean over all positions: `l2` (squared differences,
            eq. 2) and `l1`, means over channels as well, or `cosine`.
        normalized: scale the feature vector of every position to unit length first.
        relative: divide each layer's distance by the photo's distance to the blank canvas, so that
            1 means "no better than white paper" whatever the scale of the activations.
        lighten: how far the photo is lightened before anything looks at it (`Settings.lighten`).
        contrast: how far its local contrast is raised before that (`Settings.contrast`).
        width_rate: of the strokes' widths (`Settings.width_rate`).
    """

    layers: Mapping[str, float] = field(default_factory=dict)
    semantic_weight: float = 0.1
    distance: Distance = "l2"
    normalized: bool = False
    relative: bool = False
    lighten: float = 0.0
    contrast: float = 0.0
    width_rate: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", MappingProxyType(dict(self.layers)))

    def __reduce__(self) -> tuple[Any, ...]:  # a mappingproxy can neither be pickled nor copied
        return Recipe, tuple(self.as_dict().values())

    def as_dict(self) -> dict[str, Any]:
        """Every field by name, for reports."""
        return {f.name: getattr(self, f.name) for f in fields(self)} | {"layers": {**self.layers}}


class Encoder(ABC, nn.Module):
    """A frozen vision encoder.

    Attributes:
        name: what `load_encoder` knows it by, without a tag.
        description: model and weights in words, for people and for a sketch's metadata.
        input_size: side of its square input, pixels.
        recipe: the loss that suits its features.
        saliency_methods: ways of `saliency` it knows, its own choice first; none where it only
            measures distances.
        precision: what its network computes in: float32, or bfloat16 after `lower_precision`.
    """

    name: str
    description: str
    input_size: int
    recipe: Recipe
    saliency_methods: tuple[str, ...] = ()
    precision: torch.dtype = torch.float32
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
    def encode(self, images: Tensor, layers: Collection[str] = ()) -> Features:
        """Activations of some layers and the final embedding; differentiable in images.

        Args:
            images: `[batch, 3, height, width]`, sRGB in 0..1 (`[batch, 1, ...]` is grey). Other
                sizes than `input_size` are resampled to it.
            layers: of `layer_names`, those wanted.
        """

    def saliency(self, image: Tensor, method: str = "auto") -> Tensor:
        """How much each position of a photo matters (section 3.3).

        Args:
            image: `[1, 3, height, width]`, 0..1.
            method: one of `saliency_methods`; `auto` is the first.

        Returns:
            `[height, width]`, scaled to 0..1.

        Raises:
            ClipassoError: a method that this encoder does not know.
        """
        known = self.saliency_methods
        if not known or method not in ("auto", *known):
            choices = (
                f"it makes {' or '.join(known)}" if known
                else "it makes none; name another with --saliency-encoder, or use --saliency none"
            )  # fmt: skip
            raise ClipassoError(f"--saliency {method}: not a map of {self.description}; {choices}")
        values = self._saliency(image, known[0] if method == "auto" else method)
        return unit_range(enlarge(values.detach().float(), image))

    def _saliency(self, image: Tensor, method: str) -> Tensor:
        """The map of one of `saliency_methods` at any resolution, `[rows, columns]`.

        `saliency` asks only for methods that an encoder names; one that names any overrides this.
        """
        raise NotImplementedError(f"{type(self).__name__} names {method} and does not make it")

    def encode_text(self, text: str) -> Tensor:
        """The embedding of a text, `[dimensions]`, in the space of the images' embeddings.

        Raises:
            ClipassoError: an encoder without a text tower.
        """
        raise ClipassoError(
            f"{self.description} has no text tower, so it cannot follow a text; use a CLIP encoder "
            "(--encoder ViT-B-32, with --weights FILE where no hub answers)"
        )

    def normalize(self, images: Tensor) -> Tensor:
        """Bring images to the size and scale the network was trained on."""
        side = (self.input_size, self.input_size)
        if images.shape[-2:] != side:
            images = F.interpolate(images, side, mode="bilinear", antialias=True)
        x = (images.expand(-1, 3, -1, -1) - self.mean) / self.std
        low = self.precision == torch.bfloat16
        return x.to(torch.bfloat16 if low else x.dtype, memory_format=torch.channels_last)

    def lower_precision(self) -> bool:
        """Compute in bfloat16 from now on, if that serves this encoder; whether it does."""
        return False


def unit_range(values: Tensor) -> Tensor:
    """Scale to 0..1; a constant map becomes all ones, since it prefers nothing."""
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else torch.ones_like(values)


def enlarge(values: Tensor, image: Tensor) -> Tensor:
    """Resample a map `[rows, columns]` bicubically to an image's `[height, width]`."""
    return F.interpolate(values[None, None], image.shape[-2:], mode="bicubic")[0, 0]
