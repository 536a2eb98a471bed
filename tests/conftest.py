"""Fixtures that several rooms share."""

import os
import signal

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: waiting threads must not spin
# Side by side, as `pytest -n 2` runs them, tests and the commands they run have a thread each.
os.environ.setdefault("OMP_NUM_THREADS", "1" if "PYTEST_XDIST_WORKER" in os.environ else "2")
os.environ.setdefault("NUMBA_NUM_THREADS", os.environ["OMP_NUM_THREADS"])

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from clipasso.encoders import EMBEDDED, load_encoder

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell leaves it to background jobs
    signal.signal(signal.SIGINT, signal.default_int_handler)

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))

_ASK = {"benchmarks": "test_benchmarks.py", "tools": "test_site.py"}
# A source distribution is without these folders.
collect_ignore = [
    test for name, test in _ASK.items() if not (Path(__file__).parents[1] / name).is_dir()
]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of trial photos and peers' sketches beside a developer's checkout."""
    folder = Path(__file__).parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("no shared folder beside the checkout")
    return folder


@pytest.fixture(scope="session")
def lite0():
    return load_encoder(EMBEDDED)


@pytest.fixture
def photo_path(tmp_path: Path) -> Path:
    """A dark disc with a stem on white: quick to make, with edges to find."""
    y, x = np.mgrid[:120, :160]
    pixels = np.full((120, 160, 3), 255, np.uint8)
    pixels[(x - 80) ** 2 + (y - 50) ** 2 < 35**2] = (180, 40, 30)
    pixels[85:115, 76:84] = (20, 90, 20)
    path = tmp_path / "flower.png"
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture(scope="session", autouse=True)
def kernels_at_hand():
    """Kernels compiled before any test, so that none has the line about it on its stderr."""
    from clipasso.raster.kernel import draw_once

    for name in ("forward", "backward", "paint"):
        draw_once(name)
