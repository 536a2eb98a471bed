"""SVG files: what is written, what is read back, and what is refused."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clipasso.errors import ClipassoError
from clipasso.vector.sketch import Sketch, read_svg
from clipasso.vector.svg import write_svg
from svgs import document, rendered, strokes

OFFICIAL = Path(__file__).parents[3] / "shared" / "peers" / "clipasso-official"
SVG = "{http://www.w3.org/2000/svg}"

# As Inkscape 1.3 saves a drawing of 60 mm x 40 mm: a moved layer, a rotated group inside it, a
# scaled path, relative commands, a style attribute on everything, and things that are no strokes.
INKSCAPE = """<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<!-- Created with Inkscape (http://www.inkscape.org/) -->
<svg width="60mm" height="40mm" viewBox="10 20 60 40" version="1.1" id="svg1"
   inkscape:version="1.3.2 (091e20e, 2023-11-25)" sodipodi:docname="horse.svg"
   xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape"
   xmlns:sodipodi="http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd"
   xmlns:xlink="http://www.w3.org/1999/xlink"
   xmlns="http://www.w3.org/2000/svg" xmlns:svg="http://www.w3.org/2000/svg">
  <sodipodi:namedview id="namedview1" pagecolor="#ffffff" inkscape:document-units="mm"
     inkscape:current-layer="layer1"><inkscape:page x="0" y="0" width="60" height="40" id="p2" />
  </sodipodi:namedview>
  <defs id="defs1"><path d="M 0,0 9,9" id="unused" style="stroke:#ff0000" /></defs>
  <g inkscape:label="Layer 1" inkscape:groupmode="layer" id="layer1"
     transform="translate(10,20)">
    <path id="path1" sodipodi:nodetypes="cc"
       style="fill:none;stroke:#000000;stroke-width:0.79375;stroke-linecap:round;stroke-linejoin:round;stroke-dasharray:none;stroke-opacity:1"
       d="m 5,30 c 3,-20 12,-20 15,-5" />
    <g id="g1" transform="rotate(10,30,20)" style="opacity:0.5;stroke:#aa0000;stroke-linecap:round">
      <path id="path2" style="fill:none;stroke-width:1.5;stroke-linejoin:round"
         d="m 25,10 5,5 h 5 v 10 M 40,8 q 5,10 0,20" />
      <path id="path3" transform="matrix(2,0,0,2,-27,-26)"
         style="fill:none;stroke:#0000ff;stroke-width:1;stroke-linejoin:round;stroke-opacity:0.5"
         d="m 35,15 c 1,4 2,6 4,4 s 2,4 3,1" />
    </g>
    <ellipse id="e1" cx="50" cy="30" rx="6" ry="4"
       style="fill:none;stroke:#008000;stroke-width:1" />
  </g>
</svg>
"""


# Writing.


def test_each_stroke_becomes_a_path_in_drawing_order() -> None:
    sketch = Sketch(
        [[(0, 0), (1.23456, -0.0001), (3, 4)], [(5, 6), (1e-9, 8), (1e6, 1e-5)]],
        (224, 112.5),
        degree=1,
        widths=[3, 1.5],
        colors=[(1, 0.5, 0), (0, 0, 0)],
        opacities=[0.25, 1],
    )
    root = ET.fromstring(write_svg(sketch))
    assert root.attrib == {"width": "224", "height": "112.5", "viewBox": "0 0 224 112.5"}
    first, second = root.iter(f"{SVG}path")
    assert first.attrib == {
        "d": "M0,0 L1.235,0 L3,4",
        "stroke": "#ff8000",
        "stroke-width": "3",
        "stroke-opacity": "0.25",
    }
    assert second.attrib == {
        "d": "M5,6 L0,8 L1000000,0",
        "stroke": "#000000",
        "stroke-width": "1.5",
    }
    group = root.find(f"{SVG}g")
    assert group is not None
    assert group.attrib == {
        "fill": "none",
        "stroke-linecap": "round",
        "stroke-linejoin": "round",
    }
    assert not list(root.iter(f"{SVG}rect"))  # a plotter would draw a background


@pytest.mark.parametrize(("degree", "command"), [(1, "L"), (2, "Q"), (3, "C")])
def test_the_path_command_follows_the_degree(degree: int, command: str) -> None:
    points = np.arange(2 * (2 * degree + 1), dtype=float).reshape(1, -1, 2)
    text = write_svg(Sketch(points, (50, 50), degree))
    assert re.findall("[A-Za-z]", re.findall(' d="(.*?)"', text)[0]) == ["M", command, command]


@pytest.mark.parametrize(
    ("metadata", "title"),
    [({}, "Sketch"), ({"photo": "a<b>.jpg"}, "Sketch of a<b>.jpg"), ({"title": "T & U"}, "T & U")],
)
def test_the_title(metadata: dict[str, str], title: str) -> None:
    root = ET.fromstring(write_svg(Sketch(np.zeros((1, 2, 2)), (9, 9), metadata=metadata)))
    assert root.findtext(f"{SVG}title") == title
    assert root.findtext(f"{SVG}desc")


def test_characters_that_xml_forbids_are_dropped() -> None:
    metadata = {"ti\x00tle": "a\x08b\ud800c\uffff", "k": "tab\tcr\rcrlf\r\n]]> \U0001f40e"}
    text = write_svg(Sketch(np.zeros((1, 2, 2)), (9, 9), metadata=metadata))
    assert read_svg(text.encode())[0].metadata == {"title": "abc", "k": metadata["k"]}


def test_a_stroke_is_drawn_where_it_should_be() -> None:
    # A cubic over the arch from (20, 80) to (80, 80), whose top is at y = 80 - 3/4 * 60 = 35.
    sketch = Sketch([[(20, 80), (20, 20), (80, 20), (80, 80)]], (100, 100), widths=4)
    ink = rendered(write_svg(sketch), 200)
    assert ink.shape == (200, 200)
    inside = sketch.evaluate(np.linspace(0, 1, 40))[0] * 2
    assert ink[inside[:, 1].astype(int), inside[:, 0].astype(int)].min() > 0.99
    ys, xs = np.nonzero(ink > 0.5)
    # To half the width beyond the line, with round ends.
    assert (xs.min(), xs.max(), ys.min(), ys.max()) == pytest.approx((36, 163, 66, 163), abs=1)
    assert ink.sum() == pytest.approx(4 * sketch.lengths()[0] * 4 + 4 * 4 * np.pi, rel=0.01)
    assert ink[120:, 60:140].max() == 0  # no fill


# Round trip.

XML_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12).map(
    lambda text: text.replace("\ufffe", "").replace("\uffff", "")
)


@st.composite
def sketches(draw: st.DrawFn) -> Sketch:
    degree, segments, count = (draw(st.integers(1, high)) for high in (3, 4, 5))
    unit = st.floats(0, 1)
    return Sketch(
        draw(arrays(float, (count, degree * segments + 1, 2), elements=st.floats(-1e4, 1e4))),
        draw(st.tuples(st.floats(1, 1e4), st.floats(1, 1e4))),
        degree,
        widths=draw(arrays(float, count, elements=st.floats(0, 100))),
        colors=draw(arrays(float, (count, 3), elements=unit)),
        opacities=draw(arrays(float, count, elements=unit)),
        metadata=draw(st.dictionaries(XML_TEXT, XML_TEXT | st.just(" \r\n\t<&\"'>"), max_size=3)),
    )


@settings(max_examples=80, deadline=None)
@given(sketches())
def test_what_is_written_is_read_back(sketch: Sketch) -> None:
    text = write_svg(sketch)
    assert text == write_svg(sketch)
    again, left_out = read_svg(text.encode())
    assert left_out == ()
    assert (again.degree, again.segments) == (sketch.degree, sketch.segments)
    assert again.metadata == sketch.metadata
    np.testing.assert_allclose(again.points, sketch.points, rtol=0, atol=5.0001e-4)
    np.testing.assert_allclose(again.size, sketch.size, rtol=0, atol=5.0001e-4)
    np.testing.assert_allclose(again.widths, sketch.widths, rtol=0, atol=1e-3)
    np.testing.assert_allclose(again.opacities, sketch.opacities, rtol=0, atol=1e-3)
    np.testing.assert_allclose(again.colors, sketch.colors, rtol=0, atol=1 / 255)
    assert not re.search(
        r'[ ,"MLQC]-0[ ,"]|\d[eE][-+]?\d|\.\d{4}', "".join(re.findall(' d=".*?"', text))
    )
    assert write_svg(again) == text  # nothing is lost by a second time


@pytest.mark.parametrize("count", [8, 16, 24])
def test_official_sketches(count: int) -> None:
    path = OFFICIAL / f"horse-{count}paths.svg"
    if not path.exists():
        pytest.skip("the official sketches are not here")
    text = path.read_text()
    sketch, left_out = read_svg(text)
    assert left_out == ()
    assert sketch.points.shape == (count, 4, 2)
    assert (sketch.degree, sketch.size) == (3, (224, 224))
    assert (sketch.widths == 3).all()
    assert not sketch.colors.any()
    assert (sketch.opacities == 1).all()
    numbers = re.findall(r"-?\d+\.\d+", "".join(re.findall(' d="(.*?)"', text)))
    np.testing.assert_allclose(sketch.points.ravel(), np.array(numbers, dtype=float), atol=1e-9)
    difference = np.abs(rendered(text, 448) - rendered(write_svg(sketch), 448))
    assert difference.max() < 0.1  # one step of the anti-aliasing
    assert difference.mean() < 1e-4


# Files of other programs.


def test_an_inkscape_file_in_numbers() -> None:
    sketch, left_out = read_svg(INKSCAPE)
    assert left_out == ()
    assert sketch.size == (60, 40)
    assert (len(sketch), sketch.degree, sketch.segments) == (5, 3, 8)
    np.testing.assert_allclose(sketch.widths, [0.79375, 1.5, 1.5, 2, 1])
    np.testing.assert_allclose(sketch.opacities, [1, 0.5, 0.5, 0.25, 1])
    red, blue, green = (2 / 3, 0, 0), (0, 0, 1), (0, 128 / 255, 0)
    np.testing.assert_allclose(sketch.colors, [(0, 0, 0), red, red, blue, green])
    ends = sketch.points[:, [0, -1]]
    np.testing.assert_allclose(ends[0], [(5, 30), (20, 25)], atol=1e-9)  # the layer's own units
    cos, sin = np.cos(np.radians(10)), np.sin(np.radians(10))
    turn = np.array([[cos, sin], [-sin, cos]])
    for stroke, corners in zip(
        ends[1:4],
        [[(25, 10), (35, 25)], [(40, 8), (40, 28)], [(43, 4), (57, 14)]],
        strict=True,
    ):
        turned = (np.array(corners) - (30, 20)) @ turn + (30, 20)
        np.testing.assert_allclose(stroke, turned, atol=1e-9)
    np.testing.assert_allclose(ends[4], [(56, 30), (56, 30)], atol=1e-9)


def test_an_inkscape_file_in_pixels() -> None:
    # Without its unit, for the renderer rounds 60 mm to whole px and so scales a little.
    before = rendered(INKSCAPE.replace('mm"', '"'), 600)
    after = rendered(write_svg(read_svg(INKSCAPE)[0]), 600)
    assert before.shape == after.shape == (400, 600)
    assert before.sum() > 8000
    # The renderer draws a curve split into eight a little otherwise along its edges.
    difference = np.abs(before - after)
    assert difference.max() < 0.3
    assert difference.mean() < 3e-4
    moved = write_svg(read_svg(INKSCAPE)[0].translated(0.05, 0))
    assert np.abs(before - rendered(moved, 600)).mean() > 3e-4


def test_our_metadata_outlives_a_second_editor() -> None:
    sketch = Sketch([[(1, 2), (3, 4)]], (9, 9), metadata={"encoder": "RN101", "seed": "3"})
    edited = re.sub(r"(</?|xmlns:)clipasso\b", r"\1ns0", write_svg(sketch))
    assert "<ns0:item" in edited
    edited = edited.replace(
        "<metadata>", '<metadata id="m"><rdf xmlns="urn:rdf"><item>x</item></rdf>'
    )
    assert read_svg(edited) == (sketch, ())


def test_a_style_sheet_of_illustrator() -> None:
    body = """<style type="text/css"> /* AI */
      .st0{fill:none;stroke:#FF0000;stroke-width:2;} path.st1, #x {stroke-width:5 !important}
    </style><path class="st0" d="M1,1L9,9"/><path class="st0 st1" d="M1,1L9,9"/>
    <path id="x" class="st0" style="stroke:blue" d="M1,1L9,9"/>"""
    sketch, left_out = read_svg(document(body))
    assert left_out == ()
    assert sketch.widths.tolist() == [2, 5, 5]
    assert sketch.colors.tolist() == [[1, 0, 0], [1, 0, 0], [0, 0, 1]]


@pytest.mark.parametrize(
    ("shape", "corners"),
    [
        ('<line x1="1" y1="2" x2="3" y2="4"/>', [(1, 2), (3, 4)]),
        ('<polyline points="1,2 3,4 5 6"/>', [(1, 2), (3, 4), (5, 6)]),
        ('<polygon points="1,2 3,4 5,0"/>', [(1, 2), (3, 4), (5, 0), (1, 2)]),
        ('<rect x="1" y="2" width="3" height="4"/>', [(1, 2), (4, 2), (4, 6), (1, 6), (1, 2)]),
        ('<rect width="10%" height="1in"/>', [(0, 0), (10, 0), (10, 96), (0, 96), (0, 0)]),
        ('<path d="M1 2 3 4z"/>', [(1, 2), (3, 4), (1, 2)]),
        ('<path d="M1 2 3 4 1 2z"/>', [(1, 2), (3, 4), (1, 2)]),
        ('<path d="m1 2 2 2-1.999999-2z"/>', [(1, 2), (3, 4), (1.000001, 2)]),
        ('<path d="m1 2h2v2H1V2"/>', [(1, 2), (3, 2), (3, 4), (1, 4), (1, 2)]),
        ('<path d="M1 2z"/>', [(1, 2), (1, 2)]),
    ],
)
def test_shapes_of_lines(shape: str, corners: list[tuple[float, float]]) -> None:
    sketch = strokes(shape)
    assert sketch.degree == 1
    np.testing.assert_allclose(sketch.points, [corners], atol=1e-9)
    assert sketch.widths.tolist() == [1]  # where none is given


@pytest.mark.parametrize(
    "shape", ['<circle cx="50" cy="40" r="30"/>', '<path d="M80 40a30 30 0 1 1 0-.001"/>']
)
def test_arcs_become_cubics(shape: str) -> None:
    sketch = strokes(shape)
    assert sketch.degree == 3
    radii = np.linalg.norm(sketch.evaluate(np.linspace(0, 1, 500)) - (50, 40), axis=2)
    np.testing.assert_allclose(radii, 30, atol=2e-3)
    np.testing.assert_allclose(sketch.lengths(), 60 * np.pi, atol=0.02)


def test_each_subpath_is_a_stroke() -> None:
    sketch = strokes('<path d="M1 1 2 2m1 1 1 0z l0 5M9 9"/>')
    np.testing.assert_allclose(sketch.points[:, 0], [(1, 1), (3, 3), (3, 3)])
    np.testing.assert_allclose(sketch.points[:, -1], [(2, 2), (3, 3), (3, 8)])


def test_unlike_strokes_are_made_alike_without_a_change_of_shape() -> None:
    paths = ["M0 0 90 0", "M0 9 Q 40 90 90 9", "M0 0 C 0 50 50 0 50 50 S 9 9 80 80", "M7 7z"]
    apart = [strokes(f'<path d="{d}"/>') for d in paths]
    assert [(one.degree, one.segments) for one in apart] == [(1, 1), (2, 1), (3, 2), (1, 1)]
    together = strokes("".join(f'<path d="{d}"/>' for d in paths))
    assert (together.degree, together.segments) == (3, 2)
    t = np.linspace(0, 1, 33)
    for one, stroke in zip(apart, together, strict=True):  # halved at t = 1/2: the same parameter
        np.testing.assert_allclose(stroke.evaluate(t), one.evaluate(t), atol=1e-12)


def test_the_longest_segment_is_split() -> None:
    sketch = strokes('<path d="M0 0h10v40"/><path d="M0 0h1v1h1v1h1"/>')
    expected = [(0, 0), (10, 0), (10, 10), (10, 20), (10, 30), (10, 40)]
    assert sketch.segments == 5
    corners = sketch.points[0].tolist()
    assert corners == [list(corner) for corner in expected]


def test_transforms_scale_the_widths() -> None:
    sketch = strokes(
        '<g transform="scale(2)" stroke-width="3"><path d="M1 1 2 2"/>'
        '<path transform="translate(1 1) scale(1,-8)" d="M1 1 2 2"/></g>'
    )
    np.testing.assert_allclose(sketch.points, [[(2, 2), (4, 4)], [(4, -14), (6, -30)]])
    np.testing.assert_allclose(sketch.widths, [6, 6 * np.sqrt(8)])


@pytest.mark.parametrize(
    ("box", "size"),
    [
        ('width="300" height="200px"', (300, 200)),
        ('width="25.4mm" height="1in"', (96, 96)),
        ('viewBox="0,0,30,20"', (30, 20)),
        ('width="100%" height="100%" viewBox="0 0 30 20"', (30, 20)),
    ],
)
def test_the_size_of_the_canvas(box: str, size: tuple[float, float]) -> None:
    assert read_svg(document("", box))[0].size == pytest.approx(size, rel=1e-6)


@pytest.mark.parametrize(
    ("look", "color", "opacity"),
    [
        ('stroke="rgb(0, 51, 255)"', (0, 0.2, 1), 1),
        ('stroke="#03f"', (0, 0.2, 1), 1),
        ('stroke="red" stroke-opacity="50%" opacity=".5"', (1, 0, 0), 0.25),
        ('stroke="rgba(255,0,0,0.2)"', (1, 0, 0), 0.2),
        ('color="lime" stroke="currentColor"', (0, 1, 0), 1),
        ('stroke="inherit" style="stroke-opacity:.3;"', (0, 0, 1), 0.3),
    ],
)
def test_colours(look: str, color: tuple[float, ...], opacity: float) -> None:
    sketch, left_out = read_svg(document(f'<g stroke="blue"><line x2="9" {look}/></g>'))
    assert left_out == ()
    np.testing.assert_allclose(sketch.colors, [color])
    np.testing.assert_allclose(sketch.opacities, [opacity], atol=1e-9)


@pytest.mark.parametrize(
    ("body", "count", "line"),
    [
        ("<text>a</text><g><text/></g>", 0, "2 <text> elements"),
        ("<image/>", 0, "1 <image> element"),
        ('<path id="a" d="M0 0 1 1"/>' * 3, 0, "3 filled shapes without a stroke"),
        ('<line x2="9"/>', 0, "1 invisible shape"),
        ('<marker id="m"/><g marker-mid="url(#m)"/>', 0, "marker-mid on 1 element"),
        ('<line x2="9" stroke="red" stroke-dasharray="2 1"/>', 1, "dash pattern on 1 path"),
        ('<rect width="2" height="2" stroke="red"/>', 1, "the fill of 1 stroked shape"),
        ('<g style="display: none"><line x2="9" stroke="red"/></g>', 0, "1 hidden element"),
        ('<g visibility="hidden"><line x2="9" stroke="red"/></g>', 0, "1 hidden element"),
        ('<g clip-path="url(#c)"><line x2="9" stroke="red"/></g>', 1, "clip-path on 1 element"),
        ('<line x2="9" stroke="url(#g)"/>', 1, "unknown or patterned paint of 1 stroke, now black"),
    ],
)
def test_what_is_left_out_is_said(body: str, count: int, line: str) -> None:
    sketch, left_out = read_svg(document(body))
    assert left_out == (line,)
    assert len(sketch) == count


def test_what_is_never_drawn_is_not_mentioned() -> None:
    body = """<title>t</title><desc>d</desc><metadata><x xmlns="urn:x"/></metadata><script/>
      <defs><line x2="9" stroke="red"/></defs><symbol><line x2="9" stroke="red"/></symbol>
      <clipPath><rect width="2" height="2"/></clipPath><x:y xmlns:x="urn:x" display="inline"/>"""
    sketch, left_out = read_svg(document(body))
    assert (len(sketch), left_out) == (0, ())


# What is refused.


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "is not well-formed XML", id="empty"),
        pytest.param(b"\x89PNG\r\n\x1a\n\x00", "is not well-formed XML", id="PNG"),
        pytest.param(document("<g>"), "is not well-formed XML", id="truncated"),
        pytest.param(b'<?xml version="1.0" encoding="no"?><svg/>', "XML", id="encoding"),
        pytest.param("<html/>", "its root is 'html'", id="HTML"),
        pytest.param(document("", ""), "has no size", id="no size"),
        pytest.param(document("", 'viewBox="0 0 0 9"'), "has no size", id="size of 0"),
        pytest.param(document("", 'viewBox="0 0 9"'), "has no size", id="three numbers"),
        pytest.param(document("", 'width="100%" height="9"'), "has no size", id="percentage"),
    ],
)
def test_what_is_no_svg_of_ours_is_refused_in_one_line(text: str | bytes, message: str) -> None:
    with pytest.raises(ClipassoError, match=message) as caught:
        read_svg(text)
    assert "\n" not in str(caught.value)


def test_very_deep_groups_are_read() -> None:
    depth = 30_000
    body = '<g opacity="0.99999">' * depth + '<line x2="9" stroke="red"/>' + "</g>" * depth
    np.testing.assert_allclose(read_svg(document(body))[0].opacities, [0.99999**depth])
