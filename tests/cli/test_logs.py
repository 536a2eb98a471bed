"""`--verbose` and `--log`: what is told, and that the library is silent without them."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clipasso
from clipasso.cli import run
from clipasso.cli.logs import logging_to
from clipasso.pipeline.models import Models
from tiny import Blur

QUICK = [
    "--seeds",
    "1",
    "--strokes",
    "2",
    "--iterations",
    "4",
    "-q",
    "--mask",
    "none",
    "--frame",
    "keep",
]


@pytest.fixture
def photo(tmp_path, monkeypatch):
    from clipasso.pipeline import models

    monkeypatch.setattr(models, "_loaded", lambda *a: Models(Blur(), Blur()))
    y, x = np.mgrid[:60, :60]
    pixels = np.full((60, 60, 3), 255, np.uint8)
    pixels[(x - 30) ** 2 + (y - 26) ** 2 < 18**2] = (200, 40, 30)
    path = tmp_path / "disc.png"
    Image.fromarray(pixels).save(path)
    return path


def test_verbose_tells_the_stages_on_stderr(photo, tmp_path, capsys):
    assert run(["sketch", str(photo), "-o", str(tmp_path / "out"), *QUICK, "-v"]) == 0
    told = capsys.readouterr()
    assert told.out == ""
    for words in ("on a canvas", "loss by blur", "mask none keeps all", "strokes of 1 seeds placed",
                  "finished after 4 steps", "optimise", "disc.svg"):  # fmt: skip
        assert words in told.err, words
    assert "step 0: losses" not in told.err  # -vv has those
    assert not logging.getLogger("clipasso").handlers  # nothing is left behind


def test_a_log_is_lines_of_json_that_are_added_to(photo, tmp_path, capsys):
    log = tmp_path / "log.jsonl"
    again = ["sketch", str(photo), "-o", str(tmp_path / "out"), *QUICK, "--log", str(log)]
    assert run(again) == 0
    assert capsys.readouterr().err == ""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert all({"time", "seconds", "level", "logger", "message"} <= set(line) for line in lines)
    assert all(line["logger"].startswith("clipasso.") for line in lines)
    (done,) = [line for line in lines if line.get("stage") == "done"]
    assert set(done["seconds_by_stage"]) >= {"initialise", "optimise"}
    assert any("step 0: losses" in line["message"] for line in lines)
    assert run(again) == 2  # the results are there
    more = [json.loads(line) for line in log.read_text().splitlines()]
    assert more[: len(lines)] == lines
    assert more[-1]["level"] == "error"
    assert "exists already" in more[-1]["message"]


@pytest.mark.parametrize("where", ["missing/log", "photo"])
def test_a_log_that_cannot_be_is_one_line(where, photo, tmp_path, capsys):
    before, log = photo.read_bytes(), photo if where == "photo" else tmp_path / where
    assert run(["sketch", str(photo), "-o", str(tmp_path / "out"), "--log", str(log)]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert f"--log {log}" in err
    assert photo.read_bytes() == before
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
def test_a_full_disk_ends_the_log_and_nothing_else(capsys):
    with logging_to(0, Path("/dev/full")):
        for _ in range(3):
            logging.getLogger("clipasso.test").info("told")
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "going on without" in err


def test_the_library_is_silent(photo, capfd):
    clipasso.sketch(photo, encoder=Blur(), device="cpu", strokes=2, seeds=1, iterations=3)
    assert capfd.readouterr() == ("", "")


def test_every_command_has_both(capsys):
    from clipasso.cli import app

    for command in app.registered_commands:
        assert run([command.name, "--help"]) == 0
        told = capsys.readouterr().out
        assert "--verbose" in told, command.name
        assert "--log" in told, command.name


def test_a_start_does_not_load_logging_for_nothing():
    code = "import sys, clipasso; print('logging' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
