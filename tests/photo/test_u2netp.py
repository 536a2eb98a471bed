"""The small U2-Net that comes with the program."""

import numpy as np
import pytest
import torch
from skimage import data

from clipasso import load_photo
from clipasso.cli import run
from clipasso.photo.borders import frame_mask
from clipasso.photo.masks import make_mask, u2net
from clipasso.photo.masks.u2netp import U2NetP, salient


@pytest.fixture(autouse=True)
def no_u2net_here(monkeypatch, tmp_path):
    monkeypatch.setenv("U2NET_HOME", str(tmp_path / "u2net-home"))
    monkeypatch.setattr(u2net, "_RELEASE", "http://127.0.0.1:9/u2net.onnx")


def unit(photo):
    return (photo / 255).astype(np.float32)


def test_it_is_the_published_network():
    """The authors' file has 119 convolutions and, batch norms folded, 1.13 million weights."""
    network = U2NetP()
    convolutions = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    assert len(convolutions) == 119
    assert sum(p.numel() for p in network.parameters()) == 1_125_485
    assert network(torch.rand(2, 3, 60, 90)).shape == (2, 1, 60, 90)


class TestSalient:
    def test_an_astronaut_with_her_head(self):
        likely = salient(unit(data.astronaut()))
        assert likely.shape == (512, 512)
        assert likely.min() >= 0
        assert likely.max() <= 1
        inside = likely > 0.5
        assert inside[90:160, 190:250].all()  # her face
        assert inside[300:480, 150:300].mean() > 0.98  # her suit
        assert not inside[:200, 330:].any()  # the shuttle behind her
        assert not inside[:200, :60].any()  # the flag

    def test_a_thin_rocket(self):
        inside = salient(unit(data.rocket())) > 0.5
        assert inside[250:340, 318:326].mean() > 0.9
        assert inside.mean() < 0.04

    def test_brightness_hardly_counts(self):
        """It is shown each photo stretched to its brightest value."""
        photo = unit(data.coffee())
        assert np.abs(salient(photo) - salient(0.6 * photo)).max() < 0.2

    def test_twice_the_same(self):
        photo = unit(data.chelsea())
        assert np.array_equal(salient(photo), salient(photo))

    def test_a_smaller_square(self):
        photo = unit(data.coffee())
        small = salient(photo, 224)
        assert small.shape == photo.shape[:2]
        assert 0.6 < ((small > 0.5) & (salient(photo) > 0.5)).sum() / (small > 0.5).sum() < 1

    @pytest.mark.parametrize("shape", [(3, 400), (300, 2), (1, 1)])
    def test_thin_photos(self, shape):
        rng = np.random.default_rng(0)
        likely = salient(rng.random((*shape, 3), np.float32))
        assert likely.shape == shape
        assert np.isfinite(likely).all()

    def test_black(self):
        assert np.isfinite(salient(np.zeros((50, 50, 3), np.float32))).all()


# Where the object surely is (rows and columns, shares of the photo) and how much of it, looked at.
OBJECTS = {
    "bird/king_penguin": ((0.35, 0.65), (0.44, 0.55), 0.12),
    "boat/yawl": ((0.4, 0.6), (0.68, 0.72), 0.08),
    "chair/rocking_chair": ((0.2, 0.3), (0.6, 0.8), 0.26),
    "elephant/tusker": ((0.35, 0.5), (0.35, 0.65), 0.39),
    "dog/dalmatian": ((0.4, 0.6), (0.5, 0.7), 0.49),
    "bird/black_swan": ((0.4, 0.6), (0.35, 0.55), 0.25),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_objects_of_the_categories_are_isolated(shared, name):
    (top, bottom), (left, right), share = OBJECTS[name]
    photo = load_photo(shared / "images" / "categories" / f"{name}.jpg")
    mask = make_mask(photo)
    assert mask.source == "u2netp"
    frame = frame_mask(photo)
    assert not (mask.inside & ~frame).any()
    inside = mask.inside[np.ix_(frame.any(1), frame.any(0))]
    height, width = inside.shape
    rows, columns = np.array([top, bottom]) * height, np.array([left, right]) * width
    middle = inside[int(rows[0]) : int(rows[1]), int(columns[0]) : int(columns[1])]
    assert middle.mean() > 0.85
    assert inside.mean() == pytest.approx(share, abs=0.04)


def test_a_swan_keeps_its_feet(shared):
    photo = load_photo(shared / "images" / "categories" / "bird" / "black_swan.jpg")
    feet = slice(int(0.88 * 224), int(0.95 * 224))
    assert make_mask(photo).inside[feet].any()
    assert not make_mask(photo, "grabcut").inside[feet].any()


def test_flat_photos_are_kept():
    mask = make_mask(load_photo(np.full((80, 80, 3), 90, np.uint8)), "u2netp")
    assert mask.source == "none, the photo is flat"


def test_by_name(tmp_path, photo_path):
    out = tmp_path / "out"
    assert run(["sketch", str(photo_path), "-o", str(out), "-q", "--mask", "u2netp", "--strokes",
                "2", "--seeds", "1", "--iterations", "2",
                "--encoder", "efficientnet-lite0"]) == 0  # fmt: skip
    (report,) = out.glob("*.json")
    assert '"mask": "u2netp"' in report.read_text()
