"""The page: where it is, what has left it, and that results stay on it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import clipasso
from clipasso import Models, Settings, Sketch, load_photo
from clipasso.encoders import EMBEDDED
from clipasso.optimise.encoded_photo import PhotoPool
from clipasso.optimise.loop import Job, optimise_together
from clipasso.optimise.objective import make_objective
from clipasso.optimise.page import Page
from clipasso.optimise.strokes import Drawing
from clipasso.photo.canvas import closer
from clipasso.raster import rasterize
from clipasso.settings import make_settings
from tiny import Blur

QUICK = {
    "encoder": EMBEDDED, "strokes": 6, "seeds": 1, "iterations": 30, "pool": 4, "mask": "none",
}  # fmt: skip


def leaving() -> np.ndarray:
    """A band that leaves the photo on the left and on the right, and a disc: 160 x 120 px."""
    y, x = np.mgrid[:120, :160]
    pixels = np.full((120, 160, 3), 255, np.uint8)
    pixels[np.abs(y - 40 - 10 * np.sin(x / 18)) < 22] = (150, 60, 30)
    pixels[(x - 80) ** 2 + (y - 60) ** 2 < 15**2] = (30, 30, 90)
    return pixels


def ink_off(sketch: Sketch, box) -> float:
    """How far the strokes' ink, round ends included, is out of a box at most, px."""
    drawn, (low, high) = sketch.evaluate(np.linspace(0, 1, 2001)), np.array(box)
    return float((np.maximum(low - drawn, drawn - high).max((1, 2)) + sketch.widths / 2).max())


class TestWhere:
    def test_it_is_the_photo_where_the_canvas_shows_it(self):
        photo = load_photo(leaving())  # 224 x 168, padded
        assert np.allclose(Page.of(photo).box, [(0, 0), (224, 168)])
        assert np.allclose(Page.of(photo).reach, [(-28, 0), (252, 224)])
        cropped = Page.of(load_photo(leaving(), fit="crop"))  # 298.7 x 224 in its own frame
        assert np.allclose(cropped.box, [(112 / 3, 0), (112 / 3 + 224, 224)])
        assert np.allclose(cropped.reach, [(-28, -28), (252, 252)])
        stretched = Page.of(load_photo(leaving(), fit="stretch"))
        assert np.allclose(stretched.box, [(0, 0), (224, 168)])
        assert np.allclose(stretched.reach, [(-28, -28), (252, 252)])
        near = Page.of(closer(photo, (112.0, 0.0, 112.0)))  # a quarter, and some padding
        assert np.allclose(near.box, [(112, 0), (224, 84)])
        assert np.allclose(near.reach, [(-28, 28), (252, 252)])


class TestLeft:
    PAGE = Page.of(load_photo(leaving()))

    def lines(self, *ends, **looks):
        points = [np.linspace(a, b, 4) for a, b in ends]
        return Drawing.make([points], 3, **looks)

    def test_who_has_left(self):
        drawing = self.lines(
            ((10, 100), (90, 120)),
            ((-20, 100), (20, 100)),  # partly out
            ((-20, 60), (-20, 160)),
            ((50, 10), (150, 20)),  # on the canvas, but in the padding
            ((1, 60), (1, 160)),  # along the edge
            ((-20, 40), (20, 10)),  # past a corner
        )
        assert self.PAGE.lost(drawing).tolist() == [[False, False, True, True, True, True]]
        frozen = replace(drawing, frozen=torch.tensor([False] * 3 + [True] * 3))
        assert np.flatnonzero(self.PAGE.lost(frozen)).tolist() == [2]
        thin = replace(drawing, widths=drawing.widths / 10)
        assert np.flatnonzero(self.PAGE.lost(thin)).tolist() == [2, 3, 5]
        thick = replace(drawing, widths=torch.full((1, 6), 900.0))
        assert not self.PAGE.lost(thick)[0, 0]

    def test_points_that_are_no_numbers_have_not_left(self):
        nowhere = self.lines(((np.nan, 0), (np.nan, 9)))
        assert not self.PAGE.lost(nowhere).any()

    def test_held_points_are_on_the_page(self):
        points = np.array([np.linspace((-50, 0), (300, 120), 4)])
        held = self.PAGE.held(points, np.array([4.0]))
        assert np.allclose(held[0], [(2, 30), (200 / 3, 40), (550 / 3, 80), (222, 120)])

    def test_what_is_inside_stays_to_the_bit_and_so_do_frozen_strokes(self):
        g = torch.Generator().manual_seed(0)
        points = 112 + torch.randn(3, 8, 7, 2, generator=g) * 70
        points[:, 0] = points[:, 0].clamp(40, 180)
        drawing = Drawing.make(points.numpy(), 3, frozen=[False] * 7 + [True])
        for page in (self.PAGE, Page.of(closer(load_photo(leaving()), (30.0, 40.0, 150.0)))):
            cut = page.cut(drawing)
            assert torch.equal(cut.points[:, [0, 7]], drawing.points[:, [0, 7]])
            assert torch.equal(cut.widths, drawing.widths)
            assert cut.unlike(drawing) == [0, 1, 2]
            again = page.cut(cut)
            assert (again.points - cut.points).abs().max() < 1e-4
            for k in range(3):
                size = page.frame.width, page.frame.height
                sketch = cut.only(k).to_sketch(size, page.frame)[:7]
                assert -3e-3 < ink_off(sketch, page.box) < 0
                assert ink_off(Sketch.from_svg(sketch.to_svg()), page.box) <= 1e-9

    def test_a_strip_that_strokes_are_too_thick_for(self):
        page = Page.of(load_photo(np.zeros((2, 400, 3), np.uint8)))  # 1.12 px high
        drawing = self.lines(((20, 100), (200, 120)), ((20, 111.5), (200, 111.5)))
        assert not page.lost(drawing)[0, 1]
        sketch = page.cut(drawing).only(0).to_sketch((224, 1.12), page.frame)
        assert ink_off(sketch, page.box) < 0
        assert np.allclose(sketch.lengths()[1], 180, atol=1e-3)


SETTINGS = Settings(
    strokes=2, canvas=32, seeds=2, iterations=20, pool=4, evaluate_every=5, drop=False
)


class TestLaidAnew:
    """Two strokes on a canvas of 32 px; the second of the second seed starts off it."""

    LINE = np.linspace((6, 24), (26, 20), 4)

    def job(self, frozen=False, asked=None):
        target = np.array([np.linspace((6, 6), (26, 10), 4), self.LINE])
        photo = rasterize(torch.tensor(target[None]), widths=3.0, size=32).float()
        start = np.stack([target + 2, target - 2])
        start[1, 1] = np.linspace((40, 3), (50, 30), 4)
        asked = [] if asked is None else asked

        def anew(*what):
            asked.append(what)
            return self.LINE[None] - 40.0  # off again: it is to be held

        return Job(
            Drawing.make(start, 3, frozen=frozen), photo.expand(-1, 3, -1, -1).contiguous(),
            make_objective(Blur(), SETTINGS), Page.of(load_photo(np.zeros((32, 32)), size=32)),
            anew,
        )  # fmt: skip

    def run(self, *jobs, settings=SETTINGS):
        return optimise_together(jobs, settings)

    @pytest.mark.parametrize("average", [0.0, 0.9])
    def test_a_stroke_off_the_page_is_laid_anew_before_it_is_judged(self, average):
        asked = []
        job = self.job(asked=asked)
        (out,) = self.run(job, settings=replace(SETTINGS, average=average))
        count, seed, step, others = asked[0]
        assert (count, seed, step) == (1, 1, 0)
        assert torch.equal(others.points, job.initial.points[1:, :1])
        assert torch.equal(out.history[0].points[0], job.initial.points[0])
        assert out.history[0].points[1, 1].tolist() == [[1.5, 1.5]] * 4
        for drawing in (*out.history, out.drawing):
            assert not job.page.lost(drawing).any()

    def test_strokes_that_are_to_stay_do(self):
        asked = []
        (out,) = self.run(self.job(frozen=[False, True], asked=asked))
        assert not asked
        assert torch.equal(out.drawing.points[:, 1], self.job().initial.points[:, 1])

    def test_without_others_to_lay_they_stay_off_until_the_end(self):
        job = replace(self.job(), anew=None)
        (out,) = self.run(job)
        assert job.page.lost(out.history[0]).any()
        assert np.ptp(out.drawing.points[1, 1].numpy(), axis=0).max() < 1e-5
        (free,) = self.run(replace(job, page=None))
        assert (free.drawing.points[1, 1, :, 0] > 34).all()

    def test_each_photo_as_alone(self):
        other = replace(self.job(), page=replace(self.job().page, canvas=24))
        both = self.run(self.job(), other)
        for job, out in zip((self.job(), other), both, strict=True):
            (alone,) = self.run(job)
            assert out.points.numpy().tobytes() == alone.points.numpy().tobytes()
            assert (out.losses, out.terms, out.curve) == (alone.losses, alone.terms, alone.curve)
        assert both[1].points.max() <= 22.5
        assert both[0].points.max() > 22.5

    def test_losses_are_those_of_what_is_left(self):
        job = self.job()
        small = replace(job, page=replace(job.page, canvas=20))
        (out,) = self.run(small)
        clean = PhotoPool(job.photo, job.objective, SETTINGS, torch.Generator()).draw(0)
        for k in range(2):
            loss = float(clean.loss(out.drawing.only(k).render(32)).total)
            assert out.losses[k] == pytest.approx(loss, rel=1e-5)
            terms = sum(out.terms[name][k] for name in ("grid", "semantic"))
            assert out.terms["total"][k] == out.losses[k] == pytest.approx(terms, rel=1e-5)
            assert out.losses[k] != min(losses[k] for _, losses in out.curve)


class TestResults:
    @pytest.mark.parametrize("fit", ["pad", "crop", "stretch"])
    @pytest.mark.parametrize("start", ["trace", "walk"])
    def test_ink_stays_on_a_photo_whose_object_leaves_it_on_two_sides(self, fit, start):
        result = clipasso.sketch(leaving(), fit=fit, start=start, **{**QUICK, "seeds": 2})
        page = Page.of(result.photo)
        for made in result.sketches:
            sketch = Sketch.from_svg(made.to_svg())
            assert len(sketch) == 6
            assert ink_off(sketch, page.box) <= 1e-9
            assert ink_off(sketch, [(0, 0), sketch.size]) <= 1e-9
        for drawing in result.outcome.history:
            low, high = torch.tensor(page.reach, dtype=torch.float32)
            assert (drawing.points >= low).all()
            assert (drawing.points <= high).all()

    def test_so_it_does_where_the_canvas_shows_a_part(self):
        pixels = np.full((300, 400, 3), 255, np.uint8)
        pixels[180:, 240:] = leaving()
        result = clipasso.sketch(pixels, **QUICK)
        assert result.photo.frame.zoom > 1.5
        assert ink_off(Sketch.from_svg(result.sketch.to_svg()), Page.of(result.photo).box) <= 1e-9

    def test_chains_of_lines_in_learned_widths(self):
        result = clipasso.sketch(
            leaving(), control_points=2, segments=4, width_rate=0.5, width=9.0, **QUICK
        )
        assert result.sketch.points.shape == (6, 5, 2)
        assert ink_off(Sketch.from_svg(result.sketch.to_svg()), [(0, 0), (224, 168)]) <= 1e-9

    def test_own_lines_off_the_page_stay_if_they_are_to_and_else_come_back(self):
        lines = [np.linspace((-30, 20), (60, 90), 4), np.linspace((20, 300), (90, 310), 4)]
        mine = Sketch(lines, (224, 168))
        frozen = clipasso.sketch(leaving(), init=mine, freeze="all", **QUICK)
        assert np.allclose(frozen.sketch.points[:2], mine.points, atol=1e-4)
        assert ink_off(frozen.sketch[2:], [(0, 0), (224, 168)]) <= 0
        free = clipasso.sketch(leaving(), init=mine, **{**QUICK, "strokes": 2})
        again = clipasso.sketch(leaving(), init=mine, **{**QUICK, "strokes": 2})
        assert len(free.sketch) == 2
        assert ink_off(free.sketch, [(0, 0), (224, 168)]) <= 0
        assert free.sketch.lengths().min() > 10  # no dot at the edge
        assert free.sketch == again.sketch

    def test_the_loss_told_is_that_of_the_sketch_written(self, lite0):
        settings, _ = make_settings(**{k: QUICK[k] for k in ("strokes", "iterations", "pool")})
        photo = load_photo(leaving())
        result = clipasso.sketch_photo(photo, Models(lite0, lite0), replace(settings, drop=False))
        told = [float(made.metadata["loss"]) for made in result.sketches]
        assert told == sorted(told)
        assert told[0] == pytest.approx(result.report()["loss"], rel=1e-5)
        clean = PhotoPool(
            torch.tensor(result.initialisation.pixels).permute(2, 0, 1)[None],
            make_objective(lite0, settings), settings, torch.Generator(),
        ).clean  # fmt: skip
        for made, loss in zip(result.sketches, told, strict=True):
            points = torch.tensor(result.photo.frame.to_canvas(made.points), dtype=torch.float32)
            widths = torch.tensor(made.widths * result.photo.frame.zoom, dtype=torch.float32)
            image = rasterize(points[None], widths=widths[None], size=224, degree=made.degree)
            assert float(clean.loss(image).total) == pytest.approx(loss, rel=1e-4)
