"""`clipasso plot` and `clipasso export` from outside, bad input above all."""

import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from clipasso import Sketch
from clipasso.cli import run

FOREIGN = """<svg xmlns="http://www.w3.org/2000/svg" width="10cm" height="6cm"
viewBox="0 0 1000 600"><g fill="none" stroke="crimson" stroke-width="20">
<path d="M-100,300 Q500,-400 1100,300"/>
<path d="M100,500 H500"/><path d="M900,500 L500,500"/><circle cx="500" cy="300" r="120"
stroke="#0055aa"/><path d="M40,40 h100 v60 z" fill="gold"/></g>
<rect x="700" y="200" width="90" height="90"/></svg>"""


@pytest.fixture
def svg(tmp_path):
    path = tmp_path / "drawing.svg"
    points = np.random.default_rng(0).random((7, 4, 2)) * [100, 50]
    Sketch(points, (100, 50), metadata={"photo": "cat.png"}).save(path)
    return path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def cli(*arguments):
    return run([os.fspath(argument) for argument in map(str, arguments)])


def test_a_plot_says_how_far_the_pen_goes(svg, tmp_path, capsys):
    assert cli("plot", svg, "--paper", "a5", "--margin", "15mm", "--pen", "0.5mm") == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{tmp_path / 'drawing-plot.svg'}  210 x 148 mm, 7 lines in 1 layer, ")
    words = out.split()
    up, before = float(words[words.index("up") + 1]), float(words[-6].strip("("))
    assert 0 < up < before
    made = Sketch.open(tmp_path / "drawing-plot.svg")
    assert made.size == (210, 148)
    down = float(words[words.index("down") + 1])
    assert made.lengths().sum() == pytest.approx(down, abs=0.6)


def test_bold_strokes_are_gone_over_in_passes(tmp_path, capsys):
    path = tmp_path / "bold.svg"
    lines = [[[10, y], [90, y]] for y in (10, 20, 40)]
    Sketch(lines, (100, 50), widths=[1.1, 4, 8]).save(path)
    said = (
        f"clipasso: {path}: strokes of 1.1 to 8 px all become lines of the pen's width; --fill "
        "goes over bold ones in passes\n"
    )
    assert cli("plot", path) == 0
    captured = capsys.readouterr()
    assert captured.err == said
    assert "3 lines in 1 layer" in captured.out
    once = Sketch.open(tmp_path / "bold-plot.svg").lengths().sum()
    assert cli("plot", path, "--fill", "--pen", "1mm", "--force") == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "3 lines in 1 layer" in captured.out  # the pen stays down from pass to pass
    assert Sketch.open(tmp_path / "bold-plot.svg").lengths().sum() > 10 * once
    assert cli("plot", path, "--keep-widths", "--force") == 0
    assert capsys.readouterr().err == ""
    assert cli("plot", path, "--keep-widths", "--fill", "--force") == 2
    assert capsys.readouterr().err.startswith("clipasso: --fill --keep-widths: exclude each other")
    # Alike, or different where nothing is seen
    Sketch(lines, (100, 50), widths=[2, 3, 8], opacities=[1, 1, 0]).save(path)
    assert cli("plot", path, "--force") == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("suffix", ["pdf", "png", "svg", "json", "ndjson"])
def test_every_format_by_its_suffix(svg, tmp_path, suffix, capsys):
    target = tmp_path / "new" / f"x.{suffix}"
    assert cli("export", svg, "-o", target) == 0
    assert capsys.readouterr().out == f"{target}  7 strokes\n"
    start = {"pdf": b"%PDF", "png": b"\x89PNG", "svg": b"<svg", "json": b"{", "ndjson": b'{"word"'}
    assert target.read_bytes().startswith(start[suffix])
    assert cli("export", svg, "-o", target) == 2
    assert "exists already; give --force" in capsys.readouterr().err
    assert cli("export", svg, "-o", target, "--force") == 0


def test_dxf_from_the_command_line(svg, tmp_path):
    ezdxf = pytest.importorskip("ezdxf")
    assert cli("export", svg, "--format", "dxf") == 0
    found = ezdxf.readfile(tmp_path / "drawing.dxf").modelspace()
    assert [e.dxftype() for e in found] == ["SPLINE"] * 7


def test_machines_from_the_command_line(svg, tmp_path, capsys):
    pytest.importorskip("vpype_gcode")
    assert cli("plot", svg, "-o", tmp_path / "a.hpgl", "--device", "hp7475a") == 0
    assert "Metric mode" in capsys.readouterr().err
    assert (tmp_path / "a.hpgl").read_text().startswith("IN;DF;")
    assert cli("plot", svg, "-o", tmp_path / "a.nc") == 0
    assert (tmp_path / "a.nc").read_text().startswith("G21")
    assert cli("plot", svg, "--format", "hpgl", "--paper", "a6") == 2
    assert "takes no paper" in capsys.readouterr().err
    assert names(tmp_path) == ["a.hpgl", "a.nc", "drawing.svg"]


def test_as_filters(svg, tmp_path):
    def program(*arguments, data):
        command = [sys.executable, "-m", "clipasso", *arguments]
        return subprocess.run(
            command, input=data, capture_output=True, cwd=tmp_path, timeout=300, check=True
        )

    as_json = program("export", "-", "--format", "json", data=svg.read_bytes()).stdout
    assert Sketch.from_json(as_json) == Sketch.open(svg)
    plotted = program("plot", "-", "-o", "-", data=as_json)
    assert Sketch.from_svg(plotted.stdout).size == (297, 210)
    assert b"standard output  297 x 210 mm, 7 lines" in plotted.stderr
    assert names(tmp_path) == ["drawing.svg"]


def test_json_is_read_by_all_who_read_sketches(svg, tmp_path):
    assert cli("export", svg, "-o", tmp_path / "a.json") == 0
    assert cli("export", tmp_path / "a.json", "-o", tmp_path / "a.svg") == 0
    assert cli("render", tmp_path / "a.json", "-o", tmp_path / "a.png", "--size", 64) == 0
    assert Image.open(tmp_path / "a.png").size == (64, 32)
    back = Sketch.open(tmp_path / "a.svg")
    assert back.metadata == {"photo": "cat.png"}
    assert np.abs(back.points - Sketch.open(svg).points).max() < 0.006


def test_other_programs_drawings(tmp_path, capsys):
    path = tmp_path / "foreign.svg"
    path.write_text(FOREIGN)
    assert cli("plot", path, "--paper", "a4") == 0
    captured = capsys.readouterr()
    assert "5 lines in 2 layers" in captured.out  # the arch leaves the canvas and comes back
    assert "not kept: 1 filled shape without a stroke" in captured.err
    for suffix in ("pdf", "ndjson"):
        assert cli("export", path, "-o", tmp_path / f"a.{suffix}") == 0
    assert len(json.loads((tmp_path / "a.ndjson").read_text())["drawing"]) == 6


def test_the_official_sketches(shared, tmp_path):
    for path in sorted((shared / "peers" / "clipasso-official").glob("*.svg")):
        assert cli("plot", path, "-o", tmp_path / path.name, "--margin", "0mm") == 0
        made = Sketch.open(tmp_path / path.name)
        flat = np.concatenate(made.flatten())
        assert (flat >= 0.25 - 1e-3).all()
        assert (flat <= np.array(made.size) - 0.25 + 1e-3).all()
        assert cli("export", path, "-o", tmp_path / f"{path.stem}.pdf") == 0


BAD = {
    "fills.svg": "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'><rect width='4' "
    "height='4'/></svg>",
    "closed.svg": "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'>"
    "<path d='M1 1h3v3z' fill='red'/></svg>",
    "none.svg": "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'/>",
    "zero.svg": "<svg xmlns='http://www.w3.org/2000/svg' width='0' height='9'><path stroke='red' "
    "d='M1 1 3 3'/></svg>",
    "units.svg": "<svg xmlns='http://www.w3.org/2000/svg' width='9em' height='9%'/>",
    "text.svg": "no picture",
    "empty.svg": "",
    "bad.json": "{}",
    "empty.json": Sketch(np.empty((0, 4, 2)), (9, 9)).to_json(),
}


@pytest.mark.parametrize("name", [*BAD, "missing.svg", "missing.json", "folder.json"])
@pytest.mark.parametrize("command", [("plot", "out.svg"), ("export", "out.pdf")])
def test_what_is_no_sketch_is_told_in_a_line(name, command, tmp_path, capsys):
    path = tmp_path / name
    if name in BAD:
        path.write_text(BAD[name])
    elif name.startswith("folder"):
        path.mkdir()
    before = names(tmp_path)
    assert cli(command[0], path, "-o", tmp_path / command[1]) == 2
    error = capsys.readouterr().err.splitlines()
    assert error[-1].startswith(f"clipasso: {path}: ")
    assert all(": not kept: " in line for line in error[:-1])
    assert names(tmp_path) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("plot", "--margin", "200mm"), "--margin 200mm: leaves no room"),
        (("plot", "--paper", "b9"), "--paper b9"),
        (("plot", "--landscape", "up"), "--landscape up"),
        (("plot", "--fit", "all"), "--fit all"),
        (("plot", "--format", "dxf"), "--format dxf: must be svg, hpgl, gcode"),
        (("plot", "-o", "a.dxf"), "a.dxf: its suffix must be one of .svg"),
        (("plot", "-o", "a.svg", "--device", "dxy"), "--device: is for hpgl, not svg"),
        (("plot", "-o", "a.hpgl", "--profile", "x"), "--profile: is for gcode, not hpgl"),
        (("export",), "-o or --format: give one"),
        (("export", "-o", "-"), "-o -: give a --format"),
        (("export", "-o", "a.bmp"), "a.bmp: its suffix must be .pdf"),
        (("export", "-o", "a.pdf", "--size", "300"), "--size 300: needs a unit"),
        (("export", "-o", "a.svg", "--transparent"), "--transparent: is for png"),
        (("export", "-o", "z" * 300 + ".pdf"), "no file of this name can be made"),
        (("plot", "-o", "z" * 300 + ".svg"), "choose another name with -o"),
    ],
)
def test_options_that_do_not_fit_are_told_in_a_line(
    arguments, message, svg, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert cli(arguments[0], svg, *arguments[1:]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert names(tmp_path) == ["drawing.svg"]


@pytest.mark.parametrize("command", [("plot",), ("export",)])
def test_what_is_read_is_not_written_over(command, svg, tmp_path, capsys):
    before = svg.read_bytes()
    link = tmp_path / "link.svg"
    link.symlink_to(svg)
    for target in (svg, link):
        assert cli(*command, svg, "-o", target, "--force") == 2
        assert "would overwrite" in capsys.readouterr().err
    assert cli("export", svg, "--format", "svg", "--force") == 2
    assert svg.read_bytes() == before


def test_transparent_pngs_of_any_size(svg, tmp_path):
    target = tmp_path / "a.png"
    assert cli("export", svg, "-o", target, "--size", 300, "--transparent") == 0
    png = Image.open(io.BytesIO(target.read_bytes()))
    assert (png.mode, png.size) == ("RGBA", (300, 150))
    assert png.getextrema()[3] == (0, 255)
