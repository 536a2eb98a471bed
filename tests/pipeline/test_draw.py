"""CLIPDraw: texts and photos through the final embedding alone."""

import json

import numpy as np
import pytest

from clipasso import ClipassoError, Sketch, draw
from clipasso.cli import run
from clipasso.encoders import EMBEDDED
from clipasso.pipeline.clipdraw import draw_settings
from tiny import Reader

QUICK = {"iterations": 3, "strokes": 6, "augmentations": 1}
ARGUMENTS = ["--iterations", "3", "--strokes", "6", "--augmentations", "1"]


@pytest.fixture
def reader(monkeypatch):
    """A tiny encoder that can read, in the place of CLIP's ViT-B/32."""
    encoder = Reader()
    monkeypatch.setattr("clipasso.pipeline.models.load_encoder", lambda *_: encoder)
    return encoder


def test_settings_of_the_comparison():
    colour, encoder = draw_settings("a cat", False)
    assert encoder == "ViT-B-32"
    assert (colour.strokes, colour.loss, colour.semantic_weight) == (256, "semantic", 0.0)
    assert (colour.saliency, colour.edges, colour.ink) == ("none", "none", "random")
    assert min(colour.width_rate, colour.opacity_rate, colour.color_rate) > 0
    lines, _ = draw_settings("", True, lines=True)
    assert (lines.strokes, lines.width, lines.ink, lines.semantic_weight) == (16, 3.0, "black", 1.0)
    assert (lines.width_rate, lines.opacity_rate, lines.color_rate) == (0, 0, 0)
    assert draw_settings("", True, lines=True, strokes=8)[0].strokes == 8
    with pytest.raises(ClipassoError, match="needs a text, or a photo"):
        draw_settings("", False)


def test_a_text_alone(reader):
    result = draw("the top", encoder=reader, **QUICK)
    assert result.sketch.colors.max() > 0.2
    assert result.sketch.metadata["title"] == result.sketch.metadata["text"] == "the top"
    assert "photo" not in result.sketch.metadata
    assert result.outcome.terms["text"][0] > 0
    assert result.outcome.terms["semantic"] == (0,)


def test_a_photo_alone_and_both(reader, photo_path):
    photo = draw(photo=photo_path, encoder=reader, **QUICK)
    assert "text" not in photo.outcome.terms
    assert photo.outcome.terms["semantic"][0] > 0
    both = draw("the top", photo_path, encoder=reader, **QUICK)
    assert both.outcome.terms["semantic"][0] > 0 < both.outcome.terms["text"][0]
    assert both.sketch.size == (224, 168)


def test_ink_stays_on_the_paper(reader):
    sketch = draw("the top", encoder=reader, **{**QUICK, "strokes": 60, "width": 8.0}).sketch
    drawn = Sketch.from_svg(sketch.to_svg()).evaluate(np.linspace(0, 1, 1001))
    away = np.minimum(drawn, 224 - drawn).min((1, 2))
    assert len(sketch) == 60
    assert (away > sketch.widths / 2 - 1e-3).all()


def test_lines_stay_thin_and_black(reader):
    sketch = draw("the top", lines=True, encoder=reader, **QUICK).sketch
    assert (sketch.widths == 3).all()
    assert not sketch.colors.any()
    assert sketch.segments == 1


def test_strokes_start_anywhere(reader):
    """No saliency: first points are uniform over the canvas."""
    start = draw("the top", encoder=reader, **{**QUICK, "strokes": 400}).initialisation
    assert start.saliency_from == "none"
    first = start.drawing.points[0, :, 0].numpy()
    counts = np.histogram2d(*first.T, bins=2, range=[[0, 224]] * 2)[0]
    assert counts.min() > 60


class TestCommand:
    def test_files_are_named_after_the_text(self, reader, tmp_path):
        arguments = ["draw", "A drawing, of the TOP!", "-o", str(tmp_path), "-q", *ARGUMENTS]
        assert run(arguments) == 0
        names = {p.name for p in tmp_path.iterdir()}
        assert names == {f"a-drawing-of-the-top.{kind}" for kind in ("svg", "png", "json")}
        report = json.loads((tmp_path / "a-drawing-of-the-top.json").read_text())
        assert report["settings"]["text"] == "A drawing, of the TOP!"
        assert run(arguments) == 2  # not over what is there

    def test_files_are_named_after_the_photo(self, reader, photo_path, tmp_path):
        out = tmp_path / "out"
        line = [
            "draw",
            "the top",
            "--photo",
            str(photo_path),
            "--lines",
            "-o",
            str(out),
            *ARGUMENTS,
        ]
        assert run(line) == 0
        sketch = Sketch.open(out / "flower.svg")
        assert len(sketch) == 6
        assert not sketch.colors.any()

    def test_the_embedded_encoder_cannot_read(self, tmp_path, capsys):
        line = ["draw", "a cat", "--encoder", EMBEDDED, "-o", str(tmp_path), *ARGUMENTS]
        assert run(line) == 2
        error = capsys.readouterr().err
        assert "no text tower" in error
        assert error.count("\n") == 1
        assert not list(tmp_path.iterdir())

    def test_but_it_can_see(self, photo_path, tmp_path):
        line = [
            "draw",
            "--photo",
            str(photo_path),
            "--encoder",
            EMBEDDED,
            "-o",
            str(tmp_path / "o"),
        ]
        assert run([*line, *ARGUMENTS, "-q"]) == 0

    def test_neither_text_nor_photo(self, capsys):
        assert run(["draw", "--lines"]) == 2
        assert "needs a text, or a photo" in capsys.readouterr().err

    def test_no_such_photo(self, tmp_path, capsys):
        assert run(["draw", "a", "--photo", str(tmp_path / "no.png"), "-o", str(tmp_path)]) == 2
        assert "no.png: no such file" in capsys.readouterr().err
