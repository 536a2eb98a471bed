"""The small U2-Net, whose weights come with the program: what stands out in a photo.

After Qin, Zhang, Huang, Dehghan, Zaiane and Jagersand, "U2-Net: going deeper with nested
U-structure for salient object detection" (Pattern Recognition 2020): a U of eleven blocks, each a
small U itself. CLIPasso's paper masks with the large one (`masks.u2net`); this one has a fortieth
of its weights. Batch norms are folded into the convolutions.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

__all__ = ["WEIGHTS", "U2NetP", "salient"]

WEIGHTS = Path(__file__).with_name("u2netp.safetensors")
"""The file of its weights, which comes with the program."""
_SIDE = 320  # px of the square it was trained on
_WIDE, _NARROW = 64, 16  # channels between blocks and inside them
_DEPTHS = (6, 5, 4, 3)  # convolutions down each of the outer blocks; the inner ones are dilated
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's


def salient(pixels: NDArray[np.float32], side: int = _SIDE) -> NDArray[np.float32]:
    """How likely each pixel belongs to an object that stands out.

    Args:
        pixels: `[height, width, 3]`, sRGB in 0..1.
        side: px of the square that the network looks at; in a smaller one it sees more of a large
            object at once.

    Returns:
        `[height, width]`, 0..1.
    """
    image = torch.tensor(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None]
    with torch.no_grad():
        likely = _network()(image, side)[0, 0]
    found: NDArray[np.float32] = likely.numpy()
    return found


@lru_cache(maxsize=1)
def _network() -> U2NetP:
    from safetensors.torch import load_file

    network = U2NetP()
    network.load_state_dict(load_file(WEIGHTS))
    layout: Any = torch.channels_last  # a quarter faster on a CPU
    return network.eval().to(memory_format=layout)


class _Conv(nn.Conv2d):
    def __init__(self, channels: int, out: int, dilation: int = 1) -> None:
        super().__init__(channels, out, 3, padding=dilation, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).relu_()


class _Block(nn.Module):
    """A U of convolutions with what entered it added to what leaves.

    Args:
        channels: of what enters; `_WIDE` leave.
        depth: convolutions down the U, its bottom not counted.
        dilated: reach further by dilation instead of halving the resolution.
    """

    def __init__(self, channels: int, depth: int, dilated: bool = False) -> None:
        super().__init__()
        self.halves = not dilated
        wider = [2**i if dilated else 1 for i in range(depth)]
        self.enter = _Conv(channels, _WIDE)
        self.down = nn.ModuleList(
            _Conv(_NARROW if i else _WIDE, _NARROW, wider[i]) for i in range(depth)
        )
        self.bottom = _Conv(_NARROW, _NARROW, 2**depth if dilated else 2)
        self.up = nn.ModuleList(
            _Conv(2 * _NARROW, _NARROW if i else _WIDE, wider[i]) for i in reversed(range(depth))
        )

    def forward(self, x: Tensor) -> Tensor:
        entered: Tensor = self.enter(x)
        x = entered
        passed: list[Tensor] = []
        for conv in self.down:
            x = conv(_half(x) if passed and self.halves else x)
            passed.append(x)
        x = self.bottom(x)
        for conv in self.up:
            across = passed.pop()
            x = conv(torch.cat([_resized(x, across), across], 1))
        return x + entered


class U2NetP(nn.Module):
    """Images `[batch, 3, height, width]`, sRGB in 0..1, to `[batch, 1, height, width]`, 0..1."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_STD).view(1, 3, 1, 1), persistent=False)
        kinds = [(depth, False) for depth in _DEPTHS] + [(3, True)]
        self.down = nn.ModuleList(_Block(_WIDE if i else 3, *kind) for i, kind in enumerate(kinds))
        self.bottom = _Block(_WIDE, 3, True)
        self.up = nn.ModuleList(_Block(2 * _WIDE, *kind) for kind in reversed(kinds))
        # Every resolution guesses the object, and the last convolution weighs the guesses.
        self.guess = nn.ModuleList(nn.Conv2d(_WIDE, 1, 3, padding=1) for _ in range(len(kinds) + 1))
        self.weigh = nn.Conv2d(len(kinds) + 1, 1, 1)

    def forward(self, images: Tensor, side: int = _SIDE) -> Tensor:
        size = images.shape[-2:]
        x = F.interpolate(images, (side, side), mode="bicubic", antialias=True).clamp(0, 1)
        x = (x / x.amax((1, 2, 3), keepdim=True).clamp(min=1e-6) - self.mean) / self.std
        x = x.contiguous(memory_format=torch.channels_last)
        passed: list[Tensor] = []
        for block in self.down:
            x = block(_half(x) if passed else x)
            passed.append(x)
        x = self.bottom(_half(x))
        rising = [x]
        for block in self.up:
            across = passed.pop()
            rising.append(x := block(torch.cat([_resized(x, across), across], 1)))
        guesses = [head(y) for head, y in zip(self.guess, reversed(rising), strict=True)]
        every = torch.cat([_resized(guess, guesses[0]) for guess in guesses], 1)
        likely = self.weigh(every).sigmoid()
        return F.interpolate(likely, size, mode="bilinear", antialias=True).clamp(0, 1)


def _half(x: Tensor) -> Tensor:
    return F.max_pool2d(x, 2, ceil_mode=True)


def _resized(x: Tensor, like: Tensor) -> Tensor:
    if x.shape[-2:] == like.shape[-2:]:
        return x
    return F.interpolate(x, like.shape[-2:], mode="bilinear")
