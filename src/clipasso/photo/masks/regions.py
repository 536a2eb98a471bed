"""Which regions of a photo belong to the background, by how they hang together with its border.

After Zhu, Liang, Wei and Sun, "Saliency optimization from robust background detection" (CVPR
2014): a background region reaches the photo's border along many regions of similar colour, an
object's does not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Regions", "to_lab"]

_COUNT = 600  # superpixels
_ALIKE = 10.0  # CIELAB units: how far colours of one surface spread
_FREE = 3.0  # CIELAB units that a step between neighbours does not count, for soft gradients
_SMOOTH = 0.3  # how strongly regions of similar colour pull each other
_PORTRAIT = 0.6  # of the height: below, a portrait's subject may leave the photo


def to_lab(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """CIELAB of sRGB `[height, width, 3]` in 0..1."""
    import cv2

    lab: NDArray[np.float32] = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2LAB)
    return lab


class Regions:
    """A photo's superpixels, their neighbours and how far their colours are apart.

    Args:
        rgb: `[height, width, 3]`, 0..1.
    """

    def __init__(self, rgb: NDArray[np.float32]) -> None:
        from skimage.segmentation import slic

        self.labels = slic(rgb, n_segments=_COUNT, compactness=10, start_label=0, channel_axis=-1)
        self.count = int(self.labels.max()) + 1
        colours = np.stack([self._mean(band) for band in np.moveaxis(to_lab(rgb), 2, 0)], 1)
        self.apart = np.linalg.norm(colours[:, None] - colours[None], axis=2)
        self.touching = np.eye(self.count, dtype=bool)
        for a, b in (
            (self.labels[1:], self.labels[:-1]),
            (self.labels[:, 1:], self.labels[:, :-1]),
        ):
            self.touching[a.ravel(), b.ravel()] = self.touching[b.ravel(), a.ravel()] = True

    def object_map(self, seed: NDArray[np.float32], portrait: bool) -> NDArray[np.float32]:
        """How likely each pixel belongs to the object.

        Args:
            seed: `[height, width]`, 0..1, coarse: where something was recognised.
            portrait: whether the object may run out of the photo at its bottom.

        Returns:
            `[height, width]`, 0..1.
        """
        recognised = self._mean(seed).clip(0, 1)
        background = self._background(recognised, portrait)
        # Seeds pull towards 1, background towards 0, and regions towards their similar neighbours.
        near = self.touching.astype(np.float32)
        pull = np.exp(-(self.apart**2) / (2 * _ALIKE**2)) + 0.01
        pull = _SMOOTH * np.where(near @ near > 0, pull, 0)
        towards_one, towards_zero = (1 - background) * recognised, background * (1 - recognised)
        system = np.diag(towards_one + towards_zero + pull.sum(1) + 1e-6) - pull
        found = np.linalg.solve(system, towards_one)
        likely: NDArray[np.float32] = found[self.labels].astype(np.float32)
        return likely

    def _background(self, recognised: NDArray[np.float64], portrait: bool) -> NDArray[np.float64]:
        """How firmly each region hangs together with the photo's border, `[regions]`, 0..1."""
        from scipy.sparse import csr_matrix
        from scipy.sparse.csgraph import dijkstra

        border = np.zeros(self.count)
        rows = slice(0, max(1, int(_PORTRAIT * len(self.labels)))) if portrait else slice(None)
        for side in (self.labels[0], self.labels[rows, 0], self.labels[rows, -1]):
            border[side] = 1
        if not portrait:
            border[self.labels[-1]] = 1
        border *= (1 - recognised) ** 2  # an object may touch the border
        # All of the border counts as touching: background is often cut in two by the object.
        along = self.touching | np.outer(border > 0, border > 0)
        steps = np.where(along, np.maximum(self.apart - _FREE, 0) + 1e-6, 0)
        np.fill_diagonal(steps, 0)
        paths = dijkstra(csr_matrix(steps), directed=False)
        surface = np.exp(-(paths**2) / (2 * _ALIKE**2))
        length, area = surface @ border, surface.sum(1)
        firmly = 1 - np.exp(-(length**2) / area / 2)
        # What the object encloses, as a handle does, has the background's colour without its ties.
        same = np.exp(-(self.apart**2) / (2 * (_ALIKE / 2) ** 2)) * firmly[None]
        alike = np.sort(same, axis=1)[:, -5:].mean(1) * (1 - recognised)
        either: NDArray[np.float64] = np.maximum(firmly, alike)
        return either

    def _mean(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """The mean over each region, `[regions]`."""
        flat = self.labels.ravel()
        total = np.bincount(flat, values.ravel(), self.count)
        mean: NDArray[np.float64] = total / np.bincount(flat, minlength=self.count).clip(1)
        return mean
