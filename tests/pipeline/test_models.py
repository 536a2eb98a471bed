"""Which networks a run loads: one for the loss, one for the first strokes."""

import time

import pytest
import torch

from clipasso import ClipassoError, Settings
from clipasso.encoders import EMBEDDED, at_hand, hub, load_encoder
from clipasso.encoders.base import Encoder
from clipasso.pipeline import waiting
from clipasso.pipeline.models import choose_saliency, load_models, pick_device
from clipasso.pipeline.words import time_in_words
from towers import random_encoder, random_tower


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Checkpoints of the paper's towers with random weights."""
    folder = tmp_path_factory.mktemp("weights")
    for name in ("RN101", "ViT-B-32"):
        torch.save(random_tower(name).half().state_dict(), folder / f"{name}.pt")
    return folder


@pytest.fixture
def here(monkeypatch, files):
    """A machine whose caches hold what is put into the list, and no hub."""
    names = ["RN101", "ViT-B-32"]

    def cached(architecture, tag):
        known = architecture in names and tag == "openai"
        return files / f"{architecture}.pt" if known else None

    monkeypatch.setattr(hub, "cached_weights", cached)
    monkeypatch.setattr(hub, "hub_answers", lambda *args: False)
    return names


def test_the_papers_pair(here):
    models = load_models(Settings(), "RN101", device="cpu")
    assert (models.loss.name, models.saliency.name) == ("RN101", "ViT-B-32")
    assert models.note is None
    assert models.device == torch.device("cpu")


@pytest.mark.parametrize("method", ["attention", "relevance"])
def test_a_map_of_vits_kind_is_vits(here, method):
    assert load_models(Settings(saliency=method), "RN101").saliency.name == "ViT-B-32"


@pytest.mark.parametrize("method", ["gradcam", "none"])
def test_other_maps_are_the_encoders_own(here, method):
    models = load_models(Settings(saliency=method), "RN101")
    assert models.saliency is models.loss


def test_auto_is_the_paper_where_its_weights_are(here):
    models = load_models(Settings(), "auto", device="cpu")
    assert (models.loss.name, models.saliency.name, models.note) == ("RN101", "ViT-B-32", None)


@pytest.fixture
def hub_that_offers(here, monkeypatch):
    """A hub that answers and would deliver; yields what it was asked."""
    asked = []

    def download(architecture, tag):
        raise AssertionError(f"{architecture}: a download that nobody asked for")

    monkeypatch.setattr(hub, "hub_answers", lambda *names: bool(asked.append(names)) or True)
    monkeypatch.setattr(hub, "download_weights", download)
    return asked


def test_auto_on_the_cpu_neither_asks_the_hub_nor_fetches(here, hub_that_offers):
    here.clear()
    models = load_models(Settings(), "auto", device="cpu")
    assert models.loss.name == models.saliency.name == EMBEDDED
    here.append("RN101")  # ViT-B/32 is not fetched either
    models = load_models(Settings(), "auto", device="cpu")
    assert models.saliency is models.loss
    assert models.loss.name == "RN101"
    assert not hub_that_offers


def test_auto_on_a_gpu_takes_what_the_hub_offers(hub_that_offers, here, files, monkeypatch):
    here.clear()
    assert not at_hand("RN101", "cpu")
    assert not hub_that_offers
    assert at_hand("RN101", "cuda:0")
    assert at_hand("RN101", torch.device("mps"))
    monkeypatch.setattr(hub, "download_weights", lambda a, t: files / f"{a}.pt")
    monkeypatch.setattr(Encoder, "to", lambda self, device: self)  # no GPU is here
    assert load_encoder("auto", device="cuda").name == "RN101"
    monkeypatch.setattr(hub, "hub_answers", lambda *names: False)
    assert load_encoder("auto", device="cuda").name == EMBEDDED
    assert not at_hand("RN101", "cuda")


class TestNote:
    """What is said where `auto` took the embedded encoder."""

    @pytest.fixture(autouse=True)
    def a_slow_machine(self, here, monkeypatch):
        here.clear()
        monkeypatch.setattr("clipasso.pipeline.models.has_bf16", lambda device: True)
        monkeypatch.setattr(waiting, "convolution_seconds", self.seconds)

    @staticmethod
    def seconds(precision):
        return 0.01 if precision == torch.float32 else 0.005

    def note(self, encoder="auto", **settings):
        return load_models(Settings(**settings), encoder, device="cpu").note

    def test_what_it_says(self, here):
        assert self.note(EMBEDDED) is None
        note = self.note(saliency="none")
        assert note.startswith("encoder: EfficientNet-Lite0 (ImageNet); --encoder RN101 would ")
        assert "fetch about 479 MB (RN101) and then take up to about" in note
        here.append("ViT-B-32")
        assert "fetch about 479 MB (RN101) and" in self.note()

    def test_the_time_follows_the_settings(self):
        def seconds(**settings):
            return waiting.foretold_seconds(Settings(**settings), torch.bfloat16)

        base = seconds(seeds=1, iterations=100, augmentations=1)
        assert seconds(seeds=3, iterations=100, augmentations=1) == pytest.approx(3 * base)
        assert seconds(seeds=1, iterations=400, augmentations=1) == pytest.approx(4 * base)
        assert seconds(seeds=1, iterations=100, augmentations=4) == pytest.approx(2.5 * base)
        assert time_in_words(seconds()) in self.note()
        exact = waiting.foretold_seconds(Settings(), torch.float32)
        assert time_in_words(exact) in self.note(precision="fp32")
        assert time_in_words(exact) != time_in_words(seconds())


def test_a_convolution_is_timed_in_no_time():
    began = time.monotonic()
    assert 0 < waiting.convolution_seconds(torch.float32) < 5
    assert time.monotonic() - began < 5  # 0.1 s where it may have the processor


def test_without_vits_weights_a_tower_makes_its_own_map(here):
    here.remove("ViT-B-32")
    models = load_models(Settings(), "RN101")
    assert models.saliency is models.loss
    assert models.saliency.saliency(torch.rand(1, 3, 224, 224)).std() > 0


def test_vit_places_its_own_strokes(here):
    models = load_models(Settings(), "ViT-B/32")
    assert models.saliency is models.loss


def test_a_loaded_encoder(here, lite0):
    assert choose_saliency(lite0) is lite0
    models = load_models(Settings(), lite0)
    assert (models.loss, models.saliency) == (lite0, lite0)
    tower = random_encoder("RN50")
    assert load_models(Settings(), tower).saliency.name == "ViT-B-32"
    assert load_models(Settings(), tower, saliency_encoder=lite0).saliency is lite0


def test_a_named_saliency_encoder(here, files):
    models = load_models(Settings(), "RN101", saliency_encoder=EMBEDDED)
    assert (models.loss.name, models.saliency.name) == ("RN101", EMBEDDED)
    here.clear()
    models = load_models(
        Settings(), EMBEDDED, saliency_encoder="ViT-B/32", saliency_weights=files / "ViT-B-32.pt"
    )
    assert (models.loss.name, models.saliency.name) == (EMBEDDED, "ViT-B-32")


def test_l2_with_the_embedded_saliency(here):
    here.clear()
    models = load_models(Settings(loss="l2"), "auto")
    assert (models.loss.name, models.saliency.name) == ("l2", EMBEDDED)
    assert "would fetch about 1.1 GB (RN101 and ViT-B-32)" in (models.note or "")
    assert "photo here" not in (models.note or "")  # CLIP's time is not L2's
    models = load_models(Settings(loss="l2"), EMBEDDED)
    assert (models.loss.name, models.saliency.name, models.note) == ("l2", EMBEDDED, None)


def test_l2_with_vits_saliency(here):
    models = load_models(Settings(loss="l2"), "RN101")
    assert (models.loss.name, models.saliency.name) == ("l2", "ViT-B-32")


def test_l2_without_saliency_loads_nothing_else(here, monkeypatch):
    monkeypatch.setattr("clipasso.pipeline.models.load_encoder", None)
    models = load_models(Settings(loss="l2", saliency="none"))
    assert models.loss.name == models.saliency.name == "l2"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"encoder": "RN50"}, r"^RN50: its weights are not on this machine"),
        ({"encoder": EMBEDDED, "saliency_encoder": "dino"}, r"^dino: its weights are not"),
        ({"encoder": EMBEDDED, "saliency_weights": "x.pt"}, r"^--saliency-weights: .*encoder"),
        ({"encoder": EMBEDDED, "device": "nonsense"}, r"^--device nonsense: not available"),
        ({"encoder": EMBEDDED, "weights": "gone.pt"}, r"^gone.pt: no such weights file"),
        ({"settings": Settings(loss="l2"), "weights": "x.pt"}, r"--loss l2 has no weights"),
    ],
)
def test_errors(here, arguments, message):
    arguments = {"settings": Settings(), **arguments}
    with pytest.raises(ClipassoError, match=message):
        load_models(**arguments)


def test_a_broken_file_of_vits_is_an_error_and_no_silent_substitute(here, monkeypatch, tmp_path):
    (tmp_path / "ViT-B-32.pt").write_bytes(b"rubbish")
    monkeypatch.setattr(hub, "cached_weights", lambda a, t: tmp_path / "ViT-B-32.pt")
    with pytest.raises(ClipassoError, match="cannot be read as weights"):
        choose_saliency(random_encoder("RN50"))


def test_a_vit_that_cannot_be_fetched_is_done_without(monkeypatch):
    """The hub answers, but its cache can only be read from."""

    def refuse(architecture, tag):
        raise ClipassoError("the model hub did not deliver it (Permission denied)")

    monkeypatch.setattr(hub, "cached_weights", lambda architecture, tag: None)
    monkeypatch.setattr(hub, "hub_answers", lambda architecture, tag: True)
    monkeypatch.setattr(hub, "download_weights", refuse)
    encoder = random_encoder("RN50")
    assert choose_saliency(encoder) is encoder


def test_devices():
    assert pick_device("cpu") == torch.device("cpu")
    assert pick_device("auto").type in ("cpu", "cuda", "mps")


class TestPrecision:
    """CLIP computes in bf16 where hardware has it; nothing else does."""

    @pytest.mark.parametrize(("hardware", "wanted", "low"), [
        (True, "auto", True), (False, "auto", False), (True, "fp32", False), (False, "bf16", True),
    ])  # fmt: skip
    def test_what_it_computes_in(self, here, monkeypatch, hardware, wanted, low):
        monkeypatch.setattr("clipasso.pipeline.models.has_bf16", lambda device: hardware)
        loss = load_models(Settings(precision=wanted, saliency="none"), "RN101").loss
        assert loss.precision == (torch.bfloat16 if low else torch.float32)
        seen = loss.encode(torch.rand(1, 3, 224, 224), ("layer3",))
        assert seen.embedding.dtype == loss.precision
        assert seen.exact().layers["layer3"].dtype == torch.float32

    def test_the_embedded_encoder_stays_exact(self, monkeypatch):
        monkeypatch.setattr("clipasso.pipeline.models.has_bf16", lambda device: True)
        assert load_models(Settings(), EMBEDDED).loss.precision == torch.float32
        with pytest.raises(ClipassoError, match="--precision bf16: EfficientNet-Lite0"):
            load_models(Settings(precision="bf16"), EMBEDDED)

    @pytest.mark.parametrize("name", ["RN101", "ViT-B-32"])
    def test_features_and_maps_are_about_the_same(self, name):
        exact, low = random_encoder(name), random_encoder(name)
        assert low.lower_precision()
        image = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
        layers = exact.layer_names[2:4]
        a, b = exact.encode(image, layers), low.encode(image, layers).exact()
        for layer in layers:
            error = (a.layers[layer] - b.layers[layer]).norm() / a.layers[layer].norm()
            assert 0 < error < 0.03
        assert (exact.saliency(image) - low.saliency(image)).abs().mean() < 0.1

    def test_an_encoder_that_is_loaded_already_is_left_alone(self, monkeypatch):
        monkeypatch.setattr("clipasso.pipeline.models.has_bf16", lambda device: True)
        encoder = random_encoder("RN101")
        models = load_models(Settings(saliency="none"), encoder)
        assert models.loss.precision == torch.float32
