"""Strokes that are linked or dropped, so that fewer are left."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from clipasso.optimise.strokes import Drawing
from clipasso.start.linking import _link, linked, looks
from clipasso.vector.bezier import split

SIZE = 64


class Pixels:
    """Compares with a picture, as targets do with a photo."""

    def __init__(self, drawing):
        self.picture = drawing.render(SIZE)
        self.looks = 0

    def loss(self, images):
        self.looks += len(images)
        return SimpleNamespace(total=(images - self.picture).square().mean((1, 2, 3)))

    def of(self, drawing):
        return self.loss(drawing.render(SIZE)).total.item()


def line(start, end, degree=3):
    return np.linspace(start, end, degree + 1)


def drawing(*chains, degree=3, **looks):
    return Drawing.make(np.array(chains, float)[None], degree, **looks)


def test_strokes_that_go_on_are_linked_and_nothing_is_lost():
    halves = drawing(line((32, 20), (8, 20)), line((34, 20), (56, 20)), line((8, 50), (56, 50)))
    target = Pixels(halves)
    made = linked(halves, 2, 2, target, SIZE)
    assert made.points.shape == (1, 2, 7, 2)
    assert target.of(made) < 1e-3
    ends = made.points[0, :, [0, -1]].sort(1).values
    whole = sorted(ends.tolist())
    np.testing.assert_allclose(whole, [[[8, 20], [56, 20]], [[8, 50], [56, 50]]], atol=1e-4)


def test_what_is_drawn_twice_is_dropped():
    twice = drawing(line((8, 8), (56, 8)), line((8, 40), (56, 60)), line((8, 8), (56, 8)))
    target = Pixels(twice)
    made = linked(twice, 2, 1, target, SIZE)
    assert made.points.shape == (1, 2, 4, 2)
    left = sorted(made.points[0, :, 0].tolist())
    assert left == [[8, 8], [8, 40]]


def test_without_segments_to_spare_a_link_is_fitted():
    parts = drawing(*split(np.array([(8, 50), (20, 5), (44, 5), (56, 50)], float)))
    target = Pixels(parts)
    made = linked(parts, 1, 1, target, SIZE)
    assert made.points.shape == (1, 1, 4, 2)
    dropped = min(target.of(parts.strokes(torch.tensor([k]))) for k in (0, 1))
    assert target.of(made) < dropped / 2


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_a_link_meets_midway_and_keeps_its_directions(degree):
    one, other = line((0, 0), (12, 0), degree), line((14, 4), (26, 4), degree)
    chain = _link(one, other, degree, 2)
    assert chain.shape == (2 * degree + 1, 2)
    np.testing.assert_allclose(chain[[0, degree, -1]], [(0, 0), (13, 2), (26, 4)])
    if degree == 3:
        np.testing.assert_allclose(chain[3] - chain[2], one[3] - one[2])
        np.testing.assert_allclose(chain[4] - chain[3], other[1] - other[0])
    np.testing.assert_allclose(one[-1], (12, 0))  # what was given stays as it is


def test_a_link_has_the_looks_of_its_longer_part():
    parts = drawing(
        line((8, 20), (14, 20)), line((16, 20), (56, 20)), line((8, 50), (56, 50)),
        widths=[[1, 4, 2]], colors=np.array([[0.5], [0.0], [0.2]]),
    )  # fmt: skip
    made = linked(parts, 2, 2, Pixels(parts), SIZE)
    assert sorted(made.widths[0].tolist()) == [2, 4]
    assert made.colors[0, made.widths[0].argmax()].item() == 0.0


def test_as_many_as_are_wanted_however_many_there_are():
    rng = np.random.default_rng(0)
    many = drawing(*rng.uniform(4, 60, (13, 4, 2)))
    target = Pixels(many)
    for count in (12, 5, 1):
        made = linked(many, count, 3, target, SIZE)
        assert made.points.shape == (1, count, 10, 2)
        assert target.looks == looks(13, count)
        again = linked(many, count, 3, target, SIZE)
        assert torch.equal(made.points, again.points)
        target.looks = 0
    same = linked(many, 13, 1, target, SIZE)
    assert torch.equal(same.points, many.points)
