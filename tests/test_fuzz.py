"""What comes from outside and is malformed ends in one clear line or a result, soon."""

import json
import random
import string
import subprocess
import sys
from pathlib import Path

import pytest

from clipasso.cli import app, run
from fuzzing import tried

SAMPLE, ALL = 40, 2000


@pytest.mark.parametrize("what", ["photos", "svgs", "checkpoints", "manifests", "tables"])
def test_a_sample_of_malformed_files(what):
    step = ALL // SAMPLE + 1  # no multiple of the fifth that is large
    found = tried(what, [seed for seed in range(0, ALL, step) if what != "svgs" or seed % 5 != 4])
    assert found["faults"] == {}


@pytest.mark.slow
@pytest.mark.parametrize("what", ["photos", "svgs", "checkpoints", "manifests", "tables"])
def test_2000_malformed_files(what):
    """In a process of their own, whose end would tell of a crash in a decoder."""
    done = subprocess.run(
        [sys.executable, "fuzzing.py", what, str(ALL)], capture_output=True, text=True,
        cwd=Path(__file__).parent, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["faults"] == {}


VALUES = (
    "", " ", "-", "0", "-1", "1", "1e999", "nan", "inf", "9" * 40, "x", "a,b", "1:2:3", "..", "/",
    "/dev/null", "\udcff", "😀", "--", "-q", "%s", "$HOME", "1-4,7", "RN101:", ":",
    "a" * 5000, "\n", "0.5", "1,1,1", "[]", "{}", "none", "auto", "missing.svg", "missing.png",
)  # fmt: skip
_APART = ("doctor", "encoders")  # they take no file, and may ask the network


def command_line(seed):
    """A command with options and values that nobody would give it, on files that are not there."""
    import typer

    rng = random.Random(seed)
    commands = typer.main.get_command(app).commands
    name = rng.choice(sorted(set(commands) - set(_APART)))
    words = [name]
    for parameter in commands[name].params:
        if parameter.param_type_name == "argument":
            words += [rng.choice(("missing.svg", "missing.png", rng.choice(VALUES)))]
    options = [p for p in commands[name].params if p.param_type_name == "option"]
    for option in rng.sample(options, rng.randint(1, 4)):
        if option.name in ("help", "verbose"):
            continue
        words.append(rng.choice(option.opts))
        if not option.is_flag or rng.random() < 0.1:
            nonsense = "".join(rng.choices(string.printable, k=rng.randint(1, 9)))
            words.append(rng.choice((*VALUES, nonsense)))
    return words


def strange_command_lines(seeds, capsys):
    for seed in seeds:
        words = command_line(seed)
        try:
            status = run(words)
        except Exception as error:
            raise AssertionError(f"{seed}: {words}") from error
        told = capsys.readouterr().err
        assert status in (0, 1, 2), (seed, words, status)
        assert "Traceback" not in told, (seed, words, told)
        assert status == 0 or told.strip(), (seed, words)


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """An empty folder, no networks and a studio that closes: what is tried comes before them."""
    from clipasso import ClipassoError, encoders
    from clipasso.cli.studio import serve
    from clipasso.encoders import hub
    from clipasso.pipeline import models

    def none(*arguments, **options):
        raise ClipassoError("no networks here")

    def opened(studio, host, port, open_browser):
        try:
            serve.bound(host, port).close()
        finally:
            studio.close()

    monkeypatch.setattr(serve, "serve", opened)
    monkeypatch.setattr(models, "_loaded", none)
    monkeypatch.setattr(encoders, "_find", none)
    monkeypatch.setattr(hub, "hub_answers", lambda *arguments: False)
    monkeypatch.chdir(tmp_path)


def test_a_sample_of_strange_command_lines(nowhere, capsys):
    strange_command_lines(range(60), capsys)


@pytest.mark.parametrize(
    "words",
    [
        ["export", "a.svg", "--format", "/"],
        ["plot", "a.svg", "--format", "/"],
        ["style", "a.svg", "--brush", "ink", "--format", "/"],
        ["render", "/"],
        ["color", "/", "a.png"],
        ["sketch", "a.png", "--init", "a" * 5000],
        ["evaluate", "a" * 5000],
        ["study", "a" * 5000],
        ["figure", "seeds", "a" * 5000],
        ["batch", "a" * 5000, "-o", "out"],
        ["studio", "--host", "a" * 5000],
        ["studio", "--host", ".."],
    ],
    ids=lambda words: words[0],
)
def test_names_that_are_none(words, nowhere, capsys):
    assert run(words) == 2
    told = capsys.readouterr().err
    assert told.startswith("clipasso: ")
    assert told.count("\n") == 1


@pytest.mark.slow
def test_2000_strange_command_lines(nowhere, capsys):
    strange_command_lines(range(60, 2060), capsys)
