"""Photos continued beyond their frame."""

import numpy as np
import pytest

from clipasso import load_photo
from clipasso.photo.borders import extended, frame_mask


def stripes():
    """Dark above, bright below: 60 x 120."""
    pixels = np.full((60, 120, 3), 40, np.uint8)
    pixels[30:] = 200
    return pixels


def test_padding_takes_the_colours_of_the_nearest_border():
    photo = load_photo(stripes(), size=100)  # the frame is rows 25 to 75
    seen = extended(photo)
    assert np.array_equal(seen[25:75], photo.pixels[25:75])
    assert seen[:15] == pytest.approx(40 / 255, abs=0.02)
    assert seen[85:] == pytest.approx(200 / 255, abs=0.02)
    assert np.abs(np.diff(seen[:40], axis=0)).max() < 0.02  # the frame is no edge any more
    assert photo.pixels[:20].min() == 1  # while the photo itself is padded with white


def test_white_borders_stay_white():
    pixels = np.full((60, 120, 3), 255, np.uint8)
    pixels[20:40, 40:80] = 30
    photo = load_photo(pixels, size=100)
    assert extended(photo) == pytest.approx(photo.pixels, abs=1e-5)


@pytest.mark.parametrize("fit", ["crop", "stretch"])
def test_without_padding_nothing_changes(fit):
    photo = load_photo(stripes(), size=100, fit=fit)
    assert frame_mask(photo).all()
    assert np.array_equal(extended(photo), photo.pixels)


def test_mask_is_the_frame():
    mask = frame_mask(load_photo(stripes(), size=100))
    assert mask[25:75].all()
    assert not mask[:25].any()
    assert not mask[75:].any()


def test_extreme_proportions():
    photo = load_photo(np.full((2, 2000, 3), 90, np.uint8), size=100)
    assert np.isfinite(extended(photo)).all()
    assert frame_mask(photo).any()
