"""Backward on the GPU: walk each tile's strokes again and add up their gradients.

It searches again rather than reading what `_draw` found: a record of every (pixel, stroke) pair has
no bound below pixels x strokes, at 2048 strokes tens of gigabytes. It walks forward, too: the
colour under a stroke then needs no division, and the light that later strokes let through is the
quotient of two products of (1 - alpha), the whole one from `_draw` over the one so far. Factors are
kept above a floor, so nothing is divided by zero.

A tile sums a stroke's gradients over its own pixels and adds them up in fixed point, in 64-bit
integers: those sums do not depend on their order, so the same input gives the same bytes, without
a buffer of tiles x strokes to reduce in a second pass.
"""

import math

import torch
import triton
import triton.language as tl
from torch import Tensor

from clipasso.raster.triton_forward import CARRY, TILE, closest, dim, edges, tile_grid, warps

__all__ = ["backward"]

_BITS = 34  # of fixed point below the largest incoming gradient; 29 above hold a sum over 2^26 px


@triton.jit
def _four(a, b, c, d):
    """Four `[pixels]` side by side, `[pixels, 2, 2]`."""
    return tl.join(tl.join(a, c), tl.join(b, d))


@triton.jit
def _add(sums, unit, values, COUNT: tl.constexpr):
    """Sum values over the tile, all together, and add them in fixed point: integers know no order.

    Args:
        values: `[pixels, 2, 2]` or `[pixels, 2, 2, 2]`, COUNT a pixel.
    """
    total = tl.sum(tl.reshape(values, (TILE * TILE, COUNT)), 0)
    fixed = tl.floor(total * unit + 0.5).to(tl.int64)
    tl.atomic_add(sums + tl.arange(0, COUNT), fixed, sem="relaxed")


@triton.jit
def _add_points(sums, unit, gx, gy, t, DEGREE: tl.constexpr):
    """Share gradients `[pixels]` of the points at t out to their segment's control points."""
    r = 1 - t
    if DEGREE == 1:
        _add(sums, unit, _four(r * gx, r * gy, t * gx, t * gy), 4)
    else:
        if DEGREE == 2:
            w0, w1, w2, w3 = r * r, 2 * r * t, t * t, t * 0
        else:
            w0, w1, w2, w3 = r * r * r, 3 * r * r * t, 3 * r * t * t, t * t * t
        on_x = _four(w0 * gx, w1 * gx, w2 * gx, w3 * gx)
        on_y = _four(w0 * gy, w1 * gy, w2 * gy, w3 * gy)
        _add(sums, unit, tl.join(on_x, on_y), 8)


@triton.jit
def _pull(curves, table, kept, opacities, colors, lights, grad, largest, sums, styles, strokes,
          total, m, batch, tiles, across, area, height, width, BITS: tl.constexpr,
          DEGREE: tl.constexpr, COLORED: tl.constexpr):  # fmt: skip
    """One program a tile: walk its strokes again and add up what pulls on them.

    With T the light that later strokes let through, a stroke's alpha moves the image by
    (colour - under) T, its coverage by the Gaussian at its two edges, and control point k the
    distance by B_k(t) times the unit vector from the pixel to the curve.

    Args:
        grad: `[batch, channels, height, width]`; largest: `[]` its largest magnitude.
        sums: int64 `[total, m, 8]`, zero, added to: control points, x and y in turn.
        styles: int64 `[total, 8]`, zero, added to: width, opacity, then the colour.
    """
    program = tl.program_id(0).to(tl.int64)
    sketch, tile = program // tiles, program % tiles
    left, top = tile % across * TILE, tile // across * TILE
    lane = tl.arange(0, TILE * TILE)
    column, line = lane % TILE, lane // TILE
    px, py = column.to(tl.float32) + 0.5, line.to(tl.float32) + 0.5
    real = (left + column < width) & (top + line < height)
    pixel = (top + line) * width + left + column
    all_light = tl.load(lights + sketch * area + pixel, real, 1.0)
    all_carried = tl.load(lights + (batch + sketch) * area + pixel, real, 0.0)
    if COLORED:
        on_red = tl.load(grad + sketch * 3 * area + pixel, real, 0.0)
        on_green = tl.load(grad + (sketch * 3 + 1) * area + pixel, real, 0.0)
        on_blue = tl.load(grad + (sketch * 3 + 2) * area + pixel, real, 0.0)
    else:
        on_red = tl.load(grad + sketch * area + pixel, real, 0.0)
        on_green, on_blue = on_red, on_red
    top_grad = tl.load(largest)
    unit = tl.where(top_grad > 0, 2.0**BITS / top_grad, 0.0)
    red = px * 0 + 1
    green, blue, light, carried = red, red, red, px * 0
    mine = kept + program * (strokes + 1)
    for i in range(tl.load(mine)):
        stroke = sketch * strokes + tl.load(mine + 1 + i)
        best, x, y, t, owner, found = closest(
            curves + stroke * m * 8, m, tl.load(table + total + stroke),
            left.to(tl.float32), top.to(tl.float32), px, py,
        )  # fmt: skip
        if found:
            opacity = tl.load(opacities + stroke)
            d = tl.sqrt(best)
            covered, clear, inner, outer = edges(tl.load(table + stroke), d)
            alpha = opacity * covered
            light, carried = dim(light, carried, opacity, clear)
            later = all_light / light * tl.exp2((carried - all_carried) * CARRY)
            later = tl.where(real, later, 0.0)
            lit_red, lit_green, lit_blue = on_red * later, on_green * later, on_blue * later
            if COLORED:
                color = colors + 3 * stroke
                rise_red, rise_green = tl.load(color) - red, tl.load(color + 1) - green
                rise_blue = tl.load(color + 2) - blue
                on_alpha = lit_red * rise_red + lit_green * rise_green + lit_blue * rise_blue
                red += alpha * rise_red
                green += alpha * rise_green
                blue += alpha * rise_blue
            else:
                rise = tl.load(colors + stroke) - red
                on_alpha = lit_red * rise
                red += alpha * rise
            on_covered = on_alpha * opacity
            on_width, none = on_covered * (inner + outer) * 0.5, px * 0
            on_opacity, on_color = on_alpha * covered, lit_red * alpha
            if COLORED:
                even = _four(on_width, on_color, lit_blue * alpha, none)
                odd = _four(on_opacity, lit_green * alpha, none, none)
                _add(styles + stroke * 8, unit, tl.join(even, odd), 8)
            else:
                _add(styles + stroke * 8, unit, _four(on_width, on_opacity, on_color, none), 4)
            # Even in d: no slope on the centre line.
            towards = tl.where(d > 0, on_covered * (outer - inner) / tl.maximum(d, 1e-20), 0.0)
            for k in range(m):
                pull = tl.where(owner == k, towards, 0.0)
                segment = sums + (stroke * m + k) * 8
                _add_points(segment, unit, pull * x, pull * y, t, DEGREE)


def backward(
    grad: Tensor, opacities: Tensor, colors: Tensor, order: int,
    curves: Tensor, table: Tensor, kept: Tensor, lights: Tensor,
) -> tuple[Tensor, ...]:  # fmt: skip
    """Gradients of `forward` from what it kept.

    Args:
        grad: `[batch, channels, height, width]`, float32, contiguous.
        order: control points of a segment.

    Returns:
        Gradients of segments, widths, opacities and colors, in their shapes.
    """
    batch, channels, height, width = grad.shape
    total, m, _ = curves.shape
    strokes = opacities.shape[1]
    tiles, across = tile_grid(height, width)
    sums = torch.zeros(total * (m + 1), 8, dtype=torch.int64, device=grad.device)
    split = total * m
    largest = torch.linalg.vector_norm(grad, math.inf) if total else grad.new_zeros(())
    if total:
        with torch.cuda.device_of(grad):
            _pull[(batch * tiles,)](
                curves, table, kept, opacities, colors, lights, grad, largest, sums[:split],
                sums[split:], strokes, total, m, batch, tiles, across, height * width, height,
                width, _BITS, order - 1, channels == 3, num_warps=warps(batch * tiles),
            )  # fmt: skip
    grads = sums * (largest * 2.0**-_BITS)
    points = grads[:split].view(batch, strokes, m, 4, 2)[..., :order, :]
    style = grads[split:].view(batch, strokes, 8)
    return points, style[..., 0], style[..., 1], style[..., 2 : 2 + channels]
