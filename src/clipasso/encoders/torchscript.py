"""The tensors of a TorchScript archive, as OpenAI publishes CLIP, without running any of its code.

`torch.jit.load` would compile the programs in the archive and run those that restore its modules.
Here its zip file is opened and the list of its modules read by an unpickler that knows tensors,
lists and modules without behaviour, and refuses every other name.
"""

from __future__ import annotations

import io
import math
import pickle
import re
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

__all__ = ["is_torchscript", "read_archive"]

_KINDS = {
    "FloatStorage": torch.float32, "HalfStorage": torch.float16, "DoubleStorage": torch.float64,
    "BFloat16Storage": torch.bfloat16, "LongStorage": torch.int64, "IntStorage": torch.int32,
    "ShortStorage": torch.int16, "CharStorage": torch.int8, "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}  # fmt: skip
_DEEPEST = 100  # modules within each other


def is_torchscript(path: Path) -> bool:
    """Whether a checkpoint is such an archive: only these hold compiled constants."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def read_archive(path: Path) -> dict[str, Tensor]:
    """The state dict of the module that an archive holds: its parameters and buffers by name.

    Raises:
        Exception: nearly any, of what is no such archive or refers to anything else.
    """
    with zipfile.ZipFile(path) as archive:
        constants = next(n for n in archive.namelist() if n.endswith("/constants.pkl"))
        root = constants.removesuffix("constants.pkl")
        declared = _declared(archive, root)
        found = _Unpickler(archive, root).load()
    state: dict[str, Tensor] = {}
    _gather(found, "", declared, state, 0)
    return state


class _Module:
    """A module of the archive: its class's name there, and what it holds."""

    qualified = ""
    held: dict[str, Any]

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.held = dict(state)


class _Unpickler(pickle.Unpickler):
    """Knows what state consists of, and nothing that does anything."""

    def __init__(self, archive: zipfile.ZipFile, root: str) -> None:
        super().__init__(io.BytesIO(archive.read(f"{root}data.pkl")))
        self._archive, self._root = archive, root
        self._storages: dict[str, Tensor] = {}

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("__torch__"):
            return type("Module", (_Module,), {"qualified": f"{module}.{name}"})
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if module == "torch" and name in _KINDS:
            return _KINDS[name]
        if (module, name) == ("torch.jit._pickle", "restore_type_tag"):
            return lambda value, tag: value
        if module == "torch.jit._pickle" and name.startswith("build_"):
            return list
        if (module, name) == ("collections", "OrderedDict"):
            return dict
        raise pickle.UnpicklingError(f"it refers to {module}.{name}"[:100])

    def persistent_load(self, saved: Any) -> Tensor:
        _, kind, key, _, count = saved
        if key not in self._storages:
            entry = self._archive.getinfo(f"{self._root}data/{key}")
            if entry.file_size < count * kind.itemsize or count < 0:
                raise pickle.UnpicklingError(f"its storage {key} is cut short"[:100])
            data = bytearray(self._archive.read(entry))[: count * kind.itemsize]
            made = torch.frombuffer(data, dtype=kind) if count else torch.empty(0, dtype=kind)
            self._storages[key] = made
        return self._storages[key]


def _tensor(storage: Tensor, offset: int, size: Any, stride: Any, *_: Any) -> Tensor:
    """A view of a storage, within its bounds."""
    size, stride = tuple(size), tuple(stride)
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if min((offset, *size, *stride)) < 0 or (math.prod(size) and last >= len(storage)):
        raise pickle.UnpicklingError("a tensor reaches beyond its storage")
    return storage.as_strided(size, stride, offset)


def _declared(archive: zipfile.ZipFile, root: str) -> dict[str, set[str]]:
    """What each class of the archive calls its parameters and buffers, by the class's name."""
    found: dict[str, set[str]] = {}
    for name in archive.namelist():
        if not (name.startswith(f"{root}code/__torch__") and name.endswith(".py")):
            continue
        module = name[len(f"{root}code/") : -len(".py")].replace("/", ".")
        text = archive.read(name).decode("utf-8", "replace")
        for part in re.split(r"^class ", text, flags=re.MULTILINE)[1:]:
            lists = re.findall(r"^  __(?:parameters|buffers)__ = \[(.*?)\]", part, re.MULTILINE)
            label = re.match(r"\w+", part)
            if label and lists:
                found[f"{module}.{label[0]}"] = set(re.findall(r'"([^"]+)"', " ".join(lists)))
    return found


def _gather(
    module: Any, prefix: str, declared: dict[str, set[str]], state: dict[str, Tensor], depth: int
) -> None:
    if not isinstance(module, _Module) or depth > _DEEPEST:
        raise pickle.UnpicklingError("it holds no module")
    wanted = declared.get(module.qualified)
    for name, value in module.held.items():
        if isinstance(value, _Module):
            _gather(value, f"{prefix}{name}.", declared, state, depth + 1)
        elif isinstance(value, Tensor) and (wanted is None or name in wanted):
            state[prefix + name] = value
