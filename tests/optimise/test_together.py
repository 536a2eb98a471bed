"""Several photos in one batch: each as it would be alone."""

import contextlib
import json
import signal
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

import clipasso
from clipasso import ClipassoError, Settings
from clipasso.cli import progress as bars
from clipasso.cli import run
from clipasso.optimise.loop import Job, optimise, optimise_together
from clipasso.optimise.objective import make_objective
from clipasso.optimise.strokes import Drawing
from clipasso.pipeline import prepare
from clipasso.pipeline import sketch as pipeline
from clipasso.pipeline.models import Models
from clipasso.raster import rasterize
from tiny import Blur

SETTINGS = Settings(
    strokes=2, canvas=32, seeds=2, iterations=30, pool=6, augmentations=2, evaluate_every=5,
    drop=False, tolerance=0.0,
)  # fmt: skip


def jobs(settings=SETTINGS, encoder=None, seeds=(2, 3), frozen=(False, False)):
    """Two photos of two strokes each, and strokes that start beside them."""
    target = torch.tensor(
        [[[6.0, 6], [12, 8], [20, 8], [26, 6]], [[6, 24], [12, 20], [20, 20], [26, 24]]]
    )
    encoder, g = encoder or Blur(), torch.Generator().manual_seed(0)
    made = []
    for shape, count, still in zip((target, target.flip(-1)), seeds, frozen, strict=True):
        photo = rasterize(shape[None], widths=3.0, size=32).expand(-1, 3, -1, -1).contiguous()
        start = shape + torch.randn(count, 2, 4, 2, generator=g) * 3
        goal = make_objective(encoder, settings)
        made.append(Job(Drawing.make(start.numpy(), 3, frozen=still), photo, goal))
    return made


def alone(job, settings=SETTINGS):
    return optimise(job.initial, job.photo, job.objective, settings)


def same(a, b):
    """Two outcomes of the same sketch, to the byte."""
    assert a.points.numpy().tobytes() == b.points.numpy().tobytes()
    assert (a.curve, a.losses, a.terms) == (b.curve, b.losses, b.terms)
    assert (a.steps, a.stopped, len(a.history)) == (b.steps, b.stopped, len(b.history))
    assert torch.equal(a.drawing.frozen, b.drawing.frozen)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"pool": 0},
        {"augmentations": 0},
        {"width_rate": 0.1, "opacity_rate": 0.02, "color_rate": 0.02},
        {"borders": "plain", "schedule": "constant"},
    ],
)
def test_each_photo_is_as_it_would_be_alone(changes):
    settings = replace(SETTINGS, **changes)
    made = jobs(settings)
    both = optimise_together(made, settings)
    assert [len(out.losses) for out in both] == [2, 3]
    for job, out in zip(made, both, strict=True):
        same(out, alone(job, settings))
        assert out.losses[out.winner] < 0.9 * out.curve[0][1][out.winner]
    assert not torch.allclose(both[0].points[:, :1], both[1].points[:2, :1], atol=1.0)


def test_frozen_strokes_may_be_others_in_each():
    made = jobs(frozen=([True, False], [False, True]))
    for job, out, still in zip(made, optimise_together(made, SETTINGS), (0, 1), strict=True):
        assert torch.equal(out.points[:, still], job.initial.points[:, still])
        assert not torch.equal(out.points[:, 1 - still], job.initial.points[:, 1 - still])
        same(out, alone(job))


def test_each_photo_converges_by_itself_and_costs_nothing_then():
    settings = replace(SETTINGS, tolerance=0.001, iterations=60, average=0.0)
    encoder = Blur()
    made = jobs(settings, encoder, seeds=(1, 1))
    single = [alone(job, settings) for job in made]
    assert {out.stopped for out in single} == {"converged"}
    assert single[0].steps != single[1].steps
    encoder.calls = 0
    seen = []
    both = optimise_together(made, settings, lambda p: seen.append((p.photo, p.step)))
    for ours, theirs in zip(both, single, strict=True):
        same(ours, theirs)
    steps = sum(out.steps for out in single)
    assert encoder.calls == 3 * (steps + 2) + 2 * (1 + settings.pool)
    assert sorted(seen) == [(n, step) for n, out in enumerate(single) for step, _ in out.curve]


def test_seeds_race_within_their_photo_only():
    settings = replace(SETTINGS, drop=True, iterations=60)
    made = jobs(settings)
    hopeless = made[1].initial.points.clone()
    hopeless[1:] = torch.tensor([2.0, 16.0])
    made[1] = replace(made[1], initial=replace(made[1].initial, points=hopeless))
    both = optimise_together(made, settings)
    for job, out in zip(made, both, strict=True):
        same(out, alone(job, settings))
    assert any(len({losses[1] for _, losses in out.curve}) < len(out.curve) for out in both)


def test_stop_keeps_the_best_of_every_photo():
    stop, made = threading.Event(), jobs()

    def after_two(progress):
        assert progress.steps == 30
        if progress.step >= 10:
            stop.set()

    for out in optimise_together(made, SETTINGS, after_two, stop):
        assert (out.stopped, out.steps) == ("interrupted", 11)
        for k, best in enumerate(out.losses):
            assert best == min(losses[k] for _, losses in out.curve)
            assert best < out.curve[0][1][k]


def test_a_mask_of_one_photo_is_no_matter_for_the_other():
    settings = replace(SETTINGS, background_weight=2.0)
    inside = np.zeros((32, 32), bool)
    inside[:, :16] = True
    for with_mask in (0, 1):
        made = jobs(settings)
        goal = make_objective(Blur(), settings, inside)
        made[with_mask] = replace(made[with_mask], objective=goal)
        both = optimise_together(made, settings)
        for job, out in zip(made, both, strict=True):
            same(out, alone(job, settings))
        assert "background" in both[with_mask].terms
        assert "background" not in both[1 - with_mask].terms


@pytest.fixture
def photos(photo_path, tmp_path):
    """A flower, and the flower upside down."""
    other = tmp_path / "fallen.png"
    Image.open(photo_path).rotate(180).save(other)
    return [photo_path, other]


class TestPipeline:
    SETTINGS = Settings(strokes=3, seeds=2, iterations=4, evaluate_every=2, pool=3)

    def test_results_are_those_of_one_photo_after_the_other(self, photos, lite0):
        loaded = [clipasso.load_photo(path) for path in photos]
        seen = []
        both = clipasso.sketch_photos(
            loaded, Models(lite0, lite0), self.SETTINGS, on_progress=seen.append
        )
        for photo, result in zip(loaded, both, strict=True):
            single = clipasso.sketch_photo(photo, Models(lite0, lite0), self.SETTINGS)
            assert result.sketch.to_svg() == single.sketch.to_svg()
            assert (result.together, single.together) == (2, 1)
            assert result.report()["together"] == 2
        assert [(p.step, p.photo) for p in seen] == [(s, n) for s in (0, 2, 4) for n in (0, 1)]

    def test_one_that_fails_does_not_spoil_the_others(self, photos, lite0, monkeypatch):
        loaded = [clipasso.load_photo(path) for path in (photos[1], photos[0], photos[1])]
        real, calls = prepare.initialise, []

        def initialise(*rest):
            calls.append(1)
            if len(calls) in failing:
                raise ClipassoError(f"photo {len(calls)}: no room for strokes")
            return real(*rest)

        monkeypatch.setattr(prepare, "initialise", initialise)
        failing, seen = (1,), []
        first, *rest = clipasso.sketch_photos(
            loaded, Models(lite0, lite0), self.SETTINGS, on_progress=seen.append
        )
        assert str(first) == "photo 1: no room for strokes"
        assert [result.photo.name for result in rest] == ["flower.png", "fallen.png"]
        assert {p.photo for p in seen} == {1, 2}
        failing = (4, 5, 6)
        errors = clipasso.sketch_photos(loaded, Models(lite0, lite0), self.SETTINGS)
        assert [str(e)[:8] for e in errors] == ["photo 4:", "photo 5:", "photo 6:"]


class TestCommand:
    QUICK = (
        "--iterations", "4", "--seeds", "2", "--augmentations", "0", "--strokes", "3",
        "--encoder", "efficientnet-lite0",
    )  # fmt: skip

    def sketch(self, *arguments):
        return run(["sketch", *self.QUICK, *map(str, arguments)])

    def test_the_same_files_and_one_bad_photo_among_them(self, photos, tmp_path, capsys):
        bad = tmp_path / "bad.png"
        bad.write_bytes(b"")
        three = [photos[0], bad, photos[1]]
        for together in (1, 3):
            out = tmp_path / f"by{together}"
            assert self.sketch(*three, "-o", out, "--together", together) == 2
            captured = capsys.readouterr()
            assert captured.err.count("bad.png") == 1
            assert captured.out.count("\n") == 2
            assert ("with 1 more" in captured.out) == (together == 3)
        for name in ("flower.svg", "fallen.svg"):
            texts = [(tmp_path / f"by{n}" / name).read_bytes() for n in (1, 3)]
            assert texts[0] == texts[1]

    def test_on_the_cpu_one_after_the_other_unless_asked(self, photos, tmp_path, monkeypatch):
        groups, real = [], pipeline.sketch_photos

        def counted(some, *rest, **named):
            groups.append(len(some))
            return real(some, *rest, **named)

        monkeypatch.setattr(pipeline, "sketch_photos", counted)
        assert self.sketch(*photos, "-o", tmp_path / "out", "-q") == 0
        assert groups == [1, 1]

    def test_on_cuda_eight_at_a_time(self, photo_path, tmp_path, monkeypatch):
        names = [tmp_path / f"{k}.png" for k in range(10)]
        for name in names:
            name.write_bytes(photo_path.read_bytes())
        groups = []

        def none(some, *rest, **named):
            groups.append(len(some))
            return [ClipassoError("no GPU here")] * len(some)

        monkeypatch.setattr(pipeline, "sketch_photos", none)
        monkeypatch.setattr(Models, "device", torch.device("cuda"))
        assert self.sketch(*names, "-o", tmp_path / "out", "-q", "--mask", "none") == 2
        assert groups == [8, 2]

    @pytest.mark.parametrize("number", ["0", "-1", "2000"])
    def test_how_many(self, number, photos, tmp_path, capsys):
        assert self.sketch(photos[0], "-o", tmp_path / "out", "--together", number) == 2
        assert f"--together {number}: must be from 1 to 1000" in capsys.readouterr().err

    def test_ctrl_c_keeps_all_and_starts_no_more(self, photos, tmp_path, capsys, monkeypatch):
        third = tmp_path / "third.png"
        Image.open(photos[0]).rotate(90).save(third)

        @contextlib.contextmanager
        def interrupting(name, silent):
            assert name == "2 photos"

            def show(progress):
                if (progress.step, progress.photo) == (10, 1):
                    signal.raise_signal(signal.SIGINT)

            yield show

        monkeypatch.setattr(bars, "progress_bar", interrupting)
        out = tmp_path / "out"
        arguments = ["--together", 2, "--iterations", 1000, "-o", out]
        assert self.sketch(*photos, third, *arguments) == 130
        for stem in ("flower", "fallen"):
            report = json.loads((out / f"{stem}.json").read_text())
            assert (report["stopped"], report["steps"]) == ("interrupted", 11)
        assert not (out / "third.svg").exists()
        assert capsys.readouterr().err.count("best sketch so far") == 2

    def test_the_bar_shows_the_time_left_for_all(self, photos, tmp_path, capsys, monkeypatch):
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("COLUMNS", "120")
        assert self.sketch(*photos, "-o", tmp_path / "out", "--together", 2) == 0
        shown = capsys.readouterr().err
        assert "2 photos" in shown
        assert "left" in shown
