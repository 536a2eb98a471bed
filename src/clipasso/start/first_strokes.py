"""The first strokes of every seed, and why they are there (section 3.3, figure 8a)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from clipasso.optimise.strokes import Drawing
from clipasso.start.edges import xdog_edges
from clipasso.start.laying import Laying
from clipasso.start.sampling import stroke_distribution

if TYPE_CHECKING:
    from clipasso.encoders.base import Encoder
    from clipasso.settings import Settings

__all__ = ["Initialisation", "initialise"]


@dataclass(frozen=True, eq=False)
class Initialisation:
    """Where the strokes of each seed start, and why (figure 8a).

    Attributes:
        pixels: `[canvas, canvas, 3]` the photo as the encoder sees it, 0..1.
        saliency, edges, distribution: `[canvas, canvas]`; 0..1, 0 or 1, summing to 1.
        drawing: the strokes of every seed as they start.
        saliency_from: the encoder that made the saliency and how, in words.
    """

    pixels: NDArray[np.float32]
    saliency: NDArray[np.float32]
    edges: NDArray[np.float32]
    distribution: NDArray[np.float64]
    drawing: Drawing
    saliency_from: str


def initialise(
    pixels: NDArray[np.float32],
    allowed: NDArray[np.bool_],
    image: torch.Tensor,
    encoder: Encoder,
    settings: Settings,
    given: Drawing | None = None,
) -> Initialisation:
    """Saliency x edges, sampled for each seed (section 3.3).

    Args:
        pixels: the photo on its canvas; image: the same as a tensor `[1, 3, canvas, canvas]`.
        allowed: `[canvas, canvas]` where strokes may start: not in the padding.
        encoder: makes the saliency.
        given: strokes that are there already, of one seed.
    """
    flat = np.ones(allowed.shape, np.float32)
    saliency, source = flat, "none"
    if settings.saliency != "none":
        saliency = encoder.saliency(image, settings.saliency).cpu().numpy()
        method = settings.saliency if settings.saliency != "auto" else encoder.saliency_methods[0]
        source = f"{encoder.description}, {method}"
    edges = xdog_edges(pixels) if settings.edges == "xdog" else flat
    saliency, edges = saliency * allowed, edges * allowed
    distribution = stroke_distribution(saliency, edges, temperature=settings.temperature)
    laying = Laying(distribution, pixels, allowed, settings)
    drawing = _first_strokes(laying, settings, given)
    return Initialisation(pixels, saliency, edges, distribution, drawing, source)


def _first_strokes(laying: Laying, settings: Settings, given: Drawing | None) -> Drawing:
    """Strokes drawn for each seed, after those that are given."""
    degree, size = settings.control_points - 1, settings.canvas
    count = settings.strokes - (0 if given is None else given.points.shape[1])
    points, colors = [], []
    for k in range(settings.seeds):
        rng = np.random.default_rng(settings.seed_of(k))
        points.append(laying.strokes(count, rng, given))
        colors.append(rng.random((count, 3)) if settings.ink == "random" else np.zeros((count, 1)))
    width = settings.width * size / 224
    drawn = Drawing.make(np.stack(points), degree, widths=width, colors=np.stack(colors))
    return drawn if given is None else given.beside(drawn)
