"""The photo reader from outside: what it makes of files, images and arrays, and what it refuses."""

import io
import os
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from PIL import Image, ImageCms, JpegImagePlugin
from skimage import data

from clipasso.errors import ClipassoError
from clipasso.photo.canvas import Photo, load_photo

FITS = ("pad", "crop", "stretch")
ORIENTATION = 0x0112


def middle(photo: Photo) -> np.ndarray:
    """The colour in the middle of the canvas, 0..255."""
    n = photo.pixels.shape[0]
    return photo.pixels[n // 2, n // 2] * 255


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises the given size (8-bit RGB) and holds no pixels at all."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"")


def quadrants(height: int = 40, width: int = 60) -> np.ndarray:
    """A photo whose four corners tell any flip or turn from any other, in smooth colours."""
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    return (np.stack([x, y, x * y], axis=-1) * 255).astype(np.uint8)


@contextmanager
def refused(*words: str) -> Iterator[None]:
    """Expect a ClipassoError of one line that holds every word."""
    with pytest.raises(ClipassoError) as caught:
        yield
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


# --- what comes out -------------------------------------------------------------------------------


def test_a_real_photo_fills_a_read_only_square_on_white(tmp_path):
    cat = data.chelsea()  # 451 x 300
    path = tmp_path / "chelsea.png"
    Image.fromarray(cat).save(path)
    photo = load_photo(path)
    assert photo.pixels.shape == (224, 224, 3)
    assert photo.pixels.dtype == np.float32
    assert photo.name == "chelsea.png"
    assert photo.notes == ()
    assert photo.frame.width == 224
    assert photo.frame.height == pytest.approx(224 * 300 / 451)
    inside = photo.pixels[40:184]
    assert_allclose(inside.mean((0, 1)), cat[10:-10].mean((0, 1)) / 255, atol=0.01)
    assert inside.std() > 0.1
    assert (photo.pixels[:37] == 1).all()
    assert (photo.pixels[-37:] == 1).all()
    with pytest.raises(ValueError, match="read-only"):
        photo.pixels[0, 0] = 0


@pytest.mark.parametrize("fit", FITS)
def test_every_kind_of_source_gives_the_same_pixels(tmp_path, fit):
    array = quadrants()
    path = tmp_path / "one.png"
    Image.fromarray(array).save(path)
    expected = load_photo(path, size=32, fit=fit)
    sources = {
        "str": str(path),
        "bytes": path.read_bytes(),
        "image": Image.fromarray(array),
        "uint8": array,
        "opaque": np.dstack([array, np.full(array.shape[:2], 255, np.uint8)]),
        "strided": np.repeat(array, 2, axis=1)[:, ::2],
        "uint16": array.astype(np.uint16) * 257,
        "big-endian": (array.astype(np.uint16) * 257).astype(">u2"),
        "float32": array.astype(np.float32) / 255,
        "float64": array / 255,
        "float16": (array / 255).astype(np.float16),
    }
    for kind, source in sources.items():
        photo = load_photo(source, size=32, fit=fit)
        assert photo.frame == expected.frame, kind
        # The resizer rounds 8-bit images to 8 bits and float images not at all.
        assert_allclose(photo.pixels, expected.pixels, atol=1.5 / 255, err_msg=kind)


def test_grey_and_boolean_arrays_become_rgb():
    ramp = np.linspace(0, 1, 32)[None].repeat(32, 0)
    for array in (ramp, ramp[..., None]):
        pixels = load_photo(array, size=32).pixels
        assert_allclose(pixels, ramp[..., None].repeat(3, 2), atol=1e-6)
    half = ramp > 0.5
    assert_allclose(load_photo(half, size=32).pixels[..., 1], half)


def test_alpha_in_arrays_is_laid_on_white():
    array = np.zeros((20, 20, 4))
    array[..., 0], array[..., 3] = 1, 0.25
    assert_allclose(middle(load_photo(array)), [255, 191.25, 191.25], atol=0.01)
    levels = np.round(array * 255).astype(np.uint8)
    assert_allclose(middle(load_photo(levels)), [255, 191, 191])
    assert_allclose(
        middle(load_photo((array * 65535).astype(np.uint16))), [255, 191.25, 191.25], atol=0.01
    )


@pytest.mark.parametrize("fit", FITS)
def test_transparency_is_kept_beside_the_pixels(tmp_path, fit):
    y, x = np.mgrid[:40, :60]
    bump = 255 * np.exp(-(((x - 40) / 20) ** 2) - ((y - 15) / 15) ** 2)  # off the middle
    array = np.dstack([quadrants(), bump.astype(np.uint8)])
    path = tmp_path / "cut.png"
    Image.fromarray(array).save(path)
    sources = {
        "path": path,
        "bytes": path.read_bytes(),
        "image": Image.fromarray(array),
        "uint8": array,
        "uint16": array.astype(np.uint16) * 257,
        "float64": array / 255,
    }
    # The transparency as a grey picture of its own: where every pixel has to land.
    expected = load_photo(array[..., 3], size=48, fit=fit).pixels[..., 0]
    inside = np.zeros((48, 48), bool)
    inside[8:40] = True  # 60 x 40 on 48 x 48
    for kind, source in sources.items():
        alpha = load_photo(source, size=48, fit=fit).alpha
        assert alpha.shape == (48, 48), kind
        assert alpha.dtype == np.float32
        wanted = expected * (inside if fit == "pad" else 1)
        assert_allclose(alpha, wanted, atol=1.5 / 255, err_msg=kind)  # 8 bits are rounded
        assert not alpha.flags.writeable


def test_alpha_of_clear_colours_and_levels():
    levels = np.zeros((20, 20), np.uint16)
    levels[:, 10:] = 999
    deep = encoded(Image.fromarray(levels), "PNG", transparency=999)
    image = Image.new("P", (20, 20), 0)
    image.paste(7, (10, 0, 20, 20))
    for source in (deep, encoded(image, "GIF", transparency=7)):
        alpha = load_photo(source, size=20).alpha
        assert (alpha[:, :9] == 1).all()
        assert (alpha[:, 11:] == 0).all()


def test_opaque_pictures_have_no_alpha():
    opaque = np.dstack([quadrants(), np.full((40, 60), 255, np.uint8)])
    unused = encoded(Image.new("RGB", (20, 20), (9, 8, 7)), "PNG", transparency=(7, 8, 9))
    for source in (quadrants(), opaque, opaque / 255, Image.fromarray(opaque), unused):
        assert load_photo(source).alpha is None


def test_floats_may_miss_the_range_by_rounding():
    array = np.full((20, 20), 1 + 1e-6)
    array[:, ::2] = -1e-6
    pixels = load_photo(array, size=20).pixels
    assert pixels.min() == 0
    assert pixels.max() == 1


def test_resizing_never_leaves_the_range():
    blocks = np.kron(np.random.default_rng(0).integers(0, 2, (20, 20)), np.ones((7, 7)))
    for size in (64, 224):
        pixels = load_photo(blocks, size=size).pixels
        assert pixels.min() == 0
        assert pixels.max() == 1


@pytest.mark.parametrize(
    ("source", "name", "expected"),
    [
        (np.zeros((16, 16)), None, "photo"),
        (Image.new("L", (16, 16)), None, "photo"),
        (Image.new("L", (16, 16)), "cat", "cat"),
        (encoded(Image.new("L", (16, 16)), "PNG"), None, "photo"),
        (encoded(Image.new("L", (16, 16)), "PNG"), "upload.png", "upload.png"),
        (np.zeros((16, 16)), "two\nlines\x1b", "two?lines?"),
    ],
)
def test_names_of_sources_without_a_path(source, name, expected):
    assert load_photo(source, size=16, name=name).name == expected


def test_names_of_files_drop_the_folders(tmp_path):
    path = tmp_path / "a cat.png"
    Image.new("L", (16, 16)).save(path)
    assert load_photo(path).name == "a cat.png"
    assert load_photo(Image.open(path)).name == "a cat.png"
    assert load_photo(path, name="felix").name == "felix"


def test_a_pipe_can_be_read():
    reading, writing = os.pipe()
    os.write(writing, encoded(Image.new("RGB", (16, 16), "red"), "PNG"))
    os.close(writing)
    try:
        assert_allclose(middle(load_photo(f"/dev/fd/{reading}")), [255, 0, 0])
    finally:
        os.close(reading)


# --- colour ---------------------------------------------------------------------------------------


def palette_image(*, partial: bool) -> bytes:
    image = Image.new("P", (20, 20), 1)
    image.putpalette([0, 0, 0, 200, 100, 0, 9, 9, 9])
    return encoded(image, "PNG", transparency=bytes([255, 128, 0]) if partial else 1)


def grey_alpha_palette() -> Image.Image:
    image = Image.new("PA", (20, 20), (1, 51))
    image.putpalette([0, 0, 0, 0, 0, 255])
    return image


def plain(mode: str, color: Any, kind: str, **options: Any) -> bytes:
    return encoded(Image.new(mode, (20, 20), color), kind, **options)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param(plain("RGBA", (255, 0, 0, 51), "PNG"), [255, 204, 204], id="RGBA"),
        pytest.param(plain("LA", (0, 51), "PNG"), [204, 204, 204], id="LA"),
        pytest.param(plain("RGBA", (0, 0, 0, 0), "PNG"), [255, 255, 255], id="clear"),
        pytest.param(grey_alpha_palette(), [204, 204, 255], id="PA"),
        pytest.param(Image.new("RGBa", (20, 20), (51, 0, 0, 51)), [255, 204, 204], id="RGBa"),
        pytest.param(palette_image(partial=False), [255, 255, 255], id="P, one clear colour"),
        pytest.param(palette_image(partial=True), [227, 177, 127], id="P, alpha per colour"),
        pytest.param(plain("P", 7, "GIF", transparency=7), [255, 255, 255], id="GIF"),
        pytest.param(
            plain("RGB", (9, 8, 7), "PNG", transparency=(9, 8, 7)), [255, 255, 255], id="RGB, tRNS"
        ),
        pytest.param(
            plain("RGB", (9, 8, 7), "PNG", transparency=(7, 8, 9)), [9, 8, 7], id="RGB, other tRNS"
        ),
        pytest.param(plain("L", 99, "PNG", transparency=99), [255, 255, 255], id="L, tRNS"),
        pytest.param(plain("L", 99, "PNG", transparency=98), [99, 99, 99], id="L, other tRNS"),
        pytest.param(plain("I;16", 999, "PNG", transparency=999), [255] * 3, id="I;16, tRNS"),
        pytest.param(plain("1", 0, "PNG"), [0, 0, 0], id="1-bit"),
        pytest.param(plain("1", 1, "TIFF"), [255, 255, 255], id="1-bit white"),
        pytest.param(plain("CMYK", (0, 255, 255, 0), "TIFF"), [255, 0, 0], id="CMYK TIFF"),
        pytest.param(plain("CMYK", (0, 255, 255, 0), "JPEG"), [254, 0, 0], id="CMYK JPEG"),
        pytest.param(Image.new("YCbCr", (20, 20), (76, 85, 255)), [254, 0, 0], id="YCbCr"),
        pytest.param(Image.new("HSV", (20, 20), (0, 255, 200)), [200, 0, 0], id="HSV"),
        pytest.param(Image.new("LAB", (20, 20), (255, 128, 128)), [255] * 3, id="LAB"),
        pytest.param(plain("RGB", (10, 20, 30), "WEBP", lossless=True), [10, 20, 30], id="WebP"),
        pytest.param(plain("RGB", (10, 20, 30), "BMP"), [10, 20, 30], id="BMP"),
        pytest.param(plain("RGB", (10, 20, 30), "PPM"), [10, 20, 30], id="PPM"),
        pytest.param(plain("I;16", 32768, "PNG"), [127.5] * 3, id="16-bit PNG"),
        pytest.param(plain("I;16", 16384, "TIFF"), [63.75] * 3, id="16-bit TIFF"),
        pytest.param(Image.new("I;16B", (20, 20), 32768), [127.5] * 3, id="I;16B"),
        pytest.param(Image.new("I", (20, 20), 32768), [127.5] * 3, id="I"),
        pytest.param(Image.new("F", (20, 20), 0.25), [63.75] * 3, id="F"),
    ],
)
def test_colours_by_mode(source, expected):
    photo = load_photo(source)
    assert_allclose(middle(photo), expected, atol=1.01)
    assert photo.notes == ()


def test_16_bits_keep_more_than_256_levels():
    ramp = np.linspace(0, 65535, 1024).astype(np.uint16)[None].repeat(1024, 0)
    image = Image.fromarray(ramp)
    assert len(np.unique(load_photo(image, size=1024).pixels)) == 1024


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        (np.float32, (0, 400, 800), (0, 0.5, 1)),
        (np.float32, (-1, 0.25, 0.5), (0, 0.25, 0.5)),
        (np.int32, (-5, 50_000, 100_000), (0, 0.5, 1)),
    ],
)
def test_values_beyond_the_range_are_scaled_with_a_note(tmp_path, kind, values, expected):
    array = np.array(values, kind).repeat(10)[None].repeat(30, 0)
    path = tmp_path / "depth.tiff"
    Image.fromarray(array).save(path)
    photo = load_photo(path, size=30)
    assert_allclose(photo.pixels[15, [5, 15, 25], 0], expected, atol=0.02)
    (note,) = photo.notes
    assert note.startswith("depth.tiff: ")
    assert f"from {values[0]:g} to {values[2]:g}" in note


def rotated_profile() -> bytes:
    """The sRGB profile with the primaries of red and green exchanged."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")
    assert swapped != profile
    return swapped


def linear_grey_profile() -> bytes:
    """A grey profile whose values are proportional to light."""
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(c * 65536) for c in (0.9642, 1, 0.8249)))
    curve = b"curv\0\0\0\0" + struct.pack(">I", 0)
    tags, body, offset = b"", b"", 128 + 4 + 2 * 12
    for name, content in ((b"wtpt", white), (b"kTRC", curve)):
        tags += name + struct.pack(">II", offset + len(body), len(content))
        body += content
    header = struct.pack(
        ">I4sI4s4s4s", offset + len(body), b"none", 0x02400000, b"mntr", b"GRAY", b"XYZ "
    )
    header += struct.pack(">6H4s", 2020, 1, 1, 0, 0, 0, b"acsp") + bytes(28) + white[8:]
    return header.ljust(128, b"\0") + struct.pack(">I", 2) + tags + body


def test_an_embedded_profile_is_applied():
    icc = rotated_profile()
    image = Image.new("RGB", (20, 20), (200, 30, 40))
    assert_allclose(
        middle(load_photo(encoded(image, "PNG", icc_profile=icc))), [30, 200, 40], atol=2
    )
    clear = Image.new("RGBA", (20, 20), (200, 30, 40, 51))
    pixel = middle(load_photo(encoded(clear, "PNG", icc_profile=icc)))
    assert_allclose(pixel, [210, 244, 212], atol=2)
    indexed = Image.new("P", (20, 20), 0)
    indexed.putpalette([200, 30, 40])
    assert_allclose(
        middle(load_photo(encoded(indexed, "PNG", icc_profile=icc))), [30, 200, 40], atol=2
    )


@pytest.mark.parametrize(("mode", "color"), [("L", 55), ("LA", (55, 255))])
def test_a_grey_profile_is_applied(mode, color):
    image = encoded(Image.new(mode, (20, 20), color), "PNG", icc_profile=linear_grey_profile())
    # 55/255 of the light is 0.502 in sRGB.
    assert_allclose(middle(load_photo(image)), [128, 128, 128], atol=2)


@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
@pytest.mark.parametrize("icc", [b"no profile", rotated_profile()[:300], linear_grey_profile()])
def test_a_broken_or_foreign_profile_is_ignored(capfd, mode, icc):
    color = {"RGB": (200, 30, 40), "CMYK": (55, 225, 215, 0)}[mode]
    pixel = middle(load_photo(encoded(Image.new(mode, (20, 20), color), "TIFF", icc_profile=icc)))
    assert_allclose(pixel, [200, 30, 40], atol=1)
    assert capfd.readouterr() == ("", "")


# --- orientation ----------------------------------------------------------------------------------

STORED = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    8: lambda a: np.rot90(a, -1),
    9: lambda a: a,  # not a value of the standard
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_exif_orientation_turns_the_photo_upright(orientation, kind):
    upright = quadrants()
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    image = Image.fromarray(np.ascontiguousarray(STORED[orientation](upright)))
    options = {"lossless": True} if kind == "WEBP" else {}
    photo = load_photo(encoded(image, kind, exif=exif, **options), size=60)
    assert (photo.frame.width, photo.frame.height) == (60, 40)
    assert_allclose(photo.pixels[10:50], upright / 255, atol=1e-6)


def test_broken_exif_is_survived():
    image = Image.new("RGB", (20, 20), "red")
    for exif in (b"Exif\0\0", b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\x7f"):
        for kind in ("JPEG", "PNG"):
            pixel = middle(load_photo(encoded(image, kind, exif=exif)))
            assert_allclose(pixel, [255, 0, 0], atol=1)


def test_a_bad_tag_does_not_lose_the_orientation():
    # Compression is a 16-bit tag: 70000 can be read, yet not be written back.
    entries = struct.pack("<HHII", 0x0103, 4, 1, 70_000) + struct.pack(
        "<HHIHH", ORIENTATION, 3, 1, 6, 0
    )
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 2) + entries + bytes(4)
    photo = load_photo(encoded(Image.new("RGB", (40, 20)), "JPEG", exif=exif), size=40)
    assert (photo.frame.width, photo.frame.height) == (20, 40)


# --- geometry -------------------------------------------------------------------------------------

SHAPES = [
    (448, 300),
    (1001, 667),
    (667, 1001),
    (301, 640),
    (223, 224),
    (500, 499),
    (40, 31),
    (500, 20),
]


def dotted(width: int, height: int, x: float, y: float, radius: float) -> Image.Image:
    """A white photo with one soft red dot centred on (x, y)."""
    rows, columns = np.mgrid[:height, :width] + 0.5
    ink = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * radius**2))
    return Image.fromarray(np.round(255 * (1 - ink[..., None] * [0, 1, 1])).astype(np.uint8))


def dot(photo: Photo) -> np.ndarray:
    """Where the dot's centre of mass lies on the canvas, in px."""
    ink = 1 - photo.pixels[..., 1]
    rows, columns = np.mgrid[: ink.shape[0], : ink.shape[1]] + 0.5
    return np.array([(ink * columns).sum(), (ink * rows).sum()]) / ink.sum()


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize(("width", "height"), SHAPES)
def test_a_dot_lands_where_the_frame_says(width, height, fit):
    short = min(width, height)
    x, y = width / 2 - 0.18 * short, height / 2 + 0.13 * short
    photo = load_photo(dotted(width, height, x, y, short / 15), fit=fit)
    frame = photo.frame
    own = np.array([x * frame.width / width, y * frame.height / height])
    assert_allclose(dot(photo), frame.to_canvas(own), atol=0.05)
    assert_allclose(frame.to_photo(dot(photo)), own, atol=0.05)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize(("width", "height"), SHAPES)
def test_the_frame_keeps_its_promises(width, height, fit):
    frame = load_photo(np.zeros((height, width)), size=224, fit=fit).frame
    assert frame.width / frame.height == pytest.approx(width / height)
    sides = frame.width, frame.height
    assert (min(sides) if fit == "crop" else max(sides)) == 224
    if fit == "stretch":
        assert (frame.left, frame.top) == (0, 0)
        assert_allclose(frame.to_canvas(sides), [224, 224])
    else:
        assert (frame.scale_x, frame.scale_y) == (1, 1)
        assert_allclose(frame.to_canvas(np.array(sides) / 2), [112, 112], atol=1)
        sign = 1 if fit == "pad" else -1
        assert sign * frame.left >= 0
        assert sign * frame.top >= 0


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize(("width", "height"), SHAPES)
def test_white_shows_only_outside_the_frame(width, height, fit):
    photo = load_photo(np.zeros((height, width)), fit=fit)
    frame = photo.frame
    corners = frame.to_canvas([[0, 0], [frame.width, frame.height]])
    dark = np.argwhere(photo.pixels[..., 0] == 0)[:, ::-1]
    visible = np.clip(corners, 0, 224)
    # Whole pixels inside the frame, and less than one of them left out on either side.
    assert (dark.min(0) >= visible[0] - 1e-9).all()
    assert (dark.max(0) + 1 <= visible[1] + 1e-9).all()
    assert_allclose([dark.min(0), dark.max(0) + 1], visible, atol=1)
    assert set(np.unique(photo.pixels)) <= {0, 1}


def test_points_survive_the_round_trip():
    points = np.random.default_rng(0).uniform(-50, 300, (4, 5, 2))
    for fit in FITS:
        frame = load_photo(np.zeros((30, 47)), fit=fit).frame
        assert_allclose(frame.to_canvas(frame.to_photo(points)), points)
        assert_allclose(frame.to_photo(frame.to_canvas(points)), points)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("shape", [(3, 2000), (2000, 3), (2, 16)])
def test_extreme_proportions_still_show_something(shape, fit):
    photo = load_photo(np.zeros(shape), fit=fit)
    dark = photo.pixels[..., 0] == 0
    assert dark.sum() >= 224
    assert dark.any(axis=0).all() or dark.any(axis=1).all()


def test_a_long_thin_jpeg_is_not_decoded_away():
    photo = load_photo(encoded(Image.new("L", (8000, 8)), "JPEG"))
    assert (photo.pixels[111] < 0.01).all()


def test_small_sizes_and_odd_canvases():
    for size in (1, 7, 225):
        assert load_photo(quadrants(), size=size).pixels.shape == (size, size, 3)


def test_shrinking_does_not_alias():
    board = np.indices((1120, 1120)).sum(0) % 2 == 0
    assert_allclose(load_photo(board).pixels, 0.5, atol=0.02)


def test_a_big_jpeg_is_decoded_small_and_stays_in_place(monkeypatch):
    decoded = []
    load = JpegImagePlugin.JpegImageFile.load
    monkeypatch.setattr(
        JpegImagePlugin.JpegImageFile, "load", lambda self: decoded.append(self.size) or load(self)
    )
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    for fit, width, height, expected in (
        ("pad", 1600, 1200, (800, 600)),
        ("pad", 2000, 1500, (500, 375)),
        ("pad", 2000, 1501, (2000, 1501)),  # a factor would leave a partial pixel
        ("pad", 600, 400, (600, 400)),
        ("crop", 1600, 800, (1600, 800)),  # here the shorter side is what counts
        ("crop", 1600, 960, (800, 480)),
    ):
        image = dotted(width, height, 0.45 * width, 0.55 * height, width / 30)
        decoded.clear()
        photo = load_photo(encoded(image, "JPEG", quality=90, exif=exif), fit=fit)
        assert decoded[0] == expected
        frame = photo.frame
        assert frame.width / frame.height == pytest.approx(height / width)
        # A quarter turn clockwise carries (x, y) to (height - y, x).
        assert_allclose(
            dot(photo), frame.to_canvas([0.45 * frame.width, 0.45 * frame.height]), atol=0.1
        )


# --- several frames -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("GIF", "animated, the first of 3 frames is used"),
        ("PNG", "animated, the first of 3 frames is used"),
        ("WEBP", "animated, the first of 3 frames is used"),
        ("TIFF", "the first of 3 pages is used"),
    ],
)
def test_the_first_of_several_frames_is_used(tmp_path, kind, words):
    first, *others = [Image.new("RGB", (20, 20), color) for color in ("red", "lime", "blue")]
    path = tmp_path / f"many.{kind.lower()}"
    options = {"lossless": True} if kind == "WEBP" else {}
    first.save(path, kind, save_all=True, append_images=others, **options)
    photo = load_photo(path)
    assert_allclose(middle(photo), [255, 0, 0], atol=2)
    (note,) = photo.notes
    assert note.startswith(f"{path.name}: ")
    assert words in note


def test_an_image_object_gives_its_current_frame(tmp_path):
    first, second = (Image.new("RGB", (20, 20), color) for color in ("red", "lime"))
    first.save(tmp_path / "two.gif", save_all=True, append_images=[second])
    with Image.open(tmp_path / "two.gif") as image:
        image.seek(1)
        photo = load_photo(image)
    assert_allclose(middle(photo), [0, 255, 0], atol=2)
    assert photo.notes == ()


def test_the_previews_in_a_camera_file_are_not_worth_a_note(tmp_path):
    image = Image.new("RGB", (20, 20), "red")
    image.save(tmp_path / "camera.jpg", "MPO", save_all=True, append_images=[image])
    assert load_photo(tmp_path / "camera.jpg").notes == ()


# --- refusals -------------------------------------------------------------------------------------


def test_files_that_are_not_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    with refused("sub/gone.jpg: ", "no such file"):
        load_photo("sub/gone.jpg")
    with refused("sub: ", "is a folder"):
        load_photo(Path("sub"))
    with refused("no such file"):
        load_photo("")
    with refused("a?b.png: ", "no such file"):
        load_photo("a\0b.png")
    with refused("a?b.png: ", "no such file"):
        load_photo("a\nb.png")
    with refused("x" * 300, "cannot be opened"):
        load_photo("x" * 300)


def test_a_file_that_may_not_be_read(tmp_path):
    path = tmp_path / "secret.png"
    Image.new("L", (20, 20)).save(path)
    path.chmod(0)
    user = os.geteuid()
    if user == 0:  # nothing is closed to root
        os.seteuid(65534)
    try:
        with refused(f"{path}: ", "may not be read"):
            load_photo(path)
    finally:
        os.seteuid(user)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text.jpg", b"This is no picture at all.\n" * 9),
        ("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
        ("paper.pdf", b"%PDF-1.7\n1 0 obj <<>> endobj\n"),
        ("print.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n%%EndComments\n"),
        ("one.png", b"\x89"),
    ],
)
def test_files_that_are_no_photo(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with refused(f"{path}: ", "is no readable picture", "convert it to PNG or JPEG"):
        load_photo(path)
    with refused("upload: ", "is no readable picture"):
        load_photo(content, name="upload")


def test_empty_files(tmp_path):
    path = tmp_path / "empty.png"
    path.touch()
    with refused(f"{path}: ", "is empty"):
        load_photo(str(path))
    with refused("photo: ", "is empty"):
        load_photo(b"")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP", "PPM", "JPEG2000"])
def test_truncated_files(tmp_path, kind):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    content = encoded(Image.fromarray(noise), kind)
    path = tmp_path / "cut"
    for part in (0.5, 0.9):
        path.write_bytes(content[: int(len(content) * part)])
        with refused(f"{path}: "):
            load_photo(path)


@pytest.mark.parametrize("kind", ["GIF", "TIFF"])
def test_damage_past_the_first_frame_never_shows_another_one(kind):
    random = np.random.default_rng(3)
    noise = random.integers(0, 256, (3, 20, 20), dtype=np.uint8)
    first, *others = [Image.fromarray(frame) for frame in noise]
    content = encoded(first, kind, save_all=True, append_images=others)
    expected = load_photo(first).pixels
    shown = 0
    for end in range(len(encoded(first, kind)), len(content), 10):
        try:
            photo = load_photo(content[:end])
        except ClipassoError:
            continue
        assert_allclose(photo.pixels, expected, atol=1e-6)
        shown += 1
    assert shown > 0


def test_a_truncated_jpeg_is_called_damaged(tmp_path):
    path = tmp_path / "half.jpg"
    content = encoded(Image.fromarray(data.chelsea()), "JPEG")
    path.write_bytes(content[: len(content) // 2])
    with refused(f"{path}: ", "cut short or damaged"):
        load_photo(path)
    with Image.open(path) as image, refused(f"{path}: ", "cut short or damaged"):
        load_photo(image)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP", "PPM", "JPEG2000"])
def test_random_damage_never_escapes_as_another_error(recwarn, kind):
    random = np.random.default_rng(7)
    content = encoded(Image.fromarray(quadrants()), kind)
    messages = []
    for _ in range(60):
        damaged = np.frombuffer(content, np.uint8).copy()
        where = random.integers(0, min(len(damaged), 400), 4)
        damaged[where] = random.integers(0, 256, 4)
        try:
            load_photo(damaged.tobytes(), size=16)
        except ClipassoError as error:
            messages.append(str(error))
    assert all(message.startswith("photo: ") and "\n" not in message for message in messages)
    assert not recwarn.list


def test_the_pixel_limit_holds_for_arrays_and_leaves_large_photos_alone(tmp_path, recwarn):
    with refused("photo: 20000 x 20000", "more than 100 million pixels"):
        load_photo(np.broadcast_to(np.uint8(0), (20_000, 20_000)))
    limit, filters = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
    path = tmp_path / "large.png"  # above Pillow's limit for a warning, below ours
    Image.new("1", (9500, 9500)).save(path)
    assert (load_photo(path, size=16).pixels == 0).all()
    assert not recwarn.list
    assert limit == Image.MAX_IMAGE_PIXELS
    assert filters == warnings.filters


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (15, 15)])
def test_photos_too_small_to_sketch(tmp_path, size):
    path = tmp_path / "dot.png"
    image = Image.new("RGB", size)
    image.save(path)
    for source in (path, image, np.asarray(image)):
        with refused(f"{size[0]} x {size[1]} px", "too small to sketch", "16 x 2"):
            load_photo(source)
    with refused(f"{path}: "):
        load_photo(path)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros(50), "(50,)"),
        (np.zeros((2, 50, 50, 3)), "(2, 50, 50, 3)"),
        (np.zeros((50, 50, 2)), "(50, 50, 2)"),
        (np.zeros((3, 50, 50)), "(3, 50, 50)"),
        (np.zeros((0, 50, 3)), "too small"),
        (np.zeros((50, 50), np.int64), "int64"),
        (np.zeros((50, 50), complex), "complex128"),
        (np.zeros((50, 50), object), "object"),
        (np.full((50, 50), np.nan), "nan"),
        (np.full((50, 50), np.inf), "inf"),
        (np.full((50, 50, 3), 255.0), "255"),
        (np.full((50, 50, 3), -0.5), "-0.5"),
    ],
)
def test_arrays_that_are_no_photo(array, words):
    with refused("mine: ", words):
        load_photo(array, name="mine")


def test_a_float_image_without_values(tmp_path):
    path = tmp_path / "nan.tiff"
    Image.fromarray(np.full((20, 20), np.nan, np.float32)).save(path)
    with refused(f"{path}: ", "undefined pixels"):
        load_photo(path)


def test_wrong_arguments():
    with refused("zoom", "pad, crop, stretch"):
        load_photo(np.zeros((20, 20)), fit="zoom")
    for size in (0, -1, 10_001):
        with refused(str(size), "1 to 10000"):
            load_photo(np.zeros((20, 20)), size=size)
    for source in (None, 3, [[1, 2], [3, 4]]):
        with refused("path, bytes, a Pillow image or a numpy array"):
            load_photo(source)


def test_a_closed_image_is_refused(tmp_path):
    path = tmp_path / "closed.png"
    Image.new("L", (20, 20)).save(path)
    image = Image.open(path)
    image.close()
    with refused(f"{path}: "):
        load_photo(image)
