"""Image towers against open_clip's and timm's own models, and the text towers beside them."""

import open_clip
import pytest
import timm
import torch

from clipasso import ClipassoError, load_encoder
from clipasso.encoders import CLIP_TOWERS, clip
from clipasso.encoders.base import Recipe
from clipasso.encoders.open_clip_models import build_model, load_tower, wrap_tower
from clipasso.encoders.timm_tower import TimmClipTower, load_timm
from towers import random_encoder, random_tower, randomize, relative, tap_points, watched

THROUGH_TIMM = {
    "ViT-B-16-SigLIP": "webli",  # a transformer without a class token
    "MobileCLIP-S1": "datacompdr",  # convolutions and batch norms in parallel branches
    "convnext_tiny": "",
}


def value(layers, embedding):
    """One number that depends on everything."""
    return sum((x / x.detach().norm()).square().sum() for x in layers) + embedding.sum()


def picture(size, seed=1):
    return torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("architecture", [*CLIP_TOWERS, *THROUGH_TIMM])
def test_features_and_gradients_are_those_of_open_clips_own_model(architecture):
    """Taps against plain forward hooks on the model as open_clip makes it."""
    original = random_tower(architecture)
    tag = THROUGH_TIMM.get(architecture, "openai")
    encoder = wrap_tower(random_tower(architecture), architecture, tag, "random weights")
    config = open_clip.get_pretrained_cfg(architecture, tag) or {}
    mean = torch.tensor(config.get("mean", open_clip.OPENAI_DATASET_MEAN)).view(3, 1, 1)
    std = torch.tensor(config.get("std", open_clip.OPENAI_DATASET_STD)).view(3, 1, 1)
    if architecture in THROUGH_TIMM:
        assert isinstance(encoder, TimmClipTower)

    def compare(dtype):
        image = picture(encoder.input_size).to(dtype)
        a, b = image.clone().requires_grad_(), image.clone().requires_grad_()
        theirs, unhook = watched(tap_points(original))
        embedding = original((b - mean) / std)
        unhook()
        seen = encoder.encode(a, encoder.layer_names)
        assert list(seen.layers) == list(encoder.layer_names)
        assert relative(seen.embedding, embedding) < 1e-4
        for ours, other in zip(seen.layers.values(), theirs, strict=True):
            assert ours.shape == other.shape
            assert relative(ours, other) < 1e-4
        if torch.is_grad_enabled():
            (g,) = torch.autograd.grad(value(seen.layers.values(), seen.embedding), a)
            (h,) = torch.autograd.grad(value(theirs, embedding), b)
            assert relative(g, h) < 1e-4

    if architecture.startswith("RN"):
        # float32 decides some of a ResNet's ReLUs the other way: gradients in float64.
        with torch.no_grad():
            compare(torch.float32)
        original.double()
        encoder.double()
        compare(torch.float64)
    else:
        compare(torch.float32)
    assert not any(p.requires_grad for p in encoder.parameters())


def test_some_layers_are_those_of_all():
    for architecture in ("RN50", "ViT-B-32", "convnext_tiny"):
        encoder = random_encoder(architecture)
        image = picture(224)
        every = encoder.encode(image, encoder.layer_names)
        some = encoder.encode(image, ("layer4", "layer2"))
        assert list(some.layers) == ["layer4", "layer2"]
        assert all(torch.equal(v, every.layers[k]) for k, v in some.layers.items())
        assert torch.equal(some.embedding, encoder.encode(image).embedding)


def test_paper_layers_of_rn101():
    encoder = random_encoder("RN101")
    seen = encoder.encode(torch.rand(1, 3, 224, 224), encoder.recipe.layers)
    assert encoder.recipe == Recipe({"layer3": 1.0, "layer4": 1.0}, semantic_weight=0.1)
    assert {k: tuple(v.shape) for k, v in seen.layers.items()} == {
        "layer3": (1, 512, 28, 28),
        "layer4": (1, 1024, 14, 14),
    }
    assert seen.embedding.shape == (1, 512)


@pytest.mark.parametrize(("architecture", "tag"), THROUGH_TIMM.items())
def test_checkpoints_of_timms_towers(architecture, tag, tmp_path):
    """As open_clip saves them, and the tower alone; without a tag in the name."""
    tower = random_tower(architecture)
    wanted = wrap_tower(random_tower(architecture), architecture, tag, "")
    image = picture(wanted.input_size)
    whole = {f"visual.{k}": v for k, v in tower.state_dict().items()}
    for name, state in (("whole.pt", whole), ("tower.pt", dict(tower.state_dict()))):
        if name == "tower.pt" and architecture == "ViT-B-16-SigLIP":
            continue  # the largest; the others show it
        torch.save(state, tmp_path / name)
        encoder = load_encoder(architecture, weights=tmp_path / name)
        assert encoder.description.startswith(f"CLIP {architecture} ({tag}")
        assert name in encoder.description
        assert relative(encoder.encode(image).embedding, wanted.encode(image).embedding) < 1e-5
    torch.save({k: v for k, v in whole.items() if v.ndim == 1}, tmp_path / "part.pt")
    with pytest.raises(ClipassoError, match=rf"part\.pt: no {architecture} checkpoint"):
        load_encoder(architecture, weights=tmp_path / "part.pt")


def test_a_tower_without_stages():
    visual = build_model("swin_base_patch4_window7_224", quick_gelu=False).visual
    with pytest.raises(ClipassoError, match="no blocks that could be tapped"):
        wrap_tower(visual, "swin_base_patch4_window7_224", "", "random weights")


@pytest.mark.parametrize("name", ["no-such-model", "roberta-ViT-B-32"])
def test_what_open_clip_cannot_build_here(name, monkeypatch):
    """Text towers of other libraries are missing or want the hub."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ClipassoError, match=f"{name}: open_clip cannot build it") as caught:
        build_model(name, quick_gelu=False)
    assert "\n" not in str(caught.value)


SMALL = "ViT-S-32-alt"
WORDS = "A sketch of a camel"


@pytest.fixture(scope="module")
def models():
    """open_clip's whole model with random weights that half precision holds, by activation."""
    torch.manual_seed(0)
    first = randomize(build_model(SMALL, quick_gelu=False))
    with torch.no_grad():  # so that a sentence's words matter
        first.token_embedding.weight.mul_(20)
    first.half().float()
    second = build_model(SMALL, quick_gelu=True).eval()
    second.load_state_dict(first.state_dict())
    return {"gelu": first, "quick": second}


class TestText:
    def layouts(self, model):
        state = {k: v.half() for k, v in model.state_dict().items()}
        marks = {"input_resolution": 224, "context_length": 77, "vocab_size": 49408}
        return {
            "open_clip.pt": state,
            "openai.pt": {**state, **{k: torch.tensor(v) for k, v in marks.items()}},
            "scale.pt": {
                **state,
                "logit_scale": torch.zeros(1),
                "logit_bias": torch.zeros(1),
            },
        }

    @pytest.mark.parametrize(
        ("layout", "kind"),
        [("open_clip.pt", "gelu"), ("openai.pt", "quick"), ("scale.pt", "gelu")],
    )
    def test_is_open_clips_own_embedding(self, layout, kind, models, tmp_path):
        path = tmp_path / layout
        torch.save(self.layouts(models["gelu"])[layout], path)
        encoder = load_encoder(SMALL, path)
        tokens = open_clip.get_tokenizer(SMALL)([WORDS])
        with torch.no_grad():
            wanted = models[kind].encode_text(tokens, normalize=True)[0]
            image = models[kind].encode_image(encoder.normalize(picture(224)))
        found = encoder.encode_text(WORDS)
        assert relative(found, wanted) < 1e-5
        assert float(found.norm()) == pytest.approx(1, rel=1e-5)
        assert relative(encoder.encode(picture(224)).embedding, image) < 1e-5
        assert relative(encoder.encode_text("a house"), wanted) > 0.1

    def test_activations_differ_enough_to_tell(self, models):
        tokens = open_clip.get_tokenizer(SMALL)([WORDS])
        with torch.no_grad():
            first, second = (m.encode_text(tokens, normalize=True) for m in models.values())
        assert relative(first, second) > 1e-3

    def test_a_tower_alone_has_none(self, tmp_path, lite0):
        torch.save(random_tower(SMALL).state_dict(), tmp_path / "tower.pt")
        for encoder in (load_encoder(SMALL, tmp_path / "tower.pt"), lite0):
            with pytest.raises(ClipassoError, match=r"has no text tower.*ViT-B-32") as caught:
                encoder.encode_text(WORDS)
            assert str(caught.value).startswith(encoder.description)

    def test_an_image_tower_with_another_ones_text(self, models, tmp_path):
        state = {k: v for k, v in models["gelu"].state_dict().items() if "resblocks.3" not in k}
        state |= {f"visual.{k}": v for k, v in models["gelu"].visual.state_dict().items()}
        torch.save(state, tmp_path / "mixed.pt")
        encoder = load_encoder(SMALL, tmp_path / "mixed.pt")
        with pytest.raises(ClipassoError, match=r"mixed.pt: no ViT-S-32-alt checkpoint"):
            encoder.encode_text(WORDS)

    def test_a_tokenizer_that_is_not_here(self, monkeypatch, tmp_path, models):
        def missing(name):
            raise ImportError("needs transformers\nand more")

        torch.save(models["gelu"].state_dict(), tmp_path / "whole.pt")
        encoder = load_encoder(SMALL, tmp_path / "whole.pt")
        monkeypatch.setattr(open_clip, "get_tokenizer", missing)
        with pytest.raises(ClipassoError, match="its tokenizer cannot be had here") as caught:
            encoder.encode_text(WORDS)
        assert "\n" not in str(caught.value)


def test_the_tag_says_which_activation(tmp_path):
    """LAION's later weights for ViT-B/32 want GELU, its first, like OpenAI's, QuickGELU."""
    torch.save(random_tower("ViT-B-32").state_dict(), path := tmp_path / "tower.pt")
    image = picture(224)
    for tag, quick in (("laion2b_s34b_b79k", False), ("laion400m_e32", True)):
        wanted = wrap_tower(random_tower("ViT-B-32", quick_gelu=quick), "ViT-B-32", tag, "")
        found = load_tower("ViT-B-32", tag, path).encode(image).embedding
        assert relative(found, wanted.encode(image).embedding) < 1e-5
    assert isinstance(wanted, clip.ClipViT)


DINO = "vit_small_patch16_224.dino"


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return randomize(timm.create_model(DINO, pretrained=False, num_classes=0))


class TestDino:
    @pytest.fixture
    def path(self, net, tmp_path):
        torch.save(net.state_dict(), tmp_path / "dino.pt")
        return tmp_path / "dino.pt"

    def test_is_timms_own_network(self, net, path):
        encoder = load_encoder("dino", path)
        assert encoder.name == f"timm:{DINO}"
        assert encoder.description == f"{DINO} (dino.pt)"
        assert encoder.input_size == 224
        image = picture(224)
        mean, std = (torch.tensor(net.default_cfg[k]).view(3, 1, 1) for k in ("mean", "std"))
        theirs, unhook = watched(net.blocks)
        with torch.no_grad():
            embedding = net((image - mean) / std)
        unhook()
        seen = encoder.encode(image, encoder.layer_names)
        assert relative(seen.embedding, embedding) < 1e-5
        for ours, other in zip(seen.layers.values(), theirs, strict=True):
            assert relative(ours, other) < 1e-5

    def test_a_wrong_file(self, tmp_path):
        torch.save(random_tower("RN50").state_dict(), tmp_path / "rn50.pt")
        with pytest.raises(ClipassoError, match=rf"rn50.pt: no {DINO} checkpoint") as caught:
            load_encoder("dino", tmp_path / "rn50.pt")
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(
        "name",
        ["vit_tiny_patch16_224.augreg_in21k", "deit_tiny_distilled_patch16_224.fb_in1k"],
    )
    def test_classifiers_in_a_checkpoint_are_left_out(self, name, tmp_path):
        net = randomize(timm.create_model(name, pretrained=False))
        torch.save(net.state_dict(), tmp_path / "net.pt")
        encoder = load_timm(name, tmp_path / "net.pt")
        image = picture(224)
        with torch.no_grad():
            tokens = net.forward_features(encoder.normalize(image))[:, : net.num_prefix_tokens]
        assert relative(encoder.encode(image).embedding, tokens.mean(1)) < 1e-5
