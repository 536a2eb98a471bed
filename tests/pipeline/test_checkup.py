"""`clipasso doctor`: what it finds where all is well, and where something is not."""

import json
from pathlib import Path

import pytest
import torch

from clipasso.cli import run
from clipasso.pipeline import checkup
from clipasso.pipeline.checkup import check_up


@pytest.fixture(autouse=True)
def deaf_hub(monkeypatch):
    from clipasso.encoders import hub

    monkeypatch.setattr(hub, "hub_answers", lambda *a: False)


def test_all_is_well_here(capsys):
    assert run(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line[:6] in ("ok    ", "warn  ") for line in lines)
    told = "\n".join(lines)
    for words in ("clipasso", "Python", "torch", "numba", "memory free", "kernels: cpu",
                  "efficientnet-lite0", "RN101", "whole, by SHA-256", "this folder",
                  "warn  hub: the model hub gives no answer within 3 s"):  # fmt: skip
        assert words in told, words
    assert f"{Path.home()}/" not in told


def test_json_is_one_line_and_says_the_same(capsys, monkeypatch):
    monkeypatch.setattr(checkup, "_kernels", lambda: iter(()))  # seen above
    assert run(["doctor", "--json"]) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    told = json.loads(out)
    assert told["ok"] is True
    assert {"topic", "level", "text"} == set(told["findings"][0])


def found(topic):
    return [finding for finding in check_up() if finding.topic == topic]


def test_a_kernel_that_draws_something_else_is_a_failure(capsys, monkeypatch):
    from clipasso import raster

    real = raster.rasterize

    def wrong(points, *, backend="auto", **how):
        image = real(points, backend=backend, **how)
        return image if backend == "reference" else image * 0.9

    monkeypatch.setattr(raster, "rasterize", wrong)
    assert run(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "fail  kernels" in out
    assert "1 of" in out


def test_a_check_that_breaks_is_a_finding_and_not_a_traceback(monkeypatch):
    def broken(*arguments):
        raise RuntimeError("no such driver\nin any release")

    monkeypatch.setattr(torch.cuda, "is_available", broken)
    (devices,) = [one for one in found("devices") if one.level == "fail"]
    assert devices.text == "RuntimeError: no such driver"


def test_damaged_weights_are_named(monkeypatch, tmp_path):
    from clipasso.photo.masks import u2netp

    bad = tmp_path / "u2netp.safetensors"
    data = bytearray(u2netp.WEIGHTS.read_bytes())
    data[-1] ^= 1
    bad.write_bytes(data)
    monkeypatch.setattr(u2netp, "WEIGHTS", bad)
    monkeypatch.setattr(checkup, "_kernels", lambda: iter(()))
    (weights,) = found("weights")
    assert weights.level == "fail"
    assert "u2netp" in weights.text
    assert "mtcnn" not in weights.text


def test_a_folder_that_takes_nothing_and_a_missing_library(monkeypatch):
    monkeypatch.setattr(checkup, "_kernels", lambda: iter(()))
    real = checkup._version
    monkeypatch.setattr(checkup, "_version", lambda name: None if name == "timm" else real(name))
    findings = list(check_up(Path("/proc/nowhere")))
    levels = {(one.topic, one.level) for one in findings}
    assert ("this folder", "fail") in levels
    assert ("libraries", "fail") in levels


def test_home_is_not_told(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert checkup._at_home(tmp_path / "a" / "b") == "~/a/b"
    assert checkup._at_home(tmp_path) == "~"
    assert checkup._at_home(Path(f"{tmp_path}x/a")) == f"{tmp_path}x/a"
