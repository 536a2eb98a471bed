"""Faces drawn from close up, before all other strokes."""

import threading

import numpy as np
import pytest
from PIL import Image
from skimage import data

import clipasso
from clipasso.photo.canvas import load_photo
from clipasso.photo.faces import find_faces
from clipasso.pipeline.faces import strokes_each
from clipasso.pipeline.models import load_models
from clipasso.pipeline.sketch import sketch_photos
from clipasso.settings import make_settings
from clipasso.vector.plot.order import turned

QUICK = {"encoder": "efficientnet-lite0", "iterations": 2, "seeds": 1, "pool": 2, "mask": "none"}

SOON = {"iterations": 2, "seeds": 1}


@pytest.fixture(scope="module")
def drawn():
    return clipasso.sketch(data.astronaut(), strokes=9, **QUICK)


@pytest.mark.parametrize(
    ("strokes", "faces", "each"),
    [
        (4, 1, []), (7, 1, []), (8, 1, [3]), (16, 1, [6]), (16, 2, [3, 3]), (16, 9, [3, 3]),
        (32, 1, [8]), (32, 3, [4, 4, 4]), (64, 2, [8, 8]), (16, 0, []), (1, 1, []),
    ],
)  # fmt: skip
def test_strokes_each(strokes, faces, each):
    assert strokes_each(strokes, faces) == each


class TestSketch:
    def test_some_strokes_lie_in_the_face_and_are_thinner(self, drawn):
        (face,) = find_faces(load_photo(data.astronaut()))
        sketch = drawn.sketch
        assert len(sketch) == 9
        own = sketch.widths < 2.5
        assert own.sum() == 3
        assert (sketch.widths[own] > 0.5).all()
        half = 0.55 * face.width + 1
        assert (np.abs(sketch.points[own][:, [0, -1]] - face.middle) < half).all()

    def test_said_in_report_and_file(self, drawn):
        (told,) = drawn.report()["close_ups"]
        assert told["strokes"] == 3
        assert len(told["box"]) == 4
        assert drawn.report()["seconds"]["faces"] > 0
        assert clipasso.Sketch.from_svg(drawn.sketch.to_svg()).metadata["close-ups"] == (
            "1 face, 3 strokes"
        )

    def test_the_same_for_all_seeds_and_again(self, drawn):
        again = clipasso.sketch(
            data.astronaut(), strokes=9, **{**QUICK, "seeds": 2, "order": "none"}
        )
        first, second = again.sketches
        assert np.array_equal(first.points[:3], second.points[:3])
        laid = np.argsort(drawn.arrangement.order)[:3]  # those of the face, in order among the rest
        faces = turned(drawn.sketch, drawn.arrangement.backwards).points[laid]
        assert np.array_equal(first.points[:3], faces)
        assert not np.array_equal(first.points[3:], second.points[3:])

    @pytest.mark.parametrize(
        "changed", [{"faces": "none"}, {"strokes": 7}, {"init": "vit+xdog", "strokes": 9}]
    )
    def test_not_where_it_is_not_asked_for_or_strokes_are_too_few(self, changed):
        made = clipasso.sketch(
            data.astronaut(), width_rate=0.0, **{**QUICK, "strokes": 9, **changed}
        )
        assert made.close_ups.faces == ()
        assert (made.sketch.widths > 2.9).all()
        assert "close-ups" not in made.sketch.metadata
        assert made.report()["close_ups"] == []

    def test_not_beside_strokes_of_ones_own(self, drawn):
        made = clipasso.sketch(data.astronaut(), init=drawn.sketch, **QUICK)
        assert made.close_ups.sketch is None

    def test_not_of_faces_that_fill_the_canvas_are_tiny_or_masked_away(self, tmp_path):
        photo = data.astronaut()
        face = photo[60:185, 160:285]
        small = np.full((512, 512, 3), 235, np.uint8)
        small[:40, :40] = np.asarray(Image.fromarray(face).resize((40, 40)))
        mask = tmp_path / "mask.png"
        Image.fromarray(np.uint8(255 * (np.mgrid[:512, :512][0] > 250))).save(mask)
        for source, how in ((face, {}), (small, {}), (photo, {"mask": mask, "zoom": "none"})):
            made = clipasso.sketch(source, strokes=8, **{**QUICK, **how})
            assert made.close_ups.faces == ()

    def test_lines_and_curves_of_any_make(self):
        made = clipasso.sketch(data.astronaut(), strokes=8, control_points=2, segments=2, **QUICK)
        assert made.sketch.degree == 1
        assert made.sketch.segments == 2
        assert len(made.close_ups.faces) == 1

    def test_a_stop_beforehand_leaves_them_out(self):
        stop = threading.Event()
        stop.set()
        made = clipasso.sketch(data.astronaut(), strokes=8, stop=stop, **QUICK)
        assert made.close_ups.faces == ()
        assert len(made.sketch) == 8

    def test_beside_a_photo_without_faces_while_colours_are_learned(self):
        settings = make_settings("default", strokes=8, color_rate=0.01, **{**SOON, "pool": 2})[0]
        models = load_models(settings, "efficientnet-lite0")
        photos = [load_photo(data.astronaut()), load_photo(data.coffee())]
        some, none = sketch_photos(photos, models, settings)
        assert [len(made.close_ups.faces) for made in (some, none)] == [1, 0]
        alone = sketch_photos(photos[1:], models, settings)[0]
        assert np.array_equal(none.sketch.points, alone.sketch.points)
