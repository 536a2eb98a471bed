"""The CPU kernel, forward: the mathematics of `reference.py` for the pixels near each stroke only.

Forward, per stroke: a chain of few parabolic pieces marks the pixels that the stroke can reach and
gives each a first guess of its closest curve parameter; Newton's method makes that exact; coverage
is composited. A record of every touched pixel (its index, the closest parameter, the way from the
pixel to the curve, the coverage, and the colour that lay under the stroke) is what backward needs:
it runs over the records from the last stroke to the first and never searches again. Records of a
stroke are sorted by the segment of its chain, so that all arithmetic runs over plain arrays without
a branch, which the compiler turns into vector instructions.

Everything runs on one thread in a fixed order, so the same input gives the same bytes: numba's own
threads would fight torch's for the cores. What is compiled together stands in one file, long as it
is: numba keeps machine code by file and would miss a change in another.
"""

import math
import threading
from typing import Any

import numpy as np

from clipasso.raster.compiled import compiled
from clipasso.raster.sigma import SIGMA

__all__ = ["REACH", "forward", "paint"]

REACH = 5.0 * SIGMA  # beyond this distance from the stroke's edge coverage is below 3e-7
_BOW = 0.06  # px that a marking piece may bow from its chord
_MARGIN = 0.05  # px: what the distance to a bowed piece may be wrong by
_MAX_PIECES = 2048
_NEWTON_STEPS = 3
_FLAGS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract", "nsz"}}
_INNER: dict[str, Any] = {
    **_FLAGS,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
    "kept": False,
}


@compiled(**_INNER)
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


@compiled(**_INNER)
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


@compiled(**_INNER)
def _at(c, t):
    """The segment's point at t, from its power basis."""
    x = c[0, 0] + t * (c[1, 0] + t * (c[2, 0] + t * c[3, 0]))
    y = c[0, 1] + t * (c[1, 1] + t * (c[2, 1] + t * c[3, 1]))
    return x, y


@compiled(**_INNER)
def _slant(c, t, dx, dy, length):
    """How far the curve's tangent at t leans from a chord, as a sine; 1 where it turns away."""
    vx = c[1, 0] + t * (2 * c[2, 0] + t * 3 * c[3, 0])
    vy = c[1, 1] + t * (2 * c[2, 1] + t * 3 * c[3, 1])
    speed = math.sqrt(vx * vx + vy * vy) * length
    if vx * dx + vy * dy <= 0.5 * speed:
        return 1.0
    return abs(vx * dy - vy * dx) / speed


@compiled(**_INNER)
def _mark_segment(c, pieces, k, radius, window, nearest, guess, marks, count):
    """Offer every pixel near one segment its closest parameter u = k + t, piece by piece.

    window: left, top, right and bottom of the pixels that the stroke can reach.
    nearest, guess: squared distance so far (inf: untouched) and u of the window's pixels.
    marks: place in the window, x and y of the pixels touched, `count` so far.
    Returns how many there are now.
    """
    du = 1.0 / pieces
    ax, ay = _at(c, 0.0)
    for i in range(pieces):
        t0, t1 = i * du, (i + 1) * du
        bx, by = _at(c, t1)
        mx, my = _at(c, t0 + du / 2)
        hx, hy = mx - (ax + bx) / 2, my - (ay + by) / 2
        dx, dy = bx - ax, by - ay
        length = math.sqrt(dx * dx + dy * dy)
        # A pixel's foot on the curve lies no further along the chord from its foot on the chord
        # than the tangent leans; only the segment's own ends are round.
        lean = max(_slant(c, t0, dx, dy, length), _slant(c, t0 + du / 2, dx, dy, length))
        lean = max(lean, _slant(c, t1, dx, dy, length))
        inner = min(radius, 1.1 * radius * lean + 0.3)
        count = _mark(
            ax, ay, dx, dy, length, hx, hy, k + t0, du, radius,
            radius if i == 0 else inner, radius if i == pieces - 1 else inner,
            window, nearest, guess, marks, count,
        )  # fmt: skip
        ax, ay = bx, by
    return count


@compiled(**_INNER)
def _mark(
    ax, ay, dx, dy, length, hx, hy, u0, du, radius, before, after,
    window, nearest, guess, marks, count,
):  # fmt: skip
    """Offer one piece from a along d, bowed by h at its middle, to the pixels beside its chord.

    The foot on the chord is lifted onto the parabola, which leaves an error far below the bow.
    before, after: how far beyond the chord's ends to go.
    """
    place, mark_x, mark_y = marks
    first_x, first_y, last_x, last_y = window
    stride = last_x - first_x + 1
    real = guess.dtype.type
    zero, one, four, half = real(0), real(1), real(4), real(0.5)
    length2 = length * length
    inverse = 1 / length2 if length2 > 0 else 0.0
    wide = radius + _BOW
    limit = real((radius + _MARGIN) * (radius + _MARGIN))
    x0, y0, dx4, dy4, hx4, hy4 = real(ax), real(ay), real(dx), real(dy), real(hx), real(hy)
    inverse4, u4, du4 = real(inverse), real(u0), real(du)
    # Clipped before rounding: a float far off the canvas fits no integer.
    y_low = math.ceil(max(min(ay, ay + dy) - wide - 0.5, float(first_y)))
    y_high = math.floor(min(max(ay, ay + dy) + wide - 0.5, float(last_y)))
    most_left, most_right = min(ax, ax + dx) - wide, max(ax, ax + dx) + wide
    steep, flat = abs(dy) > 1e-3 * length, abs(dx) > 1e-3 * length
    slope, half_band = (dx / dy, wide * length / abs(dy)) if steep else (0.0, 0.0)
    low, high, across = 0.0, 0.0, 0.0
    if flat:
        low, high, across = -before * length / dx, (length2 + after * length) / dx, dy / dx
        low, high = min(low, high), max(low, high)
    for y in range(y_low, y_high + 1):
        ry = y + 0.5 - ay
        left, right = most_left, most_right
        if steep:  # the band beside the chord
            middle = ax + ry * slope
            left, right = max(left, middle - half_band), min(right, middle + half_band)
        if flat:  # the slab between its ends
            foot = ax - ry * across
            left, right = max(left, foot + low), min(right, foot + high)
        x_low = math.ceil(max(left - 0.5, float(first_x)))
        x_high = math.floor(min(right - 0.5, float(last_x)))
        offset = (y - first_y) * stride - first_x
        py = real(y) + half
        r4 = py - y0
        along = r4 * dy4
        for x in range(x_low, x_high + 1):
            px = real(x) + half
            rx = px - x0
            s = (rx * dx4 + along) * inverse4
            s = s if s > zero else zero
            s = s if s < one else one
            lift = four * s * (one - s)
            ex, ey = rx - s * dx4 - lift * hx4, r4 - s * dy4 - lift * hy4
            d2 = ex * ex + ey * ey
            i = offset + x
            # Without branches: which pixels win is as good as random to the processor.
            before_d2, before_u = nearest[i], guess[i]
            wins = (d2 < before_d2) & (d2 < limit)
            place[count] = i
            mark_x[count] = px
            mark_y[count] = py
            count += wins & (before_d2 == np.inf)
            nearest[i] = d2 if wins else before_d2
            guess[i] = u4 + s * du4 if wins else before_u
    return count


@compiled(**_INNER)
def _collect(marks, count, guess, nearest, m, width, bounds, pixel, t, x, y):
    """Turn marks into records sorted by segment, and wipe them.

    bounds: `[m + 1]`, filled with where each segment's records start.
    pixel, t, x, y: `[count]` indices on the canvas, first parameters and pixel centres.
    """
    place, mark_x, mark_y = marks
    bounds[:] = 0
    if m == 1:
        bounds[1] = count
        for j in range(count):
            i = place[j]
            nearest[i] = np.inf
            t[j] = guess[i]
        for j in range(count):
            x[j], y[j] = mark_x[j], mark_y[j]
            pixel[j] = np.int32(mark_y[j]) * np.int32(width) + np.int32(mark_x[j])
        return
    for j in range(count):
        bounds[min(int(guess[place[j]]), m - 1) + 1] += 1
    for k in range(m):
        bounds[k + 1] += bounds[k]
    following = bounds[:-1].copy()
    for j in range(count):
        i = place[j]
        nearest[i] = np.inf
        k = min(int(guess[i]), m - 1)
        n = following[k]
        following[k] += 1
        t[n] = guess[i] - k
        x[n], y[n] = mark_x[j], mark_y[j]
        pixel[n] = int(mark_y[j]) * width + int(mark_x[j])


@compiled(**_INNER)
def _window(segments, reach, width, height):
    """The pixels within reach of a stroke's control points: left, top, right, bottom, inclusive."""
    left, top, right, bottom = np.inf, np.inf, -np.inf, -np.inf
    for k in range(segments.shape[0]):
        for i in range(segments.shape[1]):
            x, y = float(segments[k, i, 0]), float(segments[k, i, 1])
            left, right = min(left, x), max(right, x)
            top, bottom = min(top, y), max(bottom, y)
    # Clipped before rounding: a float far off the canvas fits no integer.
    return (
        math.floor(min(max(left - reach - 0.5, 0.0), float(width))),
        math.floor(min(max(top - reach - 0.5, 0.0), float(height))),
        math.ceil(max(min(right + reach - 0.5, width - 1.0), -1.0)),
        math.ceil(max(min(bottom + reach - 0.5, height - 1.0), -1.0)),
    )


@compiled(**_INNER)
def _refine(c, t, x, y):
    """Newton's method for the closest parameters t `[n]` of one segment to pixels (x, y) `[n]`.

    Only steps that bring the curve nearer are kept: near a cusp Newton's method may leap away.
    Leaves in (x, y) the way from the pixel to the curve.
    """
    real = t.dtype.type
    zero, one, two, six = real(0), real(1), real(2), real(6)
    c0x, c1x, c2x, c3x = c[0, 0], c[1, 0], c[2, 0], c[3, 0]
    c0y, c1y, c2y, c3y = c[0, 1], c[1, 1], c[2, 1], c[3, 1]
    for j in range(len(t)):
        u, px, py = t[j], x[j], y[j]
        dx = c0x + u * (c1x + u * (c2x + u * c3x)) - px
        dy = c0y + u * (c1y + u * (c2y + u * c3y)) - py
        d2 = dx * dx + dy * dy
        for _ in range(_NEWTON_STEPS):
            bx, by = two * c2x + six * c3x * u, two * c2y + six * c3y * u
            vx = c1x + u * (two * c2x + u * (six * c3x / two))
            vy = c1y + u * (two * c2y + u * (six * c3y / two))
            speed = vx * vx + vy * vy
            bend = speed + dx * bx + dy * by
            bend = bend if bend > zero else speed
            bend = bend if bend > zero else one
            w = u - (dx * vx + dy * vy) / bend
            w = w if w > zero else zero
            w = w if w < one else one
            ex = c0x + w * (c1x + w * (c2x + w * c3x)) - px
            ey = c0y + w * (c1y + w * (c2y + w * c3y)) - py
            e2 = ex * ex + ey * ey
            nearer = e2 < d2
            u = w if nearer else u
            dx = ex if nearer else dx
            dy = ey if nearer else dy
            d2 = e2 if nearer else d2
        t[j], x[j], y[j] = u, dx, dy


# Phi(z) - 1/2 = z P(u) / Q(u) with u = (z / 6)^2 for |z| <= 6, fitted to 7e-10; an error function
# costs several times that and cannot be computed for many pixels at once.
_EDGE = 6.0
_P = (0.398942285262, 1.15457365836, 6.1549259109, 7.58709876406, 13.7172076784, 2.59233860227,
      -0.234582491602)  # fmt: skip
_Q = (1.0, 8.89409048597, 36.3923619872, 88.0720393717, 132.467229416, 113.477751951,
      -3.8574190562)  # fmt: skip


@compiled(**_INNER)
def _cover(dx, dy, half, covered):
    """Coverage of pixels `[n]` whose way to the curve is (dx, dy), by a stroke of half-width."""
    real = covered.dtype.type
    scale, edge, square = real(1 / SIGMA), real(_EDGE), real(1 / _EDGE**2)
    p0, p1, p2, p3, p4, p5, p6 = (
        real(_P[0]), real(_P[1]), real(_P[2]), real(_P[3]), real(_P[4]), real(_P[5]), real(_P[6])
    )  # fmt: skip
    q0, q1, q2, q3, q4, q5, q6 = (
        real(_Q[0]), real(_Q[1]), real(_Q[2]), real(_Q[3]), real(_Q[4]), real(_Q[5]), real(_Q[6])
    )  # fmt: skip
    for j in range(len(covered)):
        d = math.sqrt(dx[j] * dx[j] + dy[j] * dy[j])
        total = real(0)
        for sign in (real(-1), real(1)):
            z = (half + sign * d) * scale
            z = z if z < edge else edge
            z = z if z > -edge else -edge
            u = z * z * square
            p = p0 + u * (p1 + u * (p2 + u * (p3 + u * (p4 + u * (p5 + u * p6)))))
            q = q0 + u * (q1 + u * (q2 + u * (q3 + u * (q4 + u * (q5 + u * q6)))))
            total += z * p / q
        covered[j] = total if total > real(0) else real(0)


@compiled(**_INNER)
def _composite(covered, opacity, color, pixel, plane, under):
    """Put a stroke's records over one channel `[area]`, keeping what lay under them."""
    for j in range(len(covered)):
        below = plane[pixel[j]]
        under[j] = below
        plane[pixel[j]] = below + covered[j] * opacity * (color - below)


@compiled(**_INNER)
def _grown(values, n, capacity):
    """A longer array that begins with the first n values."""
    longer = np.empty(capacity, values.dtype)
    for j in range(n):  # not by slices, whose shapes numba checks with compiled messages
        longer[j] = values[j]
    return longer


class _Scratch(threading.local):
    """Working memory of one thread, kept between calls: fresh pages cost as much as the drawing."""

    def __init__(self):
        self.arrays = {}

    def get(self, area, real):
        """Distances (all inf, and left so), parameters, indices, x and y for `area` pixels."""
        if (area, real) not in self.arrays:
            self.arrays = {  # one canvas at a time
                (area, real): (
                    np.full(area, np.inf, real), np.empty(area, real),
                    np.empty(area + 1, np.int32), np.empty(area + 1, real),
                    np.empty(area + 1, real),
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
        image `[batch, channels, height, width]` and the records: starts
        `[batch * strokes * m + 1]`, and per touched pixel its index, closest parameter, the way to
        the curve `[2]`, coverage and `[channels]` the colour under the stroke.
    """
    batch, strokes, m, _, _ = segments.shape
    real, channels = segments.dtype, colors.shape[2]
    image = np.ones((batch, channels, height * width), real)
    starts = np.zeros(batch * strokes * m + 1, np.int64)
    room = np.empty((m, 4, 2), real), np.empty(m + 1, np.int64)
    records = _forward(
        segments, widths, opacities, colors, height, width, image, starts, *room,
        *_scratch.get(height * width, real),
    )  # fmt: skip
    return image.reshape(batch, channels, height, width), starts, *records


@compiled(**_FLAGS)
def _forward(
    segments, widths, opacities, colors, height, width, image, starts, power, bounds,
    nearest, guess, place, mark_x, mark_y,
):  # fmt: skip
    real, marks = segments.dtype, (place, mark_x, mark_y)
    batch, strokes, m, _, _ = segments.shape
    channels = colors.shape[2]
    capacity = 1024 * max(1, batch * strokes)
    pixel = np.empty(capacity, np.int32)
    parameter = np.empty(capacity, real)
    way_x = np.empty(capacity, real)
    way_y = np.empty(capacity, real)
    covered = np.empty(capacity, real)
    under = np.empty((channels, capacity), real)
    none = np.int64(0)  # a literal's type is its value: it would be compiled for as well
    n = none
    for b in range(batch):
        for s in range(strokes):
            half = widths[b, s] / segments.dtype.type(2)
            radius = half + REACH
            count = none
            window = _window(segments[b, s], radius + _BOW, width, height)
            for k in range(m):
                _power_basis(segments[b, s, k], power[k])
                pieces = _pieces(segments[b, s, k])
                count = _mark_segment(
                    power[k], pieces, k, radius, window, nearest, guess, marks, count
                )
            if n + count > capacity:
                capacity = 2 * (n + count)
                pixel, parameter = _grown(pixel, n, capacity), _grown(parameter, n, capacity)
                way_x, way_y = _grown(way_x, n, capacity), _grown(way_y, n, capacity)
                covered = _grown(covered, n, capacity)
                more = np.empty((channels, capacity), real)
                for ch in range(channels):
                    for j in range(n):
                        more[ch, j] = under[ch, j]
                under = more
            end = n + count
            here, t, x, y = pixel[n:end], parameter[n:end], way_x[n:end], way_y[n:end]
            _collect(marks, count, guess, nearest, m, width, bounds, here, t, x, y)
            for k in range(m):
                i, j = bounds[k], bounds[k + 1]
                _refine(power[k], t[i:j], x[i:j], y[i:j])
                starts[(b * strokes + s) * m + k + 1] = n + j
            _cover(x, y, half, covered[n:end])
            for ch in range(channels):
                _composite(
                    covered[n:end], opacities[b, s], colors[b, s, ch], here, image[b, ch],
                    under[ch, n:end],
                )  # fmt: skip
            n = end
    return pixel[:n], parameter[:n], way_x[:n], way_y[:n], covered[:n], under[:, :n]


def paint(image: Any, segments: Any, starts: Any, widths: Any, opacities: Any, colors: Any) -> None:
    """Draw one sketch over a picture in place, and keep no records: memory is that of one stroke.

    Args:
        image: `[channels, height, width]`, float32.
        segments: `[n, degree + 1, 2]`, pixels; of all strokes, in their order; all finite. As are
            widths, opacities and colors, of the image's type, in which most of this is compiled
            already where `forward` is.
        starts: `[strokes + 1]`, int64: stroke k has the segments from `starts[k]` to
            `starts[k + 1]`, which need not be joined.
        widths, opacities: `[strokes]`; colors: `[strokes, channels]`.
    """
    channels, height, width = image.shape
    planes = image.reshape(channels, height * width)
    # One layout, whatever comes: for others, and for what is read-only, numba compiles anew.
    given = segments, starts, widths, opacities, colors
    values = (np.require(array, requirements=["C", "W"]) for array in given)
    _paint(planes, height, width, *values, *_scratch.get(height * width, image.dtype))


@compiled(**_FLAGS)
def _paint(
    planes, height, width, segments, starts, widths, opacities, colors,
    nearest, guess, place, mark_x, mark_y,
):  # fmt: skip
    real, marks = planes.dtype, (place, mark_x, mark_y)
    channels, order = len(planes), segments.shape[1]
    turned = np.empty((order, 2), real)
    none = np.int64(0)
    capacity = 1024
    pixel = np.empty(capacity, np.int32)
    t, x, y = np.empty(capacity, real), np.empty(capacity, real), np.empty(capacity, real)
    covered, under = np.empty(capacity, real), np.empty(capacity, real)
    for s in range(len(widths)):
        own = segments[starts[s] : starts[s + 1]]
        m = len(own)
        if m == 0:
            continue
        # Neighbours need not be joined. A guess at the very end of segment k, u = k + 1, must not
        # fall to the next: between the two stands segment k once more, from its end.
        apart = 1 if m == 1 else 2
        slots = apart * m
        power = np.empty((slots, 4, 2), real)
        bounds = np.empty(slots + 1, np.int64)
        half = widths[s] / real.type(2)
        radius = half + REACH
        window = _window(own, radius + _BOW, width, height)
        count = none
        for k in range(m):
            for i in range(order):
                turned[i, 0], turned[i, 1] = own[k, order - 1 - i, 0], own[k, order - 1 - i, 1]
            _power_basis(turned, power[apart * k + apart - 1])
            _power_basis(own[k], power[apart * k])
            count = _mark_segment(
                power[apart * k], _pieces(own[k]), apart * k, radius, window, nearest, guess,
                marks, count,
            )  # fmt: skip
        if count > capacity:
            capacity = min(2 * count, height * width)
            pixel = np.empty(capacity, np.int32)
            t, x, y = np.empty(capacity, real), np.empty(capacity, real), np.empty(capacity, real)
            covered, under = np.empty(capacity, real), np.empty(capacity, real)
        _collect(
            marks, count, guess, nearest, slots, width, bounds, pixel[:count], t[:count], x[:count],
            y[:count],
        )  # fmt: skip
        for k in range(slots):
            i, j = bounds[k], bounds[k + 1]
            _refine(power[k], t[i:j], x[i:j], y[i:j])
        _cover(x[:count], y[:count], half, covered[:count])
        for ch in range(channels):
            _composite(
                covered[:count], opacities[s], colors[s, ch], pixel[:count], planes[ch],
                under[:count],
            )  # fmt: skip
