"""The loop: rasterise, augment, encode, loss, step (sections 3.2 and A)."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from clipasso.encoders.base import Encoder
from clipasso.loss import Loss
from clipasso.raster import rasterize
from clipasso.settings import Settings
from clipasso.targets import PhotoPool

__all__ = ["Outcome", "Progress", "learning_rate", "optimise"]


@dataclass(frozen=True)
class Progress:
    """What the callback is told at every evaluation.

    Attributes:
        step, steps: how far, and how far at most.
        seconds: since the loop began.
        losses: evaluation loss of each seed, `[seeds]`.
        best: best evaluation loss of each seed so far, `[seeds]`.
        points: the best seed's best strokes so far, `[strokes, points, 2]`, canvas pixels, on the
            CPU; not to be changed.
    """

    step: int
    steps: int
    seconds: float
    losses: tuple[float, ...]
    best: tuple[float, ...]
    points: Tensor


@dataclass(frozen=True)
class Outcome:
    """What the loop found.

    Attributes:
        points: best evaluated strokes of each seed, `[seeds, strokes, points, 2]`, canvas pixels.
        losses: their evaluation loss, `[seeds]`.
        terms: their loss term by term: name to `[seeds]`.
        curve: (step, evaluation loss of each seed) for every evaluation.
        steps: gradient steps that the longest seed took.
        stopped: `finished`, `converged` (all seeds) or `interrupted`.
    """

    points: Tensor
    losses: tuple[float, ...]
    terms: dict[str, tuple[float, ...]]
    curve: tuple[tuple[int, tuple[float, ...]], ...]
    steps: int
    stopped: str

    @property
    def winner(self) -> int:
        """The seed with the lowest evaluation loss."""
        return min(range(len(self.losses)), key=self.losses.__getitem__)


def learning_rate(step: int, settings: Settings) -> float:
    """Pixels of the 224 canvas that Adam may move a point by at this step."""
    if settings.schedule == "constant":
        return settings.learning_rate
    turn = (1 + math.cos(math.pi * step / max(1, settings.iterations))) / 2
    return settings.learning_rate * (0.1 + 0.9 * turn)


def optimise(
    initial: Tensor,
    photo: Tensor,
    encoder: Encoder,
    settings: Settings,
    on_progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> Outcome:
    """Optimise several seeds' control points together until each converges.

    Args:
        initial: `[seeds, strokes, points, 2]`, canvas pixels.
        photo: `[1, 3, canvas, canvas]`, 0..1, on the device to work on.
        encoder: on the same device.
        on_progress: called at every evaluation.
        stop: once set, the loop ends at the next step and returns the best so far.
    """
    device, began = photo.device, time.monotonic()
    generator = torch.Generator().manual_seed(settings.seed)
    pool = PhotoPool(photo, encoder, settings.pool, settings.borders, generator)
    points = initial.to(device, torch.float32).clone().requires_grad_()
    seeds = len(points)
    adam = torch.optim.Adam([points])
    active = list(range(seeds))
    best_points, best_losses = points.detach().clone(), [math.inf] * seeds
    best_terms: list[dict[str, float]] = [{} for _ in range(seeds)]
    previous, curve, stopped = [math.inf] * seeds, [], "finished"
    # A CPU works best on one seed's images at a time, which stay in its cache.
    together = 1 if device.type == "cpu" else seeds

    for step in range(settings.iterations + 1):
        last = step == settings.iterations or (stop is not None and stop.is_set())
        evaluating = last or step % settings.evaluate_every == 0
        targets = pool.draw(0 if last else settings.augmentations)
        images = rasterize(points, widths=settings.width, size=settings.canvas)
        leaf = images.detach().requires_grad_()
        losses: list[Loss] = []
        for some in torch.tensor(active).split(together):
            loss = targets.loss(leaf[some.to(device)], encoder)
            if not last:
                loss.total.sum().div(len(targets)).backward()
            losses.append(loss)

        if evaluating:
            clean = _clean_terms(losses, len(targets))
            values = list(previous)
            for k, terms in zip(active, clean, strict=True):
                values[k] = terms["total"]
                if terms["total"] < best_losses[k]:
                    best_losses[k], best_terms[k] = terms["total"], terms
                    best_points[k] = points.detach()[k]
            curve.append((step, tuple(values)))
            if on_progress is not None:
                lead = min(range(seeds), key=best_losses.__getitem__)
                on_progress(Progress(
                    step, settings.iterations, time.monotonic() - began,
                    tuple(values), tuple(best_losses), best_points[lead].cpu().clone(),
                ))  # fmt: skip
            active = [k for k in active if abs(previous[k] - values[k]) >= settings.tolerance]
            previous = values
            if last or not active:
                if not active:
                    stopped = "converged"
                elif step < settings.iterations:
                    stopped = "interrupted"
                break

        images.backward(leaf.grad)
        for group in adam.param_groups:
            group["lr"] = learning_rate(step, settings) * settings.canvas / 224
        adam.step()
        adam.zero_grad()

    return Outcome(
        points=best_points.cpu(),
        losses=tuple(best_losses),
        terms={name: tuple(t[name] for t in best_terms) for name in best_terms[0]},
        curve=tuple(curve),
        steps=step,
        stopped=stopped,
    )


@torch.no_grad()
def _clean_terms(losses: list[Loss], images_per_seed: int) -> list[dict[str, float]]:
    """The loss terms of each seed's clean pair, which comes first among its images."""
    rows = []
    for loss in losses:
        named = {**loss.layers, "semantic": loss.semantic, "total": loss.total}
        columns = {name: value[::images_per_seed].tolist() for name, value in named.items()}
        rows += [
            dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
        ]
    return rows
