"""Brushes: outlines without artefacts, the same picture at any size, files parsed back."""

import io
import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest
import resvg_py
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from svgelements import Path

import clipasso.vector.brushes.draw as drawing
from clipasso import ClipassoError, Sketch, restyle
from clipasso.vector.brushes import BRUSHES, Brush, find_brush
from clipasso.vector.brushes.base import Mark
from clipasso.vector.brushes.calligraphy import Calligraphy, flat_nib
from clipasso.vector.brushes.field import Field, Tile, pieces
from clipasso.vector.brushes.ink import Ink
from clipasso.vector.brushes.noise import Noise
from clipasso.vector.brushes.sweep import TOLERANCE, outline, rings
from clipasso.vector.brushes.trace import Trace

VECTOR = [name for name in BRUSHES if find_brush(name).vector]
TEXTURED = [name for name in BRUSHES if find_brush(name).textured]

WAVE = [[20.0, 120], [80, 20], [130, 220], [200, 90]]
HARD = {
    "cusp": [[10.0, 60], [70, 10], [0, 10], [60, 60]],
    "loop": [[20.0, 100], [200, 20], [20, 20], [200, 100]],
    "hairpin": [[50.0, 50], [51, 10], [52, 10], [53, 50]],
    "back and forth": [[50.0, 50], [90, 50], [90, 50], [50, 50]],
    "dot": [[30.0, 30]] * 4,
    "speck": [[30.0, 30], [30.1, 30], [30.2, 30.1], [30.3, 30.1]],
    "wave": WAVE,
}


def mixed(scale=1.0):
    """Strokes of several kinds, widths, colours and opacities."""
    points = np.array([HARD["wave"], HARD["cusp"], HARD["loop"], HARD["dot"]])
    return Sketch(
        points, (224, 180), widths=[3, 2, 6, 4], opacities=[1, 1, 0.5, 1],
        colors=[(0, 0, 0), (0.8, 0, 0), (0, 0, 0.9), (0, 0, 0)],
    ).scaled(scale)  # fmt: skip


@pytest.fixture
def coarse(monkeypatch):
    """Textures drawn on few pixels, where only their being there matters."""
    monkeypatch.setattr(drawing, "_FINE", 400)


def trace(points):
    return Trace.of(Sketch([points], (224, 224)).flatten(0.01)[0])


def marks(name, points, width, seed=0):
    return find_brush(name).marks(trace(points), width, np.random.default_rng(seed))


def levels(picture):
    return np.asarray(picture.convert("RGB"), float)


# Geometry.

coordinates = st.floats(-30, 250, allow_nan=False)
controls = st.lists(st.tuples(coordinates, coordinates), min_size=4, max_size=4)


@pytest.mark.parametrize("name", BRUSHES)
@settings(max_examples=3, deadline=None)
@given(points=controls, width=st.floats(0.05, 20), seed=st.integers(0, 99))
def test_marks_of_any_stroke_are_finite_and_hold_their_middle_line(name, points, width, seed):
    for mark in marks(name, points, width, seed):
        assert len(mark.points) == len(mark.radii) >= 1
        assert np.isfinite(mark.points).all()
        assert (mark.radii > 0).all()
        assert mark.radii.max() <= 3 * width
        assert 0 < mark.opacity <= 1
        area = outline(mark)
        assert area.is_valid
        assert not area.is_empty
        # Every place of a round nib is in it: nothing is lost at cusps, in loops or bends.
        if mark.nib is None:
            some = slice(None, None, 9)
            discs = shapely.points(mark.points[some])
            far = shapely.distance(discs, area.boundary)
            assert shapely.covers(area, discs).all()
            assert (far >= mark.radii[some] - 2 * TOLERANCE).all()


@pytest.mark.parametrize("points", HARD.values(), ids=HARD)
def test_an_outline_is_the_union_of_the_nibs_places(points):
    mark = marks("ink", points, 6.0)[0]
    rng = np.random.default_rng(1)
    probes = mark.points[rng.integers(len(mark.points), size=400)] + rng.normal(0, 4, (400, 2))
    # Between neighbours, half a unit apart, the nib's middle and radius change evenly.
    share = np.linspace(0, 1, 5)[:, None, None]
    middles = mark.points[:1], mark.points[:-1] * (1 - share) + mark.points[1:] * share
    middles = np.concatenate([m.reshape(-1, 2) for m in middles])
    ends = mark.radii[:, None]
    radii = np.concatenate([ends[0], (ends[:-1] * (1 - share) + ends[1:] * share).ravel()])
    away = np.linalg.norm(probes[:, None] - middles, axis=2) - radii
    inside = shapely.contains(outline(mark), shapely.points(probes))
    clear = np.abs(away.min(1)) > 3 * TOLERANCE
    assert clear.sum() > 300
    np.testing.assert_array_equal(inside[clear], (away.min(1) < 0)[clear])


@pytest.mark.parametrize("bend", [0, 30, 60])
def test_the_area_of_an_outline_is_length_times_mean_width(bend):
    mark = marks("ink", [[10.0, 100], [80, 100 - bend], [140, 100 + bend], [210, 100]], 4.0)[0]
    steps = np.linalg.norm(np.diff(mark.points, axis=0), axis=1)
    expected = (steps * (mark.radii[1:] + mark.radii[:-1])).sum()
    expected += np.pi / 2 * (mark.radii[0] ** 2 + mark.radii[-1] ** 2)  # its ends
    assert outline(mark).area == pytest.approx(expected, rel=0.01)


def test_a_flat_nib_is_broad_across_and_thin_along():
    across, along = (
        Calligraphy(0.0).marks(trace(line), 3.0, np.random.default_rng(0))[0]
        for line in ([[50.0, 20], [50, 80]], [[20.0, 50], [80, 50]])
    )
    x0, _, x1, _ = outline(across).bounds
    _, y0, _, y1 = outline(along).bounds
    assert x1 - x0 == pytest.approx(Calligraphy.WIDTH * 3, abs=0.02)
    assert y1 - y0 == pytest.approx(Calligraphy.THICKNESS * 3, abs=0.02)
    # Anticlockwise as seen: the right end is up, where y is smaller.
    nib = flat_nib(40, 0.1)
    assert nib[nib[:, 0].argmax(), 1] < 0


@pytest.mark.parametrize("points", HARD.values(), ids=HARD)
def test_ink_keeps_within_its_widths_and_swells_in_turns(points):
    for width in (0.3, 3.0, 40.0):
        mark = marks("ink", points, width)[0]
        low, high = np.array([Ink.THINNEST, Ink.THICKEST]) * width / 2
        assert (mark.radii >= low - 1e-9).all()
        assert (mark.radii <= high + 1e-9).all()
    roof = Sketch([[[20.0, 120], [110, 20], [200, 120]]], (224, 224), 1).flatten()[0]
    corner = find_brush("ink").marks(Trace.of(roof), 3.0, np.random.default_rng(0))[0]
    top = corner.points[:, 1].argmin()
    straight = np.abs(corner.points[:, 0] - 60).argmin()
    assert corner.radii[top] > 1.15 * corner.radii[straight]
    assert corner.radii[-1] < 0.5 * corner.radii[straight]


def test_a_marker_goes_a_little_beyond_both_ends_and_a_dot_stays_one():
    (mark,) = marks("marker", [[50.0, 50], [70, 50], [90, 50], [110, 50]], 3.0)
    assert 50 - 3 <= mark.points[0, 0] <= 50 - 0.3 * 3
    assert 110 + 0.3 * 3 <= mark.points[-1, 0] <= 110 + 3
    np.testing.assert_allclose(mark.points[:, 1], 50, atol=1e-9)
    assert len(marks("marker", HARD["dot"], 3.0)[0].points) == 1


@settings(max_examples=30, deadline=None)
@given(points=controls, start=st.floats(-9, 9), end=st.floats(-9, 9))
def test_traces_are_even_and_extended_by_what_is_asked(points, start, end):
    found = trace(points)
    if found.length < 40:
        return
    assert np.diff(found.along).max() <= 0.5 + 1e-9
    assert ((found.slowness >= 0) & (found.slowness <= 1)).all()
    np.testing.assert_allclose(np.linalg.norm(found.headings, axis=1), 1)
    longer = found.extended(start, end)
    assert longer.length == pytest.approx(found.length + start + end, abs=0.35)


def test_corners_of_polylines_stay():
    corners = np.array([[10.0, 10], [33.3, 71.1], [47.2, 12.7], [90, 60]])
    found = Trace.of(corners)
    for corner in corners:
        assert np.linalg.norm(found.points - corner, axis=1).min() < 1e-9


# Textures.


def test_a_field_knows_depth_place_and_side():
    line = np.stack([np.linspace(20, 80, 121), np.full(121, 40.0)], axis=1)
    mark = Mark(line, np.full(121, 5.0))
    (piece,) = pieces(mark)
    field = Field.of(piece, Tile(0, 0, 200, 200, 2.0))
    y, x = np.mgrid[: field.depth.shape[0], : field.depth.shape[1]] + 0.5
    x, y = (x + field.left) / 2, (y + field.top) / 2
    away = np.hypot(x - np.clip(x, 20, 80), y - 40)
    inside = away < 5
    np.testing.assert_allclose(field.depth[inside], (5 - away)[inside], atol=1e-9)
    assert (field.depth[away > 6] < 0).all()
    np.testing.assert_allclose(field.along[inside], (x - 20)[inside], atol=1e-6)
    np.testing.assert_allclose(field.across[inside], (y - 40)[inside], atol=1e-9)
    assert Field.of(piece, Tile(400, 0, 200, 200, 2.0)) is None


def test_pieces_of_a_mark_follow_on_and_none_meets_itself():
    loop = trace(HARD["loop"])
    mark = Mark(loop.points, np.full(len(loop.points), 1.0))
    found = [*pieces(mark)]
    assert len(found) > 1
    for before, after in pairwise(found):
        np.testing.assert_array_equal(before.points[-1], after.points[0])
        assert before.along[-1] == after.along[0]
    assert [p.first for p in found] == [True] + [False] * (len(found) - 1)
    assert [p.last for p in found] == [False] * (len(found) - 1) + [True]
    assert found[-1].along[-1] == pytest.approx(loop.length, rel=1e-3)
    for piece in found:
        assert shapely.LineString(piece.points).is_simple


def test_noise_is_given_by_its_seed_and_fills_its_range():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-500, 500, (2, 20_000))
    values = Noise(3, 1).plane(x, y, 1.5, 3)
    np.testing.assert_array_equal(values, Noise(3, 1).plane(x, y, 1.5, 3))
    assert not np.allclose(values, Noise(4, 1).plane(x, y, 1.5, 3))
    assert 0 <= values.min() < 0.2
    assert 0.8 < values.max() <= 1
    assert values.mean() == pytest.approx(0.5, abs=0.02)
    # Smooth at its own size, without a memory beyond it.
    assert np.corrcoef(values, Noise(3, 1).plane(x + 0.05, y, 1.5, 3))[0, 1] > 0.9
    assert abs(np.corrcoef(values, Noise(3, 1).plane(x + 20, y, 1.5, 3))[0, 1]) < 0.05
    line = Noise(5).line(np.linspace(0, 100, 500), 10.0)
    assert np.abs(np.diff(line)).max() < 0.1
    assert not np.allclose(line, Noise(5).line(np.linspace(0, 100, 500), 10.0, row=1))


# Pictures.


@pytest.mark.parametrize("name", BRUSHES)
def test_the_same_seed_gives_the_same_and_another_another(name, coarse):
    once, again, other = (restyle(mixed(), name, seed=seed).to_png(200) for seed in (1, 1, 2))
    assert once == again
    assert (once == other) == (name == "calligraphy")  # which leaves nothing to chance


@pytest.mark.parametrize("name", BRUSHES)
def test_marks_and_textures_have_the_sketchs_scale(name):
    styled = restyle(mixed(), name)
    small, large = styled.picture(128), styled.picture(512)
    assert large.size == (512, 411)
    reduced = large.resize(small.size, Image.Resampling.BOX)
    assert np.abs(levels(small) - levels(reduced)).mean() < 1.5
    assert levels(small).mean() == pytest.approx(levels(reduced).mean(), abs=0.4)
    # A file's own units do not matter either.
    scaled = restyle(mixed(37.0), name).picture(128)
    assert np.abs(levels(small) - levels(scaled)).mean() < 0.05


@pytest.mark.parametrize("name", ["charcoal", "dry-brush", "ink"])
def test_tiles_do_not_show(name, monkeypatch):
    styled = restyle(mixed(), name)
    whole = levels(styled.picture(300))
    monkeypatch.setattr(drawing, "_TILE", 128)
    # resvg's edges have 16 levels, of which the mean of four pixels makes a fourth.
    off = np.abs(levels(styled.picture(300)) - whole)
    assert off.max() <= (4 if name == "ink" else 0)
    assert off.mean() < 0.01


@pytest.mark.parametrize("name", BRUSHES)
def test_paper_and_colour(name, coarse):
    wave = Sketch([WAVE], (224, 224), widths=5)
    on_white = levels(restyle(wave, name, color="#c00000").picture(224))
    corner = on_white[:10, :10]
    assert (corner == 255).all()
    ink = on_white[on_white.sum(2) < 500]
    assert len(ink) > 100
    assert (ink[:, 0] > ink[:, 1] + 50).all()
    on_blue = levels(restyle(wave, name, color="#c00000", paper="#0000ff").picture(224))
    assert (on_blue[:10, :10] == (0, 0, 255)).all()
    clear = restyle(wave, name, color="#c00000", paper="none").picture(224)
    assert clear.mode == "RGBA"
    alpha = np.asarray(clear)[..., 3]
    assert (alpha[:10, :10] == 0).all()
    laid = Image.new("RGBA", clear.size, "white")
    laid.alpha_composite(clear)
    assert np.abs(levels(laid) - on_white).max() <= 2


def test_widths_are_multiplied_and_see_through_strokes_stay_so():
    wave = Sketch([WAVE], (224, 224), widths=3)
    ink = [255 - levels(restyle(wave, "ink", width=w).picture(224)).mean() for w in (1, 2)]
    assert ink[1] == pytest.approx(2 * ink[0], rel=0.1)
    faint = Sketch([WAVE], (224, 224), widths=3, opacities=0.25)
    lighter = 255 - levels(restyle(faint, "ink").picture(224)).mean()
    assert lighter == pytest.approx(ink[0] / 4, rel=0.05)


def test_dry_brush_runs_dry_and_charcoal_is_broken_at_its_edges():
    line = Sketch([[[20.0, 112], [80, 112], [140, 112], [204, 112]]], (224, 224), widths=4)
    found = 255 - levels(restyle(line, "dry-brush").picture(896))[..., 0]
    assert found[:, 100:300].mean() > 1.5 * found[:, 600:800].mean()
    found = 255 - levels(restyle(line, "charcoal").picture(896))[:, 200:700, 0]
    by_row = found.mean(1)
    middle = by_row.argmax()
    assert abs(middle - 448) < 12
    assert by_row[middle] > 1.8 * by_row[middle + 15]
    assert found[middle + 15].std() > 30  # grain, not a blur


# SVG.


def read_paths(text):
    """The elements with their areas, read by other programs' rules."""
    root = ET.fromstring(text)
    found = []
    for node in root.iter("{http://www.w3.org/2000/svg}path"):
        assert node.get("d").endswith("Z")
        outer = [
            np.array([(p.end.x, p.end.y) for p in sub][1:])
            for sub in Path(node.get("d")).as_subpaths()
        ]
        signed = [shapely.Polygon(ring).area * np.sign(_turn(ring)) for ring in outer]
        found.append((node, abs(sum(signed))))
    return root, found


def _turn(ring):
    x, y = ring.T
    return (x * np.roll(y, -1) - y * np.roll(x, -1)).sum()


@pytest.mark.parametrize("name", VECTOR)
@pytest.mark.parametrize("scale", [0.001, 900.0])
def test_an_svg_read_back_has_the_same_outlines(name, scale):
    styled = restyle(mixed(scale), name)
    root, paths = read_paths(styled.to_svg())
    assert float(root.get("width")) == pytest.approx(224 * scale)
    made = [mark for layer in styled.layers for mark in layer[0]]
    assert len(paths) == len(made)
    for (node, area), mark in zip(paths, made, strict=True):
        assert area == pytest.approx(outline(mark).area * scale**2, rel=0.01)
        assert node.get("fill").startswith("#")
    top = [node for node in root if node.tag.endswith(("}path", "}g"))]
    assert len(top) == 4  # one a stroke


@pytest.mark.parametrize("name", ["ink", "marker", "calligraphy"])
def test_a_picture_is_the_svg_as_other_programs_draw_it(name):
    styled = restyle(mixed(), name, paper="#ffe0c0")
    data = resvg_py.svg_to_bytes(svg_string=styled.to_svg(), width=448)
    theirs = Image.open(io.BytesIO(bytes(data)))
    assert np.abs(levels(theirs) - levels(styled.picture(448))).mean() < 0.3


def test_rings_of_holes_turn_the_other_way():
    circle = [[112.0, 112 - 80], [300, 40], [300, 184], [112, 112 + 80]]
    ring = shapely.Point(0, 0).buffer(5) - shapely.Point(0, 0).buffer(3)
    turns = [np.sign(_turn(part)) for part in rings(ring)]
    assert sorted(turns) == [-1, 1]
    assert len(rings(outline(marks("ink", circle, 3.0)[0]))) == 1


# What is refused.


@pytest.mark.parametrize("name", sorted({*BRUSHES} - {*VECTOR}))
def test_textures_are_no_svg(name, tmp_path):
    with pytest.raises(ClipassoError, match="write a PNG, or choose one of pencil, ink"):
        restyle(mixed(), name).save(tmp_path / "a.svg")
    assert [*tmp_path.iterdir()] == []
    restyle(mixed(), name).save(tmp_path / "a.png", 64)
    assert Image.open(tmp_path / "a.png").size == (64, 51)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"brush": "crayon"}, "pencil, charcoal, ink, dry-brush, marker, calligraphy"),
        ({"color": "no such"}, "--color no such"),
        ({"color": (0, 0, 2)}, "--color"),
        ({"color": "#00000080"}, "opaque"),
        ({"paper": "url(x)"}, "--paper"),
        ({"width": 0}, "--width 0"),
        ({"width": float("nan")}, "--width"),
        ({"seed": -1}, "--seed -1"),
        ({"brush": "ink", "angle": 3}, "calligraphy"),
        ({"brush": "calligraphy", "angle": float("inf")}, "--angle"),
    ],
)
def test_what_cannot_be_done_is_said(options, words):
    with pytest.raises(ClipassoError, match=words):
        restyle(mixed(), **options)


def test_a_sketch_of_which_nothing_would_be_seen_is_refused():
    for look in ({"widths": 0}, {"opacities": 0}):
        with pytest.raises(ClipassoError, match="no strokes that can be seen"):
            restyle(Sketch([WAVE], (224, 224), **look))
    with pytest.raises(ClipassoError, match="no strokes"):
        restyle(Sketch(np.empty((0, 4, 2)), (224, 224)))
    far = Sketch([[(0, 0), (1e9, 1e9)]], (224, 224))
    with pytest.raises(ClipassoError, match="too long"):
        restyle(far)
    for side in (0, 16_385):
        with pytest.raises(ClipassoError, match=f"--size {side}"):
            restyle(mixed()).picture(side)


def test_invisible_strokes_do_not_change_the_others():
    shown = mixed()
    gone = Sketch(
        shown.points, shown.size, widths=[3, 0, 6, 4], colors=shown.colors,
        opacities=shown.opacities,
    )  # fmt: skip
    styled = restyle(gone, "pencil")
    assert len(styled.layers) == 3
    kept = restyle(shown, "pencil").layers
    for mine, theirs in zip(styled.layers, (kept[0], kept[2], kept[3]), strict=True):
        np.testing.assert_array_equal(mine[0][0].points, theirs[0][0].points)


# Brushes of one's own.


@pytest.mark.parametrize("name", BRUSHES)
def test_a_brush_is_known_by_its_own_name_and_says_what_it_is(name):
    brush = find_brush(name)
    assert brush.name == name
    assert 20 < len(brush.about) < 90
    assert brush.vector or brush.textured


def test_a_brush_of_ones_own():
    class Dots(Brush):
        name, about = "dots", "a dot at either end"

        def marks(self, trace, width, rng):
            return [Mark(trace.points[[k]], np.array([width])) for k in (0, -1)]

    styled = restyle(Sketch([WAVE], (224, 224), widths=4), Dots())
    _, paths = read_paths(styled.to_svg())
    assert [area for _, area in paths] == pytest.approx([np.pi * 16] * 2, rel=0.02)
    assert levels(styled.picture(224))[90, 200, 0] < 10


def test_textures_follow_bends_without_seams(coarse):
    class Side(Brush):
        name, about, textured = "side", "darker to the right of its way", True

        def marks(self, trace, width, rng):
            return [Mark(trace.points, np.full(len(trace.points), 20.0))]

        def ink(self, pixels):
            return 0.5 + pixels.across / (2 * pixels.radius)

    angles = np.linspace(0, np.radians(300), 200)  # more than a piece turns
    arc = 112 + 60 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    found = levels(restyle(Sketch(arc[None], (224, 224), 1), Side()).picture(448))[..., 0]
    y, x = (np.mgrid[:448, :448] + 0.5) / 2 - 112
    away, angle = np.hypot(x, y), np.degrees(np.arctan2(y, x)) % 360
    inside = (np.abs(away - 60) < 18) & (angle > 20) & (angle < 280)
    expected = 255 * (1 - (0.5 - (away - 60) / 40))  # it turns right: outside is its left
    assert np.abs(found - expected)[inside].max() < 4
