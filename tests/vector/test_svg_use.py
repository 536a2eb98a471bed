"""What is drawn in another place than it stands in: `use`, `symbol` and nested `svg` elements."""

import time

import numpy as np
import pytest

from clipasso.errors import ClipassoError
from clipasso.vector.sketch import read_svg
from svgs import assert_drawn_as_by_resvg, document, strokes

CROSS = '<path d="M1 1 9 19M9 1 1 19" stroke-width="1"/>'


def test_use_draws_its_target_moved_and_in_its_style() -> None:
    sketch = strokes(
        '<defs><path id="a" d="M0 0 1 1"/><path id="b" d="M0 0 1 1" stroke="blue"/></defs>'
        '<use href="#a" x="5" y="6" stroke="red" opacity=".5"/>'
        '<use xlink:href="#b" x="10%" transform="scale(2)" stroke="red"/>'
    )
    np.testing.assert_allclose(sketch.points, [[(5, 6), (6, 7)], [(20, 0), (22, 2)]])
    np.testing.assert_allclose(sketch.colors, [(1, 0, 0), (0, 0, 1)])
    np.testing.assert_allclose(sketch.opacities, [0.5, 1])
    np.testing.assert_allclose(sketch.widths, [1, 2])


@pytest.mark.parametrize(
    ("aspect", "corners"),
    [  # of a square of 10 x 10 in a place of 40 x 20 at (10, 20)
        ("", [(20, 20), (40, 40)]),
        ("xMinYMin", [(10, 20), (30, 40)]),
        ("xMaxYMid meet", [(30, 20), (50, 40)]),
        ("xMidYMax slice", [(10, 0), (50, 40)]),
        ("none", [(10, 20), (50, 40)]),
        ("bad", [(20, 20), (40, 40)]),
    ],
)
@pytest.mark.parametrize("kind", ["svg", "symbol"])
def test_a_viewport_fits_its_view_box(
    kind: str, aspect: str, corners: list[tuple[int, int]]
) -> None:
    size, inside = 'x="10" y="20" width="40" height="20"', '<path d="M5 6 15 16"/>'
    box = f'viewBox="5 6 10 10" preserveAspectRatio="{aspect}" overflow="visible"'
    body = f"<svg {size} {box}>{inside}</svg>"
    if kind == "symbol":
        body = f'<use href="#s" {size}/><symbol id="s" {box}>{inside}</symbol>'
    np.testing.assert_allclose(strokes(body).points, [corners])


def test_percentages_are_of_the_nearest_viewport() -> None:
    sketch = strokes(
        '<svg x="50%" width="50%" height="20" overflow="visible">'
        '<line x1="10%" y1="10%" x2="90%" y2="50%"/>'
        '<svg viewBox="0 0 10 20" overflow="visible"><line x2="50%" y2="50%"/></svg></svg>'
    )
    # The inner box of 10 x 20 is centred in 50 x 20, one to one.
    np.testing.assert_allclose(sketch.points, [[(55, 2), (95, 10)], [(70, 0), (75, 10)]])


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(
            '<defs><path id="a" d="M5 5C20 40 40-20 60 20"/><g id="b" stroke="red">'
            '<use href="#a"/><use xlink:href="#a" y="30" stroke="blue" transform="rotate(10)"/>'
            '</g></defs><use href="#b" x="5" y="5"/>'
            '<use href="#b" x="20" y="40" opacity=".5" transform="translate(5 5) scale(.8)"/>',
            id="nested use",
        ),
        pytest.param(
            f'<symbol id="s" viewBox="0 0 10 20">{CROSS}</symbol>'
            '<use href="#s" x="5" y="5" width="30" height="30"/>'
            '<use href="#s" x="50" y="10" width="40" height="80"/>',
            id="symbol",
        ),
        pytest.param(
            '<symbol id="s" viewBox="0 0 10 20" preserveAspectRatio="xMaxYMin slice">'
            '<path d="M3 3 7 7" stroke-width="1"/></symbol><use href="#s"/>',
            id="symbol without a size",
        ),
        pytest.param(
            '<symbol id="s" overflow="visible"><path d="M3 3 7 7 40 9"/></symbol>'
            '<use href="#s" x="20" y="30"/>',
            id="symbol without a box",
        ),
        pytest.param(
            '<svg x="10" y="20" width="60" height="40" viewBox="0 0 100 100">'
            '<circle cx="50" cy="50" r="40" stroke-width="5%"/></svg>'
            '<svg x="50%" y="50%" width="50%" height="50%">'
            '<line x1="10%" y1="10%" x2="90%" y2="90%"/></svg>',
            id="svg",
        ),
        pytest.param(
            '<defs><svg id="q" width="20" height="20" viewBox="0 0 10 10">'
            '<rect x="1" y="1" width="8" height="8" rx="2" stroke-width="1"/></svg></defs>'
            '<use href="#q" x="5" y="5"/><use href="#q" x="40" y="40" width="50" height="50"/>',
            id="use of an svg",
        ),
    ],
)
def test_the_picture_is_that_of_an_independent_renderer(body: str) -> None:
    assert assert_drawn_as_by_resvg(body) == ()


@pytest.mark.parametrize(
    ("body", "count", "line"),
    [
        ('<use id="a" href="#a"/>', 0, "1 <use> element inside what they use"),
        ('<use id="a" href="#b"/><use id="b" href="#a"/>', 0, "2 <use> elements inside what they "),
        ('<g id="a"><line x2="9"/><use href="#a"/></g>', 1, "1 <use> element inside what they use"),
        ("<use/>", 0, "1 <use> element of what is not in the file"),
        ('<use href="#"/>', 0, "1 <use> element of what is not in the file"),
        ('<use href="other.svg#a"/>', 0, "1 <use> element of what is not in the file"),
        ('<use href="#t"/><defs><text id="t"/></defs>', 0, "1 <text> element"),
        ('<svg width="9" height="9"><line x2="8.6" y1="1" y2="1"/></svg>', 1, "the edges of the "),
        ('<use x="far" href="#l"/><line id="l" y2="1"/>', 2, "bad x 'far' in <use>"),
    ],
)
def test_what_cannot_be_drawn_so_is_said(body: str, count: int, line: str) -> None:
    sketch, left_out = read_svg(document(f'<g fill="none" stroke="red">{body}</g>'))
    assert len(sketch) == count
    assert len(left_out) == 1
    assert left_out[0].startswith(line)


def test_nothing_is_drawn_where_it_is_only_defined() -> None:
    line = '<line x2="9" stroke="red"/>'
    body = f"""<defs>{line}</defs><symbol>{line}</symbol><clipPath>{line}</clipPath>
      <svg width="0" height="9">{line}</svg><marker>{line}</marker><pattern>{line}</pattern>"""
    sketch, left_out = read_svg(document(body))
    assert (len(sketch), left_out) == (0, ())


def test_of_a_switch_one_child_is_drawn() -> None:
    # As Illustrator has it: its own data for itself, a plain drawing for all others.
    sketch = strokes(
        '<switch><foreignObject requiredExtensions="urn:x"/><g systemLanguage="fr"/>'
        '<line x2="7"/><line x2="8"/></switch>'
    )
    assert sketch.points.tolist() == [[[0, 0], [7, 0]]]


def laughs(leaf: str, levels: int = 12) -> str:
    """Ten times ten times ... a leaf."""
    body = f'<g id="u0">{leaf}</g>'
    for level in range(1, levels):
        body += f'<g id="u{level}">' + f'<use href="#u{level - 1}"/>' * 10 + "</g>"
    return document(f'<defs>{body}</defs><use href="#u{levels - 1}" stroke="red"/>')


@pytest.mark.parametrize("leaf", ["", '<line x2="9"/>', f'<path d="M0 0{"h1" * 90_000}"/>'])
def test_use_in_use_is_bounded_by_what_it_draws(leaf: str) -> None:
    with pytest.raises(ClipassoError, match="has more than 100000 parts"):
        read_svg(laughs(leaf))


@pytest.mark.parametrize(
    "leaf",
    [
        '<path d="M0 0 {} x"/>',
        '<polyline points="{}"/>',
        '<line x1="{}"/>',
        '<rect width="5" height="{}"/>',
        '<svg viewBox="0 0 1{}" preserveAspectRatio="none{}"/>',
        '<use href="{}"/>',
        '<path stroke="red{}x" transform="{}"/>',
        '<switch><g systemLanguage="{}"/></switch>',
    ],
)
def test_long_values_are_not_read_as_often_as_they_are_used(leaf: str) -> None:
    start = time.process_time()
    read_svg(laughs(leaf.replace("{}", " " * 1_000_000), 5))
    assert time.process_time() - start < 3  # and not a minute


def test_what_is_used_often_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from clipasso.vector.svg import read

    calls = []
    outline = read.outline
    monkeypatch.setattr(read, "outline", lambda d: calls.append(d) or outline(d))
    assert len(read_svg(laughs('<path d="M0 0 1 1"/>', 4))[0]) == 1000
    assert len(calls) == 1


def test_a_long_chain_of_uses_is_followed() -> None:
    chain = "".join(f'<use id="a{i}" x=".001" href="#a{i + 1}"/>' for i in range(10_000))
    body = f'<defs>{chain}<line id="a10000" x2="9"/></defs><use href="#a0"/>'
    np.testing.assert_allclose(strokes(body).points[0, 0], (10, 0))
