"""What is minimised: equation 3, the terms that may be added to it, and what may stand instead."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clipasso.encoders.base import Encoder, Features, Recipe
from clipasso.errors import ClipassoError
from clipasso.optimise.loss import Loss, cosine_distance, perceptual_loss

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clipasso.settings import Settings

__all__ = ["Objective", "make_objective", "make_recipe", "outside_map"]


@dataclass(frozen=True, eq=False)
class Objective:
    """An encoder, how its features are compared, and further terms.

    Attributes:
        encoder: frozen.
        recipe: layers, weights and distance of equations 1 to 3.
        text: embedding of a text that the sketch should agree with, `[dimensions]`, or None.
        text_weight: of its cosine distance.
        outside: `[canvas, canvas]` distance from the object, in tenths of the canvas, or None.
        background_weight: of the ink there (section 5).
    """

    encoder: Encoder
    recipe: Recipe
    text: Tensor | None = None
    text_weight: float = 0.0
    outside: Tensor | None = None
    background_weight: float = 0.0

    def compare(
        self, seen: Features, photo: Features, units: Mapping[str, Tensor], images: Tensor
    ) -> Loss:
        """The loss of sketches seen through transforms.

        Args:
            seen: features of the m sketches under n transforms each, batch m * n.
            photo: features of the photo under the same transforms, batch m * n.
            units: for a relative recipe, what `blank_distances` gave, each `[m * n]`.
            images: the sketches themselves, `[m, channels, canvas, canvas]`.
        """
        loss = perceptual_loss(seen, photo, self.recipe, units)
        extra = {}
        if self.text is not None:
            extra["text"] = self.text_weight * cosine_distance(seen.embedding, self.text[None])
        if self.outside is not None:
            stray = self.background_weight * self._stray_ink(images)
            extra["background"] = stray.repeat_interleave(len(seen.embedding) // len(images))
        return replace(loss, extra=extra)

    def _stray_ink(self, images: Tensor) -> Tensor:
        """Mean distance of the ink from the object, `[m]`.

        The amount of ink is taken as given, so that a sketch cannot dilute the background by
        drawing more of the object.
        """
        assert self.outside is not None
        ink = 1 - images.mean(1)
        amount = ink.detach().sum((1, 2)).clamp(min=1.0)
        return (ink * self.outside).sum((1, 2)) / amount


def outside_map(inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Distance of every pixel from the object, in tenths of the canvas, `[canvas, canvas]`.

    A distance and not a mask: ink far from the object is drawn back to it as well.
    """
    from scipy.ndimage import distance_transform_edt

    distance: NDArray[np.float32] = distance_transform_edt(~inside).astype(np.float32)
    return distance / (0.1 * len(inside))


def make_recipe(encoder: Encoder, settings: Settings) -> Recipe:
    """The encoder's own recipe, changed where the settings say so.

    Raises:
        ClipassoError: a layer that the encoder does not have, or none left to compare.
    """
    own = encoder.recipe
    recipe = replace(
        own,
        lighten=_tone(settings.lighten, own.lighten, settings),
        contrast=_tone(settings.contrast, own.contrast, settings),
        width_rate=own.width_rate if settings.width_rate is None else settings.width_rate,
    )
    weight = settings.semantic_weight
    if settings.loss in ("l2", "lpips"):
        for name in ("layers", "distance", "semantic_weight"):
            if getattr(settings, name) not in ("", None):
                option = name.replace("_", "-")
                raise ClipassoError(f"--{option}: --loss {settings.loss} has none; leave it out")
        return recipe
    if settings.layers:
        recipe = replace(recipe, layers=parse_layers(settings.layers, encoder))
    if settings.distance:
        recipe = replace(recipe, distance=settings.distance)
    if settings.loss == "semantic":
        return replace(recipe, layers={}, semantic_weight=1.0 if weight is None else weight)
    if settings.loss == "geometric":
        if weight:
            raise ClipassoError("--semantic-weight: --loss geometric has no semantic term")
        return replace(recipe, semantic_weight=0.0)
    return recipe if weight is None else replace(recipe, semantic_weight=weight)


def _tone(asked: float | None, own: float, settings: Settings) -> float:
    """How far tones are changed: colours that are learned are to be the photo's."""
    if asked is not None:
        return asked
    return 0.0 if settings.color_rate else own


def parse_layers(text: str, encoder: Encoder) -> dict[str, float]:
    """`3:1,4:0.5` or `stage3:1` into layer names and weights; a weight is 1 where it is missing.

    Raises:
        ClipassoError: no such layer, a weight that is no number above 0, or a layer named twice.
    """
    names = encoder.layer_names
    layers: dict[str, float] = {}
    for part in text.split(","):
        key, _, number = (piece.strip() for piece in part.partition(":"))
        index = int(key) - 1 if key.isdecimal() else -1
        name = names[index] if 0 <= index < len(names) else key
        if name not in names:
            raise ClipassoError(
                f"--layers {text}: {encoder.description} has no layer {key}; "
                f"it has 1 to {len(names)} ({names[0]} to {names[-1]})"
            )
        try:
            weight = float(number or 1)
        except ValueError:
            weight = -1.0
        if not 0 < weight < 1e6 or name in layers:
            reason = "is named twice" if name in layers else "needs a weight above 0, as in 3:1"
            raise ClipassoError(f"--layers {text}: layer {key} {reason}")
        layers[name] = weight
    return layers


def make_objective(
    encoder: Encoder, settings: Settings, inside: NDArray[np.bool_] | None = None
) -> Objective:
    """What a run with these settings minimises.

    Args:
        encoder: that compares, on the device to work on.
        inside: `[canvas, canvas]` where the object is, or None where nothing is known of it.

    Raises:
        ClipassoError: layers or a text that the encoder cannot serve.
    """
    text = None
    if settings.text and settings.text_weight:
        text = encoder.encode_text(settings.text)
    outside = None
    if settings.background_weight and inside is not None:
        outside = torch.from_numpy(outside_map(inside)).to(encoder.mean.device)
    return Objective(
        encoder, make_recipe(encoder, settings), text, settings.text_weight,
        outside, settings.background_weight,
    )  # fmt: skip
