"""Pictures that are drawings already are neither cut nor lightened."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from skimage import data

from clipasso import load_photo, sketch
from clipasso.photo.line_drawing import is_line_drawing
from clipasso.photo.masks import make_mask
from clipasso.photo.picture_frame import without_frame
from clipasso.vector.render import render
from clipasso.vector.sketch import Sketch
from framed import framed


def paper(draw, ground="white", size=(400, 300)):
    image = Image.new("RGB", size, ground)
    draw(ImageDraw.Draw(image))
    return image


def cat(draw, colour="black", width=3):
    draw.ellipse((120, 100, 280, 240), outline=colour, width=width)
    draw.line((140, 120, 130, 60, 180, 100), colour, width)
    draw.line((260, 120, 270, 60, 220, 100), colour, width)
    for x in (160, 220):
        draw.ellipse((x, 140, x + 20, 160), outline=colour, width=width)
    draw.arc((170, 170, 230, 210), 0, 180, colour, width)


def text(draw):
    for k in range(15):
        line = "the quick brown fox jumps over the lazy dog"
        draw.text((20, 10 + 19 * k), line, "black", ImageFont.load_default(14))


def diagram(draw):
    for x in (20, 150, 280):
        draw.rectangle((x, 120, x + 90, 180), outline="black", width=2)
        draw.line((x + 90, 150, x + 130, 150), "black", 2)


def logo(draw):
    draw.ellipse((100, 50, 300, 250), "black")
    draw.rectangle((160, 110, 240, 190), "white")


DRAWN = {
    "a drawing": paper(cat),
    "a thin one on cream": paper(lambda d: cat(d, "#303030", 1), "#f4eee0"),
    "a blue pen's": paper(lambda d: cat(d, "#2030a0")),
    "text": paper(text),
    "a diagram": paper(diagram),
    "a logo": paper(logo),
    "a page that was photographed": Image.fromarray(data.page()),
}


@pytest.mark.parametrize("name", DRAWN)
def test_drawings_are_known(name):
    photo = load_photo(DRAWN[name])
    assert is_line_drawing(photo)
    assert make_mask(photo).source == "none, it is a line drawing"


@pytest.mark.parametrize(
    "name", ["camera", "coins", "coffee", "astronaut", "chelsea", "moon", "cell"]
)
def test_photos_are_none(name):
    assert not is_line_drawing(load_photo(getattr(data, name)()))


def shaded(draw):
    for k in range(60, 0, -1):
        draw.ellipse((200 - 2 * k, 150 - 2 * k, 200 + 2 * k, 150 + 2 * k), (200 - 3 * k,) * 3)


@pytest.mark.parametrize(
    "picture",
    [
        paper(shaded),
        paper(lambda d: d.ellipse((100, 50, 300, 250), "#c02020")),
        paper(lambda d: None),
        paper(lambda d: cat(d, "white"), "black"),
    ],
    ids=["a shaded ball", "a red disc", "empty paper", "chalk on black"],
)
def test_objects_on_paper_are_none(picture):
    assert not is_line_drawing(load_photo(picture))


def test_a_drawing_in_a_frame_is_one():
    photo = without_frame(load_photo(framed(paper(cat), "black border 40").pixels))
    assert photo.surround
    assert is_line_drawing(photo)


@pytest.mark.parametrize(("asked", "by", "noted"), [(None, 0.0, True), (0.3, 0.3, False)])
def test_a_drawing_is_not_lightened_unless_asked(asked, by, noted, lite0):
    result = sketch(
        DRAWN["a drawing"], encoder=lite0, seeds=1, iterations=1, strokes=4, lighten=asked
    )
    assert result.mask.inside is None
    assert result.recipe.lighten == by
    assert any("a line drawing, so it is not lightened" in n for n in result.notes) == noted


def test_official_sketches_are_drawings(shared):
    for path in sorted((shared / "peers" / "clipasso-official").glob("*.svg")):
        assert is_line_drawing(load_photo(render(Sketch.from_svg(path.read_text()), 512))), (
            path.name
        )


def test_pixels_that_were_changed_can_be_looked_at():
    from dataclasses import replace

    photo = replace(load_photo(DRAWN["a drawing"]), source=None)
    assert is_line_drawing(photo)
    assert not is_line_drawing(replace(photo, pixels=np.zeros_like(photo.pixels)))
