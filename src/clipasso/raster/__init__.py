"""Differentiable rasterising of Bezier strokes.

`rasterize` is the front door, in `front`. `reference` is its mathematics in plain PyTorch, `kernel`
the same on the CPU through numba and `triton_kernel` on the GPU through Triton; tests hold them
together. Pictures are drawn by the kernel alone, so PyTorch is not imported before it is needed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clipasso.raster.front import Backend, rasterize

__all__ = ["Backend", "rasterize"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.front"), name)
    globals()[name] = value
    return value
