"""SVG, JSON, NDJSON and DXF, each read back."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clipasso import ClipassoError, Sketch
from clipasso.vector.export import exported
from clipasso.vector.export.quickdraw import quickdraw_strokes
from clipasso.vector.visible import visible

numbers = st.floats(-1e6, 1e6)


@st.composite
def sketches(draw):
    count = draw(st.integers(1, 4))
    degree, segments = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    share = st.floats(0, 1)
    return Sketch(
        draw(arrays(np.float64, (count, degree * segments + 1, 2), elements=numbers)),
        (draw(st.floats(0.1, 1e5)), draw(st.floats(0.1, 1e5))),
        degree,
        widths=draw(arrays(np.float64, count, elements=st.floats(0, 1e5))),
        colors=draw(arrays(np.float64, (count, 3), elements=share)),
        opacities=draw(arrays(np.float64, count, elements=share)),
        metadata=draw(st.dictionaries(st.text(max_size=5), st.text(max_size=9), max_size=2)),
    )


@given(sketches())
@settings(max_examples=60, deadline=None)
def test_json_comes_back_to_the_last_bit(sketch):
    assert Sketch.from_json(exported(sketch, "json")) == sketch
    assert Sketch.from_json(sketch.to_json()) == sketch
    assert len(Sketch.from_json(sketch[:0].to_json())) == 0


def test_json_has_its_schema():
    sketch = Sketch([[[1, 2], [3, 4], [5, 6.25]]], (10, 20), colors=[1, 0, 0.5], opacities=0.5)
    assert json.loads(sketch.to_json()) == {
        "format": "clipasso-sketch",
        "version": 1,
        "size": [10, 20],
        "degree": 2,
        "metadata": {},
        "strokes": [
            {"points": [[1, 2], [3, 4], [5, 6.25]], "width": 3, "color": [1, 0, 0.5],
             "opacity": 0.5}
        ],
    }  # fmt: skip


GOOD = json.loads(Sketch([[[1, 2], [3, 4]]], (10, 20)).to_json())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not well-formed JSON"),
        ("[" * 100_000, "not well-formed JSON"),
        (b"\xff\xfe{", "not well-formed JSON"),
        ("[1]", 'its "format" must be'),
        ('{"format": "other"}', 'its "format" must be'),
        ({"version": 2}, "version 2"),
        ({"size": 3}, '"size" must be'),
        ({"size": [1, 0]}, "size must be"),
        ({"metadata": {"a": 1}}, "metadata must map"),
        ({"degree": 2}, "degree must be"),
        ({"degree": "3"}, '"degree" must be'),
        ({"degree": -5, "strokes": []}, "degree must be"),
        ({"strokes": {}}, '"strokes" must be a list'),
        ({"strokes": [3]}, r'"strokes"\[0\] must have points'),
        ({"strokes": [GOOD["strokes"][0], {}]}, r'"strokes"\[1\]'),
        ({"strokes": [{**GOOD["strokes"][0], "points": [[1, 2], [3]]}]}, "regular array"),
        ({"strokes": [{**GOOD["strokes"][0], "points": "far"}]}, "points must"),
        ({"strokes": [{**GOOD["strokes"][0], "width": -1}]}, "widths must be"),
        ({"strokes": [{**GOOD["strokes"][0], "width": float("nan")}]}, "finite"),
        ({"strokes": [{**GOOD["strokes"][0], "color": [1, 2, 0]}]}, "colors must be"),
    ],
)
def test_json_that_is_no_sketch(text, message):
    given = json.dumps({**GOOD, **text}) if isinstance(text, dict) else text
    with pytest.raises(ClipassoError, match=message):
        Sketch.from_json(given)


def test_svg_has_two_decimals_or_what_a_small_canvas_needs():
    sketch = Sketch([[[1.23456, 2], [3, 4.98765]]], (224, 224), widths=1.005)
    text = exported(sketch, "svg").decode()
    assert 'd="M1.23,2 L3,4.99"' in text
    assert max(len(d) for d in re.findall(r"\.(\d+)", text.split("<g")[1])) == 2
    for side in (1.0, 0.003, 10.0, 100.0, 1e5):
        small = sketch.scaled(side / 224)
        back = Sketch.from_svg(exported(small, "svg"))
        assert np.abs(back.points - small.points).max() < side * 1e-4


def test_quickdraw_is_integers_from_the_corner_to_255():
    sketch = Sketch(
        [[[100, 50], [300, 50]], [[100, 50], [100, 130]], [[180, 90], [180, 90]]], (400, 400),
        metadata={"photo": "dir/fish.png"},
    )  # fmt: skip
    line = exported(sketch, "ndjson").decode()
    assert line.endswith("}\n")
    assert line.count("\n") == 1
    found = json.loads(line)
    assert found["word"] == "fish"
    assert re.fullmatch(r"\d{16}", found["key_id"])
    assert found["drawing"] == [
        [[0, 255], [0, 0]], [[0, 0], [0, 102]], [[102, 102], [51, 51]]
    ]  # fmt: skip
    assert json.loads(exported(sketch.with_metadata(word="cod"), "ndjson"))["word"] == "cod"


def test_quickdraw_keeps_within_epsilon_in_few_points():
    draw = np.random.default_rng(4)
    sketch = Sketch(draw.random((20, 4, 2)) * 260 - 20, (224, 224))
    strokes = quickdraw_strokes(sketch)
    pixels = [np.array(stroke).T for stroke in strokes]
    assert min(p.min() for p in pixels) == 0
    assert max(p.max() for p in pixels) == 255
    assert sum(map(len, pixels)) < 12 * len(pixels)
    lines = [Sketch([piece.chain[0]], (1, 1)).flatten(0.02)[0] for piece in visible(sketch)]
    low, high = np.concatenate(lines).min(0), np.concatenate(lines).max(0)
    for line, simple in zip(lines, pixels, strict=True):
        placed = (line - low) * 255 / (high - low).max()
        # The epsilon, and half a unit in x and y for integers.
        assert max(_distance(p, simple) for p in placed) < 2 + 0.72
        assert max(_distance(p, placed) for p in simple) < 0.75


def _distance(point, line):
    """Of a point from a polyline."""
    a, b = line[:-1].astype(float), line[1:].astype(float)
    along = ((point - a) * (b - a)).sum(1) / np.maximum(((b - a) ** 2).sum(1), 1e-12)
    nearest = a + np.clip(along, 0, 1)[:, None] * (b - a)
    return np.linalg.norm(nearest - point, axis=1).min()


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_dxf_is_read_back_as_the_same_curves(degree, tmp_path):
    ezdxf = pytest.importorskip("ezdxf")
    draw = np.random.default_rng(degree)
    sketch = Sketch(
        draw.random((5, 2 * degree + 1, 2)) * [200, 100], (200, 100), degree, widths=2,
        colors=[[0, 0, 0], [1, 0, 0]] + [[0, 0.2, 1]] * 3, opacities=[1, 0.5, 1, 1, 1],
    )  # fmt: skip
    path = tmp_path / "a.dxf"
    path.write_bytes(exported(sketch, "dxf", size="100mm"))
    document = ezdxf.readfile(path)
    assert not document.audit().has_issues
    assert document.units == ezdxf.units.MM
    found = list(document.modelspace())
    assert [e.dxf.layer for e in found] == ["stroke-000000", "stroke-ff0000"] + [
        "stroke-0033ff"
    ] * 3
    assert document.layers.get("stroke-0033ff").rgb == (0, 51, 255)
    assert {e.dxf.lineweight for e in found} == {100}  # 1 mm
    assert found[1].transparency == pytest.approx(0.5, abs=0.01)
    for stroke, entity in zip(sketch, found, strict=True):
        if degree == 1:
            assert entity.dxftype() == "LWPOLYLINE"
            there = np.array([p[:2] for p in entity.get_points()])
            ours = stroke.points[0] / 2
        else:
            assert entity.dxftype() == "SPLINE"
            assert entity.dxf.degree == degree
            curve = entity.construction_tool()
            u = np.linspace(0, 1, 41)
            there = np.array([[p.x, p.y] for p in curve.points(u * curve.max_t)])
            ours = stroke.evaluate(u)[0] / 2
        assert np.abs(there - (ours * [1, -1] + [0, 50])).max() < 1e-6


def test_dxf_is_cut_at_the_canvas():
    ezdxf = pytest.importorskip("ezdxf")
    import io

    sketch = Sketch([[[-50, 50], [150, 50]], [[200, 200], [300, 300]]], (100, 100))
    text = exported(sketch, "dxf").decode()
    (entity,) = ezdxf.read(io.StringIO(text)).modelspace()
    assert np.array([p[0] for p in entity.get_points()]) * 96 / 25.4 == pytest.approx([0, 100])


@pytest.mark.parametrize("format", ["dxf", "ndjson"])
def test_nothing_on_the_canvas(format):
    if format == "dxf":
        pytest.importorskip("ezdxf")
    with pytest.raises(ClipassoError, match="no strokes on its canvas to export"):
        exported(Sketch([[[200, 200], [300, 300]]], (100, 100)), format)


def test_without_ezdxf_it_is_said_what_to_install():
    program = (
        "import sys; sys.modules['ezdxf'] = None\n"
        "from clipasso import ClipassoError, Sketch\n"
        "from clipasso.vector.export import exported\n"
        "try: exported(Sketch([[[1, 1], [5, 5]]], (9, 9)), 'dxf')\n"
        "except ClipassoError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "DXF needs ezdxf: pip install 'clipasso[dxf]'"
