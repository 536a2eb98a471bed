"""An evaluation as JSON and CSV."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipasso._version import __version__
from clipasso.evaluate.measures import Estimate
from clipasso.evaluate.prompts import prompt
from clipasso.evaluate.results import ALL, Measure, Protocol, Scored, confusions, summarise

if TYPE_CHECKING:
    from clipasso.evaluate.panel import Panel
    from clipasso.evaluate.series import Series
    from clipasso.evaluate.subjects import Seen, Subject

__all__ = ["FORMAT", "Cell", "Evaluation", "as_json", "sketches_csv", "summary_csv"]

FORMAT = "clipasso-evaluation-1"


@dataclass(frozen=True)
class Cell:
    """One figure of the tables: a measure of a series' sketches of a class, or of all."""

    measure: Measure
    series: Series
    category: str
    estimate: Estimate


@dataclass(frozen=True, eq=False)
class Evaluation:
    """All that is known in the end.

    Attributes:
        subjects, photos: judged, in the same order.
        series: the columns.
        scored: the sketches.
        rows: the measures.
        panel: who judged; protocol: how.
        made_with: descriptions of the sketches' encoders, and the labels of their series.
        notes: what a reader should know.
        failures: a line on each photo or sketch that could not be used.
    """

    subjects: Sequence[Subject]
    photos: Sequence[Seen]
    series: Sequence[Series]
    scored: Sequence[Scored]
    rows: Sequence[Measure]
    panel: Panel
    protocol: Protocol
    made_with: Mapping[str, Sequence[str]]
    notes: Sequence[str]
    failures: Sequence[str]

    @property
    def categories(self) -> list[str]:
        """The classes, sorted."""
        return sorted({subject.category for subject in self.subjects})

    def summary(self) -> Iterator[Cell]:
        """Every figure there is, overall before single classes."""
        for measure in self.rows:
            for category in [ALL, *self.categories]:
                for series in self.series:
                    if estimate := summarise(measure, self.scored, series, category):
                        yield Cell(measure, series, category, estimate)


def as_json(evaluation: Evaluation, summary: Sequence[Cell], folder: Path) -> dict[str, Any]:
    """Everything but the pictures, as plain values; files are named relative to a folder."""
    return {
        "format": FORMAT,
        "version": __version__,
        "categories": evaluation.categories,
        "prompts": {name: prompt(name) for name in evaluation.categories},
        "series": [
            {"label": s.label, "method": s.method, "strokes": s.strokes} for s in evaluation.series
        ],
        "judges": {
            "category": [judge.name for judge in evaluation.panel.category],
            "instance": [judge.name for judge in evaluation.panel.instance],
        },
        "protocol": asdict(evaluation.protocol),
        "made_with": {name: list(labels) for name, labels in evaluation.made_with.items()},
        "notes": list(evaluation.notes),
        "failures": list(evaluation.failures),
        "photos": [
            {"photo": s.name, "class": s.category, "file": relative(s.path, folder),
             "mask": seen.mask}
            for s, seen in zip(evaluation.subjects, evaluation.photos, strict=True)
        ],
        "sketches": [_sketch(one, folder) for one in evaluation.scored],
        "summary": [_figure(cell) for cell in summary],
        "confusion": list(_confusion(evaluation)),
    }  # fmt: skip


def relative(path: Path, folder: Path) -> str:
    """A path as seen from a folder, so that both may be moved together."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive
        return str(path.resolve())


def _sketch(one: Scored, folder: Path) -> dict[str, Any]:
    drawn = one.drawn
    return {
        "photo": drawn.subject.name,
        "class": drawn.subject.category,
        "series": drawn.series.label,
        "file": relative(drawn.file, folder),
        "encoder": drawn.encoder or None,
        "seconds": drawn.seconds,
        "category": {
            name: {"rank": verdict.rank, "given": list(verdict.given)}
            for name, verdict in one.category.items()
        },
        "instance": {
            name: {"rank": v.rank, "among": v.among, "first": v.first.name}
            for name, v in one.instance.items()
        },
        "ink": None if one.ink is None else asdict(one.ink),
        "edges": None if one.edges is None else asdict(one.edges),
    }


def _figure(cell: Cell) -> dict[str, Any]:
    estimate = cell.estimate
    return {
        "measure": cell.measure.name,
        "judge": cell.measure.judge,
        "unit": cell.measure.unit.replace("%", "rate"),
        "series": cell.series.label,
        "class": cell.category,
        "mean": round(estimate.mean, 6),
        "low": round(estimate.low, 6),
        "high": round(estimate.high, 6),
        "sketches": estimate.count,
        "photos": estimate.groups,
    }


def _confusion(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    for judge in evaluation.panel.category:
        for series in evaluation.series:
            counts = confusions(judge.name, evaluation.scored, series, evaluation.categories)
            if counts is not None:
                yield {"judge": judge.name, "series": series.label,
                       "labels": [*evaluation.categories, "other"],
                       "counts": counts.tolist()}  # fmt: skip


def summary_csv(summary: Sequence[Cell]) -> str:
    """The tables as CSV, a line for each figure; rates are 0..1, intervals of 95 %."""
    return _csv([_figure(cell) for cell in summary])


def sketches_csv(evaluation: Evaluation, folder: Path) -> str:
    """A line for each sketch; a judge's columns bear its name."""
    lines = []
    for one in evaluation.scored:
        row = _sketch(one, folder)
        flat = {k: v for k, v in row.items() if not isinstance(v, dict)}
        flat.pop("ink", None), flat.pop("edges", None)
        for name, verdict in one.category.items():
            flat[f"{name}: class rank"] = verdict.rank
            flat[f"{name}: label given"] = verdict.given[0]
        for name, found in one.instance.items():
            flat[f"{name}: photo rank"] = found.rank
            flat["photos to choose from"] = found.among
        flat |= row["ink"] or {}
        flat |= row["edges"] or {}
        lines.append(flat)
    return _csv(lines)


def _csv(lines: Sequence[Mapping[str, Any]]) -> str:
    columns = list(dict.fromkeys(name for line in lines for name in line))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    for line in lines:
        writer.writerow({
            k: f"{v:.6g}" if isinstance(v, float) else "" if v is None else v
            for k, v in line.items()
        })  # fmt: skip
    return text.getvalue()
