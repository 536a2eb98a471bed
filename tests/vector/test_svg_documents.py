"""Files as they come: document types, entities, gzip, sizes, and strokes of any length."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from clipasso.cli import run
from clipasso.errors import ClipassoError
from clipasso.vector.sketch import Sketch, open_sketch, read_svg
from svgs import document

LINE = '<line x2="9" stroke="red"/>'

# Document types.

PUBLIC = """<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN"
  "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">"""
ILLUSTRATOR = """<?xml version="1.0" encoding="utf-8"?>
<!-- Generator: Adobe Illustrator 12.0.1, SVG Export Plug-In  -->
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN"
  "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd" [
  <!ENTITY ns_svg "http://www.w3.org/2000/svg">
  <!ENTITY ns_xlink "http://www.w3.org/1999/xlink">
  <!ENTITY st0 "stroke:#FF0000;">
]>
<svg xmlns="&ns_svg;" xmlns:xlink="&ns_xlink;" viewBox="0 0 9 9">
<path id="p" style="fill:none;&st0;" d="M1,1L9,9"/><use xlink:href="#p"/></svg>"""
FIXED = """<!DOCTYPE svg [<!ATTLIST svg xmlns CDATA #FIXED "http://www.w3.org/2000/svg">
  <!ATTLIST line stroke CDATA "red">]><svg viewBox="0 0 9 9"><line x2="5"/></svg>"""


@pytest.mark.parametrize(
    ("text", "count"),
    [
        pytest.param(f"<!DOCTYPE svg>{document(LINE)}", 1, id="bare"),
        pytest.param(PUBLIC + document(LINE), 1, id="public"),
        pytest.param(f'<!DOCTYPE svg SYSTEM "svg.dtd" []>{document(LINE)}', 1, id="system"),
        pytest.param(ILLUSTRATOR, 2, id="Illustrator"),
        pytest.param(FIXED, 1, id="default attributes"),
    ],
)
@pytest.mark.parametrize("encoding", [None, "utf-8", "utf-16", "utf-16-be"])
def test_a_document_type_is_passed_over(text: str, count: int, encoding: str | None) -> None:
    if encoding:
        text = text.replace("utf-8", encoding.removesuffix("-be"))
    sketch, left_out = read_svg(text.encode(encoding) if encoding else text)
    assert left_out == ()
    assert len(sketch) == count
    assert (sketch.colors == (1, 0, 0)).all()


def with_entities(declarations: str, text: str = "&a;") -> str:
    return f"<!DOCTYPE svg [{declarations}]>" + document(f"<title>{text}</title>")


NESTED = '<!ENTITY a "haha"><!ENTITY b "&a;&a;&a;&a;">'
HUGE = "declares entities or attributes that would make it larger than 50 MB"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(with_entities(NESTED, "&b;"), "entities that are not plain", id="laughs"),
        pytest.param(with_entities('<!ENTITY a "&#38;b;">'), "not plain text", id="hidden"),
        pytest.param(with_entities('<!ENTITY a "&#60;line/>">'), "not plain text", id="markup"),
        pytest.param(
            with_entities('<!ENTITY a SYSTEM "file:///etc/hostname">'), "not plain", id="external"
        ),
        pytest.param(with_entities('<!ENTITY % a "x"> %a;', ""), "not plain text", id="parameter"),
        pytest.param(
            with_entities('<!ENTITY % a SYSTEM "http://127.0.0.1:9/x"> %a;', ""),
            "not plain text",
            id="external parameter",
        ),
        pytest.param(with_entities(f'<!ENTITY a "{"x" * 999}">', "&a;" * 60_000), HUGE, id="often"),
        pytest.param(
            f'<!DOCTYPE svg [<!ATTLIST g a CDATA "{"x" * 9999}">]>' + document("<g/>" * 9000),
            HUGE,
            id="default often",
        ),
        pytest.param(with_entities("", "&a;"), "is not well-formed XML: undefined", id="none"),
    ],
)
@pytest.mark.parametrize("encode", [str, str.encode])
def test_entities_that_are_more_than_plain_text_are_refused(
    text: str, message: str, encode: type
) -> None:
    with pytest.raises(ClipassoError, match=message) as caught:
        read_svg(encode(text))
    assert "\n" not in str(caught.value)


# Gzip.


def test_a_gzipped_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.svgz"
    path.write_bytes(gzip.compress(document(LINE).encode()))
    assert open_sketch(path) == read_svg(document(LINE))
    assert Sketch.open(path).points.tolist() == [[[0, 0], [9, 0]]]
    assert run(["render", str(path), "--size", "40"]) == 0
    assert (tmp_path / "a.png").exists()


@pytest.mark.parametrize("cut", [5, 20, -6])
def test_a_damaged_gzip_file_is_refused(cut: int) -> None:
    data = gzip.compress(document(LINE).encode())[:cut]
    with pytest.raises(ClipassoError, match=r"is a damaged gzip file: .*; save it anew"):
        read_svg(data)


def test_no_more_is_unpacked_than_may_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clipasso.vector.svg.limits.MAX_BYTES", 1_000_000)
    bomb = gzip.compress(document(" " * 999_000 + LINE).encode())
    assert len(read_svg(bomb)[0]) == 1
    for size in (1_000_001, 100_000_000):
        with pytest.raises(ClipassoError, match="is larger than 1 MB"):
            read_svg(gzip.compress(b" " * size))


# Sizes.


def test_a_file_that_is_too_large_is_refused_before_it_is_parsed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("clipasso.vector.svg.limits.MAX_BYTES", 1_000_000)
    with pytest.raises(ClipassoError, match="is larger than 1 MB"):
        read_svg("not even XML" * 100_000)
    path = tmp_path / "large.svg"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # a hole, which would fill the memory
    with pytest.raises(ClipassoError, match=r"large.svg: is larger than 1 MB"):
        open_sketch(path)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("<g>" * 1001 + "</g>" * 1001, id="deep"),
        pytest.param("<g/>" * 1001, id="many"),
        pytest.param("<!---->" * 1001, id="comments"),
        pytest.param("<defs>" + "<path/>" * 1001 + "</defs>", id="never drawn"),
        pytest.param(f'<path d="M0 0{" 1 1" * 1001}"/>', id="long"),
        pytest.param(f'<path d="M0 0{"z" * 1001}"/>', id="closed"),
        pytest.param(f'<polyline points="{"1,1 " * 1001}"/>', id="points"),
        pytest.param(f'<path d="M0 0{" 1 1" * 300}"/>' * 4, id="together"),
        pytest.param('<circle r="3"/>' * 150, id="circles"),
    ],
)
def test_more_than_a_drawing_is_refused(body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = document(f'<g fill="none" stroke="red">{body}</g>')
    read_svg(text)
    monkeypatch.setattr("clipasso.vector.svg.limits.MAX_PARTS", 1000)
    with pytest.raises(ClipassoError, match="has more than 1000 parts"):
        read_svg(text)


MEASURE = """
import json, sys, time
from peak import peak
import clipasso.pipeline.output  # what takes long to import is no part of reading
from clipasso.errors import ClipassoError
from clipasso.vector.sketch import read_svg
body = {body}
text = ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><g fill="none" stroke="red">'
        + body + "</g></svg>").encode()
read_svg('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>')
start, error = time.process_time(), ""
try:
    read_svg(text)
except ClipassoError as caught:
    error = str(caught)
print(json.dumps([time.process_time() - start, peak(), error]))
"""


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("""'<path d="M0 0' + "l1 2" * 1_000_000 + '"/>'""", id="a million commands"),
        pytest.param("""'<path d="M0 0' + " 1 2" * 10_000_000 + '"/>'""", id="one command"),
        pytest.param("""'<path d="M0 0 1 1"/>' * 150_000""", id="150 000 paths"),
        pytest.param("""'<path d="M0 0 1 1 2 2 3 3"/>' * 60_000""", id="60 000 paths"),
        pytest.param("""'<polyline points="' + "1,2 " * 1_000_000 + '"/>'""", id="points"),
        pytest.param("""'<path d="M0 0' + "a3 4 5 0 1 3 4" * 49_000 + '"/>'""", id="arcs"),
        pytest.param("""'<style>' + "path{r:1}" * 2000 + '</style>' + '<path/>' * 30_000""",
                     id="rules"),
        pytest.param("""'<style>' + "url(data:" * 3_000_000 + '</style>'""", id="urls"),
        pytest.param("""'<style>g:has(x){r:1}</style>' + "<g>" * 5000 + "</g>" * 5000""",
                     id="selectors"),
        pytest.param(
            """'<defs><g id="a0"><path d="M0 0 1 1"/></g>' + "".join(
                f'<g id="a{i + 1}">' + f'<use href="#a{i}"/>' * 9 + "</g>" for i in range(20)
            ) + '</defs><use href="#a20"/>'""",
            id="use in use",
        ),
    ],
)  # fmt: skip
def test_large_files_are_refused_soon_and_in_little_memory(body: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE.replace("{body}", body)],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1],
    )  # fmt: skip
    seconds, peak, error = json.loads(done.stdout)
    assert error.startswith("has ")
    assert seconds < 2, seconds
    assert peak < 1000  # MB, with torch and all


# Strokes of any length.


def polylines(counts: list[int], opacity: float = 1.0) -> str:
    """Random walks of so many segments."""
    rng = np.random.default_rng(0)
    body = ""
    for count in counts:
        walk = rng.uniform(20, 80, 2) + np.cumsum(rng.normal(size=(count + 1, 2)), axis=0)
        body += '<polyline points="' + " ".join(f"{x:.3f},{y:.3f}" for x, y in walk) + '"/>'
    return document(f'<g fill="none" stroke="black" opacity="{opacity}">{body}</g>')


def test_one_long_stroke_does_not_count_for_all() -> None:
    counts = [*[13] * 399, 482]
    sketch, left_out = read_svg(polylines(counts))
    assert left_out == ()
    assert (len(sketch), sketch.segments) == (400, 482)
    total = sum(sum(np.hypot(*np.diff(line, axis=0).T)) for line in sketch.points)
    alone = [Sketch.from_svg(polylines(counts[:n])).lengths().sum() for n in (1, 400)]
    assert sketch.lengths().sum() == pytest.approx(alone[1])
    assert total == pytest.approx(alone[1])


def test_very_long_strokes_are_cut_at_joints(monkeypatch: pytest.MonkeyPatch) -> None:
    text = polylines([100, 7, 60, *[3] * 50])
    whole, left_out = read_svg(text)
    assert left_out == ()
    assert (len(whole), whole.segments) == (53, 100)
    monkeypatch.setattr("clipasso.vector.svg.limits.MAX_ALIKE", 1200)
    cut, left_out = read_svg(text)
    assert left_out == ("2 long strokes in one piece, now cut at joints",)
    assert len(cut) * cut.segments <= 1200
    assert (len(cut), cut.segments) == (59, 20)  # 5 + 1 + 3 + 50
    # The pieces of a stroke follow each other, and are the stroke.
    assert cut.lengths().sum() == pytest.approx(whole.lengths().sum())
    np.testing.assert_array_equal(cut.points[:4, -1], cut.points[1:5, 0])
    joints = whole.points[0]
    np.testing.assert_array_equal(cut.points[:5, 0], joints[:100:20])
    np.testing.assert_array_equal(cut.points[4, -1], joints[-1])


def test_the_cut_picture_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    from clipasso.pipeline.output import render

    text = polylines([100, 7, 60, *[3] * 50])
    before = render(read_svg(text)[0], 300)
    monkeypatch.setattr("clipasso.vector.svg.limits.MAX_ALIKE", 1200)
    after = render(read_svg(text)[0], 300)
    # Anti-aliased ends meet where joints were.
    difference = np.abs(before.astype(int) - after)
    assert difference.mean() < 0.05
    assert before.min() == 0


@pytest.mark.parametrize(
    "counts", [[50_000, *[1] * 15_000], [30_000, 30_000], [99_000], [1] * 9000]
)
def test_no_file_within_the_limits_is_refused_for_its_padding(counts: list[int]) -> None:
    sketch, _ = read_svg(polylines(counts))
    assert len(sketch) * sketch.segments <= 400_000
    assert len(sketch) >= len(counts)


def test_render_of_a_file_without_strokes(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = tmp_path / "a.svg"
    path.write_text(document('<path d="M0 0H9V9z"/>'))
    assert run(["render", str(path)]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 2
    assert errors[0].endswith("not kept: 1 filled shape without a stroke")
    assert errors[1].endswith("a.svg: has no strokes to draw; give its shapes a stroke")
    assert list(tmp_path.iterdir()) == [path]
