"""Starting from an existing sketch: reading, refitting, dropping, adding, freezing."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import clipasso
from clipasso import ClipassoError, Sketch, load_photo
from clipasso.encoders import EMBEDDED
from clipasso.optimise.encoded_photo import PhotoPool
from clipasso.optimise.objective import make_objective
from clipasso.optimise.strokes import Drawing
from clipasso.raster import rasterize
from clipasso.settings import Settings
from clipasso.start.from_sketch import (
    on_canvas,
    parse_frozen,
    read_init,
    refitted,
    without_least_missed,
)
from clipasso.vector.sketch import SvgWarning
from tiny import Blur

QUICK = {"encoder": EMBEDDED, "iterations": 3, "pool": 4}


@pytest.fixture
def mine():
    """Three cubic strokes on a canvas of 100 x 75, each with its own width and colour."""
    rng = np.random.default_rng(0)
    colors = [[0, 0, 0], [1, 0, 0], [0, 0, 1]]
    return Sketch(rng.uniform(10, 65, (3, 4, 2)), (100, 75), widths=[1, 2, 3], colors=colors)


class TestNames:
    def test_the_papers_ablation(self):
        assert read_init(None) == (None, {}, ())
        assert read_init("vit+xdog") == (None, {"faces": "none"}, ())
        vit = {"edges": "none", "start": "walk", "faces": "none"}
        assert read_init("vit") == (None, vit, ())
        assert read_init("random")[1]["saliency"] == "none"

    def test_a_file_gives_its_number_and_make_of_strokes(self, mine, tmp_path):
        mine.save(tmp_path / "mine.svg")
        sketch, implied, notes = read_init(tmp_path / "mine.svg")
        assert len(sketch) == 3
        assert notes == ()
        assert implied == {"strokes": 3, "control_points": 4, "segments": 1}

    def test_neither_name_nor_file(self):
        with pytest.raises(ClipassoError, match=r"--init vitt: no such file; give vit\+xdog"):
            read_init("vitt")

    def test_an_empty_sketch(self):
        with pytest.raises(ClipassoError, match="no strokes"):
            read_init(Sketch(np.zeros((0, 4, 2)), (10, 10)))


@pytest.mark.parametrize(
    ("text", "frozen"),
    [("", []), ("all", [0, 1, 2, 3, 4]), ("1", [0]), ("2-4", [1, 2, 3]), ("5, 1-2", [0, 1, 4])],
)
def test_which_strokes_freeze(text, frozen):
    assert np.flatnonzero(parse_frozen(text, 5)).tolist() == frozen


@pytest.mark.parametrize("text", ["0", "6", "3-2", "1-6", "one", "1-", "-2", "1;2"])
def test_freezing_what_is_not_there(text):
    with pytest.raises(ClipassoError, match="--freeze"):
        parse_frozen(text, 5)


class TestRefit:
    T = np.linspace(0, 1, 33)

    @pytest.mark.parametrize(("degree", "segments"), [(3, 1), (3, 2), (3, 3)])
    def test_exact_where_the_new_chain_can_draw_the_old(self, degree, segments):
        line = Sketch([[[3, 4], [40, 20]]], (64, 64))
        curve = Sketch([[[3, 4], [40, 20], [10, 60]]], (64, 64))
        for sketch in (line, curve):
            points = refitted(sketch, degree, segments)
            assert points.shape == (1, degree * segments + 1, 2)
            again = Sketch(points, (64, 64), degree)
            assert np.abs(again.evaluate(self.T) - sketch.evaluate(self.T)).max() < 1e-6

    def test_a_simpler_make_comes_near(self, mine):
        lines = Sketch(refitted(mine, 1, 1), mine.size, 1)
        pieces = Sketch(refitted(mine, 1, 8), mine.size, 1)

        def error(sketch):
            return np.abs(sketch.evaluate(self.T) - mine.evaluate(self.T)).mean()

        assert error(pieces) < 1.0 < error(lines)


def test_a_sketch_is_laid_over_the_photos_frame(mine):
    photo = load_photo(np.zeros((30, 40), np.uint8), size=224)
    drawing = on_canvas(mine, photo.frame, 3, 1, np.array([True, False, False]))
    scale = 224 / 100
    wanted = mine.points * scale + (0, (224 - 75 * scale) / 2)
    assert np.allclose(drawing.points[0].numpy(), wanted, atol=1e-3)
    assert np.allclose(drawing.widths[0].numpy(), np.array([1, 2, 3]) * scale)
    assert drawing.colors[0].tolist() == mine.colors.tolist()
    assert drawing.frozen.tolist() == [True, False, False]
    back = drawing.to_sketch((224, 168), photo.frame).scaled(100 / 224)
    assert np.allclose(back.points, mine.points, atol=1e-3)


CIRCLE = 'viewBox="0 0 60 60"><circle cx="30" cy="30" r="20" fill="none" stroke="black"'


@pytest.mark.parametrize("fit", ["pad", "crop", "stretch"])
@pytest.mark.parametrize("shape", [(60, 200), (200, 60), (100, 100)])
def test_a_circle_stays_one_in_a_photo_of_other_proportions(fit, shape):
    circle = Sketch.from_svg(
        f'<svg xmlns="http://www.w3.org/2000/svg" {CIRCLE} stroke-width="4"/></svg>'
    )
    frame = load_photo(np.zeros(shape, np.uint8), fit=fit).frame
    drawing = on_canvas(circle, frame, 3, circle.segments, np.array([True]))
    back = drawing.to_sketch((frame.width, frame.height), frame)
    scale = min(frame.width, frame.height) / 60
    centre = np.array([frame.width, frame.height]) / 2
    radii = np.linalg.norm(back.evaluate(np.linspace(0, 1, 99))[0] - centre, axis=1)
    assert np.allclose(radii, 20 * scale, rtol=1e-3)
    assert back.widths[0] == pytest.approx(4 * scale)


def test_an_oblong_sketch_is_as_large_as_fits_and_in_the_middle(mine):
    frame = load_photo(np.zeros((40, 40), np.uint8)).frame
    drawing = on_canvas(mine, frame, 3, 1, np.zeros(3, bool))  # 100 x 75 into 224 x 224
    wanted = mine.points * 2.24 + (0, (224 - 75 * 2.24) / 2)
    assert np.allclose(drawing.points[0].numpy(), wanted, atol=1e-3)
    assert np.allclose(drawing.widths[0].numpy(), np.array([1, 2, 3]) * 2.24)


class TestNotes:
    """What an SVG has beside strokes is told in the program's own lines."""

    @pytest.fixture
    def drawn(self, tmp_path):
        path = tmp_path / "mine.svg"
        path.write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" {CIRCLE}/><text>Cat</text><image/></svg>'
        )
        return path

    def lines(self, path):
        return tuple(f"{path}: not kept: 1 <{tag}> element" for tag in ("text", "image"))

    @pytest.mark.parametrize("kind", [str, Path])
    def test_reading(self, kind, drawn, recwarn):
        sketch, implied, notes = read_init(kind(drawn))
        assert len(sketch) == implied["strokes"] == 1
        assert notes == self.lines(drawn)
        assert not recwarn

    def test_the_library(self, drawn, photo_path, recwarn):
        result = clipasso.sketch(photo_path, init=drawn, seeds=1, **QUICK)
        assert result.notes[-2:] == self.lines(drawn)
        assert result.report()["notes"][-2:] == list(self.lines(drawn))
        assert not [w for w in recwarn if issubclass(w.category, SvgWarning)]

    def test_the_program_even_where_warnings_are_errors(self, drawn, photo_path, tmp_path):
        other = photo_path.with_name("other.png")
        other.write_bytes(photo_path.read_bytes())
        out = tmp_path / "out"
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", "clipasso", "sketch",
             photo_path, other, "--init", drawn, "--encoder", EMBEDDED, "--iterations", "2",
             "--augmentations", "0", "-o", out],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        said = [line for line in done.stderr.splitlines() if "not kept" in line]
        assert said == [f"clipasso: {line}" for line in self.lines(drawn)]  # once, not each photo
        for name in ("flower", "other"):
            notes = json.loads((out / f"{name}.json").read_text())["notes"]
            assert notes[-2:] == list(self.lines(drawn))


class TestDropping:
    @pytest.fixture
    def scene(self):
        """Two strokes that make the photo, and between them two that only spoil it."""
        right = torch.tensor(
            [[[4.0, 5], [12, 5], [20, 5], [28, 5]], [[4, 25], [12, 25], [20, 25], [28, 25]]]
        )
        wrong = torch.tensor(
            [[[4.0, 15], [12, 15], [20, 15], [28, 15]], [[15.0, 2], [15, 10], [15, 20], [15, 30]]]
        )
        photo = rasterize(right[None], widths=3.0, size=32).expand(-1, 3, -1, -1).contiguous()
        points = torch.stack([right[0], wrong[0], wrong[1], right[1]])[None]
        settings = Settings(canvas=32, pool=0)
        goal = make_objective(Blur(), settings)
        return points, PhotoPool(photo, goal, settings, torch.Generator()).clean

    def test_the_least_missed_go_first(self, scene):
        points, clean = scene
        left = without_least_missed(Drawing.make(points, 3), 2, clean, 32)
        assert torch.equal(left.points[0], points[0, [0, 3]])

    def test_frozen_ones_stay(self, scene):
        points, clean = scene
        drawing = Drawing.make(points, 3, frozen=[False, True, False, False])
        left = without_least_missed(drawing, 2, clean, 32)
        assert torch.equal(left.points[0, 0], points[0, 0]) or torch.equal(
            left.points[0, 1], points[0, 3]
        )
        assert any(torch.equal(p, points[0, 1]) for p in left.points[0])
        both = Drawing.make(points, 3, frozen=[True, True, False, False])
        with pytest.raises(ClipassoError, match="--strokes 1: 2 strokes are frozen"):
            without_least_missed(both, 1, clean, 32)


class TestSketch:
    def test_own_lines_stay_and_others_are_added(self, photo_path, mine):
        result = clipasso.sketch(photo_path, init=mine, freeze="all", strokes=5, seeds=2, **QUICK)
        made, zoom = result.sketch.scaled(100 / 224), result.photo.frame.zoom
        assert zoom > 1.3  # the flower fills less than its photo
        assert len(made) == 5
        assert np.allclose(made.points[:3], mine.points, atol=1e-4)
        assert np.allclose(made.widths, [1, 2, 3, *[3 * 100 / 224 / zoom] * 2])
        assert np.array_equal(made.colors[:3], mine.colors)
        assert not made.colors[3:].any()
        first, second = result.initialisation.drawing.points
        assert torch.equal(first[:3], second[:3])
        assert not torch.equal(first[3:], second[3:])  # drawn anew for each seed

    def test_strokes_move_unless_frozen(self, photo_path, mine):
        result = clipasso.sketch(photo_path, init=mine, freeze="2", seeds=3, **QUICK)
        moved = np.abs(result.sketch.scaled(100 / 224).points - mine.points).max((1, 2)) > 1e-3
        assert moved.tolist() == [True, False, True]
        assert len(result.sketches) == 1  # nothing is drawn by chance, so one seed is all there is
        assert "one seed" in result.notes[0]

    @pytest.mark.parametrize(("asked", "moved"), [({}, False), ({"width_rate": 0.2}, True)])
    def test_widths_stay_unless_a_rate_is_given(self, photo_path, mine, asked, moved):
        """Though the embedded encoder learns them of its own strokes."""
        result = clipasso.sketch(photo_path, init=mine, order="none", **asked, **QUICK)
        kept = np.isclose(result.sketch.scaled(100 / 224).widths, mine.widths, atol=1e-6)
        assert kept.tolist() == [not moved] * 3

    def test_fewer_strokes_than_given(self, photo_path, mine):
        result = clipasso.sketch(photo_path, init=mine, strokes=2, **QUICK)
        assert len(result.sketch) == 2

    def test_another_make_of_strokes(self, photo_path, mine):
        result = clipasso.sketch(photo_path, init=mine, control_points=3, segments=2, **QUICK)
        assert (result.sketch.degree, result.sketch.segments) == (2, 2)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"freeze": "all"}, "all strokes would stay"),
            ({"freeze": "9", "strokes": 4}, "strokes 1 to 3"),
        ],
    )
    def test_what_cannot_be(self, options, message, photo_path, mine):
        with pytest.raises(ClipassoError, match=message):
            clipasso.sketch(photo_path, init=mine, **options, **QUICK)

    def test_freezing_without_a_sketch(self, photo_path):
        with pytest.raises(ClipassoError, match="needs strokes to keep"):
            clipasso.sketch(photo_path, freeze="all", **QUICK)
