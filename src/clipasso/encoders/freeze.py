"""Make a network as cheap as a frozen one can be."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

__all__ = ["freeze"]


@torch.no_grad()
def freeze(model: nn.Module, example: Tensor) -> nn.Module:
    """Evaluation mode, no gradients for weights, batch norm folded, channels last; in place.

    Which convolution feeds which batch norm is seen by running the model once, so any architecture
    may come. A norm is folded only into a convolution whose output nothing else reads by way of
    modules.

    Args:
        model: a network of which only activations are wanted from now on.
        example: an input that runs through every layer.

    Returns:
        The same model, its outputs equal up to rounding.
    """
    model.eval().requires_grad_(False)
    made_by: dict[int, nn.Conv2d] = {}
    kept_alive: list[Tensor] = []  # so that no two outputs share an id
    pairs: list[tuple[nn.Conv2d, nn.BatchNorm2d]] = []

    def watch(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        if isinstance(module, nn.BatchNorm2d) and (conv := made_by.pop(id(inputs[0]), None)):
            pairs.append((conv, module))
        elif isinstance(module, nn.Conv2d):
            made_by[id(output)] = module
            kept_alive.append(output)

    hooks = [m.register_forward_hook(watch) for m in model.modules()]
    try:
        model(example)
    finally:
        for hook in hooks:
            hook.remove()
    parent_of = {child: (parent, name) for parent in model.modules()
                 for name, child in parent.named_children()}  # fmt: skip
    for conv, norm in pairs:
        assert norm.running_mean is not None
        assert norm.running_var is not None
        conv.weight, conv.bias = fuse_conv_bn_weights(
            conv.weight, conv.bias, norm.running_mean, norm.running_var,
            norm.eps, norm.weight, norm.bias,
        )  # fmt: skip
        parent, name = parent_of[norm]
        # timm's norms carry the activation that follows them.
        setattr(parent, name, getattr(norm, "act", nn.Identity()))
    model.requires_grad_(False)
    return model.to(memory_format=torch.channels_last)
