"""Adam over the strokes of many seeds, on tensors alone: nothing in a step waits for the device."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clipasso.optimise.strokes import Drawing
from clipasso.settings import Settings

__all__ = ["Adam", "decay"]

_BETAS, _EPSILON = (0.9, 0.999), 1e-8  # torch's defaults, which the authors keep
_FORGET = 10  # steps that the average is at first behind by, so that it leaves the start soon
_THINNEST = 1.0  # pixels of the 224 canvas; what is finer is hardly seen


def decay(step: float, settings: Settings) -> float:
    """The part of the learning rates that the schedule leaves at a step, 0..1."""
    if settings.schedule == "constant":
        return 1.0
    return 0.1 + 0.9 * (1 + math.cos(math.pi * step / max(1, settings.iterations))) / 2


@dataclass(frozen=True, eq=False)
class _Moved:
    """A tensor that is optimised, its average over steps, its two moments, its rate, its range, and
    what of it may move."""

    name: str
    values: Tensor
    calm: Tensor
    mean: Tensor
    square: Tensor
    rate: float
    low: Tensor
    high: Tensor
    free: Tensor


class Adam:
    """What torch's Adam does, written out so that the step's number is a tensor.

    `torch.optim.Adam` counts steps and scales rates on the host, or with `capturable=True` on GPUs
    only; here both come from tables on the device and one class serves everywhere.

    Args:
        initial: where the strokes start, all seeds of all photos.
        frozen: `[seeds, strokes]`, those that stay as they are.
        settings: of these the rates, the widths' span, the schedule, `average` and `iterations`;
            a `width_rate` of None keeps widths.
        reach: the corners of what control points may not leave, `[seeds, 2, 2]` (x, y); None lets
            them go anywhere.

    Attributes:
        drawing: the strokes, changed in place; those of its tensors with a rate require gradients.
        average: the strokes as they are on average over the last steps, changed in place; the same
            as `drawing` where `settings.average` is 0.
        moved: these tensors.
        step: `[1]` steps taken; on the device, as everything here.
        active: `[seeds]`, false for those that have stopped.
    """

    def __init__(
        self, initial: Drawing, frozen: Tensor, settings: Settings, reach: Tensor | None = None
    ) -> None:
        self.drawing, scale = initial.clone(), settings.canvas / 224
        if settings.color_rate and self.drawing.colors.shape[-1] == 1:
            self.drawing = replace(self.drawing, colors=self.drawing.colors.repeat(1, 1, 3))
        device = self.drawing.points.device
        ranges: dict[str, tuple[float, float, float]] = {
            "points": (settings.learning_rate * scale, -math.inf, math.inf),
            "widths": (
                (settings.width_rate or 0.0) * scale,
                max(settings.width / settings.width_span, _THINNEST) * scale,
                settings.width * settings.width_span * scale,
            ),
            "opacities": (settings.opacity_rate, 0.0, 1.0),
            "colors": (settings.color_rate, 0.0, 1.0),
        }
        self._slots: list[_Moved] = []
        calms: dict[str, Any] = {}
        for name, (rate, low, high) in ranges.items():
            if rate:
                values = getattr(self.drawing, name).requires_grad_()
                free = (~frozen.to(device)).reshape(*frozen.shape, *[1] * (values.ndim - 2))
                moments = torch.zeros_like(values), torch.zeros_like(values)
                calm = values.detach().clone() if settings.average else values
                calms[name] = calm
                bounds = torch.tensor([low, high], dtype=values.dtype, device=device)
                if name == "points" and reach is not None:
                    bounds = reach.to(values).movedim(1, 0)[:, :, None, None]
                if name == "widths":  # those given, as of a sketch that goes on, stay allowed
                    given = values.detach()
                    bounds = torch.stack([given.clamp(max=low), given.clamp(min=high)])
                self._slots.append(
                    _Moved(name, values, calm, *moments, rate, bounds[0], bounds[1], free)
                )
        self.average = replace(self.drawing, **calms)
        self.step = torch.zeros(1, dtype=torch.long, device=device)
        self.active = torch.ones(len(frozen), dtype=torch.bool, device=device)
        self._laid = torch.zeros(frozen.shape, dtype=torch.long, device=device)  # at which step
        numbers = torch.arange(1, settings.iterations + 1, dtype=torch.float64)
        self._settings = settings
        self._rates = torch.zeros(settings.iterations, device=device)
        self.follow(np.arange(float(settings.iterations)))
        roots = (1 - _BETAS[1] ** numbers).sqrt()
        news = 1 - torch.clamp(numbers / (numbers + _FORGET - 1), max=settings.average)
        biases = 1 - _BETAS[0] ** numbers
        self._table = torch.stack([biases, roots, news], 1).float().to(device)

    @property
    def moved(self) -> tuple[Tensor, ...]:
        return tuple(slot.values for slot in self._slots)

    def follow(self, places: NDArray[np.float64], first: int = 0) -> None:
        """Take steps at these places of the schedule, in place; copies from the host.

        Args:
            places: `[steps]`, 0..iterations; by default step n is at n.
            first: the step that the first of them is for.
        """
        numbers = torch.arange(first + 1, first + len(places) + 1, dtype=torch.float64)
        decays = [decay(place, self._settings) for place in places.tolist()]
        rates = torch.tensor(decays, dtype=torch.float64) / (1 - _BETAS[0] ** numbers)
        self._rates[first : first + len(places)] = rates.float().to(self._rates.device)

    def keep(self, seeds: Sequence[int]) -> None:
        """Move only these seeds from now on; copies from the host."""
        chosen = set(seeds)
        self.active.copy_(torch.tensor([k in chosen for k in range(len(self.active))]))

    @torch.no_grad()
    def move(self, grads: Sequence[Tensor]) -> None:
        """Take one step, keep to what can be drawn, and leave frozen and stopped strokes alone.

        Args:
            grads: one for each tensor of `moved`.
        """
        rate = self._rates.index_select(0, self.step)
        bias = self._table.index_select(0, self.step)[0, 0]
        ages = self.step - self._laid
        own = self._table.index_select(0, ages.flatten()).reshape(*ages.shape, 3)
        for slot, told in zip(self._slots, grads, strict=True):
            # Strokes stay where they can be drawn; the loss will tell that it is no number.
            grad = torch.nan_to_num(told, nan=0.0, posinf=0.0, neginf=0.0)
            slot.mean.lerp_(grad, 1 - _BETAS[0])
            slot.square.mul_(_BETAS[1]).addcmul_(grad, grad, value=1 - _BETAS[1])
            wide = (*ages.shape, *[1] * (grad.ndim - 2))
            began, root, news = (column.reshape(wide) for column in own.unbind(-1))
            towards = slot.mean / (slot.square.sqrt() / root + _EPSILON)
            # The rate is corrected for the run's age; a stroke laid anew is younger.
            step = slot.rate * rate * (bias / began) * towards
            there = (slot.values - step).clamp(slot.low, slot.high)
            active = self.active.reshape(-1, *[1] * (there.ndim - 1))
            moving = slot.free & active
            slot.values.copy_(torch.where(moving, there, slot.values))
            if slot.calm is not slot.values:
                slot.calm.copy_(torch.where(moving, slot.calm.lerp(slot.values, news), slot.calm))
        self.step.add_(1)

    @torch.no_grad()
    def lay(self, seed: int, strokes: NDArray[np.intp], points: NDArray[np.float64]) -> None:
        """Lay strokes of a seed anew, as if they had just begun; in place, copies from the host.

        Args:
            strokes: `[m]`, which.
            points: `[m, points, 2]`, where they lie from now on.
        """
        index = torch.tensor(strokes, device=self.step.device)
        self.drawing.points[seed, index] = torch.tensor(points).to(self.drawing.points)
        self._laid[seed, index] = self.step
        for slot in self._slots:
            slot.mean[seed, index] = 0.0
            slot.square[seed, index] = 0.0
            slot.calm[seed, index] = slot.values[seed, index]

    def parts(self) -> dict[str, Tensor]:
        """All that says where it is, by name: its own tensors, to be read or filled in place."""
        moving = ("values", "calm", "mean", "square")
        slots = {f"{s.name}.{part}": getattr(s, part) for s in self._slots for part in moving}
        return {**slots, "step": self.step, "laid": self._laid, "active": self.active}

    def state(self) -> list[Tensor]:
        """Copies of all that `move` changes."""
        return [t.detach().clone() for t in self._changing()]

    @torch.no_grad()
    def restore(self, state: Sequence[Tensor]) -> None:
        """Go back to what `state` gave, in place."""
        for tensor, before in zip(self._changing(), state, strict=True):
            tensor.copy_(before)

    def _changing(self) -> list[Tensor]:
        slots = [t for s in self._slots for t in (s.values, s.calm, s.mean, s.square)]
        return [*slots, self.step]
