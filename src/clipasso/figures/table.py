"""The losses of a figure as a CSV table."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from clipasso.figures.plan import Block, Cell, Figure, sketches_of
from clipasso.pipeline.grid import Run

if TYPE_CHECKING:
    from clipasso.pipeline.archive import Kept

__all__ = ["write_table"]

_FIRST = ("figure", "photo", "label", "seed", "loss")
_LAST = (
    "best", "strokes", "control_points", "steps", "stopped", "seconds", "encoder", "saliency",
    "mask", "file",
)  # fmt: skip


def write_table(
    figure: Figure, blocks: Sequence[Block], kept: Mapping[Run, Kept | str],
    names: Mapping[Run, str],
) -> str:  # fmt: skip
    """One line for every panel with a sketch and every seed of it; one for a step of figure 7.

    Args:
        blocks: of the sheet.
        kept: what was made of each run, or why it was not.
        names: the runs' files without extension.

    Returns:
        The CSV's text. Terms of the loss have a column each, empty where a run has no such term;
        `seconds` are those of all seeds together.
    """
    lines: list[dict[str, Any]] = []
    for label, cell in sketches_of(blocks):
        found = kept[cell.run]
        if isinstance(found, str):
            continue
        about = _about(cell, found)
        about |= {"figure": figure.name, "label": label, "file": names[cell.run]}
        lines += [about | values for values in _values(cell, found)]
    known = {*_FIRST, *_LAST}
    terms = list(dict.fromkeys(name for line in lines for name in line if name not in known))
    text = io.StringIO()
    writer = csv.DictWriter(text, (*_FIRST, *terms, *_LAST), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def _about(cell: Cell, kept: Kept) -> dict[str, Any]:
    report = kept.report
    return {
        "photo": report["photo"],
        "strokes": report["settings"]["strokes"],
        "control_points": report["settings"]["control_points"],
        "steps": report["steps"],
        "stopped": report["stopped"],
        "seconds": f"{sum(report['seconds'].values()):.1f}",
        "encoder": report["encoder"],
        "saliency": report["saliency"],
        "mask": report["mask"],
    }


def _values(cell: Cell, kept: Kept) -> list[dict[str, Any]]:
    """Seed, loss and terms of a panel's lines."""
    if cell.show == "step":
        step, _, loss = kept.at(cell.index)
        return [{"seed": kept.seeds[0]["seed"], "loss": f"{loss:.6g}", "steps": step}]
    seeds = [kept.seeds[cell.index]] if cell.alone else kept.seeds
    return [
        {name: value if name == "seed" else f"{value:.6g}"
         for name, value in row.items() if name != "total"}
        | {"best": "yes" if row["seed"] == kept.report["seed"] else "no"}
        for row in seeds
    ]  # fmt: skip
