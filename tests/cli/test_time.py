"""`--time`: how it is written, what is said of it, and that its numbers give the sketch again."""

import json
import subprocess
import sys

import pytest

import clipasso
from clipasso import ClipassoError, Settings
from clipasso.cli import duration, run
from clipasso.cli.duration import Clock, seconds_of

QUICK = [
    "--augmentations", "0", "--encoder", "efficientnet-lite0", "--strokes", "3", "--mask", "none",
    "--zoom", "none",
]  # fmt: skip


def sketch(*arguments):
    return run(["sketch", *QUICK, *map(str, arguments)])


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10s", 10), ("90", 90), ("2m", 120), ("1m30s", 90), ("1m30", 90), ("1h", 3600), ("0.5s", 0.5),
     ("1h2m3s", 3723), ("1.5m", 90), (" 10 S ", 10), (".5", 0.5)],
)  # fmt: skip
def test_times(text, seconds):
    assert seconds_of(text, "--time") == seconds


@pytest.mark.parametrize(
    "text", ["", "s", "soon", "0", "0s", "-5s", "10x", "1s2m", "nan", "inf", "1e3", "1:30", "٣s"]
)
def test_what_is_no_time(text, photo_path, tmp_path, capsys):
    with pytest.raises(ClipassoError, match="--time"):
        seconds_of(text, "--time")
    assert sketch(photo_path, "-o", tmp_path / "out", f"--time={text}") == 2
    error = capsys.readouterr().err
    assert error == f"clipasso: --time {text}: must be a time above 0, as 10s, 90, 2m or 1m30s\n"
    assert not (tmp_path / "out").exists()


def test_photos_share_what_is_left(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(duration, "monotonic", lambda: now[0])
    clock = Clock("30s", 95.0, Settings(iterations=50), {"seeds": None, "iterations": 50})

    def until(*arguments):
        found = clock.limit(*arguments)
        assert found.seconds == 30.0
        return found.until + duration._WRITING * min(arguments[1], arguments[2] - arguments[0])

    assert until(0, 1, 1) == pytest.approx(125.0)
    assert until(0, 1, 5) == pytest.approx(105.0)
    assert until(0, 2, 5) == pytest.approx(110.0)
    now[0] = 121.0  # the last of five has all that is left
    assert until(4, 2, 5) == pytest.approx(125.0)
    now[0] = 200.0
    assert until(4, 1, 5) == pytest.approx(200.0)  # nothing
    found = clock.limit(0, 1, 1)
    assert (found.seeds, found.most) == ((1, 3), 50)


def test_it_says_what_it_did_and_can_be_repeated(photo_path, tmp_path, capsys):
    out, again = tmp_path / "out", tmp_path / "again"
    options = ["--iterations", 8, "--time", "1h"]  # time enough: eight steps are the most
    assert sketch(photo_path, "-o", out, *options) == 0
    assert "flower.png: --time 3600s: 3 seeds of 8 steps\n" in capsys.readouterr().err
    report = json.loads((out / "flower.json").read_text())
    assert report["time_plan"] == {
        "limit": 3600.0, "seeds": 3, "planned": 8, "steps": 8, "kept": True,
    }  # fmt: skip
    assert (report["settings"]["seeds"], report["settings"]["iterations"]) == (3, 8)
    assert sketch(photo_path, "-o", again, "--seeds", 3, "--iterations", 8) == 0
    assert (again / "flower.svg").read_bytes() == (out / "flower.svg").read_bytes()
    assert json.loads((again / "flower.json").read_text())["time_plan"] is None


def test_seeds_that_are_given_stay(photo_path, tmp_path, capsys):
    options = ["--iterations", 5, "--seeds", 2, "--time", "1h", "--json"]
    assert sketch(photo_path, "-o", tmp_path / "out", *options) == 0
    found = capsys.readouterr()
    assert "--time" not in found.err
    assert json.loads(found.out)["time_plan"]["seeds"] == 2


def test_too_short_a_time_is_no_error(photo_path, tmp_path, capsys):
    growing = tmp_path / "growing.svg"
    options = ["--time", "0.001s", "--preview", growing]
    assert sketch(photo_path, "-o", tmp_path / "out", *options) == 0
    error = capsys.readouterr().err
    assert "--time 0.001s: 1 seed of 1 step, since nearly all of the time was over" in error
    assert growing.read_bytes() == (tmp_path / "out" / "flower.svg").read_bytes()


def test_several_photos_get_a_plan_each(photo_path, tmp_path, capsys):
    other = tmp_path / "other.png"
    other.write_bytes(photo_path.read_bytes())
    assert sketch(photo_path, other, "-o", tmp_path / "out", "--time", "0.1s") == 0
    lines = [x for x in capsys.readouterr().err.splitlines() if "--time" in x]
    assert [x.split()[1] for x in lines] == ["flower.png:", "other.png:"]


def test_it_counts_from_the_commands_start(photo_path, tmp_path):
    """From outside: loading alone takes longer than this, so there is no time for a second step."""
    command = [sys.executable, "-m", "clipasso", "sketch", str(photo_path), *QUICK]
    command += ["-o", str(tmp_path / "out"), "--time", "0.3s"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "1 seed of 1 step" in done.stderr


def test_the_librarys(photo_path):
    options = {"encoder": "efficientnet-lite0", "strokes": 3, "mask": "none", "augmentations": 0}
    result = clipasso.sketch(photo_path, time_limit=3600, iterations=4, **options)
    assert result.time_plan.steps == result.settings.iterations == 4
    assert result.settings.seeds == len(result.sketches) == 3
    assert len(result.initialisation.drawing) == 3
    few = clipasso.sketch(photo_path, time_limit=1e-3, iterations=4, **options)
    assert (few.settings.seeds, few.settings.iterations) == (1, 1)
    assert len(few.initialisation.drawing) == len(few.sketches) == len(few.report()["seeds"]) == 1
    with pytest.raises(ClipassoError, match="more than 0"):
        clipasso.sketch(photo_path, time_limit=0, **options)
