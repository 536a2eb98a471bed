"""CLIP's image towers through open_clip: the paper's encoders."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from clipasso.encoders.base import Encoder, Features, Recipe, unit_range
from clipasso.encoders.checkpoint import read_checkpoint
from clipasso.encoders.freeze import freeze
from clipasso.errors import ClipassoError

__all__ = ["ClipResNet", "ClipViT", "build_tower", "load_tower"]

# What OpenAI's archives hold beside the weights: the sign that a file is theirs.
_OPENAI_MARKS = {"input_resolution", "context_length", "vocab_size"}


def load_tower(architecture: str, tag: str, weights: Path) -> Encoder:
    """An image tower with the weights of a local file.

    Args:
        architecture: open_clip's name, `RN50`, `RN101`, `ViT-B-32` or `ViT-B-16`.
        tag: open_clip's pretrained tag, which says how the weights want their images scaled.
        weights: a checkpoint of the whole CLIP model or of its image tower alone, in open_clip's
            or OpenAI's layout.

    Raises:
        ClipassoError: the file cannot be read or holds another architecture.
    """
    state = read_checkpoint(weights)
    openai = tag == "openai" or bool(_OPENAI_MARKS & set(state))
    tower = {k.removeprefix("visual."): v for k, v in state.items() if k.startswith("visual.")}
    visual = build_tower(architecture, quick_gelu=openai)
    try:
        visual.load_state_dict({k: v.float() for k, v in (tower or state).items()})
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:160]
        raise ClipassoError(f"{weights}: no {architecture} checkpoint: {reason}") from None
    return wrap_tower(visual, architecture, tag, source=f"{tag}, {weights.name}")


def build_tower(architecture: str, *, quick_gelu: bool) -> nn.Module:
    """open_clip's image tower, randomly initialised."""
    import open_clip

    with _silent_root_logger():
        model = open_clip.create_model(architecture, pretrained=None, force_quick_gelu=quick_gelu)
    visual: nn.Module = model.visual
    return visual


def wrap_tower(visual: nn.Module, architecture: str, tag: str, source: str) -> Encoder:
    """Make an open_clip image tower an encoder; its weights are frozen, norms folded, in place."""
    kind = ClipResNet if hasattr(visual, "attnpool") else ClipViT
    return kind(visual, architecture, tag, f"CLIP {architecture} ({source})")


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


def _scaling(architecture: str, tag: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    import open_clip

    config = open_clip.get_pretrained_cfg(architecture, tag) or {}
    mean = config.get("mean", open_clip.OPENAI_DATASET_MEAN)
    return tuple(mean), tuple(config.get("std", open_clip.OPENAI_DATASET_STD))


class _ClipTower(Encoder):
    """What ResNets and transformers have in common."""

    def __init__(self, visual: nn.Module, architecture: str, tag: str, description: str) -> None:
        super().__init__(*_scaling(architecture, tag))
        self.name, self.description = architecture, description
        size: Any = visual.image_size
        self.input_size = int(size if isinstance(size, int) else size[0])
        self.recipe = Recipe({"layer3": 1.0, "layer4": 1.0}, semantic_weight=0.1)
        self.visual: Any = visual.eval().requires_grad_(False)


class ClipResNet(_ClipTower):
    """CLIP's ResNets, in the paper's count of layers (section E.1).

    `layer1` is the input of the first Bottleneck, `layer2` to `layer5` are the outputs of the four
    stages; at 224 pixels RN101's `layer3` is 28 x 28 x 512 and `layer4` 14 x 14 x 1024.
    """

    layer_names = ("layer1", "layer2", "layer3", "layer4", "layer5")

    def __init__(self, visual: nn.Module, architecture: str, tag: str, description: str) -> None:
        super().__init__(visual, architecture, tag, description)
        freeze(visual, torch.zeros(1, 3, self.input_size, self.input_size))

    def _layers(self, images: Tensor) -> dict[str, Tensor]:
        net = self.visual
        x = net.stem(self.normalize(images))
        seen = {"layer1": x}
        for i, stage in enumerate((net.layer1, net.layer2, net.layer3, net.layer4), 2):
            x = stage(x)
            seen[f"layer{i}"] = x
        return seen

    def encode(self, images: Tensor) -> Features:
        seen = self._layers(images)
        return Features(
            {name: seen[name] for name in self.recipe.layers}, self.visual.attnpool(seen["layer5"])
        )

    def saliency(self, image: Tensor) -> Tensor:
        """Grad-CAM on the last stage, for the photo's own embedding."""
        with torch.enable_grad():
            seen = self._layers(image.detach().requires_grad_())["layer5"]
            embedding = self.visual.attnpool(seen)
            target = (embedding * F.normalize(embedding.detach(), dim=-1)).sum()
            (grad,) = torch.autograd.grad(target, seen)
        cam = (grad.mean((2, 3), keepdim=True) * seen.detach()).sum(1, keepdim=True).relu()
        return unit_range(F.interpolate(cam, image.shape[-2:], mode="bicubic")[0, 0])


class ClipViT(_ClipTower):
    """CLIP's vision transformers; `layer1` to `layer12` are the blocks' token outputs."""

    @property
    def layer_names(self) -> tuple[str, ...]:
        return tuple(f"layer{i + 1}" for i in range(len(self.visual.transformer.resblocks)))

    def encode(self, images: Tensor) -> Features:
        blocks = dict(zip(self.layer_names, self.visual.transformer.resblocks, strict=True))
        wanted = {name: blocks[name] for name in self.recipe.layers}
        with _outputs(wanted) as seen:
            embedding = self.visual(self.normalize(images))
        return Features(seen, embedding)

    @torch.no_grad()
    def saliency(self, image: Tensor) -> Tensor:
        """Attention of the class token to the patches, mean over heads and blocks (section A)."""
        attention = self.attention(image).mean((0, 1))
        grid = self.visual.grid_size
        patches = attention[0, 1:].reshape(1, 1, *grid)
        return unit_range(F.interpolate(patches, image.shape[-2:], mode="bicubic")[0, 0])

    def attention(self, image: Tensor) -> Tensor:
        """Attention probabilities of every block, `[blocks, heads, tokens, tokens]`.

        Args:
            image: `[1, 3, height, width]`, 0..1.
        """
        blocks = self.visual.transformer.resblocks
        with _outputs({str(i): block.ln_1 for i, block in enumerate(blocks)}) as entering:
            self.visual(self.normalize(image))
        maps = []
        for i, block in enumerate(blocks):
            tokens, attn = entering[str(i)].reshape(-1, block.attn.embed_dim), block.attn
            q, k, _ = F.linear(tokens, attn.in_proj_weight, attn.in_proj_bias).chunk(3, -1)
            q, k = (z.unflatten(-1, (attn.num_heads, -1)).transpose(0, 1) for z in (q, k))
            maps.append((q @ k.transpose(1, 2) * q.shape[-1] ** -0.5).softmax(-1))
        return torch.stack(maps)


@contextmanager
def _outputs(modules: dict[str, nn.Module]) -> Iterator[dict[str, Tensor]]:
    """Collect what modules put out while the context is open."""
    seen: dict[str, Tensor] = {}

    def keep(name: str) -> Any:
        return lambda _module, _inputs, output: seen.__setitem__(name, output)

    hooks = [module.register_forward_hook(keep(name)) for name, module in modules.items()]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()
