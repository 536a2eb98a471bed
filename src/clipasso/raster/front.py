"""`rasterize`: checks what is to be drawn and chooses who draws it."""

from __future__ import annotations

import warnings
from functools import cache
from importlib.util import find_spec
from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from clipasso.raster.basis import split_chain
from clipasso.raster.reference import rasterize_reference

__all__ = ["Backend", "rasterize"]

_FARTHEST = 1e9  # pixels; beyond it squared distances leave float32

Backend = Literal["auto", "kernel", "triton", "reference"]


def rasterize(
    points: Tensor,
    *,
    widths: Tensor | float,
    size: int | tuple[int, int],
    colors: Tensor | None = None,
    opacities: Tensor | float | None = None,
    degree: int | None = None,
    backend: Backend = "auto",
) -> Tensor:
    """Draw strokes on white, anti-aliased and differentiable.

    A stroke is a Bezier curve with round caps and joins; strokes are composited in order. Image
    formation is written out in `clipasso.raster.reference`.

    Args:
        points: `[batch, strokes, points, 2]` (or `[strokes, points, 2]`) control points in pixels
            of the canvas, x right, y down; the first pixel's centre is (0.5, 0.5). Any position is
            allowed, on the canvas or off it.
        widths: full widths in pixels, at least 0: a number or any shape that broadcasts to
            `[batch, strokes]`.
        size: of the canvas in pixels: one number for a square, or (width, height).
        colors: 0..1, broadcasting to `[batch, strokes, 1 or 3]`; black on one channel by default.
        opacities: 0..1, broadcasting to `[batch, strokes]`; 1 by default.
        degree: of the Bezier segments, 1 to 3. A stroke of `degree * m + 1` points is a chain of m
            segments. By default one segment holds all points.
        backend: `kernel` runs on the CPU whatever the tensors' device; `triton` on the GPU, in
            float32; `reference` is dense PyTorch. `auto` is `triton` for CUDA tensors (`reference`
            for float64 ones) and the kernel for all others, or where Triton is missing.

    Returns:
        `[batch, channels, height, width]` (no batch dimension where `points` had none), 0..1, white
        where nothing is drawn. Differentiable once in points, widths, colors and opacities.

    Raises:
        ValueError: a shape, width, degree or size that cannot be drawn, or a value that is not
            finite. Triton never waits for the GPU to look: there a point or width that cannot be
            drawn makes its sketch NaN.
    """
    if points.ndim == 3:
        return rasterize(
            points[None], widths=widths, size=size, colors=colors, opacities=opacities,
            degree=degree, backend=backend,
        )[0]  # fmt: skip
    if points.ndim != 4 or points.shape[-1] != 2:
        raise ValueError(f"points must be [batch, strokes, points, 2], not {list(points.shape)}")
    if not points.is_floating_point():
        raise ValueError(f"points must be floating point, not {points.dtype}")
    batch, strokes, count, _ = points.shape
    degree = count - 1 if degree is None else degree
    if degree not in (1, 2, 3) or count < 2 or (count - 1) % degree:
        raise ValueError(f"{count} control points are no chain of Bezier segments of degree 1 to 3")
    width, height = (size, size) if isinstance(size, int) else size
    if width < 1 or height < 1:
        raise ValueError(f"the canvas must be at least 1 x 1 pixels, not {width} x {height}")
    dtype = torch.float64 if points.dtype == torch.float64 else torch.float32
    points = points.to(dtype)
    chosen = _choose(backend, points)

    def tensor(value: Tensor | float) -> Tensor:
        if isinstance(value, (int, float)):  # filled in place: a copy would wait for the device
            return points.new_full((batch, strokes), value)
        return torch.as_tensor(value, dtype=dtype, device=points.device)

    widths = tensor(widths).expand(batch, strokes)
    opacities = tensor(1.0 if opacities is None else opacities).expand(batch, strokes)
    colors = points.new_zeros(batch, strokes, 1) if colors is None else tensor(colors)
    if colors.shape[-1:] not in ((1,), (3,)):
        raise ValueError(f"colors must have 1 or 3 channels, not the shape {list(colors.shape)}")
    colors = colors.expand(batch, strokes, colors.shape[-1])
    if chosen != "triton" or not points.is_cuda:
        _check(points, widths, opacities, colors)
    segments = points[:, :, None] if count == degree + 1 else split_chain(points, degree)
    if chosen == "reference":
        return rasterize_reference(segments, widths, opacities, colors, height, width)
    function = _Triton if chosen == "triton" else _Kernel
    image: Tensor = function.apply(segments, widths, opacities, colors, height, width)
    return image


def _choose(backend: Backend, points: Tensor) -> Backend:
    """The backend that draws these points."""
    if backend == "auto":
        if not points.is_cuda or not find_spec("triton"):
            return "kernel"
        if points.dtype != torch.float32:
            return "reference"
        return "triton" if _proves_itself(points.device) else "kernel"
    if backend == "triton":
        if points.dtype != torch.float32:
            raise ValueError(f"the triton backend draws float32, not {points.dtype}")
        if not find_spec("triton"):
            raise ValueError("the triton backend needs Triton, which comes with torch for CUDA")
        from clipasso.raster import triton_kernel

        if points.is_cuda == triton_kernel.INTERPRETED:
            there = "the CPU under TRITON_INTERPRET=1" if points.is_cuda else "CUDA tensors only"
            raise ValueError(f"the triton backend draws on {there}, not on {points.device}")
    return backend


@cache
def _proves_itself(device: torch.device) -> bool:
    """Whether the Triton kernel draws a small scene on this GPU as the CPU kernel does.

    GPUs and Triton's versions are more than tests can cover, and a wrong picture would not show.
    """
    points = torch.tensor(
        [[[[3.0, 4], [9, 30], [28, 2], [29, 27]], [[30, 5], [2, 9], [3, 3], [20, 29]]]]
    )
    light = torch.linspace(-1, 1, 32 * 32).reshape(1, 1, 32, 32)
    found: list[Tensor] = []
    pair: tuple[tuple[torch.device, Backend], ...]
    pair = (torch.device("cpu"), "kernel"), (device, "triton")
    try:
        for where, backend in pair:
            leaf = points.to(where).requires_grad_()
            image = rasterize(leaf, widths=3.0, size=32, opacities=0.8, backend=backend)
            (grad,) = torch.autograd.grad(image, leaf, light.to(where))
            found += [image.detach().cpu(), grad.cpu() / grad.abs().max().cpu()]
        good = torch.allclose(found[0], found[2], atol=1e-3) and torch.allclose(
            found[1], found[3], atol=1e-2
        )
        reason = "other pictures than on the CPU"
    except Exception as error:  # compilers and drivers fail in their own ways
        good, reason = False, f"{type(error).__name__}: {error}".splitlines()[0]
    if not good:
        warnings.warn(
            f"strokes are drawn on the CPU, since the Triton kernel fails on {device} ({reason})",
            stacklevel=2,
        )
    return good


def _check(points: Tensor, widths: Tensor, opacities: Tensor, colors: Tensor) -> None:
    """Raise ValueError for values that cannot be drawn; waits for the device."""
    with torch.no_grad():
        for name, value in (("points", points), ("widths", widths), ("opacities", opacities),
                            ("colors", colors)):  # fmt: skip
            if not (value.abs() <= _FARTHEST).all():  # false for NaN too
                raise ValueError(f"{name} must be finite and within {_FARTHEST:g}")
        if (widths < 0).any():
            raise ValueError("widths must not be negative")


class _Kernel(torch.autograd.Function):
    """The numba kernel as an autograd node."""

    @staticmethod
    def forward(
        ctx: Any, points: Tensor, widths: Tensor, opacities: Tensor, colors: Tensor,
        height: int, width: int,
    ) -> Tensor:  # fmt: skip
        from clipasso.raster import kernel  # numba is slow to import: not before it is needed

        tensors = (points, widths, opacities, colors)
        ctx.inputs = [t.detach().cpu().contiguous().numpy() for t in tensors]
        p, w, o, c = ctx.inputs
        image, *ctx.records = kernel.forward(p, w, o, c, height, width)
        return torch.from_numpy(image).to(points.device)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        from clipasso.raster import kernel

        light = grad.detach().cpu().contiguous().numpy()
        grads = kernel.backward(light, *ctx.inputs, *ctx.records)
        wanted = zip(grads, ctx.needs_input_grad, strict=False)
        return *(torch.from_numpy(g).to(grad.device) if w else None for g, w in wanted), None, None


class _Triton(torch.autograd.Function):
    """The Triton kernel as an autograd node."""

    @staticmethod
    def forward(
        ctx: Any, points: Tensor, widths: Tensor, opacities: Tensor, colors: Tensor,
        height: int, width: int,
    ) -> Tensor:  # fmt: skip
        from clipasso.raster import triton_kernel  # Triton may be missing

        points, widths, opacities, colors = (
            t.detach().contiguous() for t in (points, widths, opacities, colors)
        )
        image, *records = triton_kernel.forward(points, widths, opacities, colors, height, width)
        ctx.order = points.shape[3]
        ctx.save_for_backward(opacities, colors, *records)
        return image

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        from clipasso.raster import triton_kernel

        opacities, colors, *records = ctx.saved_tensors
        grads = triton_kernel.backward(
            grad.detach().contiguous(), opacities, colors, ctx.order, *records
        )
        wanted = zip(grads, ctx.needs_input_grad, strict=False)
        return *(g if w else None for g, w in wanted), None, None
