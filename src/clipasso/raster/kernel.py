"""The CPU kernel through numba: forward and backward, each a file that is compiled as a whole."""

import numpy as np

from clipasso.raster.compiling import Kernel
from clipasso.raster.kernel_backward import backward
from clipasso.raster.kernel_forward import REACH, forward, paint

__all__ = ["REACH", "backward", "draw_once", "forward", "paint"]


def draw_once(kernel: Kernel) -> None:
    """Use a kernel on one stroke, in the types that sketches have, so that it is compiled."""
    real = np.float64 if kernel == "paint" else np.float32
    segments = np.array([[[[[1, 1], [2, 3], [4, 2], [5, 5]]]]], real)
    style = np.ones((1, 1), real), np.ones((1, 1), real), np.zeros((1, 1, 1), real)
    if kernel == "paint":
        widths, opacities, colors = (values[0] for values in style)
        starts = np.array([0, 1], np.int64)
        paint(np.ones((1, 8, 8)), segments[0, 0], starts, widths, opacities, colors)
        return
    image, *records = forward(segments, *style, 8, 8)
    if kernel == "backward":
        backward(np.ones_like(image), segments, *style, *records)
