"""First strokes along the photo's edges, and the curves that are fitted to them."""

import numpy as np
import pytest

from clipasso.pipeline.prepare import initialise
from clipasso.settings import Settings
from clipasso.start.edges import xdog_edges
from clipasso.start.sampling import stroke_distribution
from clipasso.start.trace import edge_field, follow_edges, traced_strokes
from clipasso.vector.curve_fitting import fit_chain
from clipasso.vector.sketch import Sketch

RADIUS = 40


def disc(size=128, radius=RADIUS):
    """A dark disc in the middle of white, with an edge a pixel wide."""
    y, x = np.mgrid[:size, :size] + 0.5
    away = np.hypot(x - size / 2, y - size / 2)
    grey = np.clip(away - radius + 0.5, 0.2, 1.0).astype(np.float32)
    return np.repeat(grey[..., None], 3, 2)


def off_circle(points, size=128, radius=RADIUS):
    return np.abs(np.hypot(*(np.asarray(points) - size / 2).reshape(-1, 2).T) - radius)


def distribution_of(pixels):
    return stroke_distribution(np.ones(pixels.shape[:2], np.float32), xdog_edges(pixels))


def traced(pixels, count=4, seed=0, **options):
    free = options.pop("free", np.ones(pixels.shape[:2], bool))
    rng = np.random.default_rng(seed)
    p = distribution_of(pixels)
    return traced_strokes(p, edge_field(pixels, len(p) / 224), free, count, rng, **options)


def along(strokes, degree=3):
    """Points on the strokes, `[strokes, 40, 2]`."""
    return Sketch(strokes, (128, 128), degree).evaluate(np.linspace(0, 1, 40))


class TestField:
    def test_tangents_of_a_circle(self):
        field = edge_field(disc())
        turn = np.linspace(0, 2 * np.pi, 33)
        radial = np.stack([np.cos(turn), np.sin(turn)], -1)
        at = (64 + RADIUS * radial).astype(int)
        tangent = field.tangent[at[:, 1], at[:, 0]]
        assert np.abs((tangent * radial).sum(1)).max() < 0.1
        assert np.linalg.norm(field.tangent, axis=-1) == pytest.approx(1)

    def test_strength_is_there_and_nowhere_else(self):
        strength = edge_field(disc()).strength
        assert abs(int(strength[64].argmax()) - 64) == pytest.approx(RADIUS, abs=1.5)
        assert strength[:10].max() < 1e-3 * strength.max()

    def test_an_edge_between_colours_of_one_grey_counts(self):
        pixels = np.full((64, 64, 3), 0.5, np.float32)
        pixels[:, 32:] = 0.7, 0.4, 0.5
        strength = edge_field(pixels).strength
        assert strength[32].argmax() in (31, 32)


class TestFollow:
    def test_a_path_keeps_to_its_edge_and_to_its_length(self):
        field, free = edge_field(disc()), np.ones((128, 128), bool)
        starts = np.array([[64 + RADIUS - 2.5, 64.5], [64.5, 64 - RADIUS]])
        for path in follow_edges(field, starts, free, faint=0.02, longest=80.0):
            assert off_circle(path).max() < 2
            length = np.linalg.norm(np.diff(path, axis=0), axis=1).sum()
            assert 70 < length < 90

    def test_it_ends_where_it_may_not_go_and_where_the_edge_ends(self):
        pixels = np.ones((96, 96, 3), np.float32)
        pixels[40:, 20:70] = 0.0
        field, free = edge_field(pixels), np.ones((96, 96), bool)
        free[:, 60:] = False
        (path,) = follow_edges(field, np.array([[45.5, 40.5]]), free, faint=0.02)
        assert path[:, 0].max() <= 60
        blank = follow_edges(field, np.array([[5.5, 5.5]]), free, faint=0.02)
        assert len(blank[0]) == 1


class TestStrokes:
    def test_they_lie_on_the_edge_and_share_it(self):
        strokes = traced(disc())
        assert strokes.shape == (4, 4, 2)
        there = along(strokes)
        assert np.median(off_circle(there)) < 2
        angles = np.degrees(np.arctan2(*(there.reshape(-1, 2) - 64).T))
        seen = np.histogram(angles, 18, (-180, 180))[0] > 0
        assert seen.sum() >= 15  # together they go round

    @pytest.mark.parametrize(("degree", "segments"), [(1, 1), (2, 1), (3, 2), (1, 4)])
    def test_every_make_of_stroke(self, degree, segments):
        strokes = traced(disc(), 2, degree=degree, segments=segments)
        assert strokes.shape == (2, degree * segments + 1, 2)
        sketch = Sketch(strokes, (128, 128), degree)
        assert off_circle(sketch.evaluate(np.linspace(0, 1, 30))).max() < 8

    def test_the_same_from_the_same_seed_only(self):
        assert np.array_equal(traced(disc()), traced(disc()))
        assert not np.array_equal(traced(disc()), traced(disc(), seed=1))

    def test_new_ones_keep_away_from_those_that_are_there(self):
        first = traced(disc(), 1)
        there = along(first)[0]
        later = along(traced(disc(), 2, seed=3, taken=there)).reshape(-1, 2)
        apart = np.linalg.norm(later[:, None] - there[None], axis=-1).min(1)
        assert np.median(apart) > 10

    def test_a_larger_canvas_scales_them(self):
        large = traced(disc(256, 80), 3)
        there = Sketch(large, (256, 256), 3).evaluate(np.linspace(0, 1, 40))
        assert np.median(off_circle(there, 256, 80)) < 3
        assert np.linalg.norm(np.diff(there, axis=1), axis=-1).sum() > 150

    def test_a_flat_photo_gets_short_walks_on_the_canvas(self):
        strokes = traced(np.full((64, 64, 3), 0.6, np.float32), 5)
        assert np.isfinite(strokes).all()
        assert np.abs(np.diff(strokes, axis=1)).max() <= 0.025 * 64


class TestFit:
    def test_a_chain_is_found_again(self):
        points = np.random.default_rng(0).uniform(0, 100, (3, 7, 2))
        t = np.linspace(0, 1, 60)
        there = Sketch(points, (100, 100), 3).evaluate(t).transpose(1, 0, 2)
        fitted, miss = fit_chain(there, t, 3, 2)
        assert np.allclose(fitted, points)
        assert miss < 1e-8
        one, _ = fit_chain(there[:, 1], t, 3, 2)
        assert np.allclose(one, points[1])

    def test_the_miss_is_a_distance(self):
        there = np.array([[0.0, 0], [5, 3], [10, 0]])
        line, miss = fit_chain(there, np.array([0, 0.5, 1.0]), 1, 1)
        assert line == pytest.approx(np.array([[0, 1.0], [10, 1]]))
        assert miss == pytest.approx(2)


class TestSettings:
    def place(self, **chosen):
        import torch

        from clipasso.encoders import EMBEDDED, load_encoder

        pixels = disc(64, 20)
        image = torch.tensor(pixels).permute(2, 0, 1)[None].contiguous()
        settings = Settings(canvas=64, strokes=3, seeds=2, **chosen)
        start = initialise(pixels, np.ones((64, 64), bool), image, load_encoder(EMBEDDED), settings)
        return start.drawing.points.double().numpy()

    def test_trace_is_the_default_and_walk_is_the_papers(self):
        default, walk = self.place(segments=1), self.place(segments=1, start="walk")
        assert np.array_equal(default, self.place(segments=1, start="trace"))
        lengths = [np.linalg.norm(np.diff(p, axis=2), axis=-1).sum(-1) for p in (default, walk)]
        assert lengths[0].mean() > 2 * lengths[1].mean()
        assert np.abs(np.diff(walk, axis=2)).max() <= 0.025 * 64 + 1e-6

    def test_seeds_differ(self):
        first, second = self.place()
        assert not np.allclose(first, second)
