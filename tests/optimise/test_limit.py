"""Time limits: what is planned, by a clock of the test's, and what becomes of a plan."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from clipasso import ClipassoError, Settings
from clipasso.optimise.adam import Adam, decay
from clipasso.optimise.course import Course
from clipasso.optimise.job import Job
from clipasso.optimise.limit import MARGIN, Limit, Pace, plan
from clipasso.optimise.loop import optimise_together
from clipasso.optimise.objective import make_objective
from clipasso.optimise.pace import measure
from clipasso.optimise.strokes import Drawing
from clipasso.pipeline.timed import make_limit
from tiny import Blur

SETTINGS = Settings(
    strokes=2, canvas=32, seeds=3, iterations=40, pool=6, augmentations=2, evaluate_every=5,
    drop=False,
)  # fmt: skip


class Clock:
    """Shows what a test sets, and goes on by so much with every look."""

    def __init__(self, step=0.0):
        self.now, self.step = 0.0, step

    def __call__(self):
        self.now += self.step
        return self.now


def limit(seeds=(1, 3), enough=800, most=2400, until=10.0, clock=None):
    return Limit(until, until, seeds, enough, most, clock or Clock())


# What is planned.


def test_as_many_steps_as_fit():
    found = plan(limit(), Pace({1: 0.01}), 5.0)
    assert (found.seeds, found.planned) == (1, int(5.0 * MARGIN / 0.01))
    assert found.in_words() == "1 seed of 460 steps"


def test_another_seed_once_each_has_enough_steps():
    def seeds(left):
        return plan(limit(), Pace({1: 0.01}), left / MARGIN).seeds

    assert [seeds(x) for x in (15.99, 16.01, 23.99, 24.01, 1000.0)] == [1, 2, 2, 3, 3]
    assert plan(limit(), Pace({1: 0.01}), 24.1 / MARGIN).planned == 803
    assert plan(limit(), Pace({1: 0.01}), 1000.0).planned == 2400  # more were never measured


def test_where_seeds_cost_less_together():
    """As on a GPU, where three take hardly longer than one."""
    found = plan(limit(), Pace({1: 0.01, 3: 0.011}), 9.0 / MARGIN)
    assert (found.seeds, found.planned) == (3, 818)
    assert Pace({1: 0.01, 3: 0.011}).of(2) == pytest.approx(0.0105)


def test_transforms_are_encoded_before_the_steps():
    pace = Pace({1: 0.01}, encoding=0.02, pool=60, drawn=1)
    assert pace.whole(100, 1) == pytest.approx(1.0 + 60 * 0.02)
    assert pace.whole(1, 1) == pytest.approx(0.01 + 0.02)  # only those that are drawn
    assert 0.2 < pace.whole(20, 1) < 0.2 + 20 * 0.02
    assert plan(limit(), pace, 2.2 / MARGIN).planned == 100


def test_what_is_given_stays():
    pace = Pace({1: 0.01})
    assert plan(limit(seeds=(3, 3)), pace, 3.0 / MARGIN).planned == 100
    assert plan(limit(enough=50, most=50), pace, 5.0).planned == 50
    assert plan(limit(enough=50, most=50), pace, 5.0).seeds == 3


@pytest.mark.parametrize("left", [-3.0, 0.0, 0.001])
def test_no_time_is_one_step(left):
    found = plan(limit(), Pace({1: 0.01}), left)
    assert (found.seeds, found.planned) == (1, 1)
    assert "1 seed of 1 step, since nearly all of the time was over" in found.in_words()


def test_limits_of_settings():
    clock = Clock()
    clock.now = 100.0
    made = make_limit(10.0, Settings(), since=95.0, reserve=0.5, clock=clock)
    assert (made.until, made.left()) == (104.5, 4.5)
    assert (made.seeds, made.enough, made.most) == ((1, 3), 400, 1200)
    asked = make_limit(10.0, Settings(seeds=2, iterations=50), ("seeds", "iterations"))
    assert (asked.seeds, asked.enough, asked.most) == ((2, 2), 50, 50)
    for seconds in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ClipassoError, match="--time"):
            make_limit(seconds, Settings())


# What becomes of it.


def run_course(course, clock, seconds):
    """Take steps that last so long; returns the places in the schedule."""
    places = []
    while True:
        if course.changed():
            rest = course.rest()
            assert len(rest) == course.total - course.done
            assert rest[0] == pytest.approx(course.at)
        if course.ended:
            return places
        places.append(course.at)
        clock.now += seconds(course.done)
        course.advance()


def test_a_course_without_limit_is_the_schedule():
    course = Course(7)
    assert run_course(course, Clock(), lambda n: 1.0) == list(range(7))
    assert (course.part, course.kept, course.total) == (1.0, True, 7)


def test_steps_as_foretold_keep_the_plan():
    clock = Clock()
    course = Course(90, limit(until=10.0, clock=clock), 0.1)
    run_course(course, clock, lambda n: 0.1 + 0.02 * (n % 10 == 0))
    assert (course.kept, course.total) == (True, 90)


@pytest.mark.parametrize("from_step", [0, 30, 80])
def test_slower_steps_compress_the_rest(from_step):
    clock = Clock()
    course = Course(90, limit(until=10.0, clock=clock), 0.1)
    places = run_course(course, clock, lambda n: 0.4 if n >= from_step else 0.1)
    assert not course.kept
    assert clock.now < 10.0 + 2 * 0.4
    assert course.total == len(places) < 90
    strides = np.diff([*places, 90.0])
    assert strides.min() >= 0.99
    assert places[: from_step + 1] == list(range(from_step + 1))
    assert course.part == 1.0


def test_one_long_step_is_no_slower_machine():
    clock = Clock()
    course = Course(90, limit(until=12.0, clock=clock), 0.1)
    run_course(course, clock, lambda n: 1.5 if n == 20 else 0.1)
    assert course.kept


def test_a_schedule_is_stretched_again_but_never_beyond_the_plan():
    clock = Clock()
    course = Course(90, limit(until=10.0, clock=clock), 0.1)
    places = run_course(course, clock, lambda n: 0.5 if 10 <= n < 16 else 0.05)
    assert np.diff([*places, 90.0]).min() >= 0.99
    assert 60 < course.total <= 90


def test_a_late_start_still_takes_a_step():
    clock = Clock()
    clock.now = 50.0
    course = Course(90, limit(until=10.0, clock=clock), 0.1)
    assert run_course(course, clock, lambda n: 0.1) == [0.0]
    assert course.part == 1.0


def test_adam_follows_the_rest_of_the_schedule():
    settings = replace(SETTINGS, iterations=40, average=0.0, learning_rate=2.0)
    drawing = Drawing.make(np.full((1, 1, 4, 2), 16.0), 3)
    plain, quick = (Adam(drawing, torch.zeros(1, 1, dtype=torch.bool), settings) for _ in "ab")
    one = [torch.ones_like(t) for t in plain.moved]  # Adam's step is then the rate itself
    quick.follow(np.array([10.0, 25.0, 39.0]), first=10)
    moves = []
    for step in range(13):
        before = quick.drawing.points.detach().clone()
        quick.move(one)
        moves.append(float((before - quick.drawing.points).detach().max()))
        if step < 11:
            plain.move(one)
        if step == 10:
            assert torch.equal(plain.drawing.points, quick.drawing.points)
    rates = [2.0 / 7 * decay(place, settings) for place in (10.0, 25.0, 39.0)]
    assert moves[10:] == pytest.approx(rates, rel=1e-3)


# The loop within one.


@pytest.fixture
def job():
    g = torch.Generator().manual_seed(0)
    initial = Drawing.make(16 + 8 * torch.randn(3, 2, 4, 2, generator=g).numpy(), 3)
    photo = torch.rand(1, 3, 32, 32, generator=g)

    def make(settings):
        return Job(initial, photo, make_objective(Blur(), settings))

    return make


@pytest.mark.parametrize("settings", [SETTINGS, replace(SETTINGS, pool=0)])
def test_what_was_planned_is_the_same_run_by_hand(job, settings):
    """So the steps that are tried leave no trace, and the report's numbers are enough."""
    limited = limit((1, 3), enough=15, most=200, until=120.0, clock=Clock(1.0))
    (out,) = optimise_together([job(settings)], settings, limit=limited)
    assert out.plan.seeds == len(out.losses) == 3
    assert 15 <= out.plan.planned < 200
    assert out.plan.kept
    assert (out.stopped, out.steps) == ("finished", out.plan.steps)
    by_hand = replace(settings, iterations=out.plan.planned)
    (again,) = optimise_together([job(by_hand)], by_hand)
    assert again.curve == out.curve
    assert torch.equal(again.points, out.points)


def test_fewer_seeds_are_the_first_ones(job):
    limited = limit((1, 3), enough=100, most=100, until=40.0, clock=Clock(1.0))
    (out,) = optimise_together([job(SETTINGS)], SETTINGS, limit=limited)
    assert out.plan.seeds == len(out.losses) == 1
    by_hand = replace(SETTINGS, iterations=out.plan.planned)
    (again,) = optimise_together([job(by_hand).first(1)], by_hand)
    assert torch.equal(again.points, out.points)


def test_a_machine_that_slows_down_ends_in_time(job):
    clock, seen = Clock(1.0), []
    limited = limit((1, 1), enough=100, most=100, until=80.0, clock=clock)

    def slow(progress):
        seen.append(progress)
        clock.step = 4.0

    (out,) = optimise_together([job(SETTINGS)], SETTINGS, slow, limit=limited)
    assert clock.now <= 80.0 + 2 * 4.0
    assert not out.plan.kept
    assert out.plan.steps == out.steps < out.plan.planned
    assert out.stopped == "finished"
    assert seen[-1].step == seen[-1].steps == out.steps
    assert "were planned, but they took longer" in out.plan.in_words()


def test_strokes_that_are_all_given_are_one_seed(job):
    """There may be fewer seeds to choose from than the settings have."""
    limited = limit((3, 3), enough=10, most=20, until=500.0, clock=Clock(1.0))
    (out,) = optimise_together([job(SETTINGS).first(1)], SETTINGS, limit=limited)
    assert (out.plan.seeds, len(out.losses)) == (1, 1)


def test_trying_takes_a_small_part_of_the_time(job):
    class Slow(Blur):
        def encode(self, images, layers=()):
            clock.now += 1.0
            return super().encode(images, layers)

    clock = Clock()
    made = replace(job(SETTINGS), objective=make_objective(Slow(), SETTINGS))
    pace = measure([made], SETTINGS, limit(until=20.0, clock=clock))
    assert clock.now < 10.0
    assert pace.steps == {1: 1.0}
    assert 0 < pace.encoding < 1.0
    clock.now = 0.0
    pace = measure([made], SETTINGS, limit(enough=20, until=200.0, clock=clock))
    assert pace.steps[3] > pace.steps[1] == 1.0
    assert clock.now < 40.0


def test_time_that_is_over_tries_nothing(job):
    encoder = Blur()
    made = replace(job(SETTINGS), objective=make_objective(encoder, SETTINGS))
    (out,) = optimise_together([made], SETTINGS, limit=limit(until=-1.0))
    assert (out.steps, out.plan.seeds) == (1, 1)
    # The photo, under one step's transforms, the step's images, and two evaluations.
    assert encoder.calls <= 1 + 2 * 2 + 3 + 2 + 2


def test_time_is_left_for_what_comes_after_unless_it_is_a_large_part():
    now = limit()
    left = now.left()
    less, kept = now.before(0.05 * left)
    assert kept
    assert less.left() == pytest.approx(0.95 * left)
    assert now.before(0.5 * left) == (now, False)
    assert now.before(float("inf")) == (now, False)
    assert now.before(0.0)[1]
