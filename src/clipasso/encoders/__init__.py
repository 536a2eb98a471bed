"""Vision encoders by name.

To add one, write a class after `base.Encoder` and a line in `load_encoder`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clipasso.errors import ClipassoError

if TYPE_CHECKING:
    import torch

    from clipasso.encoders.base import Encoder

__all__ = [
    "CLIP_TOWERS",
    "EMBEDDED",
    "PAPER",
    "SALIENCY",
    "Tower",
    "can_load",
    "has_weights",
    "load_encoder",
]

EMBEDDED = "efficientnet-lite0"
"""The encoder whose weights are installed with the package."""

PAPER = "RN101"
"""The paper's encoder."""

SALIENCY = "ViT-B-32"
"""The encoder whose attention places the first strokes in the paper."""


@dataclass(frozen=True)
class Tower:
    """A CLIP image tower: size in million parameters, and where the hub keeps OpenAI's weights."""

    parameters: float
    repository: str


# Repeats what open_clip knows, so that asking for weights need not import it (seconds).
CLIP_TOWERS = {
    "RN50": Tower(38.3, "timm/resnet50_clip.openai"),
    "RN101": Tower(56.3, "timm/resnet101_clip.openai"),
    "ViT-B-32": Tower(87.8, "timm/vit_base_patch32_clip_224.openai"),
    "ViT-B-16": Tower(86.2, "timm/vit_base_patch16_clip_224.openai"),
}
"""The paper's CLIP image towers by open_clip's names."""


def split_name(name: str) -> tuple[str, str]:
    """`ARCHITECTURE[:TAG]` -> architecture and open_clip's pretrained tag.

    The paper's way of writing (`ViT-B/32`) is taken too.

    Raises:
        ClipassoError: no such encoder.
    """
    architecture, _, tag = name.partition(":")
    architecture = architecture.replace("/", "-")
    known = {n.lower(): n for n in CLIP_TOWERS}.get(architecture.lower())
    if known is None:
        choices = ", ".join(["auto", EMBEDDED, *CLIP_TOWERS])
        raise ClipassoError(f"{name}: no such encoder; choose one of {choices}")
    if tag in ("", "openai"):
        return known, "openai"
    import open_clip

    tags = open_clip.list_pretrained_tags_by_model(known)
    if tag not in tags:
        raise ClipassoError(
            f"{name}: {known} has no weights tagged {tag}; it has {', '.join(tags)}"
        )
    return known, tag


def has_weights(name: str) -> Path | None:
    """The file an encoder's weights would be loaded from, None where they are not here."""
    from clipasso.encoders import efficientnet, hub

    if name == EMBEDDED:
        return efficientnet.packaged_weights()
    return hub.cached_weights(*split_name(name))


def can_load(name: str) -> bool:
    """Whether an encoder's weights are here, or the hub offers them within three seconds."""
    from clipasso.encoders import hub

    return has_weights(name) is not None or hub.hub_answers(*split_name(name))


def load_encoder(
    name: str = "auto",
    weights: str | Path | None = None,
    device: str | torch.device = "cpu",
) -> Encoder:
    """Load a frozen vision encoder.

    Args:
        name: `efficientnet-lite0` (weights installed with the package); `RN50`, `RN101`,
            `ViT-B-32` or `ViT-B-16`, with an open_clip tag after a colon where not OpenAI's weights
            are meant (`ViT-B-32:laion2b_s34b_b79k`); or `auto`: RN101 if its weights are here or
            the hub answers within three seconds, otherwise `efficientnet-lite0`.
        weights: a local checkpoint (safetensors, or PyTorch's, loaded without running code from
            it) instead of the cache and the hub. With `auto` it is RN101's.
        device: to put it on.

    Returns:
        The encoder; its `description` says which weights it has.

    Raises:
        ClipassoError: no such encoder, unreadable weights, or a named encoder whose weights cannot
            be had. There is no substitute for a named encoder.
    """
    return _find(name, None if weights is None else Path(weights)).to(device)


def _find(name: str, weights: Path | None) -> Encoder:
    if name == "auto":
        return _find_auto(weights)
    if name == EMBEDDED:
        from clipasso.encoders.efficientnet import EfficientNetLite0

        return EfficientNetLite0(weights)
    from clipasso.encoders import clip, hub

    architecture, tag = split_name(name)
    path = weights or hub.cached_weights(architecture, tag)
    if path is None:
        if not hub.hub_answers(architecture, tag):
            raise ClipassoError(
                f"{name}: its weights are not on this machine and the model hub does not answer; "
                f"give a checkpoint with --weights FILE, or use --encoder {EMBEDDED}"
            )
        path = hub.download_weights(architecture, tag)
    return clip.load_tower(architecture, tag, path)


def _find_auto(weights: Path | None) -> Encoder:
    from clipasso.encoders import hub

    architecture, tag = split_name(PAPER)
    here = weights or hub.cached_weights(architecture, tag)
    if here is not None or hub.hub_answers(architecture, tag):
        try:
            return _find(PAPER, here)
        except ClipassoError:
            if here is not None:  # a file that is here and broken is for its owner to mend
                raise
    return _find(EMBEDDED, None)
