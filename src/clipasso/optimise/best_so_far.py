"""What is known of one photo's seeds while they are optimised, and what comes of it."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from clipasso.optimise.course import Course
from clipasso.optimise.limit import TimePlan
from clipasso.optimise.strokes import Drawing
from clipasso.settings import Settings

__all__ = ["Outcome", "Progress", "Track", "still_racing"]

_log = logging.getLogger(__name__)

_HALVED, _DECIDED = 0.1, 0.3  # parts of the steps after which half the seeds, and one, go on


@dataclass(frozen=True)
class Progress:
    """What the callback is told at every evaluation.

    Attributes:
        step, steps: how far, and how far at most.
        seconds: since the loop began.
        losses: evaluation loss of each seed, `[seeds]`.
        best: best evaluation loss of each seed so far, `[seeds]`.
        drawing: the best seed's best strokes so far, on the CPU; not to be changed.
        photo: which of the photos that are optimised together, from 0.
    """

    step: int
    steps: int
    seconds: float
    losses: tuple[float, ...]
    best: tuple[float, ...]
    drawing: Drawing
    photo: int = 0


@dataclass(frozen=True)
class Outcome:
    """What the loop found for a photo.

    Attributes:
        drawing: best evaluated strokes of each seed, cut at the page.
        losses: their evaluation loss, `[seeds]`; where something was cut off, that of what is left;
            infinite for a seed whose loss never was a number.
        terms: their loss term by term: name to `[seeds]`.
        curve: (step, evaluation loss of each seed) for every evaluation, nothing being cut there.
        history: the strokes of all seeds as they were at each evaluation (figure 7).
        steps: gradient steps that the longest seed took.
        stopped: `finished`, `converged` (all seeds), `interrupted`, or `diverged`: the last seeds
            went on to a loss that is no number.
        notes: what a person should be told of how it was computed.
        plan: what was chosen for a time limit; None where there was none.
        lost: seeds whose loss stopped being a number, and at which step.
    """

    drawing: Drawing
    losses: tuple[float, ...]
    terms: dict[str, tuple[float, ...]]
    curve: tuple[tuple[int, tuple[float, ...]], ...]
    history: tuple[Drawing, ...]
    steps: int
    stopped: str
    notes: tuple[str, ...] = ()
    plan: TimePlan | None = None
    lost: Mapping[int, int] = field(default_factory=dict)

    @property
    def points(self) -> Tensor:
        """Control points of `drawing`, `[seeds, strokes, points, 2]`, canvas pixels."""
        return self.drawing.points

    def judged(self, drawing: Drawing, found: Mapping[int, Mapping[str, float]]) -> Outcome:
        """The same with other strokes of some seeds, and these seeds' loss terms."""
        terms = {
            name: tuple(found[k][name] if k in found else old for k, old in enumerate(values))
            for name, values in self.terms.items()
        }
        losses = tuple(found[k]["total"] if k in found else x for k, x in enumerate(self.losses))
        return replace(self, drawing=drawing, losses=losses, terms=terms)

    @property
    def winner(self) -> int:
        """The seed with the lowest evaluation loss."""
        return min(range(len(self.losses)), key=self.losses.__getitem__)


class Track:
    """The evaluations of one photo's seeds: their best strokes, and which of them go on.

    Args:
        start: the strokes of its seeds, on any device.
        settings: of these `tolerance` and `drop`.
        course: how far the run is.

    Attributes:
        active: its seeds that go on, from 0.
        names: of the loss terms, once there was an evaluation.
    """

    def __init__(self, start: Drawing, settings: Settings, course: Course) -> None:
        self.settings, self.course, seeds = settings, course, len(start)
        self.active = list(range(seeds))
        self._best, self._losses = start.clone(), [math.inf] * seeds
        self._terms: list[Mapping[str, float]] = [{} for _ in range(seeds)]
        self.names: tuple[str, ...] = ()
        self._lost: dict[int, int] = {}
        self._previous = [math.inf] * seeds
        self._curve: list[tuple[int, tuple[float, ...]]] = []
        self._history: list[Drawing] = []

    @property
    def lead(self) -> int:
        """The seed with the lowest loss so far; the first before there is any."""
        return min(range(len(self._losses)), key=self._losses.__getitem__)

    def best(self, seed: int) -> Drawing:
        """Its best strokes so far, a copy on the CPU."""
        return self._best.only(seed).clone().to("cpu")

    def evaluate(self, now: Drawing, found: Mapping[int, Mapping[str, float]]) -> None:
        """Take note of an evaluation, and of the seeds that stop with it.

        Args:
            now: the strokes of all its seeds as they were evaluated.
            found: loss terms of every active seed, `total` among them.
        """
        values = list(self._previous)
        for k in self.active:
            self.names = tuple(found[k])
            values[k] = found[k]["total"]
            if not math.isfinite(values[k]):
                self._lost[k] = self.course.done
            elif values[k] < self._losses[k]:
                self._losses[k], self._terms[k] = values[k], found[k]
                self._best.put(k, now)
        self._curve.append((self.course.done, tuple(values)))
        self._history.append(now.clone().to("cpu"))
        tolerance, before = self.settings.tolerance, self._previous
        going = [k for k in self.active if k not in self._lost]
        self.active = [k for k in going if abs(before[k] - values[k]) >= tolerance]
        if self.settings.drop:
            self.active = still_racing(self.active, self._losses, self.course.part)
        self._previous = values
        _log.debug("step %d: losses %s, seeds %s go on", self.course.done,
                   ", ".join(f"{value:.4g}" for value in values), self.active)  # fmt: skip

    def progress(self, seconds: float, photo: int) -> Progress:
        """The last evaluation in words for the callback."""
        step, losses = self._curve[-1]
        best, steps = self.best(self.lead), self.course.total
        return Progress(step, steps, seconds, losses, tuple(self._losses), best, photo)

    def outcome(self, notes: tuple[str, ...] = (), plan: TimePlan | None = None) -> Outcome:
        """What was found up to the last evaluation."""
        step = self._curve[-1][0]
        stopped = "finished" if self.course.ended else "interrupted"
        if not self.active:
            stopped = "diverged" if step in self._lost.values() else "converged"
        return Outcome(
            drawing=self._best.to("cpu"),
            losses=tuple(self._losses),
            terms={n: tuple(t.get(n, math.inf) for t in self._terms) for n in self.names},
            curve=tuple(self._curve),
            history=tuple(self._history),
            steps=step,
            stopped=stopped,
            notes=notes,
            plan=plan,
            lost=dict(self._lost),
        )

    def tensors(self) -> dict[str, Tensor]:
        """All that it has taken note of, by name."""

        def numbers(rows: object) -> Tensor:
            return torch.tensor(rows, dtype=torch.float64)

        best = {f"best.{name}": tensor for name, tensor in self._best.tensors().items()}
        ways = [drawing.tensors() for drawing in self._history]
        return {
            "active": torch.tensor(self.active, dtype=torch.long),
            "losses": numbers([self._losses, self._previous]),
            "lost": torch.tensor(sorted(self._lost.items()), dtype=torch.long).reshape(-1, 2),
            "terms": numbers([[t.get(n, math.inf) for n in self.names] for t in self._terms]),
            "curve": numbers([[step, *losses] for step, losses in self._curve]),
            **best,
            **{f"way.{name}": torch.stack([way[name] for way in ways]) for name in ways[0]},
        }

    def put_back(self, tensors: Mapping[str, Tensor], names: tuple[str, ...]) -> None:
        """Take note of all that `tensors` gave; not much is checked.

        Raises:
            ArithmeticError, LookupError, ValueError, RuntimeError, TypeError: it does not fit.
        """
        self._losses, self._previous = tensors["losses"].tolist()
        terms, seeds = tensors["terms"].tolist(), len(self._losses)
        self.names = names
        self._terms = [
            dict(zip(names, row, strict=True)) if math.isfinite(loss) else {}
            for row, loss in zip(terms, self._losses, strict=True)
        ]
        self._lost = {int(k): int(step) for k, step in tensors["lost"].tolist()}
        self._curve = [(int(step), tuple(row)) for step, *row in tensors["curve"].tolist()]
        kept = {name: tensors[f"best.{name}"] for name in self._best.tensors()}
        for name, tensor in self._best.tensors().items():
            tensor.copy_(kept[name])
        ways = zip(*(tensors[f"way.{name}"] for name in kept), strict=True)
        first = self._best.clone().to("cpu")
        self._history = [
            replace(first, **{n: t.clone() for n, t in zip(kept, way, strict=True)}) for way in ways
        ]
        self.active = [int(k) for k in tensors["active"].tolist()]
        fitting = len(self._losses) == len(self._best) and len(self._history) == len(self._curve)
        if not (fitting and self._curve and all(0 <= k < seeds for k in self.active)):
            raise ValueError("seeds or evaluations are missing")


def still_racing(active: list[int], best: list[float], progress: float) -> list[int]:
    """The seeds that may yet win; the others cost as much and end as nothing.

    Successive halving: the better half of all seeds goes on after a tenth of the steps, and the
    best one after three tenths. Of seeds that are as good the first go on. `benchmarks/race.py`
    counts how often the winner of a whole run would have been given up.

    Args:
        active: seeds that have not converged.
        best: best evaluation loss of every seed so far.
        progress: part of the steps done, 0..1.
    """
    if progress < _HALVED:
        return active
    going = 1 if progress >= _DECIDED else -(-len(best) // 2)
    ahead = sorted(range(len(best)), key=best.__getitem__)[:going]
    return [k for k in active if k in ahead]
