"""The library's front door."""

import json

import numpy as np
import pytest
from PIL import Image
from skimage import data

import clipasso
from clipasso import ClipassoError, Models, Settings, load_photo
from clipasso.encoders import EMBEDDED
from clipasso.settings import PRESETS, make_settings
from clipasso.vector.render import render
from tiny import Blur

QUICK = {"encoder": EMBEDDED, "strokes": 4, "seeds": 1, "iterations": 3, "pool": 4}


def test_sketch_from_a_path(photo_path, tmp_path):
    seen = []
    result = clipasso.sketch(photo_path, **QUICK, on_progress=seen.append)
    assert result.sketch.points.shape == (4, 25, 2)  # few strokes are chains
    assert seen[-1].steps == 3
    assert result._repr_svg_().lstrip().startswith("<")
    result.sketch.save(tmp_path / "cat.svg")
    assert np.allclose(
        clipasso.Sketch.open(tmp_path / "cat.svg").points, result.sketch.points, atol=1e-3
    )
    json.dumps(result.report())


@pytest.mark.parametrize("points", [2, 3, 4])
def test_strokes_of_each_degree(points, photo_path):
    result = clipasso.sketch(photo_path, **QUICK, control_points=points, segments=1)
    assert result.sketch.points.shape == (4, points, 2)
    letter = {2: "L", 3: "Q", 4: "C"}[points]
    assert letter in result.sketch.to_svg()


def test_every_kind_of_photo_gives_the_same_sketch(photo_path):
    image = Image.open(photo_path)
    sources = [photo_path, str(photo_path), photo_path.read_bytes(), image, np.asarray(image)]
    made = [clipasso.sketch(source, **QUICK).sketch.points for source in sources]
    assert all(np.array_equal(made[0], other) for other in made[1:])


@pytest.mark.parametrize(
    ("fit", "size"), [("pad", (224, 168)), ("stretch", (224, 168)), ("crop", (298.667, 224))]
)
def test_strokes_come_back_in_the_photos_proportions(fit, size, photo_path):
    result = clipasso.sketch(photo_path, fit=fit, order="none", **QUICK)
    assert result.sketch.size == pytest.approx(size, abs=0.7)
    # Mapped back to the canvas they are what the loop found.
    points = result.photo.frame.to_canvas(result.sketch.points)
    assert np.allclose(points, result.outcome.points[0].numpy(), atol=1e-3)


@pytest.mark.parametrize("shape", [(60, 180), (180, 60)])
def test_long_photos_have_no_bars(shape):
    """Three to one: the sketch has the photo's proportions, and all of its ink is on the photo."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    pixels = np.full((*shape, 3), 255, np.uint8)
    pixels[np.abs(y / shape[0] - x / shape[1]) < 0.1] = 30  # from corner to corner
    settings = Settings(strokes=4, seeds=1, iterations=2, pool=2, zoom="none", canvas=96)
    made = clipasso.sketch_photo(load_photo(pixels, size=96), Models(Blur(), Blur()), settings)
    height, width = (96 * side / 180 for side in shape)
    assert made.sketch.size == pytest.approx((width, height))
    drawn = clipasso.Sketch.from_svg(made.sketch.to_svg()).evaluate(np.linspace(0, 1, 50))
    assert (drawn >= 0).all()
    assert (drawn <= (width, height)).all()
    seen = np.ptp(drawn.reshape(-1, 2), axis=0)
    assert (seen > 0.5 * np.array([width, height])).all()  # along both sides
    assert render(made.sketch, 180).shape[:2] == shape


def test_an_encoder_that_is_loaded_already(photo_path, lite0):
    rest = {k: v for k, v in QUICK.items() if k != "encoder"}
    result = clipasso.sketch(photo_path, encoder=lite0, **rest)
    assert result.encoder == lite0.description


def test_presets():
    assert make_settings("default") == (Settings(), "auto")
    paper, encoder = make_settings("paper")
    assert encoder == "RN101"
    assert (paper.strokes, paper.control_points, paper.width, paper.seeds) == (16, 4, 3.0, 3)
    assert (paper.iterations, paper.learning_rate, paper.schedule) == (2000, 1.0, "constant")
    assert (paper.augmentations, paper.pool, paper.borders) == (4, 0, "plain")
    assert (paper.spread, paper.zoom) == (0, "none")
    assert make_settings("clipdraw")[0].zoom == "none"
    assert (paper.evaluate_every, paper.tolerance, paper.temperature) == (10, 1e-5, 0.3)
    assert make_settings("paper", iterations=5)[0].iterations == 5
    assert set(PRESETS) == {"default", "fine", "paper", "draft", "clipdraw"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"strokes": 0}, "--strokes 0"),
        ({"strokes": 2.5}, "whole number"),
        ({"width": "thick"}, "--width thick"),
        ({"width": float("nan")}, "--width nan"),
        ({"schedule": "linear"}, "constant or cosine"),
        ({"pool": 2, "augmentations": 4}, "--pool 2"),
        ({"brush": "oil"}, "no such setting"),
        ({"loss": "l3"}, "--loss l3: must be clipasso or geometric"),
        ({"distance": "l0"}, "--distance l0"),
        ({"saliency": "gaze"}, "--saliency gaze"),
        ({"edges": "sobel"}, "--edges sobel"),
        ({"segments": 0}, "--segments 0"),
        ({"zoom": 2}, "--zoom 2: must be auto or none"),
        ({"color_rate": 2.0}, "--color-rate 2.0"),
        ({"semantic_weight": -1.0}, "--semantic-weight -1.0"),
        ({"background_weight": float("inf")}, "--background-weight inf"),
        ({"text": 3}, "--text 3: must be a text"),
    ],
)
def test_bad_settings(values, message):
    with pytest.raises(ClipassoError, match=message):
        make_settings(**values)


def test_unknown_preset():
    with pytest.raises(ClipassoError, match="default, paper, fine, draft, clipdraw"):
        make_settings("best")


@pytest.mark.parametrize("mask", ["none", "u2netp"])
def test_lightened_photos_are_half_as_dark(mask):
    plain, pale = (
        clipasso.sketch(data.coffee(), mask=mask, lighten=lighten, **QUICK)
        for lighten in (0.0, None)
    )
    assert (plain.recipe.lighten, pale.recipe.lighten) == (0.0, 0.5)
    darkness = 1 - plain.initialisation.pixels
    assert np.allclose(1 - pale.initialisation.pixels, darkness / 2, atol=1e-6)
    assert darkness.max() > 0.9
    assert np.array_equal(pale.photo.pixels, plain.photo.pixels)
