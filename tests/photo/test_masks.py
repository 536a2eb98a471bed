"""Backgrounds: when they are removed, by what, and what is left."""

import sys
import time
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

import clipasso
from clipasso import ClipassoError, load_photo
from clipasso.cli import run
from clipasso.photo.borders import frame_mask
from clipasso.photo.masks import Mask, candidates, cut_out, grabcut, make_mask, u2net
from clipasso.photo.masks.backdrop import (
    before_backdrop,
    clean_border,
    uniform_border,
    without_holes,
)

with_rembg = pytest.mark.skipif(
    not (u2net.installed() and find_spec("onnx")), reason="rembg or onnx is not installed"
)


@pytest.fixture(autouse=True)
def no_u2net_here(monkeypatch, tmp_path):
    """Neither what rembg has fetched on this machine nor the network reaches the tests."""
    monkeypatch.setenv("U2NET_HOME", str(tmp_path / "u2net-home"))
    monkeypatch.setattr(u2net, "_RELEASE", "http://127.0.0.1:9/u2net.onnx")


def test_a_white_border_needs_no_mask(photo_path):
    mask = make_mask(load_photo(photo_path))
    assert mask.inside is None
    assert mask.source == "none, the border is uniform"


class TestUniformBorders:
    """A plain backdrop needs no search: nothing is cut, or what stands out from a dark one."""

    @pytest.fixture(autouse=True)
    def no_search(self, monkeypatch):
        nothing = np.zeros((224, 224), bool)
        monkeypatch.setattr(candidates, "find_object", lambda *_: nothing)
        monkeypatch.setattr(candidates, "salient", lambda pixels, side: np.zeros(pixels.shape[:2]))

    def backdrop(self, colour, noise=3.0):
        rng = np.random.default_rng(0)
        pixels = np.full((120, 160, 3), colour, float)
        pixels += rng.normal(0, noise, pixels.shape)
        return pixels

    def is_kept(self, pixels):
        mask = make_mask(load_photo(pixels.clip(0, 255).astype(np.uint8)))
        return mask.source == "none, the border is uniform"

    @pytest.mark.parametrize("colour", [(128, 128, 128), (250, 240, 225), (190, 210, 240)])
    def test_plain_backdrops(self, colour):
        pixels = self.backdrop(colour)
        pixels[40:90, 50:110] = (200, 40, 30)
        assert self.is_kept(pixels)

    def test_ground_of_one_colour_is_no_backdrop(self, monkeypatch):
        """Sand, snow or water: its ripples would be drawn, so what stands on it is looked for."""
        row, column = np.mgrid[:160, :224]
        waves = 200 + 24 * np.sin(row / 3 + column / 4)
        pixels = np.repeat(waves[..., None], 3, axis=2)
        thing = (slice(50, 110), slice(70, 140))
        pixels[thing] = (200, 40, 30)
        photo = load_photo(pixels.astype(np.uint8))
        assert uniform_border(photo)
        assert not clean_border(photo)
        red = lambda seen, side: (seen[..., 0] - seen[..., 1] > 0.3).astype(np.float32)  # noqa: E731
        monkeypatch.setattr(candidates, "salient", red)
        mask = make_mask(photo)
        assert mask.source == "u2netp"
        assert mask.inside[32:192][thing].mean() > 0.95
        assert mask.inside.sum() < 1.1 * 60 * 70

    @pytest.mark.parametrize("colour", [(40, 70, 160), (5, 5, 5)])
    def test_what_stands_out_from_a_dark_one(self, colour):
        """With its holes, and without the writing beside it."""
        pixels = self.backdrop(colour)
        pixels[30:90, 50:110] = (200, 40, 30)
        pixels[50:70, 70:90] = colour  # as dark as the backdrop, inside the object
        pixels[112:115, 10:60:3] = 255
        photo = load_photo(pixels.clip(0, 255).astype(np.uint8))
        mask = make_mask(photo)
        assert mask.source == "backdrop"
        wanted = np.zeros((224, 224), bool)
        wanted[round(28 + 30 * 1.4) : round(28 + 90 * 1.4), 70:154] = True
        assert (mask.inside ^ wanted).mean() < 0.01
        kept = cut_out(photo, mask).pixels
        assert kept[~mask.inside].min() == 1.0

    @pytest.mark.parametrize(("held", "hole"), [(1.0, True), (0.3, False)])
    def test_a_hole_and_a_dark_part(self, held, hole):
        """The backdrop in a handle goes, a part as dark stays; a poor mask tells nothing."""
        pixels = self.backdrop((5, 5, 5))
        pixels[30:90, 30:130] = (200, 40, 30)
        pixels[50:70, 40:60] = 5
        pixels[50:70, 100:120] = 5
        photo = load_photo(pixels.clip(0, 255).astype(np.uint8))
        seen = np.zeros((120, 160))
        seen[30:90, 30 : round(30 + 100 * held)] = 1
        seen[50:70, 40:60] = 0
        other = load_photo(seen).pixels[..., 0] > 0.5
        inside = without_holes(before_backdrop(photo), photo, other & frame_mask(photo))
        row = inside[28 + round(60 * 1.4)]
        assert (row[round(50 * 1.4)], row[round(110 * 1.4)]) == (not hole, True)

    def test_a_dark_one_without_an_object(self):
        assert self.is_kept(self.backdrop((5, 5, 5)))

    def test_an_object_that_leaves_at_the_bottom_and_its_soft_shadow(self):
        pixels = self.backdrop((170, 170, 172))
        pixels[:, :, :] -= 25 * np.linspace(0, 1, 120)[:, None, None] ** 4
        pixels[50:, 60:100] = (20, 90, 30)
        assert self.is_kept(pixels)

    def test_two_backdrops_are_not_one(self):
        pixels = self.backdrop((128, 128, 128))
        pixels[80:] = (90, 60, 30)  # a table
        pixels[40:100, 60:100] = (200, 40, 30)
        assert not self.is_kept(pixels)

    def test_noise_is_not_plain(self):
        assert not self.is_kept(self.backdrop((128, 128, 128), noise=60))


class TestAlpha:
    @pytest.fixture
    def cut(self):
        """A disc that is opaque over a busy picture that is clear."""
        pixels = np.random.default_rng(0).integers(0, 256, (80, 80, 4), np.uint8)
        y, x = np.mgrid[:80, :80]
        disc = (x - 40) ** 2 + (y - 40) ** 2 < 25**2
        pixels[..., 3] = np.where(disc, 255, 90)  # busy through a veil: no uniform border
        return pixels, disc

    @pytest.mark.parametrize("how", ["auto", "alpha"])
    def test_transparency_is_the_mask(self, cut, how):
        pixels, disc = cut
        mask = make_mask(load_photo(pixels, size=80), how)
        assert mask.source == "alpha"
        assert np.array_equal(mask.inside, disc)

    def test_an_opaque_photo_has_none(self):
        with pytest.raises(ClipassoError, match=r"^cup\.png: it has no transparency") as caught:
            make_mask(load_photo(data.coffee(), name="cup.png"), "alpha")
        assert "\n" not in str(caught.value)

    def test_a_photo_that_is_clear_all_over(self, cut):
        pixels, _ = cut
        pixels[..., 3] = 90
        photo = load_photo(pixels, name="ghost.png")
        with pytest.raises(ClipassoError, match=r"^ghost\.png: "):
            make_mask(photo, "alpha")

    def test_rounded_corners_are_no_mask(self):
        alpha = np.full(data.coffee().shape[:2], 255, np.uint8)
        alpha[:4, :4] = alpha[-4:, -4:] = 0
        mask = make_mask(load_photo(np.dstack([data.coffee(), alpha])))
        assert mask.source == "u2netp"


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


@pytest.mark.parametrize("how", ["grabcut", "u2netp"])
def test_the_cup_is_cut_from_its_table(how):
    photo = load_photo(data.coffee())
    mask = make_mask(photo, how)
    assert mask.source == how
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


# Where the object surely is (rows and columns, shares of the photo) and how much of it, looked at.
OBJECTS = {
    "bird/black_swan": ((0.4, 0.6), (0.35, 0.55), 0.26),
    "boot/cowboy_boot": ((0.4, 0.6), (0.4, 0.6), 0.49),
    "car/sports_car": ((0.4, 0.6), (0.4, 0.6), 0.41),
    "dog/boxer": ((0.4, 0.55), (0.45, 0.6), 0.24),
    "dog/dalmatian": ((0.4, 0.6), (0.5, 0.7), 0.37),
    "elephant/tusker": ((0.35, 0.5), (0.35, 0.65), 0.32),
    "fish/goldfish": ((0.45, 0.55), (0.4, 0.6), 0.22),
    "guitar/electric_guitar": ((0.62, 0.75), (0.42, 0.58), 0.33),
    "horse/sorrel": ((0.2, 0.4), (0.4, 0.7), 0.31),
    "teapot/teapot": ((0.45, 0.6), (0.6, 0.8), 0.32),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_objects_of_the_categories_are_isolated(shared, name):
    """Nothing along the border, all of the object's middle, and no more than the object."""
    (top, bottom), (left, right), share = OBJECTS[name]
    photo = load_photo(shared / "images" / "categories" / f"{name}.jpg")
    mask = make_mask(photo, "grabcut")
    assert mask.source == "grabcut"
    frame = frame_mask(photo)
    inside = mask.inside[np.ix_(frame.any(1), frame.any(0))]
    height, width = inside.shape
    rim = np.ones(inside.shape, bool)
    rim[2:-2, 2:-2] = False
    assert inside[rim].mean() < 0.02
    middle = inside[
        int(top * height) : int(bottom * height), int(left * width) : int(right * width)
    ]
    assert middle.mean() > 0.9
    assert inside.mean() == pytest.approx(share, abs=0.06)


def test_a_portrait_may_leave_at_the_bottom(shared):
    photo = load_photo(shared / "images" / "categories" / "cat" / "Persian_cat.jpg")
    inside = make_mask(photo).inside
    assert inside[-10:, 60:160].mean() > 0.9  # its chest
    assert inside[:30].mean() < 0.15  # the wall above it


class TestGrabCut:
    """Made-up photos: a disc, a shadow, a handle, and nothing at all."""

    y, x = np.mgrid[:128, :128]
    frame = np.ones((128, 128), bool)

    def disc(self, x, y, radius):
        return (self.x - x) ** 2 + (self.y - y) ** 2 < radius**2

    def photo(self, *parts):
        rng = np.random.default_rng(0)
        pixels = np.full((128, 128, 3), (0.75, 0.7, 0.6))
        for where, colour in parts:
            pixels[where] = colour
        return (pixels + rng.normal(0, 0.02, pixels.shape)).clip(0, 1).astype(np.float32)

    def seed(self, x, y, spread):
        away = (self.x - x) ** 2 + (self.y - y) ** 2
        return np.exp(-away / (2 * spread**2)).astype(np.float32)

    def test_a_shadow_that_hangs_on_a_thin_leg_goes_and_the_leg_stays(self):
        body, shadow = self.disc(80, 50, 26), self.disc(40, 108, 15)
        leg = (abs(self.x - 80) < 3) & (self.y > 70) & (self.y < 112)
        foot = (self.y > 108) & (self.y < 112) & (self.x > 40) & (self.x < 82)
        dark = (0.1, 0.1, 0.1)
        pixels = self.photo((body | leg | foot | shadow, dark))
        found = grabcut(pixels, self.frame, self.seed(80, 50, 18))
        assert found[body].mean() > 0.95
        assert found[shadow].mean() < 0.1
        assert found[75:90, 79:82].mean() > 0.8

    def test_the_hole_of_a_handle_stays_open(self):
        body, hole = self.disc(52, 64, 30), self.disc(90, 64, 12)
        cup = body | (self.disc(90, 64, 20) & ~hole)
        pixels = self.photo((cup, (0.2, 0.3, 0.7)))
        found = grabcut(pixels, self.frame, self.seed(52, 64, 20))
        assert found[cup].mean() > 0.9
        assert found[hole & ~cup].mean() < 0.1

    def test_no_outline_no_mask(self):
        y, x = self.y / 128, self.x / 128
        pixels = np.stack([0.4 + 0.2 * x, 0.4 + 0.2 * y, 0.5 + 0 * x], -1).astype(np.float32)
        assert not grabcut(pixels, self.frame, self.seed(64, 64, 25)).any()

    def test_nothing_outside_the_frame(self):
        frame = np.zeros((128, 128), bool)
        frame[20:108] = True
        pixels = self.photo((self.disc(64, 64, 30), (0.1, 0.5, 0.2)), (~frame, 1.0))
        found = grabcut(pixels, frame, self.seed(64, 64, 20) * frame)
        disc = self.disc(64, 64, 30)
        assert (found & disc).sum() / (found | disc).sum() > 0.95


@pytest.fixture
def red_network(tmp_path):
    """An ONNX file with U2-Net's input and output that marks where red outweighs green."""
    from onnx import TensorProto, helper, save

    shape = ["batch", 3, 320, 320]
    nodes = [
        helper.make_node("Conv", ["input.1", "weight"], ["difference"]),
        helper.make_node("Mul", ["difference", "steep"], ["scaled"]),
        helper.make_node("Sigmoid", ["scaled"], ["mask"]),
    ]
    constants = [
        helper.make_tensor("weight", TensorProto.FLOAT, [1, 3, 1, 1], [1.0, -1.0, 0.0]),
        helper.make_tensor("steep", TensorProto.FLOAT, [], [20.0]),
    ]
    graph = helper.make_graph(
        nodes, "red",
        [helper.make_tensor_value_info("input.1", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["batch", 1, 320, 320])],
        constants,
    )  # fmt: skip
    opset = [helper.make_opsetid("", 13)]
    path = tmp_path / "red.onnx"
    save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


@pytest.fixture
def red_photo():
    """A red disc off the middle of a grass that is no uniform border, wider than high."""
    y, x = np.mgrid[:120, :200]
    disc = (x - 70) ** 2 + (y - 60) ** 2 < 35**2
    rng = np.random.default_rng(0)
    pixels = np.stack([0 * x + 20, rng.integers(60, 250, x.shape), 0 * x + 30], -1)
    pixels[disc] = (220, 30, 40)
    truth = load_photo(disc).pixels[..., 0] > 0.5
    photo = load_photo(pixels.astype(np.uint8), name="disc.png")
    return photo, truth & frame_mask(photo)


@with_rembg
class TestU2Net:
    def agrees(self, mask, truth):
        return (mask.inside & truth).sum() / (mask.inside | truth).sum() > 0.95

    @pytest.mark.parametrize("how", ["u2net", "auto"])
    def test_a_network_from_a_file(self, red_network, red_photo, how):
        photo, truth = red_photo
        mask = make_mask(photo, how, weights=red_network)
        assert mask.source == "u2net"
        assert self.agrees(mask, truth)

    @pytest.mark.parametrize("folder", ["", "models/u2net"])
    @pytest.mark.parametrize("how", ["u2net", "auto"])
    def test_rembgs_own_file_is_found(self, red_network, red_photo, folder, how, tmp_path):
        home = tmp_path / "u2net-home" / folder
        home.mkdir(parents=True)
        red_network.rename(home / "u2net.onnx")
        mask = make_mask(red_photo[0], how)
        assert mask.source == "u2net"
        assert self.agrees(mask, red_photo[1])

    def test_auto_prefers_a_uniform_border_to_a_network(self, red_network, photo_path):
        assert make_mask(load_photo(photo_path), "auto", weights=red_network).inside is None

    def test_an_answer_of_one_value_is_no_mask(self, red_network):
        photo = load_photo(np.full((80, 80, 3), 90, np.uint8))
        mask = make_mask(photo, "u2net", weights=red_network)
        assert mask.inside is None
        assert mask.source == "none, U2-Net found no object"

    @pytest.mark.parametrize("how", ["u2net", "auto"])
    def test_broken_files(self, tmp_path, red_network, red_photo, how, capfd):
        whole = red_network.read_bytes()
        for content in (b"", b"no network", whole[: len(whole) // 2]):
            path = tmp_path / f"broken{len(content)}.onnx"
            path.write_bytes(content)
            with pytest.raises(ClipassoError, match="no U2-Net") as caught:
                make_mask(red_photo[0], how, weights=path)
            assert str(caught.value).startswith(f"{path}: ")
            assert "\n" not in str(caught.value)
        assert capfd.readouterr().err == ""

    def test_another_network(self, tmp_path, red_photo):
        from onnx import TensorProto, helper, save

        value = helper.make_tensor_value_info
        graph = helper.make_graph(
            [helper.make_node("Relu", ["in"], ["out"])], "relu",
            [value("in", TensorProto.FLOAT, [2, 5])], [value("out", TensorProto.FLOAT, [2, 5])],
        )  # fmt: skip
        path = tmp_path / "relu.onnx"
        opset = [helper.make_opsetid("", 13)]
        save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
        with pytest.raises(ClipassoError, match="no U2-Net"):
            make_mask(red_photo[0], "u2net", weights=path)

    def test_a_missing_file(self, tmp_path, red_photo):
        with pytest.raises(ClipassoError, match=r"gone\.onnx: no such file"):
            make_mask(red_photo[0], "u2net", weights=tmp_path / "gone.onnx")

    def test_a_server_that_does_not_answer_is_not_waited_for(self, red_photo, monkeypatch):
        def deaf(*_args, **_options):
            time.sleep(30)

        monkeypatch.setattr("urllib.request.urlopen", deaf)
        monkeypatch.setattr(u2net, "ANSWER_SECONDS", 0.2)
        start = time.perf_counter()
        with pytest.raises(ClipassoError, match=r"does not answer; give u2net\.onnx"):
            make_mask(red_photo[0], "u2net")
        assert time.perf_counter() - start < 2

    def test_a_download_that_fails(self, red_photo, monkeypatch):
        from rembg.sessions.u2net import U2netSession

        def refuse(*_args, **_options):
            raise OSError("connection reset\nby peer")

        monkeypatch.setattr(u2net, "release_answers", lambda: True)
        monkeypatch.setattr(U2netSession, "download_models", refuse)
        with pytest.raises(ClipassoError, match=r"could not be fetched \(connection reset\)"):
            make_mask(red_photo[0], "u2net")


def test_the_server_gets_three_seconds():
    assert u2net.ANSWER_SECONDS == 3


class TestWithoutRembg:
    @pytest.fixture(autouse=True, params=["rembg", "onnxruntime"])
    def uninstalled(self, request, monkeypatch):
        monkeypatch.setitem(sys.modules, request.param, None)

    def test_u2net_names_the_extra(self, red_photo, tmp_path):
        for weights in (None, tmp_path / "u2net.onnx"):
            with pytest.raises(ClipassoError, match=r"pip install 'clipasso\[mask\]'") as caught:
                make_mask(red_photo[0], "u2net", weights=weights)
            assert "\n" not in str(caught.value)

    def test_auto_takes_the_small_one(self, red_photo, tmp_path):
        (tmp_path / "u2net-home").mkdir()
        (tmp_path / "u2net-home" / "u2net.onnx").write_bytes(b"weights")
        mask = make_mask(red_photo[0])
        assert mask.source == "u2netp"
        truth = red_photo[1]
        assert (mask.inside & truth).sum() / (mask.inside | truth).sum() > 0.9


def test_auto_without_weights_loads_no_runtime(red_photo, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] in ("rembg", "onnxruntime")]:
        monkeypatch.delitem(sys.modules, name)
    assert make_mask(red_photo[0]).source == "u2netp"
    assert not {"rembg", "onnxruntime"} & set(sys.modules)


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
    starts = result.initialisation.drawing.points[0, :, 0].numpy().astype(int)
    inside = result.mask.inside
    near = np.array([inside[max(0, y - 4) : y + 5, max(0, x - 4) : x + 5].any() for x, y in starts])
    assert near.all()
    assert result.report()["mask"] == "u2netp"


def test_a_mask_of_nothing_is_not_applied():
    photo = load_photo(data.coffee())
    assert cut_out(photo, Mask(None, "none")) is photo


@pytest.mark.parametrize("shape", [(20, 2000, 3), (2000, 8, 3), (3, 400, 3), (17, 17, 3)])
def test_photos_thinner_than_the_features_cells(shape, lite0):
    pixels = np.random.default_rng(0).integers(0, 200, shape, np.uint8)
    photo = load_photo(pixels)
    small = load_photo(pixels, size=96)  # GrabCut takes long over noise
    image = torch.tensor(photo.pixels).permute(2, 0, 1)[None]
    assert lite0.objectness(image, torch.tensor(frame_mask(photo))).isfinite().all()
    assert np.isfinite(cut_out(small, make_mask(small, "grabcut")).pixels).all()
