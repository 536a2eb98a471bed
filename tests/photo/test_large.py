"""Files of more than 100 million pixels: read reduced, in bounded memory, or refused at once."""

import io
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_allclose
from PIL import Image, JpegImagePlugin

from clipasso import ClipassoError, load_photo
from clipasso.photo import opening, reducing
from clipasso.photo.canvas import closer


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_header(width, height):
    """A PNG that promises the given size (8-bit RGB) and holds no pixels at all."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"")


def ramp(width, height):
    """Red grows to the right and green downwards: a colour tells its place in 0..1."""
    y, x = np.mgrid[:height, :width]
    blue = np.full(x.shape, 0.5)
    ramps = np.stack([(x + 0.5) / width, (y + 0.5) / height, blue], -1)
    return Image.fromarray((ramps * 255).astype(np.uint8))


def encoded(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


@pytest.fixture
def low_limit(monkeypatch):
    """As though a picture of 300 x 200 px were one of 150 million."""
    for module in (opening, reducing):
        monkeypatch.setattr(module, "MAX_PIXELS", 40_000)
    monkeypatch.setattr(opening, "MAX_REDUCED", 100_000)
    monkeypatch.setattr(opening, "_DENSE", 10_000)  # what is made here packs as no photo does


KINDS = {
    "JPEG": ("JPEG", "RGB", {"quality": 95}),
    "progressive": ("JPEG", "RGB", {"quality": 95, "progressive": True}),
    "PNG": ("PNG", "RGB", {}),
    "with alpha": ("PNG", "RGBA", {}),
    "palette": ("PNG", "P", {}),
    "TIFF": ("TIFF", "RGB", {}),
    "LZW": ("TIFF", "RGB", {"compression": "tiff_lzw"}),
    "CMYK": ("TIFF", "CMYK", {}),
    "BMP": ("BMP", "RGB", {}),
    "PPM": ("PPM", "RGB", {}),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(300, 200), (301, 199), (199, 301)])
def test_every_pixel_keeps_its_place(low_limit, kind, size):
    name, mode, options = KINDS[kind]
    content = encoded(ramp(*size).convert(mode), name, **options)
    photo = load_photo(content, size=32)
    frame = photo.frame
    assert frame.width / frame.height == pytest.approx(size[0] / size[1])
    rows, columns = np.mgrid[:32, :32]
    where = frame.to_photo(np.stack([columns, rows], -1) + 0.5) / (frame.width, frame.height)
    inside = ((where > 0.05) & (where < 0.95)).all(-1)
    # A palette of 256 colours is coarse; all else within two levels.
    atol = 0.08 if kind == "palette" else 0.01
    assert_allclose(photo.pixels[inside][:, :2], where[inside], atol=atol)
    assert photo.notes == ()


def test_grey_of_16_bits(low_limit):
    levels = np.linspace(0, 65535, 300).astype(np.uint16)[None].repeat(200, 0)
    photo = load_photo(encoded(Image.fromarray(levels), "PNG"), size=30, fit="stretch")
    wanted = (np.arange(30) + 0.5) / 30
    assert_allclose(photo.pixels[15, 1:-1, 0], wanted[1:-1], atol=0.005)


def test_transparency_is_reduced_with_it(low_limit):
    image = ramp(300, 200).convert("RGBA")
    image.putalpha(Image.fromarray(np.linspace(0, 255, 300).astype(np.uint8)[None].repeat(200, 0)))
    photo = load_photo(encoded(image, "PNG"), size=30, fit="stretch")
    assert_allclose(photo.alpha[15, 1:-1], (np.arange(30)[1:-1] + 0.5) / 30, atol=0.01)


def test_a_jpeg_is_never_decoded_whole(low_limit, monkeypatch):
    decoded = []
    load = JpegImagePlugin.JpegImageFile.load
    monkeypatch.setattr(
        JpegImagePlugin.JpegImageFile, "load", lambda self: decoded.append(self.size) or load(self)
    )
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = load_photo(encoded(ramp(300, 200), "JPEG", exif=exif), size=32)
    assert photo.frame.height == 32
    closer(photo, (10.0, 10.0, 4.0))
    assert decoded[0] == (75, 50)
    assert set(decoded) == {(75, 50), (150, 100)}


def test_a_tiff_gives_a_smaller_copy_of_itself(low_limit):
    image = ramp(600, 400)  # more than may be decoded
    out = io.BytesIO()
    with tifffile.TiffWriter(out) as file:
        file.write(np.asarray(image), photometric="rgb")
        file.write(np.zeros((100, 150), np.uint8), photometric="minisblack")
        copy = np.asarray(image.resize((150, 100)).convert("L"))
        file.write(copy, photometric="minisblack", subfiletype=1)
    content = out.getvalue()
    photo = load_photo(content, size=30)
    assert photo.frame.height == 20
    assert photo.pixels[15, 25, 0] > photo.pixels[15, 5, 0] > 0
    assert photo.notes == ()
    with pytest.raises(ClipassoError, match="600 x 400 px is more than"):
        load_photo(encoded(image, "TIFF"), size=30)


@pytest.mark.parametrize("kind", ["WEBP", "GIF"])
def test_kinds_that_take_several_copies_keep_the_lower_limit(low_limit, kind):
    with pytest.raises(ClipassoError, match="300 x 200 px is more than"):
        load_photo(encoded(ramp(300, 200), kind), size=30)


# --- bombs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "words"), [(12_000, "takes too much memory"), (20_000, "more than 250 million pixels")]
)
def test_bombs_are_refused_from_the_header(tmp_path, recwarn, side, words):
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(side, side))
    start = time.perf_counter()
    with pytest.raises(ClipassoError, match=words) as caught:
        load_photo(path)
    assert str(caught.value).startswith(f"{path}: {side} x {side} px")
    assert "\n" not in str(caught.value)
    assert time.perf_counter() - start < 1
    assert not recwarn.list


@pytest.mark.parametrize(
    ("side", "progressive", "words"),
    [
        (12_000, False, "takes too much memory"),  # for the little that is in the file
        (20_000, False, "more than 250 million pixels"),
        (15_800, True, "takes too much memory"),
    ],
)
def test_jpegs_that_promise_too_much(tmp_path, side, progressive, words):
    content = encoded(Image.new("RGB", (64, 64)), "JPEG", progressive=progressive, subsampling=0)
    at = content.index(b"\xff\xc2" if progressive else b"\xff\xc0") + 5
    content = content[:at] + struct.pack(">HH", side, side) + content[at + 4 :]
    path = tmp_path / "bomb.jpg"
    # Padding makes the file long enough for its pixels; the coefficients are too many still.
    path.write_bytes(content + bytes(4_000_000 if progressive else 0))
    with pytest.raises(ClipassoError, match=words) as caught:
        load_photo(path)
    assert str(caught.value).startswith(f"{path}: {side} x {side} px")


_MEASURED = """
import sys, time
from peak import peak
from clipasso import load_photo
from clipasso.photo.canvas import closer
load_photo(sys.argv[2])
began, before = time.perf_counter(), peak()
photo = load_photo(sys.argv[1])
assert photo.detail > 30, photo.detail
closer(photo, (100.0, 100.0, 4.0))
print(peak() - before, time.perf_counter() - began)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts kilobytes as Linux does")
def test_a_phones_200_megapixels(tmp_path, photo_path):
    big = ramp(2040, 1530).resize((16_320, 12_240), Image.Resampling.NEAREST)
    big.save(tmp_path / "phone.jpg", quality=80)
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, tmp_path / "phone.jpg", photo_path],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1],
    )  # fmt: skip
    megabytes, _ = map(float, done.stdout.split())
    assert megabytes < 600
