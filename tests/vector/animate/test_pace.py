"""A hand's pace: strokes in their order, lengths that grow, slow ends and bends, a lifted pen."""

import numpy as np
import pytest
from scipy.integrate import quad

from clipasso import Sketch
from clipasso.vector.animate.pace import arc_lengths, hands_pace


@pytest.fixture
def strokes():
    """Seven on a canvas of 100: among them a dot, a cusp and a hairpin."""
    made = np.random.default_rng(3).uniform(0, 100, (7, 4, 2))
    made[2] = made[2, 0]
    made[4] = [[20, 20], [80, 80], [20, 80], [80, 20]]
    made[5] = [[10, 50], [90, 50], [90, 50.2], [10, 50.2]]
    return Sketch(made, size=(100, 100))


def test_arc_lengths_are_the_integral_of_speed(strokes):
    parameters, lengths, _ = arc_lengths(strokes)
    assert np.allclose(lengths[:, -1], strokes.lengths(1e-6), atol=0.02)
    slopes = 3 * np.diff(strokes.points, axis=1)

    def speed(t, k):
        basis = np.array([(1 - t) ** 2, 2 * t * (1 - t), t * t])
        return np.linalg.norm(basis @ slopes[k])

    for at in (7, 40):
        expected = quad(speed, 0, parameters[at], args=(0,))[0]
        assert lengths[0, at] == pytest.approx(expected, abs=1e-6)


def test_radii_are_those_of_a_circle():
    k = 4 / 3 * np.tan(np.pi / 8)
    quarter = Sketch([[[30, 0], [30, 30 * k], [30 * k, 30], [0, 30]]], size=(100, 100))
    assert np.allclose(arc_lengths(quarter)[2], 30, rtol=0.02)
    straight = Sketch([[[0, 0], [10, 10]]], size=(100, 100))
    assert np.isinf(arc_lengths(straight)[2]).all()


def test_one_stroke_after_the_other_with_the_pen_lifted(strokes):
    pace = hands_pace(strokes)
    assert pace.starts[0] == 0
    assert pace.ends[-1] == pytest.approx(1)
    assert (pace.starts < pace.ends).all()
    assert (pace.starts[1:] > pace.ends[:-1]).all()
    assert (np.diff(pace.moments, axis=1) >= 0).all()
    assert np.allclose(pace.moments[:, [0, -1]], [0, 1])
    assert (np.diff(pace.lengths, axis=1) >= 0).all()
    assert np.allclose(pace.lengths[:, [0, -1]], [0, 1])


def test_the_pen_is_lifted_for_longer_the_further_it_goes():
    line = [[0.0, 0], [20, 0]]
    near = Sketch([line, [[21.0, 0], [41, 0]]], size=(200, 200))
    far = Sketch([line, [[171.0, 0], [191, 0]]], size=(200, 200))
    gaps = []
    for sketch in (near, far):
        pace = hands_pace(sketch)
        gaps.append((pace.starts[1] - pace.ends[0]) / (pace.ends[0] - pace.starts[0]))
    assert gaps[1] > 3 * gaps[0] > 0


def test_time_is_in_proportion_to_length_but_for_the_ends():
    def taken(length):
        pair = Sketch([[[0.0, 0], [length, 0]], [[0.0, 9], [400, 9]]], size=(1000, 1000))
        pace = hands_pace(pair)
        return (pace.ends[0] - pace.starts[0]) / (pace.ends[1] - pace.starts[1])

    # 400 takes 400 and twice the 50 that a ramp of 50 costs more than full swing.
    assert taken(200) == pytest.approx((200 + 100) / (400 + 100))
    assert taken(800) == pytest.approx((800 + 100) / (400 + 100))
    assert taken(5) > 5 / 400  # a short stroke never comes to full swing


def test_strokes_begin_and_end_slowly_and_slow_down_in_bends():
    line = hands_pace(Sketch([[[0.0, 0], [50, 0], [50, 0], [100, 0]]], size=(100, 100)))
    shares = np.interp([0.05, 0.475, 0.525, 0.95], line.moments[0], line.lengths[0])
    assert shares[0] < 0.5 * (shares[2] - shares[1])
    assert 1 - shares[3] == pytest.approx(shares[0], abs=1e-3)
    bent = hands_pace(Sketch([[[0.0, 0], [60, 0], [60, 9], [0, 9]]], size=(100, 100)))
    at = np.interp([0.25, 0.26, 0.495, 0.505], bent.lengths[0], bent.moments[0])
    assert at[3] - at[2] > 1.5 * (at[1] - at[0])  # in the bend, and on the way to it


def test_size_does_not_matter(strokes):
    small, large = hands_pace(strokes), hands_pace(strokes.scaled(7))
    assert np.allclose(small.starts, large.starts)
    assert np.allclose(small.moments, large.moments)
