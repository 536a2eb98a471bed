"""Encoders whose network is timm's: SigLIP, MobileCLIP and others through open_clip, and DINO."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection
from pathlib import Path
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
from clipasso.encoders.checkpoint import read_checkpoint
from clipasso.encoders.clip import ClipTower
from clipasso.encoders.freeze import freeze
from clipasso.errors import ClipassoError

__all__ = ["TimmClipTower", "TimmViT", "has_stages", "load_timm"]


def has_stages(trunk: nn.Module) -> bool:
    """Whether a network is a row of blocks or stages that can be tapped."""
    return _stages(trunk) is not None


def _stages(trunk: Any) -> list[nn.Module] | None:
    for name in ("blocks", "stages"):
        if hasattr(trunk, name):
            return list(getattr(trunk, name))
    if hasattr(trunk, "layer4"):
        return [trunk.layer1, trunk.layer2, trunk.layer3, trunk.layer4]
    return None


def _attends(trunk: Any) -> bool:
    """Whether a class token's attention to the patches can be read from every block."""
    blocks = getattr(trunk, "blocks", [])
    tokens = getattr(trunk, "num_prefix_tokens", 0)
    return (
        tokens > 0
        and bool(len(blocks))
        and all(hasattr(getattr(block, "attn", None), "fused_attn") for block in blocks)
    )


class _Tapped(Encoder):
    """Layers, attention and Grad-CAM of a timm network; `layer1` is its first block or stage."""

    @property
    @abstractmethod
    def trunk(self) -> Any:
        """timm's network."""

    @abstractmethod
    def _embed(self, images: Tensor) -> Tensor:
        """The final embedding of normalised images, `[batch, dimensions]`."""

    def _settle(self) -> None:
        """Choose what depends on the kind of network, once it is there."""
        count = len(self.layer_names)
        middle, later = (3, 4) if count >= 4 else (max(1, count - 1), count)
        self.recipe = Recipe({f"layer{middle}": 1.0, f"layer{later}": 1.0}, semantic_weight=0.1)
        if _attends(self.trunk):
            self.saliency_methods = ("attention", "relevance")
        elif hasattr(self.trunk, "stages") or hasattr(self.trunk, "layer4"):
            self.saliency_methods = ("gradcam",)

    @property
    def layer_names(self) -> tuple[str, ...]:
        return tuple(f"layer{i + 1}" for i in range(len(_stages(self.trunk) or [])))

    def encode(self, images: Tensor, layers: Collection[str] = ()) -> Features:
        stages = dict(zip(self.layer_names, _stages(self.trunk) or [], strict=True))
        with outputs({name: stages[name] for name in layers}) as seen:
            embedding = self._embed(self.normalize(images))
        return Features({name: seen[name] for name in layers}, embedding)

    def _saliency(self, image: Tensor, method: str) -> Tensor:
        if method == "gradcam":
            return grad_cam(self.encode, image, self.layer_names[-1])
        layers = [block.attn for block in self.trunk.blocks]
        with torch.enable_grad(), recorded_attention(layers) as maps:
            embedding = self._embed(self.normalize(image.detach().requires_grad_()))
        row = mean_attention(maps) if method == "attention" else relevance(maps, embedding)
        grid: tuple[int, int] = self.trunk.patch_embed.grid_size
        return row[self.trunk.num_prefix_tokens :].reshape(grid)


class TimmClipTower(_Tapped, ClipTower):
    """A CLIP image tower that open_clip builds from a timm network."""

    def __init__(self, visual: nn.Module, *rest: Any, **named: Any) -> None:
        super().__init__(visual, *rest, **named)
        freeze(visual, self._blank())
        self._settle()

    @property
    def trunk(self) -> Any:
        return self.visual.trunk

    def _embed(self, images: Tensor) -> Tensor:
        embedding: Tensor = self.visual(images)
        return embedding


class TimmViT(_Tapped):
    """A vision transformer of timm's, DINO's above all; its embedding is the pooled last block."""

    def __init__(self, net: nn.Module, name: str, description: str) -> None:
        import timm

        config: Any = timm.data.resolve_model_data_config(net)
        super().__init__(config["mean"], config["std"])
        self.name, self.description = name, description
        self.input_size = int(config["input_size"][-1])
        self.net: Any = net.eval().requires_grad_(False)
        self._settle()

    @property
    def trunk(self) -> Any:
        return self.net

    def _embed(self, images: Tensor) -> Tensor:
        embedding: Tensor = self.net(images)
        return embedding


def load_timm(name: str, weights: Path) -> Encoder:
    """A vision transformer by timm's name with the weights of a local file.

    Raises:
        ClipassoError: the file cannot be read or holds another network.
    """
    import timm

    net = timm.create_model(name, pretrained=False, num_classes=0)
    state = read_checkpoint(weights)
    heads = ("head.", "head_dist.")  # classifiers, a distilled DeiT's second one included
    state = {k: v.float() for k, v in state.items() if not k.startswith(heads)}
    try:
        net.load_state_dict(state)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:160]
        raise ClipassoError(f"{weights}: no {name} checkpoint: {reason}") from None
    return TimmViT(net, f"timm:{name}", f"{name} ({weights.name})")
