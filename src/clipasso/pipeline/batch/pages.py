"""A batch to look at: a page for browsers, and contact sheets."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from clipasso.pipeline.batch.manifest import Manifest, Row
from clipasso.pipeline.batch.names import GALLERY, SHEET, THUMBS
from clipasso.vector.safe_write import write_atomically

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["write_gallery"]

_IN_PAGE = 10_000  # photos in one HTML file: a few megabytes, which browsers take at once
_COLUMNS, _ROWS = 5, 8  # of a contact sheet
_CELL = 384, 192 + 22  # px; the picture, and its name beneath


def write_gallery(folder: Path, manifest: Manifest) -> list[Path]:
    """Write `index.html` and `contact-sheet.jpg`, and more of them as more photos need.

    All links are relative, so the folder can be moved and served as it is. Each file is written
    whole, and what an earlier, longer batch left over is removed.

    Returns:
        The first of either kind; empty where nothing is done or failed.

    Raises:
        ClipassoError: they cannot be written.
    """
    photos = manifest.count("done")[0] + manifest.count("failed")[0]
    pages = -(-photos // _IN_PAGE)
    rows = manifest.listed("state IN ('done', 'failed')")
    names = [_numbered(GALLERY, number) for number in range(pages)]
    for number, name in enumerate(names):
        cards = [_card(folder, row) for row in islice(rows, _IN_PAGE)]
        write_atomically(folder / name, _page(cards, number, names, photos))
    _remove_from(folder, GALLERY, pages)
    sheets = 0
    sketched = manifest.listed("state = 'done'")
    while some := list(islice(sketched, _COLUMNS * _ROWS)):
        write_atomically(folder / _numbered(SHEET, sheets), _sheet(folder, some))
        sheets += 1
    _remove_from(folder, SHEET, sheets)
    return [folder / name for name, there in ((GALLERY, pages), (SHEET, sheets)) if there]


def _numbered(name: str, number: int) -> str:
    stem, ending = os.path.splitext(name)
    return f"{stem}-{number + 1}{ending}" if number else name


def _remove_from(folder: Path, name: str, number: int) -> None:
    while (path := folder / _numbered(name, number)).is_file():
        path.unlink()
        number += 1


def _card(folder: Path, row: Row) -> list[object]:
    """What the page shows of a photo: its name, links to results and photo, loss, seconds, error.

    The photo's link is relative where a path between the two exists, as on one drive.
    """
    link = quote(os.fsencode(row.name))
    try:
        photo = quote(os.fsencode(Path(os.path.relpath(row.path, folder)).as_posix()))
    except ValueError:
        photo = ""
    name = os.fsencode(row.photo).decode(errors="replace")
    if row.state == "failed":
        return [name, "", photo, None, None, row.error or ""]
    return [name, link, photo, row.loss, row.seconds, ""]


def _page(cards: list[list[object]], number: int, names: list[str], photos: int) -> str:
    data = json.dumps(cards, separators=(",", ":"), ensure_ascii=True)
    for mark, escaped in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        data = data.replace(mark, escaped)  # nothing in it ends the script
    parts = ""
    if len(names) > 1:
        links = (
            f"<b>{k + 1}</b>" if k == number else f'<a href="{name}">{k + 1}</a>'
            for k, name in enumerate(names)
        )  # fmt: skip
        parts = f"<p>Part {' '.join(links)}, of up to {_IN_PAGE} photos each, {photos} in all.</p>"
    return _HTML.replace("@PARTS@", parts).replace("@THUMBS@", THUMBS).replace("@DATA@", data)


_HTML = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sketches</title>
<style>
body { font: 14px/1.4 system-ui, sans-serif; margin: 1.5rem; color: #222; background: #fff }
nav { display: flex; gap: .6rem; flex-wrap: wrap; align-items: center; margin-bottom: 1rem }
input, select, button { font: inherit; padding: .25rem .5rem }
main { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)) }
figure { margin: 0; border: 1px solid #ddd; border-radius: 4px; padding: .4rem; min-width: 0 }
figure img { width: 100%; aspect-ratio: 2; display: block; background: #f6f6f6 }
figcaption { overflow-wrap: anywhere } small { color: #666 } .bad { color: #a00 }
</style></head><body>
<nav><input id="find" type="search" placeholder="part of a name" aria-label="part of a name">
<select id="order" aria-label="order"><option value="0">in the batch's order</option>
<option value="3">lowest loss first</option><option value="-3">highest loss first</option>
<option value="5">without a sketch</option></select>
<button id="back">Back</button><span id="where"></span><button id="next">Next</button></nav>
@PARTS@<main id="cards"></main>
<noscript>Pages are turned by a script; the SVG files beside this one are the sketches.</noscript>
<script id="data" type="application/json">@DATA@</script>
<script>
"use strict";
const all = JSON.parse(document.getElementById("data").textContent), size = 60;
const at = id => document.getElementById(id);
let shown = all, page = 0;
function link(text, target) {
  const a = document.createElement("a");
  a.href = target; a.textContent = text;
  return a;
}
function card([name, made, photo, loss, seconds, error]) {
  const box = document.createElement("figure"), words = document.createElement("figcaption");
  if (made) {
    const picture = document.createElement("img"), a = link("", made + ".svg");
    picture.loading = "lazy"; picture.alt = name; picture.src = "@THUMBS@/" + made + ".jpg";
    a.append(picture); box.append(a);
  }
  words.append(name, document.createElement("br"));
  const small = document.createElement("small");
  if (made) {
    small.append("loss " + loss.toPrecision(4) + ", " + Math.round(seconds) + " s: ");
    for (const end of ["svg", "png", "json"]) small.append(link(end, made + "." + end), " ");
  } else {
    small.className = "bad"; small.append(error + " ");
  }
  if (photo) small.append(link("photo", photo));
  words.append(small); box.append(words);
  return box;
}
function show() {
  const pages = Math.max(1, Math.ceil(shown.length / size));
  page = Math.min(Math.max(page, 0), pages - 1);
  at("cards").replaceChildren(...shown.slice(page * size, (page + 1) * size).map(card));
  at("where").textContent = "page " + (page + 1) + " of " + pages + ", " + shown.length + " photos";
  at("back").disabled = page === 0; at("next").disabled = page === pages - 1;
}
function choose() {
  const words = at("find").value.toLowerCase(), order = Number(at("order").value);
  shown = all.filter(one => one[0].toLowerCase().includes(words) && (order !== 5 || !one[1]));
  if (Math.abs(order) === 3) {
    shown = shown.filter(one => one[1]).sort((a, b) => Math.sign(order) * (a[3] - b[3]));
  }
  page = 0; show();
}
at("find").oninput = choose; at("order").onchange = choose;
at("back").onclick = () => { page -= 1; show(); scrollTo(0, 0); };
at("next").onclick = () => { page += 1; show(); scrollTo(0, 0); };
show();
</script></body></html>
"""


def _sheet(folder: Path, rows: list[Row]) -> bytes:
    """One contact sheet: photo and sketch of each, with its name."""
    from PIL import Image, ImageDraw, ImageFont

    width, height = _CELL
    lines = -(-len(rows) // _COLUMNS)
    sheet = Image.new("RGB", (_COLUMNS * width, lines * height), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for place, (row, thumb) in enumerate(_thumbs(folder, rows)):
        x, y = place % _COLUMNS * width, place // _COLUMNS * height
        if thumb is not None:
            sheet.paste(thumb, (x, y))
        name = os.fsencode(row.name).decode(errors="replace")
        while draw.textlength(name, font) > width - 12:
            name = "..." + name[4:] if name.startswith("...") else "..." + name[1:]
        draw.text((x + 6, y + height - 20), name, "black", font)
    buffer = io.BytesIO()
    sheet.save(buffer, "jpeg", quality=85)
    return buffer.getvalue()


def _thumbs(folder: Path, rows: list[Row]) -> Iterator[tuple[Row, Image | None]]:
    from PIL import Image

    for row in rows:
        try:
            with Image.open(folder / THUMBS / f"{row.name}.jpg") as thumb:
                yield row, thumb.convert("RGB")
        except (OSError, ValueError):  # taken away, which the sketches need not suffer for
            yield row, None
