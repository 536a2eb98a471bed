"""What a figure consists of: runs to make, and panels that show something of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from clipasso.pipeline.grid import Run
from clipasso.settings import make_settings

if TYPE_CHECKING:
    from clipasso.encoders.base import Encoder

__all__ = ["Asked", "Block", "Cell", "Figure", "Row", "Show", "runs_of", "sketches_of"]

Show = Literal[
    "photo", "sketch", "step", "saliency", "points", "initial", "mask", "xdog", "canny"
]  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One panel.

    Attributes:
        show: what of the run is drawn.
        run: whose.
        title: over the panel, and its label in the table.
        index: rank of the seed, 0 being the best; for `step` the step.
        note: a line under the panel.
        marked: framed in blue, as figure 8b marks the winner.
        alone: a sketch that stands for its own seed and not for all seeds of its run.
    """

    show: Show
    run: Run
    title: str = ""
    index: int = 0
    note: str = ""
    marked: bool = False
    alone: bool = False


@dataclass(frozen=True)
class Row:
    """Panels side by side; None leaves a place empty, the first for the row's label."""

    cells: tuple[Cell | None, ...]
    label: str = ""

    @property
    def titles(self) -> tuple[str, ...]:
        """Over the panels; "" where there is none."""
        return tuple("" if cell is None else cell.title for cell in self.cells)


@dataclass(frozen=True)
class Block:
    """Rows that belong together.

    Attributes:
        rows: from top to bottom.
        curves: (label, run) of the loss curves that are plotted under them.
    """

    rows: tuple[Row, ...]
    curves: tuple[tuple[str, Run], ...] = ()


@dataclass(frozen=True)
class Asked:
    """What the caller chose; None and () leave the study's or the preset's own value.

    Attributes:
        preset: of all runs but CLIPDraw's.
        iterations, seeds: of every run.
        strokes: one number, or several for the studies that vary it.
        mask: as for `make_mask`.
        text: the prompt of CLIPDraw.
    """

    preset: str = "default"
    iterations: int | None = None
    seeds: int | None = None
    strokes: tuple[int, ...] = ()
    mask: str = "auto"
    text: str = ""

    def run(
        self,
        photo: Path,
        *,
        preset: str | None = None,
        mask: str | None = None,
        optional: bool = False,
        **options: Any,
    ) -> Run:
        """A run with these choices and further settings, of single curves as all of the paper's.

        Raises:
            ClipassoError: a value out of range.
        """
        # A study shows every seed to its end.
        values = {"iterations": self.iterations, "seeds": self.seeds, "drop": False, **options}
        if preset is None:
            values.setdefault("segments", 1)  # longer chains of fewer strokes would be as concrete
            if self.strokes:
                values.setdefault("strokes", self.strokes[0])
        settings, preferred = make_settings(preset or self.preset, **values)
        return Run(photo, settings, self.mask if mask is None else mask, preferred, optional)


@dataclass(frozen=True)
class Figure:
    """A figure of the paper as a study that can be run.

    Attributes:
        name: what the command calls it.
        title: over the sheet.
        paper: the paper's numbers.
        sentence: what is varied, and what it shows.
        plan: photos, choices and the main encoder to the blocks of the sheet.
        comparable: whether the losses of its panels may be compared, and so stand under them.
        many_strokes: whether it takes several numbers of strokes.
    """

    name: str
    title: str
    paper: str
    sentence: str
    plan: Callable[[Sequence[Path], Asked, Encoder], tuple[Block, ...]]
    comparable: bool = True
    many_strokes: bool = False


def runs_of(blocks: Sequence[Block]) -> list[Run]:
    """The runs that a figure needs, each once, in reading order."""
    cells = (cell for block in blocks for row in block.rows for cell in row.cells)
    return list(dict.fromkeys(cell.run for cell in cells if cell is not None))


def sketches_of(blocks: Sequence[Block]) -> Iterator[tuple[str, Cell]]:
    """The panels with sketches that were optimised, in reading order, each with a label."""
    for row in (row for block in blocks for row in block.rows):
        for cell in row.cells:
            if cell is not None and cell.show in ("sketch", "step"):
                words = (row.label, cell.title or f"rank {cell.index + 1}")
                yield " ".join(", ".join(filter(None, words)).split()), cell
