"""Passes of a pen over bold strokes: all of the stroke is inked, and nothing else."""

import re

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from clipasso import Sketch, plot
from clipasso.vector.plot.fill import _linked, passes

LOOP = [[10, 60], [110, -40], [-30, -40], [70, 60]]
HAIRPIN = [[10, 60], [40, -60], [35, -60], [45, 60]]
ARC = [[10, 10], [20, 40], [50, 40], [60, 10]]
DOT = [[30, 30]] * 4
SHAPES = {"loop": LOOP, "hairpin": HAIRPIN, "arc": ARC, "dot": DOT}


def chain_of(points):
    return Sketch([points], (100, 100), 3).controls[0]


def polyline(chain):
    """Without the module's own geometry: points of the Bezier segments, close to each other."""
    points = np.concatenate([chain[0, :1], *chain[:, 1:]])
    return Sketch(points[None], (1, 1), chain.shape[1] - 1).flatten(2e-3)[0]


def area(chain, width):
    points = polyline(chain)
    line = shapely.LineString(points) if np.ptp(points, axis=0).any() else shapely.Point(points[0])
    return line.buffer(width / 2, quad_segs=24)


def inked(chains, pen):
    return shapely.union_all([area(chain, pen) for chain in chains])


def largest(gaps):
    """The radius of the largest disc in a gap, mm."""
    parts = [part for part in shapely.get_parts(gaps) if part.area > 1e-9]
    return max((shapely.maximum_inscribed_circle(p, 1e-3).length for p in parts), default=0.0)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize(("width", "pen"), [(0.6, 0.5), (2.5, 0.5), (4, 0.5)])
def test_all_of_a_stroke_is_inked_and_nothing_else(name, width, pen):
    chain = chain_of(SHAPES[name])
    drawn = passes(chain, width, pen)
    stroke, ink = area(chain, width), inked(drawn, pen)
    assert stroke.difference(ink).area < 0.01 * stroke.area
    assert ink.difference(stroke).area < 0.01 * stroke.area
    assert largest(stroke.difference(ink)) < 0.02  # no paper shows
    assert ink.within(stroke.buffer(0.02))
    for line in drawn:
        assert line.shape[1:] == (4, 2)
        assert (line[1:, 0] == line[:-1, -1]).all()


@given(
    st.integers(0, 10_000), st.sampled_from([1, 2, 3]), st.sampled_from([2.0, 30.0]),
    st.sampled_from([0.2, 0.5]), st.sampled_from([1.3, 1.7, 2.6, 4.1, 9.0]),
)  # fmt: skip
@settings(max_examples=8, deadline=None)
def test_whatever_the_stroke(seed, degree, extent, pen, times):
    points = np.random.default_rng(seed).random((1, 2 * degree + 1, 2)) * extent
    chain = Sketch(points, (100, 100), degree).controls[0]
    stroke, ink = area(chain, times * pen), inked(passes(chain, times * pen, pen), pen)
    assert stroke.difference(ink).area < 0.015 * stroke.area
    assert ink.difference(stroke).area < 0.015 * stroke.area
    assert largest(stroke.difference(ink)) < 0.02
    assert ink.within(stroke.buffer(0.02))


def test_a_thin_stroke_stays_one_line():
    chain = chain_of(ARC)
    for width in (0.1, 0.5):
        (line,) = passes(chain, width, 0.5)
        assert line is chain


def test_passes_lie_side_by_side_evenly():
    straight = chain_of([[0, 0], [10, 0], [20, 0], [30, 0]])
    for width, count in ((0.9, 2), (1.0, 3), (1.4, 3), (1.5, 4), (4, 9)):
        heights = []
        across = shapely.LineString([[15, -5], [15, 5]])
        for line in passes(straight, width, 0.5):
            cut = shapely.LineString(polyline(line)).intersection(across)
            heights += shapely.get_coordinates(cut)[:, 1].tolist()
        heights.sort()
        assert len(heights) == count
        assert np.diff(heights) == pytest.approx((width - 0.5) / (count - 1), abs=0.02)
        assert heights[-1] == pytest.approx((width - 0.5) / 2, abs=0.02)


def test_rings_and_the_centre_line_are_drawn_without_lifting_the_pen():
    chain = chain_of(ARC)
    (line,) = passes(chain, 3, 0.5)
    assert len(line) < 600  # three rings of 150 mm of bends
    assert (line[-len(chain) :] == chain).all()
    # Each ring is closed, so three of its points are where it was begun.
    begun = [k for k, piece in enumerate(line) if (line[k + 1 :, -1] == piece[0]).all(1).any()]
    links = np.linalg.norm(np.diff(line[begun, 0], axis=0), axis=1)
    assert len(begun) == 3
    assert (links < 0.5).all()


def test_the_pen_is_lifted_where_its_way_would_leave_the_stroke():
    # A stroke that comes back beside itself: between its ends lies paper.
    loop, pen = chain_of(LOOP), 0.5
    for width in (1.2, 2.5, 6):
        stroke = area(loop, width).buffer(0.02)
        for line in passes(loop, width, pen):
            assert area(line, pen).within(stroke)
    two = shapely.LineString([[0, 0], [1, 0]])
    rings = [shapely.get_coordinates(part.buffer(0.5).exterior)
             for part in (two, shapely.transform(two, lambda xy: np.add(xy, [5, 0])))]  # fmt: skip
    everywhere = shapely.box(-9, -9, 9, 9)
    assert len(_linked(rings, np.zeros(2), everywhere, 9)) == 1
    assert len(_linked(rings, np.zeros(2), everywhere, 3)) == 2
    split = everywhere.difference(shapely.box(2, -9, 3, 9))
    assert len(_linked(rings, np.zeros(2), split, 9)) == 2


def test_a_loop_keeps_its_hole():
    chain = chain_of(LOOP)
    stroke, ink = area(chain, 4), inked(passes(chain, 4, 0.5), 0.5)
    (hole,) = shapely.get_parts(shapely.polygons(stroke.interiors))
    assert hole.area > 20
    assert ink.intersection(hole).area < 0.01 * hole.area
    # Rings go around the hole as well as around the whole, half a pen from either.
    drawn = shapely.union_all([shapely.LineString(polyline(p)) for p in passes(chain, 4, 0.5)])
    for edge in (hole.exterior, stroke.exterior):
        near = drawn.intersection(edge.buffer(0.27))
        assert drawn.distance(edge) == pytest.approx(0.25, abs=0.02)
        assert near.length > 0.9 * edge.length


WIDTHS = Sketch(
    [ARC, np.add(ARC, [0, 30]), HAIRPIN, DOT, np.add(LOOP, [60, 20])], (100, 100), 3,
    widths=[0.2, 3, 6, 8, 12], colors=[[0, 0, 0], [0, 0, 0], [1, 0, 0], [1, 0, 0], [0, 0, 0]],
)  # fmt: skip


@pytest.mark.parametrize("fit", ["canvas", "strokes"])
@pytest.mark.parametrize("pen", [0.5, 30])
def test_no_ink_in_the_margins(fit, pen):
    made = plot(WIDTHS, "a5", margin=10, pen=pen, fit=fit, fill=True)
    points = np.concatenate([polyline(line.chain) for line in made.lines])
    assert {line.width for line in made.lines} == {float(pen)}
    low, high = points.min(0) - pen / 2, points.max(0) + pen / 2
    assert (low >= 10 - 1e-6).all()
    assert (high <= np.array(made.size) - 10 + 1e-6).all()
    if fit == "strokes":
        assert ((high - low) / np.subtract(made.size, 20)).max() > 0.9


def test_ink_on_paper_is_as_wide_as_with_kept_widths():
    kept = plot(WIDTHS, "a5", keep_widths=True)
    filled = plot(WIDTHS, "a5", pen=0.3, fill=True)
    assert [layer.color for layer in filled.layers] == [layer.color for layer in kept.layers]
    for ours, theirs in zip(filled.layers, kept.layers, strict=True):
        stroke = shapely.union_all(
            [area(line.chain, max(line.width, 0.3)) for line in theirs.lines]
        )
        ink = inked([line.chain for line in ours.lines], 0.3)
        assert stroke.symmetric_difference(ink).area < 0.02 * stroke.area
    assert filled.travel <= filled.travel_before
    assert filled.length > 3 * kept.length


def test_strokes_of_one_width_are_joined_before():
    chain = Sketch([[[10, 50], [50, 50]], [[50, 50], [90, 50]]], (100, 100), widths=5)
    one = Sketch([[[10, 50], [90, 50]]], (100, 100), widths=5)
    assert len(plot(chain, fill=True).lines) == len(plot(one, fill=True).lines)
    apart = Sketch(chain.points, (100, 100), widths=[5, 5.1])
    assert len(plot(apart, fill=True).lines) == 2 * len(plot(one, fill=True).lines)


def test_the_same_plot_each_time_and_none_without_bold_strokes():
    made = plot(WIDTHS, fill=True)
    assert made.to_svg() == plot(WIDTHS, fill=True).to_svg()
    assert len(Sketch.from_svg(made.to_svg())) == len(made.lines)
    thin = Sketch(WIDTHS.points, (100, 100), 3, widths=0.01)
    filled, plain = plot(thin, fill=True), plot(thin)
    assert [len(line.chain) for line in filled.lines] == [len(line.chain) for line in plain.lines]


def test_machines_draw_every_pass():
    pytest.importorskip("vpype")
    made = plot(WIDTHS, "a4", margin=20, fill=True)
    assert made.to_hpgl().count("PD") == len(made.lines)
    pytest.importorskip("vpype_gcode")
    assert len(re.findall(r"^G0?0 ", made.to_gcode(), re.MULTILINE)) >= len(made.lines)
