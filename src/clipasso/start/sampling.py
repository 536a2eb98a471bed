"""Where strokes start: saliency times edges, sampled (sections 3.3 and A)."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["initial_strokes", "sample_positions", "stroke_distribution"]


def stroke_distribution(
    saliency: NDArray[np.float32], edges: NDArray[np.float32], *, temperature: float = 0.3
) -> NDArray[np.float64]:
    """The distribution that first control points are drawn from.

    A softmax of saliency x edges over the positions where that product is above 0. Where it is 0
    everywhere (a flat photo) the saliency alone decides.

    Args:
        saliency: `[height, width]`, 0..1.
        edges: `[height, width]`, 0..1.
        temperature: of the softmax; lower is more peaked.

    Returns:
        `[height, width]`, sums to 1.
    """
    product = (saliency * edges).astype(np.float64)
    allowed = product > 0
    if not allowed.any():
        product = saliency.astype(np.float64)
        allowed = product > 0 if product.any() else np.ones(saliency.shape, bool)
    logits = product / max(product.max(), 1e-12) / temperature
    weights: NDArray[np.float64] = np.where(allowed, np.exp(logits - logits.max()), 0.0)
    weights /= weights.sum()
    return weights


def sample_positions(
    distribution: NDArray[np.float64],
    count: int,
    rng: np.random.Generator,
    *,
    spread: float = 0.0,
    taken: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Draw pixel centres without replacement, `[count, 2]` (x, y) in pixels.

    Fewer positions than strokes: all of them are taken, then the rest with replacement.

    Args:
        distribution: `[height, width]`, sums to 1.
        spread: 0 for independent draws, as in the paper; above that every draw makes positions
            near it less likely, by a Gaussian of this many mean spacings, so that no part of the
            object is left without strokes by chance.
        taken: `[any, 2]` points of strokes that are there already; draws keep away from them in the
            same way.
    """
    width = distribution.shape[1]
    if count == 0:
        return np.empty((0, 2))
    if spread > 0 and np.count_nonzero(distribution) > count:
        taken = np.empty((0, 2)) if taken is None else taken
        return _sample_apart(distribution, count, rng, spread, taken)
    p = distribution.ravel()
    distinct = min(count, int(np.count_nonzero(p)))
    chosen = rng.choice(p.size, distinct, replace=False, p=p)
    if distinct < count:
        chosen = np.concatenate([chosen, rng.choice(p.size, count - distinct, p=p)])
    return np.stack([chosen % width, chosen // width], -1) + 0.5


def _sample_apart(
    distribution: NDArray[np.float64],
    count: int,
    rng: np.random.Generator,
    spread: float,
    taken: NDArray[np.float64],
) -> NDArray[np.float64]:
    height, width = distribution.shape
    spacing = np.sqrt(np.count_nonzero(distribution) / count)
    rows, columns = np.arange(height) + 0.5, np.arange(width) + 0.5
    scale = 2 * (spread * spacing) ** 2
    left = distribution.copy()

    def damp(x: float, y: float) -> None:
        near = np.outer(np.exp(-((rows - y) ** 2) / scale), np.exp(-((columns - x) ** 2) / scale))
        left[:] *= 1 - near

    for x, y in taken:
        damp(x, y)
    found = np.empty((count, 2))
    for i in range(count):
        # Where even the rest has been damped to nothing, the first distribution speaks again.
        p = left if left.sum() > 0 else distribution
        chosen = rng.choice(p.size, p=(p / p.sum()).ravel())
        x, y = chosen % width + 0.5, chosen // width + 0.5
        found[i] = x, y
        damp(x, y)
    return found


def initial_strokes(
    starts: NDArray[np.float64],
    points: int,
    size: int,
    rng: np.random.Generator,
    *,
    radius: float = 0.05,
) -> NDArray[np.float64]:
    """Grow strokes from their first points by a random walk.

    Args:
        starts: `[strokes, 2]` first control points, pixels.
        points: control points a stroke.
        size: side of the canvas, pixels.
        radius: each step moves uniformly within +-radius/2 of the canvas in x and in y.

    Returns:
        `[strokes, points, 2]`, pixels.
    """
    steps = rng.uniform(-0.5, 0.5, (len(starts), points - 1, 2)) * radius * size
    return np.concatenate([starts[:, None], starts[:, None] + steps.cumsum(1)], 1)
