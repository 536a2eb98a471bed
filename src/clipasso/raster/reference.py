"""The rasteriser as its mathematics, in plain PyTorch: dense, slow, what the kernel is held to.

Image formation. A stroke of width w is the set of points no further than w/2 from its Bezier curve
B, so joins and caps are round. A pixel with centre x sees, through a Gaussian pixel filter of
standard deviation sigma, the coverage

    d(x) = min_t |B(t) - x|
    c(x) = Phi((w/2 - d) / sigma) + Phi((w/2 + d) / sigma) - 1

which is the filtered cross-section of a straight band and therefore even in d: nothing is singular
on the centre line. Strokes are composited in order over white,

    I <- (1 - o c) I + o c * colour.

Why a Gaussian: the ink of a stroke is the sum of its coverage over pixels, and only a filter smooth
enough to be well sampled by the pixel grid makes the derivative of that sum right
(`benchmarks/raster.py` prints the error of this and other edge profiles).
"""

import math

import torch
from torch import Tensor

from clipasso.raster.basis import bezier, bezier_derivatives
from clipasso.raster.sigma import SIGMA

__all__ = ["closest_parameter", "coverage", "rasterize_reference"]

_SAMPLES = 128  # per segment, to find the basin of the closest point before Newton's method
_NEWTON_STEPS = 4


def pixel_centres(height: int, width: int, like: Tensor) -> Tensor:
    """Centres of all pixels, `[height * width, 2]`, in pixels: the first is (0.5, 0.5)."""
    y = torch.arange(height, dtype=like.dtype, device=like.device) + 0.5
    x = torch.arange(width, dtype=like.dtype, device=like.device) + 0.5
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), -1).reshape(-1, 2)


@torch.no_grad()
def closest_parameter(segments: Tensor, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """The point of a chain of Bezier segments closest to each pixel.

    Args:
        segments: `[m, degree + 1, 2]` control points of the chain's segments, pixels.
        pixels: `[n, 2]` positions, pixels.

    Returns:
        index: `[n]` the segment that holds the closest point.
        t: `[n]` its parameter on that segment, 0..1.
    """
    m = segments.shape[0]
    grid = torch.linspace(0, 1, _SAMPLES + 1, dtype=segments.dtype, device=segments.device)
    vertices = bezier(segments[:, None], grid)  # [m, samples + 1, 2]
    a = vertices[:, :-1].reshape(-1, 2)
    ab = vertices[:, 1:].reshape(-1, 2) - a
    # The closest point of the polyline starts Newton's method in the right basin.
    s = ((pixels[:, None] - a) * ab).sum(-1) / ab.square().sum(-1).clamp_min(1e-20)
    s = s.clamp(0, 1)
    best = (a + s[..., None] * ab - pixels[:, None]).square().sum(-1).argmin(1)
    index = best // _SAMPLES if m > 1 else torch.zeros_like(best)
    t = ((best % _SAMPLES) + s.gather(1, best[:, None])[:, 0]) / _SAMPLES
    own = segments[index]
    for _ in range(_NEWTON_STEPS):  # on f(t) = |B(t) - x|^2 / 2, keeping only steps that descend
        b, b1, b2 = bezier_derivatives(own, t)
        away = b - pixels
        slope, speed = (away * b1).sum(-1), b1.square().sum(-1)
        bend = speed + (away * b2).sum(-1)
        step = slope / torch.where(bend > 0, bend, speed).clamp_min(1e-20)
        trial = (t - step).clamp(0, 1)
        nearer = (bezier(own, trial) - pixels).square().sum(-1) < away.square().sum(-1)
        t = torch.where(nearer, trial, t)
    return index, t


def coverage(segments: Tensor, width: Tensor, pixels: Tensor) -> Tensor:
    """Coverage of pixels by one stroke, `[n]`, 0..1; differentiable in segments and width.

    By the envelope theorem the closest point's own motion along the curve adds nothing to the
    derivative of the distance, so its parameter is held fixed.

    Args:
        segments: `[m, degree + 1, 2]` control points, pixels.
        width: the stroke's full width, pixels, a scalar.
        pixels: `[n, 2]` pixel centres.
    """
    index, t = closest_parameter(segments, pixels)
    distance = torch.linalg.vector_norm(bezier(segments[index], t) - pixels, dim=-1)
    half, scale = width / 2, SIGMA * math.sqrt(2)
    return (torch.erf((half - distance) / scale) + torch.erf((half + distance) / scale)) / 2


def rasterize_reference(
    segments: Tensor, widths: Tensor, opacities: Tensor, colors: Tensor, height: int, width: int
) -> Tensor:
    """Draw a batch of sketches on white; any device, differentiable in every tensor.

    Args:
        segments: `[batch, strokes, m, degree + 1, 2]` control points, pixels of the canvas.
        widths: `[batch, strokes]` full widths, pixels.
        opacities: `[batch, strokes]`, 0..1.
        colors: `[batch, strokes, channels]`, 0..1.
        height, width: of the canvas, pixels.

    Returns:
        `[batch, channels, height, width]`, 0..1.
    """
    pixels = pixel_centres(height, width, segments)
    sketches = []
    for b in range(segments.shape[0]):
        image = segments.new_ones(colors.shape[-1], height * width)
        for s in range(segments.shape[1]):
            alpha = opacities[b, s] * coverage(segments[b, s], widths[b, s], pixels)
            image = (1 - alpha) * image + alpha * colors[b, s][:, None]
        sketches.append(image)
    if not sketches:
        return segments.new_ones(0, colors.shape[-1], height, width)
    return torch.stack(sketches).reshape(-1, colors.shape[-1], height, width)
