"""Losses that the paper compares with, dressed as encoders: L2 on pixels and LPIPS (section E.3).

Each only measures distances: `Targets` and the loop need not know that it is no encoder.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from clipasso.encoders.base import Encoder, Features, Recipe
from clipasso.encoders.checkpoint import read_checkpoint
from clipasso.errors import ClipassoError

__all__ = ["Lpips", "Pixels", "load_metric"]

_VGG_FILE = "vgg16-397923af.pth"  # torchvision's name for it


def load_metric(name: str, weights: Path | None = None) -> Encoder:
    """`l2` or `lpips`.

    Args:
        weights: VGG16's checkpoint for `lpips`.

    Raises:
        ClipassoError: LPIPS or its backbone's weights cannot be had, or weights that `l2` has no
            use for.
    """
    if name == "l2":
        if weights is not None:
            raise ClipassoError("--weights: --loss l2 has no weights; leave it out")
        return Pixels()
    return Lpips(weights or _vgg_weights())


class Pixels(Encoder):
    """Pixels as they are: mean squared difference of colours."""

    name = "l2"
    description = "none (L2 on pixels)"
    input_size = 224
    layer_names = ("pixels",)
    recipe = Recipe({"pixels": 1.0}, semantic_weight=0.0)

    def __init__(self) -> None:
        super().__init__((0.0,) * 3, (1.0,) * 3)

    def encode(self, images: Tensor, layers: Collection[str] = ()) -> Features:
        images = images.expand(-1, 3, -1, -1)
        return Features(dict.fromkeys(layers, images), images.mean((2, 3)))


class Lpips(Encoder):
    """LPIPS (Zhang et al. 2018) with VGG16.

    Its distance is a weighted squared difference of normalised activations, mean over positions
    and summed over channels and layers. With the weights' square roots multiplied into the
    activations that is our layer distance times the number of channels.

    Args:
        weights: torchvision's VGG16 checkpoint.

    Raises:
        ClipassoError: the package `lpips` is missing, or the file cannot be read or is no VGG16.
    """

    name = "lpips"
    description = "LPIPS (VGG16)"
    input_size = 224
    layer_names = ("conv1_2", "conv2_2", "conv3_3", "conv4_3", "conv5_3")

    def __init__(self, weights: Path) -> None:
        super().__init__((0.0,) * 3, (1.0,) * 3)
        try:
            import lpips
        except ImportError:
            raise ClipassoError(
                "--loss lpips: needs the package lpips; pip install 'clipasso[lpips]'"
            ) from None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it calls torchvision in an old way
            model: Any = lpips.LPIPS(net="vgg", pnet_rand=True, verbose=False)
        state = read_checkpoint(weights)
        # lpips cuts torchvision's `features` into slices that keep their numbers.
        wanted = {name: f"features.{name.partition('.')[2]}" for name in model.net.state_dict()}
        try:
            model.net.load_state_dict({name: state[theirs] for name, theirs in wanted.items()})
        except (KeyError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:160]
            raise ClipassoError(f"{weights}: no VGG16 checkpoint: {reason}") from None
        self.model = model.eval().requires_grad_(False)
        channels = dict(zip(self.layer_names, model.chns, strict=True))
        self.recipe = Recipe({k: float(n) for k, n in channels.items()}, semantic_weight=0.0)

    def encode(self, images: Tensor, layers: Collection[str] = ()) -> Features:
        scaled = self.model.scaling_layer(2 * self.normalize(images) - 1)
        seen = {}
        found = self.model.net.forward(scaled)
        for name, activation, lin in zip(self.layer_names, found, self.model.lins, strict=True):
            weight = lin.model[-1].weight.clamp(min=0).sqrt()[:, :, 0, 0, None, None][0]
            seen[name] = F.normalize(activation, dim=1) * weight
        deepest = found[-1].mean((2, 3))
        return Features({name: seen[name] for name in layers}, deepest)


def _vgg_weights() -> Path:
    """VGG16's checkpoint in torchvision's cache, fetched where its server answers in time."""
    from torchvision.models import VGG16_Weights

    from clipasso.encoders.hub import url_answers

    path = Path(torch.hub.get_dir()) / "checkpoints" / _VGG_FILE
    if os.path.isfile(path):  # pathlib's raises where a folder may not be entered
        return path
    url = VGG16_Weights.IMAGENET1K_V1.url
    if not url_answers(url):
        raise ClipassoError(
            "--loss lpips: the weights of its VGG16 are not on this machine and their server does "
            f"not answer; give torchvision's {_VGG_FILE} with --weights FILE"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # The file's name holds the first digits of its SHA-256, which is checked with them.
        prefix = path.stem.rpartition("-")[2]
        torch.hub.download_url_to_file(url, str(path), hash_prefix=prefix)
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ClipassoError(f"--loss lpips: VGG16 could not be fetched ({reason})") from None
    return path
