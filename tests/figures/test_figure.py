"""`clipasso figure`: the paper's figures as commands."""

import csv
import io
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Page
from PIL import Image

import clipasso
from clipasso import Sketch
from clipasso.cli import run
from clipasso.encoders import EMBEDDED
from clipasso.errors import ClipassoError
from clipasso.figures import plan
from clipasso.figures.catalogue import FIGURES, prompt_for
from clipasso.figures.panels import draw_sketch
from clipasso.pipeline import models, study
from clipasso.pipeline.archive import keep, take_up
from clipasso.pipeline.output import render

QUICK = ("--iterations", "2", "--encoder", EMBEDDED, "--mask", "none")


@pytest.fixture(autouse=True)
def quick(monkeypatch, lite0):
    """No pool, whose sixty encodings would be most of the work, and one encoder for all tests."""
    make, load = plan.make_settings, models.load_encoder
    monkeypatch.setattr(plan, "make_settings", lambda *a, **k: make(*a, **{"pool": 0, **k}))
    monkeypatch.setattr(
        models, "load_encoder", lambda name, *rest: lite0 if name == EMBEDDED else load(name, *rest)
    )


def figure(name, *arguments, quick=QUICK):
    return run(["figure", name, *map(str, arguments), *quick])


def table(folder, name):
    return list(csv.DictReader(io.StringIO((folder / f"{name}.csv").read_text("utf-8"))))


def images_in(pdf: Path) -> int:
    return len(re.findall(rb"/Subtype /Image", pdf.read_bytes()))


LABELS = {
    "abstraction": ["4 strokes", "2 strokes"],
    "seeds": ["rank 1", "rank 2"],
    "init": ["saliency × XDoG, output", "saliency, output", "random, output"],
    "progress": ["step 0", "step 2"],
    "styles": ["4 control points", "3 control points", "2 control points"] + [
        f"{order} control points a stroke, {total} control points in all"
        for order in (4, 3, 2) for total in (12, 4, 3)
    ],
    "layers": [f"stage {k}" for k in range(1, 8)] + ["embedding"],
    "terms": ["no semantic term", "no geometric term", "no stage 5", "no stage 3", "no stage 2",
              "all terms"],
    "weights": ["w_s = 0", "w_s = 0.1", "w_s = 0.5", "w_s = 1"],
    "losses": ["L2", "ours"],
    "background": ["4 strokes", "2 strokes",
                   "object cut out, 4 strokes", "object cut out, 2 strokes"],
}  # fmt: skip
STROKES = {"abstraction": "4,2", "background": "4,2"}
PICTURES = {"seeds": 4, "init": 8, "losses": 3, "background": 3}  # photos and maps of one photo


@pytest.mark.parametrize(
    "name",
    [
        name
        if name in ("abstraction", "seeds", "losses", "styles")
        else pytest.param(name, marks=pytest.mark.slow)
        for name in LABELS
    ],
)
def test_a_figure_is_a_sheet_and_a_table(name, photo_path, tmp_path, capsys, monkeypatch, lite0):
    if name == "losses":
        monkeypatch.setattr("clipasso.encoders.metrics._vgg_weights", _no_weights)
    seeds = 2 if name == "seeds" else 1
    out = tmp_path / "out"
    arguments = [photo_path, "-o", out, "--seeds", seeds, "--strokes", STROKES.get(name, "3")]
    assert figure(name, *arguments) == 0
    said = capsys.readouterr()
    assert said.out.split() == [str(out / f"{name}.{kind}") for kind in ("png", "pdf", "csv")]
    rows = table(out, name)
    assert [row["label"] for row in rows] == LABELS[name]
    assert {row["photo"] for row in rows} == {"flower.png"}
    assert {row["figure"] for row in rows} == {name}
    for row in rows:
        assert float(row["loss"]) > 0
        assert (out / "runs" / f"{row['file']}.svg").is_file()
        if row["label"] != "L2":
            assert row["encoder"] == lite0.description
    assert min(Image.open(out / f"{name}.png").size) > 300
    assert images_in(out / f"{name}.pdf") == PICTURES.get(name, 1)  # all sketches are paths


def test_strokes_are_single_curves(photo_path, lite0):
    """So `styles` may count control points, and `abstraction` is the paper's."""
    blocks = FIGURES["styles"].plan([photo_path], plan.Asked(strokes=(4,)), lite0)
    for run_ in plan.runs_of(blocks):
        assert run_.settings.points_per_stroke == run_.settings.control_points
    for cell in (cell for row in blocks[1].rows for cell in row.cells if cell is not None):
        points = cell.run.settings.strokes * cell.run.settings.points_per_stroke
        assert points <= int(cell.title.split()[0]) < points + cell.run.settings.control_points


def _no_weights():
    raise ClipassoError("--loss lpips: no weights here; give --weights FILE")


def test_losses_of_terms_and_seeds_are_in_the_table(photo_path, tmp_path):
    out = tmp_path / "out"
    assert figure("seeds", photo_path, "-o", out, "--seeds", 3, "--strokes", 3) == 0
    rows = table(out, "seeds")
    losses = [float(row["loss"]) for row in rows]
    assert losses == sorted(losses)
    assert {row["seed"] for row in rows} == {"0", "1000", "2000"}
    assert [row["best"] for row in rows] == ["yes", "no", "no"]
    for row in rows:
        terms = sum(float(row[name]) for name in ("stage2", "stage3", "stage5", "semantic"))
        assert terms == pytest.approx(float(row["loss"]), rel=1e-4)


def test_a_second_start_takes_up_what_is_there(photo_path, tmp_path, capsys, monkeypatch):
    out = tmp_path / "out"
    arguments = ["weights", photo_path, "-o", out, "--seeds", 1, "--strokes", 3]
    assert figure(*arguments) == 0
    before = {p.name: p.read_bytes() for p in out.iterdir() if p.is_file()}
    made = sorted(p.name for p in (out / "runs").iterdir())

    def fail(*args, **kwargs):
        raise ClipassoError("a new run")

    monkeypatch.setattr(study, "sketch_photo", fail)
    assert figure(*arguments) == 0
    assert {p.name: p.read_bytes() for p in out.iterdir() if p.is_file()} == before
    capsys.readouterr()
    for changed in (["--strokes", 4], ["--iterations", 3], ["--seeds", 2], ["--force"]):
        assert figure(*arguments, quick=(*QUICK, *map(str, changed))) == 2
        assert "a new run" in capsys.readouterr().err
    Image.new("RGB", (40, 30), "red").save(photo_path)  # another photo of the same name
    assert figure(*arguments) == 2
    assert set(made) <= {p.name for p in (out / "runs").iterdir()} | set(made)


def test_a_half_written_run_is_made_again(photo_path, tmp_path, monkeypatch):
    out = tmp_path / "out"
    arguments = ["progress", photo_path, "-o", out, "--seeds", 1, "--strokes", 3]
    assert figure(*arguments) == 0
    svg = next((out / "runs").glob("*.svg"))
    text = svg.read_text()
    svg.unlink()  # what a kill before the last file leaves
    made = []
    real = study.sketch_photo
    monkeypatch.setattr(study, "sketch_photo", lambda *a, **k: made.append(1) or real(*a, **k))
    assert figure(*arguments) == 0
    assert len(made) == 1
    assert svg.read_text() == text


def test_progress_is_over_the_whole_grid(photo_path, tmp_path, capsys, monkeypatch):
    arguments = ["weights", photo_path, "--seeds", 1, "--strokes", 3]
    assert figure(*arguments, "-o", tmp_path / "plain") == 0
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4  # one a run where stderr is no terminal
    assert lines[1].startswith("clipasso: 2 of 4: flower, w_s = 0.1: loss ")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "140")
    assert figure(*arguments, "-o", tmp_path / "bar") == 0
    shown = capsys.readouterr().err
    assert "weights 3 of 4: flower, w_s = 0.5" in shown
    assert "left" in shown
    assert figure(*arguments, "-o", tmp_path / "quiet", "-q") == 0
    assert capsys.readouterr() == ("", "")


def test_the_same_command_makes_the_same_sheet(photo_path, tmp_path):
    for name in ("a", "b"):
        arguments = ["--seeds", 2, "--strokes", 3]
        assert figure("init", photo_path, "-o", tmp_path / name, *arguments) == 0
    for kind in ("png", "pdf"):
        first, second = (tmp_path / name / f"init.{kind}" for name in ("a", "b"))
        assert first.read_bytes() == second.read_bytes()
    assert b"CreationDate" not in second.read_bytes()


def test_figures_share_their_runs(photo_path, tmp_path, monkeypatch):
    out, made, real = tmp_path / "out", [], study.sketch_photo
    monkeypatch.setattr(study, "sketch_photo", lambda *a, **k: made.append(1) or real(*a, **k))
    for name in ("progress", "seeds", "init"):
        assert figure(name, photo_path, "-o", out, "--seeds", 1, "--strokes", 3) == 0
    assert len(made) == 3  # one for the first two, two more for the third


def test_a_kept_run_knows_its_way(photo_path, tmp_path):
    out = tmp_path / "out"
    arguments = ["--seeds", 2, "--strokes", 3]
    assert figure("progress", photo_path, "-o", out, *arguments) == 0
    stem = table(out, "progress")[0]["file"]
    kept = take_up(out / "runs", stem)
    assert len(kept.sketches) == len(kept.initial) == 2
    assert [len(sketch) for sketch in kept.history] == [3, 3]  # steps 0 and 2
    assert kept.sketches[0] == Sketch.open(out / "runs" / f"{stem}.svg")
    assert np.allclose(kept.history[0].points, kept.initial[0].points)
    steps, losses = kept.curve
    assert steps == [0, 2]
    assert losses.shape == (2, 2)
    assert kept.at(1) == (0, kept.history[0], losses[0, 0])
    assert kept.at(9)[0] == 2
    assert kept.frame.height == 168
    assert kept.frame.zoom > 1.3
    best = np.sort(kept.sketches[0].widths)  # in order of what they tell, unlike those on their way
    assert any(np.allclose(np.sort(one.widths), best, atol=1e-3) for one in kept.history)
    assert not np.allclose(*(one.widths for one in kept.history), atol=1e-3)
    (out / "runs" / f"{stem}.npz").write_bytes(b"no archive")
    assert figure("progress", photo_path, "-o", out, *arguments) == 2


def test_a_kept_run_is_cut_at_the_page_from_its_start(tmp_path, lite0):
    rows = np.arange(120)[:, None, None] + np.zeros((1, 160, 3), int)
    made = clipasso.sketch(
        np.where(rows % 40 < 20, 40, 255).astype(np.uint8), encoder=lite0, mask="none", seeds=1,
        strokes=8, iterations=10, pool=2, init=Sketch([[(-50, 60), (20, 60), (60, 60)]], (160, 99)),
    )  # fmt: skip
    keep(made, tmp_path, "bands")
    for sketch in (*take_up(tmp_path, "bands").history, made.sketch):
        drawn = sketch.evaluate(np.linspace(0, 1, 301))
        assert (drawn > 1.49).all()
        assert (drawn < np.array(sketch.size) - 1.49).all()


def test_a_sheet_without_lpips_says_so(photo_path, tmp_path, capsys, monkeypatch, lite0):
    monkeypatch.setattr("clipasso.encoders.metrics._vgg_weights", _no_weights)
    out = tmp_path / "out"
    assert figure("losses", photo_path, "-o", out, "--seeds", 1, "--strokes", 3) == 0
    assert (
        "left out: --loss lpips: no weights here; give --lpips-weights FILE"
        in capsys.readouterr().err
    )
    assert [row["encoder"] for row in table(out, "losses")] == [
        "none (L2 on pixels)",
        lite0.description,
    ]


def test_clipdraw_needs_a_text_tower(photo_path, tmp_path, capsys):
    out = tmp_path / "out"
    assert figure("clipdraw", photo_path, "-o", out) == 2
    assert "has no text tower" in capsys.readouterr().err
    assert not list((out / "runs").iterdir())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nonsense", "PHOTO"], "no such figure"),
        (["abstraction"], "give one photo or more"),
        (["abstraction", "missing.png"], "missing.png: no such photo"),
        (["weights", "PHOTO", "--strokes", "8,4"], "one number of strokes"),
        (["abstraction", "PHOTO", "--strokes", "many"], "--strokes many"),
        (["abstraction", "PHOTO", "--strokes", "0"], "--strokes 0"),
        (["abstraction", "PHOTO", "--seeds", "0"], "--seeds 0"),
        (["abstraction", "PHOTO", "--preset", "none"], "--preset none"),
        (["abstraction", "PHOTO", "--encoder", "none"], "no such encoder"),
        (["abstraction", "PHOTO", "--mask", "none.png"], "none.png"),
    ],
)
def test_bad_input_is_one_line_before_any_work(arguments, words, photo_path, tmp_path, capsys):
    out = tmp_path / "out"
    given = [str(photo_path) if a == "PHOTO" else a for a in arguments]
    assert run(["figure", *given, "-o", str(out)] + ([] if "--encoder" in given else [
        "--encoder", EMBEDDED
    ])) == 2  # fmt: skip
    said = capsys.readouterr().err.strip()
    assert words in said
    assert len(said.splitlines()) == 1
    assert not list(out.glob("runs/*"))


def test_a_figure_must_be_named(capsys):
    assert run(["figure", "-q"]) == 2
    assert "abstraction" in capsys.readouterr().err


def test_list_explains_every_figure(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert run(["figure", "--list"]) == 0
    lines = capsys.readouterr().out
    for found in FIGURES.values():
        assert found.name in lines
        assert found.paper in lines
        assert found.sentence.split(":")[0] in lines
    assert len(FIGURES) == 11


def test_strokes_are_drawn_as_paths_of_the_right_width_and_place():
    points = [[[10, 10], [30, 90], [70, 10], [90, 60]], [[5, 80], [5, 80], [95, 80], [95, 80]]]
    sketch = Sketch(points, (100, 100), widths=[3, 8], colors=[[0, 0, 0], [1, 0, 0]])
    page = Page(figsize=(2, 2), dpi=100)
    FigureCanvasAgg(page)
    axes = page.add_axes((0, 0, 1, 1))
    axes.axis("off")
    draw_sketch(axes, sketch)
    assert [len(patch.get_path().vertices) for patch in axes.patches] == [4, 4]
    page.canvas.draw()
    seen = np.asarray(page.canvas.buffer_rgba())[..., :3].astype(float)
    assert np.abs(seen - render(sketch, 200)).mean() < 1.0  # of 255


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_chains_are_drawn_segment_by_segment(degree):
    rng = np.random.default_rng(degree)
    sketch = Sketch(rng.uniform(10, 90, (3, 2 * degree + 1, 2)), (100, 60), degree)
    page = Page(figsize=(4, 2.4), dpi=100)
    FigureCanvasAgg(page)
    axes = page.add_axes((0, 0, 1, 1))
    axes.axis("off")
    draw_sketch(axes, sketch)
    page.canvas.draw()
    seen = np.asarray(page.canvas.buffer_rgba())[..., :3].astype(float)
    assert np.abs(seen - render(sketch, 400)).mean() < 2.0


def test_prompts_come_from_file_names():
    assert prompt_for(Path("horse.png")) == "A sketch of a horse"
    assert prompt_for(Path("Elephant_03.jpg")) == "A sketch of an elephant"
    assert prompt_for(Path("tea-pot 2.jpg")) == "A sketch of a tea pot"
    assert prompt_for(Path("0001.jpg")) == "A sketch of an object"


def test_names_of_files_may_hold_anything(photo_path, tmp_path):
    odd = photo_path.rename(tmp_path / "a $x^2$ 花 [b].png")
    out = tmp_path / "out"
    assert figure("progress", odd, "-o", out, "--seeds", 1, "--strokes", 3) == 0
    assert table(out, "progress")[0]["photo"] == odd.name


def test_photos_of_one_name_do_not_meet(photo_path, tmp_path):
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / photo_path.name
    Image.open(photo_path).rotate(90, expand=True).save(other)
    out = tmp_path / "out"
    assert figure("abstraction", photo_path, other, "-o", out, "--seeds", 1, "--strokes", 3) == 0
    assert len({row["file"] for row in table(out, "abstraction")}) == 2


def test_ctrl_c_keeps_finished_runs_and_says_how_to_go_on(
    photo_path, tmp_path, monkeypatch, capsys
):
    real, made = study.sketch_photo, []

    def interrupted(*args, **kwargs):
        if made:
            raise KeyboardInterrupt
        made.append(1)
        return real(*args, **kwargs)

    monkeypatch.setattr(study, "sketch_photo", interrupted)
    out = tmp_path / "out"
    arguments = ["weights", photo_path, "-o", out, "--seeds", 1, "--strokes", 3]
    assert figure(*arguments) == 130
    assert "finished runs that stay: 1; the same command goes on" in capsys.readouterr().err
    assert not (out / "weights.png").exists()
    monkeypatch.setattr(study, "sketch_photo", lambda *a, **k: made.append(1) or real(*a, **k))
    assert figure(*arguments) == 0
    assert len(made) == 4


@pytest.mark.slow
def test_a_real_interrupt_leaves_only_whole_runs(photo_path, tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "clipasso", "figure", "weights", str(photo_path), "-o",
               str(out), "--seeds", "1", "--iterations", "60", "--encoder",
               EMBEDDED, "--mask", "none"]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    patience = time.monotonic() + 120
    while not list(out.glob("runs/*.svg")) and time.monotonic() < patience:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "goes on from there" in said
    assert not [p for p in (out / "runs").iterdir() if p.name.startswith(".")]
    assert subprocess.run(command, check=False).returncode == 0


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """Whole CLIP models with random weights, by open_clip's names."""
    import open_clip
    import torch

    folder, found = tmp_path_factory.mktemp("checkpoints"), {}
    for name in ("RN101", "ViT-B-32"):
        torch.manual_seed(0)
        model = open_clip.create_model(name, pretrained=None, force_quick_gelu=True)
        found[name] = folder / f"{name}.pt"
        torch.save(model.state_dict(), found[name])
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "encoder", "labels"),
    [
        ("layers", "RN101", [f"layer {k}" for k in range(1, 6)] + ["embedding"]),
        ("terms", "RN101", ["no semantic term", "no geometric term", "no layer 4", "no layer 3",
                            "all terms"]),
        ("layers", "ViT-B-32", [f"layer {k}" for k in range(1, 13)] + ["embedding"]),
        ("clipdraw", "ViT-B-32", [f"CLIPDraw: {led}" for led in
                                  ("text", "photo", "both", "photo, lines")] + ["ours"]),
    ],
)  # fmt: skip
def test_with_clip(name, encoder, labels, checkpoints, photo_path, tmp_path):
    out = tmp_path / "out"
    quick = ("--iterations", "1", "--seeds", "1", "--strokes", "3", "--mask", "none")
    weights = checkpoints[encoder]
    assert figure(
        name, photo_path, "-o", out, "--encoder", encoder, "--weights", weights, quick=quick
    ) == 0  # fmt: skip
    rows = table(out, name)
    assert [row["label"] for row in rows] == labels
    assert all(weights.name in row["encoder"] for row in rows)
    if name == "clipdraw":
        assert [row["strokes"] for row in rows] == ["256", "256", "256", "3", "3"]
        assert images_in(out / "clipdraw.pdf") == 1
