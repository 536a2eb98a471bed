"""An evaluation as one HTML page that needs nothing beside itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from clipasso._version import __version__
from clipasso.evaluate.paper import COLUMNS, PAPER
from clipasso.evaluate.pictures import image_tag, jpeg_uri, sketch_tag
from clipasso.evaluate.results import ALL, confusions

if TYPE_CHECKING:
    from clipasso.evaluate.report import Cell, Evaluation
    from clipasso.evaluate.results import Measure, Scored
    from clipasso.evaluate.subjects import Subject

__all__ = ["SAFE", "write_page"]

Tag = Callable[[Path], str]

SAFE = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
    "style-src 'unsafe-inline'{more}\">"
)
"""Tells the browser to fetch nothing, whatever the page may hold."""

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 76em; padding: 0 1em;
  color: #111; background: #fff }
table { border-collapse: collapse; margin: 1em 0 }
th, td { padding: .25em .8em; border-bottom: 1px solid #ddd; text-align: right;
  vertical-align: top; font-weight: normal }
th:first-child, td:first-child { text-align: left }
thead th { border-bottom: 2px solid #111 }
small { color: #555; white-space: nowrap }
.gallery td { text-align: center; padding: .4em }
.gallery svg, .gallery img { width: 160px; height: 160px; display: block; margin: auto }
.right { background: #e4f2e4 } .wrong { color: #a11 }
"""


def write_page(evaluation: Evaluation, summary: Sequence[Cell]) -> str:
    """The page's text.

    Args:
        summary: of the evaluation.

    Raises:
        ClipassoError: a sketch that was there a moment ago cannot be read.
    """
    tag = cache(sketch_tag)  # a sketch may be shown several times
    body = "\n".join([
        "<h1>How recognisable the sketches are</h1>",
        *_about(evaluation),
        *_main_table(evaluation, summary),
        *_paper_table(),
        *_class_tables(evaluation, summary),
        *_confusion_tables(evaluation),
        *_gallery(evaluation, tag),
        *_failures(evaluation, tag),
    ])  # fmt: skip
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"{SAFE.format(more='')}\n<title>Evaluation of sketches</title>\n"
        f"<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _about(evaluation: Evaluation) -> Iterator[str]:
    photos, classes = len(evaluation.subjects), len(evaluation.categories)
    yield (
        f"<p>Photos: {photos}. Classes: {classes}. Sketches: {len(evaluation.scored)}. "
        f"clipasso {__version__}.</p>"
    )
    yield "<ul>"
    for encoder, labels in evaluation.made_with.items():
        made = encoder or "an encoder or a method that is not on record"
        yield f"<li>{escape(', '.join(labels))}: made with {escape(made)}</li>"
    if not evaluation.panel.category:
        yield (
            "<li>No judge of classes was at work, so nothing is said of whether a sketch's class "
            "can be recognised.</li>"
        )
    yield from (f"<li>{escape(note)}</li>" for note in evaluation.notes)
    yield from (f'<li class="wrong">{escape(line)}</li>' for line in evaluation.failures)
    protocol = evaluation.protocol
    whence = "the same class" if protocol.among == "class" else "any class"
    count = f"up to {protocol.distractors}" if protocol.distractors else "all"
    yield (
        f"<li>A sketch's photo stands among {count} others of {whence}; a photo that has none is "
        "not asked for. Ties count as errors. Brackets are 95 % intervals of a bootstrap over "
        "photos; they know nothing of other photos than these, and are empty where all agree.</li>"
    )
    yield "</ul>"


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]], kind: str = "") -> Iterator[str]:
    """Cells are HTML already."""
    yield f'<table class="{kind}"><thead><tr>'
    yield "".join(f"<th>{cell}</th>" for cell in heading) + "</tr></thead><tbody>"
    for row in rows:
        yield "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>"
    yield "</tbody></table>"


def _figure(cell: Cell | None) -> str:
    if cell is None:
        return ""
    unit, found = cell.measure.unit, cell.estimate
    factor, form = (100, ".0f") if unit == "%" else (1, ".2f" if unit == "" else ".1f")
    mean, low, high = (
        format(factor * value, form) for value in (found.mean, found.low, found.high)
    )
    shown = f"{mean}{f' {unit}' if unit else ''}"
    return f"{shown} <small>[{low}, {high}]</small>" if found.groups > 1 else shown


def _title(measure: Measure) -> str:
    judge = f" <small>{escape(measure.judge)}</small>" if measure.judge else ""
    return escape(measure.name) + judge


def _main_table(evaluation: Evaluation, summary: Sequence[Cell]) -> Iterator[str]:
    found = {(c.measure, c.series): c for c in summary if c.category == ALL}
    rows = []
    for measure in evaluation.rows:
        cells = [_figure(found.get((measure, series))) for series in evaluation.series]
        if any(cells):
            rows.append([_title(measure), *cells])
    yield "<h2>All classes</h2>"
    yield from _table(["", *(escape(s.label) for s in evaluation.series)], rows)


def _paper_table() -> Iterator[str]:
    yield "<h2>The paper's own figures</h2>"
    yield (
        "<p>Tables 2 and 3 of Vinker et al. 2022: other photos, other people, sketches optimised "
        "with CLIP RN101. They compare with a row above only where the judge is the same.</p>"
    )
    rows = [[f"{escape(name)} <small>{table}</small>",
             *(escape(value).replace(" ", "&nbsp;") for value in values)]
            for table, name, values in PAPER]  # fmt: skip
    yield from _table(["", *map(escape, COLUMNS)], rows)


def _class_tables(evaluation: Evaluation, summary: Sequence[Cell]) -> Iterator[str]:
    yield "<h2>By class</h2>"
    for measure in evaluation.rows:
        found = {(c.category, c.series): c for c in summary if c.measure is measure}
        if not found:
            continue
        rows = [
            [escape(name), *(_figure(found.get((name, s))) for s in evaluation.series)]
            for name in evaluation.categories
        ]
        yield f"<details><summary>{_title(measure)}</summary>"
        yield from _table(["", *(escape(s.label) for s in evaluation.series)], rows)
        yield "</details>"


def _confusion_tables(evaluation: Evaluation) -> Iterator[str]:
    if evaluation.panel.category:
        yield "<h2>Labels given</h2><p>A row is a class, a column the label given.</p>"
    names = evaluation.categories
    for judge in evaluation.panel.category:
        for series in evaluation.series:
            counts = confusions(judge.name, evaluation.scored, series, names)
            if counts is None:
                continue
            rows = [
                [escape(name), *(str(n) if n else "" for n in counts[k].tolist())]
                for k, name in enumerate(names)
            ]
            title = f"{escape(series.label)} <small>{escape(judge.name)}</small>"
            yield f"<details><summary>{title}</summary>"
            yield from _table(["", *map(escape, names), "other"], rows)
            yield "</details>"


def _gallery(evaluation: Evaluation, tag: Tag) -> Iterator[str]:
    yield "<h2>Sketches</h2>"
    by_place = {(one.drawn.subject, one.drawn.series): one for one in evaluation.scored}
    for category in evaluation.categories:
        rows = []
        for subject, seen in zip(evaluation.subjects, evaluation.photos, strict=True):
            if subject.category != category:
                continue
            cells = [image_tag(jpeg_uri(seen.photo.pixels)) + escape(subject.path.name)]
            for series in evaluation.series:
                one = by_place.get((subject, series))
                cells.append("" if one is None else _shown(one, tag))
            rows.append(cells)
        yield f"<h3>{escape(category)}</h3>"
        heading = ["photo", *(escape(s.label) for s in evaluation.series)]
        yield from _table(heading, rows, "gallery")


def _shown(one: Scored, tag: Tag) -> str:
    """A sketch with the verdicts on it."""
    picture = tag(one.drawn.file)
    lines = [f"{v.rank} of {v.among}" for v in one.instance.values()]
    told = ", ".join(lines)
    labels = [escape(v.given[0]) for v in one.category.values()]
    return picture + "<br>".join(filter(None, [", ".join(labels), f"<small>{told}</small>"]))


def _failures(evaluation: Evaluation, tag: Tag) -> Iterator[str]:
    """Sketches taken for another class or for another photo, with what they were taken for."""
    photos = dict(zip(evaluation.subjects, evaluation.photos, strict=True))
    yield "<h2>Taken for something else</h2>"
    rows = []
    for one in evaluation.scored:
        own: Subject = one.drawn.subject
        for name, verdict in one.category.items():
            if verdict.rank > 1:
                rows.append([_what(one, name), _shown(one, tag), escape(own.category),
                             f'<span class="wrong">{escape(verdict.given[0])}</span>'])  # fmt: skip
        for name, found in one.instance.items():
            if found.rank > 1:
                right, given = (
                    image_tag(jpeg_uri(photos[s].photo.pixels, 160)) + escape(s.name)
                    for s in (own, found.first)
                )
                rows.append([_what(one, name), _shown(one, tag), right, given])
    if not rows:
        yield "<p>None.</p>"
        return
    yield from _table(["judge", "sketch", "right", "given"], rows, "gallery")


def _what(one: Scored, judge: str) -> str:
    return f"{escape(judge)}<br>{escape(one.drawn.series.label)}"
