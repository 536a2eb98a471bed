"""`clipasso animate` and `--record`: files as asked for, and nothing overwritten or cut short."""

import io
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

import clipasso
from clipasso import Sketch
from clipasso.cli import record, run
from clipasso.errors import ClipassoError

QUICK = [
    "--iterations", "12", "--seeds", "1", "--augmentations", "0", "--encoder", "efficientnet-lite0",
    "--strokes", "3", "--mask", "none",
]  # fmt: skip
SMALL = ["--size", "32", "--fps", "5", "--seconds", "0.5"]


def animate(*arguments):
    return run(["animate", *map(str, arguments)])


def sketch(*arguments):
    return run(["sketch", *QUICK, *map(str, arguments)])


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def svgs(tmp_path):
    """Two sketches of other numbers of strokes."""
    paths = []
    for count in (3, 2):
        points = np.random.default_rng(count).uniform(0, 50, (count, 4, 2))
        paths.append(tmp_path / f"{count}.svg")
        Sketch(points, (60, 50)).save(paths[-1])
    return paths


@pytest.mark.parametrize("ending", ["svg", "html", "gif", "webp"])
def test_a_drawing(svgs, ending, tmp_path, capsys):
    out = tmp_path / "new" / f"moving.{ending.upper()}"
    small = SMALL if ending in ("gif", "webp") else SMALL[4:]
    assert animate(svgs[0], "-o", out, *small) == 0
    assert "3 strokes, 1.5 s" in capsys.readouterr().out
    if ending == "svg":
        assert Sketch.open(out) == Sketch.open(svgs[0])
    elif ending == "html":
        assert out.read_text().startswith("<!doctype html>")
    else:
        assert Image.open(out).n_frames > 1
    assert names(out.parent) == [out.name]


def test_a_morph_through_standard_streams(svgs):
    command = [sys.executable, "-m", "clipasso", "animate", "-", str(svgs[1]), "-o", "-",
               "--format", "gif", *SMALL]  # fmt: skip
    done = subprocess.run(
        command, input=svgs[0].read_bytes(), capture_output=True, timeout=300, check=True
    )
    image = Image.open(io.BytesIO(done.stdout))
    assert image.n_frames > 1
    assert b"standard output  3 to 2 strokes, 2.5 s" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["A", "-o", "x.png"], "x.png: must end in .svg, .html, .gif, .webp or .mp4"),
        (["A", "-o", "-"], "standard output has no name; give --format"),
        (["A", "-o", "x.gif", "--format", "webp"], "are two formats"),
        (["A", "-o", "x.gif", "--seconds", "0"], "--seconds 0: must be from 0.1"),
        (["A", "-o", "x.gif", "--seconds", "nan"], "--seconds nan"),
        (["A", "-o", "x.gif", "--hold", "-1"], "--hold -1"),
        (["A", "-o", "x.gif", "--size", "0"], "--size 0: must be from 16"),
        (["A", "-o", "x.gif", "--seconds", "600", "--size", "4096"], "choose a smaller --size"),
        (["A", "-o", "x.svg", "--size", "64"], "--size: SVG has no frames"),
        (["-", "-", "-o", "x.gif"], "standard input can be read once"),
        (["EMPTY", "-o", "x.gif"], "empty.svg: has no strokes to draw"),
        (["A", "EMPTY", "-o", "x.gif"], "empty.svg: has no strokes to draw"),
        (["missing.svg", "-o", "x.gif"], "missing.svg: cannot be read"),
        (["A", "-o", "A"], "would overwrite"),
        (["A", "-o", "A", "--force"], "would overwrite"),
        (["A", "-o", "B"], "exists already; give --force"),
        (["A", "-o", "folder.gif"], "is a folder"),
    ],
)
def test_what_cannot_be(arguments, what, svgs, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.gif").mkdir()
    empty = tmp_path / "empty.svg"
    empty.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    known = {"A": svgs[0], "B": svgs[1], "EMPTY": empty}
    before = {path: path.read_bytes() for path in known.values()}
    assert animate(*(known.get(word, word) for word in arguments)) == 2
    errors = capsys.readouterr().err
    assert what in errors
    assert errors.count("\n") == 1
    assert {path: path.read_bytes() for path in known.values()} == before
    assert names(tmp_path) == ["2.svg", "3.svg", "empty.svg", "folder.gif"]


def test_force_and_what_is_left_out(svgs, tmp_path, capsys):
    svgs[1].write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>a</text>'
        '<path d="M1 1L8 8" stroke="red"/></svg>'
    )
    out = tmp_path / "x.gif"
    out.write_bytes(b"old")
    assert animate(svgs[1], "-o", out, "--force", *SMALL) == 0
    assert "2.svg: not kept: 1 <text> element" in capsys.readouterr().err
    assert Image.open(out).n_frames > 1


# --record.


def test_a_recording_goes_from_the_first_strokes_to_the_result(photo_path, tmp_path, capsys):
    out, film = tmp_path / "out", tmp_path / "films" / "way.svg"
    assert sketch(photo_path, "-o", out, "--record", film) == 0
    assert f"{film}  the strokes on their way, 6 s" in capsys.readouterr().out
    assert Sketch.open(film) == Sketch.open(out / "flower.svg")
    assert names(film.parent) == ["way.svg"]
    ET.parse(film)


def test_the_library_records(photo_path):
    result = clipasso.sketch(
        photo_path, iterations=12, seeds=2, augmentations=0, encoder="efficientnet-lite0",
        strokes=3, mask="none",
    )  # fmt: skip
    film = result.recording(seconds=1, hold=0.5)
    assert film.duration == 2
    assert film.still is film.at(2) is result.sketch
    frame = result.photo.frame
    first = film.at(0)
    assert first.size == result.sketch.size
    start = result.initialisation.drawing.only(result.outcome.winner)
    laid = result.arrangement.of(start.to_sketch(first.size, frame))
    assert np.abs(first.points - laid.points).max() < 1.0
    assert len(film.poses) > 1
    for pose in film.poses:  # cut where the photo ends
        assert np.allclose(pose.cut(((0, 0), pose.size)).points, pose.points, atol=0.01)
    with pytest.raises(ClipassoError, match="must be from"):
        result.recording(seconds=0)


@pytest.mark.parametrize("workers", [1, 2])
def test_each_of_several_photos_has_its_own(photo_path, tmp_path, workers):
    other = tmp_path / "other.png"
    other.write_bytes(photo_path.read_bytes())
    out = tmp_path / "out"
    given = [photo_path, other, "-o", out, "--iterations", 2, "--workers", workers]
    assert sketch(*given, "--record", out / "NAME-way.html") == 0
    made = names(out)
    assert [name for name in made if "way" in name] == ["flower-way.html", "other-way.html"]
    assert len(made) == 8


def test_recordings_that_cannot_be(photo_path, tmp_path, capsys, monkeypatch):
    other, out = tmp_path / "other.png", tmp_path / "out"
    other.write_bytes(photo_path.read_bytes())
    there = tmp_path / "there.gif"
    there.write_bytes(b"old")
    monkeypatch.setitem(sys.modules, "av", None)
    for arguments, what in (
        ([photo_path, "--record", "x.png"], "--record x.png: must end in"),
        ([photo_path, "--record", "-"], "--record -: name a file"),
        ([photo_path, "--record", there], "exists already; give --force"),
        ([photo_path, other, "--record", "x.gif"], "is one file for 2 photos; put NAME into it"),
        ([photo_path, "--record", out / "flower.svg"], "is also the name of another file"),
        ([photo_path, "--record", "x.svg", "--preview", "x.svg"], "is also the name of another"),
        ([photo_path, "--record", "x.mp4"], "pip install 'clipasso[video]'"),
    ):
        assert sketch(*arguments, "-o", out) == 2
        errors = capsys.readouterr().err
        assert what in errors
        assert errors.count("\n") == 1
    assert there.read_bytes() == b"old"
    assert not out.exists() or names(out) == []


def test_a_recording_that_fails_takes_nothing_with_it(photo_path, tmp_path, capsys, monkeypatch):
    def fail(*arguments, **options):
        raise ClipassoError("way.gif: cannot be written (No space left on device)")

    monkeypatch.setattr(record, "write_atomically", fail)
    out = tmp_path / "out"
    given = [photo_path, "-o", out, "--record", tmp_path / "way.svg", "--iterations", 2]
    assert sketch(*given) == 2
    assert "--record way.gif: cannot be written" in capsys.readouterr().err
    assert names(out) == ["flower.json", "flower.png", "flower.svg"]
