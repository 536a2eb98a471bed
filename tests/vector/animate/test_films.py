"""Sketches at every moment: drawn exactly as far as the pen is, morphed, recorded."""

import numpy as np
import pytest

from clipasso import ClipassoError, Sketch, animate
from clipasso.vector.animate.matching import match
from clipasso.vector.animate.recorded import BEGIN, recorded
from clipasso.vector.animate.steps import corners
from clipasso.vector.join import alike


def some(count, seed=0, segments=1, size=(100, 80)):
    points = np.random.default_rng(seed).uniform(5, 75, (count, 3 * segments + 1, 2))
    return Sketch(points, size=size, degree=3, widths=2.0)


# Drawn.


@pytest.mark.parametrize("segments", [1, 3])
def test_a_drawing_grows_to_the_sketch(segments):
    sketch = some(5, segments=segments)
    film = animate(sketch, seconds=2, hold=0.5)
    assert film.duration == 2.5
    assert len(film.at(0)) == 0
    assert film.at(2) is film.at(2.4) is film.still is sketch
    lengths = []
    for t in np.linspace(0, 2, 41):
        now = film.at(t)
        lengths.append(now.lengths(1e-4).sum())
        assert np.array_equal(now.points[:-1], sketch.points[: max(0, len(now) - 1)])
    assert (np.diff(lengths) >= -1e-3).all()
    assert lengths[-1] == pytest.approx(sketch.lengths(1e-4).sum())


def test_a_stroke_is_cut_where_the_pen_is():
    sketch = some(4, segments=2)
    film = animate(sketch, seconds=1, hold=0)
    whole = sketch.lengths(1e-5)
    for stroke in range(4):
        for share in (0.1, 0.5, 0.83):
            start, end = film.pace.starts[stroke], film.pace.ends[stroke]
            moment = start + share * (end - start)
            partial = film.at(moment)[stroke]
            drawn = film.pace.drawn(stroke, moment)
            assert 0 < drawn < 1
            assert partial.lengths(1e-5)[0] / whole[stroke] == pytest.approx(drawn, abs=2e-3)
            # It lies on the stroke: every point of it is a point of that.
            there = sketch[stroke].evaluate(np.linspace(0, 1, 2001))[0]
            for point in partial.evaluate(np.linspace(0, 1, 7))[0]:
                assert np.linalg.norm(there - point, axis=1).min() < 0.2


def test_dots_and_lines_are_drawn():
    dots = Sketch([[[5.0, 5], [5, 5]], [[9.0, 9], [9, 9]]], size=(10, 10))
    film = animate(dots, seconds=1, hold=0)
    assert [len(film.at(t)) for t in (0, 0.05, 0.95, 1)] == [0, 1, 2, 2]


# Morphed.


def assert_same(a, b):
    assert a.size == b.size
    assert np.array_equal(a.points, b.points)
    assert np.array_equal(a.widths, b.widths)
    assert np.array_equal(a.colors, b.colors)


def test_a_morph_holds_each_sketch_as_it_is():
    sketches = [some(6, 1), some(3, 2, segments=2), some(5, 3)]
    film = animate(*sketches, seconds=4, hold=0.5)
    assert film.duration == pytest.approx(4 + 3 * 0.5)
    for start, sketch in zip((0, 2.5, 5), sketches, strict=True):
        for t in (start, start + 0.25, start + 0.5):
            assert_same(film.at(t), sketch)
    assert film.still is film.at(film.duration)


def test_a_morph_is_smooth_up_to_its_ends():
    """At the ends of motion all that is there is a sketch's stroke, or has no width."""
    first, second = some(6, 1), some(4, 2)
    film = animate(first, second, seconds=1, hold=1)
    for t, sketch in ((1 + 1e-6, first), (2 - 1e-6, second)):
        now = film.at(t)
        strong = now.select(now.widths > 1)
        assert len(strong) == len(sketch)
        left = list(range(len(sketch)))
        for points in strong.points:
            gaps = [
                min(np.abs(points - p).max(), np.abs(points[::-1] - p).max())
                for p in sketch.points[left]
            ]
            assert min(gaps) < 1e-3
            left.pop(int(np.argmin(gaps)))


def test_strokes_are_paired_whichever_way_they_run():
    sketch = some(8, 4)
    order = np.random.default_rng(1).permutation(8)
    shuffled = Sketch(sketch.points[order], sketch.size)
    turned = shuffled.points.copy()
    turned[::2] = turned[::2, ::-1]
    found = match(sketch, Sketch(turned, sketch.size))
    assert np.array_equal(order[found.second], found.first)
    assert np.array_equal(found.turned, found.second % 2 == 0)
    still = animate(sketch, Sketch(turned, sketch.size), seconds=1, hold=0).at(0.5)
    assert sorted(map(tuple, still.points[:, 0])) != []
    for points in still.points:  # nothing moves at all
        near = [min(np.abs(points - p).max(), np.abs(points[::-1] - p).max())
                for p in sketch.points]  # fmt: skip
        assert min(near) < 1e-9


def test_pairs_are_the_cheapest_together():
    """Where the two that are nearest to each other pair up, the others have far to go."""

    def upright(*xs):
        return Sketch([[[x, 10.0], [x, 90.0]] for x in xs], (100, 100))

    found = match(upright(0, 10, 60), upright(30, 9))
    assert found.first.tolist() == [0, 1]
    assert found.second.tolist() == [1, 0]
    assert found.lost.tolist() == [2]
    assert found.nearest[0].tolist() == [0]
    assert found.gained.tolist() == []


def test_strokes_without_a_partner_come_from_their_nearest():
    near, far = (
        [[10.0, 10], [20, 10], [30, 10], [40, 10]],
        [[10.0, 70], [20, 70], [30, 70], [40, 70]],
    )
    first = Sketch([near, far], (100, 100))
    second = Sketch([near, far, np.add(far, [0, 9])], (100, 100))
    film = animate(first, second, seconds=1, hold=0)
    born = film.at(1e-6)
    assert len(born) == 3
    new = born.points[born.widths < 1e-3]
    assert np.abs(new[0] - [25, 70]).max() < 1  # the middle of the far one
    back = animate(second, first, seconds=1, hold=0).at(1 - 1e-6)
    gone = back.points[back.widths < 1e-3]
    assert np.abs(gone[0] - [25, 70]).max() < 1


def test_other_canvases_are_laid_into_the_first():
    film = animate(some(3, 1, size=(100, 80)), some(3, 2, size=(80, 320)), seconds=1)
    assert film.at(0).size == film.still.size == (100, 80)
    assert film.still.points.min() > 0
    shown = film.still.points
    assert np.allclose(shown[..., 0].mean() - 50, (some(3, 2).points[..., 0].mean() - 40) / 4)


def test_alike_changes_no_shape():
    first = some(3, 1, segments=2)
    second = Sketch(some(2, 2).points[:, :2], (100, 80))  # lines
    a, b = alike([first, second])
    assert (a.degree, a.segments) == (b.degree, b.segments) == (3, 2)
    assert np.allclose(b.evaluate([0, 0.5, 1]), second.evaluate([0, 0.5, 1]))
    assert np.allclose(a.lengths(), first.lengths())


# Recorded.


def test_a_recording_gives_time_where_strokes_move():
    start = some(3, 1).points
    states = [Sketch(start + d, (100, 80)) for d in (0, 16, 17, 18, 18)]
    film = recorded(states, seconds=3, hold=1)
    assert film.duration == BEGIN + 3 + 1
    spans = np.diff(film.arrivals) - [BEGIN, 0, 0, 0]
    assert spans == pytest.approx([2, 0.5, 0.5, 0])  # roots of 16, 1, 1 and 0
    assert film.at(0) is states[0]
    assert film.at(BEGIN + 3) is film.still is states[-1]
    moved = [film.at(t).points[0, 0, 0] - start[0, 0, 0] for t in np.linspace(0, 4.5, 50)]
    assert (np.diff(moved) >= -1e-9).all()
    assert film.at(BEGIN + 1).points == pytest.approx(start + 8)


def test_a_recording_of_one_state_stands_still():
    film = recorded([some(2)], seconds=3, hold=1)
    assert film.duration == BEGIN + 1
    assert film.at(0.3) is film.still


# All.


def test_corners_keep_within_the_tolerance():
    times = np.linspace(0, 1, 200)
    values = np.stack([np.sin(6 * times), times**2], axis=1)
    for tolerance in (0.1, 0.001):
        kept = corners(times, values, tolerance)
        assert kept[0] == 0
        assert kept[-1] == 199
        for column in values.T:
            line = np.interp(times, times[kept], column[kept])
            assert np.abs(line - column).max() <= tolerance + 1e-12
    assert len(corners(times, times[:, None], 1e-9)) == 2


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"seconds": 0.01}, "--seconds 0.01: must be from 0.1 to 600 seconds"),
        ({"seconds": 1e9}, "--seconds"),
        ({"seconds": float("nan")}, "--seconds"),
        ({"hold": -1}, "--hold -1: must be from 0 to 600 seconds"),
    ],
)
def test_times_out_of_range(given, what):
    with pytest.raises(ClipassoError, match=what):
        animate(some(2), **given)


def test_what_cannot_be_set_in_motion():
    empty = Sketch(np.empty((0, 4, 2)), (10, 10))
    for sketches in ([empty], [some(2), empty]):
        with pytest.raises(ClipassoError, match="has no strokes to draw"):
            animate(*sketches)
    with pytest.raises(ClipassoError, match="at least one"):
        animate()
    many = Sketch(np.zeros((2001, 2, 2)), (10, 10))
    with pytest.raises(ClipassoError, match="2001 strokes"):
        animate(many, some(1))
    assert animate(many).still is many
