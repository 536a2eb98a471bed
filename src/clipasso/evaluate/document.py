"""The text of an SVG file that other programs may have written, made safe to be drawn."""

from __future__ import annotations

import base64
import binascii
import io
import sys
import xml.etree.ElementTree as ET
from urllib.parse import unquote_to_bytes

from PIL import Image

from clipasso.errors import ClipassoError
from clipasso.photo.opening import MAX_PIXELS

__all__ = ["self_contained"]

_PICTURES = ("PNG", "JPEG", "GIF", "WEBP")  # what resvg reads, but for SVG
_DEEPEST = 1500  # elements within each other


def self_contained(root: ET.Element) -> tuple[str, tuple[str, ...]]:
    """The text of a document that shows nothing but what it holds, for programs that trust it.

    Links to other files and embedded pictures other than PNG, JPEG, GIF and WebP are taken away,
    in place. No document type, comment or processing instruction is left.

    Returns:
        The text, and the links that were taken away (shortened).

    Raises:
        ClipassoError: its pictures are too large, or it is nested too deeply.
    """
    lost = []
    pixels = 0
    for node in root.iter():
        for name in [key for key in node.attrib if key.rpartition("}")[2] == "href"]:
            link = node.attrib[name].strip()
            if link.startswith("#"):
                continue
            found = _embedded(link)
            pixels += found
            if pixels > MAX_PIXELS:
                raise ClipassoError("holds pictures of more than 100 million pixels; shrink them")
            if not found:
                del node.attrib[name]
                if node.tag.rpartition("}")[2] not in ("a", "script"):  # these draw nothing
                    lost.append(link if len(link) <= 40 else f"{link[:39]}…")
    return _text(root), tuple(lost)


def _text(root: ET.Element) -> str:
    """The document as text, whatever recursion this process allows, which is libraries' choice."""
    depth, level = 0, [root]
    while level:
        depth, level = depth + 1, [child for node in level for child in node]
    if depth > _DEEPEST:
        raise ClipassoError("is nested too deeply; ungroup the drawing")
    allowed = sys.getrecursionlimit()
    sys.setrecursionlimit(allowed + 2 * depth)
    try:
        return ET.tostring(root, encoding="unicode")
    finally:
        sys.setrecursionlimit(allowed)


def _embedded(link: str) -> int:
    """Pixels of the picture in a `data:` link; 0 where there is none that may be shown."""
    head, comma, body = link.partition(",")
    if not comma or not head.lower().startswith("data:"):
        return 0
    try:
        data = unquote_to_bytes(body)
        if head.lower().endswith(";base64"):
            data = base64.b64decode(b"".join(data.split()))
        with Image.open(io.BytesIO(data), formats=_PICTURES) as picture:
            return picture.width * picture.height
    except Image.DecompressionBombError:
        return MAX_PIXELS + 1
    except (OSError, ValueError, binascii.Error):
        return 0
