"""The fade at a photo's borders."""

import numpy as np
import pytest

from clipasso import load_photo
from clipasso.vignette import feathered

DARK = np.zeros((60, 120, 3), np.uint8)


def test_fades_from_the_border_of_the_photo_inwards():
    photo = load_photo(DARK, size=100)  # the frame is 100 x 50, from row 25
    seen = feathered(photo, 0.1)[..., 0]
    assert seen[20, 50] == 1
    assert seen[25, 50] > 0.95
    assert np.all(np.diff(seen[25:36, 50]) <= 0)
    assert seen[50, 50] == 0
    assert np.allclose(seen, seen[::-1])
    assert np.allclose(seen, seen[:, ::-1])


def test_zero_is_the_photo_itself():
    photo = load_photo(DARK, size=100)
    assert np.array_equal(feathered(photo, 0.0), photo.pixels)


def test_white_borders_stay_as_they_are():
    pixels = np.full((80, 80, 3), 255, np.uint8)
    pixels[30:50, 30:50] = 40
    photo = load_photo(pixels, size=80)
    assert np.allclose(feathered(photo, 0.1), photo.pixels, atol=1e-6)


@pytest.mark.parametrize("fit", ["crop", "stretch"])
def test_without_padding_the_canvas_border_fades(fit):
    seen = feathered(load_photo(DARK, size=100, fit=fit), 0.1)[..., 0]
    assert seen[0].min() > 0.95
    assert seen[:, 0].min() > 0.95
    assert seen[50, 50] == 0
