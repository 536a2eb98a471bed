"""The CPU kernel through numba: forward and backward, each a file that is compiled as a whole."""

import numpy as np

from clipasso.raster.compiling import Kernel
from clipasso.raster.kernel_backward import backward
from clipasso.raster.kernel_forward import REACH, forward, paint

__all__ = ["REACH", "backward", "draw_once", "forward", "paint"]


def draw_once(kernel: Kernel) -> None:
    """Use a kernel on one stroke, in the types that sketches have, so that it is compiled."""
    real = np.float32
    segments = np.array([[[[[1, 1], [2, 3], [4, 2], [5, 5]]]]], real)
    style = np.ones((1, 1), real), np.ones((1, 1), real), np.zeros((1, 1, 1), real)
    if kernel == "paint":
        widths, opacities, colors = (values[0] for values in style)
        starts = np.array([0, 1], np.int64)
        paint(np.ones((1, 8, 8), real), segments[0, 0], starts, widths, opacities, colors)
        return
    if kernel == "forward":
        forward(segments, *style, 8, 8)
        return
    none = np.empty(0, real)  # records of no pixel, so that this needs no forward
    records = np.zeros(2, np.int64), np.empty(0, np.int32), none, none, none, none, none[None]
    backward(np.ones((1, 1, 8, 8), real), segments, *style, *records)
