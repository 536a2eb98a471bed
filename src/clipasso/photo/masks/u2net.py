"""Background masks by U2-Net through `rembg`, the paper's own way (the extra `clipasso[mask]`)."""

from __future__ import annotations

import logging
import os
import threading
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clipasso.errors import ClipassoError

__all__ = ["ANSWER_SECONDS", "U2Net", "cached_weights", "installed", "release_answers"]

ANSWER_SECONDS = 3.0
"""How long the release page may take to answer before it counts as out of reach."""

_log = logging.getLogger(__name__)

_FILE = "u2net.onnx"
_RELEASE = f"https://github.com/danielgatis/rembg/releases/download/v0.0.0/{_FILE}"
_OFFLINE = f"give {_FILE} with --mask-weights FILE, or --mask grabcut"


def installed() -> bool:
    """Whether `rembg` and its runtime are there; nothing is imported."""
    return find_spec("rembg") is not None and find_spec("onnxruntime") is not None


def cached_weights() -> Path | None:
    """The U2-Net that rembg has fetched before; neither rembg nor the network is touched."""
    told, data = os.environ.get("U2NET_HOME"), os.environ.get("XDG_DATA_HOME")
    # rembg's folders, the newer versions' first.
    newer = told or os.environ.get("REMBG_HOME") or (f"{data}/rembg" if data else "~/.rembg")
    older = told or f"{data or '~'}/.u2net"
    for place in (f"{newer}/models/u2net", older):
        path = os.path.join(os.path.expanduser(place), _FILE)
        if os.path.isfile(path):  # pathlib's raises where a home may not be entered
            return Path(path)
    return None


def release_answers(seconds: float | None = None) -> bool:
    """Whether rembg's release page has the weights and says so in time.

    A thread does the asking: name resolution alone can hang for longer than any socket timeout.

    Args:
        seconds: how long to wait; `ANSWER_SECONDS` by default.
    """
    patience = ANSWER_SECONDS if seconds is None else seconds
    answered: list[bool] = []

    def ask() -> None:
        from urllib.request import Request, urlopen

        try:
            with urlopen(Request(_RELEASE, method="HEAD"), timeout=patience):
                answered.append(True)
        except Exception:  # whatever went wrong, the weights cannot be had
            return

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(patience)
    return bool(answered)


class U2Net:
    """U2-Net as rembg runs it.

    Args:
        weights: an ONNX file; by default the one that rembg keeps, fetched on first use.

    Raises:
        ClipassoError: rembg is not installed, the file is missing or broken, or it cannot be
            fetched; a server that does not answer within `ANSWER_SECONDS` is not waited for.
    """

    def __init__(self, weights: Path | None = None) -> None:
        if not installed():
            raise ClipassoError(
                "--mask u2net: rembg is not installed; pip install 'clipasso[mask]', "
                "or give --mask grabcut"
            )
        if weights is not None and not os.path.isfile(weights):
            raise ClipassoError(f"{weights}: no such file; name a U2-Net in ONNX format")
        self._path = weights or cached_weights() or _download()
        self._session = _session(self._path)

    def predict(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """How likely each pixel belongs to the object.

        Args:
            pixels: `[height, width, 3]`, 0..1.

        Returns:
            `[height, width]`, 0..1; all 0 where the network's output is constant.

        Raises:
            ClipassoError: the file holds another network.
        """
        image = Image.fromarray(np.rint(pixels * 255).astype(np.uint8))
        try:
            with np.errstate(invalid="ignore"):  # rembg divides by the range of the output
                (seen,) = self._session.predict(image)
            likely = np.asarray(seen, np.float32) / np.float32(255)
        except Exception as error:  # the runtime has errors of its own for each misfit
            raise ClipassoError(_broken(self._path, error)) from None
        if likely.shape != pixels.shape[:2]:
            raise ClipassoError(f"{self._path}: no U2-Net; its output is no map of the photo")
        return likely


@lru_cache(maxsize=1)
def _session(path: Path) -> Any:
    """rembg's session, read from a file of our choice."""
    network, onnxruntime = _rembg()
    # rembg reads files from its own folders only, unless its class is told another path.
    local = type("Local", (network,), {"download_models": classmethod(lambda *_, **__: str(path))})
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what is wrong is said once, by us
    try:
        return local("u2net", options)
    except Exception as error:
        raise ClipassoError(_broken(path, error)) from None


def _rembg() -> tuple[Any, Any]:
    """rembg's class for U2-Net, and onnxruntime."""
    try:
        import onnxruntime

        try:
            from rembg.sessions.u2net import U2netSession
        except ImportError:
            raise
        except Exception as error:
            # On import it compiles functions that U2-Net has no use for (pymatting's), which fails
            # where numba cannot keep their code, or has kept it and the file was cut short.
            from clipasso.raster.compiled import uncompiled

            _log.debug("rembg is loaded without compiled functions: %r", error)
            with uncompiled():
                from rembg.sessions.u2net import U2netSession
    except (Exception, SystemExit) as error:  # rembg exits where onnxruntime fails it
        raise ClipassoError(
            f"--mask u2net: rembg cannot be loaded ({_first_line(error)}); "
            "pip install 'clipasso[mask]', or give --mask grabcut"
        ) from None
    return U2netSession, onnxruntime


def _download() -> Path:
    """Let rembg fetch its weights, with its own progress bar and its check of their sum."""
    if not release_answers():
        raise ClipassoError(
            f"--mask u2net: {_FILE} is not on this machine and rembg's release page does not "
            f"answer; {_OFFLINE}"
        )
    network, _ = _rembg()
    try:
        return Path(network.download_models())
    except Exception as error:
        raise ClipassoError(
            f"--mask u2net: {_FILE} could not be fetched ({_first_line(error)}); {_OFFLINE}"
        ) from None


def _broken(path: Path, error: BaseException) -> str:
    return f"{path}: no U2-Net in ONNX format that runs here ({_first_line(error)}); {_OFFLINE}"


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
