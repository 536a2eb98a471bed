"""Read weights from a local file without ever running code from it."""

import logging
import os
from pathlib import Path

import torch
from torch import Tensor

from clipasso.encoders.torchscript import is_torchscript, read_archive
from clipasso.errors import ClipassoError

__all__ = ["read_checkpoint"]

_log = logging.getLogger(__name__)


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """The state dict of a safetensors file, a `torch.save` file or an OpenAI TorchScript archive.

    Returns:
        Tensors by name on the CPU, a leading `module.` of data-parallel training removed.

    Raises:
        ClipassoError: the file is missing, unreadable or holds no state dict.
    """
    _log.info("weights from %s", path)
    if not os.path.isfile(path):
        raise ClipassoError(f"{path}: no such weights file")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            found: object = load_file(path)
        else:
            found = _read_torch(path)
    except Exception as error:  # every reader has failures of its own, none of them documented
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ClipassoError(
            f"{path}: cannot be read as weights ({reason[:120]}); "
            "give a .safetensors file or a PyTorch checkpoint"
        ) from None
    if isinstance(found, dict) and isinstance(found.get("state_dict"), dict):
        found = found["state_dict"]
    if not isinstance(found, dict) or not all(isinstance(v, Tensor) for v in found.values()):
        raise ClipassoError(f"{path}: holds no state dict; save model.state_dict() instead")
    return {str(name).removeprefix("module."): value for name, value in found.items()}


def _read_torch(path: Path) -> object:
    if is_torchscript(path):  # as OpenAI publishes CLIP
        return read_archive(path)
    return torch.load(path, map_location="cpu", weights_only=True)
