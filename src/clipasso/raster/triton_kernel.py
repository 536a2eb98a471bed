"""The GPU kernel: the mathematics of `reference.py` in Triton, tile by tile.

Shapes depend on nothing but the inputs' shapes and nothing is read back to the host, so forward and
backward can stand in a CUDA graph (after a first call that compiles them). A point or width that
cannot be drawn makes its sketch NaN: raising would need the host to wait and look.
"""

from clipasso.raster.triton_backward import backward
from clipasso.raster.triton_forward import INTERPRETED, forward

__all__ = ["INTERPRETED", "backward", "forward"]
