"""Backgrounds: when they are removed, by what, and what is left."""

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

import clipasso
from clipasso import ClipassoError, load_photo
from clipasso.borders import frame_mask
from clipasso.cli import run
from clipasso.masks import Mask, cut_out, grabcut, make_mask


def test_a_white_border_needs_no_mask(photo_path):
    mask = make_mask(load_photo(photo_path))
    assert mask.inside is None
    assert "white" in mask.source


def test_transparency_is_a_mask_already():
    pixels = np.zeros((80, 80, 4), np.uint8)
    pixels[20:60, 20:60] = (200, 30, 30, 255)
    assert make_mask(load_photo(pixels)).inside is None


def test_flat_photos_are_kept():
    mask = make_mask(load_photo(np.full((80, 80, 3), 90, np.uint8)))
    assert mask.inside is None


def test_none_keeps_everything():
    photo = load_photo(data.coffee())
    assert cut_out(photo, make_mask(photo, "none")) is photo


def test_grabcut_follows_colour_from_a_coarse_seed():
    y, x = np.mgrid[:96, :96]
    disc = (x - 48) ** 2 + (y - 48) ** 2 < 26**2
    rng = np.random.default_rng(0)
    pixels = np.where(disc[..., None], (0.8, 0.2, 0.1), (0.2, 0.5, 0.3))
    pixels = (pixels + rng.normal(0, 0.03, pixels.shape)).clip(0, 1).astype(np.float32)
    seed = np.exp(-((x - 40) ** 2 + (y - 52) ** 2) / (2 * 20**2)).astype(np.float32)
    frame = np.ones((96, 96), bool)
    found = grabcut(pixels, frame, seed)
    assert (found & disc).sum() / (found | disc).sum() > 0.95
    assert np.array_equal(found, grabcut(pixels, frame, seed))


def test_the_cup_is_cut_from_its_table():
    photo = load_photo(data.coffee())
    mask = make_mask(photo)
    assert mask.source == "grabcut"
    frame = frame_mask(photo)
    assert not (mask.inside & ~frame).any()
    # The cup and its saucer stand in the middle; the table's corners are background.
    assert mask.inside[90:130, 80:130].mean() > 0.8
    rows = np.flatnonzero(frame.any(1))
    for row in (rows[5], rows[-6]):
        assert not mask.inside[row, :20].any()
        assert not mask.inside[row, -20:].any()
    cut = cut_out(photo, mask)
    assert (cut.pixels[~mask.inside] == 1).all()
    assert np.array_equal(cut.pixels[mask.inside], photo.pixels[mask.inside])


def test_objects_of_the_categories_are_isolated(shared):
    """Most of the border is background and goes; most of the middle stays."""
    kept = 0
    names = ["boot/cowboy_boot", "car/sports_car", "guitar/electric_guitar", "fish/goldfish"]
    for name in names:
        photo = load_photo(shared / "images" / "categories" / f"{name}.jpg")
        mask = make_mask(photo)
        rows, columns = (np.flatnonzero(frame_mask(photo).any(a)) for a in (1, 0))
        inside = mask.inside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        h, w = inside.shape
        rim = np.concatenate([inside[0], inside[-1], inside[:, 0], inside[:, -1]])
        middle = inside[2 * h // 5 : 3 * h // 5, 2 * w // 5 : 3 * w // 5]
        kept += rim.mean() < 0.15 and middle.mean() > 0.6
    assert kept == len(names)


class TestMaskFile:
    @pytest.fixture
    def picture(self, tmp_path):
        image = Image.new("L", (160, 120), 0)
        image.paste(255, (40, 20, 120, 100))
        image.save(tmp_path / "mask.png")
        return tmp_path / "mask.png"

    def test_a_picture_is_the_mask(self, picture, photo_path):
        photo = load_photo(photo_path)
        mask = make_mask(photo, str(picture))
        assert mask.source == "mask.png"
        x, y = photo.frame.to_canvas(np.array([[41 * 1.4, 21 * 1.4]]))[0]
        assert mask.inside[int(y) + 1, int(x) + 1]
        assert not mask.inside[int(y) - 3, int(x) - 3]
        assert not mask.inside[0, 0]

    def test_other_proportions_are_refused(self, tmp_path, photo_path):
        Image.new("L", (50, 200), 255).save(tmp_path / "mask.png")
        with pytest.raises(ClipassoError, match="proportions"):
            make_mask(load_photo(photo_path), str(tmp_path / "mask.png"))

    def test_missing_file(self, photo_path, tmp_path, capsys):
        out = str(tmp_path / "out")
        assert run(["sketch", str(photo_path), "-o", out, "-q", "--mask", "nowhere.png",
                    "--encoder", "efficientnet-lite0"]) == 2  # fmt: skip
        assert "nowhere.png" in capsys.readouterr().err


def test_no_stroke_starts_in_the_background():
    result = clipasso.sketch(
        data.coffee(), encoder="efficientnet-lite0", strokes=12, seeds=1, iterations=1, pool=4
    )
    starts = result.initialisation.strokes[0, :, 0].astype(int)
    inside = result.mask.inside
    near = np.array([inside[max(0, y - 4) : y + 5, max(0, x - 4) : x + 5].any() for x, y in starts])
    assert near.all()
    assert result.report()["mask"] == "grabcut"


def test_a_mask_of_nothing_is_not_applied():
    photo = load_photo(data.coffee())
    assert cut_out(photo, Mask(None, "none")) is photo


@pytest.mark.parametrize("shape", [(20, 2000, 3), (2000, 8, 3), (3, 400, 3), (17, 17, 3)])
def test_photos_thinner_than_the_features_cells(shape, lite0):
    pixels = np.random.default_rng(0).integers(0, 200, shape, np.uint8)
    photo = load_photo(pixels)
    image = torch.tensor(photo.pixels).permute(2, 0, 1)[None]
    assert lite0.objectness(image, torch.tensor(frame_mask(photo))).isfinite().all()
    assert np.isfinite(cut_out(photo, make_mask(photo, "grabcut")).pixels).all()
