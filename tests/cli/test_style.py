"""`clipasso style` and `clipasso color` from outside."""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from clipasso import Sketch
from clipasso.cli import run
from clipasso.vector.brushes import BRUSHES

FOREIGN = b"""<svg xmlns="http://www.w3.org/2000/svg" width="30mm" viewBox="0 0 300 200">
<rect width="300" height="200" fill="white"/><g stroke="green" stroke-width="4" fill="none">
<polyline points="20,20 150,180 280,20"/><path d="M20 100h260"/></g></svg>"""


@pytest.fixture
def svg(tmp_path):
    path = tmp_path / "cat.svg"
    Sketch([[[10.0, 10], [20, 40], [60, 40], [90, 10]]], (100, 50), widths=2).save(path)
    return path


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "cat.png"
    Image.new("RGB", (200, 100), (200, 30, 30)).save(path)
    return path


def style(*arguments):
    return run(["style", *map(str, arguments)])


def color(*arguments):
    return run(["color", *map(str, arguments)])


def program(*arguments, **options):
    command = [sys.executable, "-m", "clipasso", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, timeout=300, check=False, **options)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_list_names_every_brush(capsys):
    assert style("--list") == 0
    told = capsys.readouterr().out
    assert all(name in told for name in BRUSHES)


def test_a_png_beside_the_sketch_and_an_svg_where_asked(svg, capsys):
    assert style(svg, "--brush", "charcoal", "--size", 120) == 0
    made = svg.with_name("cat-charcoal.png")
    assert Image.open(made).size == (120, 60)
    assert f"{made}  1 strokes, charcoal" in capsys.readouterr().out
    out = svg.with_name("new.svg")
    assert style(svg, "--brush", "ink", "--color", "navy", "-o", out) == 0
    assert 'fill="#000080"' in out.read_text()
    assert style(svg, "--brush", "ink", "--format", "svg") == 0
    assert svg.with_name("cat-ink.svg").read_text() != out.read_text()


def test_standard_input_and_output(svg):
    done = program("style", "-", "--brush", "marker", "-o", "-", "--format", "png", "--size", "90",
                   "--paper", "none", input=FOREIGN)  # fmt: skip
    assert done.returncode == 0, done.stderr
    picture = Image.open(io.BytesIO(done.stdout))
    assert (picture.size, picture.mode) == ((90, 60), "RGBA")
    opaque = np.asarray(picture)[np.asarray(picture)[..., 3] > 100]
    assert (opaque[:, 1] > opaque[:, 0] + 50).all()
    assert b"standard output" in done.stderr
    assert b"not kept" in done.stderr  # the rectangle
    done = program("style", "-", "--brush", "ink", "--format", "svg", input=svg.read_bytes())
    assert done.stdout.startswith(b"<svg ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--brush", "crayon"], "choose one of pencil, charcoal"),
        ([], "say which brush with --brush"),
        (["--brush", "ink", "-o", "x.jpg"], ".png or .svg"),
        (["--brush", "ink", "-o", "-"], "--format png or svg"),
        (["--brush", "ink", "--format", "pdf"], "--format pdf"),
        (["--brush", "ink", "-o", "x.png", "--format", "svg"], "drop one"),
        (["--brush", "charcoal", "-o", "x.svg"], "write a PNG"),
        (["--brush", "ink", "-o", "x.svg", "--size", "9"], "--size"),
        (["--brush", "ink", "--size", "0"], "--size 0"),
        (["--brush", "ink", "--size", "99999"], "--size 99999"),
        (["--brush", "ink", "--width", "-1"], "--width -1"),
        (["--brush", "ink", "--color", "blu"], "--color blu"),
        (["--brush", "ink", "--paper", "whit"], "--paper whit"),
        (["--brush", "pencil", "--angle", "4"], "calligraphy"),
    ],
)
def test_what_is_wrong_is_one_line_and_writes_nothing(arguments, words, svg, capsys, monkeypatch):
    monkeypatch.chdir(svg.parent)
    assert style(svg, *arguments) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert names(svg.parent) == ["cat.svg"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>', "has no strokes"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0L9 9"/></svg>', "has no size"),
        (b"<svg", ""),
        (b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">'
         b'<path d="M0 0L9 9" fill="none" stroke="red" stroke-width="0"/></svg>', "no strokes"),
    ],
)  # fmt: skip
def test_bad_sketches_are_named(content, words, svg, photo, capsys):
    svg.write_bytes(content)
    assert style(svg, "--brush", "ink") == 2
    error = capsys.readouterr().err
    assert "cat.svg: " in error
    assert words in error
    assert error.count("\n") == 1
    if b"stroke-width" not in content:  # that one has a colour all the same
        assert color(svg, photo) == 2
        assert "cat.svg: " in capsys.readouterr().err
    assert names(svg.parent) == ["cat.png", "cat.svg"]


def test_nothing_is_overwritten_unasked_or_while_it_is_read(svg, photo, capsys):
    before = svg.read_bytes(), photo.read_bytes()
    for force in ([], ["--force"]):
        assert style(svg, "--brush", "ink", "-o", svg, *force) == 2
        assert color(svg, photo, "-o", svg, *force) == 2
    linked = svg.with_name("linked.png")
    linked.symlink_to(svg)
    assert style(svg, "--brush", "ink", "-o", linked, "--force") == 2
    assert "another output" in capsys.readouterr().err
    other = svg.with_name("other.svg")
    other.write_text("mine")
    assert style(svg, "--brush", "ink", "-o", other) == 2
    assert color(svg, photo, "-o", other) == 2
    assert "--force" in capsys.readouterr().err
    assert other.read_text() == "mine"
    assert style(svg, "--brush", "ink", "-o", other, "--force") == 0
    assert color(svg, photo, "-o", other, "--force") == 0
    assert (svg.read_bytes(), photo.read_bytes()) == before


def test_a_folder_is_no_output(svg, photo, capsys):
    folder = svg.with_name("out.svg")
    folder.mkdir()
    assert style(svg, "--brush", "ink", "-o", folder, "--force") == 2
    assert color(svg, photo, "-o", folder, "--force") == 2
    assert "is a folder" in capsys.readouterr().err


def test_color_writes_layers_and_tells_the_colours(svg, photo, capsys):
    assert color(svg, photo, "--colors", 2) == 0
    made = svg.with_name("cat-color.svg")
    assert "1 strokes, 1 colour: #c81e1e" in capsys.readouterr().out
    assert 'inkscape:label="1 #c81e1e"' in made.read_text()
    np.testing.assert_allclose(Sketch.open(made).colors * 255, [[200, 30, 30]], atol=1e-9)


def test_color_reads_either_from_standard_input(svg, photo, capsys):
    by_sketch = program("color", "-", photo, input=svg.read_bytes())
    assert by_sketch.stdout.startswith(b"<svg "), by_sketch.stderr
    by_photo = program("color", svg, "-", "-o", "-", input=photo.read_bytes())
    assert b"#c81e1e" in by_photo.stdout
    assert color("-", "-") == 2
    assert "read once" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--colors", "0"], "--colors 0"),
        (["--contrast", "99"], "--contrast 99"),
        (["--paper", "whit"], "--paper whit"),
        (["-o", "x.png"], ".svg"),
    ],
)
def test_color_refuses_what_it_cannot_do(arguments, words, svg, photo, capsys):
    assert color(svg, photo, *arguments) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_a_missing_photo_is_named(svg, capsys):
    assert color(svg, svg.with_name("no.jpg")) == 2
    assert "no.jpg: no such file" in capsys.readouterr().err
