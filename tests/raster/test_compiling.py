"""What is compiled for a sketch, when, and who is told of it."""

import json
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from clipasso.raster import compiling, kernel
from clipasso.raster.compiling import compile_ahead, report, watched

COMPILED = """
from numba.core import event

kinds = []

class Listener(event.Listener):
    def on_start(self, event):
        function = event.data["dispatcher"].py_func
        kinds.append((function.__module__, function.__name__, tuple(map(str, event.data["args"]))))

    def on_end(self, event):
        pass

event.register("numba:compile", Listener())
from clipasso.raster.kernel import draw_once
draw_once("forward")
draw_once("backward")
for kind in kinds:
    print(*kind[:2], sep="\\t")
"""


@pytest.fixture(scope="module")
def compiled_kinds(tmp_path_factory):
    """(module, function) of all that a first sketch compiles, once for each set of types."""
    cache = tmp_path_factory.mktemp("kernels")
    done = subprocess.run(
        [sys.executable, "-c", COMPILED], capture_output=True, text=True, check=True,
        env={**os.environ, "NUMBA_CACHE_DIR": str(cache)},
    )  # fmt: skip
    return [tuple(line.split("\t")) for line in done.stdout.splitlines()]


def test_each_function_is_compiled_for_one_set_of_types(compiled_kinds):
    own = [name for module, name in compiled_kinds if module.startswith("clipasso.")]
    assert {"_forward", "_backward", "_mark"} <= set(own)
    assert own.count("_grown") == 2  # of indices and of values
    assert all(own.count(name) == 1 for name in set(own) - {"_grown"})


def test_no_text_is_compiled(compiled_kinds):
    """Numba's checks of slices build messages: nearly half of all there was to compile."""
    assert not [kind for kind in compiled_kinds if "unicode" in kind[0]]


def test_pictures_are_painted_by_one_kernel_whatever_the_layout():
    from clipasso.raster.kernel_forward import _paint

    kernel.draw_once("paint")
    before = len(_paint.signatures)
    segments = np.random.default_rng(0).uniform(0, 8, (2, 4, 2)).astype(np.float32)
    style = (np.ones(2, np.float32), np.ones(2, np.float32), np.zeros((2, 1), np.float32))
    pictures = []
    for layout in (segments, np.asfortranarray(segments), segments[::-1][::-1]):
        layout.setflags(write=False)
        pictures.append(np.ones((1, 8, 8), np.float32))
        kernel.paint(pictures[-1], layout, np.array([0, 1, 2]), *style)
    assert len(_paint.signatures) == before
    assert pictures[0].min() < 0.5
    assert all(np.array_equal(pictures[0], other) for other in pictures[1:])


class TestAhead:
    @pytest.fixture(autouse=True)
    def fresh(self, monkeypatch):
        monkeypatch.setattr(compiling, "_asked", set())
        monkeypatch.setattr(compiling, "_start_apart", lambda kernels: {})

    def finished(self):
        for thread in threading.enumerate():
            if thread.name == "clipasso-compiling":
                thread.join()

    def test_each_kernel_once_and_in_order(self, monkeypatch):
        used = []
        monkeypatch.setattr(kernel, "draw_once", used.append)
        compile_ahead("forward", "backward")
        compile_ahead("forward", "backward", "paint")
        self.finished()
        assert sorted(used) == ["backward", "forward", "paint"]
        assert used.index("forward") < used.index("backward")

    def test_who_asks_does_not_wait(self, monkeypatch):
        go = threading.Event()
        monkeypatch.setattr(kernel, "draw_once", lambda name: go.wait(60))
        began = time.monotonic()
        compile_ahead("forward")
        assert time.monotonic() - began < 30
        assert not go.is_set()
        go.set()
        self.finished()

    def test_a_failure_is_left_to_who_draws(self, monkeypatch, capsys):
        def fail(name):
            raise OSError("no space")

        monkeypatch.setattr(kernel, "draw_once", fail)
        compile_ahead("forward")
        self.finished()
        assert capsys.readouterr() == ("", "")


def test_backward_is_compiled_for_the_records_that_forward_keeps():
    from clipasso.raster.kernel_backward import _backward

    kernel.draw_once("backward")
    before = len(_backward.signatures)
    curve = np.array([[1, 1], [2, 3], [4, 2], [5, 5]], np.float32).reshape(1, 1, 1, 4, 2)
    one = np.ones((1, 1), np.float32)
    style = one, one, np.zeros((1, 1, 1), np.float32)
    image, *records = kernel.forward(curve, *style, 8, 8)
    moved = kernel.backward(np.ones_like(image), curve, *style, *records)[0]
    assert len(records[1])
    assert np.abs(moved).max() > 0
    assert len(_backward.signatures) == before


class TestApart:
    """Where nothing is kept, other processes compile."""

    PROGRAM = """
import json, sys, threading, time
import clipasso
from clipasso.raster.compiling import compile_ahead, watched
heard = []
with watched(lambda busy: heard.append(busy)):
    compile_ahead("backward")
    for thread in threading.enumerate():
        if thread.name == "clipasso-compiling":
            thread.join()
from clipasso.raster.kernel_backward import _backward
hits = sum(_backward.stats.cache_hits.values())
print(json.dumps([heard, hits]))
"""

    def heard_and_loaded(self, cache, program=PROGRAM):
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True,
            env={**os.environ, "NUMBA_CACHE_DIR": str(cache)},
        )  # fmt: skip
        assert done.stderr == ""
        return tuple(json.loads(done.stdout))

    @pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="of use with two cores and more only")
    def test_code_is_loaded_that_another_process_compiled(self, tmp_path):
        assert self.heard_and_loaded(tmp_path) == ([True, False], 1)
        assert self.heard_and_loaded(tmp_path) == ([], 1)

    def test_without_processes_a_thread_compiles(self, tmp_path):
        alone = self.PROGRAM.replace("import clipasso\n", "import clipasso\nsys.frozen = True\n", 1)
        assert self.heard_and_loaded(tmp_path, alone) == ([True, False], 0)

    def test_code_older_than_its_source_counts_as_missing(self, tmp_path, monkeypatch):
        monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
        version = f"py{sys.version_info[0]}{sys.version_info[1]}"
        index = tmp_path / "raster_0" / f"kernel_forward._paint-1.{version}.nbi"
        index.parent.mkdir()
        assert not compiling._kept("paint", str(tmp_path))
        index.touch()
        assert compiling._kept("paint", str(tmp_path))
        assert not compiling._kept("forward", str(tmp_path))
        os.utime(index, (0, 0))
        assert not compiling._kept("paint", str(tmp_path))

    def test_no_process_where_nothing_can_be_kept(self, monkeypatch):
        monkeypatch.setenv("NUMBA_CACHE_DIR", os.path.join(os.devnull, "nowhere"))
        assert compiling._start_apart(["forward"]) == {}

    def test_no_process_without_a_python_to_start(self, tmp_path, monkeypatch):
        monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
        monkeypatch.setattr(sys, "executable", None)
        assert compiling._start_apart(["forward"]) == {}


def test_watchers_hear_of_our_kernels_and_of_nothing_else():
    from numba import njit

    import clipasso.raster.compiled  # noqa: F401  # it listens to numba

    def inner(x):
        return x + 1

    within = njit(inner)

    def outer(x):
        return within(x) * 2

    foreign, inner.__module__, outer.__module__ = njit(lambda x: x + 3), "clipasso.a", "clipasso.b"
    heard = []
    with watched(heard.append):
        assert foreign(1) == 4
        assert heard == []
        assert njit(outer)(1) == 4
        assert heard == [True, False]  # once, though it is of two functions
    report(True)
    assert heard == [True, False]
