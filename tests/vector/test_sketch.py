"""The sketch as a value: what it accepts, its geometry, and its files."""

import copy
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from clipasso.errors import ClipassoError
from clipasso.vector.bezier import bernstein, split
from clipasso.vector.sketch import Sketch, SvgWarning

# Control points of a quarter of the unit circle, off by less than 3e-4 everywhere.
KAPPA = 4 / 3 * np.tan(np.pi / 8)
QUARTER = np.array([(1, 0), (1, KAPPA), (KAPPA, 1), (0, 1)], dtype=float)


@pytest.fixture
def sketch() -> Sketch:
    """Three random strokes of two cubic segments, everything about them different."""
    rng = np.random.default_rng(7)
    return Sketch(
        rng.uniform(-20, 220, (3, 7, 2)),
        (200, 100),
        degree=3,
        widths=[1, 2, 3],
        colors=np.eye(3),
        opacities=[0.2, 0.5, 1],
        metadata={"photo": "horse.jpg"},
    )


def test_defaults_are_black_strokes_of_one_segment() -> None:
    sketch = Sketch([[(0, 0), (1, 2), (3, 4)]], (10, 20))
    assert (len(sketch), sketch.degree, sketch.segments) == (1, 2, 1)
    assert sketch.size == (10.0, 20.0)
    assert sketch.points.dtype == np.float64
    assert sketch.widths.tolist() == [3.0]
    assert sketch.colors.tolist() == [[0.0, 0.0, 0.0]]
    assert sketch.opacities.tolist() == [1.0]
    assert dict(sketch.metadata) == {}


def test_it_cannot_be_changed_from_outside() -> None:
    points, metadata = np.zeros((2, 4, 2)), {"a": "b"}
    sketch = Sketch(points, (5, 5), metadata=metadata)
    points += 1
    metadata["a"] = "c"
    assert not sketch.points.any()
    assert sketch.metadata["a"] == "b"
    for array in (sketch.points, sketch.widths, sketch.colors, sketch.opacities):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(TypeError):
        sketch.metadata["a"] = "d"  # type: ignore[index]
    with pytest.raises(AttributeError):
        sketch.size = (1, 1)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"points": np.zeros((4, 2))}, "points must have the shape"),
        ({"points": np.zeros((1, 1, 2))}, "points must have the shape"),
        ({"points": np.zeros((1, 4, 3))}, "points must have the shape"),
        ({"points": [[(0, 0), (1,)]]}, "points must be a regular array"),
        ({"points": np.full((1, 4, 2), np.nan)}, "points must be finite"),
        ({"points": np.zeros((1, 6, 2))}, "degree must be 1, 2 or 3"),
        ({"degree": 2}, "degree must be 1, 2 or 3"),
        ({"degree": 0}, "degree must be 1, 2 or 3"),
        ({"size": (0, 5)}, "size must be a width and a height above 0"),
        ({"size": (5,)}, "size must be a width and a height above 0"),
        ({"size": (np.inf, 5)}, "size must be finite"),
        ({"widths": -1}, "widths must be in 0"),
        ({"widths": [1, 2]}, "widths must have the shape"),
        ({"colors": (0, 0, 1.01)}, "colors must be in 0..1"),
        ({"colors": [0.5]}, "colors must have the shape"),
        ({"opacities": 2}, "opacities must be in 0..1"),
        ({"metadata": {"seed": 3}}, "metadata must map strings to strings"),
    ],
)
def test_bad_values_are_refused_in_one_line(change: dict[str, object], message: str) -> None:
    with pytest.raises(ClipassoError, match=message) as caught:
        Sketch(**{"points": np.zeros((1, 4, 2)), "size": (9, 9), **change})  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_equality_is_by_value(sketch: Sketch) -> None:
    assert sketch == copy.deepcopy(sketch)
    assert sketch != sketch.translated(1e-9, 0)
    assert sketch != sketch.with_metadata(seed="1")
    assert sketch != sketch.with_size((200, 101))
    assert sketch != "sketch"
    with pytest.raises(TypeError, match="unhashable"):
        hash(sketch)


def test_pickling_keeps_everything_read_only(sketch: Sketch) -> None:
    again = pickle.loads(pickle.dumps(sketch))
    assert again == sketch
    assert not again.points.flags.writeable


def test_bernstein_polynomials_sum_to_one_and_start_and_end_at_the_end_points() -> None:
    t = np.linspace(0, 1, 11)
    for degree in (1, 2, 3):
        basis = bernstein(degree, t)
        assert basis.shape == (11, degree + 1)
        np.testing.assert_allclose(basis.sum(axis=1), 1, atol=1e-15)
        assert basis[0, 0] == basis[-1, -1] == 1
    np.testing.assert_allclose(bernstein(3, [0.5])[0], [1 / 8, 3 / 8, 3 / 8, 1 / 8])


def test_halves_of_a_segment_draw_the_same_curve() -> None:
    halves = split(QUARTER)
    assert halves.shape == (2, 4, 2)
    t = np.linspace(0, 1, 9)
    whole = bernstein(3, np.concatenate([t / 2, (1 + t) / 2])) @ QUARTER
    np.testing.assert_allclose((bernstein(3, t) @ halves).reshape(-1, 2), whole, atol=1e-15)


def test_evaluate_runs_through_the_segments_one_after_another() -> None:
    chain = Sketch([[(0, 0), (4, 0), (4, 2)]], (5, 5), degree=1)
    np.testing.assert_allclose(
        chain.evaluate([0, 0.25, 0.5, 0.75, 1])[0], [(0, 0), (2, 0), (4, 0), (4, 1), (4, 2)]
    )
    arc = Sketch([QUARTER], (1, 1)).evaluate(np.linspace(0, 1, 50))
    assert arc.shape == (1, 50, 2)
    np.testing.assert_allclose(np.linalg.norm(arc, axis=2), 1, atol=3e-4)


@pytest.mark.parametrize("t", [[-0.1], [1.1], [np.nan], 0.5])
def test_evaluate_refuses_parameters_outside_the_stroke(t: object) -> None:
    with pytest.raises(ClipassoError, match="t must be"):
        Sketch([QUARTER], (1, 1)).evaluate(t)  # type: ignore[arg-type]


@pytest.mark.parametrize("tolerance", [1.0, 0.1, 0.003])
def test_flattening_stays_within_the_tolerance(sketch: Sketch, tolerance: float) -> None:
    lines = sketch.flatten(tolerance)
    dense = sketch.evaluate(np.linspace(0, 1, 1001))
    for stroke, line, points in zip(sketch, lines, dense, strict=True):
        np.testing.assert_array_equal(line[[0, -1]], stroke.points[0][[0, -1]])
        start, step = line[:-1], np.diff(line, axis=0)
        along = np.einsum("psc,sc->ps", points[:, None] - start, step) / (step**2).sum(axis=1)
        nearest = start + np.clip(along, 0, 1)[..., None] * step
        off = np.linalg.norm(points[:, None] - nearest, axis=2).min(axis=1)
        assert off.max() <= tolerance


def test_flattening_spends_vertices_only_on_bends() -> None:
    straight = Sketch([[(0, 0), (100, 0), (200, 0), (300, 0)]], (300, 1))
    assert len(straight.flatten(1e-6)[0]) == 2
    bent = Sketch([100 * QUARTER], (100, 100))
    assert 2 < len(bent.flatten(0.1)[0]) < len(bent.flatten(0.001)[0]) < 200


def test_lengths() -> None:
    strokes = np.stack([100 * QUARTER, np.linspace((0, 0), (30, 40), 4), np.full((4, 2), 9.0)])
    lengths = Sketch(strokes, (100, 100)).lengths(1e-3)
    np.testing.assert_allclose(lengths, [50 * np.pi, 50, 0], atol=0.05)  # the arc's own error
    # There and back along a line, with a turn at (2, 0).
    turn = Sketch([[(0, 0), (4, 0), (0, 0)]], (4, 4)).lengths(1e-6)
    np.testing.assert_allclose(turn, [4], atol=1e-6)
    polyline = Sketch([[(0, 0), (3, 4), (3, 0)]], (4, 4), degree=1)
    np.testing.assert_allclose(polyline.lengths(), [9])


def test_lengths_agree_with_fine_polylines(sketch: Sketch) -> None:
    dense = sketch.evaluate(np.linspace(0, 1, 20001))
    expected = np.linalg.norm(np.diff(dense, axis=1), axis=2).sum(axis=1)
    np.testing.assert_allclose(sketch.lengths(0.01), expected, atol=0.01)


def test_scaling(sketch: Sketch) -> None:
    wide = sketch.scaled((4, 1))
    np.testing.assert_allclose(wide.points, sketch.points * (4, 1))
    assert wide.size == (800, 100)
    np.testing.assert_allclose(wide.widths, 2 * sketch.widths)
    assert sketch.scaled(2).scaled(0.5) == sketch
    with pytest.raises(ClipassoError, match="factor must be above 0"):
        sketch.scaled((1, 0))


def test_moving_and_framing(sketch: Sketch) -> None:
    moved = sketch.translated(3, -4)
    np.testing.assert_array_equal(moved.points - sketch.points, np.full((3, 7, 2), (3, -4)))
    framed = sketch.with_size((50, 60))
    assert framed.size == (50, 60)
    assert framed.with_size(sketch.size) == sketch


def ink_off(sketch: Sketch, low: tuple[float, float], high: tuple[float, float]) -> float:
    """How far the strokes' ink, round ends included, is out of a box at most, px."""
    drawn = sketch.evaluate(np.linspace(0, 1, 4001))
    out = np.maximum(np.array(low) - drawn, drawn - np.array(high)).max(axis=(1, 2))
    return float((out + sketch.widths / 2).max())


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_cutting_leaves_as_many_strokes_and_their_ink_in_the_box(degree: int) -> None:
    rng = np.random.default_rng(degree)
    points = rng.uniform(-60, 260, (40, 6 + 1, 2))
    whole = Sketch(
        points, (200, 100), degree, widths=rng.uniform(0, 8, 40), opacities=rng.random(40),
        colors=rng.random((40, 3)), metadata={"photo": "horse.jpg"},
    )  # fmt: skip
    low, high = (10, 20), (180, 90)
    cut = whole.cut([low, high])
    assert ink_off(whole, low, high) > 50
    assert -1e-6 < ink_off(cut, low, high) < 1e-7
    assert cut.points.shape == whole.points.shape
    assert (cut.size, cut.degree, cut.metadata) == (whole.size, degree, whole.metadata)
    for name in ("widths", "colors", "opacities"):
        assert np.array_equal(getattr(cut, name), getattr(whole, name))
    assert (cut.lengths() <= whole.lengths() + 0.02).all()
    assert ink_off(cut.cut([low, high]), low, high) < 1e-7


def test_cutting_leaves_what_is_inside_and_what_is_to_stay() -> None:
    lines = Sketch([[(20, 50), (40, 60)], [(-10, 50), (40, 60)], [(-10, 50), (40, 60)]], (100, 100))
    cut = lines.cut([(0, 0), (100, 100)], keep=[False, False, True])
    assert np.array_equal(cut.points[[0, 2]], lines.points[[0, 2]])
    np.testing.assert_allclose(cut.points[1], [(1.5, 52.3), (40, 60)])
    assert lines.cut([(0, 0), (100, 100)], keep=True) == lines


def test_cutting_strokes_that_cannot_fit() -> None:
    odd = Sketch(
        [[(50, 50), (50, 50)], [(-9, -9), (-9, -9)], [(0, 10), (100, 10)], [(0, 50), (100, 50)]],
        (100, 100), widths=[3, 3, 4, 500],
    )  # fmt: skip
    cut = odd.cut([(0, 10), (100, 100)])
    assert ink_off(cut, (0, 10), (100, 100)) < 1e-9
    assert np.array_equal(cut.points[0], odd.points[0])  # a dot inside
    assert cut.points[1].tolist() == [[1.5, 11.5]] * 2  # one outside
    assert np.ptp(cut.points[2], axis=0).tolist() == [0, 0]  # a line along the edge
    assert cut.widths.tolist() == [3, 3, 4, 45]
    assert len(odd.select([]).cut([(0, 0), (1, 1)])) == 0
    for box in ([(0, 0), (0, 5)], [(0, 0)], [(0, 0), (np.inf, 5)]):
        with pytest.raises(ClipassoError, match="box must be"):
            odd.cut(box)


def test_metadata_merge(sketch: Sketch) -> None:
    more = sketch.with_metadata(seed="3", photo="cat.png")
    assert dict(more.metadata) == {"photo": "cat.png", "seed": "3"}
    assert dict(sketch.metadata) == {"photo": "horse.jpg"}


def test_selection(sketch: Sketch) -> None:
    picked = sketch.select([2, 0])
    np.testing.assert_array_equal(picked.points, sketch.points[[2, 0]])
    assert picked.widths.tolist() == [3, 1]
    assert picked.colors.tolist() == [[0, 0, 1], [1, 0, 0]]
    assert picked.opacities.tolist() == [1, 0.2]
    assert picked.metadata == sketch.metadata
    assert sketch.select(sketch.widths > 2) == sketch[2] == sketch[-1:]
    assert sketch[::-1] == sketch.select([2, 1, 0])
    assert [stroke.widths[0] for stroke in sketch] == [1, 2, 3]
    with pytest.raises(ClipassoError, match="3 strokes"):
        sketch.select([3])
    with pytest.raises(IndexError):
        sketch[3]


def test_a_sketch_of_no_strokes(sketch: Sketch) -> None:
    none = sketch.select([])
    assert len(none) == 0
    assert none.points.shape == (0, 7, 2)
    assert none.flatten() == []
    assert none.lengths().shape == (0,)
    assert none.evaluate([0, 1]).shape == (0, 2, 2)
    assert len(Sketch.from_svg(none.to_svg())) == 0


def test_repr_is_one_short_line(sketch: Sketch) -> None:
    text = repr(sketch)
    assert "\n" not in text
    assert all(part in text for part in ("200 x 100", "strokes 3", "segments 2", "degree 3"))


def test_saving_and_opening(sketch: Sketch, tmp_path: Path) -> None:
    path = tmp_path / "horse.svg"
    path.write_text("an older file")
    sketch.save(path)
    assert path.read_text() == sketch.to_svg() == sketch._repr_svg_()
    again = Sketch.open(str(path))
    np.testing.assert_allclose(again.points, sketch.points, atol=5.0001e-4)
    assert again.metadata == sketch.metadata
    assert os.listdir(tmp_path) == ["horse.svg"]


def test_saving_goes_through_links_and_heeds_the_umask(sketch: Sketch, tmp_path: Path) -> None:
    target, link = tmp_path / "target.svg", tmp_path / "link.svg"
    target.write_text("")
    link.symlink_to(target)
    previous = os.umask(0o027)
    try:
        sketch.save(link)
    finally:
        os.umask(previous)
    assert link.is_symlink()
    assert target.read_text() == sketch.to_svg()
    assert target.stat().st_mode & 0o777 == 0o640


def test_a_failed_save_says_where_and_leaves_nothing(
    sketch: Sketch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = tmp_path / "missing" / "a.svg"
    with pytest.raises(ClipassoError, match=r"missing/a\.svg: cannot be written \(No such file"):
        sketch.save(missing)
    folder = tmp_path / "folder.svg"
    folder.mkdir()
    with pytest.raises(ClipassoError, match=r"folder\.svg: cannot be written"):
        sketch.save(folder)

    def full(handle: int, mode: str) -> None:
        os.close(handle)
        raise OSError(28, "No space left on device")

    old = tmp_path / "old.svg"
    old.write_text("old")
    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(ClipassoError, match=r"old\.svg: cannot be written \(No space left"):
        sketch.save(old)
    assert old.read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["folder.svg", "old.svg"]


def test_opening_what_cannot_be_read_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(ClipassoError, match=r"none\.svg: cannot be read: No such file"):
        Sketch.open(tmp_path / "none.svg")
    broken = tmp_path / "broken.svg"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(ClipassoError, match=r"broken\.svg: is not well-formed XML") as caught:
        Sketch.open(broken)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("from_file", [True, False])
def test_what_is_left_out_is_warned_of_at_the_caller(tmp_path: Path, from_file: bool) -> None:
    path = tmp_path / "text.svg"
    path.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><text/><image/><text/></svg>'
    )
    with pytest.warns(SvgWarning) as caught:
        sketch = Sketch.open(path) if from_file else Sketch.from_svg(path.read_text())
    assert len(sketch) == 0
    name = str(path) if from_file else "the SVG text"
    expected = [f"{name}: not kept: 2 <text> elements", f"{name}: not kept: 1 <image> element"]
    assert [str(warning.message) for warning in caught] == expected
    assert {warning.filename for warning in caught} == {__file__}


def test_importing_sketches_is_light() -> None:
    code = "import sys, clipasso.vector.sketch; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "numpy" in loaded
    assert not loaded & {"torch", "svgelements", "defusedxml", "clipasso.vector.svg"}
