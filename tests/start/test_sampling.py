"""XDoG, the distribution, sampling and the random walk."""

import numpy as np
import pytest

from clipasso.start.edges import xdog_edges
from clipasso.start.sampling import initial_strokes, sample_positions, stroke_distribution

SIZE = 64


def disc(value=0.2):
    y, x = np.mgrid[:SIZE, :SIZE]
    return np.where((x - 32) ** 2 + (y - 32) ** 2 < 18**2, value, 1.0).astype(np.float32)


def test_xdog_marks_the_dark_side_of_an_edge():
    edges = xdog_edges(disc(0.7))
    y, x = np.mgrid[:SIZE, :SIZE]
    radius = np.hypot(x - 31.5, y - 31.5)
    assert set(np.unique(edges)) == {0.0, 1.0}
    assert edges[(radius > 14) & (radius < 17)].mean() > 0.9
    assert edges[radius > 21].max() == 0


def test_xdog_takes_colour_like_its_grey():
    grey = disc(0.5)
    assert np.array_equal(xdog_edges(np.repeat(grey[..., None], 3, 2)), xdog_edges(grey))


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_flat_photos_have_no_edges_and_still_a_distribution(value):
    edges = xdog_edges(np.full((SIZE, SIZE, 3), value, np.float32))
    assert edges.max() == 0
    p = stroke_distribution(np.ones((SIZE, SIZE), np.float32), edges)
    assert p.sum() == pytest.approx(1)
    assert len(sample_positions(p, 16, np.random.default_rng(0))) == 16


def test_distribution_is_the_softmax_of_the_product_where_it_is_positive():
    rng = np.random.default_rng(3)
    saliency = rng.random((8, 8), np.float32)
    edges = (rng.random((8, 8)) > 0.5).astype(np.float32)
    p = stroke_distribution(saliency, edges, temperature=0.3)
    product = (saliency * edges).astype(np.float64)
    product /= product.max()
    weights = [np.exp(v / 0.3) if v > 0 else 0 for v in product.ravel()]
    assert p.ravel() == pytest.approx(np.array(weights) / sum(weights), rel=1e-9)


def test_lower_temperature_is_more_peaked():
    saliency = np.linspace(0.1, 1, 64, dtype=np.float32).reshape(8, 8)
    edges = np.ones((8, 8), np.float32)
    assert (
        stroke_distribution(saliency, edges, temperature=0.1).max()
        > stroke_distribution(saliency, edges, temperature=1.0).max()
    )


def test_samples_are_distinct_pixel_centres_where_the_distribution_is():
    p = stroke_distribution(np.ones((SIZE, SIZE), np.float32), xdog_edges(disc()))
    xy = sample_positions(p, 40, np.random.default_rng(1))
    assert len({tuple(q) for q in xy}) == 40
    assert np.all(xy % 1 == 0.5)
    assert all(p[int(y), int(x)] > 0 for x, y in xy)


def test_samples_follow_the_distribution():
    p = np.zeros((4, 4))
    p[1, 2], p[3, 0] = 0.75, 0.25
    rng = np.random.default_rng(0)
    first = [tuple(sample_positions(p, 1, rng)[0]) for _ in range(2000)]
    assert first.count((2.5, 1.5)) / 2000 == pytest.approx(0.75, abs=0.04)


def test_fewer_positions_than_strokes():
    p = np.zeros((8, 8))
    p[2, 3] = p[5, 5] = 0.5
    xy = sample_positions(p, 10, np.random.default_rng(0))
    assert len(xy) == 10
    assert {tuple(q) for q in xy} == {(3.5, 2.5), (5.5, 5.5)}


@pytest.mark.parametrize("points", [2, 3, 4])
def test_walk_starts_at_the_sample_and_stays_within_its_steps(points):
    starts = np.random.default_rng(0).uniform(0, 224, (500, 2))
    strokes = initial_strokes(starts, points, 224, np.random.default_rng(1))
    assert strokes.shape == (500, points, 2)
    assert np.array_equal(strokes[:, 0], starts)
    steps = np.diff(strokes, axis=1)
    assert np.abs(steps).max() <= 0.025 * 224
    assert steps.std() == pytest.approx(0.05 * 224 / 12**0.5, rel=0.05)


def test_same_seed_same_strokes():
    p = np.full((SIZE, SIZE), 1 / SIZE**2)

    def made(seed):
        rng = np.random.default_rng(seed)
        return initial_strokes(sample_positions(p, 8, rng), 4, SIZE, rng)

    assert np.array_equal(made(4), made(4))
    assert not np.array_equal(made(4), made(5))


def test_spread_keeps_first_points_apart_and_on_the_distribution():
    p = stroke_distribution(np.ones((SIZE, SIZE), np.float32), xdog_edges(disc()))

    def nearest(spread, seed):
        xy = sample_positions(p, 12, np.random.default_rng(seed), spread=spread)
        assert all(p[int(y), int(x)] > 0 for x, y in xy)
        gaps = np.linalg.norm(xy[:, None] - xy, axis=-1) + 1e9 * np.eye(12)
        return gaps.min(1).mean()

    apart = np.mean([nearest(0.7, k) for k in range(10)])
    independent = np.mean([nearest(0.0, k) for k in range(10)])
    assert apart > 1.3 * independent


def test_spread_with_as_many_strokes_as_positions():
    p = np.zeros((8, 8))
    p[2, 3:6] = 1 / 3
    xy = sample_positions(p, 5, np.random.default_rng(0), spread=0.7)
    assert {tuple(q) for q in xy} == {(3.5, 2.5), (4.5, 2.5), (5.5, 2.5)}
