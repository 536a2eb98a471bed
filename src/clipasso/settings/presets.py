"""Settings by name: presets, and the paper's ablation of the initialisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from clipasso.errors import ClipassoError
from clipasso.settings.settings import Settings

__all__ = ["INITIALISATIONS", "PRESETS", "make_settings"]

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "paper": {
        "encoder": "RN101",
        "segments": 1,
        "width_rate": 0.0,
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
        "frame": "keep",
        "faces": "none",
        "order": "none",
        "lighten": 0.0,
        "contrast": 0.0,
    },
    "fine": {"iterations": 800},
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
        "width_span": 25.0,
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
        "frame": "keep",
        "faces": "none",
        "order": "none",
        "lighten": 0.0,
        "contrast": 0.0,
    },
}
"""Settings that differ from the defaults; `encoder` is the encoder's default name. `clipdraw` is
the paper's main comparison (Frans et al. 2021, sections 4.2 and G), for `clipasso draw`."""

INITIALISATIONS: Mapping[str, Mapping[str, Any]] = {
    "vit+xdog": {"faces": "none"},
    "vit": {"edges": "none", "start": "walk", "faces": "none"},
    "random": {
        "saliency": "none",
        "edges": "none",
        "start": "walk",
        "spread": 0.0,
        "faces": "none",
    },
}
"""The paper's ablation (section D.1) by its own names; ViT stands for the saliency, whichever
encoder made it. Strokes that are not to know the photo's edges do not run along them either,
and none starts at the faces that a detector found."""


_MOST = 32  # strokes of a sketch that may have as many as it needs
_FIDELITIES: Mapping[str, float] = {"draft": 0.7, "normal": 0.8, "fine": 0.9}


def make_settings(preset: str = "default", **chosen: Any) -> tuple[Settings, str]:
    """Settings of a preset with single values changed, and the preset's encoder name.

    Args:
        preset: one of `PRESETS`.
        chosen: fields of `Settings`; None leaves the preset's value. `strokes` may be "auto" and
            `fidelity` a word, and both may be texts of numbers.

    Raises:
        ClipassoError: an unknown preset or setting, or a value out of range.
    """
    if preset not in PRESETS:
        raise ClipassoError(f"--preset {preset}: must be one of {', '.join(PRESETS)}")
    if unknown := set(chosen) - {f.name for f in fields(Settings)}:
        raise ClipassoError(f"{', '.join(sorted(unknown))}: no such setting")
    values = {**PRESETS[preset], **{k: v for k, v in chosen.items() if v is not None}}
    encoder = values.pop("encoder", "auto")
    return Settings(**{**values, **_as_many_as_needed(chosen)}), encoder


def _as_many_as_needed(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers for `strokes` and `fidelity` as they were given."""
    strokes, fidelity = chosen.get("strokes"), chosen.get("fidelity")
    found: dict[str, Any] = {}
    if isinstance(strokes, str) and strokes != "auto":
        if not strokes.isdecimal():
            raise ClipassoError(f"--strokes {strokes}: must be auto or a whole number")
        strokes = int(strokes)
    if isinstance(fidelity, str) and fidelity not in _FIDELITIES:
        try:
            fidelity = float(fidelity)
        except ValueError:
            words = ", ".join(_FIDELITIES)
            raise ClipassoError(f"--fidelity {fidelity}: must be {words} or a number") from None
    if strokes == "auto" or (fidelity is not None and strokes is None):
        strokes, fidelity = _MOST, "normal" if fidelity is None else fidelity
    if strokes is not None:
        found["strokes"] = strokes
    if fidelity is not None:
        found["fidelity"] = _FIDELITIES.get(fidelity, fidelity)
    return found
