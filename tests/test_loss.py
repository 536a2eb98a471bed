"""Equations 1 to 3 in numbers."""

import pytest
import torch

from clipasso.encoders.base import Features, Recipe
from clipasso.loss import blank_distances, perceptual_loss


def features(seed, batch=3):
    g = torch.Generator().manual_seed(seed)
    layers = {
        "a": torch.randn(batch, 8, 6, 6, generator=g),
        "tokens": torch.randn(batch, 10, 12, generator=g),
    }
    return Features(layers, torch.randn(batch, 20, generator=g))


def test_is_the_papers_loss():
    sketch, photo = features(0), features(1)
    loss = perceptual_loss(sketch, photo, Recipe({"a": 1.0, "tokens": 0.5}, semantic_weight=0.1))
    for k in range(3):
        geometric = sum(
            w * float(((sketch.layers[n][k] - photo.layers[n][k]) ** 2).mean())
            for n, w in (("a", 1.0), ("tokens", 0.5))
        )
        x, y = sketch.embedding[k], photo.embedding[k]
        semantic = 0.1 * (1 - float(x @ y / (x.norm() * y.norm())))
        assert float(loss.geometric[k]) == pytest.approx(geometric, rel=1e-5)
        assert float(loss.semantic[k]) == pytest.approx(semantic, rel=1e-5)
        assert float(loss.total[k]) == pytest.approx(geometric + semantic, rel=1e-5)


def test_identical_images_cost_nothing():
    one = features(0)
    loss = perceptual_loss(one, one, Recipe({"a": 1.0, "tokens": 1.0}, normalized=True))
    assert loss.total.abs().max() < 1e-6


def test_normalized_ignores_the_scale_of_each_position():
    sketch, photo = features(0), features(1)
    recipe = Recipe({"a": 1.0, "tokens": 1.0}, normalized=True)
    scaled = Features(
        {"a": sketch.layers["a"] * 7, "tokens": sketch.layers["tokens"] * 0.2}, sketch.embedding
    )
    first, second = (perceptual_loss(s, photo, recipe).total for s in (sketch, scaled))
    assert torch.allclose(first, second, rtol=1e-5)


@pytest.mark.parametrize("normalized", [True, False])
def test_blank_paper_is_one_in_a_relative_recipe(normalized):
    photo, blank = features(1), features(2)
    recipe = Recipe({"a": 1.0, "tokens": 2.0}, 0.0, normalized=normalized, relative=True)
    loss = perceptual_loss(blank, photo, recipe, blank_distances(photo, blank, recipe))
    assert loss.layers["a"] == pytest.approx(torch.ones(3), rel=0.01)
    assert loss.layers["tokens"] == pytest.approx(2 * torch.ones(3), rel=0.01)


def test_relative_units_of_a_white_photo_are_finite():
    blank = features(2)
    recipe = Recipe({"a": 1.0}, relative=True)
    units = blank_distances(blank, blank, recipe)
    assert (units["a"] > 0).all()
    assert perceptual_loss(features(3), blank, recipe, units).total.isfinite().all()


def test_relative_without_units_is_refused():
    with pytest.raises(ValueError, match="blank canvas"):
        perceptual_loss(features(0), features(1), Recipe({"a": 1.0}, relative=True))


def test_semantic_alone():
    sketch, photo = features(0), features(1)
    loss = perceptual_loss(sketch, photo, Recipe({}, semantic_weight=1.0))
    assert torch.equal(loss.total, loss.semantic)
    assert loss.geometric.abs().max() == 0
