"""Malformed files of all kinds that are read, by the thousand, each from a seed, and their judge.

`python fuzzing.py photos 2000` (or `svgs`, `checkpoints`, `manifests`, `tables`, in this folder)
reads so many and prints what went wrong, and which took longest and most memory.
"""

# ruff: noqa: E501  # tables of nonsense

import gzip
import io
import json
import random
import signal
import struct
import sys
import time
import traceback
import warnings
import zlib
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from clipasso.errors import ClipassoError

SECONDS, MEGABYTES = 2.0, 1000.0  # of the processor, and of memory with all that is loaded

# Photos.

_KINDS = [
    ("PNG", "RGB", {}), ("PNG", "RGBA", {}), ("PNG", "P", {}), ("PNG", "I;16", {}),
    ("PNG", "1", {}), ("PNG", "LA", {}), ("JPEG", "RGB", {}), ("JPEG", "L", {}),
    ("JPEG", "CMYK", {}), ("JPEG", "RGB", {"progressive": True}), ("GIF", "P", {}),
    ("TIFF", "RGB", {}), ("TIFF", "RGB", {"compression": "tiff_lzw"}), ("TIFF", "I;16", {}),
    ("TIFF", "F", {}), ("TIFF", "CMYK", {"compression": "tiff_adobe_deflate"}), ("WEBP", "RGBA", {}),
    ("WEBP", "RGB", {"lossless": True}), ("BMP", "RGB", {}), ("BMP", "P", {}), ("PPM", "RGB", {}),
    ("PPM", "I;16", {}), ("JPEG2000", "RGB", {}),
]  # fmt: skip
_EXTREME = (0, 1, 2, 3, 255, 65535, 65536, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 30000, 20000)


@cache
def photo(number: int) -> bytes:
    """One of some well-formed files."""
    kind, mode, how = _KINDS[number % len(_KINDS)]
    x, y = np.meshgrid(np.arange(40), np.arange(24))
    grey = ((x * 7 + y * 11) % 256).astype(np.uint8)
    if mode == "I;16":
        image = Image.fromarray(grey.astype(np.uint16) * 257)
    elif mode == "F":
        image = Image.fromarray(grey.astype(np.float32) / 255)
    else:
        image = Image.fromarray(
            np.stack([grey, grey.T.repeat(2, 0)[:24, :1].repeat(40, 1), 255 - grey], -1)
        )
        image = image.convert(mode)
    out = io.BytesIO()
    if kind in ("JPEG", "PNG", "WEBP", "TIFF") and number % 2:
        exif = Image.Exif()
        exif[274] = 1 + number % 8
        how = {**how, "exif": exif.tobytes()} if kind != "TIFF" else how
    if kind == "GIF":
        image.save(out, kind, save_all=True, append_images=[image] * 2)
    elif kind == "PNG" and number % 3 == 0:
        text = PngImagePlugin.PngInfo()
        text.add_itxt("Comment", "x" * 300, zip=True)
        image.save(out, kind, pnginfo=text, **how)
    else:
        image.save(out, kind, **how)
    return out.getvalue()


def malformed_photo(seed: int) -> bytes:
    """A file of a photo that is damaged in one to three ways."""
    rng = random.Random(seed)
    data = bytearray(photo(rng.randrange(len(_KINDS) * 6)))
    for _ in range(rng.randint(1, 3)):
        data = rng.choice(_DAMAGES)(data, rng) or bytearray(b"\0")
    return bytes(data)


def _place(data, rng):
    """Somewhere, in the header more often than not."""
    return rng.randrange(min(len(data), 120) if rng.random() < 0.6 else len(data))


def _flipped(data, rng):
    for _ in range(rng.choice((1, 1, 2, 8))):
        data[_place(data, rng)] = rng.randrange(256)
    return data


def _cut(data, rng):
    return data[: rng.randrange(1, len(data) + 1)]


def _number(data, rng):
    """A number of two or four bytes becomes an extreme one."""
    at, order, wide = _place(data, rng), rng.choice("<>"), rng.choice("HI")
    value = rng.choice(_EXTREME) & (0xFFFF if wide == "H" else 0xFFFFFFFF)
    data[at : at + (2 if wide == "H" else 4)] = struct.pack(order + wide, value)
    return data


def _without(data, rng):
    at = _place(data, rng)
    del data[at : at + rng.choice((1, 2, 4, 40))]
    return data


def _twice(data, rng):
    at, length = _place(data, rng), rng.choice((1, 4, 12, 200))
    data[at:at] = data[at : at + length] * rng.choice((1, 1, 50))
    return data


def _other(data, rng):
    """Goes on as another kind of file."""
    tail = photo(rng.randrange(len(_KINDS)))
    return data[: _place(data, rng)] + tail[_place(tail, rng) :]


def _noise(data, rng):
    at = _place(data, rng)
    data[at:at] = rng.randbytes(rng.choice((1, 3, 64, 4000)))
    return data


def _sized(data, rng):
    """A PNG whose header, its checksum right, promises another picture."""
    data = bytearray(photo(rng.choice((0, 1, 2, 3, 4, 5))))
    width, height = rng.choice(_EXTREME), rng.choice(_EXTREME)
    depth, kind, lace = (
        rng.choice((0, 1, 2, 8, 16, 77)),
        rng.choice((0, 2, 3, 4, 6, 9)),
        rng.randrange(3),
    )
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, lace)
    data[12:33] = head + struct.pack(">I", zlib.crc32(head))
    return data


def _bomb(data, rng):
    """A PNG whose few bytes unpack to many."""
    side = rng.choice((3000, 9000, 30000))
    head = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = b"IDAT" + zlib.compress(b"\0" * 2_000_000, 9)
    chunks = [
        struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c))
        for c in (head, body, b"IEND")
    ]
    return bytearray(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))


_DAMAGES = (
    *[_flipped] * 6,
    *[_cut] * 3,
    *[_number] * 6,
    _without,
    _twice,
    _other,
    _noise,
    _sized,
    _bomb,
)


def read_photo(data: bytes) -> None:
    from clipasso import load_photo

    load_photo(data, size=64)


# SVG files.

_HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
_SVGS = (
    _HEAD + 'viewBox="0 0 100 80"><g fill="none" stroke="#123" stroke-width="2"><path d="M10 10 C 20 '
    '20 40 20 50 10 S 70 70 90 60 Q 5 5 8 9 T 1 2 A 5 6 30 0 1 8 8 H 3 V 9 z"/></g></svg>',
    _HEAD + 'width="50mm" height="4in"><style>.a{stroke:red;stroke-width:2px} g > path:nth-child(2)'
    '{stroke:rgb(1%,2%,3%)}</style><g class="a" transform="translate(3 4) rotate(30) scale(2)">'
    '<rect x="1" y="2" width="9" height="8" rx="2"/><circle cx="9" cy="9" r="4"/><ellipse rx="3" '
    'ry="4"/><line x2="9"/><polyline points="1,2 3,4 5,6"/><polygon points="1 2 3 4 5 6"/></g></svg>',
    _HEAD + 'viewBox="0 0 9 9"><defs><symbol id="s" viewBox="0 0 3 3"><path id="p" stroke="blue" '
    'd="M0 0L1 1"/></symbol></defs><use href="#s" x="1" width="5" height="5"/><use xlink:href="#p"/>'
    '<svg x="10%" viewBox="0 0 2 2"><path stroke="currentColor" d="m0 0 1e0 .5.5-1"/></svg></svg>',
    '<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE svg [<!ENTITY w "3"><!ENTITY c "#f00">]>'
    + _HEAD + 'viewBox="0 0 9 9"><path stroke="&c;" stroke-width="&w;" stroke-opacity=".5" '
    'style="opacity:.3;stroke-linecap:butt" d="M1 1 8 8"/><image href="a.png"/><text>a</text></svg>',
)  # fmt: skip
_NUMBERS = (
    "nan", "NaN", "inf", "-inf", "1e999", "-1e999", "1e-320", "0", "-0", "-5", "1e38", "1e308",
    "9" * 400, "9" * 20000, "1e", "+", "--1", "0x10", "1.2.3", "1,", "%", "1e9px", "calc(1px)", "",
    "\u0663", "1e400%",
)  # fmt: skip
_TAGS = (
    "<g>", "</g>", "<use href='#p'/>", "<use id='p' href='#p'/>", "<!--", "-->", "<![CDATA[", "]]>",
    "<path/>", "<path d='M'/>", "<style>*{</style>", "<style>@import url(file:///etc/passwd);</style>",
    "<image href='file:///etc/passwd'/>", "<use href='http://localhost:1/a.svg#p'/>", "&amp;", "&x;",
    "<?xml-stylesheet href='file:///etc/passwd'?>", "<svg viewBox='0 0 0 0'>", "</svg>", "\0", "\x07",
    "<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='file:///etc/passwd'/>", "<a><b></a>",
    "<foreignObject/>", "<switch><g/></switch>", "<script>1</script>", "<animate/>", "\ud7ff", "<p:q/>",
    "<path stroke='url(#p)' d='M0 0h9'/>", "<path transform='matrix(1 2 3)' stroke='red' d='M0 0h9'/>",
)  # fmt: skip
_DOCTYPES = (
    '<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    '<!DOCTYPE svg SYSTEM "http://localhost:1/a.dtd">',
    '<!DOCTYPE svg [<!ENTITY % a SYSTEM "file:///etc/passwd">%a;]>',
    '<!DOCTYPE svg [<!ENTITY a "b"><!ENTITY b "&a;">]>',
    "<!DOCTYPE svg [" + "".join(f'<!ENTITY e{i + 1} "{f"&e{i};" * 10}">' for i in range(12)) + "]>",
    '<!DOCTYPE svg [<!ENTITY a "' + "x" * 100_000 + '">]>',
    '<!DOCTYPE svg [<!ATTLIST path d CDATA "M0 0h1">]>',
)  # fmt: skip


def malformed_svg(seed: int) -> bytes:
    """An SVG file that is wrong in one to three ways; every fifth is of those that are large."""
    rng = random.Random(seed)
    if seed % 5 == 4:
        return _large(rng)
    text = rng.choice(_SVGS)
    for _ in range(rng.randint(1, 3)):
        text = rng.choice(_MISTAKES)(text, rng)
    data = bytearray(text.encode(rng.choice(("utf-8",) * 8 + ("utf-16", "latin-1")), "replace"))
    if rng.random() < 0.2:
        data = gzip.compress(bytes(data)) if rng.random() < 0.7 else bytes(data)
        data = bytearray(data)
    if rng.random() < 0.25:
        data = rng.choice((_flipped, _cut, _without, _twice, _noise))(data, rng)
    return bytes(data)


def _other_number(text, rng):
    places = [i for i, c in enumerate(text) if c.isdigit()]
    if not places:
        return text
    at = rng.choice(places)
    return text[:at] + rng.choice(_NUMBERS) + text[at + 1 :]


def _more_tags(text, rng):
    ends = [i + 1 for i, c in enumerate(text) if c == ">"] or [0]
    at = rng.choice(ends) if rng.random() < 0.8 else rng.randrange(len(text) + 1)
    return text[:at] + rng.choice(_TAGS) * rng.choice((1, 1, 2, 300)) + text[at:]


def _less(text, rng):
    at = rng.randrange(len(text) + 1)
    return text[:at] + text[at + rng.choice((1, 5, 40)) :]


def _doctype(text, rng):
    uses = "".join(f"&{name};" for name in ("a", "b", "e12")) * rng.choice((1, 2000))
    return rng.choice(_DOCTYPES) + text.replace("</svg>", f"<title>{uses}</title></svg>", 1)


def _nested(text, rng):
    """Deep groups, or views, around what there is."""
    depth = rng.choice((50, 900, 1100, 20_000))
    tag = rng.choice(("g", "svg", "a", "defs", "symbol", "switch"))
    at = text.find(">", text.find("<svg")) + 1
    return (
        text[:at]
        + f"<{tag}>" * depth
        + text[at:].replace("</svg>", f"</{tag}>" * depth + "</svg>", 1)
    )


def _styled(text, rng):
    rule = rng.choice((
        "path{stroke:red", "*{stroke-width:1e999}", ":has(*){stroke:red}", "}" * 50, "@media{" * 60,
        "g" + " g" * 900 + "{stroke:red}", ":not(" * 80 + "g" + ")" * 80 + "{a:b}", "path{stroke:" +
        "(" * 5000, "\\" * 999, "/*", "path{stroke:rgb(" + "1," * 3000 + ")}", "[a=" + "'" + "{}",
    ))  # fmt: skip
    at = text.find(">", text.find("<svg")) + 1
    return f"{text[:at]}<style>{rule}</style>{text[at:]}"


_MISTAKES = (
    *[_other_number] * 6,
    *[_more_tags] * 4,
    *[_less] * 3,
    *[_doctype] * 2,
    _nested,
    _styled,
)


def _large(rng) -> bytes:
    """Many of one thing."""
    many = rng.choice((1000, 50_000, 1_000_000))
    few = min(many, 150_000)
    body = rng.choice((
        lambda: '<path stroke="red" d="M0 0' + rng.choice(("l1 2", " 1 2", "h1", "z", "a1 1 0 0 1 2 2", "c1 2 3 4 5 6"))
        * many + '"/>',
        lambda: '<path stroke="red" d="M0 0 1 1"/>' * few,
        lambda: f'<polyline stroke="red" points="{"1,2 " * many}"/>',
        lambda: "<path " + " ".join(f'a{i}="1"' for i in range(few)) + "/>",
        lambda: "<style>" + "path{stroke:red}" * few + "</style>" + "<path/>" * min(few, 30_000),
        lambda: f'<g transform="{"rotate(1)" * few}"><path stroke="red" d="M0 0h1"/></g>',
        lambda: f'<path stroke="red" stroke-dasharray="{"1 " * few}" d="M0 0h1"/>',
        lambda: f'<path stroke="{"(" * few}" d="M0 0h1"/>',
        lambda: f"<title>{'x' * many}</title>",
        lambda: "<defs>" + "".join(f'<g id="a{i + 1}">' + f'<use href="#a{i}"/>' * 8 + "</g>"
                                   for i in range(15)) + '</defs><use href="#a15"/>',
        lambda: "".join(f'<g id="b{i}"><use href="#b{i + 1}"/></g>' for i in range(min(few, 5000))),
    ))()  # fmt: skip
    data = f'{_HEAD}viewBox="0 0 9 9">{body}</svg>'.encode()
    return gzip.compress(data, 1) if rng.random() < 0.3 else data


def read_drawing(data: bytes) -> None:
    from clipasso.vector.sketch import read_svg

    _, left_out = read_svg(data)
    for line in left_out:
        if "\n" in line or len(line) > 600:
            raise AssertionError(line[:700])


# Checkpoints.


@cache
def checkpoint() -> bytes:
    """A whole one of a tiny run, without an encoder of any size."""
    import torch

    from clipasso import Settings
    from clipasso.optimise.state import State
    from clipasso.pipeline.faces import CloseUps
    from clipasso.pipeline.saved import packed

    tensors = {"adam.step": torch.tensor([3]), "losses": torch.rand(2, 2, dtype=torch.float64)}
    about = {"settings": Settings().as_dict(), "made": {"clipasso": "0"}, "photo": "0"}
    return packed(State(3, 1.0, tensors, ("total",)), about, CloseUps())


def malformed_checkpoint(seed: int) -> bytes:
    """A checkpoint that is damaged in one to three ways."""
    rng = random.Random(seed)
    data = bytearray(checkpoint())
    for _ in range(rng.randint(1, 3)):
        data = rng.choice((_flipped, _cut, _number, _without, _twice, _noise))(data, rng)
    return bytes(data)


def read_a_checkpoint(data: bytes) -> None:
    import tempfile

    from clipasso.pipeline.saved import read_checkpoint

    with tempfile.NamedTemporaryFile(suffix=".state") as file:
        file.write(data)
        file.flush()
        read_checkpoint(file.name)


# Batches: their manifest, and tables of photos.

_COLUMNS = ("photo", "turn", "path", "name", "place", "options", "key", "steps", "state", "begun",
            "made", "size", "mtime", "sha256", "loss", "seconds", "encoder", "error", "at", "id")  # fmt: skip
_CELLS = (None, -1, 0, 1, 2**63 - 1, 1e308, float("inf"), "", "a", "done", "todo", "working", "failed",
          "../../out", "/tmp/out", "a/../../b", "[]", "{}", '{"strokes": "x"}', '{"strokes": 3}', "null",
          b"\xff\0\xfe", "x" * 5000, "\0", "a\nb", "a.png", "deep/b")  # fmt: skip
_STATEMENTS = (
    "DROP TABLE photos", "DELETE FROM photos", "CREATE TABLE more (x)", "DROP INDEX by_state",
    "ALTER TABLE photos DROP COLUMN loss", "ALTER TABLE photos RENAME COLUMN key TO lock",
    "PRAGMA application_id = 0", "PRAGMA application_id = 7", "PRAGMA user_version = 9",
    "ALTER TABLE photos RENAME TO others", "PRAGMA journal_mode = WAL",
    "CREATE TRIGGER t BEFORE UPDATE ON photos BEGIN SELECT RAISE(ABORT, 'no'); END",
    "CREATE VIEW v AS SELECT * FROM photos", "UPDATE photos SET place = 0", "UPDATE photos SET turn = 5",
)  # fmt: skip


def _batch(folder: Path, source: Path) -> None:
    """Run a batch whose sketches are played."""
    import clipasso
    from clipasso.pipeline.batch.make import Loader
    from playing_sketcher import play

    before, Loader.__call__ = Loader.__call__, lambda self, talk: play
    try:
        clipasso.batch(source, folder / "out", encoder="efficientnet-lite0")
    finally:
        Loader.__call__ = before


@contextmanager
def _place_of_a_batch():
    import tempfile

    from playing_sketcher import photos

    with tempfile.TemporaryDirectory() as top:
        folder = Path(top) / "of" / "it"
        photos(folder / "in", "a.png", "deep/b.png")
        yield folder
        there = {path.name for path in folder.iterdir()} | {p.name for p in folder.parent.iterdir()}
        strays = there - {"in", "out", "it", "table.csv"}
        assert not strays, f"written beside the batch's folder: {strays}"


@cache
def manifest() -> bytes:
    """That of a small batch, all of it done."""
    with _place_of_a_batch() as folder:
        _batch(folder, folder / "in")
        return (folder / "out" / "batch.sqlite").read_bytes()


def malformed_manifest(seed: int) -> bytes:
    """A manifest whose bytes, rows or tables are damaged in one to three ways."""
    rng = random.Random(seed)
    if rng.random() < 0.5:
        data = bytearray(manifest())
        for _ in range(rng.randint(1, 3)):
            data = rng.choice((_flipped, _cut, _number, _without, _twice, _noise, _other))(
                data, rng
            )
        return bytes(data)
    import sqlite3

    db = sqlite3.connect(":memory:", isolation_level=None)
    db.deserialize(manifest())
    db.execute("PRAGMA ignore_check_constraints = 1")
    db.execute("PRAGMA writable_schema = 1")
    for _ in range(rng.randint(1, 3)):
        with suppress(sqlite3.Error, OverflowError):
            if rng.random() < 0.3:
                db.execute(rng.choice(_STATEMENTS))
            else:
                which = rng.choice(("", " WHERE id = 1"))
                change = f"UPDATE photos SET {rng.choice(_COLUMNS)} = ?{which}"
                db.execute(change, (rng.choice(_CELLS),))
    return db.serialize()


def read_manifest(data: bytes) -> None:
    with _place_of_a_batch() as folder:
        (folder / "out").mkdir()
        (folder / "out" / "batch.sqlite").write_bytes(data)
        _batch(folder, folder / "in")


_HEADINGS = (
    "photo",
    "path",
    "strokes",
    "mask",
    "name",
    "preset",
    "fit",
    "seed",
    "",
    "x",
    "photo",
    "\0",
    "canvas",
)
_WORDS = ("in/a.png", "in/deep/b.png", "in", "missing.png", "../x", "/etc/passwd", "", "8", "-1", "1e999", "auto",
          "none", "draft", "pad", "nan", "a\"b", "a,b", "\u202e", "\0", "x" * 300000, "'", "\r", "0x10", "../../out")  # fmt: skip


def malformed_table(seed: int) -> bytes:
    """Rows of a CSV file, some of which are none."""
    rng = random.Random(seed)
    wide = rng.randint(1, 5)
    heading = ["photo" if rng.random() < 0.9 else rng.choice(_HEADINGS)]
    heading += rng.sample(_HEADINGS[2:8] if rng.random() < 0.9 else _HEADINGS, k=wide - 1)
    rows = [heading]
    for _ in range(rng.choice((0, 1, 3, 40))):
        first = rng.choice(("in/a.png", "in/deep/b.png", rng.choice(_WORDS)))
        rows.append(
            [first, *rng.choices(_WORDS, k=max(0, wide - 1 + rng.choice((0, 0, 0, -1, 2))))]
        )
    comma = "," if rng.random() < 0.9 else rng.choice("\t;")
    text = rng.choice(("\n", "\r\n", "\r")).join(comma.join(row) for row in rows)
    data = text.encode(rng.choice(("utf-8",) * 8 + ("utf-16", "latin-1")), "replace")
    if rng.random() < 0.2:
        data = bytes(_flipped(bytearray(data or b"x"), rng))
    return data


def read_table(data: bytes) -> None:
    with _place_of_a_batch() as folder:
        (folder / "table.csv").write_bytes(data)
        _batch(folder, folder / "table.csv")


# The judge.


class TooLongError(Exception):
    pass


@contextmanager
def _no_longer_than(seconds):
    """Raise where the processor works longer, between two of Python's own steps."""

    def ring(number, frame):
        raise TooLongError

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def judged(read, data: bytes) -> tuple[str, float, float]:
    """What is wrong with how a file was read, if anything; seconds and more MB than before."""
    from peak import peak

    fault, began, before = "", time.process_time(), 0.0
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # the peak is from now on
        before = peak()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with _no_longer_than(4 * SECONDS):
                read(data)
    except ClipassoError as error:
        line = str(error)
        if not line or "\n" in line or len(line) > 600:
            fault = f"no clear line: {line[:700]!r}"
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        fault = "".join(traceback.format_exception(error)[-4:])
    seconds = time.process_time() - began
    megabytes = peak() - before if Path("/proc/self/status").exists() else 0.0
    if not fault and (seconds > SECONDS or megabytes > MEGABYTES):
        fault = f"took {seconds:.1f} s and {megabytes:.0f} MB"
    return fault, seconds, megabytes


WHAT = {
    "photos": (malformed_photo, read_photo),
    "svgs": (malformed_svg, read_drawing),
    "checkpoints": (malformed_checkpoint, read_a_checkpoint),
    "manifests": (malformed_manifest, read_manifest),
    "tables": (malformed_table, read_table),
}


def tried(what: str, seeds) -> dict:
    """Read the malformed files of these seeds.

    Returns:
        `faults` by seed, and the most `seconds` and `megabytes` with the seed that took them.
    """
    make, read = WHAT[what]
    with suppress(ClipassoError):
        read(make(0))  # what takes long to import is no part of reading
    faults, slowest, largest = {}, (0.0, -1), (0.0, -1)
    for seed in seeds:
        fault, seconds, megabytes = judged(read, make(seed))
        if fault:
            faults[seed] = fault
        slowest, largest = max(slowest, (seconds, seed)), max(largest, (megabytes, seed))
    return {"faults": faults, "seconds": slowest, "megabytes": largest}


if __name__ == "__main__":
    print(json.dumps(tried(sys.argv[1], range(int(sys.argv[2]))), indent=2))
