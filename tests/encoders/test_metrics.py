"""L2 on pixels and LPIPS as losses (section E.3)."""

import builtins
import time
import warnings
from pathlib import Path

import pytest
import torch
from torchvision.models import VGG16_Weights, vgg

from clipasso import ClipassoError, Settings
from clipasso.encoders import hub, metrics
from clipasso.encoders.metrics import Lpips, Pixels, load_metric
from clipasso.optimise.encoded_photo import PhotoPool
from clipasso.optimise.objective import make_objective, make_recipe
from towers import relative


def pictures(count=2, channels=3, size=224):
    return torch.rand(count, channels, size, size, generator=torch.Generator().manual_seed(0))


def compared(encoder, sketches, photo, **settings):
    """The loss of the clean pair, as the loop computes it."""
    settings = Settings(loss=encoder.name, canvas=photo.shape[-1], pool=0, **settings)
    pool = PhotoPool(photo, make_objective(encoder, settings), settings, torch.Generator())
    return pool.clean.loss(sketches)


class TestPixels:
    @pytest.mark.parametrize("size", [64, 300])
    def test_is_the_mean_squared_difference(self, size):
        photo, sketches = pictures(1, 3, size).double(), pictures(2, 1, size).double()
        loss = compared(load_metric("l2"), sketches, photo)
        wanted = torch.stack([((s - photo[0]) ** 2).mean() for s in sketches])
        assert torch.allclose(loss.total, wanted, rtol=1e-5)
        assert loss.semantic.abs().max() == 0

    def test_gradient(self):
        photo = pictures(1, 3, 64)
        sketch = torch.full_like(photo, 0.4).requires_grad_()
        (grad,) = torch.autograd.grad(compared(Pixels(), sketch, photo).total.sum(), sketch)
        assert relative(grad, 2 * (sketch - photo).detach() / photo.numel()) < 1e-5

    def test_has_no_weights_and_no_map(self, tmp_path):
        with pytest.raises(ClipassoError, match=r"--weights: --loss l2 has no weights"):
            load_metric("l2", tmp_path / "some.pt")
        with pytest.raises(ClipassoError, match="it makes none"):
            Pixels().saliency(pictures(1))
        with pytest.raises(ClipassoError, match="no text tower"):
            Pixels().encode_text("a cat")

    @pytest.mark.parametrize(
        ("name", "value"), [("layers", "1:1"), ("distance", "l1"), ("semantic_weight", 0.1)]
    )
    def test_what_it_cannot_be_told(self, name, value):
        option = name.replace("_", "-")
        with pytest.raises(ClipassoError, match=rf"^--{option}: --loss l2 has none"):
            make_recipe(Pixels(), Settings(loss="l2", **{name: value}))


def convolutions():
    """torchvision's VGG16 without its classifier, which takes seconds to make."""
    return vgg.make_layers(vgg.cfgs["D"], batch_norm=False)


@pytest.fixture(scope="module")
def vgg_file(tmp_path_factory):
    """Random weights in torchvision's layout."""
    torch.manual_seed(0)
    state = {}
    for name, value in convolutions().state_dict().items():
        if value.ndim == 4:  # He's initialisation: activations neither die nor grow
            scale = (2 / value[0].numel()) ** 0.5
            state[f"features.{name}"] = torch.randn(value.shape) * scale
        else:
            state[f"features.{name}"] = torch.randn(value.shape) * 0.05
    state["classifier.6.bias"] = torch.zeros(1000)
    path = tmp_path_factory.mktemp("vgg") / "vgg16.pth"
    torch.save(state, path)
    return path


class TestLpips:
    @pytest.fixture(scope="class")
    @staticmethod
    def encoder(vgg_file):
        pytest.importorskip("lpips")
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a user must see none of lpips's
            return load_metric("lpips", vgg_file)

    def test_is_the_packages_own_number(self, encoder, vgg_file):
        lpips = pytest.importorskip("lpips")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            package = lpips.LPIPS(net="vgg", pnet_rand=True, verbose=False).eval()
        state = {k.removeprefix("features."): v for k, v in torch.load(vgg_file).items()}
        whole = convolutions()
        whole.load_state_dict({k: v for k, v in state.items() if "classifier" not in k})
        layers = [layer for part in package.net.children() for layer in part.children()]
        for theirs, own in zip(layers, whole, strict=False):  # lpips stops before the last pool
            theirs.load_state_dict(own.state_dict())

        photo, sketches = pictures(1), pictures(2, 1)
        with torch.no_grad():
            loss = compared(encoder, sketches, photo).total
            wanted = package(sketches.expand(-1, 3, -1, -1), photo, normalize=True).flatten()
        assert wanted.min() > 0.01
        assert relative(loss, wanted) < 1e-5

        # Gradients in float64: rounding decides some ReLUs and maxima the other way.
        exact, package = load_metric("lpips", vgg_file).double(), package.double()
        photo, sketches = photo.double(), sketches[:1].double().requires_grad_()
        loss = compared(exact, sketches, photo).total
        wanted = package(sketches.expand(-1, 3, -1, -1), photo, normalize=True)
        gradients = [torch.autograd.grad(x.sum(), sketches)[0] for x in (loss, wanted)]
        assert relative(*gradients) < 1e-4

    def test_the_same_picture_costs_nothing(self, encoder):
        assert compared(encoder, pictures(1), pictures(1)).total.abs().max() < 1e-7

    def test_a_wrong_file(self, tmp_path):
        pytest.importorskip("lpips")
        torch.save({"features.0.weight": torch.zeros(3)}, tmp_path / "other.pth")
        (tmp_path / "rubbish.pth").write_bytes(b"no weights")
        for name, message in (
            ("other.pth", "no VGG16 checkpoint"),
            ("rubbish.pth", "cannot be read as weights"),
            ("none.pth", "no such weights file"),
        ):
            with pytest.raises(ClipassoError, match=message) as caught:
                Lpips(tmp_path / name)
            assert str(caught.value).startswith(str(tmp_path / name))
            assert "\n" not in str(caught.value)

    def test_without_the_package(self, monkeypatch, vgg_file):
        original = builtins.__import__

        def without(name, *args, **kwargs):
            if name == "lpips":
                raise ImportError(name)
            return original(name, *args, **kwargs)

        monkeypatch.setattr(builtins, "__import__", without)
        with pytest.raises(ClipassoError, match=r"pip install 'clipasso\[lpips\]'"):
            load_metric("lpips", vgg_file)


class TestVggWeights:
    @pytest.fixture(autouse=True)
    def cache(self, monkeypatch, tmp_path):
        monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
        (tmp_path / "checkpoints").mkdir()
        return tmp_path / "checkpoints"

    def test_not_here_and_a_deaf_server(self, monkeypatch):
        def silence(*args, **kwargs):
            time.sleep(60)

        monkeypatch.setattr("urllib.request.urlopen", silence)
        monkeypatch.setattr(hub, "ANSWER_SECONDS", 0.2)
        began = time.monotonic()
        with pytest.raises(
            ClipassoError, match=r"give .*vgg16.*\.pth with --weights FILE"
        ) as caught:
            load_metric("lpips")
        assert time.monotonic() - began < 5
        assert "\n" not in str(caught.value)

    def test_torchvisions_cache_is_used(self, cache, vgg_file):
        pytest.importorskip("lpips")
        name = VGG16_Weights.IMAGENET1K_V1.url.rsplit("/", 1)[1]
        (cache / name).symlink_to(vgg_file)
        assert load_metric("lpips").name == "lpips"

    def test_fetched_where_the_server_answers(self, cache, monkeypatch, vgg_file):
        pytest.importorskip("lpips")
        asked = []

        def fetch(url, path, hash_prefix):
            asked.append((url, hash_prefix))
            Path(path).symlink_to(vgg_file)

        monkeypatch.setattr(hub, "url_answers", lambda url: True)
        monkeypatch.setattr(torch.hub, "download_url_to_file", fetch)
        assert load_metric("lpips").name == "lpips"
        url = VGG16_Weights.IMAGENET1K_V1.url
        (digits,) = [hash_prefix for asked_for, hash_prefix in asked if asked_for == url]
        assert url.endswith(f"-{digits}.pth")  # whose checksum begins with them
        assert len(digits) == 8

    def test_a_download_that_breaks_off(self, monkeypatch):
        def broken(*args, **kwargs):
            raise OSError("connection reset\nby peer")

        monkeypatch.setattr(hub, "url_answers", lambda url: True)
        monkeypatch.setattr(torch.hub, "download_url_to_file", broken)
        with pytest.raises(ClipassoError, match=r"could not be fetched \(connection reset\)$"):
            metrics.load_metric("lpips")
