"""EfficientNet-Lite0's layers, with timm's names for them.

timm builds the same network; importing it, and torchvision with it, takes longer than everything
else that a sketch needs before its first step. Tests hold this one to timm's.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["Conv2dSame", "Lite0", "same_padding"]

# Of each stage: blocks, kernel, stride of the first block, expansion, channels.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_STEM, _TOP, _CLASSES = 32, 1280, 1000


class Lite0(nn.Module):
    """EfficientNet-Lite0 for ImageNet's classes, made without values: load a state dict into it.

    Its modules and the order of its state dict are those of timm's `tf_efficientnet_lite0`.
    """

    def __init__(self) -> None:
        super().__init__()
        with torch.device("meta"):  # random weights would be overwritten at once
            self.conv_stem = Conv2dSame(3, _STEM, 3, 2)
            self.bn1 = _Norm(_STEM, nn.ReLU6(inplace=True))
            stages, channels = [], _STEM
            for count, kernel, stride, expansion, out in _STAGES:
                blocks = []
                for i in range(count):
                    step = stride if i == 0 else 1
                    blocks.append(_Block(channels, out, kernel, step, expansion))
                    channels = out
                stages.append(nn.Sequential(*blocks))
            self.blocks = nn.Sequential(*stages)
            self.conv_head = nn.Conv2d(channels, _TOP, 1, bias=False)
            self.bn2 = _Norm(_TOP, nn.ReLU6(inplace=True))
            self.global_pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
            self.classifier = nn.Linear(_TOP, _CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """ImageNet logits `[batch, 1000]` of normalised images."""
        x = self.blocks(self.bn1(self.conv_stem(x)))
        logits: Tensor = self.classifier(self.global_pool(self.bn2(self.conv_head(x))))
        return logits


class Conv2dSame(nn.Conv2d):
    """A convolution without bias that pads as TensorFlow does: by one more at the end if uneven."""

    def __init__(
        self, channels: int, out: int, kernel: int, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__(channels, out, kernel, stride, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        pairs = zip(x.shape[-2:], self.kernel_size, self.stride, strict=True)
        rows, columns = (same_padding(*pair) for pair in pairs)
        return super().forward(F.pad(x, (*columns, *rows)))


def same_padding(length: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after a side for TensorFlow's padding "SAME"."""
    total = max((-(-length // stride) - 1) * stride + kernel - length, 0)
    return total // 2, total - total // 2


class _Norm(nn.BatchNorm2d):
    """A batch norm and the activation after it."""

    def __init__(self, channels: int, act: nn.Module) -> None:
        super().__init__(channels, eps=1e-3)
        self.act = act

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.act(super().forward(x))
        return found


class _Block(nn.Module):
    """A depthwise convolution and one across channels, after one that expands if there is any.

    Attributes:
        has_skip: its input is added to its output.
    """

    def __init__(self, channels: int, out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        self.has_skip = stride == 1 and channels == out
        wide = channels * expansion
        depthwise: nn.Conv2d
        if stride == 1:
            depthwise = nn.Conv2d(
                wide, wide, kernel, padding=kernel // 2, groups=wide, bias=False
            )  # fmt: skip
        else:
            depthwise = Conv2dSame(wide, wide, kernel, stride, groups=wide)
        if expansion == 1:
            self.conv_dw, self.bn1 = depthwise, _Norm(wide, nn.ReLU6(inplace=True))
            self.conv_pw, self.bn2 = nn.Conv2d(wide, out, 1, bias=False), _Norm(out, nn.Identity())
        else:
            self.conv_pw = nn.Conv2d(channels, wide, 1, bias=False)
            self.bn1 = _Norm(wide, nn.ReLU6(inplace=True))
            self.conv_dw, self.bn2 = depthwise, _Norm(wide, nn.ReLU6(inplace=True))
            self.conv_pwl, self.bn3 = nn.Conv2d(wide, out, 1, bias=False), _Norm(out, nn.Identity())

    def forward(self, x: Tensor) -> Tensor:
        start = x
        for layer in self.children():  # in the order of their making
            x = layer(x)
        return x + start if self.has_skip else x
