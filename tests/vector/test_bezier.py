"""Bezier curves: what lies in a box is found, and cut out exactly."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clipasso.vector.bezier import bernstein, inside, longest_inside, part, room, split, subdivided

LOW, HIGH = np.array([10.0, 20.0]), np.array([60.0, 50.0])
COORDINATES = st.one_of(
    st.floats(-30, 110, width=32),
    st.sampled_from([0.0, 10.0, 20.0, 50.0, 60.0]),  # on the box's edges and corners
)


@st.composite
def chains(draw):
    """`[segments, degree + 1, 2]`, with ends that meet."""
    degree, count = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    points = draw(arrays(float, (degree * count + 1, 2), elements=COORDINATES))
    return np.array([points[k * degree : (k + 1) * degree + 1] for k in range(count)])


def at(chain, t):
    """Points of a chain at the parameters `t` in 0..segments."""
    k = np.minimum(np.asarray(t).astype(int), len(chain) - 1)
    return np.einsum("md,mdc->mc", bernstein(chain.shape[1] - 1, t - k), chain[k])


def off(points, low=LOW, high=HIGH):
    """How far points are out of a box, at most along an axis; below 0 within it."""
    return np.maximum(low - points, points - high).max(-1)


def off_curve(points, chain):
    """How far points are from a chain, to a millionth of a px or so."""
    t = np.linspace(0, len(chain), 2001)
    there = at(chain, t)
    start, step = there[:-1], np.diff(there, axis=0)
    squared = np.maximum((step**2).sum(1), 1e-300)
    along = np.clip(((points[:, None] - start) * step).sum(2) / squared, 0, 1)
    away = np.linalg.norm(points[:, None] - start - along[..., None] * step, axis=2)
    some = away.argpartition(8, axis=1)[:, :8]  # the curve may pass nearly there more than once
    near = t[some] + np.take_along_axis(along, some, 1) * t[1]
    for reach in np.geomspace(1, 1e-9, 40) * t[1]:
        tries = np.clip(near[..., None] + np.linspace(-1, 1, 9) * reach, 0, len(chain))
        flat = at(chain, tries.ravel()).reshape(*tries.shape, 2)
        best = np.linalg.norm(points[:, None, None] - flat, axis=3).argmin(2)
        near = np.take_along_axis(tries, best[..., None], 2)[..., 0]
    there = at(chain, near.ravel()).reshape(*near.shape, 2)
    return np.linalg.norm(points[:, None] - there, axis=2).min(1).max()


@settings(max_examples=150, deadline=None)
@given(chains(), st.floats(0, 1))
def test_the_parts_of_a_split_draw_the_curve(chain, t):
    s = np.linspace(0, 1, 9)
    for curve in chain:
        first, second = split(curve, t)
        basis = bernstein(len(curve) - 1, s)
        np.testing.assert_allclose(basis @ first, at(curve[None], s * t), atol=1e-11)
        np.testing.assert_allclose(basis @ second, at(curve[None], t + s * (1 - t)), atol=1e-11)


@settings(max_examples=150, deadline=None)
@given(chains(), st.floats(0, 1), st.floats(0, 1))
def test_a_part_is_what_the_chain_draws_between_two_parameters(chain, a, b):
    start, end = sorted((a * len(chain), b * len(chain)))
    assume(end - start > 1e-6)
    cut = part(chain, start, end)
    stops = [start, *range(int(start) + 1, int(np.ceil(end))), end]
    assert len(cut) == len(stops) - 1
    s = np.linspace(0, 1, 7)
    for curve, (low, high) in zip(cut, pairwise(stops), strict=True):
        wanted = at(chain, np.minimum(low + s * (high - low), high - 1e-12))
        np.testing.assert_allclose(bernstein(len(curve) - 1, s) @ curve, wanted, atol=1e-6)


@settings(max_examples=100, deadline=None)
@given(chains(), st.integers(0, 6))
def test_a_chain_of_more_segments_draws_the_same(chain, more):
    finer = subdivided(list(chain), len(chain) + more)
    assert finer.shape == (len(chain) + more, *chain.shape[1:])
    np.testing.assert_allclose(finer[1:, 0], finer[:-1, -1], atol=1e-12)
    assert off_curve(at(finer, np.linspace(0, len(finer), 60)), chain) < 1e-6
    assert off_curve(at(chain, np.linspace(0, len(chain), 60)), finer) < 1e-6


@settings(max_examples=300, deadline=None)
@given(chains())
@example(np.array([[(0.0, 20.0), (70.0, 20.0)]]))  # along an edge
@example(np.array([[(10.0, 20.0), (10.0, 20.0)]]))  # a dot in a corner
@example(np.array([[(5.0, 30.0), (15.0, 30.0), (5.0, 30.0)]]))  # turns on an edge
@example(np.array([[(0.0, 30.0), (30.0, 30.0), (-10.0, 30.0), (20.0, 30.0)]]))  # inflects on it
@example(np.array([[(0.0, 40.0), (1e-12, 30.0), (0.0, 30.0), (60.0, 20.0)]]))  # nearly a quadratic
@example(  # touches a corner, by two parameters that differ in their last bit
    np.array([[(0.0, 0), (0, 0), (0, 0)], [(0, 0), (0, 0), (0, 20)], [(0, 20), (20, 0), (0, 60)]])
)
def test_all_that_is_in_the_box_is_found_and_nothing_else(chain):
    ranges = inside(chain, LOW, HIGH)
    assert all(start < end for start, end in ranges)
    assert all(first[1] < second[0] for first, second in pairwise(ranges))
    t = np.linspace(0, len(chain), 1001)
    found = np.zeros(len(t), bool)
    for start, end in ranges:
        found |= (start <= t) & (t <= end)
        assert off(at(chain, start + np.linspace(0, 1, 101) * (end - start))).max() < 1e-7
    assert found[off(at(chain, t)) < -1e-7].all()


@settings(max_examples=150, deadline=None)
@given(chains())
def test_the_longest_piece_is_on_the_curve_and_in_the_box(chain):
    cut = longest_inside(chain, LOW, HIGH)
    assert cut.shape == chain.shape
    np.testing.assert_allclose(cut[1:, 0], cut[:-1, -1], atol=1e-12)
    drawn = at(cut, np.linspace(0, len(cut), 101))
    assert off(drawn).max() < 1e-7
    ranges = inside(chain, LOW, HIGH)
    if ranges == [(0, len(chain))]:
        assert np.array_equal(cut, chain)
    elif ranges:
        assert off_curve(drawn, chain) < 1e-6

        def length(points):
            return np.linalg.norm(np.diff(points, axis=0), axis=1).sum()

        longest = max(length(at(chain, np.linspace(*ends, 1001))) for ends in ranges)
        assert length(at(cut, np.linspace(0, len(cut), 2001))) > longest * 0.98 - 0.01
    else:
        assert np.ptp(cut, axis=(0, 1)).max() == 0


def test_a_stroke_that_comes_back_keeps_its_longer_piece():
    bow = np.array([[(20.0, 30.0), (20.0, -40.0), (50.0, -40.0), (50.0, 45.0)]])
    first, second = inside(bow, LOW, HIGH)
    cut = longest_inside(bow, LOW, HIGH)
    assert first[0] == 0 < first[1] < second[0] < second[1] == 1
    np.testing.assert_allclose(cut[0, -1], (50, 45))
    assert cut[0, 0, 1] == pytest.approx(20, abs=1e-12)


def test_what_is_out_altogether_becomes_a_dot_at_the_edge():
    line = np.array([[(0.0, 0.0), (100.0, 10.0)]])
    np.testing.assert_allclose(longest_inside(line, LOW, HIGH), np.full((1, 2, 2), (60, 20)), 1e-2)


def test_room_for_strokes_of_some_widths():
    low, high, thin = room(np.array([LOW, HIGH]), np.array([0.0, 4.0, 100.0]))
    assert thin.tolist() == [0, 4, 15]  # the box is 30 high
    assert low.tolist() == [[10, 20], [12, 22], [17.5, 27.5]]
    assert high.tolist() == [[60, 50], [58, 48], [52.5, 42.5]]
