"""The embedded encoder, names, checkpoints, and what happens with and without a hub."""

import os
import time
import warnings

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from skimage import data

from clipasso import ClipassoError, load_encoder
from clipasso.encoders import EMBEDDED, has_weights, hub
from clipasso.encoders.checkpoint import read_checkpoint
from clipasso.encoders.efficientnet import packaged_weights, to_timm
from clipasso.encoders.freeze import freeze
from towers import as_batch, random_encoder, random_tower

EGYPTIAN_CAT, TABBY, TIGER_CAT = 285, 281, 282


class TestEmbedded:
    def test_classifies_the_cat_as_a_cat(self, lite0):
        top = lite0.classify(as_batch(data.chelsea())).softmax(-1)[0].topk(3)
        assert int(top.indices[0]) in {EGYPTIAN_CAT, TABBY, TIGER_CAT}
        assert set(top.indices.tolist()) <= {EGYPTIAN_CAT, TABBY, TIGER_CAT, 283, 284, 287}

    def test_agrees_with_the_original_layout(self, lite0):
        """A forward pass written from the checkpoint's own names, without timm."""
        state = torch.load(packaged_weights(), weights_only=True)

        def conv(x, name, stride=1, groups=1):
            w = state[f"{name}.weight"]
            total = max((-(-x.shape[-1] // stride) - 1) * stride + w.shape[-1] - x.shape[-1], 0)
            x = F.pad(x, (total // 2, total - total // 2) * 2)  # TensorFlow's "same"
            return F.conv2d(x, w, stride=stride, groups=groups)

        def norm(x, name):
            parts = (
                state[f"{name}.{p}"] for p in ("running_mean", "running_var", "weight", "bias")
            )
            mean, var, weight, bias = parts
            return F.batch_norm(x, mean, var, weight, bias, eps=1e-3)

        image = as_batch(data.chelsea())
        x = F.relu6(norm(conv((image * 255 - 127) / 128, "_conv_stem", 2), "_bn0"))
        strides = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1]
        ends = {0: "stage1", 2: "stage2", 4: "stage3", 7: "stage4", 10: "stage5", 14: "stage6",
                15: "stage7"}  # fmt: skip
        seen = {}
        for i, stride in enumerate(strides):
            y, block = x, f"_blocks.{i}"
            if f"{block}._expand_conv.weight" in state:
                y = F.relu6(norm(conv(y, f"{block}._expand_conv"), f"{block}._bn0"))
            y = conv(y, f"{block}._depthwise_conv", stride, groups=y.shape[1])
            y = norm(
                conv(F.relu6(norm(y, f"{block}._bn1")), f"{block}._project_conv"), f"{block}._bn2"
            )
            x = x + y if stride == 1 and x.shape == y.shape else y
            if i in ends:
                seen[ends[i]] = x
        embedding = F.relu6(norm(conv(x, "_conv_head"), "_bn1")).mean((2, 3))
        ours = lite0.encode(image, lite0.layer_names)
        assert list(ours.layers) == list(seen)
        for name, theirs in seen.items():
            assert (ours.layers[name] - theirs).abs().max() < 1e-4 * theirs.abs().max(), name
        assert (ours.embedding - embedding).abs().max() < 1e-4 * embedding.max()

    def test_features_are_what_the_recipe_taps(self, lite0):
        images = torch.rand(2, 3, 224, 224)
        seen = lite0.encode(images, lite0.recipe.layers)
        assert list(seen.layers) == list(lite0.recipe.layers)
        assert not lite0.encode(images).layers
        assert seen.layers["stage3"].shape == (2, 40, 28, 28)
        assert seen.layers["stage5"].shape == (2, 112, 14, 14)
        assert seen.embedding.shape == (2, 1280)

    def test_grey_is_colour_with_equal_channels(self, lite0):
        grey = torch.rand(1, 1, 224, 224)
        a, b = lite0.encode(grey).embedding, lite0.encode(grey.expand(-1, 3, -1, -1)).embedding
        assert torch.allclose(a, b, atol=1e-5)

    def test_gradient_reaches_the_image_and_no_weight(self, lite0):
        image = torch.rand(1, 3, 224, 224, requires_grad=True)
        lite0.encode(image).embedding.sum().backward()
        assert image.grad.abs().max() > 0
        assert not any(p.requires_grad for p in lite0.parameters())

    def test_saliency_prefers_the_object_to_paper(self, lite0):
        image = torch.ones(1, 3, 224, 224)
        image[..., 70:154, 70:154] = as_batch(data.chelsea(), 84)
        saliency = lite0.saliency(image)
        assert saliency.shape == (224, 224)
        assert (saliency.min(), saliency.max()) == (0, 1)
        assert saliency[80:144, 80:144].mean() > 2 * saliency[:40].mean()

    def test_saliency_of_white_paper_prefers_nothing(self, lite0):
        assert torch.equal(lite0.saliency(torch.ones(1, 3, 224, 224)), torch.ones(224, 224))

    def test_timms_layout_loads_to_the_same(self, lite0, tmp_path):
        import timm

        net = timm.create_model("tf_efficientnet_lite0", pretrained=False)
        path = tmp_path / "lite0.safetensors"
        state = to_timm(torch.load(packaged_weights(), weights_only=True), net)
        save_file({k: v.contiguous() for k, v in state.items()}, path)
        again = load_encoder(EMBEDDED, weights=path)
        image = torch.rand(1, 3, 224, 224)
        assert torch.equal(again.encode(image).embedding, lite0.encode(image).embedding)


@pytest.fixture(scope="module")
def tower():
    return random_tower("RN50", seed=3)


@pytest.fixture(scope="module")
def wanted(tower):
    """What `tower` makes of a grey picture, before it went through any file."""
    encoder = random_encoder("RN50", seed=3)
    return encoder.encode(torch.full((1, 3, 224, 224), 0.3)).embedding


class TestCheckpoints:
    def layouts(self, tower):
        """The files people hold: open_clip's, OpenAI's and trainers' dictionaries."""
        state = {f"visual.{k}": v for k, v in tower.state_dict().items()}
        extra = {"text_projection": torch.zeros(3, 3), "logit_scale": torch.zeros(())}
        openai = {"input_resolution": torch.tensor(224), "vocab_size": torch.tensor(49408)}
        return {
            "open_clip.pt": {**state, **extra},
            "openai.pt": {**state, **extra, **openai},
            "trainer.pt": {"epoch": 3, "state_dict": {f"module.{k}": v for k, v in state.items()}},
            "tower.pt": dict(tower.state_dict()),
        }

    @pytest.mark.parametrize("name", ["open_clip.pt", "openai.pt", "trainer.pt", "tower.pt"])
    def test_every_layout_loads_to_the_same_features(self, name, tower, wanted, tmp_path):
        path = tmp_path / name
        torch.save(self.layouts(tower)[name], path)
        encoder = load_encoder("RN50", weights=path)
        assert name in encoder.description
        found = encoder.encode(torch.full((1, 3, 224, 224), 0.3)).embedding
        assert torch.allclose(found, wanted, atol=1e-5 * float(wanted.abs().max()))

    def test_safetensors(self, tower, wanted, tmp_path):
        path = tmp_path / "clip.safetensors"
        save_file({f"visual.{k}": v.contiguous() for k, v in tower.state_dict().items()}, path)
        found = load_encoder("RN50", path).encode(torch.full((1, 3, 224, 224), 0.3)).embedding
        assert torch.allclose(found, wanted, atol=1e-5 * float(wanted.abs().max()))

    def test_torchscript_archive_as_openai_publishes(self, tower, wanted, tmp_path):
        class Whole(torch.nn.Module):
            def __init__(self, visual):
                super().__init__()
                self.visual = visual

            def forward(self, x):
                return self.visual.conv1(x)

        path = tmp_path / "RN50.pt"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # TorchScript is deprecated, OpenAI's files are not
            torch.jit.save(torch.jit.trace(Whole(tower), torch.zeros(1, 3, 224, 224)), str(path))
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a user must see nothing of it
            encoder = load_encoder("RN50", path)
        found = encoder.encode(torch.full((1, 3, 224, 224), 0.3)).embedding
        assert torch.allclose(found, wanted, atol=1e-5 * float(wanted.abs().max()))

    def test_another_architecture_is_refused(self, tower, tmp_path):
        path = tmp_path / "rn50.pt"
        torch.save(tower.state_dict(), path)
        with pytest.raises(ClipassoError, match=r"rn50.pt: no RN101 checkpoint") as caught:
            load_encoder("RN101", path)
        assert "\n" not in str(caught.value)

    def test_code_in_a_checkpoint_is_not_run(self, tmp_path):
        class Evil:
            def __reduce__(self):
                return (os.system, (f"touch {tmp_path}/ran",))

        path = tmp_path / "evil.pt"
        torch.save({"visual.conv1.weight": Evil()}, path)
        with pytest.raises(ClipassoError, match=r"evil\.pt: cannot be read as weights"):
            read_checkpoint(path)
        assert not (tmp_path / "ran").exists()

    @pytest.mark.parametrize("content", [b"", b"no weights at all", b"PK\x03\x04 broken"])
    @pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
    def test_rubbish_is_one_line(self, content, suffix, tmp_path):
        path = tmp_path / f"rubbish{suffix}"
        path.write_bytes(content)
        with pytest.raises(ClipassoError, match="rubbish") as caught:
            load_encoder("RN101", path)
        assert "\n" not in str(caught.value)


class TestWithoutHub:
    @pytest.fixture(autouse=True)
    def deaf_hub(self, monkeypatch, tmp_path):
        """A hub that takes a minute to say nothing, and empty caches."""
        import huggingface_hub

        def silence(*args, **kwargs):
            time.sleep(60)
            raise OSError("no answer")

        monkeypatch.setattr(huggingface_hub.HfApi, "model_info", silence)
        monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *a, **k: None)
        monkeypatch.setattr(hub, "ANSWER_SECONDS", 0.2)
        monkeypatch.setenv("HOME", str(tmp_path))

    def test_auto_takes_the_embedded_encoder(self):
        assert load_encoder("auto").name == EMBEDDED

    @pytest.mark.parametrize("name", ["RN101", "ViT-B/32", "rn50"])
    def test_a_named_encoder_is_an_error_that_says_what_to_do(self, name):
        with pytest.raises(ClipassoError, match=r"--weights FILE") as caught:
            load_encoder(name)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_dino_too(self):
        with pytest.raises(ClipassoError, match=r"^dino: .*--weights FILE"):
            load_encoder("dino")

    def test_the_hub_gets_its_seconds_and_no_more(self):
        began = time.monotonic()
        assert not hub.hub_answers("RN101", "openai", 0.5)
        assert 0.4 < time.monotonic() - began < 5

    def test_weights_in_openais_own_cache_are_found(self, tmp_path):
        folder = tmp_path / ".cache" / "clip"
        folder.mkdir(parents=True)
        (folder / "RN101.pt").write_bytes(b"x")
        assert has_weights("RN101") == folder / "RN101.pt"
        assert has_weights("RN50") is None


def test_an_encoder_by_name_is_fetched(monkeypatch, tmp_path):
    """The path of a user with a network: the hub answers, the file comes, the encoder loads."""
    tower = random_tower("RN101", seed=1)
    path = tmp_path / "open_clip_model.safetensors"
    save_file({f"visual.{k}": v.contiguous() for k, v in tower.state_dict().items()}, path)
    asked = []

    def fetch(architecture, tag):
        asked.append((architecture, tag))
        return path

    monkeypatch.setattr(hub, "cached_weights", lambda *names: None)
    monkeypatch.setattr(hub, "hub_answers", lambda *names: True)
    monkeypatch.setattr(hub, "download_weights", fetch)
    assert load_encoder("auto").name == EMBEDDED  # nobody asked for it
    assert load_encoder("RN101").name == "RN101"
    assert asked == [("RN101", "openai")]


def test_freeze_folds_what_it_saw_and_keeps_the_outputs():
    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, padding=1, bias=False),
        torch.nn.BatchNorm2d(8),
        torch.nn.ReLU(),
        torch.nn.BatchNorm2d(8),  # follows no convolution: must stay
        torch.nn.Conv2d(8, 4, 1),
    )
    net[1].running_mean.normal_()
    net[1].running_var.uniform_(0.5, 2)
    net[3].running_mean.normal_()
    net.eval()
    image = torch.rand(2, 3, 12, 12)
    before = net(image).detach()
    freeze(net, image)
    assert torch.allclose(net(image), before, atol=1e-5)
    assert isinstance(net[1], torch.nn.Identity)
    assert isinstance(net[3], torch.nn.BatchNorm2d)
