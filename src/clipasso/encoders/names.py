"""Encoders' names: what a user may ask for, and where the hub keeps the weights."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from clipasso.errors import ClipassoError

__all__ = [
    "CLIP_TOWERS",
    "DINO",
    "EMBEDDED",
    "PAPER",
    "SALIENCY",
    "TIMM",
    "Tower",
    "hub_files",
    "split_name",
]

EMBEDDED = "efficientnet-lite0"
"""The encoder whose weights are installed with the package."""

PAPER = "RN101"
"""The paper's encoder."""

SALIENCY = "ViT-B-32"
"""The encoder whose attention places the first strokes in the paper."""

TIMM = "timm"
"""What stands before the colon of a vision transformer of timm's: `timm:NAME`."""

DINO = f"{TIMM}:vit_small_patch16_224.dino"
"""What the name `dino` stands for."""


@dataclass(frozen=True)
class Tower:
    """A CLIP image tower.

    Attributes:
        parameters: of the image tower, millions.
        whole: with the text tower, which the hub's file holds too, millions.
        repository: where the hub keeps OpenAI's weights.
    """

    parameters: float
    whole: float
    repository: str

    @property
    def megabytes(self) -> float:
        """About what there is to download: the hub keeps these in float32."""
        return 4 * self.whole


# Repeats what open_clip knows, so that asking for weights need not import it (seconds).
CLIP_TOWERS = {
    "RN50": Tower(38.3, 102.0, "timm/resnet50_clip.openai"),
    "RN101": Tower(56.3, 119.7, "timm/resnet101_clip.openai"),
    "ViT-B-32": Tower(87.8, 151.3, "timm/vit_base_patch32_clip_224.openai"),
    "ViT-B-16": Tower(86.2, 149.6, "timm/vit_base_patch16_clip_224.openai"),
}
"""The paper's CLIP image towers by open_clip's names."""


def split_name(name: str, *, any_tag: bool = False) -> tuple[str, str]:
    """A name into architecture and tag, both as their library writes them.

    `ARCHITECTURE[:TAG]` is one of open_clip's models, the paper's way of writing (`ViT-B/32`)
    included; without a tag OpenAI's weights are meant, or the only ones there are. `timm:NAME`
    and `dino` come back as (`timm`, NAME).

    Args:
        any_tag: the weights come from elsewhere; take a likely tag where none is named, and an
            empty one where there is none.

    Raises:
        ClipassoError: no such encoder or tag, or a tag must be named.
    """
    if name.lower() == "dino":
        name = DINO
    architecture, _, tag = name.partition(":")
    if architecture == TIMM:
        return TIMM, _timm_name(tag)
    architecture = architecture.replace("/", "-")
    known = {n.lower(): n for n in CLIP_TOWERS}.get(architecture.lower())
    if known and tag in ("", "openai"):
        return known, "openai"
    import open_clip

    known = {n.lower(): n for n in open_clip.list_models()}.get(architecture.lower())
    if known is None:
        choices = ", ".join(["auto", EMBEDDED, *CLIP_TOWERS])
        raise ClipassoError(
            f"{name}: no such encoder; choose one of {choices}, dino, timm:NAME or any other of "
            "open_clip's models (`clipasso encoders --all` lists them)"
        )
    tags = open_clip.list_pretrained_tags_by_model(known)
    if not tags and not tag:
        if any_tag:
            return known, ""
        raise ClipassoError(
            f"{name}: open_clip has no weights for it; give some with --weights FILE"
        )
    if not tag and ("openai" in tags or len(tags) == 1 or any_tag):
        return known, "openai" if "openai" in tags else tags[0]
    if tag not in tags:
        listed = f"it has {', '.join(tags)}" if tags else "it has none"
        what = f"no weights tagged {tag}" if tag else "several sets of weights; add :TAG"
        raise ClipassoError(f"{name}: {known} has {what}; {listed}")
    return known, tag


def _timm_name(name: str) -> str:
    import timm

    if name not in timm.list_pretrained("vit_*") + timm.list_pretrained("deit*"):
        raise ClipassoError(
            f"{TIMM}:{name}: no vision transformer that timm has weights for; "
            f"one such is {DINO}, for short dino"
        )
    return name


def hub_files(architecture: str, tag: str) -> list[tuple[str, str]]:
    """(repository, file) pairs on the hub, the preferred first."""
    if architecture == TIMM:
        import timm

        config: Any = timm.get_pretrained_cfg(tag)
        repository, filename = config.hf_hub_id, config.hf_hub_filename or ""
        names = [filename] if filename else ["model.safetensors", "pytorch_model.bin"]
    else:
        if tag == "openai" and architecture in CLIP_TOWERS:
            repository, filename = CLIP_TOWERS[architecture].repository, ""
        else:
            import open_clip

            config = open_clip.get_pretrained_cfg(architecture, tag)
            repository, filename = os.path.split(config.get("hf_hub", ""))
        names = ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"]
        names = [filename] if filename else names
    return [(repository, name) for name in names] if repository else []
