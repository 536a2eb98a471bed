"""`clipasso batch` with real sketches, as short as they can be."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from PIL import Image

from clipasso.cli import run
from clipasso.pipeline.batch.make import Loader
from playing_sketcher import play

QUICK = [
    "--iterations", "2", "--seeds", "1", "--augmentations", "0", "--encoder", "efficientnet-lite0",
    "--strokes", "3", "--mask", "none", "--zoom", "none", "--faces", "none",
]  # fmt: skip


def batch(*arguments):
    return run(["batch", *QUICK, *map(str, arguments)])


def drawn(folder):
    """Sketches and pictures; reports and the gallery tell times, which differ."""
    found = [*folder.rglob("*.svg"), *folder.rglob("*.png"), *folder.rglob("_gallery/**/*.jpg")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


@pytest.fixture
def one_thread(monkeypatch):
    """Sums depend on the number of threads, and processes of their own have one."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def source(photo_path, tmp_path):
    folder = tmp_path / "in" / "more"
    folder.mkdir(parents=True)
    for name, turn in (("flower.png", 0), ("leaf.png", 90), ("stem.png", 180)):
        Image.open(photo_path).rotate(turn, fillcolor="white").save(folder / name)
    return tmp_path / "in"


def test_killed_in_the_middle_it_ends_as_if_left_alone(source, tmp_path, capsys, one_thread):
    whole, out = tmp_path / "whole", tmp_path / "out"
    assert batch(source, "-o", whole, "--workers", 1) == 0
    told = capsys.readouterr()
    assert told.out.split() == [str(whole / "index.html"), str(whole / "contact-sheet.jpg")]
    assert "3 of 3 photos are sketched" in told.err
    command = [sys.executable, "-m", "clipasso", "batch", source, "-o", out, *QUICK]
    process = subprocess.Popen([*command, "--workers", "1"], stderr=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while len(list(out.rglob("*.svg"))) < 2:
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.01)
    process.kill()
    process.wait()
    before = drawn(out)
    assert set(before) < set(drawn(whole)) or os.name == "nt"
    assert batch(source, "-o", out, "--workers", 1) == 0
    assert drawn(out) == drawn(whole)
    assert " of them before" in capsys.readouterr().err
    report = json.loads((out / "more" / "leaf.json").read_text())
    assert (report["photo"], report["settings"]["strokes"]) == ("leaf.png", 3)


@pytest.mark.slow  # two processes that load networks; the pool has its own tests
def test_side_by_side_the_same_files_come_out(source, tmp_path, one_thread):
    for workers in (1, 2):
        assert batch(source, "-o", tmp_path / str(workers), "--workers", workers) == 0
    assert drawn(tmp_path / "1") == drawn(tmp_path / "2")


@pytest.fixture
def played(monkeypatch):
    monkeypatch.setattr(Loader, "__call__", lambda self, talk: play)


def test_a_bad_photo_is_told_and_the_status_is_1(played, source, tmp_path, capsys):
    (source / "bad.png").write_bytes(b"")
    assert batch(source, "-o", tmp_path / "out", "--quiet") == 1
    told = capsys.readouterr()
    assert told.out == ""
    lines = told.err.splitlines()
    assert "bad.png" in lines[0]
    assert lines[1] == "clipasso: 3 of 4 photos are sketched"
    assert lines[2].startswith("clipasso: 1 could not be: bad.png; ")
    assert len(lines) == 3


def test_the_gallery_alone(played, source, tmp_path, capsys):
    out = tmp_path / "out"
    assert batch(source, "-o", out, "-q") == 0
    (out / "index.html").unlink()
    assert run(["batch", "-o", str(out), "--gallery-only"]) == 0
    assert (out / "index.html").is_file()
    assert run(["batch", str(source), "-o", str(out), "--gallery-only"]) == 2
    assert run(["batch", "-o", str(tmp_path), "--gallery-only"]) == 2
    assert "no batch was made there" in capsys.readouterr().err


def test_an_interrupt_keeps_what_is_done(source, tmp_path, capsys, monkeypatch):
    def interrupted(self, talk):
        def work(task):
            if "leaf" in task.pieces[0].path:
                signal.raise_signal(signal.SIGINT)
            return play(task)

        return work

    monkeypatch.setattr(Loader, "__call__", interrupted)
    assert batch(source, "-o", tmp_path / "out") == 130
    assert "finished sketches that stay: 1; the same command goes on" in capsys.readouterr().err
    monkeypatch.setattr(Loader, "__call__", lambda self, talk: play)
    assert batch(source, "-o", tmp_path / "out") == 0
    assert "3 of 3 photos are sketched, 1 of them before" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "words"), [
    ([], "give photos, a folder"),
    (["SOURCE", "--worker-gpus", "0.5"], "are for --cluster"),
    (["SOURCE", "--cluster", "auto", "--worker-gpus", "1.5"], "--worker-gpus 1.5"),
    (["SOURCE", "--cluster", "auto", "--worker-cpus", "0"], "--worker-cpus"),
    (["SOURCE", "--strokes", "0"], "--strokes 0"),
    (["table.csv"], "no setting is called colour"),
])  # fmt: skip
def test_what_does_not_go_is_one_line(arguments, words, played, source, tmp_path, capsys):
    (tmp_path / "table.csv").write_text("photo,colour\nin/more/leaf.png,red\n")
    there = {"SOURCE": source, "table.csv": tmp_path / "table.csv"}
    assert batch(*(there.get(word, word) for word in arguments), "-o", tmp_path / "out") == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert words in lines[0]


def test_without_ray_it_says_what_to_install(played, source, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert batch(source, "-o", tmp_path / "out", "--cluster", "auto") == 2
    assert "pip install 'clipasso[cluster]'" in capsys.readouterr().err
