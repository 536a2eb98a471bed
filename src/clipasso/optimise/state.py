"""All that a run has come to know by a step, so that it can go on from there another time.

What follows from the photo and the settings is not kept but made again: the pool of transforms is
drawn by the same generator, and the photo is encoded under them in the same groups.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from clipasso.errors import ClipassoError

if TYPE_CHECKING:
    from clipasso.optimise.adam import Adam
    from clipasso.optimise.best_so_far import Track
    from clipasso.optimise.course import Course
    from clipasso.optimise.encoded_photo import PhotoPool
    from clipasso.optimise.job import Job

__all__ = ["Keeping", "Run", "State"]

_FARTHEST = 1e9  # px, as the rasteriser has it
_WIDE = (".widths", ".values", ".calm")
_NEAR = 1e-2  # cosine distance of one photo's embeddings on two machines, at most


@dataclass(frozen=True, eq=False)
class State:
    """A run as it was before a step.

    Attributes:
        step: how many were taken.
        seconds: that it had taken by then.
        tensors: by name, on the CPU.
        names: of the loss terms, in their order.
        where: what a person should be told that it comes from.
        same_place: it was made with the same libraries, device and number of threads, so that what
            is made again is the same to the bit.
    """

    step: int
    seconds: float
    tensors: Mapping[str, Tensor]
    names: tuple[str, ...] = ()
    where: str = "the state"
    same_place: bool = True


@dataclass(frozen=True, eq=False)
class Keeping:
    """When the state of a run is kept, and what it begins with.

    Attributes:
        every: steps.
        keep: takes the state; None keeps none.
        begin: what an earlier run has kept.
    """

    every: int = 1
    keep: Callable[[State], None] | None = None
    begin: State | None = None

    def start(self, run: Run) -> float:
        """Go to where the earlier run was; the seconds that it had taken.

        Raises:
            ClipassoError: it was another one.
        """
        if self.begin is None:
            return 0.0
        run.put_back(self.begin)
        return self.begin.seconds

    def see(self, run: Run, seconds: float, stopping: bool) -> None:
        """Keep the state before a step if it is time to, or the run is stopping."""
        done = run.course.done
        known = done == (0 if self.begin is None else self.begin.step)
        due = stopping or done % self.every == 0
        if self.keep is not None and due and not known and not run.course.ended:
            self.keep(run.state(seconds))


@dataclass(frozen=True, eq=False)
class Run:
    """The parts of a run that change from step to step, and what they stand on.

    Of several photos no state can be had.
    """

    jobs: Sequence[Job]
    pool: PhotoPool
    adam: Adam
    tracks: Sequence[Track]
    course: Course

    @property
    def job(self) -> Job:
        """That of the one photo."""
        (job,) = self.jobs
        return job

    @property
    def track(self) -> Track:
        """That of the one photo."""
        (track,) = self.tracks
        return track

    def state(self, seconds: float) -> State:
        """Copies of all that changes."""
        kept = {**self._fixed(), **self._changing(), **self._known()}
        tensors = {name: t.detach().cpu().clone().contiguous() for name, t in kept.items()}
        return State(self.course.done, seconds, tensors, self.track.names)

    def put_back(self, state: State) -> None:
        """Go to where `state` was, in place.

        Raises:
            ClipassoError: it is of another run.
        """
        self._see_same(state)
        changing = self._changing()
        try:
            _see_drawable(state.tensors)
            with torch.no_grad():
                for name, tensor in changing.items():
                    there = state.tensors[name]
                    if there.shape != tensor.shape or there.dtype != tensor.dtype:
                        raise ValueError(f"{name} is of another shape")
                    tensor.copy_(there)
            self.pool.generator.set_state(state.tensors["generator"].clone())
            done, at = state.tensors["course"].tolist()
            if int(done) != state.step or not 0 <= done <= self.course.planned:
                raise ValueError(f"step {done:g}")
            self.course.go_to(int(done), at)
            self.track.put_back(state.tensors, state.names)
        except (ArithmeticError, LookupError, ValueError, RuntimeError, TypeError) as error:
            raise ClipassoError(
                f"{state.where}: does not fit this run ({error}); it is damaged or was made by "
                "another program, so begin anew without it"
            ) from None

    def _changing(self) -> dict[str, Tensor]:
        return {f"adam.{name}": tensor for name, tensor in self.adam.parts().items()}

    def _known(self) -> dict[str, Tensor]:
        course = torch.tensor([self.course.done, self.course.at], dtype=torch.float64)
        generator = self.pool.generator.get_state()
        return {"course": course, "generator": generator, **self.track.tensors()}

    def _fixed(self) -> dict[str, Tensor]:
        """What both runs must begin with: the photo as it is seen, its frame, the first strokes."""
        first = {f"first.{name}": t for name, t in self.job.initial.tensors().items()}
        fixed = {"seen": self.pool.clean.features.embedding, "frozen": self.job.initial.frozen}
        if self.job.page is not None:
            *frame, inner = astuple(self.job.page.frame)
            frame += [float("nan")] * 4 if inner is None else inner
            fixed["frame"] = torch.tensor(frame, dtype=torch.float64)
        return {**fixed, **first}

    def _see_same(self, state: State) -> None:
        """See that a state comes from such a run.

        On another machine what an encoder sees differs by rounding, and first strokes, which are
        drawn from it, may be quite others; those that are kept are gone on with.
        """
        ours, theirs = self._fixed(), state.tensors
        exact = [n for n in ours if state.same_place or n in ("frame", "frozen")]
        unlike = [n for n in ours if n not in theirs or theirs[n].shape != ours[n].shape]
        unlike += [n for n in exact if n not in unlike and not _equal(ours[n], theirs[n])]
        if "seen" not in unlike:
            mine, other = ours["seen"].detach().cpu(), theirs["seen"].to(ours["seen"].dtype)
            if bool((1 - F.cosine_similarity(mine, other, dim=-1) > _NEAR).any()):
                unlike.append("seen")
        if unlike:
            raise ClipassoError(f"{state.where}: {_why(unlike)}; give what it was made with")


def _see_drawable(tensors: Mapping[str, Tensor]) -> None:
    """Raise ValueError for strokes, or their moments, that no run leaves."""
    for name, tensor in tensors.items():
        if name.startswith(("adam.", "best.", "way.")) and tensor.is_floating_point():
            far = not bool((tensor.abs() <= _FARTHEST).all())  # so is what is no number
            if far or (".widths" in name and name.endswith(_WIDE) and bool((tensor < 0).any())):
                raise ValueError(f"{name} holds what cannot be drawn")


def _equal(ours: Tensor, theirs: Tensor) -> bool:
    mine = ours.detach().cpu()
    return mine.dtype == theirs.dtype and torch.allclose(mine, theirs, 0, 0, equal_nan=True)


def _why(unlike: list[str]) -> str:
    if "seen" in unlike:
        return "its photo, mask or encoder's weights are others than here"
    if "frame" in unlike:
        return "its photo lies otherwise on the canvas than here (--fit, --mask)"
    return "its first strokes are others than here (--init, --freeze, --saliency-encoder)"
