"""Lines whose ends touch become one."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clipasso.vector.plot.joins import join_touching


def line(*points):
    """Straight cubic segments through points."""
    at = np.linspace(0, 1, 4)[:, None]
    ends = np.array(points, float)
    return np.array([(1 - at) * a + at * b for a, b in pairwise(ends)])


def length(chains):
    return sum(np.linalg.norm(np.diff(c, axis=1), axis=2).sum() for c in chains)


def test_in_any_direction():
    parts = [line((0, 0), (1, 0)), line((2, 0), (1, 0)), line((5, 5), (6, 6)), line((2, 0), (3, 1))]
    first, second = join_touching(parts, 0.0)
    assert first[:, 0].tolist() == [[0, 0], [1, 0], [2, 0]]
    assert first[-1, -1].tolist() == [3, 1]
    assert np.array_equal(second, parts[2])


def test_a_gap_is_bridged_only_within_the_tolerance():
    parts = [line((0, 0), (1, 0)), line((1.2, 0), (2, 0))]
    assert len(join_touching(parts, 0.19)) == 2
    (joined,) = join_touching(parts, 0.2)
    assert joined.shape == (3, 4, 2)
    assert length([joined]) == pytest.approx(2)


def test_a_ring_of_parts_is_one_line_that_stays_open():
    corners = [(0, 0), (1, 0), (1, 1), (0, 1)]
    parts = [line(a, b) for a, b in zip(corners, corners[1:] + corners[:1], strict=True)]
    (ring,) = join_touching(parts, 0.01)
    assert ring.shape == (4, 4, 2)


def test_many_ends_in_one_point():
    rays = [line((0, 0), (np.cos(k), np.sin(k))) for k in range(101)]
    joined = join_touching(rays, 0.001)
    assert len(joined) == 51  # pairs, and the odd one
    assert length(joined) == pytest.approx(101)


@given(
    st.lists(st.tuples(*[st.integers(0, 6)] * 4), min_size=0, max_size=25),
    st.sampled_from([0.0, 1.0, 1.5]),
)
@settings(max_examples=60, deadline=None)
def test_all_parts_are_kept_and_no_near_ends_stay(ends, tolerance):
    parts = [line(e[:2], e[2:]) for e in ends]
    joined = join_touching(parts, tolerance)
    assert len(joined) <= len(parts)
    kept = [segment.tolist() for chain in joined for segment in chain]
    for part in parts:
        ways = (part[0].tolist(), part[0, ::-1].tolist())
        found = next(way for way in ways if way in kept)
        kept.remove(found)
    assert all(np.linalg.norm(np.subtract(s[-1], s[0])) <= tolerance + 1e-9 for s in kept)
    for chain in joined:  # unbroken
        assert np.abs(chain[1:, 0] - chain[:-1, -1]).max(initial=0) < 1e-5
    free = [(k, point) for k, c in enumerate(joined) for point in (c[0, 0], c[-1, -1])]
    for k, p in free:
        assert all(k == n or np.linalg.norm(p - q) > tolerance for n, q in free)
