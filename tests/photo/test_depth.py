"""Pictures of more than 8 bits: which of their values are used, and what is made of them."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose
from PIL import Image

from clipasso import ClipassoError, load_photo

STEPS = (0, 0.25, 0.5, 0.75, 1)


def stripes(white, kind=np.uint16):
    """Five stripes from black to `white`, [30, 50]."""
    values = np.array(STEPS) * white
    values = values if np.dtype(kind).kind == "f" else np.round(values)
    return values.astype(kind).repeat(10)[None].repeat(30, 0)


def coloured(white):
    """The same in red, backwards in green, and a half in blue."""
    grey = stripes(white)
    return np.dstack([grey, grey[:, ::-1], np.full_like(grey, round(white / 2))])


def pillow(array, kind, **options):
    out = io.BytesIO()
    Image.fromarray(array).save(out, kind, **options)
    return out.getvalue()


def opencv(array, ending, *options):
    """A file of 16-bit colours, which Pillow cannot write."""
    order = {3: [2, 1, 0], 4: [2, 1, 0, 3]}.get(array.shape[-1], slice(None))
    done, content = cv2.imencode(ending, np.ascontiguousarray(array[..., order]), options)
    assert done
    return content.tobytes()


def tiff(array, big=False, planar=False, **tags):
    """An uncompressed TIFF of one strip, or of one for each colour."""
    order = ">" if big else "<"
    height, width, bands = array.shape if array.ndim == 3 else (*array.shape, 1)
    planes = np.moveaxis(array, 2, 0) if planar else array[None]
    data = b"".join(plane.astype(plane.dtype.newbyteorder(order)).tobytes() for plane in planes)
    strips, size = len(planes), len(data) // len(planes)
    bits = array.dtype.itemsize * 8
    entries = {
        256: [width], 257: [height], 258: [bits] * bands, 259: [1],
        262: [tags.get("photometric", 2 if bands == 3 else 1)], 277: [bands], 278: [height],
        284: [2 if planar else 1], 339: [tags.get("format", 1)] * bands,
    }  # fmt: skip
    count = len(entries) + 2
    extra, at = b"", 8 + 2 + 12 * count + 4
    lines = []
    entries[279] = [size] * strips
    entries[273] = [0] * strips
    data_at = at + sum(4 * len(v) for v in entries.values() if len(v) > 1)
    entries[273] = [data_at + k * size for k in range(strips)]
    for tag, values in sorted(entries.items()):
        if len(values) == 1:
            lines.append(struct.pack(order + "HHII", tag, 4, 1, values[0]))
        else:
            lines.append(struct.pack(order + "HHII", tag, 4, len(values), at + len(extra)))
            extra += struct.pack(f"{order}{len(values)}I", *values)
    head = (b"MM\0*" if big else b"II*\0") + struct.pack(order + "IH", 8, count)
    return head + b"".join(lines) + bytes(4) + extra + data


def row(photo):
    """The middle of each stripe, [5, 3]."""
    return photo.pixels[25, 5::10]


BITS = (8, 10, 12, 14)


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "array", "image"])
def test_grey_of_few_bits(bits, kind):
    array = stripes(2**bits - 1)
    if kind == "array":
        source = array
    else:
        source = Image.fromarray(array) if kind == "image" else pillow(array, kind)
    photo = load_photo(source, size=50, name="scan")
    assert_allclose(row(photo), np.array(STEPS)[:, None].repeat(3, 1), atol=0.005)
    (note,) = photo.notes
    assert note.startswith("scan: ")
    assert f"end at {2**bits - 1} of 65535, so it is read as {bits} bits" in note


LZW, DEFLATE = (
    (cv2.IMWRITE_TIFF_COMPRESSION, 5),
    (cv2.IMWRITE_TIFF_COMPRESSION, 8),
)
COLOURED = {
    "PNG": lambda a: opencv(a, ".png"),
    "TIFF": tiff,
    "big-endian": lambda a: tiff(a, big=True),
    "LZW": lambda a: opencv(a, ".tif", *LZW),
    "deflated": lambda a: opencv(a, ".tif", *DEFLATE),
    "planes": lambda a: tiff(a, planar=True),
    "big-endian planes": lambda a: tiff(a, big=True, planar=True),
    "array": lambda a: a,
}


@pytest.mark.parametrize("bits", [*BITS, 16])
@pytest.mark.parametrize("kind", COLOURED)
def test_colours_of_few_bits(bits, kind):
    photo = load_photo(COLOURED[kind](coloured(2**bits - 1)), size=50)
    wanted = np.stack([STEPS, STEPS[::-1], [0.5] * 5], 1)
    assert_allclose(row(photo), wanted, atol=0.005)
    assert len(photo.notes) == (bits < 16)


@pytest.mark.parametrize("alpha", [4095, 65535])
@pytest.mark.parametrize("kind", ["PNG", "array"])
def test_few_bits_with_alpha(alpha, kind):
    covered = np.where(np.arange(50) < 30, alpha, 0).astype(np.uint16)[None].repeat(30, 0)
    array = np.dstack([coloured(4095), covered])
    photo = load_photo(array if kind == "array" else opencv(array, ".png"), size=50)
    assert_allclose(row(photo)[:3, 0], STEPS[:3], atol=0.005)
    assert_allclose(row(photo)[3:], 1, atol=0.005)
    assert_allclose(photo.alpha[25, 5::10], [1, 1, 1, 0, 0], atol=0.005)


@pytest.mark.parametrize("white", [4095, 65535])
def test_grey_and_alpha_of_16_bits(white):
    covered = np.full((30, 50), white, np.uint16)
    covered[:, 30:] = 0
    lines = np.dstack([stripes(white), covered]).astype(">u2")
    packed = zlib.compress(b"".join(b"\0" + line.tobytes() for line in lines))

    def chunk(kind, body):
        content = kind + body
        return struct.pack(">I", len(body)) + content + struct.pack(">I", zlib.crc32(content))

    header = struct.pack(">IIBBBBB", 50, 30, 16, 4, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed)
    photo = load_photo(content + chunk(b"IEND", b""), size=50)
    assert_allclose(row(photo)[:3, 0], STEPS[:3], atol=0.005)
    assert_allclose(photo.alpha[25, 5::10], [1, 1, 1, 0, 0], atol=0.005)


def test_dark_is_not_few_bits():
    for source in (stripes(20_000), opencv(coloured(20_000), ".png")):
        photo = load_photo(source, size=50)
        assert row(photo).max() == pytest.approx(20_000 / 65535, abs=0.005)
        assert photo.notes == ()
    for black in (np.zeros((30, 50), np.uint16), opencv(np.zeros((30, 50, 3), np.uint16), ".png")):
        photo = load_photo(black, size=50)
        assert (row(photo) == 0).all()
        assert photo.notes == ()


def test_a_clear_colour_of_16_bits():
    array = coloured(4095)
    content = opencv(array, ".png")
    key = struct.pack(">3H", *array[0, 0])
    at = content.index(b"IDAT") - 4
    body = b"tRNS" + key
    chunk = struct.pack(">I", 6) + body + struct.pack(">I", zlib.crc32(body))
    photo = load_photo(content[:at] + chunk + content[at:], size=50)
    assert_allclose(photo.alpha[25, 5::10], [0, 1, 1, 1, 1], atol=0.005)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param(tiff(stripes(2**32 - 1, np.uint32)), STEPS, id="unsigned, 32 bits"),
        pytest.param(tiff(stripes(65535), photometric=0), STEPS[::-1], id="0 is white"),
        pytest.param(tiff(stripes(4095), photometric=0), STEPS[::-1], id="0 is white, 12 bits"),
        pytest.param(
            tiff(stripes(1, np.float32), photometric=0, format=3), STEPS[::-1],
            id="0 is white, floats",
        ),
        pytest.param(tiff(stripes(4095, np.int16), format=2), STEPS, id="signed, 12 bits"),
        pytest.param(
            tiff((stripes(60_000, np.int32) - 32_000).astype(np.int16), format=2), STEPS,
            id="signed around 0",
        ),
        pytest.param(tiff(stripes(-4000, np.int16), format=2), STEPS[::-1], id="all negative"),
        pytest.param(tiff(stripes(0.02, np.float32), format=3), STEPS, id="floats far below 1"),
        pytest.param(tiff(stripes(300, np.float32), format=3), STEPS, id="floats above 1"),
    ],
)  # fmt: skip
def test_other_kinds_of_numbers(source, expected):
    photo = load_photo(source, size=50)
    assert_allclose(row(photo)[:, 0], expected, atol=0.01)


def test_floats_in_arrays_are_what_they_say():
    photo = load_photo(stripes(0.02, np.float32), size=50)
    assert row(photo).max() == pytest.approx(0.02, abs=1e-3)


def test_damage_in_the_lower_bytes_is_damage():
    content = opencv(coloured(4095), ".png")
    with pytest.raises(ClipassoError, match="cut short or damaged"):
        load_photo(content[: len(content) - 60], size=50)
