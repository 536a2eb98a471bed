"""`clipasso studio` from a terminal."""

import os
import re
import signal
import subprocess
import sys
import urllib.request

import pytest

from clipasso.cli import run

serve = pytest.importorskip("clipasso.cli.studio.serve", reason="the extra `ui` is not installed")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--longest", "soon"], "--longest soon: must be a time above 0"),
        (["--idle", "0"], "--idle 0: must be a time above 0"),
        (["--largest", "0"], "studio: the limit upload must be above 0"),
        (["--host", "no.such.address.invalid"], "--host no.such.address.invalid: is no address"),
        (["--preset", "best"], "--preset best: must be one of"),
        (["--strokes", "0"], "--strokes 0: must be from 1"),
    ],
)
def test_bad_options_are_told_in_a_line(arguments, line, capsys):
    assert run(["studio", "--no-open", *arguments]) == 2
    said = capsys.readouterr().err
    assert line in said
    assert said.count("\n") == 1


def test_a_port_that_is_taken(taken_port, capsys):
    assert run(["studio", "--no-open", "--port", str(taken_port)]) == 2
    assert f"--port {taken_port}: cannot be used on 127.0.0.1" in capsys.readouterr().err


def test_the_usual_port_may_be_taken(taken_port, monkeypatch):
    monkeypatch.setattr("clipasso.cli.studio.serve.PORT", taken_port)
    with serve.bound("127.0.0.1", None) as listening:
        assert listening.getsockname()[1] != taken_port


def test_what_is_missing_is_told(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert run(["studio"]) == 2
    assert "pip install 'clipasso[ui]'" in capsys.readouterr().err


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_it_serves_until_it_is_interrupted(number, status):
    words = [sys.executable, "-m", "clipasso", "studio", "--no-open", "--port", "0"]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as process:
        url = re.search(r"http://127\.0\.0\.1:\d+/", process.stdout.readline()).group()
        with urllib.request.urlopen(url) as page:
            assert b"clipasso" in page.read()
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == status
    assert said == "clipasso: the studio is closed; what was uploaded is removed\n"
