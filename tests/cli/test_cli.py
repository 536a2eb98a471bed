"""The command line from outside, bad input above all."""

import errno
import io
import json
import os
import re
import signal
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clipasso import Sketch, __version__
from clipasso.cli import run

QUICK = [
    "--iterations", "4", "--seeds", "2", "--augmentations", "0", "--encoder", "efficientnet-lite0",
    "--strokes", "5",
]  # fmt: skip


def sketch(*arguments):
    return run(["sketch", *QUICK, *map(str, arguments)])


def test_writes_svg_png_and_json(photo_path, tmp_path, capsys):
    out = tmp_path / "new" / "folder"
    assert sketch(photo_path, "-o", out) == 0
    assert sorted(p.name for p in out.iterdir()) == ["flower.json", "flower.png", "flower.svg"]
    made = Sketch.open(out / "flower.svg")
    assert len(made) == 5
    assert made.size == (224, 168)  # the photo's own 4 : 3
    assert made.metadata["photo"] == "flower.png"
    assert made.metadata["encoder"] == "EfficientNet-Lite0 (ImageNet)"
    assert made.metadata["version"] == f"clipasso {__version__}"
    report = json.loads((out / "flower.json").read_text())
    assert made.metadata["seed"] == str(report["seed"])
    assert float(made.metadata["loss"]) == pytest.approx(report["loss"], rel=1e-5)
    assert report["loss"] == min(s["loss"] for s in report["seeds"])
    assert [s["seed"] for s in report["seeds"]] == [0, 1000]
    assert report["settings"]["strokes"] == 5
    assert report["loss_recipe"]["layers"]["stage3"] > 0
    assert report["frame"]["width"] == 224
    assert report["curve"][0]["step"] == 0
    assert report["versions"]["clipasso"] == __version__
    png = Image.open(out / "flower.png")
    assert png.size == (1024, 768)
    assert np.asarray(png.convert("L")).min() < 30
    captured = capsys.readouterr()
    assert "flower.svg" in captured.out
    assert "EfficientNet-Lite0" in captured.out


def test_same_seed_same_svg(photo_path, tmp_path):
    texts = []
    for name in ("a", "b"):
        assert sketch(photo_path, "-o", tmp_path / name, "-q") == 0
        texts.append((tmp_path / name / "flower.svg").read_bytes())
    assert texts[0] == texts[1]
    assert sketch(photo_path, "-o", tmp_path / "c", "-q", "--seed", 7) == 0
    assert (tmp_path / "c" / "flower.svg").read_bytes() != texts[0]


def test_all_seeds_and_debug(photo_path, tmp_path):
    out = tmp_path / "out"
    assert sketch(photo_path, "-o", out, "--all-seeds", "--debug", "-q") == 0
    names = {p.name for p in out.iterdir()}
    pictures = ("input", "mask", "candidates", "saliency", "edges", "distribution", "initial")
    debug = {f"flower-{name}.png" for name in pictures}
    assert names == {"flower.json", "flower.png", "flower.svg", "flower-rank2.svg"} | debug
    losses = [
        float(Sketch.open(out / n).metadata["loss"]) for n in ("flower.svg", "flower-rank2.svg")
    ]
    assert losses == sorted(losses)
    red = np.asarray(Image.open(out / "flower-distribution.png").convert("RGB")).astype(int)
    assert ((red[..., 0] > 200) & (red[..., 1] < 50)).sum() > 100  # the sampled points


def test_json_goes_to_stdout_and_nothing_else_does(photo_path, tmp_path, capsys):
    assert sketch(photo_path, "-o", tmp_path / "out", "--json") == 0
    (line,) = capsys.readouterr().out.splitlines()
    report = json.loads(line)
    assert [Path(f).name for f in report["files"]] == ["flower.svg", "flower.png", "flower.json"]


def test_quiet_is_quiet(photo_path, tmp_path, capsys):
    assert sketch(photo_path, "-o", tmp_path / "out", "--quiet") == 0
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_progress_names_the_photo_and_the_loss(photo_path, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    assert sketch(photo_path, "-o", tmp_path / "out") == 0
    shown = capsys.readouterr().err
    assert "flower.png" in shown
    assert "loss" in shown


def test_existing_results_are_kept_without_force(photo_path, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    (out / "flower.svg").write_text("mine")
    assert sketch(photo_path, "-o", out) == 2
    assert "--force" in capsys.readouterr().err
    assert (out / "flower.svg").read_text() == "mine"
    assert sketch(photo_path, "-o", out, "--force", "-q") == 0
    assert len(Sketch.open(out / "flower.svg")) == 5


def test_a_bad_photo_does_not_cost_the_good_one(photo_path, tmp_path, capsys):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"")
    out = tmp_path / "out"
    assert sketch(bad, photo_path, "-o", out, "-q") == 2
    assert "bad.png" in capsys.readouterr().err
    assert (out / "flower.svg").exists()


def test_photos_of_one_name_clash_before_any_work(photo_path, tmp_path, capsys):
    other = tmp_path / "other"
    other.mkdir()
    (other / "flower.jpg").write_bytes(photo_path.read_bytes())
    assert sketch(photo_path, other / "flower.jpg", "-o", tmp_path / "out") == 2
    assert "flower.jpg" in capsys.readouterr().err


def test_more_strokes_than_edge_pixels(tmp_path):
    path = tmp_path / "dot.png"
    image = Image.new("L", (224, 224), 255)
    image.paste(0, (100, 100, 103, 103))
    image.save(path)
    assert sketch(path, "-o", tmp_path / "out", "-q", "--strokes", 64) == 0
    assert len(Sketch.open(tmp_path / "out" / "dot.svg")) == 64


def png_header(width, height):
    """A PNG that claims a size; only its first rows' worth of data follow."""

    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000)))


def truncated_jpeg():
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    Image.fromarray(noise).save(buffer, "jpeg")
    return buffer.getvalue()[:5000]


def one_pixel():
    buffer = io.BytesIO()
    Image.new("RGB", (1, 1)).save(buffer, "png")
    return buffer.getvalue()


BAD_FILES = {
    "missing.jpg": None,
    "empty.jpg": b"",
    "text.jpg": b"this is no photo",
    "cut.jpg": truncated_jpeg(),
    "pixel.png": one_pixel(),
    "bomb.png": png_header(20000, 20000),
}


def one_line(text):
    """The single line on stderr."""
    lines = [line for line in text.splitlines() if line.strip()]
    assert len(lines) == 1, text
    assert "Traceback" not in text
    return lines[0]


@pytest.mark.parametrize("name", list(BAD_FILES))
def test_bad_photos_are_one_line_and_exit_2(name, tmp_path, capsys):
    path = tmp_path / name
    if BAD_FILES[name] is not None:
        path.write_bytes(BAD_FILES[name])
    assert sketch(path, "-o", tmp_path / "out", "-q") == 2
    line = one_line(capsys.readouterr().err)
    assert str(path) in line
    assert not list((tmp_path / "out").iterdir())


def test_animations_are_sketched_from_their_first_frame_and_say_so(tmp_path, capsys):
    path = tmp_path / "moving.gif"
    frames = [Image.new("L", (64, 64), 255) for _ in range(3)]
    frames[0].paste(130, (20, 20, 44, 44))  # grey: what is black on white is a drawing
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert sketch(path, "-o", tmp_path / "out", "-q") == 0
    assert "first" in one_line(capsys.readouterr().err)
    assert (tmp_path / "out" / "moving.svg").exists()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--strokes", "0"], "--strokes 0"),
        (["--strokes", "-3"], "--strokes -3"),
        (["--strokes", "many"], "--strokes"),
        (["--width", "-1"], "--width -1"),
        (["--width", "nan"], "--width nan"),
        (["--control-points", "5"], "--control-points 5"),
        (["--iterations", "0"], "--iterations 0"),
        (["--seeds", "0"], "--seeds 0"),
        (["--seed", "-1"], "--seed -1"),
        (["--encoder", "vgg"], "vgg: no such encoder"),
        (["--encoder", "RN101", "--weights", "nowhere.pt"], "nowhere.pt"),
        (["--preset", "best"], "best"),
        (["--fit", "cover"], "cover"),
        (["--device", "abacus"], "abacus"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_bad_options_are_one_line_and_exit_2(arguments, named, photo_path, tmp_path, capsys):
    assert run(["sketch", str(photo_path), "-o", str(tmp_path / "out"), "-q", *arguments]) == 2
    assert named in one_line(capsys.readouterr().err)
    assert not (tmp_path / "out" / "flower.svg").exists()


def test_unreadable_weights(photo_path, tmp_path, capsys):
    weights = tmp_path / "weights.pt"
    weights.write_bytes(b"no weights")
    arguments = ["sketch", str(photo_path), "-o", str(tmp_path / "out"), "--encoder", "RN101"]
    assert run([*arguments, "--weights", str(weights)]) == 2
    assert str(weights) in one_line(capsys.readouterr().err)


def test_output_that_is_a_file(photo_path, tmp_path, capsys):
    (tmp_path / "out").write_text("in the way")
    assert sketch(photo_path, "-o", tmp_path / "out", "-q") == 2
    assert "out" in one_line(capsys.readouterr().err)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a folder that nobody can write to")
def test_unwritable_output(photo_path, capsys):
    assert sketch(photo_path, "-o", "/proc/sketches", "-q") == 2
    assert "/proc/sketches" in one_line(capsys.readouterr().err)


def test_no_space_left_keeps_what_was_there(photo_path, tmp_path, capsys, monkeypatch):
    out = tmp_path / "out"
    assert sketch(photo_path, "-o", out, "-q") == 0
    before = {p.name: p.read_bytes() for p in out.iterdir()}

    def full(handle, mode):
        os.close(handle)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fdopen", full)
    assert sketch(photo_path, "-o", out, "-q", "--force", "--seed", 3) == 2
    line = one_line(capsys.readouterr().err)
    assert "No space left" in line
    assert "out" in line
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before


def test_auto_says_which_encoder_it_took_and_what_clip_would_cost(
    photo_path, tmp_path, capsys, monkeypatch
):
    from clipasso.encoders import hub

    asked = []
    monkeypatch.setattr(hub, "cached_weights", lambda *a: None)
    monkeypatch.setattr(hub, "hub_answers", lambda *a: asked.append(a))
    out, quick = tmp_path / "out", ["--iterations", "2", "-q", "--device", "cpu"]
    assert run(["sketch", str(photo_path), "-o", str(out), *quick]) == 0
    line = one_line(capsys.readouterr().err)
    assert "EfficientNet-Lite0" in line
    assert re.search(r"--encoder RN101 would fetch about 1\.1 GB .* and then take up to about \d+ ",
                     line)  # fmt: skip
    assert not asked  # without a GPU nobody waits for the hub
    report = json.loads((out / "flower.json").read_text())
    assert report["encoder"] == "EfficientNet-Lite0 (ImageNet)"
    # The paper's preset names its encoder, so there is no substitute.
    assert run(["sketch", str(photo_path), "-o", str(out), "--preset", "paper", "--force"]) == 2
    assert "RN101" in one_line(capsys.readouterr().err)


def _read(terminal):
    """What a program shows next, empty once it has closed its end."""
    try:
        return os.read(terminal, 4096).decode(errors="replace")
    except OSError:
        return ""


@pytest.mark.skipif(os.name == "nt", reason="needs a terminal of its own and SIGINT")
def test_ctrl_c_keeps_the_best_so_far(photo_path, tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "clipasso", "sketch", str(photo_path), "-o", str(out)]
    command += ["--encoder", "efficientnet-lite0", "--iterations", "100000", "--seeds", "1"]
    import pty  # not everywhere

    terminal, end = pty.openpty()  # so that the progress bar shows when there is a sketch to keep
    process = subprocess.Popen(command, stdout=end, stderr=end, close_fds=True)
    os.close(end)
    errors, interrupted = "", False
    while chunk := _read(terminal):
        errors += chunk
        if not interrupted and re.search(r"loss \d", errors):
            process.send_signal(signal.SIGINT)
            interrupted = True
    assert process.wait(60) == 130, errors
    assert "best sketch so far" in errors
    assert "Traceback" not in errors
    assert sorted(p.suffix for p in out.iterdir()) == [".json", ".png", ".svg"]
    report = json.loads((out / "flower.json").read_text())
    assert report["stopped"] == "interrupted"
    assert report["steps"] >= 1
    assert len(Sketch.open(out / "flower.svg")) == 16


def test_render(photo_path, tmp_path, capsys):
    svg, png = tmp_path / "a.svg", tmp_path / "a.png"
    points = np.array([[[10.0, 10], [20, 40], [60, 40], [90, 10]]])
    Sketch(points, size=(100, 50), widths=4.0, colors=(1, 0, 0)).save(svg)
    assert run(["render", str(svg), "--size", "400"]) == 0
    image = np.asarray(Image.open(png))
    assert image.shape == (200, 400, 3)
    assert image[40, 40].tolist() == pytest.approx([255, 0, 0], abs=8)
    assert image[199, 0].tolist() == [255, 255, 255]
    assert run(["render", str(svg)]) == 2
    assert "--force" in capsys.readouterr().err
    assert run(["render", str(svg), "--force", "--size", "0"]) == 2
    assert run(["render", str(tmp_path / "none.svg")]) == 2
    assert "none.svg" in capsys.readouterr().err


def test_render_draws_the_first_strokes_alone(tmp_path, capsys):
    rows = [[[10.0, y], [90, y]] for y in (10, 20, 30)]
    Sketch(rows, size=(100, 50), widths=4.0).save(tmp_path / "three.svg")
    out = tmp_path / "two.png"
    words = ["render", str(tmp_path / "three.svg"), "-o", str(out), "--size", "100"]
    assert run([*words, "--first", "2"]) == 0
    assert (np.asarray(Image.open(out).convert("L"))[[10, 20, 30], 50] < 128).tolist() == [1, 1, 0]
    for count in ("0", "4"):
        assert run([*words, "--force", "--first", count]) == 2
        assert "strokes 1 to 3" in capsys.readouterr().err


def test_render_draws_the_official_sketches(shared, tmp_path):
    svg = shared / "peers" / "clipasso-official" / "horse-16paths.svg"
    assert run(["render", str(svg), "-o", str(tmp_path / "horse.png"), "--size", "224"]) == 0
    ink = 1 - np.asarray(Image.open(tmp_path / "horse.png").convert("L")) / 255
    assert 0.02 < ink.mean() < 0.2


def test_encoders_are_listed(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert run(["encoders"]) == 0
    shown = capsys.readouterr().out
    for name in ("efficientnet-lite0", "RN50", "RN101", "ViT-B-32", "ViT-B-16"):
        assert name in shown
    assert "here, " in shown
    assert "--weights FILE" in shown


def test_version_and_help(capsys):
    assert run(["--version"]) == 0
    assert __version__ in capsys.readouterr().out
    assert run(["sketch", "--help"]) == 0
    shown = capsys.readouterr().out
    for option in ("--strokes", "--encoder", "--weights", "--preset", "--seeds", "--fit"):
        assert option in shown
    assert run(["nonsense"]) == 2


def test_nothing_heavy_is_imported_before_it_is_used():
    heavy = {"torch", "numba", "PIL", "skimage", "timm", "open_clip", "numpy"}
    for code in ("import clipasso", "import clipasso.__main__"):
        listing = subprocess.run(
            [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert not heavy & set(listing.stdout.split()), code
    shown = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "clipasso", "--version"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown.stdout.strip() == f"clipasso {__version__}"
    imported = {line.rsplit("|", 1)[-1].strip() for line in shown.stderr.splitlines()}
    assert not heavy & imported
