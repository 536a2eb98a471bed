"""HEIC and HEIF pictures from phones, with and without the extra."""

import io
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from numpy.testing import assert_allclose
from PIL import Image

from clipasso import ClipassoError, load_photo
from clipasso.cli import run

with_heif = pytest.mark.skipif(find_spec("pillow_heif") is None, reason="no pillow-heif here")
HEADER = b"\0\0\0\x18ftyp%b\0\0\0\0%b%b" + bytes(99)


@pytest.fixture(autouse=True)
def unregistered(monkeypatch):
    """Other packages that are imported here register the reader for all of Pillow."""
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)


def corners(width=96, height=64):
    """Each corner of another colour."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (220, 40, 40)
    pixels[: height // 2, width // 2 :] = (40, 200, 40)
    pixels[height // 2 :, : width // 2] = (40, 40, 220)
    pixels[height // 2 :, width // 2 :] = (230, 230, 60)
    return pixels


def heic(image, **options):
    from pillow_heif import from_pillow

    out = io.BytesIO()
    from_pillow(image).save(out, quality=95, **options)
    return out.getvalue()


@with_heif
class TestRead:
    def test_colours(self, tmp_path):
        pixels = corners()
        path = tmp_path / "phone.heic"
        path.write_bytes(heic(Image.fromarray(pixels)))
        for source in (path, path.read_bytes()):
            photo = load_photo(source, size=96)
            assert_allclose(photo.pixels[16:80] * 255, pixels, atol=30)
            assert np.abs(photo.pixels[16:80] * 255 - pixels).mean() < 3
            assert photo.notes == ()

    @pytest.mark.parametrize("orientation", [1, 3, 6, 8])
    def test_upright_once_and_not_twice(self, orientation):
        """The encoder turns the EXIF tag into the format's own, which its decoder follows."""
        upright = corners()
        stored = np.rot90(upright, {1: 0, 3: 2, 6: 1, 8: 3}[orientation])
        image = Image.fromarray(np.ascontiguousarray(stored))
        exif = Image.Exif()
        exif[0x0112] = orientation
        content = heic(image, exif=exif.tobytes())
        assert (b"irot" in content) == (orientation > 1)
        photo = load_photo(content, size=96)
        assert (photo.frame.width, photo.frame.height) == (96, 64)
        assert np.abs(photo.pixels[16:80] * 255 - upright).mean() < 3

    def test_transparency(self):
        alpha = np.zeros((64, 96), np.uint8)
        alpha[:, :48] = 255
        photo = load_photo(heic(Image.fromarray(np.dstack([corners(), alpha]))), size=96)
        assert photo.alpha[48, 20] == pytest.approx(1, abs=0.02)
        assert photo.alpha[48, 80] == pytest.approx(0, abs=0.02)

    def test_several_pictures(self):
        from pillow_heif import HeifFile

        file, out = HeifFile(), io.BytesIO()
        for _ in range(2):
            file.add_from_pillow(Image.fromarray(corners()))
        file.save(out, quality=95)
        (note,) = load_photo(out.getvalue(), size=96).notes
        assert note == "photo: a series, the main one of 2 pictures is used"

    def test_nothing_is_registered(self):
        load_photo(heic(Image.fromarray(corners())))
        assert "HEIF" not in Image.OPEN

    def test_damage(self):
        content = heic(Image.fromarray(corners()))
        for end in (40, len(content) // 2, len(content) - 9):
            with pytest.raises(ClipassoError, match=r"^photo: ") as caught:
                load_photo(content[:end])
            assert "\n" not in str(caught.value)


class TestWithout:
    @pytest.fixture(autouse=True)
    def uninstalled(self, monkeypatch):
        for name in ("pillow_heif", "pillow_heif.as_plugin"):
            monkeypatch.setitem(sys.modules, name, None)

    @pytest.mark.parametrize(
        ("brands", "kind"),
        [
            ((b"heic", b"mif1", b"heic"), "HEIC"),
            ((b"mif1", b"mif1", b"heix"), "HEIC"),
            ((b"mif1", b"mif1", b"miaf"), "HEIF"),
            ((b"hevc", b"msf1", b"hevc"), "HEIC"),
        ],
    )
    def test_the_extra_is_named(self, tmp_path, brands, kind, capsys):
        path = tmp_path / "phone.heic"
        path.write_bytes(HEADER % brands)
        line = f"{path}: is a {kind} picture, which needs pip install 'clipasso[heic]'; or convert"
        with pytest.raises(ClipassoError) as caught:
            load_photo(path)
        assert str(caught.value).startswith(line)
        arguments = ["sketch", str(path), "-o", str(tmp_path / "out"), "-q"]
        assert run([*arguments, "--encoder", "efficientnet-lite0"]) == 2
        assert line in capsys.readouterr().err

    def test_avif_needs_none(self):
        for brands in ((b"avif", b"mif1", b"avif"), (b"mif1", b"mif1", b"avif")):
            with pytest.raises(ClipassoError) as caught:
                load_photo(HEADER % brands)
            assert "heic" not in str(caught.value)
