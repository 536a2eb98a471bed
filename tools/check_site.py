"""See that a built site is whole: every link and picture is there, and nothing is fetched."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_FETCHED = {"script": "src", "img": "src", "source": "src", "iframe": "src", "link": "href"}


class _Page(HTMLParser):
    """What a page names, and what can be named in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.linked: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors.add(values.get("id", ""))
        if tag in _FETCHED and values.get("rel") not in ("canonical", "alternate"):
            self.fetched.append(values.get(_FETCHED[tag], ""))
        if tag == "a":
            self.linked.append(values.get("href", ""))


def problems(site: Path) -> Iterator[str]:
    """A line for each thing that is wrong."""
    pages = {path: _Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    for path, page in pages.items():
        name = path.relative_to(site)
        for address in page.fetched:
            if urlsplit(address).netloc:
                yield f"{name}: fetches {address}"
        for address in filter(None, [*page.fetched, *page.linked]):
            parts = urlsplit(address)
            if parts.scheme or parts.netloc or path.name == "404.html":
                continue
            place = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            place = place / "index.html" if place.is_dir() else place
            if not place.is_file():
                yield f"{name}: {address} is not there"
            elif place in pages and unquote(parts.fragment) not in {*pages[place].anchors, ""}:
                yield f"{name}: {address} is no heading"
    for path in site.rglob("*.css"):
        for address in re.findall(r"url\([\"']?((?:https?:)?//[^)\"']*)", path.read_text("utf-8")):
            yield f"{path.relative_to(site)}: fetches {address}"


if __name__ == "__main__":
    sys.exit("\n".join(problems(Path(sys.argv[1]).resolve())) or 0)
