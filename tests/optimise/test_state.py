"""A run that goes on from what an earlier one kept ends as if it had never been interrupted."""

import threading
from dataclasses import replace

import pytest
import torch

from clipasso import ClipassoError, Settings
from clipasso.optimise.job import Job
from clipasso.optimise.loop import optimise_together
from clipasso.optimise.objective import make_objective
from clipasso.optimise.state import Keeping
from clipasso.optimise.strokes import Drawing
from clipasso.raster import rasterize
from tiny import Blur

SETTINGS = Settings(
    strokes=2, canvas=32, seeds=4, iterations=23, pool=20, augmentations=2, evaluate_every=5,
)  # fmt: skip


@pytest.fixture(scope="module")
def scene():
    target = torch.tensor(
        [[[6.0, 6], [12, 8], [20, 8], [26, 6]], [[6, 24], [12, 20], [20, 20], [26, 24]]]
    )
    photo = rasterize(target[None], widths=3.0, size=32).expand(-1, 3, -1, -1).contiguous()
    g = torch.Generator().manual_seed(0)
    return photo, target + torch.randn(4, 2, 4, 2, generator=g) * 3


def run(scene, settings, *, frozen=False, **how):
    photo, initial = scene
    drawing = Drawing.make(initial, 3, frozen=frozen)
    job = Job(drawing, photo, make_objective(Blur(), settings))
    (out,) = optimise_together([job], settings, **how)
    return out


def everything(out):
    """All that a result is made of, to be compared to the bit."""
    drawings = [out.drawing, *out.history]
    return (
        [t.numpy().tobytes() for d in drawings for t in d.tensors().values()],
        out.losses, out.terms, out.curve, out.steps, out.stopped, dict(out.lost),
    )  # fmt: skip


@pytest.mark.parametrize("changes", [
    {},
    {"pool": 0},  # fresh transforms in every step: the generator's state counts
    {"average": 0.0, "width_rate": 0.1, "opacity_rate": 0.01, "color_rate": 0.01},
    {"drop": False, "tolerance": 1e-3, "iterations": 40, "schedule": "constant"},
    {"augmentations": 0, "pool": 0},
])  # fmt: skip
def test_it_ends_as_if_it_had_never_been_interrupted(scene, changes):
    settings, kept = replace(SETTINGS, **changes), []
    whole = run(scene, settings, keeping=Keeping(4, kept.append))
    assert [s.step for s in kept] == [n for n in range(4, settings.iterations, 4)
                                      if n <= whole.steps]  # fmt: skip
    assert everything(whole) == everything(run(scene, settings))  # keeping changes nothing
    for state in kept:
        again = run(scene, settings, keeping=Keeping(begin=state))
        assert everything(again) == everything(whole), state.step


def test_an_interrupt_keeps_the_step_that_it_fell_on(scene):
    kept, stop = [], threading.Event()

    def on_progress(progress):
        if progress.step == 10:
            stop.set()

    cut = run(
        scene, SETTINGS, on_progress=on_progress, stop=stop, keeping=Keeping(1000, kept.append)
    )
    (state,) = kept
    assert cut.stopped == "interrupted"
    assert state.step == 11
    again = run(scene, SETTINGS, keeping=Keeping(begin=state))
    assert everything(again) == everything(run(scene, SETTINGS))


def test_the_time_of_both_counts(scene):
    kept, told = [], []
    run(scene, SETTINGS, keeping=Keeping(8, kept.append))
    before = replace(kept[0], seconds=1000.0)
    run(scene, SETTINGS, keeping=Keeping(begin=before), on_progress=told.append)
    assert all(progress.seconds > 1000 for progress in told)


@pytest.fixture(scope="module")
def state(scene):
    kept = []
    run(scene, SETTINGS, keeping=Keeping(8, kept.append))
    return replace(kept[0], where="c.st")


def test_another_photo_or_first_strokes_are_refused(scene, state):
    photo, initial = scene
    with pytest.raises(ClipassoError, match=r"c\.st: its photo, mask or encoder"):
        run((photo.flip(3).roll(3, 2), initial), SETTINGS, keeping=Keeping(begin=state))
    with pytest.raises(ClipassoError, match="first strokes"):
        run((photo, initial + 1), SETTINGS, keeping=Keeping(begin=state))
    with pytest.raises(ClipassoError, match="first strokes"):
        run(scene, SETTINGS, frozen=[True, False], keeping=Keeping(begin=state))
    # On another machine they may have been drawn otherwise, and the kept ones go on.
    run((photo, initial + 1), SETTINGS, keeping=Keeping(begin=replace(state, same_place=False)))


@pytest.mark.parametrize(
    "name", ["adam.points.mean", "generator", "curve", "course", "best.points"]
)
def test_what_is_damaged_is_refused(scene, state, name):
    for tensors in (
        {k: v for k, v in state.tensors.items() if k != name},
        {**state.tensors, name: torch.zeros(3, 1)},
    ):
        with pytest.raises(ClipassoError, match=r"c\.st: does not fit this run"):
            run(scene, SETTINGS, keeping=Keeping(begin=replace(state, tensors=tensors)))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1e30])
@pytest.mark.parametrize("name", ["adam.points.values", "best.widths", "way.points", "course"])
def test_strokes_that_cannot_be_drawn_are_refused(scene, state, name, value):
    tensors = {**state.tensors, name: torch.full_like(state.tensors[name], value)}
    with pytest.raises(ClipassoError, match=r"c\.st: does not fit this run"):
        run(scene, SETTINGS, keeping=Keeping(begin=replace(state, tensors=tensors)))


class Failing(Blur):
    """Sees no numbers any more after so many looks."""

    def __init__(self, after):
        super().__init__()
        self.after, self.looks = after, 0

    def encode(self, images, layers=()):
        self.looks += 1
        seen = super().encode(images, layers)
        if self.looks > self.after:
            seen = replace(seen, embedding=seen.embedding * float("nan"))
        return seen


@pytest.mark.parametrize("after", [10**9, 20, 21, 23, 1])  # in an evaluation and between two
def test_a_loss_that_is_no_number_ends_the_run_with_the_best_so_far(scene, after):
    photo, initial = scene
    settings = replace(SETTINGS, pool=0, augmentations=0, seeds=1, iterations=60)
    encoder = Failing(after)
    job = Job(Drawing.make(initial[:1], 3), photo, make_objective(encoder, settings))
    (out,) = optimise_together([job], settings)
    assert bool(out.points.isfinite().all())
    if after > 60:
        assert (out.stopped, dict(out.lost)) == ("finished", {})
        return
    assert out.stopped == "diverged"
    assert out.lost == {0: out.steps}
    assert out.steps < 60  # no work for nothing
    if after == 1:
        assert out.losses == (float("inf"),)
        assert torch.equal(out.points[0], initial[0])
    else:
        assert out.losses[0] == min(x[0] for _, x in out.curve[:-1])
