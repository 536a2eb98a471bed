"""vpype reads our SVG as it is, and writes HPGL and G-code for us."""

import re
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from clipasso import ClipassoError, Sketch, plot

MM = 96 / 25.4  # vpype's px
DOT_AND_STROKES = Sketch(
    np.concatenate([
        np.random.default_rng(5).random((14, 4, 2)) * 300 - 30,
        np.full((1, 4, 2), 40.0),
    ]),
    (224, 180), colors=np.repeat([[0, 0, 0], [1, 0, 0], [0, 0.5, 0]], 5, axis=0),
)  # fmt: skip


@pytest.fixture(scope="module")
def vpype():
    return pytest.importorskip("vpype")


@pytest.fixture(scope="module")
def gcode():
    pytest.importorskip("vpype_gcode")


@pytest.mark.parametrize("paper", ["a6", "a4", "legal"])
def test_vpype_reads_as_many_lines_of_the_same_length(vpype, tmp_path, paper):
    made = plot(DOT_AND_STROKES, paper)
    made.save(tmp_path / "plot.svg")
    document = vpype.read_multilayer_svg(str(tmp_path / "plot.svg"), quantization=0.1 * MM)
    assert [len(document.layers[k]) for k in sorted(document.layers)] == [
        len(layer.lines) for layer in made.layers
    ]
    assert document.length() / MM == pytest.approx(made.length, rel=1e-3)
    assert np.array(document.page_size) / MM == pytest.approx(made.size, rel=1e-4)
    for layer, lines in enumerate(made.layers, 1):
        assert document.layers[layer].property("vp_color").as_rgb_hex() == lines.color
        assert document.layers[layer].property("vp_pen_width") / MM == pytest.approx(0.5, rel=1e-4)
    # vpype's sum of its own pen-up travel, within each layer
    up = 0.0
    for lines in made.layers:
        ends = [line.ends for line in lines.lines]
        up += sum(np.linalg.norm(b[0] - a[1]) for a, b in pairwise(ends))
    theirs = sum(layer.pen_up_length()[0] for layer in document.layers.values())
    assert theirs / MM == pytest.approx(up, rel=1e-3)


def test_hpgl_draws_all_in_place(vpype):
    made = plot(DOT_AND_STROKES, "a4", margin=20)
    text = made.to_hpgl()
    assert text.startswith("IN;DF;PS4;SP1;")
    assert re.findall(r"SP(\d)", text) == ["1", "2", "3", "0"]
    assert text.count("PD") == len(made.lines)
    moves = re.findall(r"P[UD](\d+,\d+[\d,]*);", text.split("SP1;")[1].split("SP0")[0])
    points = np.concatenate([np.array(m.split(","), float).reshape(-1, 2) for m in moves[:-1]])
    extent = np.ptp(points, axis=0) * 0.02488  # mm a plotter's unit
    drawn = np.concatenate([np.concatenate(layer) for layer in made.flatten()])
    assert extent == pytest.approx(np.ptp(drawn, axis=0), abs=0.1)


def test_hpgl_that_the_plotter_cannot_do(vpype):
    with pytest.raises(ClipassoError, match="--device nope: is not among"):
        plot(DOT_AND_STROKES).to_hpgl("nope")
    with pytest.raises(ClipassoError, match="takes no paper of 210 x 148 mm, only a4"):
        plot(DOT_AND_STROKES, "a5").to_hpgl()
    edges = Sketch([[[0, 0], [224, 0]], [[0, 0], [0, 160]]], (224, 160))
    with pytest.raises(ClipassoError, match=r"does not reach all .* give a larger --margin"):
        plot(edges, "a4", margin=0).to_hpgl()
    assert plot(edges, "a4", margin=25).to_hpgl().count("PD") == 1
    with pytest.raises(ClipassoError, match=r"--device broken: .*30mmmm"):
        plot(DOT_AND_STROKES).to_hpgl("broken")
    # One that takes any paper
    assert plot(DOT_AND_STROKES, "123x150mm", margin=5).to_hpgl("any").startswith("IN;DF;SP1;")


@pytest.fixture(autouse=True)
def own_devices():
    """Descriptions as a person may have in ~/.vpype.toml."""
    try:
        from vpype import config_manager
    except ImportError:
        yield
        return
    any_paper = {
        "name": "any", "plotter_unit_length": "0.025mm", "pen_count": 2,
        "paper": [{"name": "flex", "y_axis_up": True, "origin_location": ["0mm", "0mm"],
                   "origin_location_reference": "botleft"}],
    }  # fmt: skip
    broken = {**any_paper, "paper": [{**any_paper["paper"][0], "origin_location": ["30mmmm", 0]}]}
    devices = config_manager.config["device"]
    devices.update(any=any_paper, broken=broken)
    yield
    del devices["any"], devices["broken"]


def test_gcode_is_in_millimetres(vpype, gcode):
    made = plot(DOT_AND_STROKES, "a5")
    lines = made.to_gcode().splitlines()
    assert lines[0] == "G21"
    found = [re.fullmatch(r"G0([01]) X([-0-9.]+) Y([-0-9.]+)", line) for line in lines]
    moves = [(m[1], float(m[2]), float(m[3])) for m in found if m]
    assert sum(kind == "0" for kind, _, _ in moves) == len(made.lines)
    drawn = np.array([move[1:] for move in moves])
    whole = np.concatenate([np.concatenate(layer) for layer in made.flatten()])
    whole[:, 1] = made.size[1] - whole[:, 1]  # y up
    assert np.abs(drawn - whole).max() < 2e-4
    with pytest.raises(ClipassoError, match=r"--profile nope: is not among .*gcodemm"):
        made.to_gcode("nope")


@pytest.mark.parametrize(("call", "package"), [("to_hpgl", "vpype"), ("to_gcode", "vpype")])
def test_without_vpype_it_is_said_what_to_install(call, package):
    program = (
        "import sys; sys.modules['vpype'] = None\n"
        "from clipasso import ClipassoError, Sketch, plot\n"
        "try: plot(Sketch([[[1, 1], [5, 5]]], (9, 9)))." + call + "()\n"
        "except ClipassoError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert f"needs {package}: pip install 'clipasso[plot]'" in done.stdout
