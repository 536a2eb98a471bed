"""Options that several commands share, grouped by the paper's sections.

An option that is a field of `Settings` bears the field's name; None leaves the preset's value.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = [
    "AllSeeds",
    "AsJson",
    "Augmentations",
    "BackgroundWeight",
    "ColorRate",
    "ControlPoints",
    "Debug",
    "Device",
    "Distance",
    "Edges",
    "Encoder",
    "Fit",
    "Force",
    "Freeze",
    "Init",
    "Iterations",
    "Layers",
    "LearningRate",
    "Lighten",
    "Loss",
    "Mask",
    "MaskWeights",
    "OpacityRate",
    "Output",
    "OutputOrStdout",
    "Precision",
    "Preset",
    "Quiet",
    "Saliency",
    "SaliencyEncoder",
    "SaliencyWeights",
    "Seed",
    "Seeds",
    "Segments",
    "SemanticWeight",
    "SkipExisting",
    "Start",
    "Strokes",
    "Temperature",
    "Text",
    "TextWeight",
    "Together",
    "Weights",
    "Width",
    "WidthRate",
    "Zoom",
    "chosen_settings",
]  # fmt: skip

_FILES = "Files"
_STYLE = "Strokes and style (sections 3, 4.1 and H)"
_LOSS = "Loss (sections 3.1 and E)"
_STEPS = "Optimisation (sections 3.2 and A)"
_START = "Initialisation (sections 3.3 and D)"
_BACKGROUND = "Background and frame (sections 5 and B)"


def _whole(panel: str, help_: str, metavar: str = "N") -> Any:
    return Annotated[int | None, typer.Option(help=help_, metavar=metavar, rich_help_panel=panel)]


def _number(panel: str, help_: str, metavar: str = "X") -> Any:
    return Annotated[float | None, typer.Option(help=help_, metavar=metavar, rich_help_panel=panel)]


def _word(panel: str, help_: str, metavar: str) -> Any:
    return Annotated[str | None, typer.Option(help=help_, metavar=metavar, rich_help_panel=panel)]


def _file(panel: str, help_: str) -> Any:
    return Annotated[Path | None, typer.Option(help=help_, metavar="FILE", rich_help_panel=panel)]


def _flag(help_: str, *names: str) -> Any:
    return Annotated[bool, typer.Option(*names, help=help_, rich_help_panel=_FILES)]


Output = Annotated[
    Path,
    typer.Option(
        "-o", "--output", help="Folder for the results; made if missing.", metavar="DIR",
        rich_help_panel=_FILES,
    ),
]  # fmt: skip
OutputOrStdout = Annotated[
    Path,
    typer.Option(
        "-o", "--output", metavar="DIR", rich_help_panel=_FILES,
        help="Folder for the results, made if missing; - for the SVG on standard output.",
    ),
]  # fmt: skip
AllSeeds = _flag("Write the other seeds' sketches too.", "--all-seeds")
Debug = _flag("Write mask, saliency, first points and initial strokes.", "--debug")
Force = _flag("Overwrite existing results.", "--force")
SkipExisting = _flag("Pass over photos whose SVG exists already.", "--skip-existing")
Quiet = _flag("Print nothing but errors and warnings.", "--quiet", "-q")
AsJson = _flag("Print each result's report as one line of JSON.", "--json")

Strokes = _whole(_STYLE, "Number of strokes: fewer is more abstract (16).")
ControlPoints = _whole(_STYLE, "Control points of a segment: 4, 3 or 2, which is straight (4).")
Segments = _whole(_STYLE, "Bezier segments in one stroke, joined end to end (1).")
Width = _number(_STYLE, "Stroke width in pixels of the 224-pixel canvas (3.0).")
WidthRate = _number(_STYLE, "Optimise widths with this learning rate; 0.1 is usual (0: fixed).")
OpacityRate = _number(_STYLE, "Optimise opacities; 0.01 is usual (0: fixed).")
ColorRate = _number(_STYLE, "Optimise colours; 0.01 is usual (0: fixed, black).")

Encoder = _word(
    _LOSS,
    "auto, efficientnet-lite0, RN101, RN50, ViT-B-32, ViT-B-16 or any of open_clip's models with "
    "its tag, as ViT-B-16:laion2b_s34b_b88k; see `clipasso encoders` (auto).",
    "NAME[:TAG]",
)
Weights = _file(_LOSS, "A local checkpoint for the encoder.")
Loss = _word(
    _LOSS,
    "clipasso (eq. 3), its geometric or semantic term alone, or l2 on pixels or lpips (clipasso).",
    "NAME",
)
Layers = _word(
    _LOSS,
    "Layers of the geometric term and their weights in the paper's numbering, as 3:1,4:1: 1 to 5 "
    "for CLIP's ResNets, 1 to 12 for ViTs, 1 to 7 for the embedded encoder (the encoder's own).",
    "K:W,...",
)
SemanticWeight = _number(_LOSS, "w_s of eq. 3 (CLIP: 0.1, embedded: 0.3).")
Distance = _word(_LOSS, "Between activations: l2 (eq. 2), l1 or cosine (l2).", "NAME")
Text = _word(_LOSS, "A text that the sketch should agree with too; CLIP encoders only.", "TEXT")
TextWeight = _number(_LOSS, "How much (0.1).")

Seeds = _whole(_STEPS, "Initialisations to try; the best one wins (3).")
Seed = _whole(_STEPS, "The first seed (0).")
Iterations = _whole(_STEPS, "Gradient steps at most (800; paper: 2000).")
LearningRate = _number(_STEPS, "Adam's, in pixels of the 224-pixel canvas (4; paper: 1).")
Augmentations = _whole(_STEPS, "Transformed pairs in each step beside the clean one (1; paper: 4).")
Precision = _word(
    _STEPS,
    "Of CLIP's arithmetic: fp32, bf16, or auto: bf16 where hardware has it (auto).",
    "NAME",
)
Together = _whole(
    _STEPS,
    "Photos optimised in one batch: the same sketches, sooner on a GPU (8 on CUDA, else 1).",
)
Device = Annotated[
    str, typer.Option(help="auto, cpu, cuda or mps.", metavar="NAME", rich_help_panel=_STEPS)
]

Init = _word(
    _START,
    "vit+xdog (saliency x edges), vit (saliency alone), random, or an SVG sketch to start from; "
    "its strokes are kept, dropped or added to until there are --strokes (vit+xdog).",
    "NAME|SKETCH.svg",
)
Freeze = Annotated[
    str,
    typer.Option(
        help="Strokes of --init SKETCH.svg that stay as they are: all, or numbers as in 1-4,7.",
        metavar="WHICH", rich_help_panel=_START,
    ),
]  # fmt: skip
Saliency = _word(
    _START,
    "attention (mean over heads and blocks), relevance (Chefer et al.), gradcam (CNNs), features "
    "(embedded encoder) or none (auto: what the saliency's encoder does best).",
    "NAME",
)
SaliencyEncoder = _word(
    _START,
    "The encoder whose saliency is taken; dino is one too (ViT-B-32 for CLIP, else the encoder).",
    "NAME[:TAG]",
)
SaliencyWeights = _file(_START, "A local checkpoint for that one.")
Edges = _word(_START, "The edge map it is multiplied with: xdog or none (xdog).", "NAME")
Temperature = _number(_START, "Of the softmax over positions (0.3).")
Start = _word(
    _START,
    "First strokes run along the photo's edges (trace) or take small random steps (trace; paper: "
    "walk).",
    "NAME",
)

Mask = Annotated[
    str,
    typer.Option(
        help="Remove the background: auto (transparency if there is any; where the border is "
        "uniform nothing, or if it is dark what stands out from it; U2-Net if its weights are "
        "here; else the small U2-Net that is built in, or GrabCut where that finds much more), "
        "alpha, u2net, u2netp, grabcut, none, or a picture that is white where the object is.",
        metavar="NAME|FILE", rich_help_panel=_BACKGROUND,
    ),
]  # fmt: skip
MaskWeights = _file(_BACKGROUND, "A local U2-Net in ONNX format.")
BackgroundWeight = _number(
    _BACKGROUND,
    "Keep the whole photo and discourage ink outside the mask instead; 1 is usual (0: cut).",
)
Lighten = _number(
    _BACKGROUND,
    "Lighten the photo first, so that strokes follow outlines and do not fill what is dark: 0 to "
    "0.95 (embedded: 0.5, or 0 with --color-rate; CLIP, paper: 0).",
)
Zoom = _word(
    _BACKGROUND,
    "A small object: auto (magnify it to the canvas, up to 4 times; the strokes get as many times "
    "thinner in the photo) or none (auto; paper: none).",
    "NAME",
)


def _known_fit(value: str) -> str:
    from clipasso.photo import check_fit

    return check_fit(value)


Fit = Annotated[
    str,
    typer.Option(
        help="Photos that are not square: pad (with white), crop or stretch.", metavar="NAME",
        callback=_known_fit, rich_help_panel=_BACKGROUND,
    ),
]  # fmt: skip


Preset = Annotated[
    str,
    typer.Option(
        help="default; paper, with every value of the paper; draft, quick and rough.",
        metavar="NAME", rich_help_panel=_STEPS,
    ),
]  # fmt: skip


def chosen_settings(parameters: dict[str, Any]) -> dict[str, Any]:
    """Those of a command's parameters that are fields of `Settings` and were given."""
    from clipasso.settings import Settings

    names = {field.name for field in fields(Settings)}
    return {k: v for k, v in parameters.items() if k in names and v is not None}
