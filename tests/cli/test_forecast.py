"""A run that will take over two minutes says so after its first steps, by a clock of the test's."""

import os
import subprocess
import sys

import pytest

from clipasso import Settings
from clipasso.cli import forecast, run
from clipasso.cli.forecast import Forecast
from clipasso.cli.sketch import forecast_of
from clipasso.pipeline.words import size_in_words, time_in_words
from playing_hub import playing_hub

QUICK = [
    "--iterations", "20", "--seeds", "1", "--augmentations", "0", "--strokes", "3", "--mask",
    "none", "--zoom", "none",
]  # fmt: skip
EMBEDDED = ["--encoder", "efficientnet-lite0"]


@pytest.fixture
def clock(monkeypatch):
    """Every look at the clock is so many seconds after the one before."""
    state = {"now": 0.0, "step": 1.0}

    def tick():
        state["now"] += state["step"]
        return state["now"]

    monkeypatch.setattr(forecast, "monotonic", tick)
    return state


def made(quiet=False):
    return Forecast(lambda: "800 steps of 3 seeds, RN101 on the CPU", "Ctrl-C keeps it", quiet)


def test_one_line_after_the_first_steps(clock, capsys):
    told, clock["step"] = made(), 5.25
    told.see(0, 800)
    assert capsys.readouterr().err == ""
    told.see(10, 800)
    assert capsys.readouterr().err == (
        "clipasso: this will take at most about 7 minutes (800 steps of 3 seeds, RN101 on the "
        "CPU); Ctrl-C keeps it\n"
    )
    told.see(20, 800)
    told.see(0, 800)
    told.see(10, 800)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("seconds", "said"), [(1.49, False), (1.51, True)])
def test_two_minutes_are_the_limit(clock, capsys, seconds, said):
    told, clock["step"] = made(), seconds
    told.see(0, 800)
    told.see(10, 800)
    assert bool(capsys.readouterr().err) == said


def test_what_comes_before_the_first_step_does_not_count(clock, capsys):
    told, clock["step"] = made(), 1.0
    told.see(0, 800)
    clock["now"] += 1000  # masks, first strokes, compiled kernels
    told.see(0, 800)
    told.see(10, 800)
    assert capsys.readouterr().err == ""


def test_quiet(clock, capsys):
    told, clock["step"] = made(quiet=True), 100.0
    told.see(0, 800)
    told.see(10, 800)
    assert capsys.readouterr().err == ""


def sketch(*arguments):
    return run(["sketch", *EMBEDDED, *map(str, arguments)])


def lines(capsys):
    return [x for x in capsys.readouterr().err.splitlines() if "this will take" in x]


def test_a_sketch_says_so(clock, photo_path, tmp_path, capsys):
    clock["step"] = 100.0
    assert sketch(photo_path, "-o", tmp_path / "out", *QUICK) == 0
    assert lines(capsys) == [
        "clipasso: this will take at most about 3 minutes (20 steps of one seed, "
        "efficientnet-lite0 on the CPU); Ctrl-C keeps the best so far"
    ]
    assert sketch(photo_path, "-o", tmp_path / "quiet", *QUICK, "-q") == 0
    assert capsys.readouterr().err == ""


def test_a_batch_says_it_of_the_whole(clock, photo_path, tmp_path, capsys):
    clock["step"] = 50.0
    other = tmp_path / "other.png"
    other.write_bytes(photo_path.read_bytes())
    assert sketch(photo_path, "-o", tmp_path / "one", *QUICK) == 0
    assert lines(capsys) == []  # a photo alone takes 100 seconds
    assert sketch(photo_path, other, "-o", tmp_path / "two", *QUICK) == 0
    (line,) = lines(capsys)
    assert "about 3 minutes (20 steps of one seed, 2 photos, efficientnet-lite0" in line
    assert "Ctrl-C keeps what is done by then" in line


def test_what_can_be_done_about_it(clock, capsys):
    def said(network, photos=1, **settings):
        told = forecast_of(Settings(**settings), network, "cpu", photos, quiet=False)
        told.see(0, 1e6)
        told.see(1, 1e6)
        return lines(capsys)[0].partition("); ")[2]

    assert said("RN101") == "Ctrl-C keeps the best so far, --preset draft is quicker"
    draft = {"seeds": 1, "iterations": 200}
    kept = "Ctrl-C keeps the best so far"
    assert said("RN101", **draft) == f"{kept}, --encoder efficientnet-lite0 is quicker"
    assert said("efficientnet-lite0", **draft) == kept
    assert said("RN101", photos=3).startswith("Ctrl-C keeps what is done by then, ")


def test_a_figure_says_it_of_all_its_runs(clock, photo_path, tmp_path, capsys):
    clock["step"] = 20.0
    arguments = ["--iterations", "10", "--seeds", "1", "--strokes", "4,3", "--mask", "none",
                 *EMBEDDED]  # fmt: skip
    out = str(tmp_path / "figures")
    assert run(["figure", "abstraction", str(photo_path), "-o", out, *arguments]) == 0
    assert lines(capsys) == []
    clock["step"] = 70.0
    assert run(["figure", "abstraction", str(photo_path), "-o", out, *arguments, "--force"]) == 0
    (line,) = lines(capsys)
    assert "about 2 minutes (2 runs)" in line
    assert "the same command goes on from there" in line


def test_a_drawing_says_so(clock, photo_path, tmp_path, capsys):
    clock["step"] = 200.0
    arguments = ["--photo", str(photo_path), "--lines", "--iterations", "10", *EMBEDDED]
    assert run(["draw", *arguments, "-o", str(tmp_path / "out")]) == 0
    (line,) = lines(capsys)
    assert "about 3 minutes (10 steps, efficientnet-lite0 on the CPU); Ctrl-C keeps" in line


def test_words():
    times = {0.2: "1 second", 40: "40 seconds", 89: "89 seconds", 91: "2 minutes",
             420: "7 minutes", 5300: "88 minutes", 10800: "3 hours"}  # fmt: skip
    for seconds, words in times.items():
        assert time_in_words(seconds) == words
    assert size_in_words(12e6) == "12 MB"
    assert size_in_words(479e6) == "479 MB"
    assert size_in_words(999.9e6) == "1.0 GB"
    assert size_in_words(1.08e9) == "1.1 GB"


def test_a_network_and_no_gpu_start_no_download(photo_path, tmp_path):
    """From outside: a hub that would answer is not even asked."""
    with playing_hub() as hub:
        surroundings = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home"),
                        "HF_HUB_OFFLINE": "0", "HOME": str(tmp_path)}  # fmt: skip
        surroundings.pop("HF_HUB_CACHE", None)
        command = [sys.executable, "-m", "clipasso", "sketch", str(photo_path), "--device", "cpu"]
        command += ["-o", str(tmp_path / "out"), *QUICK, "--iterations", "1"]
        done = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=True)
        assert hub.requests == []
    (line,) = [x for x in done.stderr.splitlines() if "encoder:" in x]
    assert "--encoder RN101 would fetch about 1.1 GB (RN101 and ViT-B-32) and then take" in line
