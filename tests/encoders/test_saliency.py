"""Attention, relevance and Grad-CAM against computations without our code; see also test_paper."""

import pytest
import timm
import torch
import torch.nn.functional as F
from skimage import data

import transcription
from clipasso import ClipassoError
from clipasso.encoders.attention import recorded_attention
from clipasso.encoders.timm_tower import TimmViT
from towers import as_batch, random_encoder, random_tower, randomize, relative, watched


@pytest.fixture(scope="module")
def cat():
    return as_batch(data.chelsea())


@pytest.fixture(scope="module")
def vit():
    return random_encoder("ViT-B-32")


@pytest.fixture(scope="module")
def dino():
    torch.manual_seed(0)
    net = timm.create_model("vit_small_patch16_224.dino", pretrained=False, num_classes=0)
    return TimmViT(randomize(net), "timm:vit_small_patch16_224.dino", "DINO")


def test_clips_attention_is_that_of_pytorchs_own_module(vit, cat):
    """Against the probabilities that `torch.nn.MultiheadAttention` returns."""
    visual = random_tower("ViT-B-32")
    blocks = visual.transformer.resblocks
    inputs, unhook = watched([block.ln_1 for block in blocks])
    visual(vit.normalize(cat))
    unhook()
    maps = [
        b.attn(x, x, x, need_weights=True, average_attn_weights=False)[1]
        for b, x in zip(blocks, inputs, strict=True)
    ]
    assert relative(vit.attention(cat), torch.cat(maps)) < 1e-4
    relevancy = torch.stack([m[0].mean(0)[0, 1:] for m in maps]).mean(0).reshape(1, 1, 7, 7)
    wanted = F.interpolate(relevancy, (224, 224), mode="bicubic")[0, 0]
    wanted = (wanted - wanted.min()) / (wanted.max() - wanted.min())
    assert (vit.saliency(cat) - wanted).abs().max() < 1e-4
    assert torch.equal(vit.saliency(cat), vit.saliency(cat, "attention"))


def explicit_attention(net, x):
    """timm's transformer block by block, with the attention written out."""
    x = net._pos_embed(net.patch_embed(x))
    x = net.norm_pre(x)
    maps = []
    for block in net.blocks:
        attn, y = block.attn, block.norm1(x)
        q, k, v = F.linear(y, attn.qkv.weight, attn.qkv.bias).chunk(3, -1)
        out, probabilities = transcription.attend(q, k, v, attn.num_heads)
        maps.append(probabilities)
        x = x + F.linear(out, attn.proj.weight, attn.proj.bias)
        x = x + block.mlp(block.norm2(x))
    return maps, net.norm(x)[:, 0]


class TestDino:
    @pytest.mark.parametrize("method", ["attention", "relevance"])
    def test_map(self, method, dino, cat):
        maps, embedding = explicit_attention(dino.net, dino.normalize(cat))
        assert relative(dino.encode(cat).embedding, embedding) < 1e-5
        wanted = {
            "attention": lambda: transcription.attention_relevancy(maps).detach(),
            "relevance": lambda: transcription.chefer_relevancy(maps, embedding),
        }[method]()
        assert wanted.shape == (14, 14)
        found = dino.saliency(cat, method)
        assert relative(found, transcription.to_map(wanted, 224)) < 1e-4

    def test_registers_are_no_patches(self, cat):
        """DINOv2's extra tokens stand between the class token and the patches."""
        name = "vit_small_patch14_reg4_dinov2.lvd142m"
        net = timm.create_model(name, pretrained=False, num_classes=0, img_size=98, depth=2)
        encoder = TimmViT(randomize(net), name, "DINOv2")
        encoder.input_size = 98
        image = F.interpolate(cat, (98, 98), mode="bilinear")
        with torch.no_grad(), recorded_attention([b.attn for b in net.blocks]) as maps:
            net(encoder.normalize(image))
        wanted = sum(m[0].mean(0)[0, 5:] for m in maps) / 2
        wanted = transcription.to_map(wanted.reshape(7, 7), 98)
        assert relative(encoder.saliency(image, "attention"), wanted) < 1e-4


@pytest.mark.parametrize("kind", ["clip", "timm"])
def test_recording_leaves_no_trace(kind, vit, dino, cat):
    """Outputs, hooks and settings are after it, and while an error flies, as they were before."""
    encoder = {"clip": vit, "timm": dino}[kind]
    blocks = encoder.visual.transformer.resblocks if kind == "clip" else encoder.net.blocks
    layers = [block.attn for block in blocks]

    def state():
        return [
            (len(m._forward_hooks), getattr(m, "fused_attn", None), m.training)
            for layer in layers
            for m in layer.modules()
        ]

    before, embedding = state(), encoder.encode(cat).embedding
    with torch.no_grad(), recorded_attention(layers) as maps:
        during = encoder.encode(cat).embedding
    assert relative(during, embedding) < 1e-5
    assert len(maps) == len(layers)
    assert all(torch.allclose(m.sum(-1), torch.ones(()), atol=1e-5) for m in maps)
    for method in encoder.saliency_methods:
        encoder.saliency(cat, method)
    with pytest.raises(KeyboardInterrupt), recorded_attention(layers):
        raise KeyboardInterrupt
    assert state() == before
    assert torch.equal(encoder.encode(cat).embedding, embedding)
    assert all(p.grad is None and not p.requires_grad for p in encoder.parameters())


def plain_grad_cam(forward, layer, images):
    """Grad-CAM with forward and backward hooks: weights are the gradients' means."""
    kept = {}
    hooks = [
        layer.register_forward_hook(lambda _m, _i, out: kept.update(seen=out)),
        layer.register_full_backward_hook(lambda _m, _i, out: kept.update(grad=out[0])),
    ]
    embedding = forward(images.clone().requires_grad_())
    (embedding * (embedding / embedding.norm()).detach()).sum().backward()
    for hook in hooks:
        hook.remove()
    weights = kept["grad"].mean((2, 3))
    return torch.einsum("c,chw->hw", weights[0], kept["seen"][0]).relu().detach()


class TestGradCam:
    def test_rn101(self, cat):
        encoder, original = random_encoder("RN101").double(), random_tower("RN101").double()
        image = cat.double()
        wanted = plain_grad_cam(original, original.layer4, encoder.normalize(image))
        found = encoder.saliency(image, "gradcam")
        assert wanted.max() > 0
        assert relative(found, transcription.to_map(wanted, 224)) < 1e-4
        assert torch.equal(found, encoder.saliency(image))

    def test_the_embedded_encoder(self, lite0, cat):
        def forward(x):
            features = net.blocks(net.bn1(net.conv_stem(lite0.normalize(x))))
            return net.global_pool(net.bn2(net.conv_head(features)))

        net = lite0.net
        wanted = plain_grad_cam(forward, net.blocks[-1], cat)
        found = lite0.saliency(cat, "gradcam")
        assert relative(found, transcription.to_map(wanted, 224)) < 1e-4
        assert relative(lite0.saliency(cat), found) > 0.1  # by itself it compares with paper

    @pytest.mark.parametrize("architecture", ["MobileCLIP-S1", "convnext_tiny"])
    def test_towers_through_timm(self, architecture, cat):
        encoder, original = random_encoder(architecture), random_tower(architecture)
        assert encoder.saliency_methods == ("gradcam",)
        wanted = plain_grad_cam(original, original.trunk.stages[-1], encoder.normalize(cat))
        found = encoder.saliency(cat)
        assert relative(found, transcription.to_map(wanted, 224)) < 1e-4

    def test_under_no_grad(self, lite0, cat):
        with torch.no_grad():
            assert relative(lite0.saliency(cat, "gradcam"), lite0.saliency(cat, "gradcam")) == 0


def test_maps_have_the_photos_size(vit, lite0):
    for encoder in (vit, lite0):
        for method in encoder.saliency_methods:
            found = encoder.saliency(torch.rand(1, 3, 130, 130), method)
            assert found.shape == (130, 130)
            assert (float(found.min()), float(found.max())) == (0, 1)


@pytest.mark.parametrize(
    ("architecture", "method"),
    [("ViT-B-32", "gradcam"), ("ViT-B-32", "features"), ("RN101", "attention")],
)
def test_a_map_that_an_encoder_does_not_make(architecture, method, cat):
    encoder = random_encoder(architecture)
    with pytest.raises(ClipassoError) as caught:
        encoder.saliency(cat, method)
    assert str(caught.value) == (
        f"--saliency {method}: not a map of {encoder.description}; "
        f"it makes {' or '.join(encoder.saliency_methods)}"
    )


def test_siglip_makes_none_and_says_what_to_do(cat):
    """It has no class token whose attention could be read."""
    encoder = random_encoder("ViT-B-16-SigLIP", tag="webli")
    assert encoder.saliency_methods == ()
    for method in ("auto", "attention"):
        with pytest.raises(ClipassoError, match=r"it makes none; .*--saliency-encoder"):
            encoder.saliency(cat, method)


def test_a_class_token_attends_through_timm_too(cat):
    encoder = random_encoder("PE-Core-T-16-384", tag="meta")
    assert encoder.saliency_methods == ("attention", "relevance")
    maps = [encoder.saliency(cat, method) for method in encoder.saliency_methods]
    assert all(m.shape == (224, 224) and m.std() > 0.05 for m in maps)
