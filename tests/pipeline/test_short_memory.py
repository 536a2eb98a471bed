"""Memory that is short and losses that are no numbers: the others do not suffer, and it is said."""

import json
import logging
import os
import re
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import clipasso
from clipasso import ClipassoError, Settings, load_photo
from clipasso.cli import run
from clipasso.errors import ran_out_of_memory
from clipasso.pipeline import together
from clipasso.pipeline.models import Models
from tiny import Blur

SETTINGS = Settings(
    strokes=2, canvas=32, seeds=2, iterations=10, evaluate_every=5, pool=4, faces="none"
)


def photos(count):
    made = []
    for n in range(count):
        pixels = np.full((32, 32, 3), 255, np.uint8)
        pixels[8:24, 6 + 2 * n : 20 + 2 * n] = 40 * n
        made.append(load_photo(pixels, size=32, name=f"photo {n}"))
    return made


@pytest.fixture
def models():
    return Models(Blur(), Blur())


def short_of_memory(monkeypatch, most, error=None):
    """Let there be memory for so many photos at a time; the numbers that were tried."""
    real, tried = together.optimise_together, []

    def tight(jobs, *given, **options):
        tried.append(len(jobs))
        if len(jobs) > most:
            raise error or RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")
        return real(jobs, *given, **options)

    monkeypatch.setattr(together, "optimise_together", tight)
    return tried


def test_a_batch_is_halved_until_it_fits(models, monkeypatch):
    wanted = [r.sketch.to_svg() for r in clipasso.sketch_photos(photos(5), models, SETTINGS)]
    tried = short_of_memory(monkeypatch, 2)
    told, shown = set(), set()
    made = clipasso.sketch_photos(
        photos(5), models, SETTINGS, on_progress=lambda p: told.add((p.photo, p.step)),
        on_preview=lambda p: shown.add(p.photo),
    )  # fmt: skip
    assert [r.sketch.to_svg() for r in made] == wanted
    assert tried == [5, 3, 2, 1, 2]
    assert told >= {(n, 10) for n in range(5)}  # each by its own number
    assert shown == set(range(5))


@pytest.mark.parametrize("error", [
    MemoryError("no"), torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), None
])  # fmt: skip
def test_one_photo_too_large_is_one_clear_line(models, monkeypatch, error):
    short_of_memory(monkeypatch, 0, error)
    for found in clipasso.sketch_photos(photos(2), models, SETTINGS):
        assert isinstance(found, ClipassoError)
        assert "not enough memory" in str(found)
        assert "photo " in str(found)
        assert "\n" not in str(found)


def test_what_is_no_lack_of_memory_is_no_reason_to_try_again(models, monkeypatch):
    tried = short_of_memory(monkeypatch, 0, RuntimeError("size mismatch"))
    with pytest.raises(RuntimeError, match="size mismatch"):
        clipasso.sketch_photos(photos(2), models, SETTINGS)
    assert tried == [2]


def test_how_it_is_known():
    import cv2

    def allocate():
        np.empty(1 << 60, np.uint8)

    with pytest.raises(MemoryError) as caught:
        allocate()
    assert ran_out_of_memory(caught.value)
    assert ran_out_of_memory(cv2.error("OpenCV: (-4:Insufficient memory) Failed to allocate"))
    assert ran_out_of_memory(RuntimeError("MPS backend out of memory"))
    assert not ran_out_of_memory(RuntimeError("shapes do not match"))
    assert not ran_out_of_memory(ClipassoError("not enough memory in this file"))


def test_the_command_line_says_so(photo_path, tmp_path, capsys, monkeypatch):
    from clipasso.photo import masks

    def huge(*arguments):
        raise MemoryError

    monkeypatch.setattr(masks, "make_mask", huge)
    assert run(["sketch", str(photo_path), "-o", str(tmp_path / "out"), "-q",
                "--encoder", "efficientnet-lite0"]) == 2  # fmt: skip
    err = capsys.readouterr().err
    assert "not enough memory" in err
    assert "Traceback" not in err


TIGHT = """
    import resource, sys
    from clipasso.cli import run
    from clipasso.pipeline import sketch
    real = sketch.optimised
    def tight(*given, **how):
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (40 << 20),) * 2)
        return real(*given, **how)
    sketch.optimised = tight
    sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a limit of memory")
def test_memory_that_really_ends(photo_path, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(TIGHT), "sketch", str(photo_path), "-q", "-o",
         str(tmp_path / "out"), "--encoder", "efficientnet-lite0", "--strokes", "16"],
        capture_output=True, text=True, check=False, env=os.environ,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "not enough memory" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "out").glob("*.svg"))


class Failing(Blur):
    """Sees no numbers any more after so many looks at sketches."""

    def __init__(self, after):
        super().__init__()
        self.after, self.looks = after, 0

    def encode(self, images, layers=()):
        seen = super().encode(images, layers)
        self.looks += images.requires_grad
        broken = self.looks > self.after
        return replace(seen, embedding=seen.embedding * float("nan")) if broken else seen


def test_a_loss_that_stops_being_a_number_is_noted_and_the_best_is_kept(tmp_path):
    encoder = Failing(7)  # steps, of 10
    (result,) = clipasso.sketch_photos(photos(1), Models(encoder, encoder), SETTINGS)
    assert result.outcome.stopped == "diverged"
    notes = [note for note in result.notes if "no number any more" in note]
    assert len(notes) == len(result.outcome.lost)
    assert "photo 0: seed " in notes[0]
    report = json.dumps(result.report(), allow_nan=False)  # as JSON has it
    assert json.loads(report)["loss"] == min(result.outcome.losses)
    assert np.isfinite(result.sketch.points).all()


def test_a_loss_that_never_was_a_number_is_one_clear_line():
    encoder = Failing(0)
    (error,) = clipasso.sketch_photos(photos(1), Models(encoder, encoder), SETTINGS)
    assert isinstance(error, ClipassoError)
    assert str(error).startswith("photo 0: its loss is no number from the first step on")
    assert "\n" not in str(error)


def test_no_clock_is_asked_that_can_be_set():
    """The clock on the wall may jump.

    It is asked only for what is shown (log lines, a date in a batch's manifest), and for whether a
    file that a killed batch left is older than this one, which stays there if that cannot be said.
    """
    clocks = re.compile(r"\btime\.time\(|localtime\(|datetime\.(?:utc)?now\(|date\.today\(")
    package = Path(clipasso.__file__).parent
    asked = {
        path.relative_to(package).as_posix() for path in package.rglob("*.py")
        if clocks.search(path.read_text(encoding="utf-8"))
    }  # fmt: skip
    assert asked == {"cli/logs.py", "pipeline/batch/manifest.py", "pipeline/batch/run.py"}


def test_the_log_does_not_disturb(models, caplog):
    caplog.set_level(logging.DEBUG, "clipasso")
    (result,) = clipasso.sketch_photos(photos(1), models, SETTINGS)
    assert result.outcome.stopped == "finished"
    assert "finished after 10 steps" in caplog.text
