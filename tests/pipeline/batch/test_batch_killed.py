"""A batch that is killed, at any moment and again and again, ends as one that is left alone."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from playing_sketcher import files, photos

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")

_PROGRAM = """
import os, signal, sys
from playing_sketcher import play
import clipasso
from clipasso.pipeline.batch.make import Loader
from clipasso.pipeline.batch.manifest import Manifest

left = int(sys.argv[3])

def step():
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

def deadly(call):
    def wrapped(*given, **options):
        step()
        value = call(*given, **options)
        step()
        return value
    return wrapped

os.replace = deadly(os.replace)  # of every file that is written
for name in ("enter", "begin", "finish", "fail", "count"):
    setattr(Manifest, name, deadly(getattr(Manifest, name)))
Loader.__call__ = lambda self, talk: play
clipasso.batch(sys.argv[1], sys.argv[2], encoder="efficientnet-lite0")
print("moments", -left)
"""


def start(source, out, moment=0):
    """Run the program until it has come to a moment, to its end with 0; what it printed."""
    here = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, source, out, str(moment)],
        capture_output=True, text=True, env=here, check=False,
    )  # fmt: skip
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    assert not done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Photos, one of them bad, what becomes of them undisturbed, and the moments that has."""
    folder = tmp_path_factory.mktemp("alone")
    photos(folder / "in", "a.png", "b.png", "deep/c.png", "deep/a.png")
    (folder / "in" / "bad.png").write_bytes(b"")
    told = start(folder / "in", folder / "out")
    return folder / "in", files(folder / "out"), int(told.split()[-1])


def check(alone, out):
    """Whatever is there is whole, and what counts as done is all there."""
    _, whole, _ = alone
    for name, content in files(out).items() if out.exists() else ():
        if not Path(name).name.startswith(".clipasso-"):
            assert content == whole[name], name
    if not (out / "batch.sqlite").exists():
        return
    db = sqlite3.connect(out / "batch.sqlite")
    if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        for (name,) in db.execute("SELECT name FROM photos WHERE state = 'done'"):
            assert all((out / f"{name}{end}").is_file() for end in (".svg", ".png", ".json"))
    db.close()


def test_killed_again_and_again_it_ends_as_if_left_alone(alone):
    source, whole, moments = alone
    assert moments > 60
    # Beside the other: the gallery's links to photos are relative.
    out, draw = source.parent / "killed", random.Random(7)
    for _ in range(4):
        start(source, out, draw.randrange(1, moments * 2 // 3))
        check(alone, out)
    start(source, out)
    assert files(out) == whole


@pytest.mark.slow
def test_killed_at_every_moment(alone):
    source, whole, moments = alone
    for moment in range(1, moments + 1):
        out = source.parent / str(moment)
        start(source, out, moment)
        check(alone, out)
        start(source, out)
        assert files(out) == whole, moment
