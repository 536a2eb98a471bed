"""A disk that is really full, as the kernel has it, and a locale that is not there."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from clipasso import ClipassoError
from clipasso.vector.safe_write import write_atomically

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs limits of the system")


@contextmanager
def room_for(size):
    """No file may grow beyond so many bytes."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # as Python has it from the start
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("there", [True, False])
def test_what_was_there_stays_and_nothing_half_written_is_left(tmp_path, there):
    path = tmp_path / "a.svg"
    if there:
        path.write_bytes(b"before")
    with room_for(1000), pytest.raises(ClipassoError, match="cannot be written"):
        write_atomically(path, b"x" * 100_000)
    assert [p.name for p in tmp_path.iterdir()] == (["a.svg"] if there else [])
    assert not there or path.read_bytes() == b"before"
    with room_for(1000):
        write_atomically(path, b"x" * 900)
    assert path.read_bytes() == b"x" * 900


def test_a_locale_that_is_not_there(tmp_path):
    """Names with umlauts are drawn all the same; what is said of them is escaped."""
    svg, png = tmp_path / "bär.svg", tmp_path / "bär.png"
    svg.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><title>ü</title>'
        '<path stroke="red" fill="none" d="M1 1 8 8"/></svg>', encoding="utf-8",
    )  # fmt: skip
    left = {"LC_ALL": "xx_YY.ISO8859-1", "LANG": "", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "clipasso", "render", str(svg)],
        capture_output=True, check=False, env={**os.environ, **left},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    assert png.read_bytes().startswith(b"\x89PNG")
