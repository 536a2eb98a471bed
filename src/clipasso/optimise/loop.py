"""The loop (sections 3.2 and A): steps, and an evaluation every few of them."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from clipasso.optimise.adam import Adam, decay
from clipasso.optimise.best_so_far import Outcome, Progress, Track, still_racing
from clipasso.optimise.course import Course
from clipasso.optimise.encoded_photo import PhotoPool, shared_objective
from clipasso.optimise.job import Job, owners, strokes_of_all
from clipasso.optimise.limit import Limit, TimePlan, plan
from clipasso.optimise.memory import keep_freed_memory
from clipasso.optimise.objective import Objective
from clipasso.optimise.pace import measure
from clipasso.optimise.showing import Look, Showing
from clipasso.optimise.state import Keeping, Run
from clipasso.optimise.step import Step, prefix_lengths
from clipasso.optimise.strokes import Drawing
from clipasso.settings import Settings

__all__ = [
    "Job", "Outcome", "Progress", "learning_rate", "optimise", "optimise_together", "still_racing",
]  # fmt: skip


def learning_rate(step: int, settings: Settings) -> float:
    """Pixels of the 224 canvas that Adam may move a point by at this step."""
    return settings.learning_rate * decay(step, settings)


def optimise(
    initial: Drawing,
    photo: Tensor,
    objective: Objective,
    settings: Settings,
    on_progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> Outcome:
    """Optimise several seeds' strokes together until each converges.

    Args:
        initial, photo, objective: as in `Job`.
        on_progress: called at every evaluation.
        stop: once set, the loop ends at the next step and returns the best so far.
    """
    job = Job(initial, photo, objective)
    return optimise_together([job], settings, on_progress, stop)[0]


def optimise_together(
    jobs: Sequence[Job],
    settings: Settings,
    on_progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    *,
    on_look: Callable[[Look], None] | None = None,
    limit: Limit | None = None,
    keeping: Keeping | None = None,
    after: int = 0,
) -> list[Outcome]:
    """Optimise several photos' strokes in one batch, each as it would be alone.

    Every photo's seeds converge and race among themselves. On a GPU a batch of many images costs
    less than as many small ones; a CPU encodes one seed at a time anyway. On CUDA steps are CUDA
    graphs where that is possible, which has not yet been run on a GPU.

    Args:
        jobs: at least one; their drawings have as many strokes and points as each other, their
            objectives differ in `outside` alone, and all are on one device.
        on_progress: called at every evaluation for each photo that has not ended before.
        stop: once set, the loop ends at the next step and returns the best so far of all photos.
        on_look: called every half second with strokes of each photo in work, evaluated or not.
        limit: chooses the seeds, of those that the jobs have, and the steps, in place of the
            settings' `iterations`.
        keeping: when the state of the run is kept, and what it goes on from; for one job without
            a limit.
        after: sketches that are to be drawn and encoded once the steps are over: a limit leaves
            time for them, unless that is too much of what there is (`TimePlan.after`).

    Returns:
        One outcome a job, in their order.

    Raises:
        ClipassoError: what it is to go on from is of another run.
    """
    device, began = jobs[0].photo.device, time.monotonic()
    if device.type == "cpu":
        keep_freed_memory()
    chosen, course = _planned(jobs, settings, limit, after)
    if chosen is not None:
        settings = replace(settings, iterations=chosen.planned)
        jobs = [job.first(chosen.seeds) for job in jobs]
    generator = torch.Generator().manual_seed(settings.seed)
    objective = shared_objective([job.objective for job in jobs])
    pool = PhotoPool(
        torch.cat([job.photo for job in jobs]), objective, settings, generator,
        ahead=device.type != "cpu",  # elsewhere the host is not to be waited for between steps
    )  # fmt: skip
    adam = strokes_of_all(jobs, settings)
    photos = owners(jobs)
    parts = [range(photos.index(n), photos.index(n) + photos.count(n)) for n in range(len(jobs))]

    def strokes(n: int) -> Drawing:
        mine = adam.average.seeds(slice(parts[n].start, parts[n].stop))
        return replace(mine, frozen=jobs[n].initial.frozen.to(device))

    tracks = [Track(strokes(n), settings, course) for n in range(len(jobs))]
    showing = Showing(on_look)
    step = Step(adam, pool, photos, settings.canvas, prefix_lengths(settings, adam))
    if device.type == "cuda":
        step.capture()
    keeping, run = keeping or Keeping(), Run(jobs, pool, adam, tracks, course)
    began -= keeping.start(run)
    step.keep(_going(tracks, parts))

    while True:
        _steer(adam, course)
        stopping = stop is not None and stop.is_set()
        last = course.ended or stopping
        keeping.see(run, time.monotonic() - began, stopping)
        evaluating = last or course.done % settings.evaluate_every == 0
        if evaluating:  # before the look, so that nothing is kept with strokes off the page
            for n, (job, part, track) in enumerate(zip(jobs, parts, tracks, strict=True)):
                going = {k: part[k] for k in track.active}
                _lay_anew(adam, strokes(n), going, job, course.done)
        if not last:
            pool.encode_for(course.done)
            step.look()
        if last or (evaluating and settings.average):
            step.evaluate()  # else the step's own clean pairs serve
        if evaluating:
            found = _found(step)
            for n in [n for n, track in enumerate(tracks) if track.active]:
                tracks[n].evaluate(strokes(n), _own(found, parts[n], jobs[n]))
                if on_progress is not None:
                    on_progress(tracks[n].progress(time.monotonic() - began, n))
            active = _going(tracks, parts)
            if last or not active:
                break
            step.keep(active)
        showing.look(tracks, strokes)
        step.move()
        course.advance()

    notes = () if step.note is None else (step.note,)
    outcomes = [track.outcome(notes, chosen and chosen.followed(course)) for track in tracks]
    return _cut(outcomes, jobs, step)


def _going(tracks: Sequence[Track], parts: Sequence[range]) -> list[int]:
    """The seeds of all photos that go on."""
    return [part[k] for track, part in zip(tracks, parts, strict=True) for k in track.active]


def _steer(adam: Adam, course: Course) -> None:
    """Compress the rest of the schedule where it would end too late."""
    if course.changed():
        adam.follow(course.rest(), course.done)


def _planned(
    jobs: Sequence[Job], settings: Settings, limit: Limit | None, after: int
) -> tuple[TimePlan | None, Course]:
    """What is chosen for a time limit, if there is one, and the course of the run."""
    if limit is None:
        return None, Course(settings.iterations)
    limit = limit.with_seeds(min(len(job.initial) for job in jobs))
    pace = measure(jobs, settings, limit)
    limit, kept = limit.before(after * pace.seeing if after else 0.0)
    chosen = replace(plan(limit, pace, limit.left()), after=kept)
    return chosen, Course(chosen.planned, limit, pace.of(chosen.seeds))


def _lay_anew(adam: Adam, now: Drawing, going: Mapping[int, int], job: Job, step: int) -> None:
    """Give a photo's seeds other strokes for those that left the page.

    Args:
        now: its seeds' strokes.
        going: those of its seeds that go on, and their numbers among all photos' seeds.
        step: gradient steps taken so far.
    """
    if job.page is None or job.anew is None or not going:
        return
    now = now.clone().to("cpu")
    lost = job.page.lost(now)
    for k in [k for k in going if lost[k].any()]:
        gone, kept = np.flatnonzero(lost[k]), np.flatnonzero(~lost[k])
        points = job.anew(len(gone), k, step, now.only(k).strokes(torch.tensor(kept)))
        widths = now.widths[k, gone].double().numpy()
        adam.lay(going[k], gone, job.page.held(points, widths))


def _cut(outcomes: Sequence[Outcome], jobs: Sequence[Job], step: Step) -> list[Outcome]:
    """What was found, without what is off the page; seeds that this changes are judged anew."""
    drawings = [out.drawing if job.page is None else job.page.cut(out.drawing)
                for job, out in zip(jobs, outcomes, strict=True)]  # fmt: skip
    whole, before = Drawing.join(drawings), Drawing.join([out.drawing for out in outcomes])
    losses = [loss for out in outcomes for loss in out.losses]
    changed = [k for k in whole.unlike(before) if math.isfinite(losses[k])]
    found: dict[int, dict[str, float]] = {}
    if changed:
        step.evaluate(whole.to(jobs[0].photo.device), changed)
        found = {k: terms for k, terms in _found(step).items() if math.isfinite(terms["total"])}
    first, made = 0, []
    for job, out, drawing in zip(jobs, outcomes, drawings, strict=True):
        own = _own(found, range(first, first + len(drawing)), job)
        made.append(out.judged(drawing, own))
        first += len(drawing)
    return made


def _own(
    found: Mapping[int, dict[str, float]], part: range, job: Job
) -> dict[int, dict[str, float]]:
    """A photo's part of what was found: by its own seeds' numbers, and its own terms."""
    known = job.objective.outside is not None  # another photo's background is no matter
    return {k: {name: value for name, value in found[seed].items()
                if known or name != "background"}
            for k, seed in enumerate(part) if seed in found}  # fmt: skip


def _found(step: Step) -> dict[int, dict[str, float]]:
    """The loss terms of every seed that was looked at; here the host waits for the device."""
    columns = zip(*step.terms.tolist(), strict=True)
    return {seed: dict(zip(step.names, column, strict=True))
            for seed, column in zip(step.seeds, columns, strict=True)}  # fmt: skip
