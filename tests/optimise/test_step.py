"""The step waits for nothing: tensors without values, where a GPU's would stand; CUDA graphs."""

import contextlib
import copy
import warnings
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    FakeTensorMode,
    unset_fake_temporarily,
)
from torch.utils._python_dispatch import TorchDispatchMode

from clipasso import Settings
from clipasso.encoders import EMBEDDED, efficientnet
from clipasso.optimise.adam import Adam
from clipasso.optimise.encoded_photo import PhotoPool
from clipasso.optimise.loop import optimise
from clipasso.optimise.objective import make_objective
from clipasso.optimise.step import Step
from clipasso.optimise.strokes import Drawing
from clipasso.raster import front, rasterize
from tiny import Blur
from towers import random_encoder

SETTINGS = Settings(
    strokes=2, canvas=32, seeds=2, iterations=12, pool=4, augmentations=2, evaluate_every=4,
    width_rate=0.1, opacity_rate=0.02, color_rate=0.02, drop=False,
)  # fmt: skip
on_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")


def make_step(encoder, device="cpu", settings=SETTINGS, photos=2, outside=False):
    """A step of two seeds for each photo, the second photo's a stroke apart."""
    g = torch.Generator().manual_seed(0)
    size = settings.canvas
    images = torch.rand(photos, 3, size, size, generator=g).to(device)
    objective = make_objective(encoder, settings)
    if outside:
        objective = replace(
            objective, background_weight=1.0, outside=torch.rand(photos, size, size, device=device)
        )
    pool = PhotoPool(images, objective, settings, g)
    points = size / 2 + torch.randn(2 * photos, 2, 4, 2, generator=g) * size / 4
    frozen = torch.zeros(2 * photos, 2, dtype=torch.bool)
    whole = Drawing(
        points, torch.full((2 * photos, 2), 3.0), torch.ones(2 * photos, 2),
        torch.zeros(2 * photos, 2, 1), 3, frozen[0],
    )  # fmt: skip
    reach = torch.tensor([[0.0, 0.0], [size, size]]).expand(2 * photos, 2, 2)
    adam = Adam(whole.to(device), frozen, settings, reach)
    return Step(adam, pool, [k // 2 for k in range(2 * photos)], size)


class Unwaiting(TorchDispatchMode):
    """Fails on every operation whose result the host would wait for, or that copies from it."""

    FORBIDDEN = (
        "_local_scalar_dense", "lift_fresh", "lift_fresh_copy", "nonzero", "masked_select", "equal",
        "is_nonzero", "unique", "_unique2", "bincount",
    )  # fmt: skip

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__
        assert name not in self.FORBIDDEN, name
        if name in ("_to_copy", "copy_"):
            to = kwargs.get("device") or args[0].device
            come = args[0].device if name == "_to_copy" else args[1].device
            assert torch.device(to).type == come.type, name
        if name in ("index", "index_put", "index_put_"):
            assert all(t is None or t.dtype != torch.bool for t in args[1]), name
        return func(*args, **kwargs)


class Launch:
    """Stands for a Triton kernel: takes a grid and arguments and computes nothing."""

    def __getitem__(self, grid):
        return lambda *arguments, **options: None


@pytest.fixture
def no_kernels(monkeypatch):
    """The rasteriser's way for CUDA, all but its kernels and the look at whether they work."""
    forward = pytest.importorskip("clipasso.raster.triton_forward")
    backward = pytest.importorskip("clipasso.raster.triton_backward")
    for name in ("_prepare", "_bin", "_draw"):
        monkeypatch.setattr(forward, name, Launch())
    monkeypatch.setattr(backward, "_pull", Launch())
    monkeypatch.setattr(front, "_choose", lambda backend, points: "triton")
    monkeypatch.setattr(torch.cuda, "device_of", lambda tensor: contextlib.nullcontext())


@pytest.fixture
def off_gpu(no_kernels, monkeypatch):
    """The same for tensors of the CPU, whose values would be looked at, or packed."""
    monkeypatch.setattr(front, "_check", lambda *tensors: None)
    monkeypatch.setattr(efficientnet, "packs", lambda: False)


def tower(name, lite0, mode, device="cpu"):
    """An encoder whose weights have no values, in bfloat16 where it can, on a device."""
    with unset_fake_temporarily():
        made = {"blur": Blur, EMBEDDED: lambda: copy.deepcopy(lite0)}
        encoder = made.get(name, lambda: random_encoder(name))()
    if name not in ("blur", EMBEDDED):
        encoder.precision = torch.bfloat16
    for module in encoder.modules():
        for tensors in (module._parameters, module._buffers):
            for key, value in tensors.items():
                if value is None:
                    continue
                low = encoder.precision if module is not encoder else value.dtype
                low = low if value.is_floating_point() else value.dtype
                moved = mode.from_tensor(value).detach().to(device, low)
                tensors[key] = (
                    nn.Parameter(moved, False) if tensors is module._parameters else moved
                )
    return encoder


TOWERS = ["blur", EMBEDDED, "RN101", "ViT-B-32"]


class TestWaitsForNothing:
    @pytest.mark.parametrize("name", TOWERS)
    def test_a_step_of_tensors_without_values(self, name, off_gpu, lite0):
        """All of it, backward included; a value that was asked for would raise."""
        with FakeTensorMode() as mode:
            step = make_step(tower(name, lite0, mode), outside=True)
            before = step.adam.drawing.points
            with Unwaiting():
                for _ in range(2):
                    step.look()
                    step.move()
        assert "background" in step.names
        assert step.terms.shape == (len(step.names), 4)
        assert step.adam.drawing.points is before  # moved in place, as a graph needs

    @pytest.mark.parametrize("name", TOWERS)
    def test_on_cuda_all_is_there_already(self, name, no_kernels, lite0, monkeypatch):
        """Tensors that say they are on CUDA: a stray one of the CPU would be an error.

        Torch's engine runs no backward for a GPU that is not there, so gradients stand in for it.
        """

        def zeros(outputs, inputs, *light):
            return tuple(torch.zeros_like(t) for t in (
                inputs if isinstance(inputs, tuple) else (inputs,)))  # fmt: skip

        with FakeTensorMode() as mode:
            step = make_step(tower(name, lite0, mode, "cuda"), "cuda", outside=True)
            monkeypatch.setattr(torch.autograd, "grad", zeros)
            with Unwaiting():
                step.look()
                step.move()
                step.evaluate()
        assert step.terms.device.type == "cuda"

    def test_the_rasterisers_backward_on_cuda(self, no_kernels):
        from clipasso.raster import triton_kernel

        with FakeTensorMode():
            shapes = (2, 3, 1, 4, 2), (2, 3), (2, 3), (2, 3, 3)
            inputs = [torch.empty(shape, device="cuda") for shape in shapes]
            with Unwaiting():
                image, *records = triton_kernel.forward(*inputs, 40, 56)
                light = torch.empty_like(image)
                grads = triton_kernel.backward(light, *inputs[2:], 4, *records)
        assert image.shape == (2, 3, 40, 56)
        assert [g.shape for g in grads] == list(map(torch.Size, shapes))
        assert {g.device.type for g in grads} == {"cuda"}

    def test_what_waits_would_be_seen(self, off_gpu):
        """The proof can fail: by a value that is asked for, and by a tensor made on the host."""
        with FakeTensorMode():
            step = make_step(Blur())
            with pytest.raises(DataDependentOutputException):
                float(step.adam.drawing.points.detach().sum())
            encode = step.pool.objective.encoder.encode

            def scaled(images, layers):
                return encode(images * images.new_tensor([1.0]), layers)

            step.pool.objective.encoder.encode = scaled
            with Unwaiting(), pytest.raises(AssertionError, match="lift_fresh"):
                step.look()


class TestSeeds:
    def test_an_eager_step_encodes_only_those_that_go_on(self):
        encoder = Blur()
        step = make_step(encoder)
        counts = []
        for going in ([0, 1, 2, 3], [1, 2], [2]):
            step.keep(going)
            encoder.calls = 0
            step.look()
            counts.append(encoder.calls)
            assert step.seeds == going
            assert step.terms.shape[1] == len(going)
            step.move()
        assert counts == [12, 6, 3]

    def test_a_seed_that_ends_does_not_take_the_step_it_was_looked_at_for(self):
        step = make_step(Blur())
        step.look()
        before = step.adam.drawing.points.detach().clone()
        step.keep([0, 3])
        step.move()
        same = [torch.equal(a, b) for a, b in zip(before, step.adam.drawing.points, strict=True)]
        assert same == [False, True, True, False]

    def test_gradients_are_those_of_a_whole_batch(self):
        """A few images at a time through the encoder, or all at once: the same step."""
        one, all_ = make_step(Blur()), make_step(Blur())
        assert len(one._parts(torch.zeros(4, 1, 8, 8), 3)) == 2  # a photo's two seeds each
        assert len(one._parts(torch.zeros(4, 1, 8, 8), 9)) == 4
        all_._parts = lambda images, each: [(images, all_._owners)]
        for step in (one, all_):
            step.look()
        for a, b in zip(one._grads, all_._grads, strict=True):
            assert torch.allclose(a, b, rtol=1e-4, atol=1e-7)
            assert a.abs().max() > 0
        assert torch.allclose(one.terms, all_.terms, rtol=1e-5)

    def test_another_pool_goes_on_with_the_same_strokes(self):
        """As for a second phase of the loop: its own photos, the same Adam."""
        first, other = make_step(Blur()), make_step(Blur(), settings=replace(SETTINGS, pool=9))
        first.look()
        first.move()
        before = first.adam.drawing.points.detach().clone()
        second = Step(first.adam, other.pool, [0, 0, 1, 1], 32)
        second.keep([1])
        second.look()
        second.move()
        same = [torch.equal(a, b) for a, b in zip(before, first.adam.drawing.points, strict=True)]
        assert same == [True, False, True, True]
        assert first.adam.step.tolist() == [2]

    def test_each_seed_is_compared_with_its_own_photo(self):
        step = make_step(Blur())
        step.look()
        looked = step.terms
        step.evaluate()
        assert torch.allclose(step.terms, looked, rtol=1e-5)  # the clean pair comes first
        images = step.adam.drawing.render(32)
        goal, g = step.pool.objective, torch.Generator()
        totals = []
        for photo in step.pool.photos.split(1):
            clean = PhotoPool(photo, goal, replace(SETTINGS, pool=0), g).clean
            totals.append(clean.loss(images).total)
        own = [*totals[0][:2], *totals[1][2:]]
        other = [*totals[1][:2], *totals[0][2:]]
        found = looked[step.names.index("total")]
        assert torch.allclose(found, torch.stack(own), rtol=1e-5)
        assert not torch.isclose(found, torch.stack(other), rtol=1e-3).any()


class TestGraphs:
    """What can be known of the graphs without a GPU, and with one whether they are right."""

    def test_fresh_transforms_stay_eager_and_say_so(self):
        step = make_step(Blur(), settings=replace(SETTINGS, pool=0))
        step.capture()
        assert "--pool 0" in step.note
        step.look()
        step.move()
        assert step.adam.step.tolist() == [1]

    def test_what_cannot_be_recorded_stays_eager_and_as_it_was(self, monkeypatch):
        eager, failing = make_step(Blur()), make_step(Blur())

        def record(state):
            failing._look()
            failing.adam.move(failing._grads)
            raise RuntimeError("operation not permitted when stream is capturing\nand more")

        monkeypatch.setattr(failing, "_record", record)
        failing.capture()
        assert failing.note == (
            "no CUDA graph: the step could not be recorded "
            "(RuntimeError: operation not permitted when stream is capturing)"
        )
        for step in (eager, failing):
            step.look()
            step.move()
        assert torch.equal(eager.adam.drawing.points, failing.adam.drawing.points)

    def test_is_recorded_anew_once_enough_seeds_have_stopped(self, monkeypatch):
        """A stand-in for graphs that replays eager halves over the seeds it was recorded for."""
        step, recorded = make_step(Blur()), []

        class Replay:
            def __init__(self, call):
                self.replay = call

        def record(state):
            from clipasso.optimise.step import _Graphs

            recorded.append(list(step.seeds))
            step._look()
            return _Graphs(
                Replay(step._look), Replay(lambda: step.adam.move(step._grads)), step.terms
            )

        monkeypatch.setattr(step, "_record", record)
        step.capture()
        moved = []
        for going in ([0, 1, 2, 3], [0, 1, 2, 3], [0, 1, 3], [1]):
            before = step.adam.drawing.points.detach().clone()
            step.look()
            step.keep(going)
            step.move()
            now = step.adam.drawing.points
            moved.append([k for k in range(4) if not torch.equal(before[k], now[k])])
        step.look()
        assert moved == [[0, 1, 2, 3], [0, 1, 2, 3], [0, 1, 3], [1]]
        assert recorded == [[0, 1, 2, 3], [0, 1, 3], [1]]

    @on_gpu
    @pytest.mark.parametrize("photos", [1, 2])
    def test_replays_what_eager_steps_do(self, photos):
        eager, graph = (make_step(Blur().to("cuda"), "cuda", photos=photos) for _ in range(2))
        graph.capture()
        assert graph.note is None
        assert graph.adam.step.tolist() == [0]
        going = list(range(2 * photos))
        for number in range(12):
            for step in (eager, graph):
                step.look()
            at = [graph.seeds.index(k) for k in going]
            assert torch.allclose(eager.terms, graph.terms[:, at], rtol=1e-3, atol=1e-5)
            if number == 5:
                going = going[1:]
            for step in (eager, graph):
                step.keep(going)
                step.move()
        for a, b in zip(eager.adam.moved, graph.adam.moved, strict=True):
            assert torch.allclose(a, b, rtol=1e-2, atol=0.05)
            assert (a[0] - b[0]).abs().max() <= (a - b).abs().max()

    @on_gpu
    def test_a_sketch_of_graphs_is_the_cpus(self):
        target = torch.tensor([[[6.0, 6], [12, 8], [20, 8], [26, 6]]])
        photo = rasterize(target[None], widths=3.0, size=32).expand(-1, 3, -1, -1).contiguous()
        settings = replace(SETTINGS, strokes=1, iterations=40, width_rate=0.0, opacity_rate=0.0,
                           color_rate=0.0)  # fmt: skip
        start = Drawing.make((target[None] + torch.randn(2, 1, 4, 2) * 3).numpy(), 3)
        losses = {}
        for device in ("cpu", "cuda"):
            goal = make_objective(Blur().to(device), settings)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                out = optimise(start, photo.to(device), goal, settings)
            assert out.notes == ()
            losses[device] = out.losses
        assert losses["cuda"] == pytest.approx(losses["cpu"], rel=0.05, abs=1e-4)
