"""The CPU kernel through numba: forward and backward, each a file that is compiled as a whole."""

from clipasso.raster.kernel_backward import backward
from clipasso.raster.kernel_forward import REACH, forward, paint

__all__ = ["REACH", "backward", "forward", "paint"]
