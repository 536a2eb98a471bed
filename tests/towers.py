"""Image towers with random weights and pictures for them, which several test files share."""

import copy
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from clipasso.encoders.open_clip_models import build_model, wrap_tower

NORMS = ("BatchNorm", "LayerNorm", "GroupNorm", "RmsNorm")


def as_batch(pixels, size=224):
    image = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None].float() / 255
    return F.interpolate(image, (size, size), mode="bilinear", antialias=True)


@torch.no_grad()
def randomize(module, seed=0):
    """Random weights and norms, as a trained network's would be: nothing zero, nothing one."""
    g = torch.Generator().manual_seed(seed)
    for part in module.modules():
        is_norm = any(kind in type(part).__name__ for kind in NORMS)
        if is_norm and hasattr(part, "running_var"):
            part.running_var.uniform_(0.5, 1.5, generator=g)
            part.running_mean.normal_(0, 0.1, generator=g)
        for name, tensor in part.named_parameters(recurse=False):
            if is_norm and name == "weight":
                tensor.uniform_(0.5, 1.2, generator=g)
            elif name.endswith("bias"):
                tensor.normal_(0, 0.05, generator=g)
            elif name == "gamma":  # timm's layer scale, which starts at next to nothing
                tensor.uniform_(0.1, 0.3, generator=g)
    return module.eval()


@cache
def _built(architecture, seed, quick_gelu):
    torch.manual_seed(seed)
    return randomize(build_model(architecture, quick_gelu=quick_gelu).visual, seed)


def random_tower(architecture, seed=0, quick_gelu=True):
    """open_clip's own image tower, the same weights for the same seed; a copy, to be changed."""
    return copy.deepcopy(_built(architecture, seed, quick_gelu)).requires_grad_(False)


def random_encoder(architecture, seed=0, tag="openai"):
    """Our encoder around `random_tower`."""
    return wrap_tower(random_tower(architecture, seed), architecture, tag, "random weights")


def relative(ours, theirs):
    """The largest difference, as a part of the largest value."""
    return float(((ours - theirs).abs().max() / theirs.abs().max()).detach())


def watched(modules):
    """Plain forward hooks: a list that fills with the modules' outputs, and how to end it."""
    seen = []
    hooks = [m.register_forward_hook(lambda _m, _i, out: seen.append(out)) for m in modules]
    return seen, lambda: [hook.remove() for hook in hooks]


def tap_points(visual):
    """The modules of open_clip's tower whose outputs are its layers, first to last."""
    if hasattr(visual, "attnpool"):
        return [visual.avgpool, *(getattr(visual, f"layer{i}") for i in range(1, 5))]
    if hasattr(visual, "transformer"):
        return list(visual.transformer.resblocks)
    trunk: nn.Module = visual.trunk
    return list(trunk.blocks if hasattr(trunk, "blocks") else trunk.stages)
