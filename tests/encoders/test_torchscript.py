"""TorchScript archives: the state dict that PyTorch reads from them, and nothing that runs."""

import pickle
import warnings
import zipfile

import pytest
import torch
from torch import nn

from clipasso import ClipassoError
from clipasso.encoders.checkpoint import read_checkpoint


class Inner(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(3)
        self.mask = torch.full((2, 2), 7.0)  # neither parameter nor buffer
        self.register_buffer("table", torch.arange(6).reshape(2, 3).t())  # its strides are turned

    def forward(self, x):
        return self.norm(x) + self.mask.sum() + self.table.sum()


class Outer(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(Inner(), Inner(), nn.Linear(3, 2).half().float())
        self.small = nn.Parameter(torch.randn(4).half())
        self.size = 224

    def forward(self, x):
        return self.layers(x) + self.small.sum().float()


@pytest.fixture(scope="module", params=["traced", "scripted"])
def archive(request, tmp_path_factory):
    path = tmp_path_factory.mktemp(request.param) / "model.pt"
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = Outer().eval()
        traced = request.param == "traced"
        made = torch.jit.trace(module, torch.zeros(2, 3)) if traced else torch.jit.script(module)
        torch.jit.save(made, str(path))
    return path


def test_it_is_what_pytorch_reads(archive):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = torch.jit.load(str(archive)).state_dict()
    found = read_checkpoint(archive)
    assert set(found) == set(wanted)
    for name, tensor in wanted.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor), name


def test_pytorch_is_not_asked_to_run_it(archive, monkeypatch):
    monkeypatch.setattr(torch.jit, "load", None)
    monkeypatch.setattr(torch, "load", None)
    assert read_checkpoint(archive)


class Evil:
    def __reduce__(self):
        return (print, ("it ran",))


@pytest.mark.parametrize("change", ["code", "storage", "cut"])
def test_what_is_not_right_is_refused(archive, change, tmp_path, capsys):
    bad = tmp_path / "bad.pt"
    with zipfile.ZipFile(archive) as good, zipfile.ZipFile(bad, "w") as made:
        for name in good.namelist():
            data = good.read(name)
            if change == "code" and name.endswith("/data.pkl"):
                data = pickle.dumps(Evil(), 2)
            if change == "storage" and "/data/" in name:
                data = data[: len(data) // 2]
            if change == "cut" and name.endswith("/data.pkl"):
                data = data[: len(data) // 2]
            made.writestr(name, data)
    with pytest.raises(ClipassoError, match=r"bad\.pt: cannot be read as weights") as caught:
        read_checkpoint(bad)
    assert "\n" not in str(caught.value)
    assert capsys.readouterr().out == ""
