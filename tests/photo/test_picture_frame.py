"""Frames around photos: found, left out, and never seen where there are none."""

import json

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from scipy.ndimage import binary_erosion

from clipasso import load_photo, sketch
from clipasso.photo.borders import extended, frame_mask
from clipasso.photo.canvas import closer, redrawn
from clipasso.photo.masks import inside_at, make_mask
from clipasso.photo.masks.backdrop import before_backdrop
from clipasso.photo.picture_frame import find_frame, without_frame
from clipasso.photo.zoom import zoomed
from clipasso.vector.render import render
from framed import FRAMES, framed


def scene(width=300, height=220):
    """A bright vase in a room of many colours, with noise: no side is of one colour."""
    rng = np.random.default_rng(1)
    coarse = rng.integers(50, 200, (9, 12, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    x, y = width / 2, height / 2
    draw.ellipse((x - 40, y - 30, x + 40, y + 70), "#f0e8c0", "#605040", 2)
    draw.rectangle((x - 15, y - 60, x + 15, y - 20), "#f0e8c0", "#605040", 2)
    pixels = np.asarray(image) + rng.normal(0, 3, (height, width, 1))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def found(pixels):
    return find_frame(np.asarray(pixels, np.float32)[..., :3] / 255)


@pytest.mark.parametrize("quality", [None, 90])
@pytest.mark.parametrize("kind", FRAMES)
def test_a_frame_is_found(kind, quality):
    if quality and kind == "thin black line":
        pytest.skip("JPEG smears one pixel over its neighbours")
    made = framed(scene(), kind, quality)
    result = found(made.pixels)
    assert result is not None
    (left, top, right, bottom), words, _ = result
    spare = 6  # of the photo that may go with it, on each side
    x0, y0, x1, y1 = made.box
    assert x0 <= left <= x0 + spare
    assert y0 <= top <= y0 + spare
    assert x1 - spare <= right <= x1
    assert y1 - spare <= bottom <= y1
    assert words


def test_what_is_found_is_said_in_the_photos_own_pixels():
    made = framed(scene(1200, 900), "black border 40", None)
    photo = without_frame(load_photo(made.pixels, name="vase.png"))
    assert photo.surround == "a black border (40 px)"
    assert photo.notes == ("vase.png: frame left out: a black border (40 px)",)
    below = without_frame(load_photo(framed(scene(), "caption below", None).pixels))
    assert below.surround == "a white strip with writing (22 px below)"


def on_ground(ground, draw):
    image = Image.new("RGB", (240, 200), ground)
    draw(ImageDraw.Draw(image))
    return image


UNFRAMED = {
    "a scene": scene(),
    "a disc on white": on_ground("white", lambda d: d.ellipse((60, 40, 180, 160), "#a02020")),
    "a disc on black": on_ground("black", lambda d: d.ellipse((60, 40, 180, 160), "#d0b060")),
    "a chair that leaves the photo": on_ground(
        "white",
        lambda d: (d.rectangle((80, 30, 160, 200), "#604020"), d.ellipse((70, 20, 170, 60))),
    ),
    "sea under an even sky": on_ground(
        "#e8f0ff", lambda d: d.rectangle((0, 120, 240, 200), "#28405a")
    ),
    "a table before a wall": on_ground(
        "#cfcac0",
        lambda d: (
            d.rectangle((0, 150, 240, 200), "#7a5a3a"),
            d.ellipse((90, 60, 150, 149), "#308050"),
        ),
    ),
    "lights at night": on_ground(
        "#050508",
        lambda d: [d.ellipse((20 * k, 90, 20 * k + 9, 99), "#ffe080") for k in range(3, 9)],
    ),
    "one colour": on_ground("#808080", lambda d: None),
    "a few pixels": scene().resize((20, 16)),
}


@pytest.mark.parametrize("name", UNFRAMED)
def test_no_frame_is_seen_where_there_is_none(name):
    assert found(UNFRAMED[name]) is None
    photo = load_photo(UNFRAMED[name])
    assert without_frame(photo) is photo


def test_a_vignette_is_no_frame():
    pixels = np.asarray(scene(), np.float32)
    y, x = np.mgrid[-1:1:220j, -1:1:300j]
    dark = (1.15 - np.hypot(x, y) ** 4).clip(0, 1)
    assert found(pixels * dark[..., None]) is None


def framed_photo(kind="black border 40", **how):
    made = framed(scene(), kind)
    return load_photo(made.pixels, **how)


def rim(photo):
    """The outermost pixels of what is the photo."""
    there = frame_mask(photo)
    return photo.pixels[there & ~binary_erosion(there, iterations=2)]


def test_what_is_left_out_counts_as_padding():
    whole = framed_photo()
    photo = without_frame(whole)
    assert frame_mask(photo).sum() < 0.75 * frame_mask(whole).sum()
    assert photo.pixels[~frame_mask(photo)].min() == 1
    assert rim(photo).min() > 0.05  # nothing of the black is blended in
    assert extended(photo).min() > 0.05
    same = (photo.frame.left, photo.frame.top, photo.frame.width, photo.frame.height)
    old = whole.frame
    assert same == (old.left, old.top, old.width, old.height)
    kept = frame_mask(photo)
    assert np.abs(photo.pixels[kept] - whole.pixels[kept]).mean() < 0.02  # nothing moved
    assert without_frame(whole, "keep") is whole
    assert without_frame(photo) is photo


@pytest.mark.parametrize("fit", ["crop", "stretch"])
def test_every_fit_leaves_it_out(fit):
    photo = without_frame(framed_photo(fit=fit))
    assert photo.surround
    assert rim(photo).min() > 0.05


def test_a_magnified_photo_and_a_finer_one_have_no_frame_either():
    photo = without_frame(framed_photo())
    near = closer(photo, (0.0, 0.0, 112.0))
    assert near.frame.zoom == 2
    assert rim(near).min() > 0.05
    finer = redrawn(photo, 448)
    assert finer.pixels.shape == (448, 448, 3)
    assert rim(finer).min() > 0.05
    assert frame_mask(finer).mean() == pytest.approx(frame_mask(photo).mean(), abs=0.02)


def test_the_border_is_no_dark_backdrop():
    whole = framed_photo()
    taken = before_backdrop(whole)  # what comes of keeping it
    assert taken is not None
    assert taken.any()
    photo = without_frame(whole)
    assert before_backdrop(photo) is None
    mask = make_mask(photo)
    assert mask.source != "backdrop"
    assert mask.inside is None or not (mask.inside & ~frame_mask(photo)).any()


def test_a_dark_backdrop_without_a_frame_is_still_one():
    photo = without_frame(load_photo(UNFRAMED["a disc on black"]))
    taken = before_backdrop(photo)
    assert taken is not None
    found = make_mask(photo).inside
    assert found is not None
    assert (found & taken).sum() > 0.8 * (found | taken).sum()


def test_a_given_mask_ends_where_the_photo_does(tmp_path):
    made = framed(scene(), "white border 40")
    photo = without_frame(load_photo(made.pixels))
    path = tmp_path / "mask.png"
    Image.new("L", made.pixels.shape[1::-1], 255).save(path)
    mask = make_mask(photo, str(path))
    assert np.array_equal(mask.inside, frame_mask(photo))
    finer = redrawn(photo, 448)
    assert np.array_equal(inside_at(mask, finer), frame_mask(finer))
    near, close = zoomed(photo, mask)
    assert not (close.inside & ~frame_mask(near)).any()


@pytest.mark.parametrize("how", ["auto", "keep"])
def test_a_sketch_stays_inside_and_says_so(how, lite0):
    torch.manual_seed(0)
    made = framed(scene(), "white border 40")
    photo = Image.fromarray(made.pixels)
    result = sketch(
        photo, encoder=lite0, seeds=1, iterations=2, mask="none", zoom="none", strokes=8, frame=how
    )
    assert result.sketch.size == pytest.approx((224, 224 * 300 / 380), abs=0.01)
    report = json.loads(json.dumps(result.report()))
    drawn = render(result.sketch, 380)
    outside = np.ones(drawn.shape[:2], bool)
    x0, y0, x1, y1 = made.box
    outside[y0:y1, x0:x1] = False
    inside = drawn[outside].min() == 255
    if how == "auto":
        assert report["left_out"] == "a white border (40 px)"
        assert "frame left out: a white border (40 px)" in report["notes"][0]
        assert result.sketch.metadata["left-out"] == "a white border (40 px)"
        assert inside
    else:
        assert report["left_out"] == ""
        assert "left-out" not in result.sketch.metadata
