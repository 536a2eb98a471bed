"""`--preview`: a file that grows into the result, and that overwrites nothing unasked."""

import os
import threading
import time

import numpy as np
import pytest

import clipasso
from clipasso import Sketch
from clipasso.cli import preview as module
from clipasso.cli import run
from clipasso.optimise import showing
from clipasso.pipeline.claims import claimed

QUICK = [
    "--iterations", "6", "--seeds", "2", "--augmentations", "0", "--encoder", "efficientnet-lite0",
    "--strokes", "3", "--mask", "none",
]  # fmt: skip
LIBRARY = {
    "iterations": 6, "seeds": 2, "augmentations": 0, "encoder": "efficientnet-lite0", "strokes": 3,
    "mask": "none",
}  # fmt: skip


def sketch(*arguments):
    return run(["sketch", *QUICK, *map(str, arguments)])


@pytest.fixture
def every_step(monkeypatch):
    monkeypatch.setattr(showing, "_EVERY", 0.0)
    monkeypatch.setattr(showing, "_PART", 1.0)


@pytest.fixture
def versions(monkeypatch):
    """What the preview's file held, write by write."""
    found = []

    def write(path, data, **options):
        before(path, data, **options)
        found.append(Sketch.open(path))

    before = module.write_atomically
    monkeypatch.setattr(module, "write_atomically", write)
    return found


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_it_grows_into_the_result(every_step, versions, photo_path, tmp_path):
    out, growing = tmp_path / "out", tmp_path / "new" / "growing.svg"
    assert sketch(photo_path, "-o", out, "--preview", growing) == 0
    assert growing.read_bytes() == (out / "flower.svg").read_bytes()
    assert names(growing.parent) == ["growing.svg"]
    assert [s.metadata["steps"] for s in versions] == ["0", *map(str, range(6)), "6"]
    assert {s.size for s in versions} == {(224.0, 168.0)}  # the photo's frame
    assert {len(s) for s in versions} == {3}
    first, later = versions[0], versions[-2]
    assert not np.allclose(first.points, later.points)
    again = tmp_path / "again"
    assert sketch(photo_path, "-o", again) == 0  # and without it the result is the same
    assert (again / "flower.svg").read_bytes() == growing.read_bytes()


def test_first_strokes_come_before_the_photo_is_encoded(photo_path, monkeypatch):
    from clipasso.optimise import loop

    seen, kept = [], loop.PhotoPool

    def pool(*arguments, **options):
        seen.append("pool")
        return kept(*arguments, **options)

    monkeypatch.setattr(loop, "PhotoPool", pool)
    result = clipasso.sketch(photo_path, on_preview=seen.append, **LIBRARY)
    first, second, *_, last = seen
    assert second == "pool"
    assert (first.step, first.steps, first.finished, first.photo) == (0, 6, False, 0)
    frame = result.photo.frame
    laid = result.initialisation.drawing.only(0)
    laid = laid.to_sketch((frame.width, frame.height), frame)
    assert np.abs(first.sketch.points - laid.points).max() < 1.0  # but for what is cut off
    assert last.finished
    assert last.sketch is result.sketch


def test_previews_are_cut_where_the_photo_ends(every_step, tmp_path):
    pixels = np.full((60, 160, 3), 255, np.uint8)
    pixels[:, 70:90] = 0  # from edge to edge
    seen = []
    clipasso.sketch(pixels, on_preview=seen.append, **{**LIBRARY, "iterations": 3})
    assert len(seen) == 5
    for one in seen:
        ink = one.sketch.cut(((0, 0), one.sketch.size)).points
        assert np.allclose(ink, one.sketch.points, atol=0.01)


def test_several_photos_follow_each_other(versions, photo_path, tmp_path):
    other = tmp_path / "other.png"
    other.write_bytes(photo_path.read_bytes())
    out, growing = tmp_path / "out", tmp_path / "growing.svg"
    assert sketch(photo_path, other, "-o", out, "--preview", growing, "--seeds", 1) == 0
    photos = [s.metadata["photo"] for s in versions]
    assert photos == sorted(photos)
    assert set(photos) == {"flower.png", "other.png"}
    assert growing.read_bytes() == (out / "other.svg").read_bytes()
    growing.unlink()
    versions.clear()  # together: the first of them
    options = ["--together", 2, "--seeds", 1, "--force"]
    assert sketch(photo_path, other, "-o", out, "--preview", growing, *options) == 0
    assert {s.metadata["photo"] for s in versions} == {"flower.png"}
    assert growing.read_bytes() == (out / "flower.svg").read_bytes()


@pytest.mark.parametrize("forced", [[], ["--force"]])
def test_what_is_read_is_not_written_over(forced, photo_path, tmp_path, capsys):
    drawing = tmp_path / "mine.svg"
    Sketch([[[10.0, 10], [20, 40], [60, 40], [90, 10]]] * 3, size=(160, 120)).save(drawing)
    before = drawing.read_bytes()
    link = tmp_path / "link.svg"
    os.link(drawing, link)
    for target in (drawing, link):
        options = ["--init", drawing, "--preview", target, *forced]
        assert sketch(photo_path, "-o", tmp_path / "out", *options) == 2
        error = capsys.readouterr().err
        assert error.startswith(f"clipasso: {target}: would overwrite {drawing}")
        assert error.endswith("choose another output with --preview\n")
    assert drawing.read_bytes() == before


def test_a_file_that_is_there_stays_unless_forced(photo_path, tmp_path, capsys):
    growing, out = tmp_path / "growing.svg", tmp_path / "out"
    growing.write_text("mine")
    assert sketch(photo_path, "-o", out, "--preview", growing) == 2
    assert f"--preview {growing}: exists already" in capsys.readouterr().err
    assert growing.read_text() == "mine"
    assert not out.exists()
    assert sketch(photo_path, "-o", out, "--preview", growing, "--force") == 0
    assert growing.read_bytes() == (out / "flower.svg").read_bytes()


def test_names_that_cannot_be(photo_path, tmp_path, capsys):
    out, folder = tmp_path / "out", tmp_path / "folder.svg"
    folder.mkdir()
    wrong = {
        out / "flower.svg": "is also the name of a result",
        tmp_path / "growing.png": "must end in .svg",
        folder: "is no file",
        photo_path / "growing.svg": "choose another output folder with --preview",
        tmp_path / f"{'x' * 300}.svg": "choose another name",
    }
    for path, message in wrong.items():
        assert sketch(photo_path, "-o", out, "--preview", path) == 2
        error = capsys.readouterr().err
        assert message in error
        assert path.name[:40] in error or str(path.parent) in error
        assert error.count("\n") == 1
        assert not out.exists() or names(out) == []


def test_another_program_at_the_same_name(photo_path, tmp_path, capsys):
    with claimed(tmp_path, "growing.svg"):
        preview = tmp_path / "growing.svg"
        assert sketch(photo_path, "-o", tmp_path / "out", "--preview", preview) == 2
    assert "another clipasso is at work on it; choose another name" in capsys.readouterr().err


def test_a_preview_that_fails_does_not_cost_the_sketch(
    every_step, photo_path, tmp_path, capsys, monkeypatch
):
    def full(path, data, **options):
        raise clipasso.ClipassoError(f"{path}: cannot be written (No space left on device)")

    monkeypatch.setattr(module, "write_atomically", full)
    preview = tmp_path / "growing.svg"
    assert sketch(photo_path, "-o", tmp_path / "out", "--preview", preview) == 0
    lines = [x for x in capsys.readouterr().err.splitlines() if "preview" in x]
    assert len(lines) == 1
    assert "the sketch goes on without" in lines[0]
    assert (tmp_path / "out" / "flower.svg").exists()
    assert not preview.exists()


def test_a_failed_run_says_what_the_preview_holds(photo_path, tmp_path, capsys, monkeypatch):
    from clipasso.optimise import loop

    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "PhotoPool", interrupted)
    preview = tmp_path / "growing.svg"
    assert sketch(photo_path, "-o", tmp_path / "out", "--preview", preview) == 130
    error = capsys.readouterr().err
    assert f"{preview}: holds the last preview, which is no result" in error
    assert len(Sketch.open(preview)) == 3


def test_a_reader_never_sees_half_a_file(every_step, photo_path, tmp_path):
    """What a viewer that reloads the file gets, at any moment."""
    preview, over, seen = tmp_path / "growing.svg", threading.Event(), []

    def watch():
        while not over.is_set():
            if preview.exists():
                seen.append(len(Sketch.open(preview)))
            time.sleep(0.001)

    viewer = threading.Thread(target=watch)
    viewer.start()
    try:
        assert sketch(photo_path, "-o", tmp_path / "out", "--preview", preview, "-q") == 0
    finally:
        over.set()
        viewer.join()
    assert seen
    assert set(seen) == {3}


def test_a_callback_that_fails_is_no_fault_of_the_photo(photo_path):
    def fails(preview):
        raise clipasso.ClipassoError("out.svg: cannot be written")

    with pytest.raises(clipasso.ClipassoError, match=r"out\.svg"):
        clipasso.sketch(photo_path, on_preview=fails, **LIBRARY)


def test_strokes_that_stay_are_shown_as_they_are(every_step, photo_path):
    mine = Sketch([[[-20.0, 40], [20, 40], [60, 40], [90, 10]]], size=(160, 120))
    seen = []
    result = clipasso.sketch(
        photo_path, init=mine, freeze="all", on_preview=seen.append, zoom="none", **LIBRARY
    )
    assert len(result.sketch) == 3
    for one in seen:
        assert np.allclose(one.sketch.points[0], result.sketch.points[0])


def test_a_drawing_has_previews_a_recording_and_a_limit_too(photo_path, tmp_path, capsys):
    out, growing, way = tmp_path / "out", tmp_path / "growing.svg", tmp_path / "way.svg"
    drawn = ["draw", "--photo", str(photo_path), "--lines", "--encoder", "efficientnet-lite0",
             "-o", str(out), "--preview", str(growing), "--time", "0.001s"]  # fmt: skip
    assert run([*drawn, "--record", str(way)]) == 0
    assert Sketch.open(way) == Sketch.open(out / "flower.svg")
    assert growing.read_bytes() == (out / "flower.svg").read_bytes()
    assert "flower.png: --time 0.001s: 1 seed of 1 step" in capsys.readouterr().err
    assert run([*drawn, "--force", "--preview", str(out / "flower.svg")]) == 2
    assert "is also the name of a result" in capsys.readouterr().err
