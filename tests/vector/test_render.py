"""Pictures of sketches: tiles, far strokes, memory, PNG."""

import io
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

import clipasso.vector.render
from clipasso import ClipassoError, Sketch
from clipasso.cli import run
from clipasso.pipeline.output import encode_png
from clipasso.raster import rasterize
from clipasso.vector.render import render, render_image


def tangle(strokes, segments=1, *, seed=0, coloured=True, degree=3):
    """Strokes in all looks, some partly off their canvas."""
    rng = np.random.default_rng(seed)
    return Sketch(
        rng.normal(100, 70, (strokes, degree * segments + 1, 2)), (224, 180), degree,
        widths=rng.random(strokes) * 9, opacities=rng.random(strokes),
        colors=rng.random((strokes, 3)) if coloured else rng.random((strokes, 1)).repeat(3, 1),
    )  # fmt: skip


def in_one_piece(sketch, side, dtype):
    """Without tiles, as sketches are drawn while they are optimised."""
    large = sketch.scaled(side / max(sketch.size))
    image = rasterize(
        torch.tensor(large.points, dtype=dtype), widths=torch.tensor(large.widths, dtype=dtype),
        colors=torch.tensor(large.colors, dtype=dtype),
        opacities=torch.tensor(large.opacities, dtype=dtype),
        size=(round(large.size[0]), round(large.size[1])), degree=large.degree,
    )  # fmt: skip
    return np.rint(image.permute(1, 2, 0).numpy().clip(0, 1) * 255).astype(np.uint8)


SCENES = [(1, 1, True, 3), (30, 1, True, 3), (12, 4, False, 3), (20, 3, True, 2), (20, 5, False, 1)]


@pytest.mark.parametrize(("strokes", "segments", "coloured", "degree"), SCENES)
def test_a_picture_of_usual_size_is_what_was_optimised(strokes, segments, coloured, degree):
    sketch = tangle(strokes, segments, coloured=coloured, degree=degree)
    found = render(sketch)
    assert found.shape == (823, 1024, 3)
    assert found.dtype == np.uint8
    # Single segments are the same bytes; of chains only guesses at the joints differ.
    off = np.abs(found.astype(int) - in_one_piece(sketch, 1024, torch.float32))
    assert off.max() <= (0 if segments == 1 else 1)
    exact = in_one_piece(sketch, 1024, torch.float64)
    assert np.abs(found.astype(int) - exact).max() <= 1
    assert (found != exact).mean() < 1e-3


@pytest.mark.parametrize(("strokes", "segments", "coloured", "degree"), SCENES)
@pytest.mark.parametrize("tile", [64, 150, 250])
def test_tiles_do_not_show(strokes, segments, coloured, degree, tile, monkeypatch):
    sketch = tangle(strokes, segments, coloured=coloured, degree=degree)
    whole = render(sketch, 500).astype(int)
    monkeypatch.setattr(clipasso.vector.render, "_TILE", tile)
    found = render(sketch, 500)
    assert np.abs(found - whole).max() <= 1
    assert (found != whole).mean() < 1e-3
    np.testing.assert_array_equal(found, render(sketch, 500))
    np.testing.assert_array_equal(found, np.asarray(render_image(sketch, 500)))


def test_strokes_cover_each_other_in_their_order_in_every_tile(monkeypatch):
    monkeypatch.setattr(clipasso.vector.render, "_TILE", 50)
    across = [[(-10, y), (210, y)] for y in (100, 100, 100)]
    sketch = Sketch(across, (200, 200), widths=20, colors=[(1, 0, 0), (0, 1, 0), (0, 0, 1)])
    assert (render(sketch, 200)[100] == (0, 0, 255)).all()


@pytest.mark.parametrize("far", [1e4, 1e9, 1e12])
def test_what_lies_far_off_is_drawn_exactly(far, monkeypatch):
    near = Sketch([[(-500, -450), (1500, 1550)]], (1000, 1000), widths=7)
    long = Sketch([[(-far, -far + 50), (far, far + 50)]], (1000, 1000), widths=7)
    for tile in (1024, 128):
        monkeypatch.setattr(clipasso.vector.render, "_TILE", tile)
        assert np.abs(render(long, 1000).astype(int) - render(near, 1000)).max() <= 1


def test_a_long_curve_stays_smooth_when_magnified(monkeypatch):
    """A parabola whose points lie a million pixels away, where it crosses the canvas."""
    bow = 1e6  # y = x^2 / (2 bow) near its vertex, to within a thousandth of a pixel
    curve = Sketch([[(-bow, bow / 2), (0, -bow / 2), (bow, bow / 2)]], (400, 400), 2, widths=4)
    sketch = curve.translated(200, 200)
    monkeypatch.setattr(clipasso.vector.render, "_TILE", 64)
    darkness = 255.0 - render(sketch, 400)[..., 0]
    y = (darkness * (np.arange(400)[:, None] + 0.5)).sum(0) / darkness.sum(0)
    np.testing.assert_allclose(y, 200 + (np.arange(400) - 199.5) ** 2 / (2 * bow), atol=0.01)


def test_what_cannot_be_drawn_is_refused():
    sketch = tangle(1)
    for side in (0, -1, 16_385):
        with pytest.raises(ClipassoError, match="must be from 1 to 16384"):
            render(sketch, side)
    with pytest.raises(ClipassoError, match="too far off"):
        render(Sketch([[(0, 0), (1e300, 0)]], (10, 10)), 10)
    assert (render(Sketch(np.zeros((0, 4, 2)), (30, 20)), 9) == 255).all()


def test_png_keeps_the_pixels():
    sketch = tangle(5)
    for picture in (render(sketch, 90), render_image(sketch, 90)):
        with Image.open(io.BytesIO(encode_png(picture))) as png:
            assert png.mode == "RGB"
            np.testing.assert_array_equal(np.asarray(png), render(sketch, 90))


def peak(*arguments):
    """Megabytes that the command line needs at most."""
    if not sys.platform.startswith("linux"):
        pytest.skip("reads /proc")
    code = (
        "import pathlib, sys; from clipasso.cli import run; status = run(sys.argv[1:]);"
        "print('torch' in sys.modules, pathlib.Path('/proc/self/status').read_text());"
        "sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "\nFalse" in done.stdout  # torch is half a gigabyte and some seconds, for nothing
    return int(re.findall(r"VmHWM:\s+(\d+) kB", done.stdout)[0]) / 1024


def test_a_large_picture_takes_the_memory_of_its_pixels(tmp_path):
    tangle(40).save(tmp_path / "tangle.svg")
    assert peak("render", tmp_path / "tangle.svg", "--size", 8192) < 700  # of that 205 the picture
    with Image.open(tmp_path / "tangle.png") as picture:
        assert picture.size == (8192, 6583)


@pytest.mark.slow
@pytest.mark.parametrize("strokes", [1, 2000])
def test_the_largest_picture_takes_less_than_two_gigabytes(tmp_path, strokes):
    rng = np.random.default_rng(0)
    sketch = Sketch(rng.random((strokes, 4, 2)) * 224, (224, 224), widths=1.5)
    sketch.save(tmp_path / "large.svg")
    assert peak("render", tmp_path / "large.svg", "--size", 16_384) < 2000


def test_the_command_draws_all_sizes(tmp_path, capsys):
    tangle(3).save(tmp_path / "tangle.svg")
    for side in (1, 10, 1500):
        assert run(["render", str(tmp_path / "tangle.svg"), "--force", "--size", str(side)]) == 0
        with Image.open(tmp_path / "tangle.png") as picture:
            assert max(picture.size) == side
    assert run(["render", str(tmp_path / "tangle.svg"), "--force", "--size", "16385"]) == 2
    assert "--size 16385: must be from 1 to 16384" in capsys.readouterr().err
