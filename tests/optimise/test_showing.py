"""Strokes shown while they are optimised: how often, whose, and to no effect."""

from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch

from clipasso import Settings
from clipasso.optimise import loop
from clipasso.optimise.job import Job
from clipasso.optimise.loop import optimise_together
from clipasso.optimise.objective import make_objective
from clipasso.optimise.showing import Showing
from clipasso.optimise.strokes import Drawing
from tiny import Blur

SETTINGS = Settings(
    strokes=2, canvas=32, seeds=3, iterations=20, pool=6, augmentations=1, evaluate_every=5,
    drop=False,
)  # fmt: skip


def make_job(encoder):
    g = torch.Generator().manual_seed(0)
    initial = Drawing.make(16 + 8 * torch.randn(3, 2, 4, 2, generator=g).numpy(), 3)
    return Job(initial, torch.rand(1, 3, 32, 32, generator=g), make_objective(encoder, SETTINGS))


class EverySecond(Showing):
    """By its clock a step takes a second."""

    def __init__(self, show):
        self.now = 0.0
        super().__init__(show, lambda: self.now)

    def look(self, tracks, strokes):
        self.now += 1.0
        super().look(tracks, strokes)


@pytest.fixture
def at_every_step(monkeypatch):
    monkeypatch.setattr(loop, "Showing", EverySecond)


def test_looks_change_nothing_and_encode_nothing(at_every_step):
    looks, seen, plain, shown = [], [], Blur(), Blur()
    (before,) = optimise_together([make_job(plain)], SETTINGS)
    (after,) = optimise_together([make_job(shown)], SETTINGS, seen.append, on_look=looks.append)
    assert torch.equal(before.points, after.points)
    assert before.curve == after.curve
    assert plain.calls == shown.calls
    assert [look.step for look in looks] == list(range(20))
    assert {look.steps for look in looks} == {20}
    assert any(look.step % 5 for look in looks)  # without waiting for an evaluation
    drawn = [look.drawing.points for look in looks]
    assert all(len(points) == 1 for points in drawn)
    assert not any(torch.equal(a, b) for a, b in pairwise(drawn))


def test_the_leading_seed_is_shown(at_every_step):
    looks, seen = [], []
    (out,) = optimise_together([make_job(Blur())], SETTINGS, seen.append, on_look=looks.append)
    at = {step: n for n, (step, _) in enumerate(out.curve)}
    for look in looks:
        if look.step in at:  # as it was evaluated
            best = seen[at[look.step]].best
            lead = min(range(3), key=best.__getitem__)
            kept = out.history[at[look.step]].points[lead]
            assert torch.equal(look.drawing.points[0], kept)


def test_half_a_second_and_rarer_where_it_takes_long():
    now, seen, slow = [0.0], [], [0.0]

    track = SimpleNamespace(active=[0], lead=0, course=SimpleNamespace(done=3, total=9))

    def show(look):
        seen.append(round(now[0], 3))
        now[0] += slow[0]

    drawing = make_job(Blur()).initial
    showing = Showing(show, lambda: now[0])
    for _ in range(20):
        showing.look([track], lambda n: drawing)
        now[0] += 0.125
    assert seen == [0.0, 0.5, 1.0, 1.5, 2.0]
    seen.clear()
    slow[0] = 1.0  # then a tenth of the time at most
    while now[0] < 25:
        showing.look([track], lambda n: drawing)
        now[0] += 0.125
    assert all(b - a >= 10 for a, b in pairwise(seen))
    assert len(seen) >= 2
