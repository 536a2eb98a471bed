"""Small objects on the whole canvas: what is shown, from which pixels, and what comes back."""

import io
import json
import os
import threading

import numpy as np
import pytest
from numpy.testing import assert_allclose
from PIL import Image

import clipasso
from clipasso import ClipassoError, Sketch, load_photo
from clipasso.cli import run
from clipasso.encoders import EMBEDDED
from clipasso.photo.borders import extended, frame_mask
from clipasso.photo.canvas import closer
from clipasso.photo.masks import Mask, cut_out, make_mask
from clipasso.photo.masks.backdrop import stands_out
from clipasso.photo.masks.magnify import magnified
from clipasso.photo.zoom import object_box, zoomed

QUICK = {"encoder": EMBEDDED, "strokes": 4, "seeds": 1, "iterations": 2, "pool": 2}
WHOLE = np.ones((64, 64), bool)


def ramp(height=300, width=400):
    """Red grows to the right and green downwards: a colour tells its place in 0..1."""
    y, x = np.mgrid[:height, :width]
    return np.stack([(x + 0.5) / width, (y + 0.5) / height, np.full_like(x, 0.5, float)], -1)


def small_disc(side=900, radius=90, at=(300, 600)):
    """A dark disc on white, its centre (x, y) and radius in px, with fine dents in its outline."""
    y, x = np.mgrid[:side, :side]
    x, y = x + 0.5 - at[0], y + 0.5 - at[1]
    bumps = radius + 4 * np.cos(40 * np.arctan2(y, x))
    return np.hypot(x, y) < bumps


def jpeg(array, **options):
    out = io.BytesIO()
    Image.fromarray(array).save(out, "JPEG", quality=95, **options)
    return out.getvalue()


class TestCloser:
    @pytest.mark.parametrize("fit", ["pad", "crop", "stretch"])
    @pytest.mark.parametrize("box", [(20.0, 30.0, 16.0), (1.3, 20.2, 40.7), (-8.0, 30.5, 50.0)])
    def test_every_pixel_keeps_its_place_in_the_photo(self, fit, box):
        photo = load_photo(ramp(), size=64, fit=fit)
        near = closer(photo, box)
        frame, inside = near.frame, frame_mask(near)
        assert frame.zoom == pytest.approx(64 / box[2])
        rows, columns = np.nonzero(inside)
        where = frame.to_photo(np.stack([columns, rows], 1) + 0.5) / (frame.width, frame.height)
        colours = near.pixels[rows, columns, :2]
        steady = ((where > 0.02) & (where < 0.98)).all(1)  # the resizer ends at the photo
        assert_allclose(colours[steady], where[steady], atol=0.004)
        assert (near.pixels[~inside] == 1).all()
        # The same photo px lie under the same canvas px as before, seen through the box.
        corner = np.array(box[:2])
        again = (photo.frame.to_canvas(where * (frame.width, frame.height)) - corner) * frame.zoom
        assert_allclose(again, np.stack([columns, rows], 1) + 0.5, atol=1e-6)

    def test_beyond_the_photo_is_padding(self):
        near = closer(load_photo(ramp(), size=64), (-16.0, 0.0, 32.0))
        assert not frame_mask(near)[:, :32].any()
        assert frame_mask(near)[16:, 32:].all()  # the photo starts at row 8
        filled = extended(near)
        assert filled[40, 4, 0] < 0.1  # the border's colour and not white

    def test_it_is_read_from_the_source_and_not_from_the_canvas(self, tmp_path):
        lines = np.zeros((2048, 2048, 3), np.uint8)
        lines[:, ::8] = lines[:, 1::8] = lines[:, 2::8] = lines[:, 3::8] = 255
        path = tmp_path / "lines.png"
        Image.fromarray(lines).save(path)
        image = Image.open(path)
        sources = [path, str(path), path.read_bytes(), jpeg(lines), image, lines, lines / 255]
        for source in sources:
            photo = load_photo(source, size=64)
            near = closer(photo, (10.0, 10.0, 4.0))
            assert np.ptp(photo.pixels) < 0.5
            assert near.pixels.std() > 0.4
            assert (near.name, near.notes) == (photo.name, photo.notes)

    def test_transparency_comes_along(self):
        disc = small_disc()
        near = closer(load_photo(np.dstack([disc] * 4) * 1.0, size=224), (50.0, 125.0, 50.0))
        truth = disc[502:703, 201:402][::4, ::4]
        shown = np.asarray(Image.fromarray(near.alpha > 0.5).resize(truth.shape[::-1]))
        assert (shown == truth).mean() > 0.98

    def test_a_pipe_can_be_read_again(self, tmp_path):
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        array = (ramp() * 255).astype(np.uint8)
        writer = threading.Thread(target=lambda: pipe.write_bytes(jpeg(array)), daemon=True)
        writer.start()
        photo = load_photo(pipe, size=64)
        writer.join()
        assert closer(photo, (20.0, 20.0, 20.0)).frame.zoom == pytest.approx(3.2)

    def test_what_cannot_be(self, tmp_path):
        path = tmp_path / "gone.png"
        Image.fromarray(np.zeros((64, 64), np.uint8)).save(path)
        photo = load_photo(path, size=64)
        for box in ((0.0, 0.0, 0.0), (0.0, 0.0, float("nan")), (70.0, 0.0, 10.0)):
            with pytest.raises(ClipassoError, match=r"^gone\.png: "):
                closer(photo, box)
        path.unlink()
        with pytest.raises(ClipassoError, match=r"^gone\.png: no such file"):
            closer(photo, (0.0, 0.0, 32.0))
        cut = cut_out(photo, Mask(WHOLE, "by hand"))
        with pytest.raises(ClipassoError, match="load it again"):
            closer(cut, (0.0, 0.0, 32.0))


class TestBox:
    def box(self, *objects, frame=WHOLE):
        inside = np.zeros((64, 64), bool)
        for rows, columns in objects:
            inside[slice(*rows), slice(*columns)] = True
        return object_box(inside, frame)

    def test_the_object_in_the_middle_with_a_margin(self):
        x, y, side = self.box(((20, 40), (30, 40)))
        assert 20 * 1.1 < side < 20 * 1.2
        assert (x + side / 2, y + side / 2) == (35, 30)

    def test_at_most_four_times(self):
        assert self.box(((30, 33), (30, 33)))[2] == 16

    def test_not_for_a_little(self):
        assert self.box(((5, 55), (20, 40))) is None
        assert self.box(((5, 50), (20, 40))) is not None

    def test_nothing_and_specks_alone(self):
        assert self.box() is None
        assert self.box(((30, 31), (30, 31))) is None

    def test_specks_do_not_count_and_further_parts_do(self):
        alone = self.box(((20, 40), (30, 40)))
        assert self.box(((20, 40), (30, 40)), ((2, 3), (2, 3))) == alone
        assert self.box(((20, 40), (30, 40)), ((2, 6), (20, 24)))[2] > alone[2]

    def test_the_square_ends_where_the_photo_cuts_the_object_off(self):
        x, y, side = self.box(((44, 64), (30, 40)))
        assert y + side == 64
        assert x + side / 2 == 35
        frame = np.zeros((64, 64), bool)
        frame[8:56] = True
        x, y, _ = self.box(((8, 20), (0, 12)), frame=frame)
        assert (x, y) == (0, 8)


class TestZoomed:
    @pytest.fixture
    def disc(self):
        return small_disc()

    def overlap(self, mask, near, disc):
        """How well a mask on the canvas agrees with a picture of the photo's size."""
        frame = near.frame
        points = np.stack(np.meshgrid(*[np.arange(224) + 0.5] * 2), -1)
        at = np.floor(frame.to_photo(points) * len(disc) / frame.width).astype(int)
        known = ((at >= 0) & (at < len(disc))).all(-1)
        truth = np.zeros((224, 224), bool)
        truth[known] = disc[at[known][:, 1], at[known][:, 0]]
        return (mask & truth).sum() / (mask | truth).sum()

    def test_what_stands_out_from_a_plain_border(self, disc):
        photo = load_photo(np.where(disc, 0.2, 0.9))
        mask = make_mask(photo)
        assert mask.inside is None
        near, still = zoomed(photo, mask)
        assert still is mask
        assert near.frame.zoom == 4
        assert self.overlap(near.pixels[..., 0] < 0.55, near, disc) > 0.97
        same, _ = zoomed(photo, mask, "none")
        assert same is photo
        assert zoomed(near, mask)[0] is near

    def test_pale_parts_are_not_cut_off(self):
        pixels = np.full((224, 224, 3), 0.98)
        pixels[80:120, 60:160] = 0.92
        pixels[90:110, 60:80] = 0.1
        found = stands_out(load_photo(pixels))
        assert found[100, 62:158].all()
        assert not found[:70].any()

    def test_photos_whose_object_is_not_known_stay(self):
        rng = np.random.default_rng(0)
        busy = load_photo(rng.uniform(0, 1, (64, 64, 3)))
        assert stands_out(busy) is None
        mask = Mask(None, "none, GrabCut found no object")
        assert zoomed(busy, mask) == (busy, mask)
        plain = load_photo(np.full((64, 64), 0.5))
        assert zoomed(plain, Mask(None, "none"))[0] is plain

    def test_a_mask_file_is_read_again(self, disc, tmp_path):
        path = tmp_path / "mask.png"
        Image.fromarray(disc).save(path)
        rng = np.random.default_rng(0)
        photo = load_photo(rng.uniform(0, 1, (900, 900)))
        near, mask = zoomed(photo, make_mask(photo, str(path)))
        assert mask.source == "mask.png"
        assert self.overlap(mask.inside, near, disc) > 0.98

    def test_transparency_is_read_again(self, disc):
        rng = np.random.default_rng(0)
        alpha = np.where(disc, 1, 0.2)
        photo = load_photo(np.dstack([rng.uniform(0, 1, (900, 900)), *[disc] * 2, alpha]))
        near, mask = zoomed(photo, make_mask(photo, "alpha"))
        assert mask.source == "alpha"
        assert self.overlap(mask.inside, near, disc) > 0.98

    def test_a_found_mask_follows_the_edges_that_show_now(self, disc):
        rng = np.random.default_rng(0)
        pixels = np.where(disc, 0.3, 0.7) + rng.normal(0, 0.02, disc.shape)
        photo = load_photo(pixels.clip(0, 1))
        coarse = photo.pixels[..., 0] < 0.5
        near, mask = zoomed(photo, Mask(coarse, "grabcut"))
        assert mask.source == "grabcut"
        assert self.overlap(mask.inside, near, disc) > 0.98  # enlarged and no more: 0.966
        # A coarse mask that is a pixel too large is drawn in to the object.
        wide = coarse | np.roll(coarse, 1, 0) | np.roll(coarse, -1, 0) | np.roll(coarse, 1, 1)
        near, mask = zoomed(photo, Mask(wide, "grabcut"))
        assert self.overlap(mask.inside, near, disc) > 0.93  # 0.912

    def test_thin_parts_survive(self):
        pixels = np.full((900, 900), 0.8)
        pixels[400:500, 300:600] = 0.2
        pixels[500:640, 330:340] = pixels[500:640, 560:570] = 0.2  # legs of 2.5 px on the canvas
        photo = load_photo(pixels)
        coarse = photo.pixels[..., 0] < 0.5
        box = object_box(coarse, np.ones_like(coarse))
        near = closer(photo, box)
        inside = magnified(coarse, box, near)
        truth = near.pixels[..., 0] < 0.5
        legs = np.arange(224)[:, None] > (frame_row := near.frame.to_canvas((0, 125.0))[1])
        assert frame_row < 150
        assert inside[truth & legs].mean() > 0.9

    def test_outside_the_photo_is_no_object(self):
        photo = load_photo(ramp(), size=64)
        box = (-10.0, 0.0, 30.0)
        near = closer(photo, box)
        assert not magnified(WHOLE, box, near)[~frame_mask(near)].any()


class TestSketch:
    @pytest.fixture
    def path(self, tmp_path):
        path = tmp_path / "dot.png"
        Image.fromarray(np.where(small_disc(), 40, 255).astype(np.uint8)).save(path)
        return path

    def test_strokes_lie_on_the_object_in_the_photos_frame(self, path):
        result = clipasso.sketch(path, width_rate=0.0, **QUICK)
        frame = result.photo.frame
        assert result.sketch.size == (224, 224)
        assert frame.zoom == 4
        away = np.hypot(*(result.sketch.points * 900 / 224 - (300, 600)).T)
        assert away.max() < 150
        assert_allclose(result.sketch.widths, 3 / 4)
        assert result.sketch.metadata["zoom"] == "4"
        assert result.report()["frame"]["zoom"] == 4
        whole = clipasso.sketch(path, zoom="none", width_rate=0.0, **QUICK)
        assert whole.photo.frame.zoom == 1
        assert "zoom" not in whole.sketch.metadata
        assert_allclose(whole.sketch.widths, 3)

    def test_a_sketch_to_start_from_keeps_its_widths_and_places(self, path):
        first = clipasso.sketch(path, **QUICK).sketch
        again = clipasso.sketch(path, init=first, freeze="all", **{**QUICK, "strokes": 5}).sketch
        assert np.ptp(first.widths) > 0.01  # learned, so that they are told from a pen's
        assert_allclose(again.points[:4], first.points, atol=1e-4)
        assert_allclose(again.widths, [*first.widths, 0.75], rtol=1e-5)  # the new one is a pen's

    @pytest.mark.parametrize("fit", ["crop", "stretch"])
    def test_other_fits(self, fit, photo_path):
        result = clipasso.sketch(photo_path, fit=fit, order="none", **QUICK)
        frame = result.photo.frame
        whole = load_photo(photo_path, fit=fit).frame
        assert (frame.width, frame.height) == (whole.width, whole.height)
        assert frame.scale_y / frame.scale_x == pytest.approx(whole.scale_y / whole.scale_x)
        assert_allclose(
            frame.to_canvas(result.sketch.points), result.outcome.points[0].numpy(), atol=1e-3
        )

    def test_the_background_weight_works_on_the_zoomed_mask(self, path):
        disc = Image.fromarray(small_disc())
        disc.save(path.with_name("mask.png"))
        mask = path.with_name("mask.png")
        result = clipasso.sketch(path, mask=mask, background_weight=1.0, **QUICK)
        assert result.mask.inside.mean() > 0.3
        assert result.outcome.terms["background"][0] >= 0

    def test_from_the_command_line(self, path, tmp_path, capsys):
        out = tmp_path / "out"
        line = ["sketch", str(path), "--iterations", "2", "--seeds", "1", "--strokes", "3"]
        line += ["--augmentations", "0", "--encoder", EMBEDDED, "-o", str(out)]
        assert run(line) == 0
        assert "zoomed 4 times to its object" in capsys.readouterr().out
        assert json.loads((out / "dot.json").read_text())["frame"]["zoom"] == 4
        assert Sketch.open(out / "dot.svg").metadata["zoom"] == "4"
        assert run([*line, "--force", "--zoom", "none"]) == 0
        assert "zoomed" not in capsys.readouterr().out
        assert run([*line, "--force", "--zoom", "much"]) == 2
        assert capsys.readouterr().err.strip().endswith("--zoom much: must be auto or none")


def test_maps_of_a_zoomed_canvas_stand_in_their_place_on_a_sheet():
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from clipasso.figures.panels import _image

    near = closer(load_photo(ramp(), size=64), (-4.0, 10.0, 32.0))
    page = Figure(figsize=(4, 3), dpi=100)
    axes = page.add_axes((0, 0, 1, 1))
    axes.axis("off")
    _image(axes, np.ones((64, 64)), near.frame, near.frame, cmap="gray")
    canvas = FigureCanvasAgg(page)
    canvas.draw()
    drawn = np.asarray(canvas.buffer_rgba())[..., 0] > 128
    # Of the photo's 64 x 48 px the canvas shows x up to 28 and y from 2 to 34.
    truth = np.zeros((300, 400), bool)
    truth[12:213, :175] = True
    assert (drawn == truth).mean() > 0.98


class TestTiny:
    """Objects that are specks on the canvas but not in the photo."""

    SIDE = 2000

    def shape(self, size=30, at=(1300, 500)):
        """An upright L, `size` px high, with its corner at (x, y)."""
        found = np.zeros((self.SIDE, self.SIDE), bool)
        x, y = at
        found[y : y + size, x : x + size // 3] = True
        found[y + size - size // 3 : y + size, x : x + 2 * size // 3] = True
        return found

    def shows(self, near, shape):
        """Whether the canvas shows the shape with little around it, and where it belongs."""
        rows, columns = np.nonzero(shape)
        ends = np.array([(columns.min(), rows.min()), (columns.max() + 1, rows.max() + 1)])
        ends = near.frame.to_canvas(ends * near.frame.width / self.SIDE)
        return (ends > 0).all() and (ends < 224).all() and np.ptp(ends, axis=0).max() > 90

    @pytest.mark.parametrize("size", [12, 30, 60])
    def test_it_is_found_and_magnified(self, size):
        shape = self.shape(size)
        photo = load_photo(np.where(shape, np.uint8(40), np.uint8(240)))
        near, _ = zoomed(photo, make_mask(photo))
        assert near.frame.zoom > 4
        assert near.frame.zoom <= 4 * self.SIDE / 224 * 1.001  # 4 px for one of the photo's
        assert near.pixels.min() < 0.3
        if size >= 30:
            assert self.shows(near, shape)

    def test_in_a_noisy_jpeg_with_dust(self):
        rng = np.random.default_rng(0)
        shape = self.shape()
        pixels = np.where(shape, 40, 240)[..., None] + rng.normal(0, 3, (*shape.shape, 3))
        for at in rng.integers(0, self.SIDE - 3, (20, 2)):
            pixels[at[0] : at[0] + 3, at[1] : at[1] + 3] = 150
        photo = load_photo(jpeg(pixels.clip(0, 255).astype(np.uint8)))
        near, _ = zoomed(photo, make_mask(photo))
        assert self.shows(near, shape)

    def test_before_a_dark_backdrop_it_is_cut_out(self):
        shape = self.shape()
        photo = load_photo(np.where(shape[..., None], np.uint8([230, 200, 60]), np.uint8(15)))
        mask = make_mask(photo)
        assert mask.inside is None
        near, mask = zoomed(photo, mask)
        assert self.shows(near, shape)
        assert mask.source == "backdrop"
        assert near.pixels[mask.inside].mean() > 0.5

    def test_on_transparency_and_by_a_mask_of_ones(self, tmp_path):
        shape = self.shape()
        noise = np.random.default_rng(0).integers(0, 256, (*shape.shape, 3), np.uint8)
        cut = load_photo(np.dstack([noise, np.where(shape, np.uint8(255), np.uint8(0))]))
        Image.fromarray(shape.astype(np.uint8)).save(tmp_path / "mask.png")
        whole = load_photo(noise)
        for photo, mask in (
            (cut, make_mask(cut)),
            (whole, make_mask(whole, str(tmp_path / "mask.png"))),
        ):
            near, fine = zoomed(photo, mask)
            assert self.shows(near, shape)
            where = near.frame.to_photo(np.stack(np.mgrid[:224, :224][::-1], -1) + 0.5)
            x, y = np.floor(where * self.SIDE / 224).astype(int).transpose(2, 0, 1)
            truth = shape[y.clip(0, self.SIDE - 1), x.clip(0, self.SIDE - 1)]
            assert (fine.inside & truth).sum() / (fine.inside | truth).sum() > 0.9

    def test_dust_alone_is_nothing(self):
        pixels = np.full((self.SIDE, self.SIDE), 240, np.uint8)
        for k in range(9):
            pixels[100 + 200 * k, 1900 - 200 * k] = 0
        photo = load_photo(pixels)
        assert zoomed(photo, make_mask(photo))[0] is photo

    def test_a_small_photo_has_no_more_to_show(self):
        shape = np.zeros((224, 224), bool)
        shape[100:110, 60:68] = True
        photo = load_photo(np.where(shape, 0.2, 0.9))
        assert zoomed(photo, make_mask(photo))[0].frame.zoom == 4

    def test_the_detail_of_a_photo(self):
        array = np.zeros((600, 900), np.uint8)
        array[:300] = 255
        for source in (array, jpeg(array), Image.fromarray(array)):
            assert load_photo(source, size=90).detail == 10
            assert load_photo(source, size=60, fit="crop").detail == 10
            assert load_photo(source, size=90, fit="stretch").detail == 10
