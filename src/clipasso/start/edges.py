"""XDoG, the eXtended difference of Gaussians: where a person would put lines (section 3.3)."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["xdog_edges"]

_GREY = (0.2125, 0.7154, 0.0721)  # as in skimage.color, whose import takes longer than all of this


def xdog_edges(
    pixels: NDArray[np.float32],
    *,
    sigma: float = 0.8,
    k: float = 10.0,
    gamma: float = 0.98,
    epsilon: float = -0.1,
    phi: float = 200.0,
) -> NDArray[np.float32]:
    """The edge map that the saliency is multiplied with.

    A difference of two Gaussians, the wider one damped by gamma, goes through a soft threshold and
    then Otsu's; its dark part is the edges.

    Args:
        pixels: `[height, width, 3]` sRGB or `[height, width]` grey, 0..1.
        sigma: of the narrow Gaussian, pixels; the wide one's is k times that.
        gamma, epsilon, phi: of the soft threshold, in grey levels of 0..1.

    Returns:
        `[height, width]`, 1 on edges and 0 elsewhere; all 0 where the photo is flat.
    """
    from scipy.ndimage import gaussian_filter
    from skimage.filters import threshold_otsu

    grey = pixels @ np.array(_GREY, pixels.dtype) if pixels.ndim == 3 else pixels
    grey = np.asarray(grey, np.float64)
    difference = gaussian_filter(grey, sigma) - gamma * gaussian_filter(grey, sigma * k)
    soft = np.where(difference < epsilon, 1.0, 1.0 + np.tanh(phi * difference))
    if np.ptp(soft) < 1e-6:
        return np.zeros(grey.shape, np.float32)
    edges: NDArray[np.float32] = (soft <= threshold_otsu(soft)).astype(np.float32)
    return edges
