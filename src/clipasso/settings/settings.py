"""Every knob of a sketch, told once: its default, range, choices and help.

A new setting is one field of `Settings`: its range is checked here, and the command line takes its
option from here (`cli.options.with_settings`). A frozen dataclass and no validation library: there
are few fields, all numbers and choices, and a plain class costs nothing to import.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from inspect import cleandoc
from typing import Any, Literal, get_type_hints

from clipasso.errors import ClipassoError
from clipasso.settings.knob import About, check, knob

__all__ = [
    "Borders", "Crop", "Distance", "Edges", "Faces", "Ink", "LossName", "Order", "PictureFrame",
    "Precision", "Saliency", "Schedule", "Settings", "Start", "Zoom", "about",
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
PictureFrame = Literal["auto", "keep"]
Start = Literal["trace", "walk"]
Faces = Literal["auto", "none"]
Order = Literal["loss", "none"]

_SEED_STEP = 1000
_SEGMENTS_IN_ALL, _LONGEST_CHAIN = 32, 8  # of what few strokes are made


@dataclass(frozen=True)
class Settings:
    """How a sketch is made. Lengths are pixels of a 224-pixel canvas unless told otherwise.

    Raises:
        ClipassoError: a value out of its range.
    """

    strokes: int = knob(
        16,
        "Number of strokes, n: fewer is more abstract. `auto` is as many as the photo needs, up to "
        "32; so is a number with `fidelity`, the most then.",
        "style", (1, 10_000), draw=True, words=("auto",),
    )  # fmt: skip
    fidelity: float | None = knob(
        None,
        "With strokes `auto`: the part of what the most of them tell of the photo that is to be "
        "told: draft (0.7), normal (0.8), fine (0.9) or a number from 0 to 1 (normal).",
        "style", (0.0, 1.0), words=("draft", "normal", "fine"),
    )  # fmt: skip
    control_points: int = knob(
        4, "Control points of a segment: 4 (cubic), 3, or 2, which is straight.", "style", (2, 4),
        draw=True,
    )  # fmt: skip
    segments: int | None = knob(
        None,
        "Bezier segments in one stroke, joined end to end (1, as in the paper; of fewer than 22 "
        "cubic strokes each has 2 to 8, so that there are about 32 in all).",
        "style", (1, 64), draw=True,
    )  # fmt: skip
    width: float = knob(
        3.0,
        "Stroke width in pixels of the 224-pixel canvas; in the photo's frame strokes are as many "
        "times thinner as the canvas was zoomed.",
        "style", (0.1, 100.0), draw=True,
    )  # fmt: skip
    width_rate: float | None = knob(
        None,
        "Optimise widths with this learning rate, in pixels; 0 keeps them, all alike as in the "
        "paper and from a plotter's pen (embedded: 0.1; CLIP, and with an SVG to start from: 0).",
        "style", (0.0, 100.0), draw=True,
    )  # fmt: skip
    width_span: float = knob(
        4.5,
        "How many times bolder or finer than `width` an optimised width may become, though not "
        "finer than 1 px.",
        "style", (1.0, 1e3), draw=True,
    )  # fmt: skip
    opacity_rate: float = knob(
        0.0, "Optimise opacities; 0.01 is usual, 0 keeps them.", "style", (0.0, 1.0), draw=True
    )
    color_rate: float = knob(
        0.0, "Optimise colours; 0.01 is usual, 0 keeps them.", "style", (0.0, 1.0), draw=True
    )
    order: Order = knob(
        "loss",
        "In which order strokes are written: loss, those that tell most of the photo first, or "
        "none, as they were laid. Strokes of several colours stay as they were laid.",
        "style",
    )
    ink: Ink = knob("black", "The colours that strokes start with; CLIPDraw's are random.")
    canvas: int = knob(224, "Side of the square canvas, pixels.", span=(32, 4096))

    loss: LossName = knob(
        "clipasso",
        "clipasso (eq. 3), its geometric or semantic term alone, or in its place l2 on pixels or "
        "lpips (section E.3).",
        "loss",
    )
    layers: str = knob(
        "",
        "Layers of the geometric term and their weights, LAYER:WEIGHT,... in the paper's numbering "
        "as 3:1,4:1: 1 to 5 for CLIP's ResNets, 1 to 12 for ViTs, 1 to 7 for the embedded encoder "
        "(the encoder's own).",
        "loss",
    )
    semantic_weight: float | None = knob(
        None, "w_s of eq. 3 (CLIP: 0.1, embedded: 0.3).", "loss", (0.0, 1e4), draw=True
    )
    distance: Distance | None = knob(
        None, "Between activations; l2 is eq. 2 (the encoder's own, l2).", "loss"
    )
    text: str = knob("", "A text that the sketch should agree with too; CLIP only.", "loss")
    text_weight: float = knob(0.1, "How much.", "loss", (0.0, 1e4), draw=True)

    seeds: int = knob(
        3, "Initialisations to try; the one with the lowest loss wins (section 3.3).", "steps",
        (1, 1000), draw=True,
    )  # fmt: skip
    seed: int = knob(
        0, "The first seed; the others follow in steps of 1000.", "steps", (0, 2**31 - 1), draw=True
    )
    drop: bool = knob(
        True,
        "Give up seeds that are losing (`still_racing`); the paper does not.",
    )
    iterations: int = knob(400, "Gradient steps at most.", "steps", (1, 1_000_000), draw=True)
    learning_rate: float = knob(
        4.0, "Adam's for control points, in pixels of the 224-pixel canvas.", "steps",
        (1e-6, 100.0), draw=True,
    )  # fmt: skip
    schedule: Schedule = knob(
        "cosine", "Of the learning rate: constant, or a cosine down to a tenth."
    )
    average: float = knob(
        0.9,
        "What is evaluated and kept are control points averaged over steps, each older step "
        "counting this much less than the next; 0 keeps the points themselves, as the paper does.",
        span=(0.0, 0.9999),
    )
    augmentations: int = knob(
        1, "Transformed pairs in each step beside the clean one (section 3.2).", "steps", (0, 64),
        draw=True,
    )  # fmt: skip
    prefixes: bool = knob(
        False,
        "In each step one of the transformed pairs shows the first few strokes only, as many as "
        "chance will have it, so that the first of them are a drawing by themselves.",
        "steps",
    )
    crop: Crop = knob(
        "fixed", "Of augmentations: a square of 0.8 of the area, or varied as in CLIPDraw."
    )
    pool: int = knob(
        60,
        "How many transforms are drawn at the start and sampled from, the photo being encoded once "
        "for each; 0 draws and encodes afresh in every step.",
        span=(0, 10_000),
    )
    borders: Borders = knob(
        "extend",
        "`extend` continues the photo's border colours over the padding and outside a transformed "
        "image; `plain` leaves white padding and black outside, as the authors do; `white` is "
        "white in both places, as in CLIPDraw.",
    )
    precision: Precision = knob(
        "auto",
        "Of a CLIP encoder's arithmetic: fp32, bf16, or auto, bf16 where the processor or GPU has "
        "it in hardware. Other encoders compute in fp32.",
        "steps", draw=True,
    )  # fmt: skip
    evaluate_every: int = knob(
        10, "Steps between evaluations on the clean pair.", span=(1, 1_000_000)
    )
    tolerance: float = knob(
        0.0,
        "A seed has converged when its evaluation loss changes by less; 0 leaves the end to "
        "`iterations`, where a schedule ends too and a small change by chance means nothing.",
        span=(0.0, 1.0),
    )

    saliency: Saliency = knob(
        "auto",
        "attention (mean over heads and blocks), relevance (Chefer et al.), gradcam (CNNs), "
        "features (embedded encoder), none (every position the same), or auto: what the saliency's "
        "encoder does best.",
        "start",
    )
    edges: Edges = knob("xdog", "The edge map that saliency is multiplied with.", "start")
    temperature: float = knob(
        0.3, "Of the softmax over positions for first control points.", "start", (1e-3, 1e3)
    )
    start: Start = knob(
        "trace",
        "First strokes run along the photo's edges (trace), the drawn point being one of their "
        "inner ones, or take small random steps from it (walk).",
        "start",
    )
    spread: float = knob(
        0.7,
        "With `walk`, how far first points keep from each other, in mean spacings; 0 draws them "
        "independently, as the paper does.",
        span=(0.0, 10.0),
    )

    faces: Faces = knob(
        "auto",
        "The faces of people that are small on the canvas: auto draws them from close up, with up "
        "to three eighths of the strokes, and the others around them; none draws them like the "
        "rest.",
        "start",
    )

    background_weight: float = knob(
        0.0,
        "Keep the whole photo and discourage ink outside the mask instead, by its mean distance "
        "from the object in tenths of the canvas; 1 is usual, 0 cuts the photo (section 5).",
        "background", (0.0, 1e4),
    )  # fmt: skip
    lighten: float | None = knob(
        None,
        "Lighten the photo before anything looks at it, so that strokes follow outlines and do not "
        "fill what is dark: 0 leaves it, 1 would leave white paper (embedded: 0.5, or 0 with "
        "--color-rate; CLIP: 0).",
        "background", (0.0, 0.95),
    )  # fmt: skip
    contrast: float | None = knob(
        None,
        "Local contrast of the photo, before it is lightened, so that eyes in dark fur are drawn: "
        "how far the tones of each part of it may be spread; 1 hardly, 40 freely, 0 leaves them "
        "(embedded: 4, or 0 with --color-rate; CLIP: 0).",
        "background", (0.0, 1e3),
    )  # fmt: skip
    zoom: Zoom = knob(
        "auto",
        "A small object: auto magnifies it to the canvas, none shows the whole photo. Its strokes "
        "get as many times thinner in the photo.",
        "background",
    )
    frame: PictureFrame = knob(
        "auto",
        "What is laid around a photo, as lines, borders, bars, a caption or a scanner's edges: "
        "auto finds it and leaves it out, keep takes it for the photo's.",
        "background",
    )

    def __post_init__(self) -> None:
        for name, (kind, told) in about().items():
            check(name, getattr(self, name), kind, told)
        if self.pool and self.pool < self.augmentations:
            raise ClipassoError(
                f"--pool {self.pool}: must be 0 or at least --augmentations ({self.augmentations})"
            )
        if self.prefixes and not self.augmentations:
            raise ClipassoError(
                "--prefixes: shows them in a transformed pair; give --augmentations 1 or more"
            )

    def seed_of(self, k: int) -> int:
        """The number of the k-th seed, from 0: in steps of 1000, as the authors number theirs."""
        return self.seed + _SEED_STEP * k

    @property
    def segments_each(self) -> int:
        """Bezier segments in a stroke: `segments`, or what suits the number of strokes."""
        if self.segments is not None:
            return self.segments
        if self.control_points < 4:
            return 1
        return max(1, min(_LONGEST_CHAIN, round(_SEGMENTS_IN_ALL / self.strokes)))

    @property
    def points_per_stroke(self) -> int:
        """Control points of a whole stroke; neighbouring segments share one."""
        return (self.control_points - 1) * self.segments_each + 1

    def as_dict(self) -> dict[str, Any]:
        """Every setting by name, for reports; `segments` as it was chosen."""
        return {**asdict(self), "segments": self.segments_each}


@cache
def about() -> Mapping[str, tuple[Any, About]]:
    """Each setting's type and what is told of it, by name, in their order."""
    kinds = get_type_hints(Settings)
    return {f.name: (kinds[f.name], f.metadata["about"]) for f in fields(Settings)}


def _described() -> str | None:
    """The class's docstring with its attributes, for `help` and for readers of documentation."""
    # Whether a docstring still has its indentation depends on the version of Python.
    head, found, raises = cleandoc(Settings.__doc__ or "").partition("Raises:")
    if not found:  # `python -OO` drops docstrings
        return Settings.__doc__
    lines = [f"    {name}: {told.help}" for name, (_, told) in about().items()]
    return f"{head}Attributes:\n" + "\n".join(lines) + f"\n\nRaises:{raises}"


Settings.__doc__ = _described()
