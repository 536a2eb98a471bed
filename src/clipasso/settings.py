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

__all__ = [
    "INITIALISATIONS", "PRESETS", "Borders", "Crop", "Distance", "Edges", "Ink", "LossName",
    "Precision", "Saliency", "Schedule", "Settings", "Start", "Zoom", "make_settings",
]  # fmt: skip

Schedule = Literal["constant", "cosine"]
Borders = Literal["extend", "plain", "white"]
Crop = Literal["fixed", "varied"]
LossName = Literal["clipasso", "geometric", "semantic", "l2", "lpips"]
Distance = Literal["l2", "l1", "cosine"]
Saliency = Literal["auto", "attention", "relevance", "gradcam", "features", "none"]
Edges = Literal["xdog", "none"]
Ink = Literal["black", "random"]
Precision = Literal["auto", "fp32", "bf16"]
Zoom = Literal["auto", "none"]
Start = Literal["trace", "walk"]


@dataclass(frozen=True)
class Settings:
    """How a sketch is made.

    Attributes:
        strokes: n, the number of strokes: the level of abstraction (section 3).
        control_points: of each segment: 4 (cubic), 3 or 2 (section H).
        segments: Bezier segments in one stroke, joined end to end.
        width: of the strokes, in pixels of a 224-pixel canvas; in the photo's frame they are as
            many times thinner as the canvas was zoomed.
        width_rate, opacity_rate, color_rate: Adam's learning rates for the strokes' widths (pixels
            of a 224-pixel canvas), opacities and colours (0..1); 0 keeps them fixed (section 3).
        ink: the colours that strokes start with, `black` or `random` ones (CLIPDraw's).
        canvas: side of the square canvas, pixels.
        zoom: `auto` shows a small object's surroundings on the canvas in place of the whole photo
            (`zoom.zoomed`); `none` always the whole photo, as the paper does.
        loss: `clipasso` (eq. 3), its `geometric` or `semantic` term alone, or in its place `l2` on
            pixels or `lpips` (section E.3).
        layers: of the geometric term, `LAYER:WEIGHT,...` in the paper's numbering ("3:1,4:1"); ""
            leaves the encoder's own.
        semantic_weight: w_s of eq. 3; None leaves the encoder's own.
        distance: between activations; None leaves the encoder's own.
        background_weight: of the ink outside the mask: its mean distance from the object, in tenths
            of the canvas; above 0 the photo is not cut (section 5).
        lighten: how far the photo is lightened before anything looks at it: 0 leaves it, 1 would
            leave white paper. Strokes are black lines, and where a photo is dark they are drawn
            to filling it; of a paler one they follow the outlines. None leaves the encoder's own,
            but 0 where colours are learned.
        text: that the sketch should also agree with, "" for none; text_weight: how much.
        saliency: how it is found (`Encoder.saliency`); `none` gives every position the same.
        edges: the edge map that saliency is multiplied with (section 3.3).
        temperature: of the softmax over positions for first control points.
        start: the other points of first strokes: `trace` lays the stroke along the photo's edge
            (`trace.traced_strokes`), so that the drawn point is one of its inner ones; `walk` takes
            small random steps from it, as the paper does.
        spread: with `walk`, how far first points keep from each other, in mean spacings; 0 draws
            them independently, as the paper does.
        seeds: how many initialisations are optimised; the lowest loss wins (section 3.3).
        drop: give up seeds that are clearly losing (`track.still_racing`); the paper does not.
        seed: of the first; the others follow in steps of 1000.
        iterations: gradient steps at most.
        learning_rate: Adam's for control points, in pixels of a 224-pixel canvas.
        schedule: `constant`, or `cosine` down to a tenth.
        average: what is evaluated and kept are control points averaged over steps, each older step
            counting this much less than the next; 0 keeps the points themselves, as the paper does.
        augmentations: transformed pairs in each step beside the clean pair (section 3.2).
        crop: their crop: `fixed`, a square of 0.8 of the area, or `varied` as in CLIPDraw.
        pool: how many transforms are drawn at the start and sampled from, the photo being encoded
            once for each; 0 draws and encodes afresh in every step.
        borders: `extend` continues the photo's border colours over the padding and outside a
            transformed image; `plain` leaves white padding and black outside, as the authors do;
            `white` is white in both places, as in CLIPDraw.
        precision: of a CLIP encoder's arithmetic: `bf16`, `fp32`, or `auto`: bf16 where the
            processor or GPU has it in hardware. Other encoders compute in fp32.
        evaluate_every: steps between evaluations on the clean pair.
        tolerance: a seed has converged when its evaluation loss changes by less; 0 leaves the end
            to `iterations`, where a schedule ends too and a small change by chance means nothing.

    Raises:
        ClipassoError: a value out of its range.
    """

    strokes: int = 16
    control_points: int = 4
    segments: int = 1
    width: float = 3.0
    width_rate: float = 0.0
    opacity_rate: float = 0.0
    color_rate: float = 0.0
    ink: Ink = "black"
    canvas: int = 224
    zoom: Zoom = "auto"
    loss: LossName = "clipasso"
    layers: str = ""
    semantic_weight: float | None = None
    distance: Distance | None = None
    background_weight: float = 0.0
    lighten: float | None = None
    text: str = ""
    text_weight: float = 0.1
    saliency: Saliency = "auto"
    edges: Edges = "xdog"
    temperature: float = 0.3
    start: Start = "trace"
    spread: float = 0.7
    seeds: int = 3
    drop: bool = True
    seed: int = 0
    iterations: int = 800
    learning_rate: float = 4.0
    schedule: Schedule = "cosine"
    average: float = 0.9
    augmentations: int = 1
    crop: Crop = "fixed"
    pool: int = 60
    borders: Borders = "extend"
    precision: Precision = "auto"
    evaluate_every: int = 10
    tolerance: float = 0.0

    def __post_init__(self) -> None:
        for name, (low, high) in _LIMITS.items():
            value = getattr(self, name)
            if value is None and name in ("semantic_weight", "lighten"):
                continue
            wanted = int if isinstance(low, int) else (int, float)
            if isinstance(value, bool) or not isinstance(value, wanted):
                kind = "a whole number" if wanted is int else "a number"
                raise ClipassoError(f"--{_option(name)} {value}: must be {kind}")
            if not (math.isfinite(value) and low <= value <= high):
                raise ClipassoError(f"--{_option(name)} {value}: must be {_span(low, high)}")
        for name, choice in _CHOICES.items():
            value = getattr(self, name)
            if value not in get_args(choice) and not (value is None and name == "distance"):
                choices = " or ".join(get_args(choice))
                raise ClipassoError(f"--{_option(name)} {value}: must be {choices}")
        if not isinstance(self.drop, bool):
            raise ClipassoError(f"drop {self.drop}: must be true or false")
        for name in ("layers", "text"):
            if not isinstance(getattr(self, name), str):
                raise ClipassoError(f"--{name} {getattr(self, name)}: must be a text")
        if self.pool and self.pool < self.augmentations:
            raise ClipassoError(
                f"--pool {self.pool}: must be 0 or at least --augmentations ({self.augmentations})"
            )

    @property
    def points_per_stroke(self) -> int:
        """Control points of a whole stroke; neighbouring segments share one."""
        return (self.control_points - 1) * self.segments + 1

    def as_dict(self) -> dict[str, Any]:
        """Every setting by name, for reports."""
        return asdict(self)


_LIMITS: Mapping[str, tuple[float, float]] = {
    "strokes": (1, 10_000),
    "control_points": (2, 4),
    "segments": (1, 64),
    "width": (0.1, 100.0),
    "width_rate": (0.0, 100.0),
    "opacity_rate": (0.0, 1.0),
    "color_rate": (0.0, 1.0),
    "canvas": (32, 4096),
    "seeds": (1, 1000),
    "seed": (0, 2**31 - 1),
    "iterations": (1, 1_000_000),
    "learning_rate": (1e-6, 100.0),
    "average": (0.0, 0.9999),
    "augmentations": (0, 64),
    "pool": (0, 10_000),
    "evaluate_every": (1, 1_000_000),
    "tolerance": (0.0, 1.0),
    "temperature": (1e-3, 1e3),
    "spread": (0.0, 10.0),
    "semantic_weight": (0.0, 1e4),
    "background_weight": (0.0, 1e4),
    "lighten": (0.0, 0.95),
    "text_weight": (0.0, 1e4),
}

_CHOICES: Mapping[str, Any] = {
    "schedule": Schedule, "borders": Borders, "crop": Crop, "loss": LossName,
    "distance": Distance, "saliency": Saliency, "edges": Edges,
    "ink": Ink, "precision": Precision, "start": Start, "zoom": Zoom,
}  # fmt: skip

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "paper": {
        "encoder": "RN101",
        "iterations": 2000,
        "learning_rate": 1.0,
        "schedule": "constant",
        "average": 0.0,
        "tolerance": 1e-5,
        "augmentations": 4,
        "pool": 0,
        "borders": "plain",
        "start": "walk",
        "spread": 0.0,
        "drop": False,
        "zoom": "none",
        "lighten": 0.0,
    },
    "draft": {"seeds": 1, "iterations": 200},
    "clipdraw": {
        "encoder": "ViT-B-32",
        "loss": "semantic",
        "semantic_weight": 1.0,
        "text_weight": 1.0,
        "strokes": 256,
        "segments": 2,
        "width": 2.0,
        "ink": "random",
        "width_rate": 0.2,
        "opacity_rate": 0.01,
        "color_rate": 0.01,
        "seeds": 1,
        "iterations": 1000,
        "learning_rate": 1.0,
        "schedule": "constant",
        "average": 0.0,
        "augmentations": 4,
        "crop": "varied",
        "pool": 0,
        "borders": "white",
        "start": "walk",
        "spread": 0.0,
        "saliency": "none",
        "edges": "none",
        "zoom": "none",
        "lighten": 0.0,
    },
}
"""Settings that differ from the defaults; `encoder` is the encoder's default name. `clipdraw` is
the paper's main comparison (Frans et al. 2021, sections 4.2 and G), for `clipasso draw`."""

INITIALISATIONS: Mapping[str, Mapping[str, Any]] = {
    "vit+xdog": {},
    "vit": {"edges": "none", "start": "walk"},
    "random": {"saliency": "none", "edges": "none", "start": "walk", "spread": 0.0},
}
"""The paper's ablation (section D.1) by its own names; ViT stands for the saliency, whichever
encoder made it. Strokes that are not to know the photo's edges do not run along them either."""


def make_settings(preset: str = "default", **chosen: Any) -> tuple[Settings, str]:
    """Settings of a preset with single values changed, and the preset's encoder name.

    Args:
        preset: one of `PRESETS`.
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
