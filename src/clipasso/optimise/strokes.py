"""The strokes of several seeds as tensors: what the loop moves and the rasteriser draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from clipasso.raster import rasterize
from clipasso.vector.sketch import Sketch

if TYPE_CHECKING:
    from clipasso.photo.canvas import Frame

__all__ = ["Drawing"]

_TENSORS = ("points", "widths", "opacities", "colors")


@dataclass(frozen=True, eq=False)
class Drawing:
    """Strokes of several seeds on one square canvas. Lengths are in pixels of that canvas.

    Attributes:
        points: `[seeds, strokes, points, 2]`.
        widths: `[seeds, strokes]`, at least 0.
        opacities: `[seeds, strokes]`, 0..1.
        colors: `[seeds, strokes, 1 or 3]`, 0..1; one channel is grey.
        degree: of the Bezier segments that a stroke is a chain of.
        frozen: `[strokes]`, those that stay as they are.
    """

    points: Tensor
    widths: Tensor
    opacities: Tensor
    colors: Tensor
    degree: int
    frozen: Tensor

    @classmethod
    def make(
        cls,
        points: ArrayLike,
        degree: int,
        *,
        widths: ArrayLike = 3.0,
        opacities: ArrayLike = 1.0,
        colors: ArrayLike = (0.0,),
        frozen: ArrayLike = False,
    ) -> Drawing:
        """Check nothing, but give every stroke of every seed its own values (float32, CPU).

        Args:
            points: `[seeds, strokes, points, 2]`.
            widths, opacities: broadcast to `[seeds, strokes]`.
            colors: broadcast to `[seeds, strokes, 1 or 3]`.
            frozen: broadcasts to `[strokes]`.
        """

        def tensor(value: ArrayLike, *shape: int) -> Tensor:
            array: NDArray[np.float32] = np.asarray(value, np.float32)
            return torch.tensor(np.broadcast_to(array, shape).copy())

        xy = np.asarray(points)
        seeds, strokes = xy.shape[:2]
        channels = np.asarray(colors).shape[-1]
        return cls(
            tensor(xy, *xy.shape),
            tensor(widths, seeds, strokes),
            tensor(opacities, seeds, strokes),
            tensor(colors, seeds, strokes, channels),
            degree,
            torch.tensor(np.broadcast_to(np.asarray(frozen, bool), (strokes,)).copy()),
        )

    def __len__(self) -> int:
        return len(self.points)

    def render(self, size: int) -> Tensor:
        """All seeds drawn on white, `[seeds, channels, size, size]`, differentiable."""
        return rasterize(
            self.points, widths=self.widths, opacities=self.opacities, colors=self.colors,
            size=size, degree=self.degree,
        )  # fmt: skip

    def tensors(self) -> dict[str, Tensor]:
        """Its tensors by name but for `frozen`, no copies."""
        return {name: getattr(self, name) for name in _TENSORS}

    def to(self, device: torch.device | str) -> Drawing:
        """The same strokes on another device."""
        moved = {name: getattr(self, name).to(device) for name in (*_TENSORS, "frozen")}
        return replace(self, **moved)

    def clone(self) -> Drawing:
        """A copy, detached from any graph, that later steps do not change."""
        return replace(self, **{name: getattr(self, name).detach().clone() for name in _TENSORS})

    def only(self, seed: int) -> Drawing:
        """One seed's strokes."""
        return self.seeds(slice(seed, seed + 1))

    def seeds(self, index: Tensor | slice) -> Drawing:
        """Some of the seeds, in the order of `index`; differentiable."""

        def some(values: Tensor) -> Tensor:
            return values[index] if isinstance(index, slice) else values.index_select(0, index)

        chosen: dict[str, Any] = {name: some(getattr(self, name)) for name in _TENSORS}
        return replace(self, **chosen)

    @staticmethod
    def join(parts: Sequence[Drawing]) -> Drawing:
        """All seeds of several drawings of as many strokes, one after the other.

        What is frozen may differ from part to part, so the whole says nothing of it.
        """
        first = parts[0]
        joined: dict[str, Any] = {
            name: torch.cat([getattr(p, name) for p in parts]) for name in _TENSORS[:-1]
        }
        channels = max(p.colors.shape[-1] for p in parts)  # some of several may be grey
        joined["colors"] = torch.cat([p.colors.expand(-1, -1, channels) for p in parts])
        return replace(first, **joined, frozen=torch.zeros_like(first.frozen))

    def strokes(self, index: Tensor) -> Drawing:
        """Some of the strokes of every seed, in the order of `index` `[chosen]`."""
        chosen = {name: getattr(self, name)[:, index] for name in _TENSORS}
        return replace(self, **chosen, frozen=self.frozen[index])

    def first(self, count: Tensor) -> Drawing:
        """As if only the first `count` strokes `[1]` were drawn; differentiable.

        All of them are there, the others without ink, so that no shape depends on a number that
        only the device knows.
        """
        there = torch.arange(self.points.shape[1], device=count.device) < count
        return replace(self, opacities=self.opacities * there)

    def beside(self, new: Drawing) -> Drawing:
        """This one seed's strokes, the same for every seed of `new`, followed by the new ones."""
        seeds = len(new)
        both: dict[str, Any] = {}
        for name in _TENSORS:
            mine, theirs = getattr(self, name), getattr(new, name)
            mine = mine.expand(seeds, *mine.shape[1:])
            if name == "colors" and mine.shape[-1] != theirs.shape[-1]:
                mine, theirs = mine.expand(-1, -1, 3), theirs.expand(-1, -1, 3)
            both[name] = torch.cat([mine, theirs], 1)
        return replace(self, **both, frozen=torch.cat([self.frozen, new.frozen]))

    def to_sketch(self, size: tuple[float, float], frame: Frame | None = None) -> Sketch:
        """One seed's drawing as a value.

        Args:
            size: of the sketch's canvas.
            frame: maps points and widths to it from this canvas; None leaves them as they are.
        """
        points = self.points[0].detach().double().cpu().numpy()
        colors = self.colors[0].detach().double().cpu().numpy()
        return Sketch(
            points if frame is None else frame.to_photo(points),
            size,
            self.degree,
            widths=self.widths[0].detach().double().cpu().numpy() / (frame.zoom if frame else 1),
            colors=np.broadcast_to(colors, (len(colors), 3)),
            opacities=self.opacities[0].detach().double().cpu().numpy(),
        )

    def unlike(self, other: Drawing) -> list[int]:
        """Seeds whose strokes are not to the bit those of `other`, which has as many."""
        same = [(getattr(self, n) == getattr(other, n)).flatten(1).all(1) for n in _TENSORS]
        return torch.stack(same).all(0).logical_not().nonzero().flatten().tolist()

    def put(self, seed: int, other: Drawing) -> None:
        """Overwrite one seed's strokes in place with those of `other`."""
        for name in _TENSORS:
            getattr(self, name)[seed] = getattr(other, name).detach()[seed]
