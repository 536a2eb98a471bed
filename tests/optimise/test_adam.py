"""Adam on tensors alone, against torch's."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from clipasso import Settings
from clipasso.optimise.adam import Adam, decay
from clipasso.optimise.strokes import Drawing

SETTINGS = Settings(
    strokes=3, seeds=2, canvas=112, iterations=30, width_rate=0.2, width_span=50.0,
    opacity_rate=0.02, color_rate=0.03, learning_rate=2.0,
)  # fmt: skip


def drawing(seed=0):
    points = 56 + torch.randn(2, 3, 4, 2, generator=torch.Generator().manual_seed(seed)) * 20
    return Drawing.make(points, 3, widths=2.0, opacities=0.5, colors=(0.5, 0.5, 0.5))


def grads(tensors, steps, seed=1):
    """Those of every step, of very different sizes."""
    g = torch.Generator().manual_seed(seed)
    scale = torch.logspace(-4, 1, steps)
    return [[torch.randn(t.shape, generator=g) * s for t in tensors] for s in scale]


def loose(*frozen):
    mask = torch.zeros(2, 3, dtype=torch.bool)
    for place in frozen:
        mask[place] = True
    return mask


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_is_torchs_adam(schedule):
    settings = replace(SETTINGS, schedule=schedule)
    ours = Adam(drawing(), loose(), settings)
    theirs = [t.detach().clone().requires_grad_() for t in ours.moved]
    rates = (1.0, 0.1, 0.02, 0.03)  # lengths in pixels of a canvas half as large
    adam = torch.optim.Adam([{"params": [t]} for t in theirs])
    for step, wanted in enumerate(grads(theirs, 30)):
        for group, rate, grad in zip(adam.param_groups, rates, wanted, strict=True):
            group["lr"], group["params"][0].grad = rate * decay(step, settings), grad
        adam.step()
        ours.move(wanted)
        for mine, other in zip(ours.moved, theirs, strict=True):
            moved = (other - 0.5).abs().max()
            assert torch.allclose(mine, other, rtol=1e-5, atol=1e-5 * float(moved.detach()))
    assert ours.step.tolist() == [30]
    assert (ours.drawing.points - drawing().points).abs().max() > 5


@pytest.mark.parametrize(
    ("width", "span", "low", "high"),
    [
        (4.0, 2.0, 1.0, 4.0),  # of a canvas half as large
        (4.0, 100.0, 0.5, 200.0),
        (0.3, 2.0, 0.5, 2.0),
        (30.0, 2.0, 2.0, 30.0),
    ],
)
def test_stays_within_what_can_be_drawn(width, span, low, high):
    """Widths within their span, and what is given outside it may stay as it is."""
    settings = replace(
        SETTINGS, width_rate=100.0, width=width, width_span=span, schedule="constant"
    )
    adam = Adam(drawing(), loose(), settings)
    assert (adam.drawing.widths == 2).all()
    for sign in (1, -1):
        for _ in range(15):
            adam.move([torch.full_like(t, sign * 1e3) for t in adam.moved])
        ink = adam.drawing
        assert ink.widths.flatten().tolist() == pytest.approx([low if sign > 0 else high] * 6)
    for values in (ink.opacities, ink.colors):
        assert values.min() >= 0
        assert values.max() <= 1


def test_frozen_strokes_and_stopped_seeds_stay_to_the_bit():
    adam = Adam(drawing(), loose((0, 1)), SETTINGS)
    start = [t.detach().clone() for t in adam.moved]
    steps = grads(adam.moved, 10)
    for wanted in steps[:5]:
        adam.move(wanted)
    middle = [t.detach().clone() for t in adam.moved]
    adam.keep([0])
    for wanted in steps[5:]:
        wanted[0][0, 1] = torch.nan  # not even that
        adam.move(wanted)
    for t, first, half in zip(adam.moved, start, middle, strict=True):
        assert torch.equal(t[0, 1], first[0, 1])
        assert torch.equal(t[1], half[1])
        assert not torch.equal(half[1], first[1])
        assert not torch.equal(t[0, 0], half[0, 0])


def test_goes_back_to_a_state():
    adam = Adam(drawing(), loose(), SETTINGS)
    steps = grads(adam.moved, 6)
    for wanted in steps[:3]:
        adam.move(wanted)
    state, places = adam.state(), [t.data_ptr() for t in adam.moved]
    runs = []
    for _ in range(2):
        for wanted in steps[3:]:
            adam.move(wanted)
        runs.append([t.detach().clone() for t in adam.moved])
        adam.restore(state)
    assert all(torch.equal(a, b) for a, b in zip(*runs, strict=True))
    assert adam.step.tolist() == [3]
    assert [t.data_ptr() for t in adam.moved] == places  # a graph knows no other


def test_only_what_has_a_rate_is_moved():
    adam = Adam(drawing(), loose(), replace(SETTINGS, width_rate=0.0, color_rate=0.0))
    assert [t.shape for t in adam.moved] == [(2, 3, 4, 2), (2, 3)]
    assert not adam.drawing.widths.requires_grad


def test_points_stay_in_their_seeds_reach():
    reach = torch.tensor([[[40.0, 30.0], [80.0, 90.0]], [[-torch.inf] * 2, [torch.inf] * 2]])
    settings = replace(SETTINGS, learning_rate=100.0, schedule="constant")
    bound, free = (Adam(drawing(), loose((0, 1)), settings, r) for r in (reach, None))
    for sign in (1, -1):
        for _ in range(15):
            for adam in (bound, free):
                adam.move([torch.full_like(t, sign * 1e3) for t in adam.moved])
            points = bound.drawing.points.detach()[0, [0, 2]]
            assert (points >= reach[0, 0]).all()
            assert (points <= reach[0, 1]).all()
        edge = reach[0, 0] if sign > 0 else reach[0, 1]
        assert (points == edge).all()
    assert torch.equal(bound.drawing.points[1], free.drawing.points[1])
    assert torch.equal(bound.drawing.points[0, 1], drawing().points[0, 1])  # frozen, and outside


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_a_stroke_laid_anew_goes_as_one_that_has_just_begun(average):
    settings = replace(SETTINGS, schedule="constant", average=average)
    late, fresh, plain = (Adam(drawing(), loose(), settings) for _ in range(3))
    steps = grads(late.moved, 20)
    for wanted in steps[:12]:
        late.move(wanted)
        plain.move(wanted)
    places = [t.data_ptr() for t in late.moved]
    for name in ("widths", "opacities", "colors"):  # these stay what they have become
        getattr(fresh.drawing, name).data.copy_(getattr(late.drawing, name))
        getattr(fresh.average, name).data.copy_(getattr(late.drawing, name))
    laid = drawing(seed=5).points[1, [2, 0]]
    late.lay(1, np.array([2, 0]), laid.double().numpy())
    fresh.lay(1, np.array([2, 0]), laid.double().numpy())
    assert torch.equal(late.average.points[1, [2, 0]], laid)
    for wanted in steps[12:]:
        for adam in (late, fresh, plain):
            adam.move(wanted)
    for name in ("points", "widths", "opacities", "colors"):
        for kind in ("drawing", "average"):
            mine, new, old = (getattr(getattr(a, kind), name) for a in (late, fresh, plain))
            assert torch.allclose(mine[1, [2, 0]], new[1, [2, 0]], rtol=1e-5)
            assert torch.equal(mine[0], old[0])  # others do not feel it
            assert torch.equal(mine[1, 1], old[1, 1])
    assert [t.data_ptr() for t in late.moved] == places  # a graph knows no other
