"""`clipasso encoders --get`, with a hub on this machine: whole, broken off, wrong, not there."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from clipasso import ClipassoError
from clipasso.cli import run
from clipasso.encoders import has_weights, hub
from clipasso.encoders.fetch import damaged, fetch, find_remote
from playing_hub import CONTENT, playing_hub


def settle_at(url, monkeypatch):
    """Where the client looks for the hub, which HF_ENDPOINT tells it when it is imported."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", url)
    template = constants.HUGGINGFACE_CO_URL_TEMPLATE
    path = template[template.index("/{repo_id}") :]
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + path)


@pytest.fixture
def server(monkeypatch, tmp_path):
    """A hub, and a home that holds nothing yet."""
    from huggingface_hub import constants

    with playing_hub() as made:
        settle_at(made.url, monkeypatch)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 100_000)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        cached = hub.cached_weights
        # The client's functions took the usual folder for their default when they were made.
        import huggingface_hub

        look, load = huggingface_hub.try_to_load_from_cache, huggingface_hub.hf_hub_download
        folder = str(tmp_path / "hub")
        monkeypatch.setattr(
            huggingface_hub, "try_to_load_from_cache", lambda *a: look(*a, cache_dir=folder)
        )
        monkeypatch.setattr(
            huggingface_hub, "hf_hub_download", lambda *a: load(*a, cache_dir=folder)
        )
        monkeypatch.setenv("HOME", str(tmp_path))
        assert cached("RN101", "openai") is None
        yield made


def get(*names):
    return run(["encoders", *(part for name in names for part in ("--get", name))])


def one_line(text):
    lines = [line for line in text.splitlines() if line.strip()]
    assert len(lines) == 1, text
    return lines[0]


def test_weights_are_fetched_and_found(server, capsys):
    assert get("RN101") == 0
    path = has_weights("RN101")
    assert path.read_bytes() == CONTENT
    captured = capsys.readouterr()
    assert f"RN101: {path} (1 MB, checksum right)" in captured.out
    said = captured.err
    assert "open_clip_model.safetensors of timm/resnet101_clip.openai" in said
    assert "1 MB" in said
    assert "--get ViT-B-32" in said  # the other half of the paper's pair
    assert len(server.asked) == 1
    assert get("RN101") == 0
    assert "here already" in capsys.readouterr().out
    assert len(server.asked) == 1
    assert not list(path.parents[2].rglob("*.incomplete"))


def test_a_transfer_that_breaks_off_goes_on_by_itself(server, capfd):
    server.breaks = [300_000]
    assert get("RN101") == 0
    assert has_weights("RN101").read_bytes() == CONTENT
    assert server.asked == [None, "bytes=300000-"]
    assert "Error" not in capfd.readouterr().err  # the client's own warnings


def test_a_second_attempt_goes_on_where_the_first_ended(server, capsys):
    remote = find_remote("RN101", "openai")
    remote.part.parent.mkdir(parents=True)
    remote.part.write_bytes(CONTENT[:700_000])
    seen = []
    assert fetch(remote, seen.append).read_bytes() == CONTENT
    assert server.asked == ["bytes=700000-"]
    assert (seen[0], seen[-1]) == (700_000, len(CONTENT))
    assert seen == sorted(seen)


def test_a_hub_that_fails_midway_keeps_what_came(server, capsys):
    server.fails = True
    remote = find_remote("RN101", "openai")
    remote.part.parent.mkdir(parents=True)
    remote.part.write_bytes(CONTENT[:700_000])
    assert get("RN101") == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert re.search(r"RN101:openai: .* broke off at 1 of 1 MB .*the same command goes on", line)
    assert remote.here == 700_000
    server.fails = False
    assert get("RN101") == 0
    assert server.asked[-1] == "bytes=700000-"


def test_more_than_there_is_begins_anew(server):
    remote = find_remote("RN101", "openai")
    remote.part.parent.mkdir(parents=True)
    remote.part.write_bytes(CONTENT + b"more")
    assert fetch(remote, lambda count: None).read_bytes() == CONTENT


def test_a_wrong_checksum_leaves_nothing(server, tmp_path, capsys):
    server.content = CONTENT[:-1] + b"x"
    assert get("RN101") == 2
    assert "another checksum" in capsys.readouterr().err.splitlines()[-1]
    assert has_weights("RN101") is None
    assert not [p for p in (tmp_path / "hub").rglob("*") if p.is_file() and p.stat().st_size > 1000]
    server.content = CONTENT
    assert get("RN101") == 0


def test_what_was_damaged_since_is_fetched_anew(server, capsys):
    assert get("RN101") == 0
    path = has_weights("RN101")
    assert damaged(path) is None
    path.resolve().write_bytes(CONTENT[:-1])
    assert damaged(path) == path.resolve()
    assert get("RN101") == 0
    assert "damaged" in capsys.readouterr().err
    assert has_weights("RN101").read_bytes() == CONTENT


def test_the_second_choice_of_files(server):
    server.file = "open_clip_pytorch_model.bin"
    assert get("RN101") == 0
    assert has_weights("RN101").name == "open_clip_pytorch_model.bin"


def test_an_encoder_by_name_takes_the_same_way(server, monkeypatch):
    """Loading it fetches it: resumable and checked too."""
    remote = find_remote("RN101", "openai")
    remote.part.parent.mkdir(parents=True)
    remote.part.write_bytes(CONTENT[:700_000])
    assert hub.download_weights("RN101", "openai").read_bytes() == CONTENT
    assert server.asked == ["bytes=700000-"]


def test_no_hub_is_one_line(server, capsys, monkeypatch):
    from huggingface_hub import constants

    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        settle_at(f"http://127.0.0.1:{closed.getsockname()[1]}", monkeypatch)
        assert get("RN101") == 2
    line = one_line(capsys.readouterr().err)
    assert line.startswith("clipasso: RN101:openai: the model hub does not answer")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert get("RN101") == 2
    assert "HF_HUB_OFFLINE" in one_line(capsys.readouterr().err)


def test_a_deaf_hub_gets_its_seconds_and_no_more(server, monkeypatch):
    with socket.socket() as deaf:  # takes calls, says nothing
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        settle_at(f"http://127.0.0.1:{deaf.getsockname()[1]}", monkeypatch)
        with pytest.raises(ClipassoError, match="does not answer"):
            find_remote("RN101", "openai", seconds=0.3)


def test_a_hub_without_the_file_is_one_line(server, capsys):
    assert get("RN50") == 2
    line = one_line(capsys.readouterr().err)
    assert "RN50:openai: the model hub does not have it" in line
    assert "--weights FILE" in line


@pytest.mark.parametrize(
    ("names", "named"),
    [(["auto"], "--get auto: name one"), (["vgg"], "vgg: no such encoder"),
     (["RN101", "vgg"], "vgg: no such encoder"), (["RN101:nonsense"], "no weights tagged")],
)  # fmt: skip
def test_names_are_looked_at_before_any_transfer(server, capsys, names, named):
    assert get(*names) == 2
    assert named in one_line(capsys.readouterr().err)
    assert not server.asked


def test_the_embedded_one_needs_none(server, capsys):
    assert get("efficientnet-lite0") == 0
    assert "comes with the program" in capsys.readouterr().out


def test_no_room_is_seen_before_the_transfer(server, capsys, monkeypatch):
    from collections import namedtuple

    usage = namedtuple("usage", "total used free")(10**9, 10**9, 400_000)
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    assert get("RN101") == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert "needs 1 MB" in line
    assert "HF_HOME" in line
    assert not server.asked


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_disk_that_fills_up_is_one_line(server, capsys):
    remote = find_remote("RN101", "openai")
    remote.part.parent.mkdir(parents=True)
    remote.part.symlink_to("/dev/full")
    assert get("RN101") == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert "cannot be written" in line
    assert "No space left" in line


def test_a_cache_that_cannot_be_written_to_is_one_line(server, tmp_path, capsys):
    (tmp_path / "hub").write_text("in the way")
    assert get("RN101") == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert "cannot be written there" in line
    assert "HF_HOME" in line


@pytest.mark.skipif(os.name == "nt", reason="needs SIGINT")
def test_ctrl_c_keeps_what_came_and_the_same_command_goes_on(server, tmp_path):
    """From outside, as people run it: HF_ENDPOINT and HF_HOME are all that is special."""
    server.content = server.announced = CONTENT * 12  # the client writes ten megabytes at a time
    server.breaks, server.waits = [11_000_000], threading.Event()
    surroundings = {**os.environ, "HF_ENDPOINT": server.url, "HF_HOME": str(tmp_path / "home")}
    surroundings.pop("HF_HUB_CACHE", None)
    surroundings["HF_HUB_OFFLINE"] = "0"
    # A shell's background jobs, and what they start, ignore SIGINT.
    heeding = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from clipasso.__main__ import main; main()"
    )
    command = [sys.executable, "-c", heeding, "encoders", "--get", "RN101"]

    def part():
        return [p for p in (tmp_path / "home").rglob("*.incomplete") if p.stat().st_size >= 500_000]

    process = subprocess.Popen(command, env=surroundings, stderr=subprocess.PIPE, text=True)
    try:
        for _ in range(2000):
            if part() or process.poll() is not None:
                break
            threading.Event().wait(0.05)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        server.waits.set()
        process.kill()
    assert process.returncode == 130, said
    assert "the same command goes on from there" in said
    assert "Traceback" not in said
    (kept,) = part()
    length = kept.stat().st_size
    again = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=True)
    assert "checksum right" in again.stdout
    assert server.asked[-1] == f"bytes={length}-"
