"""Plots: millimetres, margins, cutting, layers, and the SVG that comes of them."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clipasso import ClipassoError, Sketch, plot
from clipasso.vector.bezier import extent
from clipasso.vector.lengths import millimetres
from clipasso.vector.plot.paper import PAPERS, paper_size
from clipasso.vector.visible import visible

CROSS = Sketch(
    [[[0, 50], [200, 50]], [[100, 0], [100, 100]]], (200, 100), colors=[[1, 0, 0], [0, 0, 1]]
)


def ink(made):
    """The corners of all ink, mm."""
    boxes = [(np.array(extent(line.chain)), line.width / 2) for line in made.lines]
    low = np.min([box[0] - half for box, half in boxes], axis=0)
    return low, np.max([box[1] + half for box, half in boxes], axis=0)


sketches = st.builds(
    lambda points, size, degree, width: Sketch(
        points[:, : degree + 1], size, degree, widths=width
    ),
    arrays(np.float64, st.tuples(st.integers(1, 6), st.just(4), st.just(2)),
           elements=st.floats(-300, 500, width=32)),
    st.tuples(st.sampled_from([0.5, 100.0, 224.0]), st.sampled_from([80.0, 224.0, 900.0])),
    st.sampled_from([1, 2, 3]),
    st.sampled_from([0.1, 3.0, 400.0]),
)  # fmt: skip


@given(
    sketches, st.sampled_from([*PAPERS, "200x60mm", "3x4in"]), st.sampled_from([0.0, 7.5, 20.0]),
    st.sampled_from([0.1, 0.5, 5.0]), st.sampled_from(["canvas", "strokes"]), st.booleans(),
    st.sampled_from(["auto", "portrait", "landscape"]),
)  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_no_ink_in_the_margins_whatever_the_sketch(
    sketch, paper, margin, pen, fit, keep_widths, orientation
):
    pieces = visible(sketch)
    ask = {
        "margin": margin, "pen": pen, "fit": fit, "keep_widths": keep_widths,
        "orientation": orientation,
    }  # fmt: skip
    if not pieces:
        with pytest.raises(ClipassoError, match="no strokes on its canvas"):
            plot(sketch, paper, **ask)
        return
    made = plot(sketch, paper, **ask)
    assert sorted(made.size) == pytest.approx(sorted(paper_size(paper)))
    low, high = ink(made)
    assert (low >= margin - 1e-6).all()
    assert (high <= np.array(made.size) - margin + 1e-6).all()
    assert len(made.lines) <= len(pieces)
    # A line that was joined cannot be begun in its middle, as one of its strokes could.
    assert made.travel <= made.travel_before + 1e-9 or len(made.lines) < len(pieces)


def test_millimetres_are_millimetres():
    made = plot(CROSS, "300x200mm", margin=10, pen=1)
    # 280 x 180 mm are free, of which the pen's own width takes one.
    red, blue = made.layers
    assert (red.color, blue.color) == ("#ff0000", "#0000ff")
    (across,), (down,) = red.lines, blue.lines
    assert across.chain[0, 0] == pytest.approx([10.5, 100])
    assert across.chain[0, 1] == pytest.approx([289.5, 100])
    assert made.length == pytest.approx(279 * 1.5)
    assert sorted(down.chain[0, :, 1]) == pytest.approx([100 - 279 / 4, 100 + 279 / 4])


def test_paper_lies_so_that_the_sketch_is_larger():
    assert plot(CROSS, "a5").size == (210, 148)
    assert plot(CROSS, "a5", orientation="portrait").size == (148, 210)
    assert plot(CROSS.scaled((0.1, 1)), "letter").size == (215.9, 279.4)
    assert plot(CROSS, "100x200mm").size == (100, 200)  # as it was given
    assert plot(CROSS, "100x200mm", orientation="landscape").size == (200, 100)


def test_strokes_are_laid_where_the_canvas_is_mostly_empty():
    small = CROSS.scaled(0.1).with_size((200, 100))
    assert plot(small, "a4", fit="strokes").length == pytest.approx(plot(CROSS, "a4").length)
    assert plot(small, "a4").length == pytest.approx(plot(CROSS, "a4").length / 10, rel=0.01)
    dot = Sketch([[[5, 5]] * 4], (10, 10))
    (line,) = plot(dot, "a4", fit="strokes").lines
    assert line.ends[0] == pytest.approx([105, 148.5])


def test_strokes_are_cut_at_the_canvas_exactly():
    arch = Sketch([[[-20, 100], [40, -120], [60, -120], [120, 100]]], (100, 100))
    one, other = visible(arch)
    for piece in (one, other):
        assert piece.stroke == 0
        on_edge = [(p[axis] in (0.0, 100.0)) for p in piece.chain[0, [0, -1]] for axis in (0, 1)]
        assert any(on_edge)
    ends = np.array([p.chain[0, k] for p in (one, other) for k in (0, -1)])
    assert ((ends >= 0) & (ends <= 100)).all()
    assert np.abs(ends + ends[::-1] * [1, -1] - [100, 0]).max() < 1e-9  # as symmetric as the arch
    along = arch.evaluate(np.linspace(0, 1, 20_001))[0]
    inside = ((along >= 0) & (along <= 100)).all(1)
    steps = np.linalg.norm(np.diff(along, axis=0), axis=1)
    seen = steps[inside[1:] & inside[:-1]].sum()
    cut = Sketch([p.chain[0] for p in (one, other)], (100, 100)).lengths().sum()
    assert cut == pytest.approx(seen, abs=0.1)


def test_what_cannot_be_seen_is_not_drawn():
    three = Sketch(np.repeat(CROSS.points[:1], 3, axis=0), (200, 100),
                   widths=[0, 1, 1], opacities=[1, 0, 1])  # fmt: skip
    assert [piece.stroke for piece in visible(three)] == [2]
    with pytest.raises(ClipassoError, match="no strokes"):
        plot(three[:2])


def test_touching_strokes_become_one_line_within_their_colour():
    chain = Sketch([[[0, 0], [50, 0]], [[50, 0], [50, 50]], [[50, 50], [0, 50]]], (100, 100))
    assert len(plot(chain).lines) == 1
    red = Sketch(chain.points, (100, 100), colors=[[0, 0, 0], [1, 0, 0], [0, 0, 0]])
    assert len(plot(red).lines) == 3
    assert len(plot(red, single_layer=True).layers) == 1
    assert len(plot(red, single_layer=True).lines) == 1
    thick = Sketch(chain.points, (100, 100), widths=[1, 2, 1])
    assert len(plot(thick).lines) == 1
    kept = plot(thick, keep_widths=True)
    assert len(kept.lines) == 3
    assert sorted({round(line.width / kept.lines[0].width, 6) for line in kept.lines}) == [1, 2]


def test_ends_are_joined_over_half_the_pen():
    gap = Sketch([[[0, 0], [49, 0]], [[50, 0], [100, 0]]], (100, 100))  # about 1.8 mm on A4
    assert len(plot(gap).lines) == 2
    assert len(plot(gap, join="2mm").lines) == 1
    assert len(plot(gap, pen="4mm").lines) == 1
    assert len(plot(gap, pen="4mm", join=0).lines) == 2


def test_the_svg_is_in_millimetres_and_says_the_same():
    draw = np.random.default_rng(0)
    sketch = Sketch(draw.random((12, 7, 2)) * 224, (224, 224), 3,
                    colors=np.repeat([[0, 0, 0], [0.2, 0.4, 1]], 6, axis=0),
                    metadata={"title": "A < B"})  # fmt: skip
    made = plot(sketch, "a5")
    text = made.to_svg()
    root = ET.fromstring(text)
    assert (root.get("width"), root.get("height")) == ("148mm", "210mm")
    assert root.get("viewBox") == "0 0 148 210"
    groups = [node for node in root if node.tag.endswith("}g")]
    label = "{http://www.inkscape.org/namespaces/inkscape}label"
    assert [group.get(label) for group in groups] == ["1 #000000", "2 #3366ff"]
    assert [group.get("stroke-width") for group in groups] == ["0.5", "0.5"]
    back = Sketch.from_svg(text)
    assert back.size == made.size
    assert len(back) == len(made.lines)
    assert back.lengths().sum() == pytest.approx(made.length, rel=1e-4)
    flat = sum(
        np.linalg.norm(np.diff(line, axis=0), axis=1).sum()
        for layer in made.flatten() for line in layer
    )  # fmt: skip
    assert flat == pytest.approx(made.length, rel=1e-3)
    for line, stroke in zip(made.lines, back, strict=True):
        assert stroke.points[0, 0] == pytest.approx(line.ends[0], abs=6e-4)
        assert stroke.points[0, -1] == pytest.approx(line.ends[1], abs=6e-4)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        ({"margin": "52.5mm", "paper": "a6"}, r"--margin 52\.5mm: leaves no room"),
        ({"margin": "52mm", "pen": 2, "paper": "a6"}, "leaves no room"),
        ({"margin": "3px"}, r"--margin 3px: must be a length"),
        ({"margin": -1}, "--margin -1"),
        ({"margin": float("nan")}, "--margin nan"),
        ({"pen": 0}, "--pen 0"),
        ({"pen": "thin"}, "--pen thin"),
        ({"join": "-1mm"}, "--join"),
        ({"paper": "b5"}, "--paper b5: must be a6"),
        ({"paper": "0x10mm"}, "--paper 0x10mm"),
        ({"paper": "1.2.3x10mm"}, "--paper"),
        ({"paper": "9999999x10mm"}, "--paper"),
        ({"orientation": "sideways"}, "--landscape sideways"),
        ({"fit": "all"}, "--fit all"),
        ({"fill": True, "keep_widths": True}, "leave out --keep-widths for a pen"),
        ({"fill": True, "pen": 0.001}, r"--pen 0\.001mm: would fill a stroke of .* passes"),
    ],
)
def test_values_that_do_not_fit(ask, message):
    with pytest.raises(ClipassoError, match=message):
        plot(CROSS, **ask)


def test_lengths_in_units():
    texts = {"15mm": 15, "1.5cm": 15, ".5in": 12.7, "72pt": 25.4, " 15 MM ": 15, "3": 3, "3.": 3}
    for text, length in texts.items():
        assert millimetres(text, "--margin") == pytest.approx(length)
