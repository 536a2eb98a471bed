"""Names of encoders, where the hub keeps their weights, and whether a server answers."""

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import open_clip
import pytest

from clipasso import ClipassoError
from clipasso.encoders import CLIP_TOWERS, hub, split_name
from clipasso.encoders.names import hub_files


def test_our_table_of_repositories_is_open_clips():
    for architecture, tower in CLIP_TOWERS.items():
        config = open_clip.get_pretrained_cfg(architecture, "openai")
        assert config["hf_hub"].rstrip("/") == tower.repository


def test_our_sizes_are_those_of_the_whole_models():
    """From the hub's page of RN101: 479 MB, which is four bytes a parameter."""
    assert round(CLIP_TOWERS["RN101"].megabytes) == 479
    for architecture in ("RN50", "ViT-B-32"):
        model = open_clip.create_model(architecture, pretrained=None, device="meta")
        parts = {"parameters": model.visual, "whole": model}
        for name, part in parts.items():
            millions = sum(p.numel() for p in part.parameters()) / 1e6
            assert getattr(CLIP_TOWERS[architecture], name) == pytest.approx(millions, abs=0.06)


NAMES = [
    ("ViT-B/32", "ViT-B-32", "openai", "timm/vit_base_patch32_clip_224.openai"),
    ("rn101", "RN101", "openai", "timm/resnet101_clip.openai"),
    ("ViT-L/14", "ViT-L-14", "openai", "timm/vit_large_patch14_clip_224.openai"),
    ("rn101:yfcc15m", "RN101", "yfcc15m", "timm/resnet101_clip.yfcc15m"),
    ("ViT-B-16:laion2b_s34b_b88k", "ViT-B-16", "laion2b_s34b_b88k",
     "laion/CLIP-ViT-B-16-laion2B-s34B-b88K"),
    ("ViT-B-16-SigLIP", "ViT-B-16-SigLIP", "webli", "timm/ViT-B-16-SigLIP"),
    ("MobileCLIP-S1", "MobileCLIP-S1", "datacompdr", "apple/MobileCLIP-S1-OpenCLIP"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "architecture", "tag", "repository"), NAMES)
def test_open_clips_names(name, architecture, tag, repository):
    assert split_name(name) == (architecture, tag)
    files = ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"]
    assert hub_files(architecture, tag) == [(repository, file) for file in files]


@pytest.mark.parametrize("name", ["dino", "DINO", "timm:vit_small_patch16_224.dino"])
def test_timms_names(name):
    assert split_name(name) == ("timm", "vit_small_patch16_224.dino")
    files = ["model.safetensors", "pytorch_model.bin"]
    assert hub_files(*split_name(name)) == [("timm/vit_small_patch16_224.dino", f) for f in files]


@pytest.mark.parametrize("name", ["convnext_base_w", "convnext_xxlarge"])
def test_several_tags_and_none_named(name):
    tags = open_clip.list_pretrained_tags_by_model(name)
    with pytest.raises(ClipassoError, match=f"^{name}: .*add :TAG") as caught:
        split_name(name)
    assert len(tags) > 1
    assert all(tag in str(caught.value) for tag in tags)
    assert split_name(f"{name}:{tags[1]}") == (name, tags[1])
    assert split_name(name, any_tag=True) == (name, tags[0])


def test_an_architecture_that_nobody_has_published():
    """It needs a checkpoint, and with one it needs no tag."""
    assert not open_clip.list_pretrained_tags_by_model("ViT-S-32-alt")
    with pytest.raises(ClipassoError, match=r"^ViT-S-32-alt: .*--weights FILE"):
        split_name("ViT-S-32-alt")
    assert split_name("ViT-S-32-alt", any_tag=True) == ("ViT-S-32-alt", "")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("VGG16", "no such encoder; choose one of auto, efficientnet-lite0, RN50"),
        ("", "no such encoder"),
        (":openai", "no such encoder"),
        ("RN101:nonsense", "RN101 has no weights tagged nonsense; it has openai, yfcc15m"),
        ("ViT-B-16-SigLIP:openai", "no weights tagged openai; it has webli"),
        ("timm:", "one such is timm:vit_small_patch16_224.dino"),
        ("timm:resnet50.a1_in1k", "no vision transformer"),
        ("timm:vit_small_patch16_225.dino", "no vision transformer"),
    ],
)
def test_nonsense_names(name, message):
    with pytest.raises(ClipassoError) as caught:
        split_name(name)
    assert str(caught.value).startswith(f"{name}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


class Answering(BaseHTTPRequestHandler):
    """Knows one file, and takes its time over another."""

    def do_HEAD(self):
        if self.path == "/slow":
            time.sleep(3)
        self.send_response(200 if self.path in ("/file", "/slow") else 404)
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def server():
    http = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    http.server_close()


class TestUrlAnswers:
    def test_yes_and_no(self, server):
        assert hub.url_answers(f"{server}/file")
        assert not hub.url_answers(f"{server}/other")

    def test_a_slow_server_is_not_waited_for(self, server):
        began = time.monotonic()
        assert not hub.url_answers(f"{server}/slow", 0.3)
        assert time.monotonic() - began < 2

    def test_a_deaf_one(self):
        with socket.socket() as deaf:  # takes calls, says nothing
            deaf.bind(("127.0.0.1", 0))
            deaf.listen()
            url = f"http://127.0.0.1:{deaf.getsockname()[1]}/file"
            began = time.monotonic()
            assert not hub.url_answers(url, 0.3)
            assert time.monotonic() - began < 2
        assert not hub.url_answers(url, 2)  # nobody there any more
        assert not hub.url_answers("no address at all", 2)
