"""`--checkpoint` and `--resume`: a long sketch that is killed, and one that is refused."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import clipasso
from clipasso import ClipassoError
from clipasso.cli import run
from clipasso.pipeline import checkpoint as checkpointing
from clipasso.pipeline.faces import CloseUps
from clipasso.pipeline.models import Models
from clipasso.pipeline.saved import read_checkpoint
from tiny import Blur

QUICK = ["--encoder", "efficientnet-lite0", "--device", "cpu", "--seeds", "1", "--strokes", "3",
         "--faces", "none", "--iterations", "30", "-q"]  # fmt: skip
SMALL = {"strokes": 3, "canvas": 32, "seeds": 2, "iterations": 20, "evaluate_every": 5}


def photo_in(folder: Path, red: int = 180) -> Path:
    y, x = np.mgrid[:60, :80]
    pixels = np.full((60, 80, 3), 255, np.uint8)
    pixels[(x - 40) ** 2 + (y - 25) ** 2 < 18**2] = (red, 40, 30)
    path = folder / "flower.png"
    Image.fromarray(pixels).save(path)
    return path


def sketched(photo, **how):
    return clipasso.sketch(photo, encoder=Blur(), device="cpu", mask="none", **{**SMALL, **how})


def without_time(report):
    """All of a report that two runs on one machine have in common."""
    return {name: value for name, value in report.items() if name not in ("seconds", "files")}


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_a_sketch_that_is_killed_goes_on_to_the_same_bytes(photo_path, tmp_path, capsys):
    whole, out, kept = tmp_path / "whole", tmp_path / "out", tmp_path / "cat.state"
    keep = ["--checkpoint", str(kept), "--checkpoint-every", "3"]
    command = [sys.executable, "-m", "clipasso", "sketch", str(photo_path), "-o", str(out)]
    threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    process = subprocess.Popen([*command, *QUICK, *keep], env={**os.environ, **threads})
    ends = time.monotonic() + 120
    while not kept.exists() and process.poll() is None and time.monotonic() < ends:
        time.sleep(0.01)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert read_checkpoint(kept).state.step >= 3
    assert not list(out.glob("flower*"))

    again = ["sketch", str(photo_path), *QUICK]
    assert run([*again, "-o", str(out), *keep, "--resume", str(kept)]) == 0
    assert run([*again, "-o", str(whole)]) == 0
    assert capsys.readouterr().err == ""
    for name in ("flower.svg", "flower.png"):
        assert (out / name).read_bytes() == (whole / name).read_bytes()
    reports = [json.loads((folder / "flower.json").read_text()) for folder in (out, whole)]
    assert without_time(reports[0]) == without_time(reports[1])
    assert not kept.exists()  # the result is there
    left = [p.name for p in tmp_path.iterdir()]
    assert not [name for name in left if name.startswith(".clipasso")]


def test_the_library_goes_on_from_an_interrupt(tmp_path):
    photo, kept, stop = photo_in(tmp_path), tmp_path / "a.state", threading.Event()

    def on_progress(progress):
        if progress.step == 5:
            stop.set()

    cut = sketched(photo, checkpoint=kept, stop=stop, on_progress=on_progress)
    assert cut.outcome.stopped == "interrupted"
    again = sketched(photo, checkpoint=kept, resume=kept, checkpoint_every=7)
    assert read_checkpoint(kept).state.step == 14  # it stays for the caller to remove
    whole = sketched(photo)
    assert again.sketch.to_svg() == whole.sketch.to_svg()
    assert without_time(again.report()) == without_time(whole.report())


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A photo and a checkpoint of it."""
    folder = tmp_path_factory.mktemp("kept")
    photo = photo_in(folder)
    sketched(photo, checkpoint=folder / "c.state", checkpoint_every=8)
    return photo, folder / "c.state"


class Other(Blur):
    description = "another blur"


@pytest.mark.parametrize(("changes", "words"), [
    ({"strokes": 4}, "other settings (strokes was 3, here 4)"),
    ({"seed": 1}, "other settings (seed was 0, here 1)"),
    ({"iterations": 40}, "other settings (iterations was 20, here 40)"),
    ({"encoder": Other()}, "another encoder (blur, here another blur)"),
    ({"fit": "stretch"}, "another photo than flower.png"),
    ({"mask": np.full((60, 80), 255, np.uint8)}, "its photo, mask or encoder's weights"),
])  # fmt: skip
def test_a_checkpoint_of_another_run_is_refused(kept, changes, words, tmp_path):
    photo, path = kept
    if isinstance(mask := changes.get("mask"), np.ndarray):
        mask[:, :40] = 0
        Image.fromarray(mask).save(tmp_path / "mask.png")
        changes = {"mask": tmp_path / "mask.png"}
    given = {"encoder": Blur(), "device": "cpu", "mask": "none", **SMALL, **changes}
    with pytest.raises(ClipassoError) as error:
        clipasso.sketch(photo, resume=path, **given)
    assert words in str(error.value)
    assert f"--resume {path}" in str(error.value)
    assert "\n" not in str(error.value)


def test_one_of_another_photo_or_version_is_refused(kept, tmp_path, monkeypatch):
    _, path = kept
    with pytest.raises(ClipassoError, match="another photo than"):
        sketched(photo_in(tmp_path, red=20), resume=path)
    from clipasso.pipeline import saved

    monkeypatch.setattr(saved, "__version__", "9.9")
    with pytest.raises(ClipassoError, match=r"of clipasso \d.*, and this is 9\.9"):
        sketched(kept[0], resume=path)


def test_one_from_another_machine_goes_on_with_a_note(kept, monkeypatch):
    photo, path = kept
    real = checkpointing.place
    monkeypatch.setattr(checkpointing, "place", lambda m: {**real(m), "threads": "99"})
    result = sketched(photo, resume=path)
    assert result.outcome.stopped == "finished"
    (note,) = [note for note in result.notes if "elsewhere" in note]
    assert "threads" in note


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "pickle", "header", "svg"])
def test_what_is_no_checkpoint_is_one_line(kept, damage, tmp_path):
    photo, path = kept
    data, bad = path.read_bytes(), tmp_path / "bad.state"
    if damage == "pickle":
        torch.save({"step": 1}, bad)
    else:
        bad.write_bytes({
            "empty": b"",
            "cut": data[: len(data) // 2],
            "flipped": data[:200] + bytes([data[200] ^ 255]) + data[201:],
            "header": (1 << 40).to_bytes(8, "little") + data[8:],
            "svg": b"<svg/>" * 100,
        }[damage])  # fmt: skip
    with pytest.raises(ClipassoError, match="--resume") as error:
        sketched(photo, resume=bad)
    assert "\n" not in str(error.value)
    with pytest.raises(ClipassoError, match="No such file"):
        sketched(photo, resume=tmp_path / "none.state")


def test_a_checkpoint_that_cannot_be_written_costs_no_sketch(tmp_path, monkeypatch):
    photo = photo_in(tmp_path)

    def full(path, data):
        raise ClipassoError(f"{path}: cannot be written (No space left on device)")

    monkeypatch.setattr(checkpointing, "write_atomically", full)
    result = sketched(photo, checkpoint=tmp_path / "a.state", checkpoint_every=2)
    (note,) = [note for note in result.notes if "No space left" in note]
    assert "went on without" in note
    assert result.outcome.stopped == "finished"


def test_faces_are_not_drawn_again(tmp_path):
    """Their strokes come back from the file to the bit."""
    from clipasso import Sketch
    from clipasso.photo.faces import Face
    from clipasso.pipeline.saved import _close_ups_from, _close_ups_to

    rng = np.random.default_rng(0)
    sketch = Sketch(rng.random((5, 4, 2)) * 100, (80, 60), 3, widths=rng.random(5) + 0.1)
    face = Face((1.0, 2.0, 30.5, 40.25), *(rng.random(s) for s in ((2, 2), 2, (2, 2))), 0.99)
    before = CloseUps(sketch, ((face, 5),), 150, 1.5)
    tensors, told = _close_ups_to(before)
    after = _close_ups_from(tensors, json.loads(json.dumps(told)))
    assert after.sketch.points.tobytes() == sketch.points.tobytes()
    assert after.sketch.widths.tobytes() == sketch.widths.tobytes()
    assert after.as_list() == before.as_list()
    assert np.array_equal(after.faces[0][0].middle, face.middle)
    assert replace(after, sketch=None, faces=()) is not None
    assert _close_ups_from(*_close_ups_to(CloseUps())).sketch is None


@pytest.fixture
def blurred(monkeypatch):
    from clipasso.pipeline import models

    monkeypatch.setattr(models, "load_models", lambda *a: Models(Blur(), Blur()))


@pytest.mark.parametrize(("arguments", "words"), [
    (["--checkpoint", "a.state", "second.png"], "one sketch, not of 2"),
    (["--checkpoint", "a.state", "--time", "10s"], "--time"),
    (["--resume", "none.state"], "none.state"),
    (["--checkpoint-every", "5"], "--checkpoint FILE"),
    (["--checkpoint", "a.state", "--checkpoint-every", "0"], "from 1 to"),
    (["--checkpoint", "flower.png", "--force"], "would overwrite flower.png"),
    (["--checkpoint", "there.state"], "exists already"),
    (["--checkpoint", "out/flower.svg"], "name of a result"),
    (["--checkpoint", "a.state", "--workers", "2"], "--workers 2 and --checkpoint"),
    (["--checkpoint", "/dev/null/a.state"], "/dev/null"),
    (["--checkpoint", "out", "--force"], "no file"),
])  # fmt: skip
def test_bad_options_are_one_line_before_any_work(
    arguments, words, blurred, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    Path("second.png").write_bytes(photo_in(tmp_path).read_bytes())
    Path("there.state").write_bytes(b"")
    Path("out").mkdir()
    assert run(["sketch", "flower.png", "-o", "out", "-q", *arguments]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1, err
    assert words in err
    assert list(Path("out").iterdir()) == []
    assert Path("there.state").read_bytes() == b""


def test_two_runs_do_not_share_a_checkpoint(blurred, tmp_path, capsys):
    from clipasso.pipeline.claims import claimed

    photo = photo_in(tmp_path)
    with claimed(tmp_path, "a.state"):
        assert run(["sketch", str(photo), "-o", str(tmp_path / "out"), "-q", "--checkpoint",
                    str(tmp_path / "a.state")]) == 2  # fmt: skip
    assert "another clipasso is at work" in capsys.readouterr().err
