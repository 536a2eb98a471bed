"""Tones: a photo lightened, and its local contrast raised."""

import numpy as np
import pytest
from skimage import data

import clipasso
from clipasso import load_photo
from clipasso.photo.masks import Mask, cut_out
from clipasso.photo.tone import lightened, with_local_contrast


def grey(pixels):
    return pixels.mean(axis=-1)


@pytest.fixture
def coat():
    """A dark disc of some grain with a slightly darker eye in it, on paper."""
    y, x = np.mgrid[:224, :224]
    tones = np.full((224, 224), 255.0)
    coat = np.hypot(x - 112, y - 112) < 80
    tones[coat] = np.random.default_rng(0).normal(60, 8, (224, 224))[coat]
    tones[np.hypot(x - 90, y - 90) < 12] -= 20
    return load_photo(np.repeat(tones[..., None], 3, axis=2).round().astype(np.uint8))


def test_lightened_is_so_much_nearer_to_white():
    photo = load_photo(data.astronaut())
    half = lightened(photo, 0.5)
    assert half.pixels == pytest.approx((1 + photo.pixels) / 2)
    assert lightened(photo, 0.0) is photo
    assert not half.pixels.flags.writeable


def test_an_eye_in_a_dark_coat_stands_out(coat):
    before, after = (grey(p.pixels) for p in (coat, with_local_contrast(coat, 4.0)))
    here, around = (slice(86, 94), slice(86, 94)), (slice(86, 94), slice(110, 118))
    contrast = [grey_[around].mean() - grey_[here].mean() for grey_ in (before, after)]
    assert contrast[1] > 2 * contrast[0] > 0


def test_paper_stays_and_does_not_count(coat):
    paper = grey(coat.pixels) == 1
    found = with_local_contrast(coat, 4.0)
    assert (found.pixels[paper] == 1).all()
    astronaut = load_photo(data.astronaut())
    inside = np.zeros((224, 224), bool)
    inside[40:180, 60:150] = True
    cut = with_local_contrast(cut_out(astronaut, Mask(inside, "mine")), 4.0)
    assert (cut.pixels[~inside] == 1).all()
    assert cut.source is None


def test_more_is_spread_with_a_higher_limit_and_nothing_with_none():
    photo = load_photo(data.astronaut())
    changes = [
        np.abs(with_local_contrast(photo, limit).pixels - photo.pixels).mean()
        for limit in (0.0, 1.0, 4.0, 40.0)
    ]
    assert changes[0] == 0
    assert changes == sorted(changes)
    assert changes[3] > 2 * changes[1]


def test_hues_stay():
    photo = load_photo(data.coffee())
    found = with_local_contrast(photo, 4.0).pixels
    red, _, blue = np.moveaxis(photo.pixels, -1, 0)
    warm = (red - blue) > 0.3
    assert (found[warm][:, 0] > found[warm][:, 2]).mean() > 0.99


@pytest.mark.parametrize(
    ("asked", "limit"),
    [({}, 4.0), ({"contrast": 0.0}, 0.0), ({"contrast": 9.0}, 9.0), ({"color_rate": 0.01}, 0.0)],
)
def test_what_is_drawn_after_has_it(asked, limit):
    """The embedded encoder's own, unless another is asked for or colours are learned."""
    quick = {"encoder": "efficientnet-lite0", "seeds": 1, "iterations": 1, "strokes": 3, "pool": 2,
             "zoom": "none", "lighten": 0.0, "borders": "plain", "mask": "none"}  # fmt: skip
    result = clipasso.sketch(data.astronaut(), **quick, **asked)
    assert result.recipe.contrast == limit
    wanted = with_local_contrast(load_photo(data.astronaut()), limit).pixels
    assert np.array_equal(result.initialisation.pixels, wanted)


def test_nothing_but_paper_is_left_alone():
    photo = load_photo(np.full((50, 50, 3), 255, np.uint8))
    assert with_local_contrast(photo, 4.0) is photo
