"""What is minimised: recipes from options, ink outside the mask, text."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import clipasso
from clipasso import ClipassoError, Settings
from clipasso.encoders import EMBEDDED
from clipasso.encoders.base import Recipe
from clipasso.encoders.metrics import Pixels
from clipasso.optimise.loop import optimise
from clipasso.optimise.objective import (
    Objective,
    make_objective,
    make_recipe,
    outside_map,
    parse_layers,
)
from clipasso.optimise.strokes import Drawing
from clipasso.photo.borders import frame_mask
from clipasso.photo.masks import Mask
from clipasso.pipeline.models import Models
from clipasso.raster import rasterize
from clipasso.settings import make_settings
from tiny import Blur, Reader

QUICK = {"encoder": EMBEDDED, "strokes": 4, "seeds": 1, "iterations": 3, "pool": 4}


class TestRecipe:
    def test_the_encoders_own_by_default(self, lite0):
        assert make_recipe(lite0, Settings()) == lite0.recipe

    def test_layers_in_the_papers_numbering(self, lite0):
        wanted = {"stage3": 1.0, "stage5": 0.5}
        assert parse_layers("3:1,5:0.5", lite0) == wanted
        assert parse_layers(" stage3 , 5 : .5", lite0) == wanted
        recipe = make_recipe(lite0, Settings(layers="3,5:0.5", distance="l1"))
        assert recipe == replace(lite0.recipe, layers=wanted, distance="l1")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("8", "has no layer 8; it has 1 to 7"),
            ("0:1", "has no layer 0"),
            ("layer3", "has no layer layer3"),
            ("3:heavy", "layer 3 needs a weight above 0"),
            ("3:-1", "needs a weight above 0"),
            ("3,stage3", "layer stage3 is named twice"),
            (",", "has no layer"),
        ],
    )
    def test_layers_that_are_not(self, text, message, lite0):
        with pytest.raises(ClipassoError, match=message):
            parse_layers(text, lite0)

    def test_terms_alone(self, lite0):
        geometric = make_recipe(lite0, Settings(loss="geometric"))
        assert (geometric.semantic_weight, geometric.layers) == (0.0, lite0.recipe.layers)
        semantic = make_recipe(lite0, Settings(loss="semantic"))
        assert (semantic.semantic_weight, dict(semantic.layers)) == (1.0, {})
        assert (
            make_recipe(lite0, Settings(loss="semantic", semantic_weight=2.0)).semantic_weight == 2
        )
        assert make_recipe(lite0, Settings(semantic_weight=0.0)).semantic_weight == 0

    @pytest.mark.parametrize(
        ("settings", "lighten"),
        [
            (Settings(), 0.5),
            (Settings(lighten=0.2), 0.2),
            (Settings(lighten=0.0), 0.0),
            (Settings(color_rate=0.01), 0.0),
            (Settings(color_rate=0.01, lighten=0.3), 0.3),
            (make_settings("paper")[0], 0.0),
            (make_settings("clipdraw")[0], 0.0),
        ],
    )
    def test_lighten(self, settings, lighten, lite0):
        assert make_recipe(lite0, settings).lighten == lighten
        assert make_recipe(Pixels(), Settings(loss="l2")).lighten == 0

    @pytest.mark.parametrize(
        ("settings", "rate"),
        [
            (Settings(), 0.1),
            (Settings(width_rate=0.0), 0.0),
            (Settings(width_rate=0.3), 0.3),
            (make_settings("paper")[0], 0.0),
            (make_settings("clipdraw")[0], 0.2),
        ],
    )
    def test_width_rate(self, settings, rate, lite0):
        assert make_recipe(lite0, settings).width_rate == rate
        assert make_recipe(Pixels(), Settings(loss="l2")).width_rate == 0

    @pytest.mark.parametrize(
        "options",
        [
            {"loss": "geometric", "semantic_weight": 0.5},
            {"loss": "l2", "layers": "3"},
            {"loss": "l2", "distance": "l1"},
            {"loss": "lpips", "semantic_weight": 0.1},
        ],
    )
    def test_options_that_would_do_nothing(self, options, lite0):
        with pytest.raises(ClipassoError, match="--loss"):
            make_recipe(lite0, Settings(**options))


class TestBackground:
    INSIDE = np.zeros((32, 32), bool)
    INSIDE[:, :16] = True

    def test_distance_from_the_object(self):
        away = outside_map(self.INSIDE)
        assert not away[:, :16].any()
        assert away[5, 16:].tolist() == pytest.approx([(k + 1) / 3.2 for k in range(16)])

    def test_ink_outside_by_hand(self):
        settings = Settings(background_weight=2.0, canvas=32)
        goal = make_objective(Blur(), settings, self.INSIDE)
        images = torch.ones(2, 1, 32, 32)
        images[0, 0, 10, 10] = 0  # all ink on the object
        images[1, 0, 10, [10, 19]] = 0  # half of it 4 pixels away
        assert goal._stray_ink(images).tolist() == pytest.approx([0, 4 / 3.2 / 2])
        seen = goal.encoder.encode(images, ("grid",))
        loss = goal.compare(seen, seen, {}, images)
        assert loss.extra["background"].tolist() == pytest.approx([0, 4 / 3.2])
        assert torch.allclose(loss.total, loss.extra["background"], atol=1e-6)

    def test_strokes_leave_the_background(self):
        """A photo with two bars, one of them outside the mask, and a stroke on each."""
        bars = torch.tensor(
            [[[8.0, 4], [8, 12], [8, 20], [8, 28]], [[24.0, 4], [24, 12], [24, 20], [24, 28]]]
        )
        photo = rasterize(bars[None], widths=4.0, size=32).expand(-1, 3, -1, -1).contiguous()
        settings = Settings(canvas=32, iterations=60, pool=0, augmentations=0, seeds=1)
        outside = {}
        for weight in (0.0, 1.0):
            chosen = replace(settings, background_weight=weight)
            goal = make_objective(Blur(), chosen, self.INSIDE)
            found = optimise(Drawing.make(bars[None], 3), photo, goal, chosen)
            ink = 1 - found.drawing.render(32)[0, 0]
            outside[weight] = float(ink[:, 16:].sum() / ink.sum())
        assert outside[0.0] > 0.4
        assert outside[1.0] < 0.1

    def test_the_photo_is_not_cut_then(self, photo_path, lite0):
        """An imperfect mask must not cut the object (section 5)."""
        photo = clipasso.load_photo(photo_path)
        mask = Mask(photo.pixels.min(-1) < 0.5, "by hand")
        few = {
            "strokes": 3,
            "seeds": 1,
            "iterations": 2,
            "pool": 2,
            "zoom": "none",
            "lighten": 0.0,
            "contrast": 0.0,
        }
        cut = clipasso.sketch_photo(photo, Models(lite0, lite0), Settings(**few), mask=mask)
        kept = clipasso.sketch_photo(
            photo, Models(lite0, lite0), Settings(**few, background_weight=1.0), mask=mask
        )
        assert "background" not in cut.outcome.terms
        assert kept.outcome.terms["background"][0] >= 0
        frame = frame_mask(photo)
        assert np.array_equal(kept.initialisation.pixels[frame], photo.pixels[frame])
        starts = kept.initialisation.drawing.points[0, :, 0].numpy().astype(int)
        assert all(mask.inside[y, x] for x, y in starts)

    def test_without_a_mask_it_says_so(self, photo_path):
        result = clipasso.sketch(photo_path, mask="none", background_weight=1.0, **QUICK)
        assert "no mask" in result.notes[-1]


class TestText:
    def test_the_term_by_hand(self):
        encoder = Reader()
        settings = Settings(text="the top", text_weight=0.5, canvas=32)
        goal = make_objective(encoder, settings)
        image = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
        seen = encoder.encode(image, ("grid",))
        loss = goal.compare(seen, seen, {}, image)
        a, b = seen.embedding[0], encoder.encode_text("the top")
        wanted = 0.5 * (1 - float(a @ b / a.norm() / b.norm()))
        assert float(loss.extra["text"]) == pytest.approx(wanted, rel=1e-5)
        assert float(loss.total) == pytest.approx(wanted, abs=1e-5)

    @pytest.mark.parametrize(("text", "low"), [("top", True), ("bottom", False)])
    def test_strokes_follow_a_text(self, text, low):
        settings = Settings(
            canvas=32, iterations=40, pool=0, augmentations=0, seeds=1, text=text, text_weight=1.0,
            loss="semantic", semantic_weight=0.0, width=6.0,
        )  # fmt: skip
        start = np.array([[[4.0, 16], [12, 16], [20, 16], [28, 16]]] * 2)[None]
        start[:, 1] += (0, 1)
        goal = make_objective(Reader(), settings)
        blank = torch.ones(1, 3, 32, 32)
        found = optimise(Drawing.make(start, 3, widths=6.0), blank, goal, settings)
        assert (found.drawing.points[..., 1].mean() < 14) == low
        assert set(found.terms) == {"semantic", "text", "total"}

    def test_the_embedded_encoder_cannot_read(self, photo_path):
        with pytest.raises(ClipassoError, match="no text tower"):
            clipasso.sketch(photo_path, text="a flower", **QUICK)

    def test_weight_zero_asks_for_no_text_tower(self, lite0):
        assert make_objective(lite0, Settings(text="a", text_weight=0.0)).text is None


def test_an_objective_needs_nothing_but_encoder_and_recipe():
    goal = Objective(Blur(), Recipe({"fine": 1.0}))
    image = torch.zeros(1, 3, 32, 32)
    seen = goal.encoder.encode(image, goal.recipe.layers)
    assert goal.compare(seen, seen, {}, image).extra == {}
