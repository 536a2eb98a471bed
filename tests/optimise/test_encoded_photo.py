"""The pool: what steps draw is encoded when they come to it, and nothing else."""

from dataclasses import replace

import pytest
import torch

from clipasso import Settings
from clipasso.optimise.encoded_photo import PhotoPool
from clipasso.optimise.loop import Job, optimise_together
from clipasso.optimise.objective import make_objective
from clipasso.optimise.strokes import Drawing
from tiny import Blur

SETTINGS = Settings(canvas=32, iterations=12, pool=30, augmentations=2)


def pools(encoder, settings=SETTINGS, photos=1, relative=False):
    """The same pool twice: encoded at once, and in time."""
    images = torch.rand(photos, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    goal = make_objective(encoder, settings)
    goal = replace(goal, recipe=replace(goal.recipe, relative=relative))
    return [
        PhotoPool(images, goal, settings, torch.Generator().manual_seed(0), ahead=ahead)
        for ahead in (True, False)
    ]


@pytest.mark.parametrize("photos", [1, 2])
@pytest.mark.parametrize("relative", [False, True])
def test_in_time_is_the_same_as_ahead(photos, relative):
    whole, lazy = pools(Blur(), photos=photos, relative=relative)
    sketches = torch.rand(photos, 1, 32, 32)
    for number in range(SETTINGS.iterations):
        lazy.encode_for(number)
        terms = []
        for pool in (whole, lazy):
            targets, chosen = pool.at(torch.tensor([number]))
            terms.append(targets.loss(sketches, chosen, torch.arange(photos)).terms)
        assert list(terms[0]) == list(terms[1])
        for name, values in terms[0].items():
            assert torch.isfinite(values).all()
            assert torch.equal(values, terms[1][name]), name


def test_the_first_step_waits_for_a_few_and_none_is_encoded_twice():
    encoder = Blur()
    _, lazy = pools(encoder, replace(SETTINGS, iterations=200))
    encoder.calls = 0
    lazy.encode_for(0)
    assert 2 <= encoder.calls <= 9
    for number in range(200):
        lazy.encode_for(number)
    assert encoder.calls == 30


def test_what_no_step_draws_is_not_encoded():
    encoder = Blur()
    settings = replace(SETTINGS, strokes=1, seeds=1, iterations=2, pool=60)
    points = torch.tensor([[[[4.0, 4], [10, 20], [20, 9], [28, 28]]]]).numpy()
    job = Job(Drawing.make(points, 3), torch.rand(1, 3, 32, 32), make_objective(encoder, settings))
    (outcome,) = optimise_together([job], settings)
    assert outcome.steps == 2
    assert encoder.calls < 30


def test_none_is_encoded_alone():
    class Noting(Blur):
        def encode(self, images, layers=()):
            batches.append(len(images))
            return super().encode(images, layers)

    for pool in (9, 17, 25):
        batches: list[int] = []
        _, lazy = pools(Noting(), replace(SETTINGS, iterations=300, pool=pool))
        del batches[:]
        for number in range(300):
            lazy.encode_for(number)
        assert sum(batches) == pool
        assert min(batches) > 1
