"""Masks given as pictures: all that can mean one thing is understood, and the rest refused."""

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from clipasso import ClipassoError, load_photo
from clipasso.cli import run
from clipasso.photo.masks import make_mask
from clipasso.photo.masks.picture import read_mask
from clipasso.photo.zoom import zoomed

HEIGHT, WIDTH = 120, 160
y, x = np.mgrid[:HEIGHT, :WIDTH]
DISC = (x - 60) ** 2 + (y - 50) ** 2 < 30**2  # the object
OTHER = (x - 130) ** 2 + (y - 80) ** 2 < 15**2  # another
BUSY = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def save(folder, image, name="mask.png", **options):
    if not isinstance(image, Image.Image):
        image = Image.fromarray(image)
    image.save(folder / name, **options)
    return str(folder / name)


def palette(indices, *colours):
    image = Image.fromarray(indices.astype(np.uint8)).convert("P")
    image.putpalette([level for colour in colours for level in colour])
    return image


def soft(array):
    return Image.fromarray(array.astype(np.uint8)).filter(ImageFilter.GaussianBlur(2))


def over(colour, alpha):
    """A colour under a transparency of 0..255."""
    rgb = np.broadcast_to(np.array(colour, np.uint8), (HEIGHT, WIDTH, 3))
    return np.dstack([rgb, np.asarray(alpha, np.uint8)])


@pytest.fixture
def photo():
    return load_photo(BUSY, size=WIDTH, name="busy.jpg")


def agrees(mask, truth=DISC):
    """Whether a mask on a canvas as wide as the photo is the object."""
    found = mask.inside[20 : 20 + HEIGHT]
    return (found & truth).sum() / (found | truth).sum() > 0.96


UNDERSTOOD = {
    "0 and 255": DISC * np.uint8(255),
    "0 and 1": DISC * np.uint8(1),
    "boolean": DISC,
    "0 and 37": DISC * np.uint8(37),
    "0 and 128": DISC * np.uint8(128),
    "16 bits, 0 and 1": DISC * np.uint16(1),
    "16 bits, 0 and 255": DISC * np.uint16(255),
    "16 bits, 0 and 4095": DISC * np.uint16(4095),
    "16 bits, 0 and 65535": DISC * np.uint16(65535),
    "32 bits, 0 and 1": DISC * np.int32(1),
    "32 bits, 0 and 100000": DISC * np.int32(100_000),
    "grey and white": np.where(DISC, np.uint8(255), np.uint8(80)),
    "soft": soft(DISC * 255),
    "soft, of ones that went to 100": soft(DISC * 100),
    "colours": np.dstack([DISC * np.uint8(255)] * 3),
    "ones in colours": np.dstack([DISC * np.uint8(1)] * 3),
    "one colour on black": DISC[..., None] * np.uint8([128, 0, 40]),
    "palette of a label": palette(DISC, (0, 0, 0), (128, 0, 0)),
    "palette of black and white": palette(DISC, (0, 0, 0), (255, 255, 255)),
    "palette the other way round": palette(~DISC, (255, 255, 255), (0, 0, 0)),
    "dark palette": palette(DISC, (0, 0, 0), (1, 1, 1)),
    "a black object on transparency": over((0, 0, 0), DISC * 255),
    "a white object on transparency": over((255, 255, 255), DISC * 255),
    "a photo cut out": np.dstack([BUSY, DISC * np.uint8(255)]),
    "grey and transparency": np.dstack([np.zeros_like(BUSY[..., 0]), DISC * np.uint8(255)]),
    "opaque all over": np.dstack([DISC * np.uint8(255)] * 3 + [np.full(DISC.shape, 255, np.uint8)]),
}  # fmt: skip


@pytest.mark.parametrize("kind", UNDERSTOOD)
def test_what_can_mean_one_thing_only(photo, tmp_path, kind):
    array = UNDERSTOOD[kind]
    name = "mask.tiff" if getattr(array, "dtype", None) == np.int32 else "mask.png"
    path = save(tmp_path, array, name)
    mask = make_mask(photo, path)
    assert agrees(mask)
    assert mask.source == name
    assert mask.notes == ()


def test_floats(photo, tmp_path):
    for k, top in enumerate((1, 255)):
        path = save(tmp_path, (DISC * np.float32(top)), f"{k}.tiff")
        assert agrees(make_mask(photo, path))


def test_jpegs(photo, tmp_path):
    for quality in (30, 75, 95):
        image = Image.fromarray(DISC * np.uint8(255))
        assert agrees(make_mask(photo, save(tmp_path, image, "mask.jpg", quality=quality)))


def test_a_clear_colour(photo, tmp_path):
    """Transparency by a colour or a palette's entry and not by a channel."""
    image = palette(DISC, (9, 9, 9), (40, 90, 20))
    assert agrees(make_mask(photo, save(tmp_path, image, "mask.gif", transparency=0)))
    grey = Image.fromarray(np.where(DISC, np.uint8(30), np.uint8(200)))
    assert agrees(make_mask(photo, save(tmp_path, grey, transparency=200)))


AMBIGUOUS = {
    "labels": (DISC + 2 * OTHER).astype(np.uint8),
    "labels and void": np.where(OTHER, np.uint8(255), DISC.astype(np.uint8)),
    "labels of 16 bits": (DISC * 300 + OTHER * 700).astype(np.uint16),
    "labels of 32 bits": (DISC + 2 * OTHER).astype(np.int32),
    "large labels": (DISC * 120 + OTHER * 240).astype(np.uint8),
    "labels without a background": (1 + DISC).astype(np.uint8),
    "a trimap": (DISC * 127 + OTHER * 255).astype(np.uint8),
    "a palette of labels": palette(DISC + 2 * OTHER, (0, 0, 0), (128, 0, 0), (0, 128, 0)),
    "a colour on white": np.where(DISC[..., None], np.uint8([200, 0, 0]), np.uint8(255)),
    "two colours": np.where(DISC[..., None], np.uint8([200, 0, 0]), np.uint8([0, 0, 200])),
    "a photo": BUSY,
    "black and white on transparency": over((0, 0, 0), (DISC | OTHER) * 255)
    + np.dstack([OTHER * np.uint8(255)] * 3 + [OTHER * np.uint8(0)]),
    "one grey": np.full(DISC.shape, 128, np.uint8),
    "dim and soft": (40 + 40 * np.exp(-((x - 60) ** 2 + (y - 50) ** 2) / 900)).astype(np.uint8),
    "negative": np.where(DISC, -1, 0).astype(np.int32),
}  # fmt: skip


@pytest.mark.parametrize("kind", AMBIGUOUS)
def test_what_may_mean_several_things(photo, tmp_path, kind):
    array = AMBIGUOUS[kind]
    name = "mask.tiff" if getattr(array, "dtype", None) == np.int32 else "mask.png"
    path = save(tmp_path, array, name)
    with pytest.raises(ClipassoError) as caught:
        make_mask(photo, path)
    message = str(caught.value)
    assert message.startswith(f"--mask {path}: ")
    assert "paint the object white and all else black" in message
    assert "\n" not in message


def test_the_values_are_named(photo, tmp_path):
    with pytest.raises(ClipassoError, match=r"has several values \(0, 1, 2\)"):
        make_mask(photo, save(tmp_path, AMBIGUOUS["labels"]))


@pytest.mark.parametrize(
    "array",
    [np.zeros((HEIGHT, WIDTH), np.uint8), over((255, 255, 255), DISC * 0), DISC & False],
    ids=["black", "clear", "false"],
)
def test_empty_ones(photo, tmp_path, array):
    with pytest.raises(ClipassoError, match="marks no object") as caught:
        make_mask(photo, save(tmp_path, array))
    assert str(caught.value).startswith("--mask ")


@pytest.mark.parametrize("value", [np.uint8(255), np.uint8(1), np.uint16(65535), True])
def test_full_ones_keep_the_whole_photo(photo, tmp_path, value):
    mask = make_mask(photo, save(tmp_path, np.full((HEIGHT, WIDTH), value)))
    assert mask.inside[20 : 20 + HEIGHT].all()


def test_status_and_line(tmp_path, photo_path, capsys):
    path = save(tmp_path, AMBIGUOUS["labels"])
    line = ["sketch", str(photo_path), "--mask", path, "-o", str(tmp_path / "out"), "-q"]
    assert run([*line, "--encoder", "efficientnet-lite0"]) == 2
    (said,) = capsys.readouterr().err.strip().splitlines()
    assert said.startswith(f"clipasso: --mask {path}: has several values")


class TestOrientation:
    """A photo lies on its side with an EXIF tag that turns it; masks of it may or may not."""

    STORED = np.rot90(BUSY, 1)  # orientation 6 turns it back

    def photo(self, tmp_path):
        exif = Image.Exif()
        exif[0x0112] = 6
        path = save(tmp_path, np.ascontiguousarray(self.STORED), "phone.png", exif=exif)
        photo = load_photo(path, size=WIDTH)
        assert photo.frame.width == WIDTH
        return photo, exif

    def test_a_mask_that_lies_as_the_photo_is_stored(self, tmp_path):
        photo, _ = self.photo(tmp_path)
        path = save(tmp_path, np.ascontiguousarray(np.rot90(DISC, 1)))
        mask = make_mask(photo, path)
        assert agrees(mask)
        assert mask.notes == ("mask.png: turned to lie as its photo does",)

    def test_a_mask_that_is_upright_or_has_its_own_tag(self, tmp_path):
        photo, exif = self.photo(tmp_path)
        turned = Image.fromarray(np.ascontiguousarray(np.rot90(DISC * np.uint8(255), 1)))
        for path in (save(tmp_path, DISC), save(tmp_path, turned, "tagged.png", exif=exif)):
            mask = make_mask(photo, path)
            assert agrees(mask)
            assert mask.notes == ()

    def test_an_upright_mask_with_a_copied_tag(self, tmp_path):
        photo, exif = self.photo(tmp_path)
        path = save(tmp_path, Image.fromarray(DISC * np.uint8(255)), exif=exif)
        mask = make_mask(photo, path)
        assert agrees(mask)
        assert len(mask.notes) == 1

    def test_other_proportions_stay_an_error(self, tmp_path):
        photo, _ = self.photo(tmp_path)
        path = save(tmp_path, np.eye(50, 49).repeat(2, 1) > 0)
        with pytest.raises(ClipassoError, match="proportions are not those of"):
            make_mask(photo, path)


def test_large_ones_are_sampled(tmp_path, photo):
    large = Image.fromarray((DISC + 2 * OTHER).astype(np.uint8)).resize((4000, 3000), 0)
    with pytest.raises(ClipassoError, match=r"\(0, 1, 2\)"):
        make_mask(photo, save(tmp_path, large))
    one = Image.fromarray(DISC.astype(np.uint8)).resize((4000, 3000), 0)
    assert agrees(make_mask(photo, save(tmp_path, one)))


def test_it_is_read_again_for_a_zoom(tmp_path):
    photo = load_photo(np.random.default_rng(0).uniform(0, 1, (900, 900, 3)))
    rows, columns = np.mgrid[:900, :900]
    disc = np.hypot(columns - 300, rows - 600) < 70
    mask = make_mask(photo, save(tmp_path, disc.astype(np.uint8)))
    near, fine = zoomed(photo, mask)
    assert near.frame.zoom > 4
    where = near.frame.to_photo(np.stack(np.mgrid[:224, :224][::-1], -1) + 0.5) * 900 / 224
    truth = np.hypot(*(where - (300.5, 600.5)).transpose(2, 0, 1)) < 70
    assert (fine.inside & truth).sum() / (fine.inside | truth).sum() > 0.98


def test_damaged_and_missing_files(tmp_path, photo):
    out = io.BytesIO()
    Image.fromarray(BUSY).save(out, "PNG")
    path = tmp_path / "cut.png"
    path.write_bytes(out.getvalue()[:900])
    with pytest.raises(ClipassoError, match="cut short or damaged"):
        read_mask(str(path), photo, "pad")
    with pytest.raises(ClipassoError, match="no such file"):
        make_mask(photo, str(tmp_path / "gone.png"))
