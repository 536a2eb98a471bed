"""The packed chain against the same convolutions run one by one."""

import copy
import pickle

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from clipasso.encoders import EMBEDDED, efficientnet, load_encoder, packed
from clipasso.encoders.packed import Block, PackedChain, packs

needs_packing = pytest.mark.skipif(not packs(), reason="this torch does not pack convolutions")


@pytest.fixture(scope="module")
def embedded():
    return load_encoder(EMBEDDED)


@needs_packing
@pytest.mark.parametrize("layers", [("stage2", "stage3", "stage5"), ("stage7", "stage1"), ()])
@pytest.mark.parametrize(("count", "channels"), [(1, 1), (2, 1), (2, 3), (3, 1)])
def test_the_embedded_encoder_packed_is_the_same(embedded, monkeypatch, layers, count, channels):
    generator = torch.Generator().manual_seed(count)
    images = torch.rand(count, channels, 224, 224, generator=generator, requires_grad=True)

    def run():
        seen = embedded.encode(images, layers)
        assert list(seen.layers) == list(layers)
        parts = [*seen.layers.values(), seen.embedding]
        total = sum((k + 1) * part.square().mean() for k, part in enumerate(parts))
        return [part.detach() for part in parts], torch.autograd.grad(total, images)[0]

    values, gradient = run()
    monkeypatch.setattr(efficientnet, "packs", lambda: False)
    plain_values, plain_gradient = run()
    for ours, plain in zip(values, plain_values, strict=True):
        assert ours.shape == plain.shape
        assert (ours - plain).abs().max() < 1e-4 * plain.abs().max()
    # In the mean: rounding takes a few of millions of units over the kinks of their ReLU6.
    assert (gradient - plain_gradient).norm() < 1e-3 * plain_gradient.norm()
    assert plain_gradient.abs().max() > 0


@needs_packing
def test_without_a_gradient_it_is_the_same_too(embedded):
    images = torch.rand(2, 1, 200, 230)
    with torch.no_grad():
        plain = embedded.encode(images, ["stage4"])
    packed_features = embedded.encode(images.requires_grad_(), ["stage4"])
    assert torch.allclose(plain.layers["stage4"], packed_features.layers["stage4"], atol=1e-3)
    assert torch.allclose(plain.embedding, packed_features.embedding, atol=1e-3)


@needs_packing
@pytest.mark.parametrize("used", ["tap", "last", "both"])
def test_gradients_of_what_is_used(used):
    torch.manual_seed(0)
    wide = nn.Conv2d(3, 6, 5, stride=2, padding=2).requires_grad_(False)
    deep = nn.Conv2d(6, 6, 3, padding=1, groups=6).requires_grad_(False)
    x = torch.randn(2, 3, 11, 13, requires_grad=True)
    chain = PackedChain(
        [Block(((wide, True),), name="a"), Block(((deep, True),), skip=True)], x.shape
    )
    tapped, last = chain(x, ["a"])
    first = F.relu6(wide(x))
    plain = {"tap": first, "last": first + F.relu6(deep(first))}
    ours = {"tap": tapped["a"], "last": last}
    names = list(plain) if used == "both" else [used]
    total, wanted = (sum(v[n].pow(3).sum() for n in names) for v in (ours, plain))
    a, b = torch.autograd.grad(total, x)[0], torch.autograd.grad(wanted, x)[0]
    assert torch.allclose(a, b, rtol=1e-4, atol=1e-4)


@needs_packing
def test_outputs_do_not_keep_their_activations_alive(embedded):
    """A saved output that the graph's node owns would be a cycle, and memory would grow."""
    import gc
    import weakref

    images = torch.rand(1, 1, 224, 224, requires_grad=True)
    gc.collect()
    gc.disable()
    try:
        seen = embedded.encode(images, ["stage2"])
        seen.embedding.sum().backward()
        gone = weakref.ref(seen.layers["stage2"])
        del seen
        assert gone() is None
    finally:
        gc.enable()


@needs_packing
def test_an_encoder_that_has_packed_can_be_copied(embedded):
    images = torch.rand(1, 1, 224, 224)
    seen = embedded.encode(images)
    for copied in (copy.deepcopy(embedded), pickle.loads(pickle.dumps(embedded))):
        assert torch.equal(copied.encode(images).embedding, seen.embedding)


def test_another_torch_is_noticed(monkeypatch):
    packs.cache_clear()
    try:
        with monkeypatch.context() as patch:
            patch.setattr(packed, "_CLAMPED", ("no such operation", [], ""))
            assert not packs()
        packs.cache_clear()
        with monkeypatch.context() as patch:
            patch.setattr(packed, "_CLAMPED", packed._AS_IT_IS)  # runs, and computes something else
            assert not packs()
    finally:
        packs.cache_clear()
