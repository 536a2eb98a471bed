"""Forward on the GPU: bin strokes to tiles, find every pixel's closest points, composite.

`_prepare` gives every stroke its power basis and a box, `_bin` every tile the ordered list of
strokes whose box touches it, and `_draw` walks each tile's list. A segment is cut into spans, those
near the tile bound a stretch of curve parameter, a chain of few parabolic pieces along that stretch
gives each pixel a first guess, and Newton's method makes it exact.
"""

import math

import torch
import triton
import triton.language as tl
from torch import Tensor

from clipasso.raster.sigma import SIGMA

__all__ = ["INTERPRETED", "TILE", "closest", "dim", "edges", "forward", "tile_grid", "warps"]

TILE = tl.constexpr(16)  # px each way
_SPANS = tl.constexpr(32)  # per segment, to find the stretch near a tile: one per thread of a warp
_CHUNK = 256  # strokes that binning looks at together
_BOW = tl.constexpr(0.06)  # px that a piece may bow from its chord
_MOST_PIECES = tl.constexpr(2048)
_NEWTON_STEPS = tl.constexpr(2)  # a third moves nothing beyond what float32 rounds away
_FARTHEST = tl.constexpr(1e9)  # px, as in `rasterize`
_REACH = tl.constexpr(5.0 * SIGMA)  # further from a stroke's edge coverage is below 3e-7
_SCALE = tl.constexpr(1 / (SIGMA * math.sqrt(2)))
_PEAK = tl.constexpr(1 / (SIGMA * math.sqrt(2 * math.pi)))
_FLOOR = tl.constexpr(2.0**-20)  # of the light that one stroke lets through
CARRY = tl.constexpr(60.0)  # bits that leave a product's mantissa for its exponent


@triton.jit
def _at(c0, c1, c2, c3, t):
    """A polynomial at t."""
    return c0 + t * (c1 + t * (c2 + t * c3))


@triton.jit
def _power(points, DEGREE: tl.constexpr):
    """One coordinate of a segment -> coefficients of 1, t, t^2, t^3; all 0 if it is not sound."""
    a, b = tl.load(points), tl.load(points + 2)
    sound = (tl.abs(a) <= _FARTHEST) & (tl.abs(b) <= _FARTHEST)  # false for NaN too
    c1, c2, c3 = b - a, a * 0, a * 0
    if DEGREE >= 2:
        c = tl.load(points + 4)
        sound = sound & (tl.abs(c) <= _FARTHEST)
        c1, c2 = 2 * (b - a), a - 2 * b + c
        if DEGREE == 3:
            d = tl.load(points + 6)
            sound = sound & (tl.abs(d) <= _FARTHEST)
            c1, c2, c3 = 3 * (b - a), 3 * c2, d - a + 3 * (b - c)
    zero = 0.0
    return (
        tl.where(sound, a, zero), tl.where(sound, c1, zero), tl.where(sound, c2, zero),
        tl.where(sound, c3, zero), sound,
    )  # fmt: skip


@triton.jit
def _extent(c0, c1, c2, c3):
    """Bounds `[spans]` of a segment's spans along one axis: of their chords, grown by their bow."""
    a = tl.arange(0, _SPANS).to(tl.float32) / _SPANS
    b = a + 1 / _SPANS
    bend = tl.maximum(tl.abs(2 * c2 + 6 * a * c3), tl.abs(2 * c2 + 6 * b * c3))
    bow = bend * (1 / (8 * _SPANS * _SPANS))
    start, end = _at(c0, c1, c2, c3, a), _at(c0, c1, c2, c3, b)
    return tl.minimum(start, end) - bow, tl.maximum(start, end) + bow


@triton.jit
def _prepare(points, widths, curves, table, total, m, DEGREE: tl.constexpr):
    """One program a stroke.

    Args:
        points: `[total, m, degree + 1, 2]`; widths: `[total]`.
        curves: `[total, m, 8]`, written: the power basis, four coefficients of x and four of y.
        table: `[6, total]`, written: half-width, reach, then the box left, top, right, bottom.
    """
    stroke = tl.program_id(0)
    width = tl.load(widths + stroke)
    good = (width >= 0) & (width <= _FARTHEST)
    left, top = width * 0 + float("inf"), width * 0 + float("inf")
    right, bottom = -left, -top
    for k in range(m):
        segment = (stroke * m + k).to(tl.int64)
        p = points + segment * (2 * DEGREE + 2)
        x0, x1, x2, x3, x_sound = _power(p, DEGREE)
        y0, y1, y2, y3, y_sound = _power(p + 1, DEGREE)
        good = good & x_sound & y_sound
        c = curves + segment * 8
        tl.store(c, x0)
        tl.store(c + 1, x1)
        tl.store(c + 2, x2)
        tl.store(c + 3, x3)
        tl.store(c + 4, y0)
        tl.store(c + 5, y1)
        tl.store(c + 6, y2)
        tl.store(c + 7, y3)
        low, high = _extent(x0, x1, x2, x3)
        left, right = tl.minimum(left, tl.min(low, 0)), tl.maximum(right, tl.max(high, 0))
        low, high = _extent(y0, y1, y2, y3)
        top, bottom = tl.minimum(top, tl.min(low, 0)), tl.maximum(bottom, tl.max(high, 0))
    # What is not sound reaches every tile, to make it NaN.
    half = tl.where(good, width / 2, float("nan"))
    reach = tl.where(good, width / 2 + _REACH, float("inf"))
    row = table + stroke
    tl.store(row, half)
    tl.store(row + total, reach)
    tl.store(row + 2 * total, tl.where(good, left, 0.0) - reach)
    tl.store(row + 3 * total, tl.where(good, top, 0.0) - reach)
    tl.store(row + 4 * total, tl.where(good, right, 0.0) + reach)
    tl.store(row + 5 * total, tl.where(good, bottom, 0.0) + reach)


@triton.jit
def _bin(table, lists, strokes, total, tiles, across, CHUNK: tl.constexpr):
    """One program a tile: the strokes whose boxes touch it, in order.

    Args:
        table: `[6, total]` from `_prepare`.
        lists: `[batch * tiles, strokes + 1]`, written: how many, then which strokes of the sketch.
    """
    program = tl.program_id(0).to(tl.int64)
    tile = program % tiles
    left = (tile % across * TILE).to(tl.float32)
    top = (tile // across * TILE).to(tl.float32)
    row = table + program // tiles * strokes
    mine = lists + program * (strokes + 1)
    count = tl.full((), 0, tl.int32)
    for first in range(0, strokes, CHUNK):
        lane = first + tl.arange(0, CHUNK)
        real = lane < strokes
        box = row + lane
        near = real & (tl.load(box + 2 * total, real, 0.0) < left + TILE)
        near = near & (tl.load(box + 3 * total, real, 0.0) < top + TILE)
        near = near & (tl.load(box + 4 * total, real, 0.0) > left)
        near = near & (tl.load(box + 5 * total, real, 0.0) > top)
        place = count + tl.cumsum(near.to(tl.int32), 0)  # from 1: the count stands before
        tl.store(mine + place, lane, near)
        count += tl.sum(near.to(tl.int32), 0)
    tl.store(mine, count)


@triton.jit
def closest(curve, m, reach, left, top, px, py):
    """The point of a chain closest to each pixel of a tile.

    Coordinates are relative to the tile, which keeps float32 sharp on large canvases.

    Args:
        curve: `[m, 8]` power bases; reach: px beyond which the stroke need not be found.
        left, top: of the tile, px; px, py: `[pixels]` centres within the tile.

    Returns:
        The squared distance, the closest point less the pixel (x, y), its parameter, its segment
        (-1 where none was near), all `[pixels]`; and whether any segment was near.
    """
    best = px * 0 + float("inf")
    away_x, away_y, t, owner = px * 0, px * 0, px * 0, (px * 0).to(tl.int32) - 1
    found = tl.full((), 0, tl.int32)
    for k in range(m):
        c = curve + k * 8
        x0, x1, x2, x3 = tl.load(c) - left, tl.load(c + 1), tl.load(c + 2), tl.load(c + 3)
        y0, y1, y2, y3 = tl.load(c + 4) - top, tl.load(c + 5), tl.load(c + 6), tl.load(c + 7)
        low_x, high_x = _extent(x0, x1, x2, x3)
        low_y, high_y = _extent(y0, y1, y2, y3)
        near = (low_x - reach < TILE) & (high_x + reach > 0)
        near = near & (low_y - reach < TILE) & (high_y + reach > 0)
        lane = tl.arange(0, _SPANS)
        first = tl.min(tl.where(near, lane, _SPANS), 0)
        last = tl.max(tl.where(near, lane + 1, 0), 0)
        if first < last:
            found += 1
            begin, end = first.to(tl.float32) / _SPANS, last.to(tl.float32) / _SPANS
            # B'' is linear, so it is largest at an end: bow <= |B''| / (8 n^2).
            bx, by = 2 * x2 + 6 * begin * x3, 2 * y2 + 6 * begin * y3
            ex, ey = 2 * x2 + 6 * end * x3, 2 * y2 + 6 * end * y3
            bend = tl.sqrt(tl.maximum(bx * bx + by * by, ex * ex + ey * ey))
            pieces = tl.ceil((end - begin) * tl.sqrt(bend / (8 * _BOW)))
            pieces = tl.minimum(tl.maximum(pieces, 1.0), _MOST_PIECES).to(tl.int32)
            step = (end - begin) / pieces.to(tl.float32)
            ax, ay = _at(x0, x1, x2, x3, begin), _at(y0, y1, y2, y3, begin)
            bow = -step * step / 8  # times B'' at a piece's middle: exact for a cubic
            least, u = px * 0 + float("inf"), px * 0
            for i in range(pieces):
                v = begin + i * step
                bx, by = _at(x0, x1, x2, x3, v + step), _at(y0, y1, y2, y3, v + step)
                middle = v + step / 2
                hx, hy = bow * (2 * x2 + 6 * middle * x3), bow * (2 * y2 + 6 * middle * y3)
                # The foot on the chord is lifted onto the parabola through the middle.
                dx, dy, rx, ry = bx - ax, by - ay, px - ax, py - ay
                inverse = 1 / tl.maximum(dx * dx + dy * dy, 1e-20)
                s = tl.minimum(tl.maximum((rx * dx + ry * dy) * inverse, 0.0), 1.0)
                lift = 4 * s * (1 - s)
                rx, ry = rx - s * dx - lift * hx, ry - s * dy - lift * hy
                d2 = rx * rx + ry * ry
                u = tl.where(d2 < least, v + s * step, u)
                least = tl.minimum(d2, least)
                ax, ay = bx, by
            x, y = _at(x0, x1, x2, x3, u) - px, _at(y0, y1, y2, y3, u) - py
            d2 = x * x + y * y
            # Only steps that bring the curve no further are kept, but for what rounding hides: the
            # slope knows the closest parameter better than distances in float32 do.
            for _ in tl.static_range(_NEWTON_STEPS):
                vx, vy = x1 + u * (2 * x2 + 3 * u * x3), y1 + u * (2 * y2 + 3 * u * y3)
                speed = vx * vx + vy * vy
                curb = speed + x * (2 * x2 + 6 * u * x3) + y * (2 * y2 + 6 * u * y3)
                curb = tl.maximum(tl.where(curb > 0, curb, speed), 1e-20)
                v = tl.minimum(tl.maximum(u - (x * vx + y * vy) / curb, 0.0), 1.0)
                tx, ty = _at(x0, x1, x2, x3, v) - px, _at(y0, y1, y2, y3, v) - py
                t2 = tx * tx + ty * ty
                nearer = t2 <= d2 * (1 + 1e-6)
                u, d2 = tl.where(nearer, v, u), tl.where(nearer, t2, d2)
                x, y = tl.where(nearer, tx, x), tl.where(nearer, ty, y)
            nearer = d2 < best
            best, t = tl.where(nearer, d2, best), tl.where(nearer, u, t)
            away_x, away_y = tl.where(nearer, x, away_x), tl.where(nearer, y, away_y)
            owner = tl.where(nearer, k, owner)
    return best, away_x, away_y, t, owner, found > 0


@triton.jit
def _tail(x):
    """erfc(x) exp(x^2) for x >= 0, to 1.5e-7 (Abramowitz and Stegun 7.1.26)."""
    t = 1 / (1 + 0.3275911 * x)
    return t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (
        -1.453152027 + t * 1.061405429))))  # fmt: skip


@triton.jit
def edges(half, d):
    """Coverage at distance d, 1 - coverage without cancelling, and the Gaussians at both edges."""
    a, b = tl.abs(half - d) * _SCALE, (half + d) * _SCALE
    inner, outer = tl.exp(-a * a), tl.exp(-b * b)
    near, far = 0.5 * _tail(a) * inner, 0.5 * _tail(b) * outer
    inside = d <= half
    covered = tl.where(inside, 1 - near - far, near - far)
    clear = tl.where(inside, near + far, 1 - near + far)
    return covered, clear, inner * _PEAK, outer * _PEAK


@triton.jit
def dim(light, carried, opacity, clear):
    """The light that strokes so far let through, times that of one more: mantissa and exponent."""
    light = light * tl.maximum(1 - opacity + opacity * clear, _FLOOR)
    small = light < 2.0**-CARRY
    return tl.where(small, light * 2.0**CARRY, light), tl.where(small, carried + 1, carried)


@triton.jit
def _draw(curves, table, lists, kept, opacities, colors, image, lights, strokes, total, m, batch,
          tiles, across, area, height, width, COLORED: tl.constexpr):  # fmt: skip
    """One program a tile: composite its strokes.

    Args:
        lists: from `_bin`; kept: written, the same without strokes whose box alone touches.
        image: `[batch, channels, height, width]`, written.
        lights: `[2, batch, height, width]`, written: what all strokes let through, as in `dim`.
    """
    program = tl.program_id(0).to(tl.int64)
    sketch, tile = program // tiles, program % tiles
    left, top = tile % across * TILE, tile // across * TILE
    lane = tl.arange(0, TILE * TILE)
    column, line = lane % TILE, lane // TILE
    px, py = column.to(tl.float32) + 0.5, line.to(tl.float32) + 0.5
    red = px * 0 + 1
    green, blue, light, carried = red, red, red, px * 0
    mine, keep = lists + program * (strokes + 1), kept + program * (strokes + 1)
    count = tl.full((), 0, tl.int32)
    for i in range(tl.load(mine)):
        own = tl.load(mine + 1 + i)
        stroke = sketch * strokes + own
        best, _x, _y, _t, _owner, found = closest(
            curves + stroke * m * 8, m, tl.load(table + total + stroke),
            left.to(tl.float32), top.to(tl.float32), px, py,
        )  # fmt: skip
        if found:
            count += 1
            tl.store(keep + count, own)
            opacity = tl.load(opacities + stroke)
            covered, clear, _inner, _outer = edges(tl.load(table + stroke), tl.sqrt(best))
            alpha = opacity * covered
            light, carried = dim(light, carried, opacity, clear)
            if COLORED:
                red += alpha * (tl.load(colors + 3 * stroke) - red)
                green += alpha * (tl.load(colors + 3 * stroke + 1) - green)
                blue += alpha * (tl.load(colors + 3 * stroke + 2) - blue)
            else:
                red += alpha * (tl.load(colors + stroke) - red)
    tl.store(keep, count)
    real = (left + column < width) & (top + line < height)
    pixel = (top + line) * width + left + column
    if COLORED:
        tl.store(image + sketch * 3 * area + pixel, red, real)
        tl.store(image + (sketch * 3 + 1) * area + pixel, green, real)
        tl.store(image + (sketch * 3 + 2) * area + pixel, blue, real)
    else:
        tl.store(image + sketch * area + pixel, red, real)
    tl.store(lights + sketch * area + pixel, light, real)
    tl.store(lights + (batch + sketch) * area + pixel, carried, real)


INTERPRETED = not isinstance(_draw, triton.JITFunction)
"""Whether Triton runs in its interpreter, on CPU tensors (TRITON_INTERPRET=1)."""


def tile_grid(height: int, width: int) -> tuple[int, int]:
    """How many tiles cover the canvas, and how many of them lie side by side."""
    across = -(-width // TILE.value)
    return across * -(-height // TILE.value), across


def warps(programs: int) -> int:
    """Warps for each tile's program.

    Few tiles leave the chip idle while the busiest walks its strokes: more warps shorten that. Many
    tiles fill it: fewer warps repeat less of the work that all threads do alike.
    """
    return 4 if programs < 2048 else 2


def forward(
    segments: Tensor, widths: Tensor, opacities: Tensor, colors: Tensor, height: int, width: int
) -> tuple[Tensor, ...]:
    """Draw a batch of sketches over white.

    Args:
        segments: `[batch, strokes, m, degree + 1, 2]`, pixels; float32 and contiguous like the
            others, on one device.
        widths, opacities: `[batch, strokes]`; colors: `[batch, strokes, 1 or 3]`.

    Returns:
        image `[batch, channels, height, width]`, and what backward needs: power bases, table,
        kept lists and lights, as the kernels describe them.
    """
    batch, strokes, m, order, _ = segments.shape
    channels, total = colors.shape[2], batch * strokes
    tiles, across = tile_grid(height, width)
    image = segments.new_empty(batch, channels, height, width)
    curves, table = segments.new_empty(total, m, 8), segments.new_empty(6, total)
    # As long as the worst case: a length that the strokes decide would have to be read back.
    lists = segments.new_empty(batch * tiles, strokes + 1, dtype=torch.int32)
    kept = torch.empty_like(lists)
    lights = segments.new_empty(2, batch, height, width)
    if not total:
        return image.fill_(1), curves, table, kept, lights
    programs = batch * tiles
    with torch.cuda.device_of(segments):
        _prepare[(total,)](segments, widths, curves, table, total, m, order - 1, num_warps=1)
        _bin[(programs,)](table, lists, strokes, total, tiles, across, _CHUNK, num_warps=2)
        _draw[(programs,)](
            curves, table, lists, kept, opacities, colors, image, lights, strokes, total, m,
            batch, tiles, across, height * width, height, width, channels == 3,
            num_warps=warps(programs),
        )  # fmt: skip
    return image, curves, table, kept, lights
