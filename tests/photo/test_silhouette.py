"""Objects as pale as paper, and photos with nothing to draw."""

import io
import json

import numpy as np
import pytest
from numpy.testing import assert_allclose
from PIL import Image, ImageDraw

import clipasso
from clipasso import ClipassoError, load_photo
from clipasso.cli import run
from clipasso.encoders import EMBEDDED
from clipasso.evaluate.subjects import Subject, read_photo
from clipasso.photo.masks import make_mask
from clipasso.photo.silhouette import darkened, is_flat
from clipasso.start.edges import xdog_edges

QUICK = {"encoder": EMBEDDED, "strokes": 4, "seeds": 1, "iterations": 2, "pool": 2}
SIZE = 200
y, x = np.mgrid[:SIZE, :SIZE]
DISC = np.hypot(x - 100, y - 100) < 70
SMALL = np.hypot(x - 80, y - 90) < 20


def star():
    image = Image.new("L", (SIZE, SIZE), 0)
    angles = np.arange(10) * np.pi / 5
    radii = np.where(np.arange(10) % 2 == 0, 90, 40)
    corners = zip(100 + radii * np.sin(angles), 100 - radii * np.cos(angles), strict=True)
    ImageDraw.Draw(image).polygon([tuple(corner) for corner in corners], fill=255)
    return np.asarray(image)


def cup():
    body = (abs(x - 90) < 50) & (y > 60) & (y < 160)
    ring = np.hypot(x - 145, y - 105)
    return np.where(body | ((ring < 30) & (ring > 20) & (x > 130)), np.uint8(255), np.uint8(0))


def on_transparency(colours, alpha):
    """A PNG as bytes; `colours` of 0..255, `[H, W]`."""
    out = io.BytesIO()
    rgb = np.broadcast_to(np.asarray(colours, np.uint8), (SIZE, SIZE))
    Image.fromarray(np.dstack([rgb] * 3 + [alpha])).save(out, "PNG")
    return out.getvalue()


WHITE = {
    "logo": on_transparency(255, star()),
    "disc": on_transparency(255, np.where(DISC, np.uint8(255), np.uint8(0))),
    "a pale cup": on_transparency(240 + 15 * np.cos(x / 30), cup()),
    "half transparent": on_transparency(255, star() // 2),
}


class TestDarkened:
    @pytest.mark.parametrize("kind", WHITE)
    def test_white_on_transparency(self, kind):
        photo = load_photo(WHITE[kind], size=SIZE)
        mask = make_mask(photo)
        assert mask.source == "alpha"
        assert xdog_edges(photo.pixels).sum() == 0 or kind == "a pale cup"
        seen = darkened(photo, mask.inside)
        assert seen.pixels[mask.inside].max() < 0.75
        assert seen.pixels[~mask.inside].min() == 1
        assert not seen.pixels.flags.writeable
        outline = mask.inside ^ np.roll(mask.inside, 1, 0)
        edges = xdog_edges(seen.pixels) > 0
        near = edges | np.roll(edges, 1, 0) | np.roll(edges, -1, 0)
        assert near[outline].mean() > 0.8

    @pytest.mark.parametrize("kind", WHITE)
    def test_without_a_mask_the_transparency_tells(self, kind):
        photo = load_photo(WHITE[kind], size=SIZE)
        assert darkened(photo, None).pixels.min() < 0.75

    def test_faint_shades_inside_become_plain(self):
        shades = np.where(SMALL, 235, 252)
        photo = load_photo(on_transparency(shades, np.where(DISC, 255, 0).astype("u1")), size=SIZE)
        seen = darkened(photo, DISC).pixels[..., 0]
        assert seen[130, 100] - seen[90, 80] > 0.2
        assert photo.pixels[130, 100, 0] - photo.pixels[90, 80, 0] < 0.07

    def test_soft_edges_stay_soft(self):
        alpha = np.clip(255 * (1.2 - np.hypot(x - 100, y - 100) / 70), 0, 255).astype(np.uint8)
        photo = load_photo(on_transparency(255, alpha), size=SIZE)
        seen = darkened(photo, None).pixels[..., 0]
        assert_allclose(seen, 1 - 0.4 * alpha / 255, atol=0.01)

    def test_an_object_cut_from_its_background_is_as_lost(self, tmp_path):
        """White on green, and then on white: the same by a mask of any origin."""
        pixels = np.where(DISC[..., None], np.uint8(250), np.uint8([40, 120, 40]))
        Image.fromarray(DISC).save(tmp_path / "mask.png")
        photo = load_photo(pixels, size=SIZE)
        mask = make_mask(photo, str(tmp_path / "mask.png"))
        assert darkened(photo, mask.inside).pixels.min() < 0.7
        assert darkened(photo, None) is None

    @pytest.mark.parametrize("grey", [0, 120, 215])
    def test_what_shows_stays(self, grey):
        photo = load_photo(on_transparency(grey, star()), size=SIZE)
        assert darkened(photo, make_mask(photo).inside) is None

    def test_a_pale_part_of_the_outline_is_none(self):
        shades = np.where(x < 70, 255, 60)  # a third of its rim is white
        photo = load_photo(on_transparency(shades, np.where(DISC, 255, 0).astype("u1")), size=SIZE)
        assert darkened(photo, DISC) is None

    def test_an_opaque_photo_stays(self):
        photo = load_photo(np.full((SIZE, SIZE, 3), 255, np.uint8), size=SIZE)
        assert darkened(photo, None) is None
        assert darkened(photo, np.ones((SIZE, SIZE), bool)) is None


def test_the_judges_see_it_too(tmp_path):
    path = tmp_path / "logo.png"
    path.write_bytes(WHITE["logo"])
    assert read_photo(Subject(path, "star")).photo.pixels.min() < 0.75


class TestFlat:
    @pytest.mark.parametrize("level", [0, 90, 255])
    @pytest.mark.parametrize("noise", [0.0, 2.0])
    def test_one_colour(self, level, noise):
        rng = np.random.default_rng(0)
        pixels = level + rng.normal(0, noise, (300, 400, 3))
        assert is_flat(load_photo(pixels.clip(0, 255).astype(np.uint8)))

    def test_more_than_one(self):
        for low, high in ((0, 8), (247, 255), (120, 255)):
            assert not is_flat(load_photo(np.where(DISC, np.uint8(high), np.uint8(low))))
        assert not is_flat(load_photo(np.linspace(0.4, 0.5, 99)[None].repeat(99, 0)))


class TestSketch:
    @pytest.mark.parametrize("kind", WHITE)
    def test_the_outline_is_drawn_and_that_is_said(self, kind, tmp_path):
        path = tmp_path / "white.png"
        path.write_bytes(WHITE[kind])
        result = clipasso.sketch(path, **QUICK)
        note = "white.png: its object is as pale as paper, so it is drawn as if darker"
        assert note in result.notes
        assert note in result.report()["notes"]
        edges = result.initialisation.edges
        rows, columns = np.nonzero(edges)
        assert np.ptp(rows) > 100
        assert np.ptp(columns) > 100

    @pytest.mark.parametrize("mask", ["auto", "none", "alpha"])
    def test_whatever_the_mask(self, mask):
        result = clipasso.sketch(WHITE["logo"], mask=mask, **QUICK)
        assert any("as pale as paper" in note for note in result.notes)
        assert result.initialisation.edges.any()

    def test_with_the_background_kept(self):
        result = clipasso.sketch(WHITE["logo"], background_weight=1.0, **QUICK)
        assert result.initialisation.edges.any()

    def test_a_small_one_is_found(self):
        alpha = np.zeros((SIZE * 8, SIZE * 8), np.uint8)
        alpha[900:930, 300:330] = 255  # 4 px of the canvas
        white = np.full(alpha.shape, 255, np.uint8)
        result = clipasso.sketch(np.dstack([white] * 3 + [alpha]), **QUICK)
        assert result.photo.frame.zoom > 20
        assert result.initialisation.edges.any()

    @pytest.mark.parametrize(
        "pixels",
        [
            np.full((60, 80, 3), 255, np.uint8),
            np.zeros((60, 80), np.uint8),
            np.full((60, 80, 3), (200, 30, 30), np.uint8),
            np.random.default_rng(0).integers(126, 130, (600, 800), np.uint8),
            np.full((60, 80, 4), (255, 255, 255, 0), np.uint8),
            np.full((60, 80, 4), (90, 90, 90, 255), np.uint8),
        ],
        ids=["white", "black", "red", "nearly flat", "clear", "opaque"],
    )
    def test_nothing_to_draw(self, pixels, tmp_path, capsys):
        path = tmp_path / "wall.png"
        Image.fromarray(pixels).save(path)
        line = "wall.png: it is of one colour all over, so there is nothing to draw"
        with pytest.raises(ClipassoError, match=line):
            clipasso.sketch(path, **QUICK)
        out = tmp_path / "out"
        arguments = ["sketch", str(path), "-o", str(out), "-q", "--force", "--encoder", EMBEDDED]
        assert run(arguments) == 2
        (said,) = capsys.readouterr().err.strip().splitlines()
        assert said.startswith(f"clipasso: {line}")
        assert not list(out.iterdir())

    def test_a_mask_that_leaves_nothing(self, tmp_path):
        """A part of a white wall, whose outline is none of the photo's."""
        pixels = np.full((60, 80, 3), 255, np.uint8)
        pixels[20:40, 20:40] = 30
        inside = np.full((60, 80), 255, np.uint8)
        inside[15:45, 15:45] = 0
        Image.fromarray(pixels).save(tmp_path / "dot.png")
        Image.fromarray(inside).save(tmp_path / "mask.png")
        with pytest.raises(ClipassoError, match=r"what its mask \(mask.png\) leaves") as caught:
            clipasso.sketch(tmp_path / "dot.png", mask=tmp_path / "mask.png", **QUICK)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("ground", [255, 60])
    def test_a_silhouette_of_one_colour_is_something(self, ground, tmp_path):
        for colour in (0, 128, 200):
            pixels = np.where(DISC, np.uint8(colour), np.uint8(ground))
            assert clipasso.sketch(pixels, **QUICK).initialisation.edges.any()

    def test_the_other_photos_do_not_suffer(self, tmp_path, photo_path, capsys):
        path = tmp_path / "wall.png"
        Image.new("L", (60, 60), 255).save(path)
        line = ["sketch", str(path), str(photo_path), "-o", str(tmp_path / "out"), "--json"]
        line += ["--encoder", EMBEDDED, "--iterations", "2", "--seeds", "1", "--augmentations", "0"]
        assert run(line) == 2
        told = capsys.readouterr()
        assert json.loads(told.out)["photo"] == "flower.png"
        assert "nothing to draw" in told.err
