"""How many strokes a photo needs."""

import itertools
import json
import threading
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import clipasso
from clipasso import ClipassoError, Sketch
from clipasso.cli import run
from clipasso.photo.canvas import load_photo
from clipasso.photo.masks import Mask
from clipasso.pipeline.models import Models
from clipasso.pipeline.sketch import sketch_photos
from clipasso.pipeline.stroke_count import count_strokes, curve_picture, fewest, levels_below
from clipasso.settings import make_settings
from tiny import Blur

CURVE = [(8, 1.0), (4, 1.2), (2, 1.6), (1, 2.0)]  # of white paper: 3.0


@pytest.fixture(scope="module")
def models():
    return Models(Blur(), Blur())


@pytest.fixture(scope="module")
def settings():
    return make_settings(
        "default", strokes=8, fidelity=0.8, canvas=64, iterations=60, seeds=1, pool=2,
    )[0]  # fmt: skip


def bars(count, size=64):
    """So many black bars on white, which as many strokes can draw."""
    pixels = np.full((size, size, 3), 255, np.uint8)
    for k in range(count):
        x = round((k + 0.5) * size / count)
        pixels[6:-6, x - 1 : x + 2] = 0
    return load_photo(pixels, size=size)


@pytest.mark.parametrize(
    ("fidelity", "strokes"), [(1.0, 8), (0.9, 4), (0.7, 2), (0.5, 1), (0.0, 1), (0.8, 3)]
)
def test_the_fewest_that_tell_enough(fidelity, strokes):
    assert fewest(CURVE, 3.0, fidelity) == strokes


def test_a_level_that_is_worse_than_one_below_tells_as_much():
    assert fewest([(8, 1.3), *CURVE[1:]], 3.0, 1.0) == 4


def test_where_nothing_is_told_one_stroke_is_enough():
    assert fewest([(4, 3.0), (1, 3.0)], 3.0, 0.9) in (1, 4)


@pytest.mark.parametrize("most", [1, 2, 7, 32, 100])
def test_levels_go_down_to_one(most):
    levels = levels_below(most)
    assert (levels[0], levels[-1]) == (most, 1)
    assert all(low < high for high, low in itertools.pairwise(levels))


class TestCount:
    def test_simple_photos_need_fewer(self, models, settings):
        found = [count_strokes(bars(n), Mask(None, "none"), models, settings) for n in (1, 6)]
        assert found[0].strokes < found[1].strokes
        for one in found:
            assert [n for n, _ in one.curve] == levels_below(8)
            assert one.blank > one.curve[0][1]
            assert one.steps > 0
            assert one.looks > 0
        again = count_strokes(bars(6), Mask(None, "none"), models, settings)
        assert again.curve == found[1].curve

    def test_a_stop_decides_by_what_is_known(self, models, settings):
        stop = threading.Event()
        stop.set()
        found = count_strokes(bars(2), Mask(None, "none"), models, settings, stop)
        assert len(found.curve) == 1
        assert found.strokes == 8

    def test_the_picture_shows_the_curve(self, models, settings):
        found = count_strokes(bars(2), Mask(None, "none"), models, settings)
        pixels = np.asarray(curve_picture(found)).astype(int)
        red = (pixels[..., 0] > 180) & (pixels[..., 1] < 90)
        assert red.sum() > 300


class TestSketch:
    def test_each_photo_has_its_own_number(self, models, settings):
        seen = []
        made = sketch_photos(
            [bars(1), bars(6)], models, settings, on_progress=lambda p: seen.append(p.photo)
        )
        counts = [len(one.sketch) for one in made]
        assert counts == [one.stroke_count.strokes for one in made]
        assert counts[0] < counts[1]
        assert {*seen} == {0, 1}
        told = made[1].report()
        assert told["stroke_count"]["strokes"] == told["settings"]["strokes"] == counts[1]
        assert told["settings"]["fidelity"] == 0.8
        written = Sketch.from_svg(made[1].sketch.to_svg()).metadata
        assert written["strokes"] == str(counts[1])
        assert written["stroke-count"] == "auto: they tell 80 % of what 8 do"
        plain = clipasso.sketch_photo(
            bars(6), models, replace(settings, strokes=counts[1], fidelity=None)
        )
        assert np.array_equal(plain.sketch.points, made[1].sketch.points)

    def test_not_beside_strokes_of_ones_own(self, models, settings):
        mine = Sketch([[(0, 0), (20, 20)]], size=(64, 64))
        with pytest.raises(ClipassoError, match="--init"):
            clipasso.sketch_photo(bars(1), models, settings, init=mine)

    def test_the_command(self, photo_path, tmp_path, capsys):
        given = ["sketch", str(photo_path), "-o", str(tmp_path / "out"), "--strokes", "6",
                 "--fidelity", "draft", "--iterations", "6", "--seeds", "1", "--debug",
                 "--encoder", "efficientnet-lite0"]  # fmt: skip
        assert run(given) == 0
        report = json.loads((tmp_path / "out" / "flower.json").read_text())
        count = report["stroke_count"]["strokes"]
        assert f"{count} strokes (they tell 70 % of what 6 do)" in capsys.readouterr().out
        assert len(Sketch.open(tmp_path / "out" / "flower.svg")) == count
        assert Image.open(tmp_path / "out" / "flower-strokes.png").size == (672, 448)
