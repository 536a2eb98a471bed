"""A frozen chain of convolutions on the CPU, forward and backward, with weights packed once.

Torch hands oneDNN the weights of every convolution in the model's layout, and oneDNN lays them out
anew in every call, forward and backward; for a batch of two small images that is much of the work.
Here each is packed once for the shape it will see, clamping to 0..6 happens inside the convolution,
and the backward pass, which needs no gradient of weights, is a forward convolution with transposed
and mirrored ones. `benchmarks/encoder.py` measures it.

The operations are those that torch's own compiler emits; they are not public, so `packs` tries them
and compares before they are relied upon.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from clipasso.encoders.lite0 import Conv2dSame, same_padding

__all__ = ["Block", "PackedChain", "packs"]

_AS_IT_IS: tuple[Any, ...] = ("none", [], "")
_CLAMPED: tuple[Any, ...] = ("hardtanh", [0.0, 6.0], "")
_ONCE = (1, 1)


@dataclass(frozen=True)
class Block:
    """Convolutions in a row.

    Attributes:
        convs: each with whether its output is clamped to 0..6 (ReLU6).
        skip: the block's input is added to its output.
        name: by which the output can be tapped, or "".
    """

    convs: tuple[tuple[nn.Conv2d, bool], ...]
    skip: bool = False
    name: str = ""


class PackedChain:
    """Blocks one after the other, for one shape of input.

    Args:
        blocks: of frozen convolutions on the CPU, float32, each of stride 1 or 2, with one group or
            a group for every channel.
        shape: of the input, `[batch, channels, height, width]`.
    """

    def __init__(self, blocks: Sequence[Block], shape: Sequence[int]) -> None:
        self.names = [block.name for block in blocks]
        self.skips = [block.skip for block in blocks]
        self.convs: list[list[_Packed]] = []
        for block in blocks:
            row = []
            for conv, clamped in block.convs:
                row.append(_Packed(conv, clamped, shape))
                shape = row[-1].out_shape
            self.convs.append(row)

    def __call__(self, x: Tensor, taps: Collection[str]) -> tuple[dict[str, Tensor], Tensor]:
        """Outputs of the named blocks, and of the last; differentiable in `x`."""
        *tapped, last = _Run.apply(x, self, tuple(taps))
        return dict(zip((n for n in self.names if n and n in taps), tapped, strict=True)), last

    def forward(self, x: Tensor, taps: Collection[str]) -> tuple[list[Tensor], list[Tensor]]:
        """Tapped outputs and the last; and what `backward` needs: clamped outputs, in order."""
        tapped, clamped = [], []
        for name, skip, convs in zip(self.names, self.skips, self.convs, strict=True):
            start = x
            for conv in convs:
                x = conv.forward(x)
                if conv.clamped:
                    clamped.append(x)
            if skip:  # what backward needs stays as it is
                x = x + start if convs[-1].clamped else x.add_(start)
            if name and name in taps:
                tapped.append(x)
        return [*tapped, x], clamped

    def backward(
        self, tapped: list[Tensor | None], gradient: Tensor, clamped: list[Tensor],
        taps: Collection[str],
    ) -> Tensor:  # fmt: skip
        """Gradient of the input from those of the tapped outputs and of the last."""
        steps = list(zip(self.names, self.skips, self.convs, strict=True))
        for name, skip, convs in reversed(steps):
            if name and name in taps and (more := tapped.pop()) is not None:
                gradient = gradient + more
            end = gradient
            for conv in reversed(convs):
                if conv.clamped:
                    gradient = torch.ops.aten.hardtanh_backward(gradient, clamped.pop(), 0.0, 6.0)
                gradient = conv.backward(gradient)
            if skip:
                gradient = gradient.add_(end)
        return gradient


class _Packed:
    """One convolution: its weights for the way there and for the way back."""

    def __init__(self, conv: nn.Conv2d, clamped: bool, shape: Sequence[int]) -> None:
        self.clamped, self.bias, self.weight = clamped, conv.bias, conv.weight.detach()
        self.stride, self.groups = conv.stride, conv.groups
        assert isinstance(conv.padding, tuple)
        self.around: list[int] | None = None  # zeros put around the input first
        self.padding = conv.padding
        batch, channels, *sides = shape
        if isinstance(conv, Conv2dSame):
            pads = map(same_padding, sides, conv.kernel_size, self.stride)
            low, high = zip(*pads, strict=True)
            self.around = [low[1], high[1], low[0], high[0]]
            self.padding = (0, 0)
            sides = [n + a + b for n, a, b in zip(sides, low, high, strict=True)]
        self.in_shape = [batch, channels, *sides]
        out = [(n + 2 * p - k) // s + 1 for n, p, k, s in
               zip(sides, self.padding, conv.kernel_size, self.stride, strict=True)]  # fmt: skip
        self.out_shape = [batch, conv.out_channels, *out]
        self.there = self._pack(self.weight, self.padding, self.stride, self.in_shape)
        self.back_padding = [k - 1 - p for k, p in zip(conv.kernel_size, self.padding, strict=True)]
        self.back: Tensor | None = None  # packed when it is first needed

    def _pack(
        self, weight: Tensor, padding: Sequence[int], stride: Sequence[int], shape: list[int]
    ) -> Tensor:
        plain = weight.contiguous().to_mkldnn()
        reorder: Any = torch._C._nn.mkldnn_reorder_conv2d_weight
        packed: Tensor = reorder(plain, padding, stride, _ONCE, self.groups, shape)
        return packed

    def forward(self, x: Tensor) -> Tensor:
        if self.around:
            x = F.pad(x, self.around)
        kind = _CLAMPED if self.clamped else _AS_IT_IS
        y: Tensor = torch.ops.mkldnn._convolution_pointwise(
            x, self.there, self.bias, self.padding, self.stride, _ONCE, self.groups, *kind
        )
        return y

    def backward(self, gradient: Tensor) -> Tensor:
        if self.stride == _ONCE:
            if self.back is None:
                turned = self.weight.flip(2, 3)
                turned = turned.transpose(0, 1) if self.groups == 1 else turned
                self.back = self._pack(turned, self.back_padding, _ONCE, self.out_shape)
            found: Tensor = torch.ops.mkldnn._convolution_pointwise(
                gradient, self.back, None, self.back_padding, _ONCE, _ONCE, self.groups, *_AS_IT_IS
            )
            return found
        # Of the input only the shape is looked at: no gradient of the weights is asked for.
        x = torch.empty(self.in_shape, memory_format=torch.channels_last)
        found = torch.ops.aten.convolution_backward(
            gradient, x, self.weight, None, self.stride, self.padding, _ONCE, False, [0, 0],
            self.groups, [True, False, False],
        )[0]  # fmt: skip
        if self.around:
            left, right, top, bottom = self.around
            height, width = found.shape[-2:]
            found = found[..., top : height - bottom, left : width - right]
            found = found.contiguous(memory_format=torch.channels_last)
        return found


class _Run(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, chain: PackedChain, taps: tuple[str, ...]) -> Any:
        x = x.contiguous(memory_format=torch.channels_last)
        outputs, clamped = chain.forward(x, taps)
        ctx.save_for_backward(*clamped)
        ctx.chain, ctx.taps = chain, taps
        ctx.set_materialize_grads(False)
        ctx.last = outputs[-1].shape
        return tuple(outputs)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> Any:
        *tapped, last = (
            g if g is None else g.contiguous(memory_format=torch.channels_last) for g in gradients
        )
        if last is None:
            last = torch.zeros(ctx.last).contiguous(memory_format=torch.channels_last)
        found = ctx.chain.backward(tapped, last, list(ctx.saved_tensors), ctx.taps)
        return found, None, None


@lru_cache(1)
def packs() -> bool:
    """Whether this torch has the operations, and they compute what ordinary ones do."""
    if not torch.backends.mkldnn.is_available():
        return False
    try:
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            torch.manual_seed(0)
            convs = [nn.Conv2d(2, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 1, 1, groups=8)]
            convs = [conv.requires_grad_(False) for conv in (*convs, nn.Conv2d(8, 8, 1))]
            x = torch.randn(2, 2, 9, 9, requires_grad=True)
            blocks = [Block(((convs[0], True),), name="a"),
                      Block(((convs[1], True), (convs[2], False)), skip=True)]  # fmt: skip
            tapped, last = PackedChain(blocks, x.shape)(x, ["a"])
            ours = (last, *torch.autograd.grad(last.square().sum() + tapped["a"].sum(), x))
            first = F.relu6(convs[0](x))
            plain = first + convs[2](F.relu6(convs[1](first)))
            theirs = (plain, *torch.autograd.grad(plain.square().sum() + first.sum(), x))
            pairs = zip(ours, theirs, strict=True)
            return all(torch.allclose(a, b, rtol=1e-3, atol=1e-4) for a, b in pairs)
    except (AttributeError, RuntimeError, TypeError):
        return False
