"""The Triton kernel against the reference: on a GPU, or on the CPU in Triton's interpreter.

The interpreter must be chosen before Triton is imported, so without a GPU one test runs this file
again in a process of its own where TRITON_INTERPRET is set.
"""

import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from test_raster import random_scene, random_style, smooth_strokes

from clipasso import rasterize

triton = pytest.importorskip("triton")

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
DEVICE = "cpu" if INTERPRETED else "cuda"
runs = pytest.mark.skipif(
    not INTERPRETED and not torch.cuda.is_available(), reason="no GPU, no interpreter"
)
on_gpu = pytest.mark.skipif(INTERPRETED or not torch.cuda.is_available(), reason="no GPU")
outside = pytest.mark.skipif(INTERPRETED, reason="in the interpreter already")


@outside
def test_checks_pass_in_the_interpreter():
    command = [sys.executable, "-m", "pytest", "--noconftest", "-p", "no:cacheprovider", __file__]
    there = os.environ | {"TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, env=there, cwd=Path(__file__).parents[2], capture_output=True, text=True,
        timeout=600, check=False,
    )  # fmt: skip
    if "only 0-dimensional arrays can be converted" in done.stdout:
        pytest.skip("this Triton's interpreter needs an older NumPy")
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= 20


class Drawn:
    """What a backend makes of points, widths, opacities and colors.

    The reference draws in float64, Triton in float32; `image` and gradients are float64 on the CPU.
    """

    def __init__(self, backend, inputs, size, degree=None):
        kind = (torch.float64, "cpu") if backend == "reference" else (torch.float32, DEVICE)
        self.inputs = [t.detach().to(*reversed(kind)).requires_grad_() for t in inputs]
        p, w, o, c = self.inputs
        self.own = rasterize(
            p, widths=w, opacities=o, colors=c, size=size, degree=degree, backend=backend
        )
        self.image = self.own.detach().double().cpu()

    def gradients(self, light):
        """Of the inputs, by the gradient of the image."""
        grads = torch.autograd.grad(self.own, self.inputs, light.to(self.own))
        return [t.double().cpu() for t in grads]


def draw(backend, inputs, size, light=None, degree=None):
    """Image and, where there is `light`, the image's gradient, those of the inputs."""
    drawn = Drawn(backend, inputs, size, degree)
    return [drawn.image, *([] if light is None else drawn.gradients(light))]


def hold_together(inputs, size, *, degree=None, worst=1e-4, seed=0):
    """Triton's image and gradients are the reference's; returns the image."""
    width, height = size
    shape = (len(inputs[0]), inputs[3].shape[-1], height, width)
    light = torch.randn(shape, generator=torch.Generator().manual_seed(seed)).double()
    both = [Drawn(backend, inputs, size, degree) for backend in ("reference", "triton")]
    exact, ours = (drawn.image for drawn in both)
    # Where two branches of a stroke are equally near to within 0.01 px, either is the closest:
    # there is no one gradient.
    either = ((exact - ours).abs() > 2e-5).any(1, keepdim=True)
    assert either.double().mean() < 2e-3
    assert (exact - ours).abs().max() < 1e-2
    light = light.where(~either, 0.0)
    for theirs, mine in zip(*(drawn.gradients(light) for drawn in both), strict=True):
        error = (theirs - mine).abs() / theirs.abs().max().clamp_min(1e-12)
        assert error.median() < 1e-5
        assert error.max() < worst
    return ours


def black(points, widths=3.0):
    """Points in the default style, as the inputs of `draw`."""
    batch, strokes = points.shape[:2]
    one = torch.ones(batch, strokes, dtype=torch.float64)
    return points.double(), widths * one, one, torch.zeros(batch, strokes, 1, dtype=torch.float64)


@runs
@pytest.mark.parametrize(("points", "degree"), [(2, 1), (3, 2), (4, 3), (5, 2), (7, 3), (4, 1)])
def test_drawn_strokes_are_the_references(points, degree):
    """Strokes as a hand draws them, one sketch, a canvas of one tile and a bit."""
    p = smooth_strokes(np.random.default_rng(points), 3, points, 20)[None]
    hold_together((p, *random_style(points, 1, 3)), (19, 21), degree=degree)


@runs
@pytest.mark.parametrize(("points", "degree"), [(3, 2), (4, 3), (7, 3)])
def test_tangled_strokes_are_the_references(points, degree):
    """Cusps, loops, strokes partly or wholly off the canvas, a batch; no side a whole tile."""
    p = random_scene(1, batch=2, strokes=3, points=points, size=30)
    # Near a centre of curvature float32 leaves the closest parameter, not the distance, vague.
    hold_together((p, *random_style(1, 2, 3)), (37, 18), degree=degree, worst=1e-3)


@runs
def test_wide_strokes_are_the_references():
    widths, opacities, colors = random_style(4, 1, 2)
    p = random_scene(4, batch=1, strokes=2, size=30)
    hold_together((p, 4 + 5 * widths, opacities, colors), (32, 16), worst=1e-3)


@runs
@pytest.mark.parametrize("channels", [1, 3])
def test_opaque_strokes_over_one_another(channels):
    """Coverage and opacity 1, many times over: nothing is divided by zero, and order matters."""
    g = torch.Generator().manual_seed(3)
    p = 8 + 3 * torch.rand(1, 14, 4, 2, generator=g, dtype=torch.float64)
    colors = torch.rand(1, 14, channels, generator=g, dtype=torch.float64)
    _, widths, opacities, _ = black(p, 8.0)
    image = hold_together((p, widths, opacities, colors), (16, 16), worst=1e-3)
    assert (image[0, :, 9, 9] - colors[0, -1]).abs().max() < 1e-5


@runs
def test_many_strokes_in_one_tile(monkeypatch):
    """More than binning looks at together."""
    from clipasso.raster import triton_forward

    monkeypatch.setattr(triton_forward, "_CHUNK", 16)
    p = random_scene(5, batch=1, strokes=40, points=2, size=16, spread=3.0).clamp(0, 16)
    hold_together((p, *random_style(5, 1, 40)), (16, 16))


@runs
@pytest.mark.parametrize("size", [(1, 1), (1, 33), (50, 3)])
def test_odd_canvases_and_tiles_without_strokes(size):
    p = torch.tensor([[[[0.2, 0.3], [4, 1], [6, 2.5], [9, 2]]]])
    hold_together(black(p), size)


@runs
def test_one_point_and_zero_width():
    dot = torch.full((1, 1, 4, 2), 8.5)
    image = hold_together(black(dot), (16, 16))
    assert image[0, 0, 8, 8] < 0.01  # on the pixel's centre, where the distance has no slope
    (image,) = draw("triton", black(random_scene(2, batch=1), widths=0.0), (16, 16))
    assert (image == 1).all()


@runs
def test_off_the_canvas_is_white():
    p = torch.tensor([[[[-50.0, -50], [-40, -60], [-30, -20], [-20, -70]]]])
    image, *grads = draw("triton", black(p), (20, 20), torch.ones(1, 1, 20, 20))
    assert (image == 1).all()
    assert all((g == 0).all() for g in grads)


@runs
def test_very_long_stroke_is_a_straight_line_here():
    p = torch.tensor([[[[-1e4, 10.0], [-1e3, 10], [1e3, 10], [1e4, 10]]]])
    (image,) = draw("triton", black(p), (20, 20))
    assert (image - image[..., :1]).abs().max() < 1e-4
    assert image[0, 0, 9:11].max() < 0.025


@runs
@pytest.mark.parametrize("shape", [(2, 0), (0, 3)])
def test_nothing_to_draw(shape):
    inputs = black(torch.zeros(*shape, 4, 2))
    image, *grads = draw("triton", inputs, (9, 8), torch.ones(shape[0], 1, 8, 9))
    assert image.shape == (shape[0], 1, 8, 9)
    assert (image == 1).all()
    assert [g.shape for g in grads] == [t.shape for t in inputs]


@runs
def test_it_proves_itself_before_it_is_used():
    from clipasso.raster.front import _proves_itself

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert _proves_itself(torch.device(DEVICE))


@runs
def test_same_input_same_bytes():
    inputs = (random_scene(9, batch=1, strokes=4, size=20), *random_style(9, 1, 4))
    light = torch.randn(1, 3, 20, 33, generator=torch.Generator().manual_seed(9))
    runs = [b"".join(t.numpy().tobytes() for t in draw("triton", inputs, (33, 20), light))
            for _ in range(2)]  # fmt: skip
    assert runs[0] == runs[1]


@runs
@pytest.mark.parametrize(("which", "value"), [(0, float("nan")), (0, float("inf")),
                                              (1, float("nan")), (1, -1.0)])  # fmt: skip
def test_what_cannot_be_drawn_is_nan(which, value):
    """The kernels cannot raise: they must not leave a plain picture either."""
    from clipasso.raster import triton_kernel

    p, *style = (t.float().to(DEVICE) for t in black(torch.full((2, 1, 4, 2), 5.0)))
    inputs = [p[:, :, None].clone(), *style]
    inputs[which].view(-1)[-1] = value
    image = triton_kernel.forward(*inputs, 17, 17)[0]
    assert image[0].isfinite().all()
    assert image[1].isnan().all()


@runs
def test_incoming_gradients_of_any_size():
    inputs = black(random_scene(3, batch=1, strokes=2, size=16))
    light = torch.randn(1, 1, 16, 16, generator=torch.Generator().manual_seed(1))
    _, *plain = draw("triton", inputs, (16, 16), light)
    for factor in (1e-18, 1e18):
        _, *scaled = draw("triton", inputs, (16, 16), light * factor)
        for a, b in zip(plain, scaled, strict=True):
            assert (b / factor - a).abs().max() <= 1e-6 * a.abs().max()
    _, *zero = draw("triton", inputs, (16, 16), light * 0)
    assert all((g == 0).all() for g in zero)
    _, *broken = draw("triton", inputs, (16, 16), light * float("nan"))
    assert all(g.isnan().all() for g in broken)


@outside
def test_refuses_cpu_tensors_and_float64():
    p = torch.zeros(1, 1, 4, 2)
    with pytest.raises(ValueError, match="CUDA tensors only, not on cpu"):
        rasterize(p, widths=3.0, size=8, backend="triton")
    with pytest.raises(ValueError, match=r"float32, not torch\.float64"):
        rasterize(p.double(), widths=3.0, size=8, backend="triton")


@outside
def test_every_kernel_compiles_for_a_gpu_that_is_not_here(tmp_path, monkeypatch):
    """The interpreter forgives what the compiler does not, such as a name that changes its type."""
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource, compile

    from clipasso.raster import triton_backward, triton_forward

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    numbers = {"lists": "*i32", "kept": "*i32", "sums": "*i64", "styles": "*i64"} | dict.fromkeys(
        ["total", "m", "strokes", "batch", "tiles", "across", "area", "height", "width"], "i32"
    )
    for kernel, choices in [
        (triton_forward._prepare, [{"DEGREE": k} for k in (1, 2, 3)]),
        (triton_forward._bin, [{"CHUNK": 256}]),
        (triton_forward._draw, [{"COLORED": False, "m": 1}, {"COLORED": True}]),
        (triton_backward._pull, [
            {"COLORED": c, "DEGREE": k, "BITS": 34} for c, k in ((0, 1), (1, 2), (1, 3))
        ]),
    ]:  # fmt: skip
        for chosen in choices:
            kinds = {n: numbers.get(n, "*fp32") for n in kernel.arg_names}
            source = ASTSource(
                kernel, kinds | dict.fromkeys(chosen, "constexpr"),
                {(kernel.arg_names.index(n),): v for n, v in chosen.items()},
            )  # fmt: skip
            assert "cubin" in compile(source, target=GPUTarget("cuda", 90, 32)).asm


@on_gpu
def test_auto_is_triton_for_float32_and_the_reference_for_float64():
    p = random_scene(0).cuda()
    for points, backend in ((p.float(), "triton"), (p, "reference")):
        chosen = rasterize(points, widths=3.0, size=48)
        assert torch.equal(chosen, rasterize(points, widths=3.0, size=48, backend=backend))


@on_gpu
@pytest.mark.parametrize("strokes", [16, 500])
def test_large_scenes_are_the_cpu_kernels(strokes):
    p = random_scene(7, batch=3, strokes=strokes, size=224, dtype=torch.float32)
    style = random_style(7, 3, strokes, torch.float32)
    light = torch.randn(3, 3, 224, 224, generator=torch.Generator().manual_seed(7))
    both = []
    for device in ("cpu", "cuda"):
        inputs = [t.to(device).requires_grad_() for t in (p, *style)]
        p_, w, o, c = inputs
        image = rasterize(p_, widths=w, opacities=o, colors=c, size=224)
        grads = torch.autograd.grad(image, inputs, light.to(device))
        both.append([t.detach().cpu() for t in (image, *grads)])
    difference = (both[0][0] - both[1][0]).abs()
    assert (difference > 5e-5).double().mean() < 2e-3
    assert difference.max() < 2e-2
    for a, b in zip(both[0][1:], both[1][1:], strict=True):
        error = (a - b).abs() / a.abs().max()
        assert error.median() < 1e-5
        assert error.max() < 2e-2


@on_gpu
def test_a_captured_graph_replays_with_new_points():
    """Forward and backward in one CUDA graph, to the byte what they give outside."""
    first, second = (random_scene(k, strokes=16, size=64).float().cuda() for k in (1, 2))
    light = torch.randn(2, 1, 64, 64, device="cuda")
    points = first.clone().requires_grad_()

    def step():
        image = rasterize(points, widths=3.0, size=64)
        return image, *torch.autograd.grad(image, points, light)

    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(2):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured = step()
    for scene in (first, second):
        with torch.no_grad():
            points.copy_(scene)
        graph.replay()
        replayed = [t.clone() for t in captured]
        for a, b in zip(replayed, step(), strict=True):
            assert torch.equal(a, b)


@on_gpu
def test_nothing_waits_for_the_gpu():
    p = random_scene(1, strokes=16).float().cuda().requires_grad_()
    rasterize(p, widths=3.0, size=48).sum().backward()
    torch.cuda.set_sync_debug_mode("error")
    try:
        rasterize(p, widths=3.0, size=48).sum().backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")
