"""Ladders of sketches, and strokes in order."""

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

import clipasso
from clipasso import ClipassoError, Sketch
from clipasso.cli import run
from clipasso.optimise.encoded_photo import PhotoPool
from clipasso.photo.canvas import load_photo
from clipasso.photo.masks import Mask
from clipasso.photo.zoom import zoomed
from clipasso.pipeline.ladder import climb_down, parse_levels
from clipasso.pipeline.models import load_models
from clipasso.pipeline.order import (
    best_first,
    looks,
    losses_of_prefixes,
    order_strokes,
    quickly_best_first,
)
from clipasso.pipeline.prepare import prepare
from clipasso.settings import make_settings
from clipasso.vector.plot import pen_travel

QUICK = {"iterations": 6, "seeds": 2, "pool": 4}


@pytest.fixture(scope="module")
def settings():
    return make_settings("default", strokes=6, segments=3, **QUICK)[0]


@pytest.fixture(scope="module")
def models(settings):
    return load_models(settings, "efficientnet-lite0")


@pytest.fixture(scope="module")
def photo():
    y, x = np.mgrid[:120, :160]
    pixels = np.full((120, 160, 3), 255, np.uint8)
    pixels[(x - 80) ** 2 + (y - 50) ** 2 < 35**2] = (180, 40, 30)
    pixels[85:115, 76:84] = (20, 90, 20)
    return load_photo(pixels)


@pytest.fixture(scope="module")
def rungs(photo, models, settings):
    return climb_down(photo, models, settings, [6, 4, 1])


def shared(above: Sketch, below: Sketch, within: float) -> int:
    """How many strokes of one sketch lie near one of another's, in either direction, px."""
    there, here = (sketch.evaluate(np.linspace(0, 1, 13)) for sketch in (above, below))
    both = np.concatenate([there, there[:, ::-1]])
    away = np.abs(here[:, None] - both[None]).max((2, 3)).min(1)
    return int((away < within).sum())


@pytest.fixture(scope="module")
def scene(rungs, photo, models, settings):
    near, inside = zoomed(photo, Mask(None, "none"), settings.zoom)
    job = prepare(near, models, settings, inside, rungs[0].sketch, "", {}).job
    still = replace(settings, pool=0)
    clean = PhotoPool(job.photo, job.objective, still, torch.Generator()).clean
    return job.initial.only(0), clean


class TestLadder:
    def test_levels_go_down_and_belong_together(self, rungs):
        assert [len(rung.sketch) for rung in rungs] == [6, 4, 1]
        assert all(rung.loss > 0 and rung.seconds > 0 for rung in rungs)
        assert rungs[0].loss < rungs[2].loss
        # Two steps of at most 2 px each.
        assert shared(rungs[0].sketch, rungs[1].sketch, 6.0) == 4

    @pytest.mark.parametrize(("asked", "kept"), [({}, False), ({"width_rate": 0.0}, True)])
    def test_widths_are_learned_at_every_level(self, photo, models, settings, rungs, asked, kept):
        longer = replace(settings, iterations=45, **asked)
        (below,) = climb_down(photo, models, longer, [4], above=rungs[0].sketch)
        among = np.isclose(below.sketch.widths[:, None], rungs[0].sketch.widths, atol=1e-6)
        assert among.any(1).tolist() == [kept] * 4

    def test_what_is_linked_keeps_its_ink(self, photo, models, settings):
        """Sixteen strokes of two curves in four, where removal leaves a quarter of them."""
        many = replace(settings, strokes=16, segments=None)
        top, linked = climb_down(photo, models, many, [16, 4])
        dropped = climb_down(photo, models, many, [16, 4], method="remove", top=top)[1]
        assert [rung.sketch.segments for rung in (top, linked)] == [2, 8]
        ink = [rung.sketch.lengths().sum() for rung in (top, linked, dropped)]
        assert ink[1] > 1.4 * ink[2]
        assert linked.loss < dropped.loss

    def test_a_level_takes_a_third_of_the_steps_of_one_seed(self, rungs):
        assert [rung.steps for rung in rungs] == [12, 2, 2]

    def test_removal_moves_nothing(self, photo, models, settings, rungs):
        bare = climb_down(photo, models, settings, [6, 4, 1], method="remove")
        assert np.array_equal(bare[0].sketch.points, rungs[0].sketch.points)
        assert bare[0].loss == pytest.approx(rungs[0].loss, rel=1e-4)
        assert rungs[1].loss <= bare[1].loss + 1e-5  # both begin with the same strokes
        for above, below in itertools.pairwise(bare):
            assert shared(above.sketch, below.sketch, 1e-3) == len(below.sketch)
            assert below.steps == 0

    def test_independent_levels_are_those_of_sketch(self, photo, models, settings):
        apart = climb_down(photo, models, settings, [6, 4], method="independent")
        alone = clipasso.sketch_photo(photo, models, replace(settings, strokes=4))
        assert np.array_equal(apart[1].sketch.points, alone.sketch.points)

    def test_levels_of_a_sketch_that_is_there(self, photo, models, settings, rungs):
        fewer = climb_down(photo, models, settings, [4, 1], above=rungs[0].sketch)
        for rung, other in zip(fewer, rungs[1:], strict=True):
            assert np.array_equal(rung.sketch.points, other.sketch.points)
            assert rung.steps == 2
        with pytest.raises(ClipassoError, match="a ladder goes down"):
            climb_down(photo, models, settings, [6, 4], above=rungs[0].sketch)

    def test_the_command_from_a_sketch(self, photo_path, rungs, tmp_path, capsys):
        rungs[0].sketch.save(tmp_path / "six.svg")
        out = tmp_path / "out"
        given = ["ladder", str(photo_path), "--init", str(tmp_path / "six.svg"), "-o", str(out),
                 "--iterations", "3", "--encoder", "efficientnet-lite0"]  # fmt: skip
        assert run([*given, "--strokes", "6,2"]) == 2
        assert "has 6 strokes; the first level must have fewer, not 6" in capsys.readouterr().err
        assert run([*given, "--strokes", "3", "--independent"]) == 2
        assert not out.exists()
        assert run([*given, "--strokes", "3"]) == 0
        assert len(Sketch.open(out / "flower-3.svg")) == 3

    @pytest.mark.parametrize("levels", ["", "8,8", "4,8", "8,0", "8,x", "-3", "999999"])
    def test_levels_that_do_not_go_down(self, levels):
        with pytest.raises(ClipassoError, match="--strokes"):
            parse_levels(levels)

    def test_the_command(self, photo_path, tmp_path, capsys):
        out = tmp_path / "out"
        given = ["ladder", str(photo_path), "--strokes", "5,2", "-o", str(out), "--seeds", "1",
                 "--iterations", "3", "--encoder", "efficientnet-lite0"]  # fmt: skip
        assert run(given) == 0
        assert len(Sketch.open(out / "flower-5.svg")) == 5
        layers = (out / "flower-ladder.svg").read_text()
        assert layers.count('inkscape:groupmode="layer"') == 2
        assert len(Sketch.from_svg(layers)) == 7
        assert Image.open(out / "flower-ladder.png").size[0] == 1024
        told = json.loads((out / "flower-ladder.json").read_text())["levels"]
        assert [level["strokes"] for level in told] == [5, 2]
        assert capsys.readouterr().out.count("EfficientNet-Lite0") == 2
        assert run(given) == 2  # they are there
        assert run([*given[:2], "--baseline", "add"]) == 2


class TestOrder:
    def test_a_sketch_is_in_this_order_by_itself(self, rungs, photo, models, settings):
        made = clipasso.sketch_photo(photo, models, replace(settings, faces="none"))
        laid = clipasso.sketch_photo(photo, models, replace(settings, faces="none", order="none"))
        assert laid.arrangement.order == ()
        assert made.arrangement.of(laid.sketch).to_svg() == made.sketch.to_svg()
        assert made.sketch == rungs[0].sketch
        assert made.report()["prefix_losses"][-1] == pytest.approx(
            made.outcome.losses[made.outcome.winner], rel=1e-4
        )
        ends = (made.sketch.points[:, 0], made.sketch.points[:, -1])
        there = laid.sketch.select(list(made.arrangement.order)).points
        assert pen_travel(*ends, home=ends[0][0]) <= pen_travel(
            there[:, 0], there[:, -1], home=there[0, 0]
        )
        film = made.recording()
        assert film.duration > 0

    def test_fewer_looks_give_about_the_same(self, scene):
        drawing, clean = scene
        order, losses, whole = quickly_best_first(drawing, clean, 224)
        assert whole
        assert np.allclose(
            losses, losses_of_prefixes(drawing, np.array(order), clean, 224), rtol=1e-4
        )
        best = best_first(drawing, clean, 224)[1]
        assert best.mean() - 1e-5 <= np.mean(losses) < 1.02 * best.mean()

    def test_strokes_that_stay_come_first(self, scene):
        drawing, clean = scene
        order, losses, _ = quickly_best_first(drawing, clean, 224, fixed=[4, 2])
        assert order[:2] == [4, 2]
        assert sorted(order) == list(range(6))
        assert len(losses) == 4

    def test_without_time_they_stay(self, scene):
        drawing, clean = scene
        assert quickly_best_first(drawing, clean, 224, late=lambda: True) == (
            list(range(6)), [], False,
        )  # fmt: skip

    def test_no_more_looks_than_told(self, scene):
        drawing, clean = scene
        seen = []
        many = drawing.strokes(torch.arange(40) % 6)

        def loss(images):
            seen.append(len(images))
            return clean.loss(images)

        class Counted:
            pass

        counted = Counted()
        counted.loss = loss
        order = quickly_best_first(many, counted, 224)[0]
        assert sorted(order) == list(range(40))
        assert sum(seen) == looks(40)

    def test_coloured_strokes_stay_as_they_lie(self, photo, models, settings):
        own = replace(settings, faces="none", color_rate=0.05, seeds=1)
        made = clipasso.sketch_photo(photo, models, own)
        assert made.arrangement.order == ()

    def test_each_next_stroke_is_the_best_of_those_left(self, scene):
        drawing, clean = scene
        order, losses = best_first(drawing, clean, 224)
        assert sorted(order) == list(range(6))
        assert np.allclose(losses, losses_of_prefixes(drawing, order, clean, 224), rtol=1e-5)
        for k in range(5):
            for other in order[k + 1 :]:
                some = torch.tensor([*order[:k], other])
                loss = clean.loss(drawing.strokes(some).render(224)).total.item()
                assert loss >= losses[k] - 1e-5

    def test_better_than_the_order_turned_round(self, scene):
        drawing, clean = scene
        order, losses = best_first(drawing, clean, 224)
        assert losses.sum() < losses_of_prefixes(drawing, order[::-1].copy(), clean, 224).sum()

    def test_of_a_sketch(self, rungs, photo, models, settings, scene):
        order, losses = order_strokes(rungs[0].sketch, photo, models, settings)
        again, same = best_first(*scene, 224)
        assert list(order) == list(again)
        assert np.allclose(losses, same, rtol=1e-5)

    def test_the_command(self, photo_path, rungs, tmp_path, capsys):
        rungs[0].sketch.save(tmp_path / "a.svg")
        given = ["order", str(tmp_path / "a.svg"), str(photo_path), "-o", str(tmp_path / "b.svg"),
                 "--encoder", "efficientnet-lite0"]  # fmt: skip
        assert run(given) == 0
        assert "losses:" in capsys.readouterr().out
        before, after = Sketch.open(tmp_path / "a.svg"), Sketch.open(tmp_path / "b.svg")
        assert shared(before, after, 0.01) == len(before) == len(after)
        assert run(given) == 2
