"""PNG files whose text or colour profile Pillow would call damage."""

import io
import struct
import zlib

import numpy as np
import pytest
from numpy.testing import assert_allclose
from PIL import Image, ImageCms, PngImagePlugin

from clipasso import ClipassoError, load_photo
from clipasso.photo import png

LONG = b"a line of somebody's history\n" * 60_000  # 1.7 MB


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def picture(*chunks, after=False, size=(40, 30), color=(200, 30, 40)):
    """A PNG with further chunks, before its pixels or after them."""
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, "PNG")
    whole = out.getvalue()
    at = whole.index(b"IEND") - 4 if after else whole.index(b"IDAT") - 4
    return whole[:at] + b"".join(chunks) + whole[at:]


def xmp(text, packed=True):
    head = b"XML:com.adobe.xmp\0" + (b"\1" if packed else b"\0") + b"\0\0\0"
    return chunk(b"iTXt", head + (zlib.compress(text) if packed else text))


CHUNKS = {
    "zTXt": chunk(b"zTXt", b"Comment\0\0" + zlib.compress(LONG)),
    "iTXt": chunk(b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(LONG)),
    "XMP": xmp(LONG),
    "tEXt": chunk(b"tEXt", b"Comment\0" + LONG),
    "a tenth of a gigabyte": chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100_000_000))),
    "a hundred of a megabyte": b"".join(
        chunk(b"zTXt", b"Comment\0\0" + zlib.compress(LONG[:1_000_000])) for _ in range(100)
    ),
    "a long one": chunk(b"tEXt", b"Comment\0" + bytes(65_000_000)),
}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("kind", CHUNKS)
def test_large_texts_do_not_matter(tmp_path, kind, after):
    content = picture(CHUNKS[kind], after=after)
    path = tmp_path / "logo.png"
    path.write_bytes(content)
    for source in (content, path):
        photo = load_photo(source, size=40)
        assert_allclose(photo.pixels[20, 20] * 255, [200, 30, 40], atol=1)
        assert photo.notes == ()


def test_pillows_own_limits_stay_as_they_are():
    limits = PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY
    load_photo(picture(CHUNKS["zTXt"]))
    assert limits == (PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY)


@pytest.mark.parametrize("packed", [False, True])
def test_a_large_text_that_tells_the_orientation_is_heeded(packed):
    text = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/>' + LONG + b"</x:xmpmeta>"
    frame = load_photo(picture(xmp(text, packed)), size=40).frame
    assert (frame.width, frame.height) == (30, 40)


def swapped_profile(size):
    """The sRGB profile with red and green exchanged and a comment of `size` bytes in it."""
    plain = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    plain = plain.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")
    count = struct.unpack(">I", plain[128:132])[0]
    entries = plain[132 : 132 + 12 * count]
    moved = b"".join(
        entries[k : k + 4] + struct.pack(">I", struct.unpack(">I", entries[k + 4 : k + 8])[0] + 12)
        + entries[k + 8 : k + 12]
        for k in range(0, len(entries), 12)
    )  # fmt: skip
    body = plain[132 + 12 * count :]
    extra = b"text\0\0\0\0" + b"x" * size
    own = b"note" + struct.pack(">II", 132 + 12 * (count + 1) + len(body), len(extra))
    whole = plain[4:128] + struct.pack(">I", count + 1) + moved + own + body + extra
    return struct.pack(">I", len(whole) + 4) + whole


@pytest.mark.parametrize("size", [100, 3_000_000])
def test_a_large_profile_is_applied(size):
    packed = zlib.compress(swapped_profile(size))
    photo = load_photo(picture(chunk(b"iCCP", b"swapped\0\0" + packed)), size=40)
    assert_allclose(photo.pixels[20, 20] * 255, [30, 200, 40], atol=2)


def test_a_profile_beyond_all_measure_is_left_out():
    packed = zlib.compress(bytes(200_000_000))
    photo = load_photo(picture(chunk(b"iCCP", b"bomb\0\0" + packed)), size=40)
    assert_allclose(photo.pixels[20, 20] * 255, [200, 30, 40], atol=1)


def test_an_ordinary_file_is_passed_on_as_it_is():
    stream = io.BytesIO(picture(chunk(b"tEXt", b"Comment\0short")))
    assert png.acceptable(stream) == (stream, None)


def test_what_is_shown_is_the_file_without_the_chunk(tmp_path):
    stream = io.BytesIO(picture(CHUNKS["zTXt"], CHUNKS["iTXt"]))
    shown, _ = png.acceptable(stream)
    plain = picture()
    assert shown.read() == plain
    for at in (0, 5, 40, len(plain) - 3, len(plain)):
        assert shown.seek(at) == at
        assert shown.read(7) == plain[at : at + 7]


def test_damage_elsewhere_is_still_damage():
    content = picture(CHUNKS["zTXt"])
    for end in (len(content) - 30, len(content) // 2, 40):
        with pytest.raises(ClipassoError, match=r"^photo: "):
            load_photo(content[:end])
    random, messages = np.random.default_rng(0), []
    for _ in range(40):
        damaged = bytearray(content)
        damaged[random.integers(8, 90)] = random.integers(256)
        try:
            load_photo(bytes(damaged), size=16)
        except ClipassoError as error:
            messages.append(str(error))
    assert messages
    assert not any("\n" in message for message in messages)
