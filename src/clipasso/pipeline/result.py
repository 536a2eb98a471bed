"""What comes out of a run: the sketch, and all that is known of how it came about."""

from __future__ import annotations

import math
import platform
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from clipasso._version import __version__
from clipasso.pipeline.faces import CloseUps
from clipasso.pipeline.order import Arrangement

if TYPE_CHECKING:
    from clipasso.encoders.base import Recipe
    from clipasso.optimise.limit import TimePlan
    from clipasso.optimise.loop import Outcome
    from clipasso.photo.canvas import Photo
    from clipasso.photo.masks import Mask
    from clipasso.pipeline.stroke_count import StrokeCount
    from clipasso.settings import Settings
    from clipasso.start.first_strokes import Initialisation
    from clipasso.vector.animate.film import Animation
    from clipasso.vector.sketch import Sketch

__all__ = ["Result", "versions"]


@dataclass(frozen=True, eq=False)
class Result:
    """A finished sketch and all that is known of how it came about.

    Attributes:
        sketch: the best seed's strokes in the photo's frame: its longer side has as many pixels
            as the canvas (its shorter one with `fit="crop"`). Their ink ends where the photo does,
            or the part of it that the canvas shows. Its strokes are in order (`Settings.order`).
        sketches: every seed's, best first; the others' strokes are as they were laid.
        photo, settings, initialisation: what it was made from; the photo on the canvas that was
            used, which may be zoomed to its object (`photo.frame.zoom`).
        mask: where the object is, and how that was found.
        outcome: losses, terms and the loss curve, by seed.
        encoder: which encoder made it, in words.
        precision: what it computed in.
        recipe: which of its layers counted how much.
        seconds: time spent, by stage; `optimise` is that of all photos optimised together.
        notes: what a person should be told.
        together: how many photos those were.
        close_ups: faces that were drawn from close up, by how many of the strokes.
        arrangement: in which order and direction the sketch has the winner's strokes of `outcome`.
        stroke_count: why there are as many strokes; None where their number was given.
    """

    sketch: Sketch
    sketches: tuple[Sketch, ...]
    photo: Photo
    settings: Settings
    initialisation: Initialisation
    mask: Mask
    outcome: Outcome
    encoder: str
    precision: str
    recipe: Recipe
    device: str
    seconds: dict[str, float]
    notes: tuple[str, ...]
    together: int = 1
    close_ups: CloseUps = field(default_factory=CloseUps)
    arrangement: Arrangement = field(default_factory=Arrangement)
    stroke_count: StrokeCount | None = None

    def _repr_svg_(self) -> str:
        return self.sketch.to_svg()

    @property
    def time_plan(self) -> TimePlan | None:
        """What was chosen for a time limit; None where there was none."""
        return self.outcome.plan

    @property
    def seed(self) -> int:
        """The seed that won."""
        return self.settings.seed_of(self.outcome.winner)

    def recording(self, seconds: float = 4.0, hold: float = 1.5) -> Animation:
        """How the sketch came about: its strokes from the first ones to the end (figure 7).

            >>> clipasso.sketch("cat.jpg").recording().save("cat.gif")

        Args:
            seconds: that the strokes move for, 0.1 to 600; more of them where they move more.
            hold: seconds for which the end is held, 0 to 600.

        Raises:
            ClipassoError: a time out of range.
        """
        from clipasso.pipeline.recording import record
        from clipasso.vector.animate.film import check_seconds

        return record(self, check_seconds("seconds", seconds), check_seconds("hold", hold, 0))

    def report(self) -> dict[str, Any]:
        """Everything but the pictures, as plain values for JSON."""
        seeds = [self.settings.seed_of(k) for k in range(self.settings.seeds)]
        out = self.outcome
        return {
            "photo": self.photo.name,
            "encoder": self.encoder,
            "precision": self.precision,
            "saliency": self.initialisation.saliency_from,
            "settings": self.settings.as_dict(),
            "loss_recipe": self.recipe.as_dict(),
            "mask": self.mask.source,
            "mask_candidates": [] if self.mask.choice is None else self.mask.choice.as_list(),
            "frame": asdict(self.photo.frame),
            "left_out": self.photo.surround,
            "close_ups": self.close_ups.as_list(),
            "stroke_count": None if self.stroke_count is None else self.stroke_count.as_dict(),
            "seed": self.seed,
            "loss": _number(out.losses[out.winner]),
            "seeds": [
                {
                    "seed": s,
                    "loss": _number(out.losses[k]),
                    **{n: _number(v[k]) for n, v in out.terms.items()},
                }
                for k, s in enumerate(seeds)
            ],
            "curve": [
                {"step": step, "losses": list(map(_number, losses))} for step, losses in out.curve
            ],
            "prefix_losses": list(map(_number, self.arrangement.losses)),
            "steps": out.steps,
            "stopped": out.stopped,
            "time_plan": None if self.time_plan is None else _told(self.time_plan),
            "seconds": {name: round(value, 3) for name, value in self.seconds.items()},
            "together": self.together,
            "device": self.device,
            "threads": torch.get_num_threads(),
            "notes": list(self.notes),
            "versions": versions(),
        }


def _number(value: float) -> float | None:
    """As JSON has it, which knows neither infinity nor what is no number."""
    return value if math.isfinite(value) else None


def _told(plan: TimePlan) -> dict[str, Any]:
    told = asdict(plan)
    del told["after"]  # the settings tell it, as all that can be asked for
    return told


def versions() -> dict[str, str]:
    """What a sketch can depend on."""
    return {
        "clipasso": __version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
