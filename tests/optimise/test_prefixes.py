"""Steps in which the first few strokes are to be a drawing by themselves."""

from dataclasses import replace

import pytest
import torch

from clipasso import Settings
from clipasso.optimise.encoded_photo import PhotoPool
from clipasso.optimise.loop import optimise
from clipasso.optimise.objective import make_objective
from clipasso.optimise.strokes import Drawing
from clipasso.raster import rasterize
from tiny import Blur

SETTINGS = Settings(
    strokes=4, canvas=32, seeds=2, iterations=60, pool=6, evaluate_every=10, drop=False
)


@pytest.fixture(scope="module")
def scene():
    """Four strokes to be found, and where those of two seeds start."""
    y = torch.tensor([5.0, 12, 19, 26])
    x = torch.tensor([4.0, 11, 20, 28])
    target = torch.stack([x.expand(4, 4), y[:, None].expand(4, 4)], -1)
    photo = rasterize(target[None], widths=3.0, size=32).expand(-1, 3, -1, -1).contiguous()
    noise = torch.randn(2, 4, 4, 2, generator=torch.Generator().manual_seed(0))
    return photo, Drawing.make(target + 3 * noise, 3)


def sketched(scene, settings):
    photo, initial = scene
    goal = make_objective(Blur(), settings)
    return optimise(initial, photo, goal, settings)


def loss_of_the_first(scene, out):
    goal, still = make_objective(Blur(), SETTINGS), replace(SETTINGS, pool=0)
    clean = PhotoPool(scene[0], goal, still, torch.Generator()).clean
    return clean.loss(out.drawing.strokes(torch.tensor([0])).render(32)).total.item()


def test_without_ink_is_as_if_not_there(scene):
    _, drawing = scene
    for count in (1, 3, 4):
        shown = drawing.first(torch.tensor([count])).render(32)
        assert torch.allclose(shown, drawing.strokes(torch.arange(count)).render(32), atol=1e-6)


def test_prefixes_are_optimised_and_seeds_stay_apart(scene):
    usual, prefixes = (sketched(scene, replace(SETTINGS, prefixes=on)) for on in (False, True))
    assert not torch.equal(usual.points, prefixes.points)
    assert max(prefixes.losses) < 0.5 * min(prefixes.curve[0][1])
    alone = sketched((scene[0], scene[1].only(1)), replace(SETTINGS, prefixes=True, seeds=1))
    assert torch.allclose(alone.points[0], prefixes.points[1], atol=1e-3)
    again = sketched(scene, replace(SETTINGS, prefixes=True))
    assert torch.equal(again.points, prefixes.points)


def test_the_first_stroke_takes_what_two_would_share():
    """A long line, and strokes that start beside its halves."""
    x = torch.linspace(4, 28, 7)
    line = torch.stack([x, torch.full((7,), 16.0)], -1)
    photo = rasterize(line[None, None, ::2], widths=3.0, size=32).expand(-1, 3, -1, -1)
    halves = Drawing.make(torch.stack([line[:4], line[3:]])[None] + 3, 3)
    scene, settings = (photo.contiguous(), halves), replace(SETTINGS, strokes=2, seeds=1)
    usual, prefixes = (sketched(scene, replace(settings, prefixes=on)) for on in (False, True))
    assert prefixes.points[0, 0, :, 0].max() > usual.points[0, 0, :, 0].max() + 4
    assert loss_of_the_first(scene, prefixes) < loss_of_the_first(scene, usual)


@pytest.mark.parametrize("augmentations", [1, 3])
def test_each_gradient_is_that_of_its_pairs(scene, augmentations):
    """The step's gradient is that of whole sketches in all pairs but the last."""
    from clipasso.optimise.adam import Adam
    from clipasso.optimise.step import Step

    photo, initial = scene
    settings = replace(SETTINGS, augmentations=augmentations, average=0.0)
    frozen = torch.zeros(2, 4, dtype=torch.bool)
    adam = Adam(initial, frozen, settings)
    pool = PhotoPool(photo, make_objective(Blur(), settings), settings, torch.Generator())
    step = Step(adam, pool, [0, 0], 32, torch.full((60,), 2))
    step.look()
    chosen = pool.at(adam.step)[1]
    points = initial.points.clone().requires_grad_()
    drawing = replace(initial, points=points)
    whole = pool.every.loss(drawing.render(32), chosen[:-1]).total.sum()
    short = pool.every.loss(drawing.strokes(torch.arange(2)).render(32), chosen[-1:]).total.sum()
    (expected,) = torch.autograd.grad((whole + short) / (1 + augmentations), points)
    assert torch.allclose(step._grads[0], expected, atol=1e-5)
