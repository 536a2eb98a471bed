"""The CPU kernel: the mathematics of `reference.py`, but touching only pixels near each stroke.

Forward, per stroke: a chain of few parabolic pieces marks the pixels that the stroke can reach and
gives each a first guess of its closest curve parameter; Newton's method makes that exact; coverage
is composited. A record of every touched pixel (its index, closest parameter, coverage, and the
colour that lay under the stroke) is what backward needs: it runs over the records from the last
stroke to the first and never searches again.

Everything runs on one thread in a fixed order, so the same input gives the same bytes: numba's own
threads would fight torch's for the cores.
"""

import math
import threading
from typing import Any

import numpy as np
from numba import njit

from clipasso.raster.reference import SIGMA

__all__ = ["backward", "forward"]

REACH = 5.0 * SIGMA  # beyond this distance from the stroke's edge coverage is below 3e-7
_BOW = 0.06  # px that a marking piece may bow from its chord
_MAX_PIECES = 2048
_NEWTON_STEPS = 3
_SETTLED = 0.01  # px along the curve: after a step this short Newton's error is its square
_STEPS = 64  # table entries a standard deviation
_RANGE = 6  # standard deviations each way; beyond them the integral is 0 or 1 to 1e-9
_FLAGS = {"nogil": True, "cache": True, "error_model": "numpy", "fastmath": {"contract", "nsz"}}


@njit(**_FLAGS)
def _power_basis(p, out):
    """Coefficients of 1, t, t^2, t^3 of one segment with 2 to 4 control points -> out [4, 2]."""
    degree = p.shape[0] - 1
    for c in range(2):
        out[2, c] = 0
        out[3, c] = 0
        out[0, c] = p[0, c]
        if degree == 1:
            out[1, c] = p[1, c] - p[0, c]
        elif degree == 2:
            out[1, c] = 2 * (p[1, c] - p[0, c])
            out[2, c] = p[0, c] - 2 * p[1, c] + p[2, c]
        else:
            out[1, c] = 3 * (p[1, c] - p[0, c])
            out[2, c] = 3 * (p[0, c] - 2 * p[1, c] + p[2, c])
            out[3, c] = p[3, c] - p[0, c] + 3 * (p[1, c] - p[2, c])


def _tabulate() -> tuple[np.ndarray, np.ndarray]:
    """The Gaussian's integral Phi and its density times the step, over -range..range."""
    z = np.linspace(-_RANGE, _RANGE, 2 * _RANGE * _STEPS + 1)
    integral = np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in z])
    return integral, np.exp(-z * z / 2) / math.sqrt(2 * math.pi) / _STEPS


_PHI, _SLOPE = _tabulate()


@njit(**_FLAGS)
def _phi(z):
    """Phi by cubic Hermite interpolation, to 1e-10: an error function costs several times that."""
    x = (z + _RANGE) * _STEPS
    if x <= 0:
        return 0.0
    i = int(x)
    if i >= 2 * _RANGE * _STEPS:
        return 1.0
    f = x - i
    a, b, da, db = _PHI[i], _PHI[i + 1], _SLOPE[i], _SLOPE[i + 1]
    rise = b - a
    return a + f * (da + f * (3 * rise - 2 * da - db + f * (da + db - 2 * rise)))


@njit(**_FLAGS)
def _at(c, t):
    """The segment's point at t, from its power basis."""
    x = c[0, 0] + t * (c[1, 0] + t * (c[2, 0] + t * c[3, 0]))
    y = c[0, 1] + t * (c[1, 1] + t * (c[2, 1] + t * c[3, 1]))
    return x, y


@njit(**_FLAGS)
def _pieces(p):
    """How many pieces of a segment bow at most `_BOW` from their chords: |B''| / (8 n^2) <= bow."""
    degree = p.shape[0] - 1
    bend = 0.0
    for k in range(degree - 1):
        x = p[k, 0] - 2 * p[k + 1, 0] + p[k + 2, 0]
        y = p[k, 1] - 2 * p[k + 1, 1] + p[k + 2, 1]
        bend = max(bend, math.hypot(x, y))
    n = math.ceil(math.sqrt(degree * (degree - 1) * bend / (8 * _BOW)))
    return int(min(max(n, 1), _MAX_PIECES))


@njit(**_FLAGS)
def _mark(ax, ay, bx, by, hx, hy, u0, du, radius, width, height, nearest, guess, touched, count):
    """Offer one piece a-b, bowed by h at its middle, to all pixels within `radius` of its chord.

    The foot on the chord is lifted onto the parabola, which leaves an error far below the bow.
    nearest, guess: `[height * width]` squared distance so far (inf: untouched) and parameter u.
    Returns how many pixels stand in `touched` now.
    """
    dx, dy = bx - ax, by - ay
    length2 = dx * dx + dy * dy
    inverse = 1 / length2 if length2 > 0 else 0.0
    length = math.sqrt(length2)
    # Clipped before rounding: a float far off the canvas fits no integer.
    y_low = math.ceil(max(min(ay, by) - radius - 0.5, 0.0))
    y_high = math.floor(min(max(ay, by) + radius - 0.5, height - 1.0))
    for y in range(y_low, y_high + 1):
        ry = y + 0.5 - ay
        left, right = min(ax, bx) - radius, max(ax, bx) + radius
        # The capsule lies in the band |cross| <= radius * length, which bounds this row's x.
        if abs(dy) > 1e-3 * length:
            middle, half = ax + ry * dx / dy, radius * length / abs(dy)
            left, right = max(left, middle - half), min(right, middle + half)
        x_low = math.ceil(max(left - 0.5, 0.0))
        x_high = math.floor(min(right - 0.5, width - 1.0))
        for x in range(x_low, x_high + 1):
            rx = x + 0.5 - ax
            s = min(max((rx * dx + ry * dy) * inverse, 0.0), 1.0)
            lift = 4 * s * (1 - s)
            ex, ey = rx - s * dx - lift * hx, ry - s * dy - lift * hy
            d2 = ex * ex + ey * ey
            i = y * width + x
            if d2 < nearest[i]:
                if nearest[i] == np.inf:
                    touched[count] = i
                    count += 1
                nearest[i] = d2
                guess[i] = u0 + s * du
    return count


@njit(**_FLAGS)
def _refine(c, t, px, py):
    """Newton's method for the closest parameter of one segment; returns (t, squared distance).

    Only steps that bring the curve nearer are kept: near a cusp Newton's method may leap away.
    """
    x, y = _at(c, t)
    x, y = x - px, y - py
    d2 = x * x + y * y
    for _ in range(_NEWTON_STEPS):
        x1 = c[1, 0] + t * (2 * c[2, 0] + t * 3 * c[3, 0])
        y1 = c[1, 1] + t * (2 * c[2, 1] + t * 3 * c[3, 1])
        speed = x1 * x1 + y1 * y1
        bend = speed + x * (2 * c[2, 0] + 6 * t * c[3, 0]) + y * (2 * c[2, 1] + 6 * t * c[3, 1])
        if bend <= 0:
            bend = speed
        if bend <= 0:
            break
        trial = min(max(t - (x * x1 + y * y1) / bend, 0.0), 1.0)
        tx, ty = _at(c, trial)
        tx, ty = tx - px, ty - py
        trial2 = tx * tx + ty * ty
        if trial2 >= d2:
            break
        moved2 = (trial - t) * (trial - t) * speed
        t, x, y, d2 = trial, tx, ty, trial2
        if moved2 < _SETTLED * _SETTLED:
            break
    return t, d2


class _Scratch(threading.local):
    """Working memory of one thread, kept between calls: fresh pages cost as much as the drawing."""

    def __init__(self):
        self.arrays = {}

    def get(self, area, real):
        """Distances (all inf, and left so), parameters and indices for `area` pixels."""
        if (area, real) not in self.arrays:
            self.arrays = {  # one canvas at a time
                (area, real): (
                    np.full(area, np.inf, real), np.empty(area, real), np.empty(area, np.int32)
                )
            }  # fmt: skip
        return self.arrays[area, real]


_scratch = _Scratch()


def forward(
    segments: Any, widths: Any, opacities: Any, colors: Any, height: int, width: int
) -> tuple[Any, ...]:
    """Draw a batch of sketches over white.

    Args:
        segments: `[batch, strokes, m, degree + 1, 2]`, pixels; float32 or float64, all finite.
        widths, opacities: `[batch, strokes]`; colors: `[batch, strokes, channels]`; same dtype.

    Returns:
        image `[batch, channels, height, width]` and the records: starts `[batch * strokes + 1]`,
        and per touched pixel its index, parameter u (segment + t), coverage and `[channels]` the
        colour under the stroke.
    """
    scratch = _scratch.get(height * width, segments.dtype)
    drawn: tuple[Any, ...] = _forward(segments, widths, opacities, colors, height, width, *scratch)
    return drawn


@njit(**_FLAGS)
def _forward(segments, widths, opacities, colors, height, width, nearest, guess, touched):
    real = segments.dtype
    batch, strokes, m, _, _ = segments.shape
    channels = colors.shape[2]
    area = height * width
    image = np.ones((batch, channels, area), real)
    power = np.empty((m, 4, 2), real)
    starts = np.zeros(batch * strokes + 1, np.int64)
    capacity = 1024 * max(1, batch * strokes)
    pixel = np.empty(capacity, np.int32)
    parameter = np.empty(capacity, real)
    covered = np.empty(capacity, real)
    under = np.empty((capacity, channels), real)
    n = 0
    scale = 1 / SIGMA
    for b in range(batch):
        for s in range(strokes):
            half = widths[b, s] / 2
            radius = half + REACH
            count = 0
            for k in range(m):
                c = power[k]
                _power_basis(segments[b, s, k], c)
                pieces = _pieces(segments[b, s, k])
                du = 1.0 / pieces
                ax, ay = c[0, 0], c[0, 1]
                for i in range(pieces):
                    bx, by = _at(c, (i + 1) * du)
                    mx, my = _at(c, (i + 0.5) * du)
                    hx, hy = mx - (ax + bx) / 2, my - (ay + by) / 2
                    count = _mark(
                        ax, ay, bx, by, hx, hy, k + i * du, du, radius + _BOW,
                        width, height, nearest, guess, touched, count,
                    )  # fmt: skip
                    ax, ay = bx, by
            if n + count > capacity:
                capacity = 2 * (n + count)
                grown_pixel = np.empty(capacity, np.int32)
                grown_parameter = np.empty(capacity, real)
                grown_covered = np.empty(capacity, real)
                grown_under = np.empty((capacity, channels), real)
                grown_pixel[:n] = pixel[:n]
                grown_parameter[:n] = parameter[:n]
                grown_covered[:n] = covered[:n]
                grown_under[:n] = under[:n]
                pixel, parameter = grown_pixel, grown_parameter
                covered, under = grown_covered, grown_under
            for j in range(count):
                i = touched[j]
                nearest[i] = np.inf
                u = guess[i]
                k = min(int(u), m - 1)
                y = i // width
                t, d2 = _refine(power[k], u - k, i - y * width + 0.5, y + 0.5)
                d = math.sqrt(d2)
                if d >= radius:
                    continue
                c = _phi((half - d) * scale) + _phi((half + d) * scale) - 1
                pixel[n] = i
                parameter[n] = k + t
                covered[n] = c
                alpha = c * opacities[b, s]
                for ch in range(channels):
                    below = image[b, ch, i]
                    under[n, ch] = below
                    image[b, ch, i] = below + alpha * (colors[b, s, ch] - below)
                n += 1
            starts[b * strokes + s + 1] = n
    return (
        image.reshape(batch, channels, height, width),
        starts, pixel[:n], parameter[:n], covered[:n], under[:n],
    )  # fmt: skip


@njit(**_FLAGS)
def backward(grad, segments, widths, opacities, colors, starts, pixel, parameter, covered, under):
    """Gradients of `forward` from its records.

    With T the light that later strokes let through, a stroke's alpha moves the image by
    (colour - under) T, its coverage by the Gaussian at its two edges, and control point k the
    distance by B_k(t) times the unit vector from the pixel to the curve.

    Args:
        grad: `[batch, channels, height, width]`, contiguous; the others as in and from `forward`.

    Returns:
        Gradients of segments, widths, opacities and colors, in their shapes.
    """
    real = segments.dtype
    batch, strokes, m, order, _ = segments.shape
    channels, height, width = grad.shape[1], grad.shape[2], grad.shape[3]
    area = height * width
    light_image = grad.reshape(batch, channels, area)
    g_segments = np.zeros_like(segments)
    g_widths = np.zeros_like(widths)
    g_opacities = np.zeros_like(opacities)
    g_colors = np.zeros_like(colors)
    through = np.empty(area, real)
    power = np.empty((m, 4, 2), real)
    peak = 1 / (SIGMA * math.sqrt(2 * math.pi))
    scale = 1 / (2 * SIGMA * SIGMA)
    for b in range(batch):
        through[:] = 1
        for s in range(strokes - 1, -1, -1):
            first, last = starts[b * strokes + s], starts[b * strokes + s + 1]
            if first == last:
                continue
            for k in range(m):
                _power_basis(segments[b, s, k], power[k])
            half, opacity = widths[b, s] / 2, opacities[b, s]
            sum_width, sum_opacity = 0.0, 0.0
            for j in range(first, last):
                i = pixel[j]
                alpha = covered[j] * opacity
                light = through[i]
                g_alpha = 0.0
                for ch in range(channels):
                    g = light_image[b, ch, i] * light
                    g_alpha += g * (colors[b, s, ch] - under[j, ch])
                    g_colors[b, s, ch] += g * alpha
                through[i] = light * (1 - alpha)
                sum_opacity += g_alpha * covered[j]
                g_covered = g_alpha * opacity
                u = parameter[j]
                k = min(int(u), m - 1)
                t = u - k
                x, y = _at(power[k], t)
                row = i // width
                x, y = x - (i - row * width + 0.5), y - (row + 0.5)
                d = math.sqrt(x * x + y * y)
                inner = peak * math.exp(-(half - d) * (half - d) * scale)
                outer = peak * math.exp(-(half + d) * (half + d) * scale)
                sum_width += g_covered * (inner + outer) * 0.5
                if d == 0:
                    continue  # even in d: no slope on the centre line
                towards = g_covered * (outer - inner) / d
                gx, gy = towards * x, towards * y
                r = 1 - t
                out = g_segments[b, s, k]
                if order == 4:
                    w0, w1, w2, w3 = r * r * r, 3 * r * r * t, 3 * r * t * t, t * t * t
                    out[3, 0] += w3 * gx
                    out[3, 1] += w3 * gy
                    out[2, 0] += w2 * gx
                    out[2, 1] += w2 * gy
                elif order == 3:
                    w0, w1, w2 = r * r, 2 * r * t, t * t
                    out[2, 0] += w2 * gx
                    out[2, 1] += w2 * gy
                else:
                    w0, w1 = r, t
                out[0, 0] += w0 * gx
                out[0, 1] += w0 * gy
                out[1, 0] += w1 * gx
                out[1, 1] += w1 * gy
            g_widths[b, s] = sum_width
            g_opacities[b, s] = sum_opacity
    return g_segments, g_widths, g_opacities, g_colors
