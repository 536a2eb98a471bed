"""How long the paper's encoder would take here, foretold from the time of one convolution."""

from __future__ import annotations

import time

import torch
import torch.nn.functional as F

from clipasso.settings import Settings

__all__ = ["convolution_seconds", "foretold_seconds"]

# Steps of RN101, per image, in times of one convolution (`benchmarks/waiting.py`).
_CONVOLUTIONS = {torch.float32: 67.0, torch.bfloat16: 57.0}
_PATIENCE = 0.1  # seconds


def convolution_seconds(precision: torch.dtype) -> float:
    """The time of one convolution of RN101's kind on the CPU: 3 x 3, 256 channels, 28 x 28 pixels.

    It is tried for a tenth of a second at most, or once; the quickest counts, since other programs
    can only make it slower.
    """
    with torch.inference_mode():
        weight = torch.full((256, 256, 3, 3), 0.01, dtype=precision)
        image = torch.ones(1, 256, 28, 28, dtype=precision)
        weight = weight.contiguous(memory_format=torch.channels_last)
        image = image.contiguous(memory_format=torch.channels_last)
        best, began = float("inf"), time.perf_counter()
        while time.perf_counter() - began < _PATIENCE:
            before = time.perf_counter()
            F.conv2d(image, weight, padding=1)
            best = min(best, time.perf_counter() - before)
    return best


def foretold_seconds(settings: Settings, precision: torch.dtype) -> float:
    """About how long RN101 would take for a photo on this CPU, at most: seeds may be given up.

    Args:
        settings: its seeds, steps and images of a step count.
        precision: RN101 would compute in, float32 or bfloat16.
    """
    images = settings.seeds * settings.iterations * (1 + settings.augmentations)
    return images * _CONVOLUTIONS[precision] * convolution_seconds(precision)
