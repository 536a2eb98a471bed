"""The networks of a run: one that compares sketch and photo, one that places the first strokes."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from clipasso.encoders import (
    CLIP_TOWERS,
    EMBEDDED,
    PAPER,
    SALIENCY,
    at_hand,
    can_load,
    has_weights,
    load_encoder,
)
from clipasso.encoders.clip import ClipTower
from clipasso.encoders.metrics import load_metric
from clipasso.errors import ClipassoError
from clipasso.optimise.objective import make_objective
from clipasso.pipeline.waiting import foretold_seconds
from clipasso.pipeline.words import size_in_words, time_in_words
from clipasso.raster.compiling import compile_ahead

if TYPE_CHECKING:
    from clipasso.encoders.base import Encoder
    from clipasso.settings import Settings

__all__ = [
    "Models",
    "choose_saliency",
    "embedded_note",
    "has_bf16",
    "load_models",
    "pick_device",
    "use_precision",
]

_log = logging.getLogger(__name__)

_OF_SALIENCY = ("auto", "attention", "relevance")  # what CLIP's ViT-B/32 can do


@dataclass(frozen=True, eq=False)
class Models:
    """Loaded networks, which a batch of photos shares.

    Attributes:
        loss: compares sketch and photo.
        saliency: places the first strokes.
        note: what a person should be told about how they were found, or None.
    """

    loss: Encoder
    saliency: Encoder
    note: str | None = None

    @property
    def device(self) -> torch.device:
        """Where they are."""
        return self.loss.mean.device


def pick_device(name: str = "auto") -> torch.device:
    """The device by name; `auto` is CUDA, Apple's MPS or the CPU, the first there is.

    Raises:
        ClipassoError: no such device here.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise ClipassoError(
            f"--device {name}: not available here; choose auto, cpu, cuda or mps"
        ) from None
    return device


def load_models(
    settings: Settings,
    encoder: str | Encoder = "auto",
    weights: str | Path | None = None,
    saliency_encoder: str | Encoder | None = None,
    saliency_weights: str | Path | None = None,
    device: str = "auto",
) -> Models:
    """Load what a run with these settings needs; kernels are compiled meanwhile, if they must be.

    Args:
        encoder: a name for `load_encoder`, or an encoder that is loaded already, whose precision
            `auto` leaves as it is. With `--loss l2`
            or `lpips` it only chooses the saliency.
        weights: a local checkpoint for it where it is named; with `--loss lpips` that of VGG16.
        saliency_encoder: the same for saliency; None is the paper's choice (`choose_saliency`).
        saliency_weights: a local checkpoint for that one.
        device: `auto`, `cpu`, `cuda` or `mps`.

    Raises:
        ClipassoError: an encoder, checkpoint or device that cannot be used.
    """
    compile_ahead("forward", "backward")
    models = _loaded(settings, encoder, weights, saliency_encoder, saliency_weights, device)
    _log.info(
        "loss by %s in %s, saliency by %s, on %s with %d threads", models.loss.description,
        str(models.loss.precision).removeprefix("torch."), models.saliency.description,
        models.device, torch.get_num_threads(),
    )  # fmt: skip
    return models


def _loaded(
    settings: Settings,
    encoder: str | Encoder,
    weights: str | Path | None,
    saliency_encoder: str | Encoder | None,
    saliency_weights: str | Path | None,
    device: str,
) -> Models:
    """What `load_models` returns."""
    where, note = pick_device(device), None
    metric = None
    if settings.loss in ("l2", "lpips"):
        metric = load_metric(settings.loss, None if weights is None else Path(weights)).to(where)
        weights = None
    if saliency_weights is not None and not isinstance(saliency_encoder, str):
        raise ClipassoError("--saliency-weights: say whose they are with --saliency-encoder")
    placing: Encoder | None = None
    if isinstance(saliency_encoder, str):
        placing = load_encoder(saliency_encoder, saliency_weights, where)
    elif saliency_encoder is not None:
        placing = saliency_encoder.to(where)
    if metric is not None and settings.saliency == "none":
        return Models(metric, metric)
    if metric is not None and placing is not None:
        return Models(metric, placing)
    if isinstance(encoder, str):
        loaded = load_encoder(encoder, weights, where)
        note = embedded_note(loaded, encoder, settings, alone=placing is not None)
    else:
        loaded = encoder.to(where)
    if isinstance(encoder, str) or settings.precision != "auto":
        use_precision(metric or loaded, settings.precision)
    make_objective(metric or loaded, settings)  # so that a bad layer or text is seen before photos
    if placing is None and settings.saliency == "none":
        placing = loaded
    if placing is None:
        placing = choose_saliency(loaded, settings.saliency, asked=encoder != "auto")
    return Models(metric or loaded, placing, note)


def use_precision(encoder: Encoder, wanted: str) -> None:
    """Make an encoder compute in `fp32`, `bf16`, or with `auto` in what suits it and its device.

    Raises:
        ClipassoError: `bf16` for an encoder that it does not serve.
    """
    if wanted == "fp32" or (wanted == "auto" and not has_bf16(encoder.mean.device)):
        return
    if not encoder.lower_precision() and wanted == "bf16":
        raise ClipassoError(
            f"--precision bf16: {encoder.description} computes in fp32 only; leave it out"
        )


def has_bf16(device: torch.device) -> bool:
    """Whether a device multiplies bfloat16 matrices in hardware."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu":
        return False
    asks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")  # torch has no public ones
    return any(getattr(torch.cpu, name, bool)() for name in asks)


def choose_saliency(encoder: Encoder, method: str = "auto", asked: bool = True) -> Encoder:
    """The encoder whose saliency suits a loss encoder: CLIP's ViT-B/32 for a CLIP tower (3.3).

    Where the weights of ViT-B/32 cannot be had, a CLIP tower makes its own map; `Initialisation`
    and the report say which it was.

    Args:
        method: of saliency that is wanted.
        asked: somebody asked for CLIP, so the weights of ViT-B/32 may be fetched; else only where
            a GPU makes use of them.
    """
    if not isinstance(encoder, ClipTower) or encoder.name == SALIENCY:
        return encoder
    device = encoder.mean.device
    if method in _OF_SALIENCY and (can_load(SALIENCY) if asked else at_hand(SALIENCY, device)):
        try:
            return load_encoder(SALIENCY, device=device)
        except ClipassoError:
            if has_weights(SALIENCY) is not None:  # here and broken is for its owner to mend
                raise
    return encoder


def embedded_note(
    encoder: Encoder, asked: str, settings: Settings, alone: bool = False
) -> str | None:
    """What to say where `auto` took the embedded encoder: what CLIP would cost.

    Args:
        asked: the name that was asked for.
        settings: of the sketches that are to be made.
        alone: another encoder places the first strokes.
    """
    if asked != "auto" or encoder.name != EMBEDDED:
        return None
    if encoder.mean.device.type != "cpu":
        return (
            f"encoder: {encoder.description}, since CLIP's weights are not here and the model hub "
            f"does not deliver them; `clipasso encoders --get {PAPER}` says why, or give a "
            f"checkpoint: --encoder {PAPER} --weights FILE"
        )
    wanted = [PAPER]
    if not alone and settings.saliency in _OF_SALIENCY:
        wanted.append(SALIENCY)
    missing = [name for name in wanted if has_weights(name) is None]
    size = size_in_words(1e6 * sum(CLIP_TOWERS[name].megabytes for name in missing))
    note = (
        f"encoder: {encoder.description}; --encoder {PAPER} would fetch about {size} "
        f"({' and '.join(missing)})"
    )
    if settings.loss in ("l2", "lpips"):  # an encoder only places the first strokes there
        return note
    low = settings.precision != "fp32" and has_bf16(encoder.mean.device)
    seconds = foretold_seconds(settings, torch.bfloat16 if low else torch.float32)
    return f"{note} and then take up to about {time_in_words(seconds)} a photo here"
