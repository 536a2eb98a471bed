"""A finished run on disk: its sketches, its report, and how it began and went on."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clipasso.errors import ClipassoError
from clipasso.optimise.page import Page
from clipasso.photo.canvas import Frame
from clipasso.pipeline.output import write_result
from clipasso.vector.safe_write import write_atomically
from clipasso.vector.sketch import Sketch

if TYPE_CHECKING:
    from clipasso.optimise.strokes import Drawing
    from clipasso.pipeline.result import Result

__all__ = ["Kept", "is_kept", "keep", "take_up"]

_STROKES = ("points", "widths", "opacities", "colors")
_MAPS = ("pixels", "saliency", "edges", "distribution", "inside")


@dataclass(frozen=True, eq=False)
class Kept:
    """What a sheet shows of a run. Maps are on the square canvas, sketches in the photo's frame.

    Attributes:
        sketches: of every seed, best first.
        initial: the strokes that each began with, in the same order.
        history: the winner's strokes at each evaluation (figure 7), cut at the page as results are;
            `curve` has their losses before that.
        report: the JSON beside the sketch.
        pixels: `[canvas, canvas, 3]` uint8, the photo as the encoder saw it.
        saliency, edges, distribution: `[canvas, canvas]`, 0..1; the last relative to its maximum.
        inside: `[canvas, canvas]`, the mask; true everywhere where there was none.
    """

    sketches: tuple[Sketch, ...]
    initial: tuple[Sketch, ...]
    history: tuple[Sketch, ...]
    report: dict[str, Any]
    pixels: NDArray[np.uint8]
    saliency: NDArray[np.float32]
    edges: NDArray[np.float32]
    distribution: NDArray[np.float32]
    inside: NDArray[np.bool_]

    @property
    def frame(self) -> Frame:
        """Where the photo lies on the canvas."""
        return Frame(**self.report["frame"])

    @property
    def seeds(self) -> list[dict[str, float]]:
        """Seed, loss and terms, best first, as `sketches` are."""
        rows: list[dict[str, float]] = self.report["seeds"]
        return sorted(rows, key=lambda row: row["loss"])

    @property
    def curve(self) -> tuple[list[int], NDArray[np.float64]]:
        """Steps of the evaluations, and their losses `[evaluations, seeds]`, best seed first."""
        rows = self.report["curve"]
        losses = np.array([row["losses"] for row in rows], np.float64)
        order = np.argsort([row["loss"] for row in self.report["seeds"]], kind="stable")
        return [row["step"] for row in rows], losses[:, order]

    def at(self, step: int) -> tuple[int, Sketch, float]:
        """The last evaluation up to a step: its own step, the winner's strokes and their loss."""
        steps, losses = self.curve
        k = int(np.searchsorted(steps, step, side="right")) - 1
        return steps[k], self.history[k], float(losses[k, 0])


def is_kept(folder: Path, stem: str) -> bool:
    """Whether a run was written to its end: the SVG comes last."""
    return all((folder / f"{stem}{end}").is_file() for end in (".npz", ".json", ".svg"))


def keep(result: Result, folder: Path, stem: str) -> None:
    """Write a run: `STEM.npz` and the files of `write_result`, the SVG last.

    Raises:
        ClipassoError: a file cannot be written.
    """
    (folder / f"{stem}.svg").unlink(missing_ok=True)  # until all is there anew
    start, out = result.initialisation, result.outcome
    inside = result.mask.inside
    data: dict[str, NDArray[Any]] = {
        "pixels": np.rint(start.pixels * 255).astype(np.uint8),
        "saliency": start.saliency.astype(np.float32),
        "edges": start.edges.astype(np.float32),
        "distribution": (start.distribution / start.distribution.max()).astype(np.float32),
        "inside": np.ones(start.saliency.shape, bool) if inside is None else inside,
        "degree": np.array(start.drawing.degree),
    }
    order = sorted(range(len(out.losses)), key=out.losses.__getitem__)
    initial = [start.drawing.only(k) for k in order]
    page = Page.of(result.photo)
    history = [page.cut(drawing.only(out.winner)) for drawing in out.history]
    for name, drawings in (("initial", initial), ("history", history)):
        data |= {f"{name}_{key}": _stacked(drawings, key) for key in _STROKES}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **data)
    write_atomically(folder / f"{stem}.npz", buffer.getvalue())
    write_result(result, folder, stem, all_seeds=True)


def take_up(folder: Path, stem: str) -> Kept:
    """Read what `keep` wrote.

    Raises:
        ClipassoError: files that are missing or damaged.
    """
    try:
        report = json.loads((folder / f"{stem}.json").read_text(encoding="utf-8"))
        with np.load(folder / f"{stem}.npz", allow_pickle=False) as archive:
            data = {name: archive[name] for name in archive.files}
        frame = Frame(**report["frame"])
        ends = ["", *(f"-rank{k}" for k in range(2, len(report["seeds"]) + 1))]
        return Kept(
            sketches=tuple(Sketch.open(folder / f"{stem}{end}.svg") for end in ends),
            initial=_sketches(data, "initial", frame),
            history=_sketches(data, "history", frame),
            report=report,
            **{name: data[name] for name in _MAPS},
        )
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        reason = " ".join(str(error).split())[:120]
        raise ClipassoError(
            f"{folder / stem}.svg: a damaged run ({reason}); delete it, or give --force to make "
            "all runs anew"
        ) from None


def _stacked(drawings: Sequence[Drawing], key: str) -> NDArray[np.float32]:
    return np.stack([getattr(drawing, key)[0].numpy() for drawing in drawings]).astype(np.float32)


def _sketches(data: dict[str, NDArray[Any]], name: str, frame: Frame) -> tuple[Sketch, ...]:
    """Drawings of the canvas as sketches in the photo's frame."""
    points, widths, opacities, colors = (data[f"{name}_{key}"] for key in _STROKES)
    widths = widths / frame.zoom
    colors = np.broadcast_to(np.clip(colors, 0, 1), (*colors.shape[:-1], 3))
    first = Sketch(
        frame.to_photo(points[0]), (frame.width, frame.height), int(data["degree"]),
        widths=widths[0], opacities=np.clip(opacities[0], 0, 1), colors=colors[0],
    )  # fmt: skip
    return tuple(
        replace(first, points=frame.to_photo(points[k]), widths=widths[k],
                opacities=np.clip(opacities[k], 0, 1), colors=colors[k])
        for k in range(len(points))
    )  # fmt: skip
