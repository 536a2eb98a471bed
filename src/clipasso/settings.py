"""Every knob of a sketch, with the paper's values beside our defaults, checked in one place.

A frozen dataclass and no validation library: there are few fields, all numbers and choices, and a
plain class costs nothing to import.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from clipasso.errors import ClipassoError

__all__ = ["PRESETS", "Borders", "Schedule", "Settings", "make_settings"]

Schedule = Literal["constant", "cosine"]
Borders = Literal["extend", "plain"]


@dataclass(frozen=True)
class Settings:
    """How a sketch is made. Lengths are in pixels of the square canvas.

    Attributes:
        strokes: n, the number of strokes: the level of abstraction (section 3).
        control_points: of each stroke: 4 (cubic), 3 or 2 (section H).
        width: of the strokes.
        canvas: side of the square canvas.
        seeds: how many initialisations are optimised; the lowest loss wins (section 3.3).
        seed: of the first; the others follow in steps of 1000.
        iterations: gradient steps at most.
        learning_rate: Adam's, in pixels of a 224-pixel canvas.
        schedule: `constant`, or `cosine` down to a tenth.
        augmentations: transformed pairs in each step beside the clean pair (section 3.2).
        pool: how many transforms are drawn at the start and sampled from, the photo being encoded
            once for each; 0 draws and encodes afresh in every step.
        borders: `extend` continues the photo's border colours over the padding and outside a
            transformed image; `plain` leaves white padding and black outside, as the authors do.
        evaluate_every: steps between evaluations on the clean pair.
        tolerance: a seed has converged when its evaluation loss changes by less.
        temperature: of the softmax over positions for first control points.
        spread: how far first points keep from each other, in mean spacings; 0 draws them
            independently, as the paper does.

    Raises:
        ClipassoError: a value out of its range.
    """

    strokes: int = 16
    control_points: int = 4
    width: float = 3.0
    canvas: int = 224
    seeds: int = 3
    seed: int = 0
    iterations: int = 600
    learning_rate: float = 4.0
    schedule: Schedule = "cosine"
    augmentations: int = 1
    pool: int = 60
    borders: Borders = "extend"
    evaluate_every: int = 10
    tolerance: float = 1e-5
    temperature: float = 0.3
    spread: float = 0.7

    def __post_init__(self) -> None:
        within = _LIMITS
        for name, (low, high) in within.items():
            value = getattr(self, name)
            wanted = int if isinstance(low, int) else (int, float)
            if isinstance(value, bool) or not isinstance(value, wanted):
                kind = "a whole number" if wanted is int else "a number"
                raise ClipassoError(f"--{_option(name)} {value}: must be {kind}")
            if not (math.isfinite(value) and low <= value <= high):
                raise ClipassoError(f"--{_option(name)} {value}: must be {_span(low, high)}")
        for name, choice in (("schedule", Schedule), ("borders", Borders)):
            if getattr(self, name) not in get_args(choice):
                choices = " or ".join(get_args(choice))
                raise ClipassoError(f"--{name} {getattr(self, name)}: must be {choices}")
        if self.pool and self.pool < self.augmentations:
            raise ClipassoError(
                f"--pool {self.pool}: must be 0 or at least --augmentations ({self.augmentations})"
            )

    def as_dict(self) -> dict[str, Any]:
        """Every setting by name, for reports."""
        return asdict(self)


_LIMITS: Mapping[str, tuple[float, float]] = {
    "strokes": (1, 10_000),
    "control_points": (2, 4),
    "width": (0.1, 100.0),
    "canvas": (32, 4096),
    "seeds": (1, 1000),
    "seed": (0, 2**31 - 1),
    "iterations": (1, 1_000_000),
    "learning_rate": (1e-6, 100.0),
    "augmentations": (0, 64),
    "pool": (0, 10_000),
    "evaluate_every": (1, 1_000_000),
    "tolerance": (0.0, 1.0),
    "temperature": (1e-3, 1e3),
    "spread": (0.0, 10.0),
}

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "paper": {
        "encoder": "RN101",
        "iterations": 2000,
        "learning_rate": 1.0,
        "schedule": "constant",
        "augmentations": 4,
        "pool": 0,
        "borders": "plain",
        "spread": 0.0,
    },
    "draft": {"seeds": 1, "iterations": 200},
}
"""Settings that differ from the defaults; `encoder` is the encoder's default name."""


def make_settings(preset: str = "default", **chosen: Any) -> tuple[Settings, str]:
    """Settings of a preset with single values changed, and the preset's encoder name.

    Args:
        preset: `default`, `paper` or `draft`.
        chosen: fields of `Settings`; None leaves the preset's value.

    Raises:
        ClipassoError: an unknown preset or setting, or a value out of range.
    """
    if preset not in PRESETS:
        raise ClipassoError(f"--preset {preset}: must be one of {', '.join(PRESETS)}")
    if unknown := set(chosen) - {f.name for f in fields(Settings)}:
        raise ClipassoError(f"{', '.join(sorted(unknown))}: no such setting")
    values = {**PRESETS[preset], **{k: v for k, v in chosen.items() if v is not None}}
    encoder = values.pop("encoder", "auto")
    return Settings(**values), encoder


def _option(name: str) -> str:
    return name.replace("_", "-")


def _span(low: float, high: float) -> str:
    return f"from {low} to {high}" if high < 1e6 else f"at least {low}"
