"""The loop: rasterise, augment, encode, loss, step (sections 3.2 and A)."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from clipasso.drawing import Drawing
from clipasso.loss import Loss
from clipasso.objective import Objective
from clipasso.settings import Settings
from clipasso.targets import PhotoPool

__all__ = ["Outcome", "Progress", "learning_rate", "optimise", "still_racing"]

_RACE = ((0.5, 0.025), (0.25, 0.05))  # part of the steps, and how far behind a seed may be then
_THINNEST, _THICKEST = 0.5, 100.0  # pixels of the 224 canvas that an optimised width may reach


@dataclass(frozen=True)
class Progress:
    """What the callback is told at every evaluation.

    Attributes:
        step, steps: how far, and how far at most.
        seconds: since the loop began.
        losses: evaluation loss of each seed, `[seeds]`.
        best: best evaluation loss of each seed so far, `[seeds]`.
        drawing: the best seed's best strokes so far, on the CPU; not to be changed.
    """

    step: int
    steps: int
    seconds: float
    losses: tuple[float, ...]
    best: tuple[float, ...]
    drawing: Drawing


@dataclass(frozen=True)
class Outcome:
    """What the loop found.

    Attributes:
        drawing: best evaluated strokes of each seed.
        losses: their evaluation loss, `[seeds]`.
        terms: their loss term by term: name to `[seeds]`.
        curve: (step, evaluation loss of each seed) for every evaluation.
        history: the strokes of all seeds as they were at each evaluation (figure 7).
        steps: gradient steps that the longest seed took.
        stopped: `finished`, `converged` (all seeds) or `interrupted`.
    """

    drawing: Drawing
    losses: tuple[float, ...]
    terms: dict[str, tuple[float, ...]]
    curve: tuple[tuple[int, tuple[float, ...]], ...]
    history: tuple[Drawing, ...]
    steps: int
    stopped: str

    @property
    def points(self) -> Tensor:
        """Control points of `drawing`, `[seeds, strokes, points, 2]`, canvas pixels."""
        return self.drawing.points

    @property
    def winner(self) -> int:
        """The seed with the lowest evaluation loss."""
        return min(range(len(self.losses)), key=self.losses.__getitem__)


def learning_rate(step: int, settings: Settings) -> float:
    """Pixels of the 224 canvas that Adam may move a point by at this step."""
    return settings.learning_rate * _decay(step, settings)


def _decay(step: int, settings: Settings) -> float:
    if settings.schedule == "constant":
        return 1.0
    return 0.1 + 0.9 * (1 + math.cos(math.pi * step / max(1, settings.iterations))) / 2


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
        initial: where the strokes start.
        photo: `[1, 3, canvas, canvas]`, 0..1, on the device to work on.
        objective: what is minimised; its encoder is on the same device.
        on_progress: called at every evaluation.
        stop: once set, the loop ends at the next step and returns the best so far.
    """
    device, began = photo.device, time.monotonic()
    generator = torch.Generator().manual_seed(settings.seed)
    pool = PhotoPool(photo, objective, settings, generator)
    now, adam = _prepare(initial.to(device), settings)
    seeds = len(now)
    active = list(range(seeds))
    best, best_losses = now.clone(), [math.inf] * seeds
    best_terms: list[dict[str, float]] = [{} for _ in range(seeds)]
    previous, curve, stopped = [math.inf] * seeds, [], "finished"
    history: list[Drawing] = []
    # A CPU works best on one seed's images at a time, which stay in its cache.
    together = 1 if device.type == "cpu" else seeds

    for step in range(settings.iterations + 1):
        last = step == settings.iterations or (stop is not None and stop.is_set())
        evaluating = last or step % settings.evaluate_every == 0
        targets = pool.draw(0 if last else settings.augmentations)
        images = now.render(settings.canvas)
        leaf = images.detach().requires_grad_()
        losses: list[Loss] = []
        for some in torch.tensor(active).split(together):
            loss = targets.loss(leaf[some.to(device)])
            if not last:
                loss.total.sum().div(len(targets)).backward()
            losses.append(loss)

        if evaluating:
            values = list(previous)
            for k, terms in zip(active, _clean_terms(losses, len(targets)), strict=True):
                values[k] = terms["total"]
                if terms["total"] < best_losses[k]:
                    best_losses[k], best_terms[k] = terms["total"], terms
                    best.put(k, now)
            curve.append((step, tuple(values)))
            history.append(now.clone().to("cpu"))
            if on_progress is not None:
                lead = min(range(seeds), key=best_losses.__getitem__)
                on_progress(Progress(
                    step, settings.iterations, time.monotonic() - began,
                    tuple(values), tuple(best_losses), best.only(lead).clone().to("cpu"),
                ))  # fmt: skip
            # A loss that is no number ends its seed too: the comparison is false.
            active = [k for k in active if abs(previous[k] - values[k]) >= settings.tolerance]
            if settings.drop:
                active = still_racing(active, best_losses, step / settings.iterations)
            previous = values
            if last or not active:
                if not active:
                    stopped = "converged"
                elif step < settings.iterations:
                    stopped = "interrupted"
                break

        images.backward(leaf.grad)
        _step(now, adam, step, settings, active)

    return Outcome(
        drawing=best.to("cpu"),
        losses=tuple(best_losses),
        terms={name: tuple(t[name] for t in best_terms) for name in best_terms[0]},
        curve=tuple(curve),
        history=tuple(history),
        steps=step,
        stopped=stopped,
    )


def still_racing(active: list[int], best: list[float], progress: float) -> list[int]:
    """The seeds that may yet win; the others cost as much and end as nothing.

    `benchmarks/race.py` counts how often the winner of a whole run would have been given up.

    Args:
        active: seeds that have not converged.
        best: best evaluation loss of every seed so far.
        progress: part of the steps done, 0..1.
    """
    allowed = next((gap for part, gap in _RACE if progress >= part), math.inf)
    return [k for k in active if best[k] <= min(best) * (1 + allowed)]


def _prepare(initial: Drawing, settings: Settings) -> tuple[Drawing, torch.optim.Adam]:
    """A copy to be moved, and Adam over those of its tensors that are to be optimised."""
    now, scale = initial.clone(), settings.canvas / 224
    if settings.color_rate and now.colors.shape[-1] == 1:
        now = replace(now, colors=now.colors.repeat(1, 1, 3))
    rates = {
        "points": settings.learning_rate * scale,
        "widths": settings.width_rate * scale,
        "opacities": settings.opacity_rate,
        "colors": settings.color_rate,
    }
    groups: list[dict[str, Any]] = [
        {"params": [getattr(now, name).requires_grad_()], "rate": rate}
        for name, rate in rates.items() if rate
    ]  # fmt: skip
    return now, torch.optim.Adam(groups)


@torch.no_grad()
def _step(
    now: Drawing, adam: torch.optim.Adam, step: int, settings: Settings, active: list[int]
) -> None:
    """Move the strokes of active seeds but frozen ones, and keep them within what can be drawn."""
    decay, scale = _decay(step, settings), settings.canvas / 224
    stopped = sorted(set(range(len(now))) - set(active))
    kept = []
    for group in adam.param_groups:
        group["lr"] = group["rate"] * decay
        for tensor in group["params"]:
            if now.frozen.any():  # Adam leaves alone what never had a gradient
                tensor.grad[:, now.frozen] = 0
            kept.append((tensor, tensor[stopped]))  # but its momentum carries on what once had
    adam.step()
    adam.zero_grad()
    for tensor, values in kept:
        tensor[stopped] = values
    if settings.width_rate:
        now.widths[:, ~now.frozen] = now.widths[:, ~now.frozen].clamp(
            _THINNEST * scale, _THICKEST * scale
        )
    if settings.opacity_rate:
        now.opacities.clamp_(0, 1)
    if settings.color_rate:
        now.colors.clamp_(0, 1)


@torch.no_grad()
def _clean_terms(losses: list[Loss], images_per_seed: int) -> list[dict[str, float]]:
    """The loss terms of each seed's clean pair, which comes first among its images."""
    rows = []
    for loss in losses:
        columns = {name: value[::images_per_seed].tolist() for name, value in loss.terms.items()}
        rows += [
            dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
        ]
    return rows
