"""Equations 1 to 3 in numbers."""

import math
from dataclasses import replace

import pytest
import torch

from clipasso.encoders.base import Features, Recipe
from clipasso.optimise.loss import Loss, blank_distances, layer_distance, perceptual_loss


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


DISTANCES = ("l2", "l1", "cosine")


def by_hand(a, b, distance, normalized):
    """Distance of two lists of feature vectors, one a position."""
    total = 0.0
    for x, y in zip(a, b, strict=True):
        pairs, across, up = list(zip(x, y, strict=True)), math.hypot(*x), math.hypot(*y)
        if distance == "cosine":
            total += 1 - sum(p * q for p, q in pairs) / (across * up)
            continue
        if normalized:
            pairs = [(p / across, q / up) for p, q in pairs]
        gaps = [abs(p - q) for p, q in pairs]
        total += sum(g * g if distance == "l2" else g for g in gaps) / len(gaps)
    return total / len(a)


@pytest.mark.parametrize("normalized", [False, True])
@pytest.mark.parametrize("distance", DISTANCES)
def test_distances_by_hand(distance, normalized):
    sketch, photo = features(0), features(1)
    recipe = Recipe({"a": 1.0, "tokens": 0.5}, distance=distance, normalized=normalized)
    loss = perceptual_loss(sketch, photo, recipe)
    for k in range(3):
        rows = [f.layers["a"][k].flatten(1).T.tolist() for f in (sketch, photo)]
        assert float(loss.layers["a"][k]) == pytest.approx(
            by_hand(*rows, distance, normalized), rel=1e-5
        )
        rows = [f.layers["tokens"][k].tolist() for f in (sketch, photo)]
        assert float(loss.layers["tokens"][k]) == pytest.approx(
            0.5 * by_hand(*rows, distance, normalized), rel=1e-5
        )


def test_distances_of_a_vector_that_fits_on_paper():
    a, b = torch.tensor([[[3.0, 4.0]]]), torch.tensor([[[4.0, 3.0]]])
    found = {d: float(layer_distance(a, b, Recipe(distance=d))) for d in DISTANCES}
    assert found == pytest.approx({"l2": 1.0, "l1": 1.0, "cosine": 0.04})
    found = {d: float(layer_distance(2 * a, b, Recipe(distance=d))) for d in DISTANCES}
    assert found == pytest.approx({"l2": (4 + 25) / 2, "l1": 3.5, "cosine": 0.04})


@pytest.mark.parametrize("distance", DISTANCES)
def test_blank_paper_is_one_with_every_distance(distance):
    photo, blank = features(1), features(2)
    recipe = Recipe({"a": 1.0, "tokens": 2.0}, 0.0, distance=distance, relative=True)
    loss = perceptual_loss(blank, photo, recipe, blank_distances(photo, blank, recipe))
    assert loss.layers["a"] == pytest.approx(torch.ones(3), rel=0.01)
    assert loss.layers["tokens"] == pytest.approx(2 * torch.ones(3), rel=0.01)


def test_positions_without_activation_have_a_cosine_and_a_gradient():
    """ReLUs leave whole positions at zero."""
    silent = torch.zeros(1, 4, 2, 2, requires_grad=True)
    other = torch.ones(1, 4, 2, 2)
    for recipe in (Recipe(distance="cosine"), Recipe(normalized=True)):
        distance = layer_distance(silent, other, recipe)
        (grad,) = torch.autograd.grad(distance.sum(), silent)
        assert distance.isfinite().all()
        assert grad.isfinite().all()


def test_extra_terms_are_added():
    loss = Loss({"a": torch.tensor([1.0, 2.0])}, torch.tensor([0.5, 0.25]))
    more = replace(loss, extra={"text": torch.tensor([3.0, 0.0]), "other": torch.ones(2)})
    assert more.total.tolist() == [5.5, 3.25]
    assert more.geometric.tolist() == loss.geometric.tolist() == [1, 2]
    assert list(more.terms) == ["a", "semantic", "text", "other", "total"]
    assert more.terms["total"].tolist() == [5.5, 3.25]
    assert loss.total.tolist() == [1.5, 2.25]
