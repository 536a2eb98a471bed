"""The loop: what it keeps, when it stops, and that it repeats itself."""

import threading
from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from clipasso import Settings, load_photo
from clipasso.encoders.base import Encoder, Features, Recipe
from clipasso.optimise import learning_rate, optimise
from clipasso.raster import rasterize
from clipasso.targets import PhotoPool


class Blur(Encoder):
    """A tiny differentiable encoder: average colours on an 8 x 8 grid."""

    name = "blur"
    description = "blur"
    input_size = 32
    layer_names = ("grid",)

    def __init__(self):
        super().__init__((0.0,) * 3, (1.0,) * 3)
        self.recipe = Recipe({"grid": 1.0}, semantic_weight=0.1)
        self.calls = 0

    def encode(self, images):
        self.calls += len(images)
        grid = torch.nn.functional.avg_pool2d(self.normalize(images), 4)
        return Features({"grid": grid}, grid.flatten(1))

    def saliency(self, image):
        return torch.ones(image.shape[-2:])


SETTINGS = Settings(
    strokes=2, canvas=32, seeds=2, iterations=40, pool=6, augmentations=2, evaluate_every=5
)


@pytest.fixture
def scene():
    """A photo that two strokes can draw exactly, and strokes that start beside it."""
    target = torch.tensor(
        [[[6.0, 6], [12, 8], [20, 8], [26, 6]], [[6, 24], [12, 20], [20, 20], [26, 24]]]
    )
    photo = rasterize(target[None], widths=3.0, size=32).expand(-1, 3, -1, -1).contiguous()
    g = torch.Generator().manual_seed(0)
    initial = target + torch.randn(2, 2, 4, 2, generator=g) * 3
    return photo, initial


def test_the_loss_falls_and_the_best_is_kept(scene):
    photo, initial = scene
    seen = []
    encoder = Blur()
    out = optimise(initial, photo, encoder, SETTINGS, seen.append)
    for k in range(2):
        evaluated = [losses[k] for _, losses in out.curve]
        assert out.losses[k] == min(evaluated)
        assert out.losses[k] < 0.5 * evaluated[0]
        clean = PhotoPool(photo, encoder, 1, "plain", torch.Generator()).draw(0)
        image = rasterize(out.points[k][None], widths=3.0, size=32)
        assert float(clean.loss(image, encoder).total) == pytest.approx(out.losses[k], rel=1e-4)
    assert [step for step, _ in out.curve] == list(range(0, 41, 5))
    assert [p.step for p in seen] == [step for step, _ in out.curve]
    assert seen[-1].best == out.losses
    assert torch.equal(seen[-1].points, out.points[out.winner])
    assert out.losses[out.winner] == min(out.losses)
    for k in range(2):
        terms = out.terms["grid"][k] + out.terms["semantic"][k]
        assert terms == pytest.approx(out.terms["total"][k], rel=1e-5)


def test_same_seed_same_bytes(scene):
    photo, initial = scene
    runs = [optimise(initial, photo, Blur(), SETTINGS) for _ in range(2)]
    assert runs[0].points.numpy().tobytes() == runs[1].points.numpy().tobytes()
    assert runs[0].curve == runs[1].curve
    other = optimise(initial, photo, Blur(), replace(SETTINGS, seed=1))
    assert not torch.equal(other.points, runs[0].points)


def test_a_seed_does_not_feel_its_neighbours(scene):
    """Seeds are optimised as one batch, and each as it would be alone."""
    photo, initial = scene
    both = optimise(initial, photo, Blur(), SETTINGS)
    alone = optimise(initial[1:], photo, Blur(), replace(SETTINGS, seeds=1))
    assert torch.allclose(both.points[1], alone.points[0], atol=1e-4)


def test_a_pool_encodes_the_photo_once(scene):
    photo, initial = scene
    pooled, fresh = Blur(), Blur()
    optimise(initial, photo, pooled, SETTINGS)
    optimise(initial, photo, fresh, replace(SETTINGS, pool=0))
    sketches = 2 * (40 * 3 + 1)
    assert pooled.calls == sketches + 1 + SETTINGS.pool
    assert fresh.calls == sketches + 1 + 40 * 2


def test_converges_by_the_papers_rule(scene):
    """A seed stops when two successive evaluations differ by less than the tolerance."""
    photo, initial = scene
    out = optimise(initial, photo, Blur(), replace(SETTINGS, tolerance=0.02, iterations=400))
    assert out.stopped == "converged"
    assert out.steps < 400
    for k in range(2):
        values = [losses[k] for _, losses in out.curve]
        changes = [abs(b - a) for a, b in pairwise(values)]
        first = next(i for i, change in enumerate(changes) if change < 0.02)
        assert all(change == 0 for change in changes[first + 1 :])


def test_zero_tolerance_never_converges(scene):
    photo, initial = scene
    out = optimise(initial, photo, Blur(), replace(SETTINGS, tolerance=0.0))
    assert (out.stopped, out.steps) == ("finished", 40)


def test_stop_keeps_the_best_so_far(scene):
    photo, initial = scene
    stop = threading.Event()

    def after_two(progress):
        if progress.step >= 10:
            stop.set()

    out = optimise(initial, photo, Blur(), SETTINGS, after_two, stop)
    assert out.stopped == "interrupted"
    assert out.steps == 11
    assert out.losses == tuple(min(v[k] for _, v in out.curve) for k in range(2))


def test_schedules():
    constant = replace(SETTINGS, schedule="constant", learning_rate=1.0)
    assert {learning_rate(s, constant) for s in (0, 20, 40)} == {1.0}
    cosine = replace(SETTINGS, schedule="cosine", learning_rate=2.0)
    rates = [learning_rate(s, cosine) for s in range(41)]
    assert (rates[0], rates[-1]) == (2.0, pytest.approx(0.2))
    assert rates == sorted(rates, reverse=True)


def test_no_augmentations_is_the_clean_pair_alone(scene):
    photo, initial = scene
    encoder = Blur()
    optimise(initial, photo, encoder, replace(SETTINGS, augmentations=0, pool=0, iterations=5))
    assert encoder.calls == 1 + 2 * 6


def test_the_embedded_encoder_improves_a_real_sketch(photo_path, lite0):
    photo = load_photo(photo_path)
    image = torch.from_numpy(photo.pixels.copy()).permute(2, 0, 1)[None].contiguous()
    g = torch.Generator().manual_seed(3)
    initial = 112 + torch.randn(1, 6, 4, 2, generator=g) * 25
    settings = Settings(strokes=6, seeds=1, iterations=20, pool=4, augmentations=2)
    out = optimise(initial, image, lite0, settings)
    assert out.losses[0] < 0.95 * out.curve[0][1][0]
    assert torch.isfinite(out.points).all()
