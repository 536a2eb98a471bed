"""Build open_clip's models from local files: image tower first, text tower when it is asked for."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from clipasso.encoders.checkpoint import read_checkpoint
from clipasso.encoders.clip import ClipResNet, ClipTower, ClipViT, TextTower
from clipasso.errors import ClipassoError

__all__ = ["build_model", "load_tower", "wrap_tower"]

# What OpenAI's archives hold beside the weights: the sign that a file is theirs.
_OPENAI_MARKS = ("input_resolution", "context_length", "vocab_size")


def load_tower(architecture: str, tag: str, weights: Path) -> ClipTower:
    """An encoder with the weights of a local file.

    Args:
        architecture: open_clip's name.
        tag: open_clip's pretrained tag, which says how the weights want their images scaled.
        weights: a checkpoint of the whole CLIP model or of its image tower alone, in open_clip's
            or OpenAI's layout.

    Raises:
        ClipassoError: the file cannot be read or holds another architecture.
    """
    state = read_checkpoint(weights)
    openai = any(mark in state for mark in _OPENAI_MARKS)
    quick_gelu = openai or bool(_config(architecture, tag).get("quick_gelu", tag == "openai"))
    tower = {k.removeprefix("visual."): v for k, v in state.items() if k.startswith("visual.")}
    with _Unfilled():
        visual = build_model(architecture, quick_gelu=quick_gelu).visual
    _fill(visual, tower or state, architecture, weights)
    text = _Text(architecture, weights, quick_gelu) if tower else None
    source = f"{tag}, {weights.name}" if tag else weights.name
    return wrap_tower(visual, architecture, tag, source, text)


def build_model(architecture: str, *, quick_gelu: bool) -> Any:
    """open_clip's model, randomly initialised.

    Raises:
        ClipassoError: open_clip cannot build it here.
    """
    import open_clip

    try:
        with _silent_root_logger():
            return open_clip.create_model(
                architecture, pretrained=None, force_quick_gelu=quick_gelu, pretrained_text=False
            )
    except Exception as error:  # text towers of other libraries fail in their own ways
        reason = " ".join(str(error).split())[:160]
        raise ClipassoError(f"{architecture}: open_clip cannot build it here: {reason}") from None


def wrap_tower(
    visual: nn.Module, architecture: str, tag: str, source: str, text: TextTower | None = None
) -> ClipTower:
    """Make an open_clip image tower an encoder; its weights are frozen, norms folded, in place.

    Raises:
        ClipassoError: a tower without stages to tap.
    """
    from clipasso.encoders.timm_tower import TimmClipTower, has_stages

    if hasattr(visual, "attnpool") and hasattr(visual, "layer4"):
        kind: type[ClipTower] = ClipResNet
    elif hasattr(visual, "transformer"):
        kind = ClipViT
    elif isinstance(trunk := getattr(visual, "trunk", None), nn.Module) and has_stages(trunk):
        kind = TimmClipTower
    else:
        raise ClipassoError(f"{architecture}: its image tower has no blocks that could be tapped")
    description = f"CLIP {architecture} ({source})"
    return kind(visual, architecture, _scaling(architecture, tag), description, text)


class _Unfilled(TorchFunctionMode):
    """Leaves out the drawing of random weights, most of a model's making, where a file's come."""

    draws = frozenset({
        Tensor.normal_, Tensor.uniform_, Tensor.erfinv_, nn.init.normal_, nn.init.uniform_,
        nn.init.trunc_normal_, nn.init.xavier_uniform_, nn.init.kaiming_uniform_,
    })  # fmt: skip

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in self.draws:
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)


def _fill(module: nn.Module, state: dict[str, Tensor], architecture: str, weights: Path) -> None:
    try:
        module.load_state_dict({k: v.float() for k, v in state.items()})
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:160]
        raise ClipassoError(f"{weights}: no {architecture} checkpoint: {reason}") from None


class _Text:
    """CLIP's text tower, read from the same checkpoint when the first text comes."""

    def __init__(self, architecture: str, weights: Path, quick_gelu: bool) -> None:
        self.architecture, self.weights, self.quick_gelu = architecture, weights, quick_gelu

    def __call__(self, text: str) -> Tensor:
        embedding: Tensor = self._model.encode_text(self._tokenizer([text]))[0]
        return F.normalize(embedding, dim=-1)

    @cached_property
    def _tokenizer(self) -> Any:
        import open_clip

        try:
            return open_clip.get_tokenizer(self.architecture)
        except Exception as error:  # tokenizers of other libraries come from the hub
            reason = " ".join(str(error).split())[:160]
            raise ClipassoError(
                f"{self.architecture}: its tokenizer cannot be had here: {reason}"
            ) from None

    @cached_property
    def _model(self) -> Any:
        with _Unfilled():
            model = build_model(self.architecture, quick_gelu=self.quick_gelu)
        del model.visual
        # Files differ in the shape of the logits' scale, which no embedding depends on.
        logits = {k: v for k, v in model.state_dict().items() if k.startswith("logit_")}
        other = ("visual.", "logit_", *_OPENAI_MARKS)
        state = read_checkpoint(self.weights)
        state = {k: v for k, v in state.items() if not k.startswith(other)}
        _fill(model, state | logits, self.architecture, self.weights)
        return model.eval().requires_grad_(False)


def _config(architecture: str, tag: str) -> dict[str, Any]:
    import open_clip

    return open_clip.get_pretrained_cfg(architecture, tag) or {}


def _scaling(architecture: str, tag: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    import open_clip

    config = _config(architecture, tag)
    mean = config.get("mean", open_clip.OPENAI_DATASET_MEAN)
    return tuple(mean), tuple(config.get("std", open_clip.OPENAI_DATASET_STD))


@contextmanager
def _silent_root_logger() -> Iterator[None]:
    """open_clip warns through the root logger that a model has no weights yet; so it should."""

    def drop(record: logging.LogRecord) -> bool:
        return False

    root = logging.getLogger()
    handlers = root.handlers[:]
    root.addFilter(drop)
    try:
        yield
    finally:
        root.removeFilter(drop)
        root.handlers[:] = handlers  # a first warning on a bare root logger installs one
