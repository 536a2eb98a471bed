"""CLIP's own image towers, the paper's encoders: ResNets with attention pooling, and ViTs."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import torch
from torch import Tensor, nn

from clipasso.encoders.attention import (
    grad_cam,
    mean_attention,
    outputs,
    recorded_attention,
    relevance,
)
from clipasso.encoders.base import Encoder, Features, Recipe
from clipasso.encoders.freeze import freeze

__all__ = ["ClipResNet", "ClipTower", "ClipViT"]

TextTower = Callable[[str], Tensor]


class ClipTower(Encoder):
    """What all image towers of open_clip have in common.

    Args:
        visual: open_clip's image tower; frozen in place.
        architecture: open_clip's name.
        scaling: mean and standard deviation that its images are scaled by.
        description: model and weights in words.
        text: embeds a text in the images' space; None where only the image tower is here.
    """

    def __init__(
        self,
        visual: nn.Module,
        architecture: str,
        scaling: tuple[tuple[float, ...], tuple[float, ...]],
        description: str,
        text: TextTower | None = None,
    ) -> None:
        super().__init__(*scaling)
        self.name, self.description = architecture, description
        size: Any = visual.image_size
        self.input_size = int(size if isinstance(size, int) else size[0])
        self.recipe = Recipe({"layer3": 1.0, "layer4": 1.0}, semantic_weight=0.1)
        self.visual: Any = visual.eval().requires_grad_(False)
        self._text = text

    @torch.no_grad()
    def encode_text(self, text: str) -> Tensor:
        if self._text is None:
            return super().encode_text(text)
        return self._text(text).to(self.mean.device)

    def lower_precision(self) -> bool:
        self.visual.to(torch.bfloat16)
        self.precision = torch.bfloat16
        return True

    def _blank(self) -> Tensor:
        return torch.zeros(1, 3, self.input_size, self.input_size)


class ClipResNet(ClipTower):
    """CLIP's ResNets, in the paper's count of layers (section E.1).

    `layer1` is the input of the first Bottleneck, `layer2` to `layer5` are the outputs of the four
    stages; at 224 pixels RN101's `layer3` is 28 x 28 x 512 and `layer4` 14 x 14 x 1024.
    """

    layer_names = ("layer1", "layer2", "layer3", "layer4", "layer5")
    saliency_methods = ("gradcam",)

    def __init__(self, visual: nn.Module, *rest: Any, **named: Any) -> None:
        super().__init__(visual, *rest, **named)
        freeze(visual, self._blank())

    def encode(self, images: Tensor, layers: Collection[str] = ()) -> Features:
        net = self.visual
        x = net.stem(self.normalize(images))
        seen = {"layer1": x}
        for i, stage in enumerate((net.layer1, net.layer2, net.layer3, net.layer4), 2):
            x = stage(x)
            seen[f"layer{i}"] = x
        return Features({name: seen[name] for name in layers}, net.attnpool(x))

    def _saliency(self, image: Tensor, method: str) -> Tensor:
        return grad_cam(self.encode, image, self.layer_names[-1])


class ClipViT(ClipTower):
    """CLIP's vision transformers; `layer1` to `layer12` are the blocks' token outputs."""

    saliency_methods = ("attention", "relevance")

    @property
    def layer_names(self) -> tuple[str, ...]:
        return tuple(f"layer{i + 1}" for i in range(len(self.visual.transformer.resblocks)))

    def encode(self, images: Tensor, layers: Collection[str] = ()) -> Features:
        blocks = dict(zip(self.layer_names, self.visual.transformer.resblocks, strict=True))
        with outputs({name: blocks[name] for name in layers}) as seen:
            embedding = self._embed(images)
        return Features({name: seen[name] for name in layers}, embedding)

    def _saliency(self, image: Tensor, method: str) -> Tensor:
        seen = self._look(image)
        row = mean_attention(seen[0]) if method == "attention" else relevance(*seen)
        return row[1:].reshape(self.visual.grid_size)

    @torch.no_grad()
    def attention(self, image: Tensor) -> Tensor:
        """Attention probabilities of every block, `[blocks, heads, tokens, tokens]` (fig. 28).

        Args:
            image: `[1, 3, height, width]`, 0..1.
        """
        return torch.cat(self._look(image)[0])

    def _look(self, image: Tensor) -> tuple[list[Tensor], Tensor]:
        """Every block's attention, and the embedding that comes of it."""
        layers = [block.attn for block in self.visual.transformer.resblocks]
        with torch.enable_grad(), recorded_attention(layers) as maps:
            embedding = self._embed(image.detach().requires_grad_())
        return maps, embedding

    def _embed(self, images: Tensor) -> Tensor:
        pooled = self.visual(self.normalize(images))
        embedding: Tensor = pooled[0] if isinstance(pooled, tuple) else pooled
        return embedding
