"""Several photos at once, in processes of their own: the same files, and nobody suffers."""

import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys

import pytest
import torch
from PIL import Image

from clipasso.cli import run, side_by_side
from clipasso.cli.bars import Bars
from clipasso.settings import Settings

QUICK = [
    "--iterations", "2", "--seeds", "1", "--augmentations", "0", "--encoder", "efficientnet-lite0",
    "--strokes", "3", "--mask", "none", "--zoom", "none",
]  # fmt: skip
posix = pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")


@pytest.fixture
def photos(photo_path, tmp_path):
    """Three photos."""
    found = [photo_path]
    for name, turn in (("leaf.png", 90), ("stem.png", 180)):
        found.append(tmp_path / name)
        Image.open(photo_path).rotate(turn, fillcolor="white").save(found[-1])
    return found


def sketch(*arguments):
    return run(["sketch", *QUICK, *map(str, arguments)])


def lines_of(text):
    return [line for line in text.splitlines() if line]


def test_the_same_files_in_the_same_order_and_one_bad_photo(photos, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # of each worker; sums depend on it
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"")
    moving = tmp_path / "moving.gif"  # a photo with a note
    still = Image.open(photos[0])
    still.save(moving, save_all=True, append_images=[still.rotate(9)])
    four = [photos[0], bad, moving, photos[1]]
    told = {}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for workers in (1, 2):
            out = tmp_path / f"by{workers}"
            assert sketch(*four, "-o", out, "--workers", workers) == 2
            captured = capsys.readouterr()
            told[workers] = [
                [re.sub(r"by\d|in \d+ s", "", line) for line in lines_of(text)]
                for text in (captured.out, captured.err)
            ]
    finally:
        torch.set_num_threads(threads)
    assert told[1] == told[2]
    assert [len(lines) for lines in told[2]] == [3, 2]
    for name in ("flower.svg", "moving.svg", "leaf.svg", "leaf.png"):
        assert (tmp_path / "by1" / name).read_bytes() == (tmp_path / "by2" / name).read_bytes()
    reports = [json.loads((tmp_path / f"by{n}" / "leaf.json").read_text()) for n in (1, 2)]
    for report in reports:
        del report["seconds"]
    assert reports[0] == reports[1]
    assert reports[0]["threads"] == 1
    assert not [path for path in (tmp_path / "by2").iterdir() if path.name.startswith(".")]


@pytest.mark.slow  # the same is tested of the pool, without networks (pipeline/test_workers.py)
@posix
def test_a_worker_that_is_killed_costs_its_photo_only(photos, tmp_path, capsys, monkeypatch):
    real, killed = Bars.show, []

    def show(bars, worker, name, step, loss):
        real(bars, worker, name, step, loss)
        if name == "flower.png" and not killed:
            killed.append(name)
            # Of two processes the one with this number: they are named in the order of starting.
            processes = sorted(multiprocessing.active_children(), key=lambda p: p.pid)
            processes[worker].kill()

    monkeypatch.setattr(Bars, "show", show)
    out = tmp_path / "out"
    arguments = ["-o", out, "--workers", 2, "--iterations", 60]
    assert sketch(*photos, *arguments) == 2
    captured = capsys.readouterr()
    (line,) = lines_of(captured.err)
    assert re.search(r"flower\.png: its worker process was lost \(killed by SIGKILL\)", line)
    assert "fewer --workers" in line
    made = {path.name for path in out.iterdir()}
    assert made == {f"{stem}.{end}" for stem in ("leaf", "stem") for end in ("svg", "png", "json")}
    assert not multiprocessing.active_children()


@posix
def test_ctrl_c_keeps_the_best_of_each(photos, tmp_path):
    import pty  # not everywhere

    out = tmp_path / "out"
    command = [sys.executable, "-m", "clipasso", "sketch", *photos, "-o", out, *QUICK]
    command += ["--workers", "2", "--iterations", "100000"]
    terminal, end = pty.openpty()
    # As in a terminal, where Ctrl-C reaches all of its processes.
    process = subprocess.Popen(
        command, stdout=end, stderr=end, start_new_session=True,
        env=os.environ | {"COLUMNS": "100", "TERM": "xterm"},
    )  # fmt: skip
    os.close(end)
    shown, interrupted = "", False
    try:
        while chunk := _read(terminal):
            shown += chunk
            if not interrupted and all(
                re.search(rf"{name}.png[^\n]*loss \d", shown) for name in ("flower", "leaf")
            ):
                interrupted = True
                os.killpg(process.pid, signal.SIGINT)
        assert process.wait(60) == 130, shown
    finally:
        process.kill()
    assert "Traceback" not in shown
    assert "0/3" in shown  # of all photos
    assert shown.count("the best sketch so far is written") == 2
    assert "2 of 3 photos are written" in shown
    for stem in ("flower", "leaf"):
        report = json.loads((out / f"{stem}.json").read_text())
        assert report["stopped"] == "interrupted"
    assert {path.stem for path in out.iterdir()} == {"flower", "leaf"}


def _read(terminal):
    """What a program shows next, empty once it has closed its end."""
    try:
        return os.read(terminal, 4096).decode(errors="replace")
    except OSError:
        return ""


@pytest.mark.parametrize("workers", ["0", "-1", "many", "1.5"])
def test_how_many(workers, photos, tmp_path, capsys):
    assert sketch(*photos, "-o", tmp_path / "out", "--workers", workers) == 2
    assert f"--workers {workers}: give auto" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_auto_is_one_a_core_where_that_is_worth_it(monkeypatch, capsys):
    from clipasso.pipeline import capacity, models

    monkeypatch.setattr(capacity, "room", lambda photos: min(photos, 3))

    def chosen(asked="auto", photos=4, together=None, device="cpu", **settings):
        return side_by_side.choose_workers(asked, photos, Settings(**settings), together, device)

    assert [chosen(photos=n) for n in (1, 2, 8)] == [1, 2, 3]
    assert chosen(iterations=10, seeds=1) == 1
    assert chosen(together=2) == 1
    assert chosen("2", iterations=10, seeds=1) == 2
    assert chosen("9") == 4
    with pytest.raises(side_by_side.ClipassoError, match="--together 2: give one of them"):
        chosen("2", together=2)
    monkeypatch.setattr(capacity, "gpu_possible", lambda: True)
    monkeypatch.setattr(models, "pick_device", lambda name: torch.device("cuda"))
    assert chosen(device="auto") == 1
    with pytest.raises(side_by_side.ClipassoError, match="for CPUs only"):
        chosen("2", device="auto")
