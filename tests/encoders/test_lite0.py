"""EfficientNet-Lite0 against timm's, which it spares a sketch the import of."""

import pytest
import torch
from safetensors.torch import save_file

from clipasso import load_encoder
from clipasso.encoders import EMBEDDED
from clipasso.encoders.checkpoint import read_checkpoint
from clipasso.encoders.efficientnet import packaged_weights, to_timm
from clipasso.encoders.lite0 import Lite0


@pytest.fixture(scope="module")
def theirs():
    import timm

    net = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    net.load_state_dict(to_timm(read_checkpoint(packaged_weights()), net))
    return net


def test_the_state_dict_is_timms(theirs):
    ours = Lite0().state_dict()
    assert [(k, v.shape, v.dtype) for k, v in ours.items()] == [
        (k, v.shape, v.dtype) for k, v in theirs.state_dict().items()
    ]


def test_no_random_weights_are_made():
    before = torch.random.get_rng_state()
    assert all(value.is_meta for value in Lite0().state_dict().values())
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("size", [(224, 224), (97, 130)])
def test_logits_are_timms_to_the_bit(theirs, size):
    ours = Lite0().eval()
    ours.load_state_dict(theirs.state_dict(), assign=True)
    images = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(ours(images), theirs(images))


def test_weights_of_another_precision_are_read_as_float32(lite0, theirs, tmp_path):
    """Assigned to the network, they must not bring their type along."""
    path = tmp_path / "half.safetensors"
    state = theirs.state_dict()
    save_file({k: v.half() if v.is_floating_point() else v for k, v in state.items()}, path)
    encoder = load_encoder(EMBEDDED, weights=path)
    assert {p.dtype for p in encoder.parameters()} == {torch.float32}
    image = torch.rand(1, 3, 224, 224)
    near, exact = encoder.encode(image).embedding, lite0.encode(image).embedding
    assert (near - exact).abs().max() < 0.02 * exact.abs().max()
