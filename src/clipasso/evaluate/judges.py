"""Networks, and one measure without a network, that say what a sketch shows.

A judge of instances tells how similar a sketch is to each photo; a judge of categories how well
each class fits. No judge may be the encoder that the sketches were optimised with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from clipasso.evaluate.ink import darkness, edge_agreement, object_edges
from clipasso.evaluate.prompts import prompt

if TYPE_CHECKING:
    from clipasso.encoders.base import Encoder
    from clipasso.evaluate.subjects import Seen

__all__ = [
    "CategoryJudge", "EdgeJudge", "EmbeddingJudge", "InstanceJudge", "MidLevelJudge", "PromptJudge",
]  # fmt: skip

Pixels = NDArray[np.float32]


class InstanceJudge(Protocol):
    """Compares a sketch with photos; `name` is for tables."""

    name: str

    def similarities(self, sketch: Pixels) -> NDArray[np.float64]:
        """Of a sketch `[224, 224, 3]`, 0..1, with every photo: `[photos]`, higher is more alike."""
        ...


class CategoryJudge(Protocol):
    """Names a sketch's class; `name` is for tables, `labels` are what it chooses from."""

    name: str
    labels: tuple[str, ...]

    def scores(self, sketch: Pixels) -> NDArray[np.float64]:
        """Of a sketch `[224, 224, 3]`, 0..1, for every label: `[labels]`, higher fits better."""
        ...


class EdgeJudge:
    """Symmetric chamfer distance between ink and a photo's XDoG edges inside its mask."""

    name = "edge agreement"

    def __init__(self, photos: Sequence[Seen]) -> None:
        self._edges = [object_edges(seen.photo.pixels, seen.inside) for seen in photos]

    def similarities(self, sketch: Pixels) -> NDArray[np.float64]:
        """Minus the distance, px; minus infinity for a photo without edges."""
        ink = darkness(sketch)
        found = [edge_agreement(ink, edges) for edges in self._edges]
        return np.array([-np.inf if a is None else -a.distance for a in found])


class MidLevelJudge:
    """Compares mid-level features: geometry as another network sees it.

    Features of a few layers, scaled to unit length at each position, minus those of blank paper,
    minus their mean over the photos; the cosine, averaged over the layers.
    """

    def __init__(self, encoder: Encoder, photos: Sequence[Pixels], layers: Sequence[str]) -> None:
        self.name = f"{encoder.description}, mid-level"
        self._encoder, self._layers = encoder, tuple(layers)
        self._blank = self._look(np.ones((224, 224, 3), np.float32))
        seen = [self._look(pixels) for pixels in photos]
        self._centres, self._photos = [], []
        for k, blank in enumerate(self._blank):
            stacked = torch.stack([features[k] for features in seen]) - blank
            centre = stacked.mean(0)
            self._centres.append(centre)
            self._photos.append(F.normalize(stacked - centre, dim=1))

    @torch.no_grad()
    def _look(self, pixels: Pixels) -> list[Tensor]:
        seen = self._encoder.encode(_batch(self._encoder, pixels), self._layers).layers
        # Maps are [1, channels, rows, columns], tokens [1, tokens, channels].
        return [
            F.normalize(seen[name].float(), dim=1 if seen[name].ndim == 4 else 2).flatten()
            for name in self._layers
        ]

    def similarities(self, sketch: Pixels) -> NDArray[np.float64]:
        """Mean cosine over the layers, -1..1."""
        total = torch.zeros(len(self._photos[0]))
        looked = zip(self._look(sketch), self._blank, self._centres, self._photos, strict=True)
        for features, blank, centre, photos in looked:
            query = F.normalize(features - blank - centre, dim=0)
            total += (photos @ query).cpu() / len(self._layers)
        return total.double().numpy()


class EmbeddingJudge:
    """Cosine between the final embeddings of a sketch and a photo."""

    def __init__(self, encoder: Encoder, photos: Sequence[Pixels]) -> None:
        self.name = f"{encoder.description}, embedding"
        self._encoder = encoder
        self._photos = torch.stack([_embed(encoder, pixels) for pixels in photos])

    def similarities(self, sketch: Pixels) -> NDArray[np.float64]:
        """Cosines, -1..1."""
        return (self._photos @ _embed(self._encoder, sketch)).cpu().double().numpy()


class PromptJudge:
    """CLIP's zero-shot classifier with the prompt "A sketch of a(n) CLASS" (section 4.3).

    Raises:
        ClipassoError: an encoder without a text tower.
    """

    def __init__(self, encoder: Encoder, labels: Sequence[str]) -> None:
        self.name, self.labels = encoder.description, tuple(labels)
        self._encoder = encoder
        texts = [encoder.encode_text(prompt(label)) for label in self.labels]
        self._texts = F.normalize(torch.stack(texts).float(), dim=1)

    def scores(self, sketch: Pixels) -> NDArray[np.float64]:
        """Cosines of image and prompts, -1..1."""
        return (self._texts @ _embed(self._encoder, sketch)).cpu().double().numpy()


def _batch(encoder: Encoder, pixels: Pixels) -> Tensor:
    image = torch.tensor(pixels, device=encoder.mean.device)
    return image.permute(2, 0, 1)[None].contiguous()


@torch.no_grad()
def _embed(encoder: Encoder, pixels: Pixels) -> Tensor:
    return F.normalize(encoder.encode(_batch(encoder, pixels)).embedding[0].float(), dim=0)
