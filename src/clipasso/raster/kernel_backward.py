"""The CPU kernel, backward: gradients from the records that `kernel_forward` kept."""

import math
from typing import Any

import numpy as np

from clipasso.raster.compiled import compiled
from clipasso.raster.sigma import SIGMA

__all__ = ["backward"]

_FLAGS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract", "nsz"}}
_INNER: dict[str, Any] = {
    **_FLAGS,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
    "kept": False,
}
_SUMS: dict[str, Any] = {
    **_INNER,
    "fastmath": {"contract", "nsz", "reassoc"},
}  # sums in as many lanes as there are


@compiled(**_SUMS)
def _add_slopes(t, way_x, way_y, slope, half, order, out):
    """Add to `out` `[degree + 1, 2]` the gradient of one segment's control points.

    A stroke's coverage moves by the Gaussian at its two edges, and control point k moves the
    distance by B_k(t) times the unit vector from the pixel to the curve.

    Args:
        t, way_x, way_y: `[n]` records; slope: `[n]` gradient of their coverage.

    Returns:
        The gradient of the half-width.
    """
    real = t.dtype.type
    zero, one, three = real(0), real(1), real(3)
    scale, peak = real(1 / (128 * SIGMA * SIGMA)), real(1 / (SIGMA * math.sqrt(2 * math.pi)))
    most, tiny = real(40 / 64), real(1e-30)
    e2, e3, e4 = real(1 / 2), real(1 / 6), real(1 / 24)
    e5, e6, e7 = real(1 / 120), real(1 / 720), real(1 / 5040)
    ax, ay, bx, by, cx, cy, fx, fy, wide = zero, zero, zero, zero, zero, zero, zero, zero, zero
    for j in range(len(slope)):
        x, y, u = way_x[j], way_y[j], t[j]
        d = math.sqrt(x * x + y * y)
        # exp(-v): a polynomial of v / 64 squared six times, below 1e-17 beyond v = 40.
        v = (half - d) * (half - d) * scale
        v = v if v < most else most
        inner = one - v * (one - v * (e2 - v * (e3 - v * (e4 - v * (e5 - v * (e6 - v * e7))))))
        v = (half + d) * (half + d) * scale
        v = v if v < most else most
        outer = one - v * (one - v * (e2 - v * (e3 - v * (e4 - v * (e5 - v * (e6 - v * e7))))))
        for _ in range(6):
            inner, outer = inner * inner, outer * outer
        g = slope[j] * peak
        wide += g * (inner + outer)
        towards = g * (outer - inner) / (d + tiny)  # even in d: no slope on the centre line
        gx, gy = towards * x, towards * y
        r = one - u
        if order == 4:
            w0, w1, w2, w3 = r * r * r, three * r * r * u, three * r * u * u, u * u * u
        elif order == 3:
            w0, w1, w2, w3 = r * r, (r + r) * u, u * u, zero
        else:
            w0, w1, w2, w3 = r, u, zero, zero
        ax += w0 * gx
        ay += w0 * gy
        bx += w1 * gx
        by += w1 * gy
        cx += w2 * gx
        cy += w2 * gy
        fx += w3 * gx
        fy += w3 * gy
    out[0, 0] += ax
    out[0, 1] += ay
    out[1, 0] += bx
    out[1, 1] += by
    if order > 2:
        out[2, 0] += cx
        out[2, 1] += cy
    if order > 3:
        out[3, 0] += fx
        out[3, 1] += fy
    return wide


@compiled(**_INNER)
def _shade(pixel, covered, opacity, through, light):
    """Take the light that reaches each record, and what the stroke lets through of it."""
    for j in range(len(pixel)):
        i = pixel[j]
        arriving = through[i]
        light[j] = arriving
        through[i] = arriving - arriving * (covered[j] * opacity)


@compiled(**_SUMS)
def _add_light(pixel, grad, light, covered, color, under, slope):
    """Add one channel's part of the gradient of alpha to `slope` `[n]`; returns the colour's."""
    total = color - color
    for j in range(len(pixel)):
        g = grad[pixel[j]] * light[j]
        slope[j] += g * (color - under[j])
        total += g * covered[j]
    return total


@compiled(**_SUMS)
def _weigh(slope, covered, opacity):
    """Turn gradients of alpha into those of coverage, in place; returns the opacity's."""
    total = opacity - opacity
    for j in range(len(slope)):
        total += slope[j] * covered[j]
        slope[j] *= opacity
    return total


def backward(
    grad: Any, segments: Any, widths: Any, opacities: Any, colors: Any, *records: Any
) -> tuple[Any, ...]:
    """Gradients of `forward` from its records.

    With T the light that later strokes let through, a stroke's alpha moves the image by
    (colour - under) T.

    Args:
        grad: `[batch, channels, height, width]`, contiguous; segments, widths, opacities, colors:
            as in `forward`; records: as it returned them.

    Returns:
        Gradients of segments, widths, opacities and colors, in their shapes.
    """
    inputs = segments, widths, opacities, colors
    gradients = tuple(map(np.zeros_like, inputs))
    _backward(grad.reshape(*grad.shape[:2], -1), *inputs, *records, *gradients)
    return gradients


@compiled(**_FLAGS)
def _backward(
    light_image, segments, widths, opacities, colors,
    starts, pixel, parameter, way_x, way_y, covered, under,
    g_segments, g_widths, g_opacities, g_colors,
):  # fmt: skip
    real = segments.dtype
    batch, strokes, m, order, _ = segments.shape
    channels, area = light_image.shape[1], light_image.shape[2]
    through = np.empty(area, real)
    light = np.empty(len(pixel), real)
    slope = np.empty(len(pixel), real)
    for b in range(batch):
        through[:] = 1
        for s in range(strokes - 1, -1, -1):
            row = (b * strokes + s) * m
            first, last = starts[row], starts[row + m]
            half, opacity = widths[b, s] / segments.dtype.type(2), opacities[b, s]
            here, lit, moved = pixel[first:last], light[first:last], slope[first:last]
            cover = covered[first:last]
            _shade(here, cover, opacity, through, lit)
            moved[:] = 0
            for ch in range(channels):
                g_colors[b, s, ch] = opacity * _add_light(
                    here, light_image[b, ch], lit, cover, colors[b, s, ch],
                    under[ch, first:last], moved,
                )  # fmt: skip
            g_opacities[b, s] = _weigh(moved, cover, opacity)
            wide = opacity - opacity
            for k in range(m):
                i, j = starts[row + k], starts[row + k + 1]
                wide += _add_slopes(
                    parameter[i:j], way_x[i:j], way_y[i:j], slope[i:j], half, order,
                    g_segments[b, s, k],
                )  # fmt: skip
            g_widths[b, s] = wide * segments.dtype.type(0.5)
