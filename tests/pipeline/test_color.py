"""Colours of the photo beneath strokes: medians, palettes, contrast, layers."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

import clipasso
from clipasso import ClipassoError, Sketch
from clipasso.vector.coloring import from_lab, legible, medians, palette, to_lab
from clipasso.vector.svg import read_strokes

RED, GREEN, BLUE = (0.8, 0.1, 0.1), (0.1, 0.5, 0.15), (0.1, 0.2, 0.7)
INKSCAPE = "{http://www.inkscape.org/namespaces/inkscape}"


def photo(width=160, height=120):
    """Three coloured squares on white."""
    pixels = np.ones((height, width, 3))
    for left, color in ((10, RED), (60, GREEN), (110, BLUE)):
        pixels[40:80, left : left + 40] = color
    return (pixels * 255).round().astype(np.uint8)


def across(left, right, y):
    return [[left + (right - left) * k / 3, y] for k in range(4)]


def strokes(scale=1.0):
    """One stroke inside of each square, and one on the red one's upper edge, half beside it."""
    points = [across(15, 45, 60), across(65, 95, 60), across(115, 145, 60), across(12, 48, 39.5)]
    return Sketch(points, (160, 120), widths=4).scaled(scale)


@pytest.mark.parametrize("scale", [1.0, 0.01, 40.0])
def test_strokes_take_the_colour_beneath_them_at_any_scale(scale):
    found = clipasso.color(strokes(scale), photo())
    expected = [RED, GREEN, BLUE, RED]  # of the edge the thing's colour, not a pink with the paper
    np.testing.assert_allclose(found.sketch.colors, expected, atol=0.03)
    assert found.layers == ()
    np.testing.assert_array_equal(found.sketch.points, strokes(scale).points)


def test_specks_and_reflections_do_not_count():
    pixels = photo()
    pixels[40:80:4, 10:50] = 0
    found = clipasso.color(strokes(), pixels).sketch.colors[0]
    np.testing.assert_allclose(found, RED, atol=0.05)


def test_a_mixture_takes_a_colour_that_is_there():
    pixels = np.full((120, 160, 3), (255, 140, 20), np.uint8)
    pixels[:, ::3] = (20, 40, 200)  # by channel the median could be neither
    found = to_lab(clipasso.color(strokes(), pixels).sketch.colors[0])
    assert np.linalg.norm(found - to_lab(np.array([255, 140, 20]) / 255)) < 25


@pytest.mark.parametrize("paper", ["white", "#000000", "#777777", "khaki"])
@pytest.mark.parametrize(
    "shown", [(1, 1, 0.6), (0, 0, 0), (1, 1, 1), (0.5, 0.5, 0.5), (1, 0.7, 0.8)]
)
def test_every_colour_can_be_seen_on_the_paper(paper, shown):
    pixels = np.full((120, 160, 3), np.round(np.array(shown) * 255), np.uint8)
    (color, *_) = clipasso.color(strokes(), pixels, paper=paper).sketch.colors
    ground = np.array(Image.new("RGB", (1, 1), paper).getpixel((0, 0))) / 255
    light = [_luminance(one) for one in (color, ground)]
    assert (max(light) + 0.05) / (min(light) + 0.05) >= 3
    # No further than must be.
    if paper == "white" and shown == (1, 1, 0.6):
        assert (max(light) + 0.05) / (min(light) + 0.05) < 3.2
        assert color[0] > color[2] + 0.2  # still yellow


def _luminance(color):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_what_can_be_seen_stays_as_it_is():
    np.testing.assert_array_equal(legible(RED, (1, 1, 1), 3.0), RED)
    np.testing.assert_allclose(from_lab(to_lab(GREEN)), GREEN, atol=1e-3)
    with pytest.raises(ClipassoError, match="no colour has that"):
        legible(RED, (0.5, 0.5, 0.5), 15.0)


def test_a_palette_is_weighted_by_length_and_always_the_same():
    rng = np.random.default_rng(0)
    centres = np.array([[30.0, 40, 20], [60, -40, 30], [80, 0, -20]])
    which = rng.integers(3, size=60)
    colors = centres[which] + rng.normal(0, 2, (60, 3))
    found = palette(colors, np.ones(60), 3)
    assert len(set(zip(found, which, strict=True))) == 3
    np.testing.assert_array_equal(found, palette(colors, np.ones(60), 3))
    assert set(palette(colors, np.ones(60), 1)) == {0}
    assert len(set(palette(colors, np.ones(60), 500))) == 60
    assert set(palette(np.ones((5, 3)), np.ones(5), 4)) == {0}
    # Of two colours for three, the long stroke keeps its own.
    line = np.array([[0.0, 0, 0], [10, 0, 0], [21, 0, 0]])
    first, second, third = palette(line, np.array([1.0, 1, 50]), 2)
    assert first == second != third
    first, second, third = palette(line, np.array([50.0, 1, 1]), 2)
    assert first != second == third


@pytest.mark.parametrize("count", [1, 2, 3, 9])
def test_layers_are_read_back_as_the_same_strokes(count, tmp_path):
    found = clipasso.color(strokes(), photo(), colors=count)
    assert len(found.layers) == len(found.colors) == min(count, len(found.colors))
    assert len(found.colors) >= min(count, 3)
    found.save(tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text()
    read = Sketch.from_svg(text)  # an SvgWarning would be an error of the reader's or writer's
    np.testing.assert_array_equal(read.colors, found.sketch.colors)
    np.testing.assert_allclose(read.points, found.sketch.points, atol=5e-4)
    assert read_strokes(text)[1] == ()
    layers = [node for node in ET.fromstring(text) if node.get(f"{INKSCAPE}groupmode") == "layer"]
    assert [node.get(f"{INKSCAPE}label") for node in layers] == [name for name, _ in found.layers]
    for node, (label, strokes_) in zip(layers, found.layers, strict=True):
        assert len(node) == strokes_
        assert {path.get("stroke") for path in node} == {label.split()[1]}
    lights = [_luminance(color) for color in found.sketch.colors]
    assert lights == sorted(lights, reverse=True)


def test_a_square_sketch_of_a_wide_photo_is_laid_into_its_middle():
    square = Sketch([across(6, 34, 30)], (40, 60), widths=2)  # over the photo's x 40 to 120
    found = clipasso.color(square, photo())
    assert "proportions" in found.notes[0]
    np.testing.assert_allclose(found.sketch.colors[0], GREEN, atol=0.03)


def test_strokes_beside_the_photo_are_told():
    points = [across(15, 45, 60), across(300, 400, 60)]
    found = clipasso.color(Sketch(points, (160, 120)), photo(), colors=2)
    assert "1 of 2 strokes lie beside the photo" in found.notes[0]
    assert "#000000" in found.colors
    with pytest.raises(ClipassoError, match="no stroke lies on the photo"):
        clipasso.color(Sketch(points[1:], (160, 120)), photo())
    beside = medians(Sketch(points, (160, 120)), photo() / 255, (1, 1, 1))
    assert np.isnan(beside[1]).all()


def test_dots_and_strokes_without_width_have_a_colour():
    points = [[[30.0, 60]] * 4, across(65, 95, 60)]
    found = clipasso.color(Sketch(points, (160, 120), widths=[2, 0]), photo(), colors=2)
    assert sorted(map(tuple, found.sketch.colors.round(1))) == [(0.1, 0.5, 0.1), (0.8, 0.1, 0.1)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"colors": 0}, "--colors 0"),
        ({"contrast": 0.5}, "--contrast 0.5"),
        ({"contrast": float("nan")}, "--contrast nan"),
        ({"contrast": 10, "paper": "#808080"}, "no colour has that"),
        ({"paper": "none"}, "--paper none"),
    ],
)
def test_what_cannot_be_done_is_said(options, words):
    with pytest.raises(ClipassoError, match=words):
        clipasso.color(strokes(), photo(), **options)
    with pytest.raises(ClipassoError, match="no strokes"):
        clipasso.color(Sketch(np.empty((0, 4, 2)), (10, 10)), photo())
