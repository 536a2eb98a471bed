"""The documents: links lead somewhere, and the examples of docs/extending.md run."""

import re
import unicodedata
from pathlib import Path
from urllib.parse import unquote

import pytest

import clipasso.cli
from clipasso.vector.sketch import open_sketch

ROOT = Path(__file__).resolve().parents[1]
if not (ROOT / "docs").is_dir():
    pytest.skip("an installation without the docs", allow_module_level=True)

DOCUMENTS = sorted(path.relative_to(ROOT) for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
_LINK = re.compile(r"!?\[[^\]\[]*(?:!\[[^\]]*\]\([^)]*\)[^\]\[]*)?\]\(\s*<?([^)\s>]+)>?[^)]*\)")


def without_code(text):
    """Indented and fenced blocks and code in lines blanked; a paragraph's words stay."""
    fences = re.sub(r"^(```|~~~).*?^\1[^\n]*$", "", text, flags=re.MULTILINE | re.DOTALL)
    blocks = re.sub(r"(?:\A|(?<=\n\n))(?:(?: {4}|\t).*(?:\n|\Z)|\n)+", "\n", fences)
    return re.sub(r"`[^`\n]+`", "", blocks)


def anchors(text):
    """What code hosts make of the headings: lower case, no punctuation, hyphens, numbered twins."""
    fences = re.sub(r"^(```|~~~).*?^\1[^\n]*$", "", text, flags=re.MULTILINE | re.DOTALL)
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", fences, re.MULTILINE):
        words = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        words = unicodedata.normalize("NFC", words).lower().replace("`", "")
        name = base = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        twins = 0
        while name in found:
            twins += 1
            name = f"{base}-{twins}"
        found.add(name)
    return found


def broken(document, text):
    """Links of a document that lead nowhere, each with why."""
    for target in _LINK.findall(without_code(text)):
        if re.match(r"[a-z][a-z+.-]*:", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        place = (ROOT / document).parent / path if path else ROOT / document
        if not place.resolve().is_relative_to(ROOT) or not place.exists():
            yield f"{target}: no such file"
        elif anchor and (
            place.suffix != ".md"
            or anchor not in anchors(text if not path else place.read_text(encoding="utf-8"))
        ):
            yield f"{target}: no such heading"


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_links_lead_somewhere(document):
    assert list(broken(document, (ROOT / document).read_text(encoding="utf-8"))) == []


def test_broken_links_are_seen():
    text = (
        "# A `b` c, d\n\n[ok](#a-b-c-d) [no](#a) [x](nowhere.md) ![y](images/none.png)\n"
        "[![z](images/none.png)](start.md#none)\n\n    [code](code.md)\n\n"
        "`[code](code.md)` [there](start.md) [web](https://example.org/x)\n"
        "[out](../../elsewhere.md)\n"
    )
    assert [line.split(":")[0] for line in broken("docs/gallery.md", text)] == [
        "#a", "nowhere.md", "images/none.png", "start.md#none", "../../elsewhere.md",
    ]  # fmt: skip


def test_every_page_can_be_found():
    """Each page is linked from the README or from a page that is."""
    seen, todo = set(), [Path("README.md")]
    while todo:
        page = todo.pop()
        if page in seen or page not in DOCUMENTS:
            continue
        seen.add(page)
        for target in _LINK.findall(without_code((ROOT / page).read_text(encoding="utf-8"))):
            place = ((ROOT / page).parent / target.partition("#")[0]).resolve()
            if "://" not in target and place.is_relative_to(ROOT):
                todo.append(place.relative_to(ROOT))
    assert seen == set(DOCUMENTS)


def test_the_version_is_told_once():
    cited = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text("utf-8"), re.MULTILINE)
    changes = re.search(r"^## (\d.*?) - ", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert cited is not None
    assert cited[1] == clipasso.__version__
    assert changes is None or changes[1] == clipasso.__version__


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


def test_the_examples_of_adding_things_run(photo_path, tmp_path, monkeypatch):
    text = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 4
    before = clipasso.cli.app.registered_commands
    monkeypatch.setattr(clipasso.cli.app, "registered_commands", [*before])
    # The examples' classes ask for the module that they are in.
    names = {"__name__": __name__, "photo": photo_path, "folder": tmp_path}
    for block in blocks:
        exec(compile(block, "docs/extending.md", "exec"), names)
    gradient = names["images"].grad
    assert gradient is not None
    assert gradient.abs().max() > 0
    assert {*names["loss"].extra} == {"ink"}
    rails = (tmp_path / "rails.svg").read_text(encoding="utf-8")
    assert rails.count("<path") >= 4
    target = tmp_path / "mirrored.svg"
    assert clipasso.cli.run(["mirror", str(tmp_path / "gradients.svg"), "-o", str(target)]) == 0
    turned, _ = open_sketch(target)
    points = names["result"].sketch.points
    assert abs(turned.points[..., 0] + points[..., 0] - turned.size[0]).max() < 0.01
    assert abs(turned.points[..., 1] - points[..., 1]).max() < 0.01
