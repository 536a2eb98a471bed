"""The paper's knobs from the command line: each one reaches what it names."""

import json

import numpy as np
import pytest
from PIL import Image

from clipasso import Sketch
from clipasso.cli import run

QUICK = [
    "--iterations", "2", "--seeds", "1", "--augmentations", "0", "--encoder", "efficientnet-lite0",
    "--strokes", "3",
]  # fmt: skip


@pytest.fixture
def sketch(photo_path, tmp_path, capsys):
    """Run `clipasso sketch` with some options; its report, or its error line."""

    def call(*options, photo=photo_path, status=0):
        arguments = [*QUICK, "-o", str(tmp_path / "out"), "--force", "--json", *map(str, options)]
        assert run(["sketch", str(photo), *arguments]) == status
        captured = capsys.readouterr()
        if status:
            assert captured.err.count("\n") == 1, captured.err
            return captured.err
        return json.loads(captured.out) | {"stderr": captured.err}

    return call


def test_help_is_grouped_by_the_papers_sections(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    assert run(["sketch", "--help"]) == 0
    text = capsys.readouterr().out
    order = ["3, 4.1 and H", "3.1 and E", "3.2 and A", "3.3 and D", "5 and B"]
    places = [text.index(f"sections {sections}") for sections in order]
    assert places == sorted(places)
    for option in ("--layers", "--saliency", "--freeze", "--background-weight", "--color-rate"):
        assert option in text


class TestLoss:
    def test_layers_weights_and_distance(self, sketch):
        report = sketch("--layers", "3:1,4:0.5", "--semantic-weight", 0.2, "--distance", "cosine")
        recipe = report["loss_recipe"]
        assert recipe["layers"] == {"stage3": 1.0, "stage4": 0.5}
        assert (recipe["semantic_weight"], recipe["distance"]) == (0.2, "cosine")
        assert {"stage3", "stage4", "semantic", "total"} < set(report["seeds"][0]) | {"total"}

    def test_terms_alone(self, sketch):
        assert sketch("--loss", "semantic")["loss_recipe"]["layers"] == {}
        assert sketch("--loss", "geometric")["loss_recipe"]["semantic_weight"] == 0

    def test_pixels(self, sketch):
        report = sketch("--loss", "l2")
        assert report["encoder"] == "none (L2 on pixels)"
        assert report["saliency"] == "EfficientNet-Lite0 (ImageNet), features"
        assert set(report["loss_recipe"]["layers"]) == {"pixels"}

    def test_two_losses_give_two_sketches(self, sketch):
        first = [sketch("--loss", name)["loss"] for name in ("clipasso", "l2")]
        assert first[0] != first[1]

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--layers", "9"], "has no layer 9; it has 1 to 7"),
            (["--loss", "l1"], "--loss l1: must be clipasso or"),
            (["--loss", "l2", "--layers", "3"], "--layers: --loss l2 has none"),
            (["--text", "a flower"], "no text tower"),
            (["--distance", "far"], "--distance far"),
        ],
    )
    def test_bad_ones(self, options, message, sketch):
        assert message in sketch(*options, status=2)


class TestInitialisation:
    @pytest.mark.parametrize(
        ("options", "saliency", "edges"),
        [
            ([], "features", "xdog"),
            (["--init", "vit+xdog"], "features", "xdog"),
            (["--init", "vit"], "features", "none"),
            (["--init", "random"], "none", "none"),
            (["--saliency", "gradcam"], "gradcam", "xdog"),
            (["--init", "random", "--edges", "xdog"], "none", "xdog"),
        ],
    )
    def test_ablation(self, options, saliency, edges, sketch):
        report = sketch(*options)
        assert report["saliency"].endswith(saliency)
        assert report["settings"]["edges"] == edges

    def test_saliency_of_another_encoder(self, sketch):
        report = sketch("--loss", "l2", "--saliency-encoder", "efficientnet-lite0")
        assert report["saliency"] == "EfficientNet-Lite0 (ImageNet), features"

    def test_own_lines_stay(self, sketch, tmp_path):
        mine = Sketch([[[10, 10], [100, 20], [100, 80], [190, 90]]], (224, 168))
        mine.save(tmp_path / "mine.svg")
        report = sketch("--init", tmp_path / "mine.svg", "--freeze", "all", "--strokes", 4)
        made = Sketch.open(report["files"][0])
        assert len(made) == 4
        assert np.allclose(made.points[0], mine.points[0], atol=1e-2)

    def test_a_sketch_gives_its_number_of_strokes(self, photo_path, tmp_path):
        Sketch(np.full((5, 3, 2), 40.0), (224, 168)).save(tmp_path / "mine.svg")
        line = ["sketch", str(photo_path), "--init", str(tmp_path / "mine.svg"), "-q"]
        assert run([*line, *QUICK[:-2], "-o", str(tmp_path / "out")]) == 0
        made = Sketch.open(tmp_path / "out" / "flower.svg")
        assert (len(made), made.degree) == (5, 2)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--init", "no.svg"], "--init no.svg: no such file"),
            (["--freeze", "1"], "--freeze: needs strokes to keep"),
            (["--saliency", "attention"], "--saliency attention: not a map of EfficientNet"),
            (["--saliency-encoder", "nobody"], "nobody: no such encoder"),
            (["--saliency-weights", "x.pt"], "--saliency-weights: say whose"),
        ],
    )
    def test_bad_ones(self, options, message, sketch):
        assert message in sketch(*options, status=2)


class TestStyle:
    def test_chains_of_segments(self, sketch):
        report = sketch("--segments", 3, "--control-points", 3)
        made = Sketch.open(report["files"][0])
        assert (made.degree, made.segments) == (2, 3)

    def test_learned_widths_and_colours(self, sketch):
        rates = ["--width-rate", 0.5, "--color-rate", 0.1, "--opacity-rate", 0.05]
        made = Sketch.open(sketch(*rates, "--start", "walk", "--iterations", 12)["files"][0])
        assert np.ptp(made.widths) > 0
        assert np.ptp(made.colors) > 0
        assert made.opacities.min() < 1


class TestBackground:
    @pytest.fixture
    def cut_out(self, photo_path, tmp_path):
        """The photo with its white made transparent."""
        image = np.asarray(Image.open(photo_path).convert("RGBA")).copy()
        image[..., 3] = np.where(image[..., :3].min(-1) == 255, 0, 255)
        path = tmp_path / "clear.png"
        Image.fromarray(image).save(path)
        return path

    def test_alpha(self, sketch, cut_out):
        assert sketch("--mask", "alpha", photo=cut_out)["mask"] == "alpha"
        assert sketch(photo=cut_out)["mask"] == "alpha"

    def test_no_alpha(self, sketch):
        assert "flower.png" in sketch("--mask", "alpha", status=2)

    def test_lighten(self, sketch):
        own, plain, same = sketch(), sketch("--lighten", 0), sketch("--lighten", 0.5)
        lightened = [report["loss_recipe"]["lighten"] for report in (own, plain, same)]
        assert lightened == [0.5, 0, 0.5]
        assert own["loss"] == same["loss"] != plain["loss"]
        assert "--lighten" in sketch("--lighten", 1, status=2)

    def test_background_weight(self, sketch, cut_out):
        report = sketch("--background-weight", 0.5, photo=cut_out)
        assert report["seeds"][0]["background"] >= 0
        assert "no mask" in sketch("--background-weight", 0.5, "--mask", "none")["stderr"]
