"""The tree of elements of an SVG file that nobody vouches for."""

import gzip
import io
import xml.etree.ElementTree as ET
import zlib
from typing import Any

from clipasso.errors import ClipassoError
from clipasso.vector.svg import limits

__all__ = ["SVG", "parse_document"]

SVG = "{http://www.w3.org/2000/svg}"

_GZIP = b"\x1f\x8b"
_UTF16 = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")
_BAD_ENTITY = "declares entities that are not plain text; save it without them"


def parse_document(text: str | bytes) -> ET.Element:
    """The root of an SVG file, or of a gzipped one (.svgz).

    A document type is passed over: nothing outside the file is looked for. Entities that the file
    declares as plain text are put in. Raises ClipassoError for anything else than a drawing of
    limited size.
    """
    from defusedxml.common import DefusedXmlException

    _check_size(text)
    if isinstance(text, bytes) and text.startswith(_GZIP):
        text = _unpacked(text)
        _check_size(text)
    try:
        if isinstance(text, bytes) and text.startswith(_UTF16):
            text = text.decode("utf-16-be" if text.startswith(b"\x00") else "utf-16")
        _count(text)
        parser = _parser(text)
        parser.feed(text)
        root: ET.Element = parser.close()
    except DefusedXmlException:
        raise ClipassoError(_BAD_ENTITY) from None
    except (ET.ParseError, ValueError, LookupError) as error:
        raise ClipassoError(f"is not well-formed XML: {error}; give an SVG file") from None
    if root.tag.removeprefix(SVG) != "svg":
        tag = root.tag if len(root.tag) < 80 else f"{root.tag[:60]}..."
        raise ClipassoError(f"is XML, but its root is {tag!r}; give an SVG file")
    return root


def _check_size(text: str | bytes) -> None:
    if len(text) > limits.MAX_BYTES:
        most = limits.MAX_BYTES // 1_000_000
        raise ClipassoError(f"is larger than {most} MB; simplify the drawing")


def _unpacked(data: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            return file.read(limits.MAX_BYTES + 1)  # no more is unpacked
    except (OSError, EOFError, zlib.error) as error:
        raise ClipassoError(f"is a damaged gzip file: {error}; save it anew") from None


def _times(text: str | bytes, mark: str) -> int:
    return text.count(mark) if isinstance(text, str) else text.count(mark.encode())


def _count(text: str | bytes) -> None:
    """Refuse what has too many elements, comments or attributes, before a tree is made of them."""
    limits.check_parts(sum(_times(text, mark) for mark in ("/>", "</", "<!", "<?")))
    if _times(text, "=") > limits.MAX_ATTRIBUTES:
        raise ClipassoError(
            f"has more than {limits.MAX_ATTRIBUTES} attributes; simplify the drawing"
        )


def _parser(text: str | bytes) -> Any:
    """An XML parser for `text`, which lets in plain entities and defaults of attributes."""
    from defusedxml.ElementTree import DefusedXMLParser

    class Parser(DefusedXMLParser):  # type: ignore[misc]
        """Knows what the declarations of the document type could make of the text."""

        def __init__(self) -> None:
            super().__init__(target=ET.TreeBuilder())
            self.declared = 0
            self.parser.AttlistDeclHandler = self.attribute_declared

        def declare(self, value: str, uses: int) -> None:
            self.declared += len(value) * uses
            if self.declared > limits.MAX_BYTES:
                raise ClipassoError(
                    "declares entities or attributes that would make it larger than "
                    f"{limits.MAX_BYTES // 1_000_000} MB; save it without them"
                )

        def defused_entity_decl(
            self, name: str, is_parameter: bool, value: str | None, *outside: str | None
        ) -> None:
            if is_parameter or value is None or not set("&%<").isdisjoint(value):
                super().defused_entity_decl(name, is_parameter, value, *outside)  # raises
            else:
                self.declare(value, _times(text, "&"))

        def attribute_declared(
            self, element: str, name: str, kind: str, default: str | None, required: bool
        ) -> None:
            self.declare(default or "", _times(text, "<"))

    return Parser()
