"""The pen's way: an order, directions, and never a longer way than before."""

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clipasso import ClipassoError, Sketch, order_for_pen
from clipasso.vector.plot import pen_order, pen_travel
from clipasso.vector.plot.order import directions

places = st.integers(0, 40).flatmap(
    lambda n: arrays(np.float64, (2, n, 2), elements=st.floats(-1e3, 1e3, width=32))
)


def walked(starts, ends, order, home=(0.0, 0.0)):
    """The way, added up stroke by stroke."""
    here, way = np.array(home), 0.0
    for k, backwards in zip(order.indices, order.backwards, strict=True):
        first, last = (ends[k], starts[k]) if backwards else (starts[k], ends[k])
        way += np.linalg.norm(first - here)
        here = last
    return way


def shortest(starts, ends):
    count = len(starts)
    orders = product(permutations(range(count)), product((False, True), repeat=count))
    return min(pen_travel(starts, ends, _order(*order)) for order in orders)


def _order(indices, backwards):
    from clipasso.vector.plot import PenOrder

    return PenOrder(np.array(indices), np.array(backwards))


@given(places)
@settings(max_examples=60, deadline=None)
def test_every_stroke_once_and_no_longer_way(ends):
    order = pen_order(*ends)
    assert sorted(order.indices) == list(range(len(ends[0])))
    way = pen_travel(*ends, order)
    assert way == pytest.approx(walked(*ends, order), rel=1e-9, abs=1e-9)
    assert way <= pen_travel(*ends) * (1 + 1e-12)
    again = pen_order(*ends)
    assert (again.indices == order.indices).all()
    assert (again.backwards == order.backwards).all()


def test_near_the_shortest_way_that_there_is():
    draw = np.random.default_rng(3)
    ratios = []
    for _ in range(12):
        starts, ends = draw.random((2, 4, 2))
        ratios.append(pen_travel(starts, ends, pen_order(starts, ends)) / shortest(starts, ends))
    assert min(ratios) > 1 - 1e-9
    assert np.mean(ratios) < 1.02
    assert max(ratios) < 1.25


def test_pieces_of_one_line_are_drawn_along_it():
    x = np.arange(200.0)
    draw = np.random.default_rng(0)
    shuffled, turned = draw.permutation(200), draw.random(200) < 0.5
    starts = np.stack([x + turned * 0.9, 0 * x], axis=1)[shuffled]
    ends = np.stack([x + ~turned * 0.9, 0 * x], axis=1)[shuffled]
    order = pen_order(starts, ends)
    assert (shuffled[order.indices] == np.arange(200)).all()
    assert pen_travel(starts, ends, order) == pytest.approx(199 * 0.1)
    assert pen_travel(starts, ends) > 5000


def test_many_strokes_take_a_small_part_of_the_way():
    draw = np.random.default_rng(1)
    starts = draw.random((600, 2))
    ends = starts + draw.normal(0, 0.01, (600, 2))
    way = pen_travel(starts, ends, pen_order(starts, ends))
    # The shortest way through n random points of the unit square tends to 0.7124 sqrt(n).
    assert way < 0.9 * np.sqrt(600)


def test_home_is_where_the_pen_starts():
    starts, ends = np.array([[0.0, 0], [9, 0]]), np.array([[1.0, 0], [8, 0]])
    assert pen_order(starts, ends).indices.tolist() == [0, 1]
    order = pen_order(starts, ends, (10, 0))
    assert order.indices.tolist() == [1, 0]
    assert order.backwards.tolist() == [False, True]


def test_a_sketch_in_order_has_the_same_strokes():
    draw = np.random.default_rng(2)
    sketch = Sketch(
        draw.random((9, 7, 2)) * 100, (100, 100), 3, widths=draw.random(9),
        colors=draw.random((9, 3)), opacities=draw.random(9), metadata={"photo": "a.png"},
    )  # fmt: skip
    ordered = order_for_pen(sketch)
    assert ordered.metadata == sketch.metadata
    assert ordered.size == sketch.size
    back = {float(w): k for k, w in enumerate(sketch.widths)}
    for stroke in ordered:
        before = sketch[back[float(stroke.widths[0])]]
        ways = (before.points[0], before.points[0, ::-1])
        assert any(np.array_equal(stroke.points[0], way) for way in ways)
        assert np.array_equal(stroke.colors, before.colors)
        assert np.array_equal(stroke.opacities, before.opacities)
    up = [pen_travel(s.points[:, 0], s.points[:, -1]) for s in (sketch, ordered)]
    assert up[1] < up[0]
    assert len(order_for_pen(sketch[:0])) == 0


@pytest.mark.parametrize(
    "arguments",
    [([[0, 0]], [[0, 0], [1, 1]]), ([0, 0], [1, 1]), ([[0, np.nan]], [[0, 0]])],
)
def test_what_is_no_stroke_is_refused(arguments):
    with pytest.raises(ClipassoError, match="starts"):
        pen_order(*arguments)


def test_directions_are_the_best_of_all():
    rng = np.random.default_rng(3)
    for _ in range(20):
        a, b = rng.random((2, 6, 2))
        fixed = rng.random(6) < 0.3
        found = directions(a, b, fixed)
        assert not (found & fixed).any()

        def way(back, a=a, b=b):
            back = np.array(back)
            starts = np.where(back[:, None], b, a)
            return pen_travel(starts, np.where(back[:, None], a, b), home=starts[0])

        ways = [way(back) for back in product([False, True], repeat=6)
                if not (np.array(back) & fixed).any()]  # fmt: skip
        assert way(found) == pytest.approx(min(ways))


def test_no_strokes_have_no_directions():
    assert directions(np.zeros((0, 2)), np.zeros((0, 2))).shape == (0,)
