"""Chains of Bezier curves through points, by least squares."""

import numpy as np
from numpy.typing import NDArray

from clipasso.vector.bezier import bernstein

__all__ = ["fit_chain"]


def fit_chain(
    there: NDArray[np.float64], t: NDArray[np.float64], degree: int, segments: int
) -> tuple[NDArray[np.float64], float]:
    """Chains that are at `there[k]` at the parameter `t[k]`, as nearly as they can be.

    Args:
        there: `[m, 2]` points of one chain, or `[m, chains, 2]`.
        t: `[m]`, 0..1, rising, the same for all chains; segments take equal parts of it.
        degree: of each segment.
        segments: joined end to end.

    Returns:
        Control points `[degree * segments + 1, 2]` or `[chains, degree * segments + 1, 2]`, and how
        far from its point a chain is at most.
    """
    segment = np.minimum((t * segments).astype(int), segments - 1)
    basis = np.zeros((len(t), degree * segments + 1))
    local = bernstein(degree, t * segments - segment)
    for k in range(degree + 1):
        basis[np.arange(len(t)), segment * degree + k] += local[:, k]
    flat = there.reshape(len(t), -1)
    fitted = np.asarray(np.linalg.lstsq(basis, flat, rcond=None)[0], np.float64)
    off = (basis @ fitted - flat).reshape(-1, 2)
    points: NDArray[np.float64] = np.moveaxis(fitted.reshape(-1, *there.shape[1:]), 0, -2)
    return points, float(np.linalg.norm(off, axis=1).max())
