"""How elements of an SVG look: style sheets, colours, lengths, and mistakes in them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clipasso.errors import ClipassoError
from clipasso.vector.sketch import read_svg
from svgs import assert_drawn_as_by_resvg, document, strokes


def red(body: str) -> list[bool]:
    """Which strokes are red, in a document of which nothing is left out."""
    return (strokes(body).colors == (1, 0, 0)).all(axis=1).tolist()


def styled(css: str, *looks: str) -> str:
    """Lines of these looks, of which style sheets may make some red."""
    lines = "".join(f"<line {look}/>" for look in looks)
    return f'<style>{css}</style><g class="a" id="outer">{lines}<g class="b">{lines}</g></g>'


@pytest.mark.parametrize(
    ("css", "chosen"),
    [
        (".a line {stroke: red}", [1, 1, 1, 1]),
        (".a > line {stroke: red}", [1, 1, 0, 0]),
        (".b line, .none {stroke: red}", [0, 0, 1, 1]),
        (".c.d {stroke: red}", [1, 0, 1, 0]),
        (".a g > .c {stroke: red}", [0, 0, 1, 1]),
        ("line + line {stroke: red}", [0, 1, 0, 1]),
        (".a > :first-child {stroke: red}", [1, 0, 0, 0]),
        ("[class='d c'] {stroke: red}", [1, 0, 1, 0]),
        ("line:not(.d) {stroke: red}", [0, 1, 0, 1]),
        # The more specific rule wins, wherever it stands, and of equals the last.
        ("#outer line {stroke: red} .c.d, line {stroke: blue}", [1, 1, 1, 1]),
        (".d {stroke: red} .c {stroke: blue}", [0, 0, 0, 0]),
        (".c {stroke: blue} .d {stroke: red}", [1, 0, 1, 0]),
        ("line {stroke: red !important} #outer .c {stroke: blue}", [1, 1, 1, 1]),
        # What stands around rules.
        ("@import url(other.css); @charset 'x'; .d {stroke: red}", [1, 0, 1, 0]),
        ("<!-- /* .d {stroke: blue} */ .d {stroke: red} -->", [1, 0, 1, 0]),
        ("@media print {.c {stroke: red}} @media screen {.d {stroke: red}}", [1, 0, 1, 0]),
        ("@font-face {font-family: x; src: url(data:font/woff2;base64,AA==)} .d {stroke: red}",
         [1, 0, 1, 0]),
        (".d {STROKE: RED; Stroke-Width: 2PX}", [1, 0, 1, 0]),
        (".x:unknown(y) {stroke: red} .d {stroke: red}", [1, 0, 1, 0]),
        (".d {stroke: red", [1, 0, 1, 0]),
    ],
)  # fmt: skip
def test_selectors(css: str, chosen: list[int]) -> None:
    body = styled(css.replace("<", "&lt;"), 'class="d c"', 'class="c"')
    sketch, left_out = read_svg(document(f'<g stroke="black">{body}</g>'))
    assert (sketch.colors == (1, 0, 0)).all(axis=1).tolist() == [bool(n) for n in chosen]
    outside = "1 style sheet from outside the file"
    assert left_out == ((outside,) if "@import" in css else ())


def test_inline_styles_go_before_style_sheets_and_those_before_attributes() -> None:
    css = "<style>.a {stroke: blue} .b {stroke: blue !important}</style>"
    assert red(
        f'{css}<line class="a" stroke="red"/><line class="a" style="stroke: red"/>'
        '<line class="b" style="stroke: red"/><line class="b" style="stroke: red !important"/>'
        '<line style="/* ; */ STROKE : Red /* c */ ; stroke-dasharray: none"/>'
        '<line style="stroke:red;stroke:color(unknown 1 0 0)"/>'
        '<line style="stroke:red;stroke:inherit"/>'
    ) == [False, True, False, True, True, True, False]


def test_selectors_see_what_is_used_where_it_is_defined() -> None:
    css = "<style>defs line {stroke: red} .user line {stroke: blue}</style>"
    assert red(f'{css}<defs><line id="l"/></defs><g class="user"><use href="#l"/></g>') == [True]


@pytest.mark.parametrize(
    ("paint", "color"),
    [
        ("rgb(0 0 0 / 50%)", (0, 0, 0, 0.5)),
        ("rgb(255 0 51 / .25)", (1, 0, 0.2, 0.25)),
        ("RGB(100%, 50%, 0%)", (1, 0.5, 0, 1)),
        ("rgba(255,0,0,20%)", (1, 0, 0, 0.2)),
        ("hsl(120, 100%, 25%)", (0, 0.5, 0, 1)),
        ("hsl(240deg 100% 50% / 0.5)", (0, 0, 1, 0.5)),
        ("hwb(0 50% 0%)", (1, 0.5, 0.5, 1)),
        ("#F008", (1, 0, 0, 8 / 15)),
        ("#00ff0080", (0, 1, 0, 128 / 255)),
        ("Rebeccapurple", (0.4, 0.2, 0.6, 1)),
        ("transparent", (0, 0, 0, 0)),
        ("#ff0000 icc-color(CMYK, 0, 1, 1, 0)", (1, 0, 0, 1)),
        ("lab(50% 40 59.5)", (191 / 255, 87 / 255, 0, 1)),  # as the standard's own examples
        ("oklch(40.1% 0.123 21.57)", (125 / 255, 35 / 255, 41 / 255, 1)),
        ("color(srgb 1 .5 0)", (1, 0.5, 0, 1)),
        ("color(srgb-linear 1 .214041 0)", (1, 0.5, 0, 1)),
        ("color(display-p3 .9176 .2003 .1386)", (1, 0, 0, 1)),
    ],
)
def test_colours_of_css(paint: str, color: tuple[float, ...]) -> None:
    sketch = strokes(f'<line stroke="{paint}"/><line style="stroke: {paint}"/>')
    np.testing.assert_allclose(sketch.colors, [color[:3]] * 2, atol=3e-3)
    np.testing.assert_allclose(sketch.opacities, [color[3]] * 2)


def test_current_color_is_that_of_the_element_itself() -> None:
    sketch = strokes(
        '<g color="blue" stroke="CurrentColor"><line/><line color="red"/>'
        '<line style="color: #00f8"/></g>'
    )
    assert sketch.colors.tolist() == [[0, 0, 1], [1, 0, 0], [0, 0, 1]]
    assert sketch.opacities.tolist() == [1, 1, 8 / 15]


def test_lengths_in_every_unit() -> None:
    units = {"": 1, "PX": 1, "in": 96, "cm": 96 / 2.54, "mm": 96 / 25.4, "Q": 96 / 101.6,
             "pt": 4 / 3, "pc": 16, "em": 20, "ex": 10, "rem": 16, "%": 1}  # fmt: skip
    lines = "".join(f'<line font-size="20" x2="2{unit}"/>' for unit in units)
    ends = strokes(lines).points[:, 1, 0]
    np.testing.assert_allclose(ends, [2 * pixels for pixels in units.values()])


def test_em_is_of_the_font_where_it_is_said() -> None:
    sketch = strokes(
        '<g font-size="10" stroke-width=".5em"><g font-size="2em"><line x2="1em"/>'
        '<line stroke-width="1ex"/><line font-size="50%" x2="1em" stroke-width="10%"/></g></g>'
    )
    np.testing.assert_allclose(sketch.widths, [5, 10, 10])
    np.testing.assert_allclose(sketch.points[:, 1, 0], [20, 0, 10])
    rem = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" font-size="5" stroke="red">'
    assert read_svg(rem + '<line x2="1rem"/></svg>')[0].points[0, 1, 0] == 5


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(
            '<g font-size="10"><line x1="1em" y1="1em" x2="5em" y2="50" stroke-width=".5em"/>'
            '<g font-size="2em"><line x1="1em" y1="80" x2="90" y2="80" stroke-width="1ex"/>'
            "</g></g>",
            id="em",
        ),
        pytest.param(
            "<style>/* c */ g .a > .b.c {stroke: red} .b {stroke: blue; stroke-width: 2}"
            "line.c {stroke: lime} #i {stroke: orange !important}"
            'line:first-child {stroke: purple}</style><g class="a">'
            '<line class="b c" x1="5" y1="5" x2="90" y2="5"/>'
            '<g><line class="b  c" x1="5" y1="25" x2="90" y2="25"/><path class="b" d="M9 45H90"/>'
            '</g><path id="i" d="M5 65H90" style="stroke:red"/></g>',
            id="style sheet",
        ),
        pytest.param(
            '<g color="red"><path d="M5 5H90" stroke="currentColor"/>'
            '<g stroke="currentColor" color="blue"><path d="M5 25H90"/>'
            '<path d="M5 45H90" color="green"/></g></g>',
            id="currentColor",
        ),
        pytest.param(
            '<path d="M5 15H90" stroke="hsl(120, 100%, 25%)"/><path d="M5 25H90" stroke="#f008"/>'
            '<path d="M5 35H90" stroke="#00ff0080"/><path d="M5 45H90" stroke="rgb(10%,20%,30%)"/>'
            '<path d="M5 55H90" stroke="hsla(240,100%,50%,.3)"/>',
            id="colours",
        ),
    ],
)
def test_the_picture_is_that_of_an_independent_renderer(body: str) -> None:
    assert assert_drawn_as_by_resvg(body) == ()


# Mistakes.


@pytest.mark.parametrize(
    ("d", "drawn", "rest"),
    [
        ("M5 5H90 10,20,30,x", "M5 5H90 10 20 30", ",x"),
        ("M5 15L90", None, "L90"),
        ("M5 25H90zL5", "M5 25H90z", "L5"),
        ("M5 45C1 2 3 4 5 6 7", "M5 45C1 2 3 4 5 6", " 7"),
        ("M5 55H90 nan 3", "M5 55H90", " nan 3"),
        ("M5 5 9 9 what", "M5 5 9 9", " what"),
        ("M5 5 9 9 A 1 1 0 2 0 3 3", "M5 5 9 9", " A 1 1 0 2 0 3 3"),
        ("L5 5H90", None, "L5 5H90"),
        ("M 0 0 L 1", None, " L 1"),
        ("M0 0 9,,9 9", None, " 9,,9 9"),
    ],
)
def test_a_path_is_drawn_up_to_a_mistake(d: str, drawn: str | None, rest: str) -> None:
    body = f'<g stroke="red" fill="none"><line/><path id="p7" d="{d}"/></g>'
    sketch, left_out = read_svg(document(body))
    at = d.index(rest) + 1
    assert left_out == (f"the d from its character {at} on, {rest!r} in <path id='p7'>",)
    assert len(sketch) == 1 + (drawn is not None)
    if drawn is not None:
        ours, alone = sketch[1].evaluate([0, 0.5, 1]), strokes(f'<path d="{drawn}"/>')
        np.testing.assert_allclose(ours[:, [0, -1]], alone.evaluate([0, 1]), atol=1e-9)
        np.testing.assert_allclose(sketch.lengths()[1], alone.lengths(), atol=0.02)


@pytest.mark.parametrize(
    ("shape", "corners", "rest"),
    [
        ('polyline points="5,75 90,75 50"', [(5, 75), (90, 75)], "11 on, ' 50' in <polyline>"),
        ('polygon points=",5 9"', [], "1 on, ',5 9' in <polygon>"),
        ('polygon points="5,5 9,5 8,9 x 3"', [(5, 5), (9, 5), (8, 9), (5, 5)], "12 on, ' x 3' in "),
    ],
)
def test_points_are_drawn_up_to_a_mistake(
    shape: str, corners: list[tuple[int, int]], rest: str
) -> None:
    sketch, left_out = read_svg(document(f'<{shape} stroke="red" fill="none"/>'))
    np.testing.assert_allclose(sketch.points, [corners] if corners else np.empty((0, 4, 2)))
    assert left_out[0].startswith(f"the points from its character {rest}")


def test_what_path_data_may_look_like() -> None:
    # Numbers without a gap or with a bare point, flags without gaps, a comma before a command.
    sketch = strokes('<path d="M5.,5.5.5.5L90-5-.5+3e1,1.e1 2E+1a25,25 -30 0150,-25"/>')
    ends = sketch.controls[0, :, -1]
    corners = [(0.5, 0.5), (90, -5), (-0.5, 30), (10, 20), (60, -5)]
    for corner in corners:
        assert np.isclose(ends, corner, atol=1e-9).all(axis=1).any()
    np.testing.assert_allclose(sketch.points[0, 0], (5, 5.5))


@pytest.mark.parametrize(
    ("look", "line"),
    [
        ('opacity=""', "bad opacity '' in <line id='a'>"),
        ('opacity="much"', "bad opacity 'much' in <line id='a'>"),
        ('opacity="nan"', "bad opacity 'nan' in <line id='a'>"),
        ('opacity="1px"', "bad opacity '1px' in <line id='a'>"),
        ('style="stroke-opacity: x"', "bad stroke-opacity 'x' in <line id='a'>"),
        ('stroke-width="thick"', "bad stroke-width 'thick' in <line id='a'>"),
        ('stroke-width="-1"', "bad stroke-width '-1' in <line id='a'>"),
        ('stroke-width="1e999"', "bad stroke-width '1e999' in <line id='a'>"),
        ('stroke-width="3 4"', "bad stroke-width '3 4' in <line id='a'>"),
        ('stroke-width="2furlong"', "bad stroke-width '2furlong' in <line id='a'>"),
        ('font-size="huge"', "bad font-size 'huge' in <line id='a'>"),
        ('color="no"', "bad color 'no' in <line id='a'>"),
        ('stroke="tartan"', "bad stroke 'tartan' in <line id='a'>"),
        ('stroke=""', "bad stroke '' in <line id='a'>"),
        ('x1="nan"', "bad x1 'nan' in <line id='a'>"),
        ('y1="left"', "bad y1 'left' in <line id='a'>"),
        ('transform="scale(1e999)"', "bad transform 'scale(1e999)' in <line id='a'>"),
        ('transform="matrix(1 2 3)"', "bad transform 'matrix(1 2 3)' in <line id='a'>"),
        ('transform="translate(1,2"', "bad transform 'translate(1,2' in <line id='a'>"),
        ('transform="move(1,2)"', "bad transform 'move(1,2)' in <line id='a'>"),
        (f'transform="{"scale(1)" * 2000}"', "bad transform 'scale(1)scale(1)scale(1)...' in "),
    ],
)
def test_a_bad_value_is_passed_over_with_its_place(look: str, line: str) -> None:
    inner = f'<line id="a" x2="9" y2="9" {look}/><line x2="8"/>'
    sketch, left_out = read_svg(document(f'<g stroke="red" stroke-width="2">{inner}</g>'))
    assert len(left_out) == 1
    assert left_out[0].startswith(line)
    assert sketch.points.tolist() == [[[0, 0], [9, 9]], [[0, 0], [8, 0]]]
    assert sketch.widths.tolist() == [2, 2]
    assert sketch.opacities.tolist() == [1, 1]
    assert sketch.colors.tolist() == [[1, 0, 0], [1, 0, 0]]


def test_an_unknown_paint_is_black_rather_than_lost() -> None:
    sketch, left_out = read_svg(document('<line x2="9" stroke="tartan"/>'))
    assert sketch.colors.tolist() == [[0, 0, 0]]
    assert left_out == (
        "unknown or patterned paint of 1 stroke, now black",
        "bad stroke 'tartan' in <line>",
    )


@pytest.mark.parametrize(
    "look",
    [
        'd="M0 0 1e999 1"',
        'd="M0 0 1e12 1"',
        'd="M0 0 1 1" stroke-width="1e30"',
        'd="M0 0 1 1" transform="scale(1e20)"',
        'd="M0 0 1 1" transform="matrix(1,0,0,1,1e300,0)" stroke-width="0"',
        'd="M0 0 a1e200 1e200 0 0 1 1e-200 5"',
    ],
)
def test_what_reaches_too_far_is_left_out(look: str) -> None:
    body = f'<path id="p7" {look}/><line x2="9"/>'
    sketch, left_out = read_svg(document(f'<g stroke="red" fill="none">{body}</g>'))
    assert left_out == ("what reaches beyond 5e+06 px in <path id='p7'>",)
    assert len(sketch) == 1


def test_what_is_read_can_be_drawn() -> None:
    # Coordinates grow with the picture, and the rasteriser takes no more than 1e9 pixels.
    from clipasso.pipeline.output import render

    near, far = (f'<path d="M0 0H{x}" stroke="red" stroke-width="40"/>' for x in (40, 1000))
    sketch, left_out = read_svg(document(near + far, 'viewBox="0 0 .001 .000001"'))
    assert len(sketch) == 1
    assert left_out[-1] == "what reaches beyond 50 px in <path>"
    assert render(sketch, 16384)[0, 0].tolist() == [255, 0, 0]


def test_many_mistakes_of_a_kind_are_one_line() -> None:
    body = '<g stroke="red">' + '<line opacity="?"/>' * 50 + '<circle id="c" r="-1"/></g>'
    assert read_svg(document(body))[1] == (
        "the fill of 1 stroked shape",
        "bad opacity '?' in <line>, and 49 more like it",
        "bad r '-1' in <circle id='c'>",
    )


@pytest.mark.parametrize(
    ("shape", "corner"),
    [  # the radii are clamped or completed as the standard says
        ('rect x="10" y="10" width="40" height="20" rx="99" ry="5"', (30, 10)),
        ('rect x="10" y="10" width="40" height="20" ry="5"', (15, 10)),
        ('ellipse cx="20" cy="30" rx="7"', (27, 30)),
    ],
)
def test_radii(shape: str, corner: tuple[int, int]) -> None:
    np.testing.assert_allclose(strokes(f"<{shape}/>").points[0, 0], corner)


@pytest.mark.parametrize("shape", ["rect", 'rect width="9"', "circle", 'ellipse rx="0" ry="3"'])
def test_a_shape_without_extent_is_not_drawn(shape: str) -> None:
    assert len(strokes(f"<{shape}/>")) == 0


HOSTILE = ["", " ", "nan", "-1", "1e308", "1e-320", "9" * 400, "50%", "1e308em", "none", "inherit",
           "initial", "url(#a)", "currentColor", "hsl(1e999 1e308% 50%)", "rgb(none 0 0)",
           "color()", "((", "}", "/*", "\\", "var(--a)", "scale(0)", "skewX(90)", "rotate(1e308)",
           "0 0 0 0", "0 0 1e-300 1e-300", "0 0 1e308 1e308", "M", "M0 0z", "M0 0a1 1 0 0 0 0 0",
           "M1 1A0 0 0 1 1 5 5", "M0 0T1e308 1", "stroke: red; d: none", "a", "#a", "hidden",
           "xMidYMid slice"]  # fmt: skip
NAMES = ["d", "points", "x", "x1", "cx", "r", "rx", "width", "viewBox", "preserveAspectRatio",
         "transform", "stroke", "stroke-width", "opacity", "stroke-dasharray", "color", "font-size",
         "style", "class", "id", "href", "display", "visibility", "overflow"]  # fmt: skip
TAGS = [
    "path",
    "rect",
    "ellipse",
    "circle",
    "polygon",
    "line",
    "g",
    "svg",
    "symbol",
    "use",
    "switch",
]


@st.composite
def elements(draw: st.DrawFn, depth: int = 3) -> str:
    looks = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(HOSTILE), max_size=4)
    text = "".join(f' {name}="{value}"' for name, value in draw(looks).items())
    tag = draw(st.sampled_from(TAGS))
    inside = draw(st.lists(elements(depth=depth - 1), max_size=3)) if depth else []
    return f"<{tag}{text}>{''.join(inside)}</{tag}>"


@settings(max_examples=300, deadline=None)
@given(elements())
def test_no_value_of_an_attribute_costs_the_file(body: str) -> None:
    sketch, left_out = read_svg(document(f'<g stroke="red">{body}</g><line x2="9" stroke="red"/>'))
    assert len(sketch) >= 1
    assert np.abs(sketch.points).max() <= 5e6
    assert all("\n" not in line for line in left_out)


# Style sheets that are too much.


@pytest.mark.parametrize(
    ("css", "body"),
    [
        pytest.param("path {stroke: red}" * 200, "<path/>" * 500, id="rules"),
        pytest.param("x ~ path {stroke: red}", "<path/>" * 500, id="siblings"),
        pytest.param("x path {stroke: red}", "<g><path/>" * 500 + "</g>" * 500, id="ancestors"),
        pytest.param(":first-of-type {stroke: red}", "<path/>" * 2000, id="types"),
        pytest.param("g:has(x) {stroke: red}", "<g>" * 300 + "</g>" * 300, id="has"),
        pytest.param(
            "x g g g g g g path {stroke: red}", "<g>" * 40 + "<path/>" + "</g>" * 40, id="power"
        ),
    ],
)
def test_selectors_that_take_long_are_refused(
    css: str, body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = document(f"<style>{css}</style>{body}")
    if "g g g" not in css:  # which would take hours
        read_svg(text)
    monkeypatch.setattr("clipasso.vector.svg.limits.MAX_MATCHES", 50_000)
    with pytest.raises(ClipassoError, match="has too many style rules for its elements"):
        read_svg(text)


@pytest.mark.parametrize(
    "css",
    [
        "g " * 3000 + "path",
        "g>" * 150 + "path",
        ":not(" * 3000 + ")" * 3000,
        "::" * 99,
        "g:nth-child(+)",
    ],
)
def test_selectors_beyond_reason_are_passed_over(css: str) -> None:
    assert red(f"<style>{css} {{stroke: blue}} line {{stroke: red}}</style><line/>") == [True]


def test_brackets_without_end_in_a_style_are_passed_over() -> None:
    style = "stroke: " + "(" * 100_000
    assert read_svg(document(f'<line stroke="red" style="{style}"/>'))[1] == ()


def test_style_sheets_beyond_reason_are_refused() -> None:
    with pytest.raises(ClipassoError, match="more than 1000000 characters of style sheets"):
        read_svg(document(f"<style>{'path {stroke: red}' * 60_000}</style>"))
    with pytest.raises(ClipassoError, match="more than 10000 rules in its style sheets"):
        read_svg(document(f"<style>{'path {stroke: red}' * 10_001}</style>"))
