"""Where a network looks: attention, relevance and Grad-CAM maps (sections 3.3, A and D.2)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

if TYPE_CHECKING:
    from clipasso.encoders.base import Features

__all__ = ["grad_cam", "mean_attention", "outputs", "recorded_attention", "relevance"]


@contextmanager
def outputs(modules: dict[str, nn.Module]) -> Iterator[dict[str, Any]]:
    """Collect what modules put out while the context is open."""
    seen: dict[str, Any] = {}

    def keep(name: str) -> Any:
        return lambda _module, _inputs, output: seen.__setitem__(name, output)

    hooks = [module.register_forward_hook(keep(name)) for name, module in modules.items()]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def recorded_attention(layers: Sequence[nn.Module]) -> Iterator[list[Tensor]]:
    """Collect attention probabilities, as a part of the graph, while the context is open.

    Fused attention never forms them, so within the context it is computed step by step.

    Args:
        layers: `torch.nn.MultiheadAttention` or timm's attention modules, in forward order.

    Yields:
        A list that grows to one `[batch, heads, tokens, tokens]` a layer.
    """
    maps: list[Tensor] = []

    def compute(attn: Any, inputs: tuple[Tensor, ...], _output: Any) -> tuple[Tensor, None]:
        x = inputs[0] if attn.batch_first else inputs[0].transpose(0, 1)
        q, k, v = F.linear(x, attn.in_proj_weight, attn.in_proj_bias).chunk(3, -1)
        q, k, v = (z.unflatten(-1, (attn.num_heads, -1)).transpose(1, 2) for z in (q, k, v))
        probabilities = (q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5).softmax(-1)
        maps.append(probabilities)
        out = attn.out_proj((probabilities @ v).transpose(1, 2).flatten(2))
        return (out if attn.batch_first else out.transpose(0, 1)), None

    def keep(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
        maps.append(output)

    hooks, fused = [], []
    for layer in layers:
        if isinstance(layer, nn.MultiheadAttention):
            hooks.append(layer.register_forward_hook(compute))
        else:
            timm_layer: Any = layer
            fused.append((timm_layer, timm_layer.fused_attn))
            timm_layer.fused_attn = False
            hooks.append(timm_layer.attn_drop.register_forward_hook(keep))
    try:
        yield maps
    finally:
        for hook in hooks:
            hook.remove()
        for timm_layer, before in fused:
            timm_layer.fused_attn = before


def mean_attention(maps: Sequence[Tensor]) -> Tensor:
    """Attention of the class token, mean over heads and blocks (section A).

    Args:
        maps: of one image, `[1, heads, tokens, tokens]` a block.

    Returns:
        `[tokens]`, the class token first.
    """
    return torch.stack([attention[0].mean(0)[0] for attention in maps]).mean(0)


def relevance(maps: Sequence[Tensor], embedding: Tensor) -> Tensor:
    """Chefer et al.'s relevance of every token to the image's own embedding (section 3.3).

    Each block's attention, weighted by the gradient of the embedding's length along its own
    direction and with negative parts dropped, is rolled out over the blocks.

    Args:
        maps: of one image, part of the embedding's graph, `[1, heads, tokens, tokens]` a block.
        embedding: `[1, dimensions]`.

    Returns:
        `[tokens]`: the class token's row.
    """
    grads = torch.autograd.grad(_own_direction(embedding), maps)
    tokens = maps[0].shape[-1]
    rolled = torch.eye(tokens, dtype=embedding.dtype, device=embedding.device)
    for attention, grad in zip(maps, grads, strict=True):
        rolled = rolled + (grad * attention.detach())[0].relu().mean(0) @ rolled
    return rolled[0]


def grad_cam(
    encode: Callable[[Tensor, Collection[str]], Features], image: Tensor, layer: str
) -> Tensor:
    """Grad-CAM of a convolutional layer for the image's own embedding, `[rows, columns]`.

    Args:
        encode: an encoder's, whose embedding depends on the layer in autograd's graph.
        image: `[1, 3, height, width]`, 0..1.
        layer: one whose activations are `[batch, channels, rows, columns]`.
    """
    with torch.enable_grad():
        features = encode(image.detach().requires_grad_(), (layer,))
        seen = features.layers[layer]
        (grad,) = torch.autograd.grad(_own_direction(features.embedding), seen)
    return (grad.mean((2, 3), keepdim=True) * seen.detach()).sum(1)[0].relu()


def _own_direction(embedding: Tensor) -> Tensor:
    return (embedding * F.normalize(embedding.detach(), dim=-1)).sum()
