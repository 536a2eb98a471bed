"""One step of many seeds: rasterise, augment, encode, loss, gradient, Adam; eager or CUDA graphs.

Between two evaluations the host only queues work. `Step` takes no decision from a tensor's value
and reads none back, so on CUDA its two halves can be recorded once as graphs and replayed, which
takes away what the host needs for launching some thousand kernels a step. Tests prove the absence
of waiting on tensors without values; the graphs themselves have not yet been run on a GPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from clipasso.optimise.adam import Adam
from clipasso.optimise.encoded_photo import PhotoPool
from clipasso.optimise.strokes import Drawing

if TYPE_CHECKING:
    from clipasso.settings import Settings

__all__ = ["Step", "prefix_lengths"]

_WARM_UPS = 3  # as torch's documentation has it: kernels are compiled and algorithms chosen
_IN_CACHE = 6  # images that a CPU encodes together
_STALE = 0.75  # a graph is recorded anew when no more than this part of its seeds goes on


class _Graphs(NamedTuple):
    """Both halves of a step, and the terms that the first leaves."""

    look: torch.cuda.CUDAGraph
    move: torch.cuda.CUDAGraph
    terms: Tensor


class Step:
    """A step in two halves, between which an evaluation may look: `look`, then `move`.

    What strokes are compared with is this class's, where they are and Adam's moments is `adam`'s:
    several of these may follow each other on the same strokes.

    Args:
        adam: the strokes of all seeds of all photos.
        pool: what they are compared with.
        photos: the photo of each seed, `[seeds]`.
        canvas: side of the canvas, pixels.
        prefixes: `[steps]`, of how many strokes the sketch is that the last of each step's
            transformed pairs shows (`prefix_lengths`); None shows all of them everywhere.

    Attributes:
        seeds: those that are encoded; others are left where they are.
        names: of the loss terms, `total` among them, once looked.
        terms: the clean pairs' loss terms at the last look, `[terms, len(seeds)]`.
        note: why no graph is replayed on CUDA, or None.
    """

    names: tuple[str, ...]
    terms: Tensor

    def __init__(
        self,
        adam: Adam,
        pool: PhotoPool,
        photos: Sequence[int],
        canvas: int,
        prefixes: Tensor | None = None,
    ) -> None:
        self.adam, self.pool, self.canvas, self._prefixes = adam, pool, canvas, prefixes
        self.note: str | None = None
        self._photo_of, self._photos = list(photos), torch.tensor(photos)
        self._device = adam.step.device
        self._graphs: _Graphs | None = None
        self._grads: tuple[Tensor, ...] = ()
        self.seeds: list[int] = []
        self._going = list(range(len(photos)))
        self._set(self._going)

    def keep(self, seeds: Sequence[int]) -> None:
        """Go on with these of the seeds only, from the next `move` on.

        Eager steps encode no others. A graph's shapes are fixed, so there the others are encoded on
        to no effect, until enough have stopped for recording it anew.
        """
        if list(seeds) != self._going:
            self._going = list(seeds)
            self.adam.keep(seeds)

    def capture(self) -> None:
        """Record the step as CUDA graphs, or say in `note` why it stays eager."""
        self._graphs = None
        if not self.pool.fixed:
            self.note = "no CUDA graph: fresh transforms are drawn in every step (--pool 0)"
            return
        state = self.adam.state()
        try:
            self._graphs = self._record(state)
        except Exception as error:  # drivers, kernels and encoders fail in their own ways
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            self.note = f"no CUDA graph: the step could not be recorded ({reason})"
        self.adam.restore(state)

    def look(self) -> None:
        """Compare with the photos; leaves `terms`, and the gradient for `move`."""
        if self._graphs is None:
            self._set(self._going)
        elif len(self._going) <= _STALE * len(self.seeds):
            self._set(self._going)
            self.capture()
        if self._graphs is None:
            self._look()
        else:
            self._graphs.look.replay()
            self.terms = self._graphs.terms

    def move(self) -> None:
        """Take the step that the last look found."""
        if self._graphs is None:
            self.adam.move(self._grads)
        else:
            self._graphs.move.replay()

    @torch.no_grad()
    def evaluate(self, drawing: Drawing | None = None, seeds: Sequence[int] = ()) -> None:
        """Compare strokes with the photos as they are; leaves `terms`.

        Args:
            drawing: all seeds', for a look once the steps are over; None is the average strokes.
            seeds: those of it to look at.
        """
        if drawing is not None:
            self._set(list(seeds))
        elif self._graphs is None:
            self._set(self._going)
        drawing = self.adam.average if drawing is None else drawing
        images = drawing.seeds(self._rows).render(self.canvas)
        terms = []
        for some, photos in self._parts(images, 1):
            terms.append(self._terms(self.pool.clean.loss(some, None, photos).terms, 1))
        self.terms = torch.cat(terms, 1)

    def _look(self) -> None:
        targets, chosen = self.pool.at(self.adam.step)
        count = len(targets) if chosen is None else len(chosen)
        images = self._drawn()
        terms: list[Tensor] = []
        light: list[Tensor] = []
        for some, photos in self._parts(images.detach(), count):
            leaf = some.requires_grad_()
            loss = targets.loss(_for_each(leaf, count), chosen, photos)
            light += torch.autograd.grad(loss.total.sum() / count, leaf)
            terms.append(self._terms(loss.terms, count))
        # Of a sum: given a gradient of images, torch would import SymPy to compare two shapes.
        self._grads = torch.autograd.grad((images * torch.cat(light)).sum(), self.adam.moved)
        self.terms = torch.cat(terms, 1)

    def _drawn(self) -> Tensor:
        """The sketches, `[seeds, channels, size, size]`, or `[seeds, 2, ...]`: whole, and as the
        first few strokes."""
        whole = self.adam.drawing.seeds(self._rows)
        if self._prefixes is None:
            return whole.render(self.canvas)
        short = whole.first(self._prefixes.index_select(0, self.adam.step))
        both = Drawing.join([whole, short]).render(self.canvas)
        return torch.stack(both.chunk(2), 1)

    def _parts(self, images: Tensor, each: int) -> list[tuple[Tensor, Tensor]]:
        """Images and their photos as they are encoded together, `each` times transformed.

        A CPU works best on a few images at a time, which stay in its cache. They are of one photo,
        so that its sketch does not depend on which others are made together with it.
        """
        if self._device.type != "cpu":
            return [(images, self._owners)]
        most, sizes = max(1, _IN_CACHE // each), []
        for _, seeds in groupby(self._photo_of[seed] for seed in self.seeds):
            left = len(list(seeds))
            sizes += [most] * (left // most) + [left % most] * (left % most > 0)
        return list(zip(images.split(sizes), self._owners.split(sizes), strict=True))

    def _terms(self, terms: dict[str, Tensor], count: int) -> Tensor:
        """Those of the clean pairs, each the first of its seed's `count`: `[terms, seeds]`."""
        self.names = tuple(terms)
        return torch.stack([value.detach()[::count] for value in terms.values()])

    def _set(self, seeds: list[int]) -> None:
        """Encode these seeds; copies from the host where they are others than before."""
        if seeds == self.seeds:
            return
        self.seeds = seeds
        rows = torch.tensor(seeds, dtype=torch.long)
        self._rows, self._owners = rows.to(self._device), self._photos[rows].to(self._device)

    def _record(self, state: list[Tensor]) -> _Graphs:
        with torch.cuda.device(self._device):
            aside = torch.cuda.Stream()
            aside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(aside):
                for _ in range(_WARM_UPS):
                    self._look()
                    self.adam.move(self._grads)
                    self.adam.restore(state)  # the tables end with the last step
            torch.cuda.current_stream().wait_stream(aside)
            look, move = torch.cuda.CUDAGraph(), torch.cuda.CUDAGraph()
            with torch.cuda.graph(look):
                self._look()
            with torch.cuda.graph(move, pool=look.pool()):
                self.adam.move(self._grads)
            return _Graphs(look, move, self.terms)


def prefix_lengths(settings: Settings, adam: Adam) -> Tensor | None:
    """How many strokes are shown in each step, `[iterations]`; None where it is always all.

    By a generator of their own, so that other chances are the same with and without them.
    """
    strokes = adam.drawing.points.shape[1]
    if not settings.prefixes or strokes < 2:
        return None
    generator = torch.Generator().manual_seed(settings.seed)
    lengths = torch.randint(1, strokes, (settings.iterations,), generator=generator)
    return lengths.to(adam.step.device)


def _for_each(images: Tensor, count: int) -> Tensor:
    """`[m, 2, ...]` as `[m, count, ...]`, of which the last is the second; others as they are."""
    if images.ndim == 4:
        return images
    whole, short = images[:, :1], images[:, 1:]
    return torch.cat([whole.expand(-1, count - 1, -1, -1, -1), short], 1)
