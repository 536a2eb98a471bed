"""Vision encoders by name.

To add one, write a class after `base.Encoder` and a line in `load_encoder`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clipasso.encoders.names import (
    CLIP_TOWERS,
    DINO,
    EMBEDDED,
    PAPER,
    SALIENCY,
    TIMM,
    Tower,
    split_name,
)
from clipasso.errors import ClipassoError

if TYPE_CHECKING:
    import torch

    from clipasso.encoders.base import Encoder

__all__ = [
    "CLIP_TOWERS",
    "DINO",
    "EMBEDDED",
    "PAPER",
    "SALIENCY",
    "Tower",
    "at_hand",
    "can_load",
    "has_weights",
    "load_encoder",
    "split_name",
]


def has_weights(name: str) -> Path | None:
    """The file an encoder's weights would be loaded from, None where they are not here."""
    if name == EMBEDDED:
        from clipasso.encoders import efficientnet  # it imports torch, which takes a second

        return efficientnet.packaged_weights()
    from clipasso.encoders import hub

    return hub.cached_weights(*split_name(name))


def can_load(name: str) -> bool:
    """Whether an encoder's weights are here, or the hub offers them within three seconds."""
    from clipasso.encoders import hub

    return has_weights(name) is not None or hub.hub_answers(*split_name(name))


def at_hand(name: str, device: str | torch.device = "cpu") -> bool:
    """Whether an encoder that nobody asked for may be taken without making a person wait.

    Its weights are here; or there is a GPU to make use of them, and the hub offers them. Without a
    GPU the hub is not asked.

    Args:
        device: that it would be put on.
    """
    return has_weights(name) is not None or (_is_gpu(device) and can_load(name))


def _is_gpu(device: str | torch.device) -> bool:
    return not str(device).startswith("cpu")


def load_encoder(
    name: str = "auto",
    weights: str | Path | None = None,
    device: str | torch.device = "cpu",
) -> Encoder:
    """Load a frozen vision encoder.

    Args:
        name: `efficientnet-lite0` (weights installed with the package); one of open_clip's models,
            `RN50`, `RN101`, `ViT-B-32` and `ViT-B-16` being the paper's, with a tag after a colon
            where not OpenAI's weights are meant (`ViT-B-32:laion2b_s34b_b79k`); a vision
            transformer of timm's (`timm:NAME`, or `dino`); or `auto`: RN101 if its weights are
            here, or `device` is a GPU and the hub answers within three seconds; otherwise, at once,
            `efficientnet-lite0`.
        weights: a local checkpoint (safetensors, or PyTorch's, loaded without running code from
            it) instead of the cache and the hub. With `auto` it is RN101's.
        device: to put it on.

    Returns:
        The encoder; its `description` says which weights it has.

    Raises:
        ClipassoError: no such encoder, unreadable weights, or a named encoder whose weights cannot
            be had. There is no substitute for a named encoder.
    """
    given = None if weights is None else Path(weights)
    found = _find_auto(given, device) if name == "auto" else _find(name, given)
    return found.to(device)


def _find(name: str, weights: Path | None) -> Encoder:
    if name == EMBEDDED:
        from clipasso.encoders.efficientnet import EfficientNetLite0

        return EfficientNetLite0(weights)
    from clipasso.encoders import hub

    architecture, tag = split_name(name, any_tag=weights is not None)
    path = weights or hub.cached_weights(architecture, tag)
    if path is None:
        if not hub.hub_answers(architecture, tag):
            raise ClipassoError(
                f"{name}: its weights are not on this machine and the model hub does not answer; "
                f"give a checkpoint with --weights FILE, or use --encoder {EMBEDDED}"
            )
        path = hub.download_weights(architecture, tag)
    if architecture == TIMM:
        from clipasso.encoders.timm_tower import load_timm

        return load_timm(tag, path)
    from clipasso.encoders.open_clip_models import load_tower

    return load_tower(architecture, tag, path)


def _find_auto(weights: Path | None, device: str | torch.device) -> Encoder:
    here = weights or has_weights(PAPER)
    if here is not None or at_hand(PAPER, device):
        try:
            return _find(PAPER, here)
        except ClipassoError:
            if here is not None:  # a file that is here and broken is for its owner to mend
                raise
    return _find(EMBEDDED, None)
