"""The loop: what it keeps, when it stops, and that it repeats itself."""

import threading
from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from clipasso import Settings, load_photo
from clipasso.optimise.encoded_photo import PhotoPool
from clipasso.optimise.loop import learning_rate, optimise, still_racing
from clipasso.optimise.objective import Objective, make_objective
from clipasso.optimise.strokes import Drawing
from clipasso.raster import rasterize
from tiny import Blur


def run(initial, photo, encoder, settings, *rest):
    goal = make_objective(encoder, settings)
    return optimise(Drawing.make(initial, initial.shape[2] - 1), photo, goal, settings, *rest)


SETTINGS = Settings(
    strokes=2, canvas=32, seeds=2, iterations=40, pool=6, augmentations=2, evaluate_every=5,
    drop=False,
)  # fmt: skip


@pytest.fixture
def scene():
    """A photo that two strokes can draw exactly, and strokes that start beside it."""
    target = torch.tensor(
        [[[6.0, 6], [12, 8], [20, 8], [26, 6]], [[6, 24], [12, 20], [20, 20], [26, 24]]]
    )
    photo = rasterize(target[None], widths=3.0, size=32).expand(-1, 3, -1, -1).contiguous()
    g = torch.Generator().manual_seed(0)
    initial = target + torch.randn(2, 2, 4, 2, generator=g) * 3
    return photo, initial


def test_the_loss_falls_and_the_best_is_kept(scene):
    photo, initial = scene
    seen = []
    encoder = Blur()
    out = run(initial, photo, encoder, SETTINGS, seen.append)
    goal = Objective(encoder, encoder.recipe)
    for k in range(2):
        evaluated = [losses[k] for _, losses in out.curve]
        assert out.losses[k] == min(evaluated)
        assert out.losses[k] < 0.5 * evaluated[0]
        clean = PhotoPool(photo, goal, SETTINGS, torch.Generator()).draw(0)
        image = rasterize(out.points[k][None], widths=3.0, size=32)
        assert float(clean.loss(image).total) == pytest.approx(out.losses[k], rel=1e-4)
    assert [step for step, _ in out.curve] == list(range(0, 41, 5))
    assert [p.step for p in seen] == [step for step, _ in out.curve]
    assert seen[-1].best == out.losses
    assert torch.equal(seen[-1].drawing.points[0], out.points[out.winner])
    assert out.losses[out.winner] == min(out.losses)
    for k in range(2):
        terms = out.terms["grid"][k] + out.terms["semantic"][k]
        assert terms == pytest.approx(out.terms["total"][k], rel=1e-5)


def test_same_seed_same_bytes(scene):
    photo, initial = scene
    runs = [run(initial, photo, Blur(), SETTINGS) for _ in range(2)]
    assert runs[0].points.numpy().tobytes() == runs[1].points.numpy().tobytes()
    assert runs[0].curve == runs[1].curve
    other = run(initial, photo, Blur(), replace(SETTINGS, seed=1))
    assert not torch.equal(other.points, runs[0].points)


def test_a_seed_does_not_feel_its_neighbours(scene):
    """Seeds are optimised as one batch, and each as it would be alone."""
    photo, initial = scene
    both = run(initial, photo, Blur(), SETTINGS)
    alone = run(initial[1:], photo, Blur(), replace(SETTINGS, seeds=1))
    assert torch.allclose(both.points[1], alone.points[0], atol=1e-4)


def test_a_pool_encodes_the_photo_once(scene):
    photo, initial = scene
    pooled, fresh = Blur(), Blur()
    settings = replace(SETTINGS, tolerance=0.0)
    run(initial, photo, pooled, settings)
    run(initial, photo, fresh, replace(settings, pool=0))
    sketches = 2 * (40 * 3 + 9)  # 9 evaluations, each of the average strokes
    assert pooled.calls == sketches + 1 + SETTINGS.pool
    assert fresh.calls == sketches + 1 + 40 * 2


def test_converges_by_the_papers_rule(scene):
    """A seed stops when two successive evaluations differ by less than the tolerance."""
    photo, initial = scene
    out = run(initial, photo, Blur(), replace(SETTINGS, tolerance=0.02, iterations=400))
    assert out.stopped == "converged"
    assert out.steps < 400
    for k in range(2):
        values = [losses[k] for _, losses in out.curve]
        changes = [abs(b - a) for a, b in pairwise(values)]
        first = next(i for i, change in enumerate(changes) if change < 0.02)
        assert all(change == 0 for change in changes[first + 1 :])


def test_zero_tolerance_never_converges(scene):
    photo, initial = scene
    out = run(initial, photo, Blur(), replace(SETTINGS, tolerance=0.0))
    assert (out.stopped, out.steps) == ("finished", 40)


def test_stop_keeps_the_best_so_far(scene):
    photo, initial = scene
    stop = threading.Event()

    def after_two(progress):
        if progress.step >= 10:
            stop.set()

    out = run(initial, photo, Blur(), SETTINGS, after_two, stop)
    assert out.stopped == "interrupted"
    assert out.steps == 11
    assert out.losses == tuple(min(v[k] for _, v in out.curve) for k in range(2))


def test_schedules():
    constant = replace(SETTINGS, schedule="constant", learning_rate=1.0)
    assert {learning_rate(s, constant) for s in (0, 20, 40)} == {1.0}
    cosine = replace(SETTINGS, schedule="cosine", learning_rate=2.0)
    rates = [learning_rate(s, cosine) for s in range(41)]
    assert (rates[0], rates[-1]) == (2.0, pytest.approx(0.2))
    assert rates == sorted(rates, reverse=True)


def test_no_augmentations_is_the_clean_pair_alone(scene):
    photo, initial = scene
    encoder = Blur()
    run(initial, photo, encoder, replace(SETTINGS, augmentations=0, pool=0, iterations=5))
    assert encoder.calls == 1 + 2 * (5 + 2)  # five steps, and two evaluations


def test_the_embedded_encoder_improves_a_real_sketch(photo_path, lite0):
    photo = load_photo(photo_path)
    image = torch.from_numpy(photo.pixels.copy()).permute(2, 0, 1)[None].contiguous()
    g = torch.Generator().manual_seed(3)
    initial = 112 + torch.randn(1, 6, 4, 2, generator=g) * 25
    settings = Settings(strokes=6, seeds=1, iterations=20, pool=4, augmentations=2)
    out = run(initial, image, lite0, settings)
    assert out.losses[0] < 0.95 * out.curve[0][1][0]
    assert torch.isfinite(out.points).all()


class TestRace:
    """Giving up seeds that are clearly losing."""

    def test_who_stays(self):
        best = [1.025, 1.0, 1.2, 1.01]
        assert still_racing([0, 1, 2, 3], best, 0.09) == [0, 1, 2, 3]
        assert still_racing([0, 1, 2, 3], best, 0.1) == [1, 3]
        assert still_racing([0, 1, 2], best[:3], 0.1) == [0, 1]  # of three, two
        assert still_racing([1, 3], best, 0.3) == [1]
        assert still_racing([0, 1, 2], [1.0, 1.0, 1.0], 0.3) == [0]
        assert still_racing([0], [1.0], 0.9) == [0]
        assert still_racing([2, 3], best, 0.9) == []  # the leaders have converged

    def test_the_winner_does_not_feel_it(self, scene):
        photo, initial = scene
        hopeless = torch.zeros_like(initial[:1]) + torch.tensor([2.0, 16.0])
        far = torch.cat([initial[:1], hopeless])
        settings = replace(SETTINGS, iterations=60)
        whole, raced = Blur(), Blur()
        a = run(far, photo, whole, replace(settings, drop=False))
        b = run(far, photo, raced, replace(settings, drop=True))
        assert raced.calls < 0.9 * whole.calls
        assert b.winner == a.winner == 0
        assert torch.equal(b.points[0], a.points[0])
        assert b.losses[1] >= a.losses[1]
        assert b.steps == 60


class TestStyle:
    """Widths, opacities and colours, and strokes that stay as they are."""

    def test_only_what_has_a_rate_moves(self, scene):
        photo, initial = scene
        plain = run(initial, photo, Blur(), SETTINGS).drawing
        assert plain.colors.shape[-1] == 1
        assert (plain.widths == 3).all()
        assert (plain.opacities == 1).all()
        rates = {"width_rate": 0.1, "opacity_rate": 0.05, "color_rate": 0.05}
        for name, rate in rates.items():
            drawing = run(initial, photo, Blur(), replace(SETTINGS, **{name: rate})).drawing
            moved = {
                "width_rate": bool((drawing.widths != 3).any()),
                "opacity_rate": bool((drawing.opacities != 1).any()),
                "color_rate": bool(drawing.colors.any()),
            }
            assert moved == {other: other == name for other in rates}

    def test_widths_grow_towards_a_bold_photo(self, scene):
        _, initial = scene
        bold = rasterize(initial[:1] * 1.0, widths=6.0, size=32).expand(-1, 3, -1, -1).contiguous()
        settings = replace(SETTINGS, seeds=1, width_rate=0.5, width_span=30.0, learning_rate=0.1)
        found = run(initial[:1], bold, Blur(), settings)
        assert (found.drawing.widths > 4).all()
        assert (
            found.losses[0]
            < run(initial[:1], bold, Blur(), replace(settings, width_rate=0.0)).losses[0]
        )

    def test_colors_go_to_the_photos(self, scene):
        photo, initial = scene
        red = photo.clone()
        red[:, 0] = 1.0  # white stays white, black strokes become red
        settings = replace(SETTINGS, color_rate=0.1, opacity_rate=0.05, learning_rate=1.0)
        drawing = run(initial, red, Blur(), settings).drawing
        mean = drawing.colors.mean((0, 1))
        assert mean[0] > mean[1] + 0.3
        assert drawing.colors.min() >= 0
        assert drawing.colors.max() <= 1
        assert drawing.opacities.max() <= 1

    def test_frozen_strokes_stay_to_the_bit(self, scene):
        photo, initial = scene
        drawing = Drawing.make(initial, 3, frozen=[True, False], widths=2.5)
        settings = replace(SETTINGS, width_rate=0.1, opacity_rate=0.02, color_rate=0.02)
        goal = make_objective(Blur(), settings)
        found = optimise(drawing, photo, goal, settings).drawing
        assert torch.equal(found.points[:, 0], drawing.points[:, 0])
        assert (found.widths[:, 0] == 2.5).all()
        assert not found.colors[:, 0].any()
        assert not torch.equal(found.points[:, 1], drawing.points[:, 1])

    def test_history_is_what_was_evaluated(self, scene):
        photo, initial = scene
        out = run(initial, photo, Blur(), SETTINGS)
        assert len(out.history) == len(out.curve)
        assert torch.equal(out.history[0].points, initial)
        encoder = Blur()
        clean = PhotoPool(
            photo, make_objective(encoder, SETTINGS), SETTINGS, torch.Generator()
        ).clean
        for (_, losses), drawing in zip(out.curve, out.history, strict=True):
            again = clean.loss(drawing.render(32)).total
            assert again.tolist() == pytest.approx(losses, rel=1e-4)


class TestAverage:
    """What is kept are strokes averaged over steps."""

    def test_it_is_the_average(self, scene):
        """By hand, from points that a run without average went through."""
        photo, initial = scene
        settings = replace(SETTINGS, iterations=12, evaluate_every=1, tolerance=0.0)
        whole = run(initial, photo, Blur(), replace(settings, average=0.0))
        calm = run(initial, photo, Blur(), replace(settings, average=0.6))
        mean = whole.history[0].points
        for step, drawing in enumerate(whole.history[1:], 1):
            weight = 1 - min(0.6, step / (step + 9))
            mean = mean + weight * (drawing.points - mean)
            assert torch.allclose(calm.history[step].points, mean, atol=1e-4)
        assert not torch.allclose(mean, whole.history[-1].points, atol=1e-2)

    def test_without_it_the_points_themselves_are_kept(self, scene):
        photo, initial = scene
        encoder = Blur()
        settings = replace(SETTINGS, average=0.0, tolerance=0.0)
        run(initial, photo, encoder, settings)
        assert encoder.calls == 2 * (40 * 3 + 1) + 1 + SETTINGS.pool
