"""PNG files whose text or colour profile is larger than Pillow takes for undamaged.

Pillow refuses a file whose packed text or profile unpacks to more than a megabyte, and can only be
told otherwise for the whole process. So it is shown the file without such chunks.
"""

from __future__ import annotations

import io
import struct
import zlib
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import BinaryIO

__all__ = ["SIGNATURE", "acceptable"]

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_UNPACKED = 1 << 20  # bytes that Pillow unpacks of one chunk
_MOST = 16 << 20  # bytes of a profile, or of all texts together; what is more is left out
_TELLING = (b"XML:com.adobe.xmp", b"Raw profile type exif")  # may say which way up the picture is

_Piece = tuple[int, int] | bytes  # a place in the file and a length, or what stands there instead


def acceptable(stream: BinaryIO) -> tuple[BinaryIO, bytes | None]:
    """A PNG as Pillow reads it, and its colour profile if that had to be taken out.

    Args:
        stream: seekable; to stay open for as long as what is returned.
    """
    pieces: list[_Piece] = []
    profile, spare, passed = None, _MOST, 0
    for kind, start, length in _chunks(stream):
        instead: bytes | None = None
        if kind == b"iCCP":
            packed = _body(stream, start, length).partition(b"\0")[2][1:]
            if len(_unpacked(packed, _UNPACKED)) > _UNPACKED:
                unpacked = _unpacked(packed, _MOST)
                profile, instead = (unpacked if len(unpacked) <= _MOST else None), b""
        elif kind in (b"tEXt", b"zTXt", b"iTXt"):
            instead, cost = _text(kind, _body(stream, start, length), length, spare)
            spare -= cost
        if instead is not None:
            pieces += [(passed, start - passed), instead]
            passed = start + length + 12
    end = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    if not pieces:
        return stream, None
    return io.BufferedReader(_Pieced(stream, [*pieces, (passed, max(0, end - passed))])), profile


def _chunks(stream: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Kind, place and data length of every chunk."""
    at = len(SIGNATURE)
    stream.seek(at)
    while len(head := stream.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        yield kind, at, length
        if kind == b"IEND":
            return
        at += length + 12
        stream.seek(at)


def _body(stream: BinaryIO, start: int, length: int) -> bytes:
    """A chunk's data; nothing of one that is too long to be heeded."""
    stream.seek(start + 8)
    return stream.read(length) if length <= _MOST else b""


def _unpacked(data: bytes, most: int) -> bytes:
    """Inflated data; of longer data one byte more than `most`, and nothing of damaged."""
    try:
        return zlib.decompressobj().decompress(data, most + 1)
    except zlib.error:
        return b""


def _text(kind: bytes, body: bytes, length: int, spare: int) -> tuple[bytes | None, int]:
    """What is to stand in place of a text chunk (None: itself), and how many bytes of text that is.

    Args:
        body: its data, of `length` bytes unless that is too many.
        spare: bytes of text that there is room for.
    """
    if length > spare or len(body) < length:
        return b"", 0
    keyword, _, rest = body.partition(b"\0")
    if kind == b"zTXt":
        packed = rest[1:]
    elif kind == b"iTXt" and rest[:1] == b"\1" and rest.count(b"\0", 2) >= 2:
        language, translated, packed = rest[2:].split(b"\0", 2)
    else:
        return None, length
    text = _unpacked(packed, min(spare, _MOST))
    if len(text) <= _UNPACKED:
        return (None, len(text)) if len(text) <= spare else (b"", 0)
    if keyword not in _TELLING or len(text) > spare:
        return b"", 0
    if kind == b"zTXt":
        return _chunk(b"tEXt", keyword + b"\0" + text), len(text)
    plain = b"\0".join([keyword + b"\0\0", language, translated, text])
    return _chunk(b"iTXt", plain), len(text)


def _chunk(kind: bytes, body: bytes) -> bytes:
    content = kind + body
    return struct.pack(">I", len(body)) + content + struct.pack(">I", zlib.crc32(content))


class _Pieced(io.RawIOBase):
    """Parts of a stream, and bytes between them, as one stream to read."""

    def __init__(self, stream: BinaryIO, pieces: list[_Piece]) -> None:
        super().__init__()
        self._stream, self._pieces, self._at = stream, pieces, 0
        lengths = (len(p) if isinstance(p, bytes) else p[1] for p in pieces)
        self._ends = list(accumulate(lengths))

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._ends[-1]}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        index = bisect_right(self._ends, self._at)
        if index == len(self._pieces):
            return 0
        piece, end = self._pieces[index], self._ends[index]
        count = min(len(buffer), end - self._at)
        if isinstance(piece, bytes):
            first = len(piece) - (end - self._at)
            data = piece[first : first + count]
        else:
            self._stream.seek(piece[0] + piece[1] - (end - self._at))
            data = self._stream.read(count)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
