"""A batch on Ray's own test cluster: two nodes in this machine, one of which is lost."""

import hashlib
import os
import pickle
import sys
from pathlib import Path

import pytest
import torch

import clipasso
from clipasso import ClipassoError, Cluster
from clipasso.pipeline import cluster as clusters
from clipasso.pipeline.batch.make import Loader
from clipasso.settings import Settings
from playing_sketcher import files

QUICK = {
    "encoder": "efficientnet-lite0", "iterations": 2, "seeds": 1, "strokes": 3, "augmentations": 0,
    "mask": "none", "zoom": "none", "faces": "none",
}  # fmt: skip


@pytest.mark.parametrize(("values", "words"), [
    ({"cpus": 0}, "--worker-cpus 0"), ({"gpus": -1}, "--worker-gpus -1"),
    ({"gpus": 1.5}, "--worker-gpus 1.5: must be a fraction of one"),
])  # fmt: skip
def test_shares_of_a_worker(values, words):
    with pytest.raises(ClipassoError, match=words):
        Cluster("auto", **values)
    assert Cluster("auto", gpus=0.25).gpus == 0.25


def test_files_reach_a_machine_once(tmp_path, monkeypatch):
    """The parcel holds no path of this machine; what is unpacked is the same content."""
    ray = type(sys)("ray")
    ray.get = lambda content: content
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setattr("clipasso._caches.private_folder", lambda: str(tmp_path / "there"))
    (tmp_path / "there").mkdir()
    weights = tmp_path / "w.pt"
    weights.write_bytes(b"numbers")
    put = []
    parcel = clusters._packed(
        Loader(Settings(), "RN101", weights=weights), lambda content: put.append(content) or content
    )
    assert str(tmp_path).encode() not in pickle.dumps(parcel)
    first, second = clusters._unpacked(parcel), clusters._unpacked(parcel)
    name = hashlib.sha256(b"numbers").hexdigest()
    assert first == second
    assert first.weights == tmp_path / "there" / "weights" / f"{name}.pt"
    assert first.weights.read_bytes() == b"numbers"
    assert len(put) == 1


@pytest.fixture
def two_nodes(monkeypatch):
    """Ray and two nodes of one core each; the second may be taken away."""
    ray = pytest.importorskip("ray", reason="needs Ray: pip install 'clipasso[cluster]'")
    from ray.cluster_utils import Cluster as Nodes

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    size = {"num_cpus": 1, "object_store_memory": 100 * 2**20}
    nodes = Nodes(initialize_head=True, head_node_args=size)
    second = nodes.add_node(**size)
    ray.init(address=nodes.address, log_to_driver=False)
    try:
        yield nodes, second
    finally:
        ray.shutdown()
        nodes.shutdown()


@pytest.mark.slow
def test_one_of_two_nodes_is_lost_and_all_photos_are_done(photo_path, tmp_path, two_nodes):
    from PIL import Image

    nodes, second = two_nodes
    source = tmp_path / "in"
    source.mkdir()
    for number in range(12):
        turned = Image.open(photo_path).rotate(number * 30, fillcolor="white")
        turned.save(source / f"{number:02}.png")
    (source / "bad.png").write_bytes(b"")
    ended: list[int] = []
    begun: set[str] = set()

    def show(now):
        begun.add(now.label)
        if now.finished and len(ended) < 2:
            ended.append(now.number)
            if len(ended) == 2:
                nodes.remove_node(second, allow_graceful=False)

    far = clipasso.batch(
        source, tmp_path / "far", cluster=Cluster(nodes.address), workers=2, on_progress=show,
        **QUICK,
    )  # fmt: skip
    assert (far.photos, far.done) == (13, 12)
    assert [photo for photo, _ in far.failed] == ["bad.png"]
    assert len(ended) == 2

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as a worker has
    try:
        clipasso.batch(source, tmp_path / "near", **QUICK)
    finally:
        torch.set_num_threads(threads)
    here, there = files(tmp_path / "near"), files(tmp_path / "far")
    assert set(here) == set(there)
    for name, content in here.items():
        if Path(name).suffix in (".svg", ".png", ".jpg"):
            assert there[name] == content, name


@pytest.mark.slow
def test_what_there_is_no_room_for_is_said(photo_path, tmp_path, two_nodes):
    nodes, _ = two_nodes
    for share in ({"cpus": 64}, {"gpus": 0.5}):
        with pytest.raises(ClipassoError, match="no machine has room for a worker"):
            clipasso.batch(
                photo_path, tmp_path / "out", cluster=Cluster(nodes.address, **share),
                workers="auto", **QUICK,
            )  # fmt: skip
