"""The candidates for a mask, their scores, and how both are shown."""

import json

import numpy as np
import pytest
from PIL import Image
from skimage import data

from clipasso import load_photo
from clipasso.cli import run
from clipasso.photo.borders import frame_mask
from clipasso.photo.masks import Mask, candidates, make_mask
from clipasso.photo.masks.ballot import ballot
from clipasso.photo.masks.candidates import Candidate, Evidence
from clipasso.photo.masks.candidates import find_candidates as find
from clipasso.photo.masks.score import TERMS, scored


@pytest.fixture(autouse=True)
def no_u2net_here(monkeypatch, tmp_path):
    monkeypatch.setenv("U2NET_HOME", str(tmp_path / "u2net-home"))


@pytest.fixture(scope="module")
def cup():
    return load_photo(data.coffee(), name="cup.png")


@pytest.fixture(scope="module")
def found(cup):
    return find(cup)


class TestCandidates:
    def test_every_method_takes_part(self, found, monkeypatch, cup):
        some, evidence = found
        names = [one.name for one in some]
        assert names[:4] == ["u2netp", "u2netp-mirror", "u2netp-small", "u2netp-mean"]
        assert "u2netp-grabcut" in names
        monkeypatch.setattr(candidates, "_AGREED", 1.0)
        assert "grabcut" in [one.name for one in find(cup)[0]]
        assert evidence.salient.max() <= 1
        assert not any((one.inside & ~frame_mask(cup)).any() for one in some)

    def test_the_mirror_is_another_run_turned_back(self, found):
        straight, mirrored = (one.inside for one in found[0][:2])
        assert not np.array_equal(straight, mirrored)
        assert (straight & mirrored).sum() / (straight | mirrored).sum() > 0.9

    def test_grabcut_is_spared_where_the_runs_agree(self, cup, monkeypatch):
        monkeypatch.setattr(candidates, "salient", lambda pixels, side: box(pixels))
        monkeypatch.setattr(candidates, "find_object", lambda *_: pytest.fail("not needed"))
        assert "u2netp" in [one.name for one in find(cup)[0]]

    def test_a_backdrop_is_one_before_a_dark_border_only(self, found):
        assert "backdrop" not in [one.name for one in found[0]]
        pixels = np.full((120, 160, 3), 8, np.uint8)
        pixels[30:90, 50:110] = (200, 40, 30)
        assert "backdrop" in [one.name for one in find(load_photo(pixels))[0]]

    def test_pieces_that_are_not_recognised_are_left_out(self):
        inside = np.zeros((60, 60), bool)
        inside[5:25, 5:25] = inside[35:55, 35:55] = True
        known = np.zeros((60, 60), np.float32)
        known[:30, :30], known[30:, 30:] = 0.9, 0.1
        kept = candidates._known_pieces(inside, known)
        assert kept[10, 10]
        assert not kept[40, 40]
        known[30:, 30:] = 0.5
        assert np.array_equal(candidates._known_pieces(inside, known), inside)


def box(pixels):
    """A block in the middle, the same in the mirror."""
    likely = np.zeros(pixels.shape[:2])
    height, width = likely.shape
    likely[height // 4 : -(height // 4), width // 4 : width - width // 4] = 1
    return likely


class TestScore:
    """The measurements, one at a time, on masks of one photo."""

    y, x = np.mgrid[:224, :224]
    disc = (x - 112) ** 2 + (y - 112) ** 2 < 50**2

    def photo(self):
        rng = np.random.default_rng(0)
        pixels = np.where(self.disc[..., None], (0.8, 0.2, 0.1), (0.2, 0.5, 0.3))
        return load_photo((pixels + rng.normal(0, 0.03, pixels.shape)).clip(0, 1))

    def score(self, *masks):
        evidence = Evidence(self.disc.astype(np.float32), self.disc.astype(np.float32))
        some = [Candidate(str(k), mask) for k, mask in enumerate(masks)]
        return scored(self.photo(), some, evidence)

    def term(self, name, *masks):
        by_name = {one.name: one for one in self.score(*masks)}
        return [by_name[str(k)].terms[name] for k in range(len(masks))]

    def test_the_object_is_first_and_nothing_is_among_them(self):
        ranked = self.score(self.disc & (self.x < 100), self.disc, self.disc, self.y < 120)
        assert ranked[0].name == "1"
        assert [one.score for one in ranked] == sorted((o.score for o in ranked), reverse=True)
        (nothing,) = [one for one in ranked if one.name == "none"]
        assert nothing.inside is None
        assert nothing.score > next(one for one in ranked if one.name == "3").score

    def test_outlines_along_edges(self):
        on, off = self.term("edges", self.disc, np.roll(self.disc, 30, 1))
        assert on > 0.9
        assert off < 0.75

    def test_salience(self):
        all_of_it, half = self.term("salient", self.disc, np.roll(self.disc, 50, 1))
        assert all_of_it == 1
        assert 0.3 < half < 0.7

    def test_touching(self):
        top, chest, free = self.term("touching", self.y < 60, self.y > 150, self.disc)
        assert top > 0.5
        assert chest == 0
        assert free == 0

    def test_agreement(self):
        same, other, lone = self.term("agreed", self.disc, self.disc, self.y < 30)
        assert same == other == 0.5
        assert lone == 0

    def test_a_cat_is_recognised_in_its_cut_out_and_not_in_what_is_left(self):
        photo = load_photo(data.chelsea())
        head = (self.y > 60) & (self.y < 185) & (self.x > 60) & (self.x < 170)
        ears = frame_mask(photo) & ~head
        evidence = Evidence(head.astype(np.float32), head.astype(np.float32))
        ranked = scored(photo, [Candidate("a", head), Candidate("b", ears)], evidence)
        terms = {one.name: one.terms for one in ranked}
        assert terms["a"]["recognised"] > terms["b"]["recognised"]
        assert terms["a"]["left"] < terms["b"]["left"]

    def test_the_score_is_the_weighted_sum(self):
        for one in self.score(self.disc, self.y < 60):
            if one.terms:
                assert set(one.terms) == set(TERMS)
                total = sum(TERMS[name] * value for name, value in one.terms.items()) - 14
                assert one.score == pytest.approx(total, abs=2e-3)


class TestMake:
    def test_twice_the_same(self, cup):
        one, two = make_mask(cup), make_mask(cup)
        assert np.array_equal(one.inside, two.inside)
        assert one.choice.as_list() == two.choice.as_list()

    def test_the_best_one_is_taken(self, cup):
        mask = make_mask(cup)
        scores = [one["score"] for one in mask.choice.as_list()]
        assert scores == sorted(scores, reverse=True)
        assert mask.choice.ranked[0].inside is mask.inside
        assert mask.source == "u2netp"

    def test_nothing_where_nothing_is_one_object(self):
        grass = np.random.default_rng(0).normal(120, 40, (160, 224, 3)).clip(0, 255)
        mask = make_mask(load_photo(grass.astype(np.uint8)))
        assert mask.inside is None
        assert mask.source == "none, no candidate is convincing"
        assert "no single object found" in mask.notes[0]
        assert mask.choice.ranked[0].name == "none"

    @pytest.mark.parametrize("how", ["none", "u2netp"])
    def test_a_method_by_name_is_no_choice(self, cup, how):
        assert make_mask(cup, how).choice is None


# Where something else is than the object, which must go: rows and columns, shares of the photo.
BESIDES = {
    "bird/pelican": ((0.88, 1.0), (0.0, 0.9)),
    "plant/pineapple": ((0.7, 1.0), (0.0, 0.3)),
    "sea/killer_whale": ((0.25, 0.5), (0.0, 0.3)),
}


@pytest.mark.parametrize("name", BESIDES)
def test_what_is_beside_the_object_goes(shared, name):
    photo = load_photo(shared / "images" / "more" / f"{name}.jpg")
    mask, frame = make_mask(photo), frame_mask(photo)
    inside = mask.inside[np.ix_(frame.any(1), frame.any(0))]
    rows, columns = ((np.array(ends) * n).astype(int) for ends, n in zip(
        BESIDES[name], inside.shape, strict=True))  # fmt: skip
    assert not inside[slice(*rows), slice(*columns)].any()
    assert inside.mean() > 0.08


@pytest.mark.parametrize("name", ["instrument/harp", "wild/cheetah", "building/church"])
def test_scenes_and_close_ups_are_left_whole(shared, name):
    mask = make_mask(load_photo(shared / "images" / "more" / f"{name}.jpg"))
    assert mask.inside is None


class TestShown:
    def test_a_tile_for_each_candidate(self, cup):
        mask = make_mask(cup)
        sheet = ballot(mask, cup.pixels)
        tiles = len(mask.choice.ranked)
        assert sheet.shape == (-(-tiles // 3) * 240, 3 * 224, 3)
        shown = sheet[16:240, :224]
        assert (shown[~mask.inside] == (255, 0, 255)).all()
        assert np.abs(shown[mask.inside] / 255 - cup.pixels[mask.inside]).max() < 0.01

    def test_a_given_mask_alone(self, cup):
        inside = np.zeros((224, 224), bool)
        inside[:100] = True
        sheet = ballot(Mask(inside, "Maske-für-mich.png"), cup.pixels)
        assert sheet.shape == (240, 224, 3)
        assert (sheet[216:240] == (255, 0, 255)).all()

    def test_debug_writes_and_the_report_lists_them(self, tmp_path):
        Image.fromarray(data.coffee()[::2, ::2]).save(tmp_path / "cup.png")
        out = tmp_path / "out"
        assert run(["sketch", str(tmp_path / "cup.png"), "-o", str(out), "-q", "--debug",
                    "--strokes", "2", "--seeds", "1", "--iterations", "1",
                    "--encoder", "efficientnet-lite0"]) == 0  # fmt: skip
        with Image.open(out / "cup-candidates.png") as sheet:
            assert sheet.width == 3 * 224
        listed = json.loads((out / "cup.json").read_text())["mask_candidates"]
        assert {"u2netp", "u2netp-mean", "none"} <= {one["name"] for one in listed}
        assert set(TERMS) <= set(listed[0])
