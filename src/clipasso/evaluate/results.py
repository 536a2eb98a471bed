"""Score every sketch, and average."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clipasso.errors import ClipassoError
from clipasso.evaluate.ink import (
    MOST_STROKES,
    EdgeAgreement,
    InkStatistics,
    darkness,
    edge_agreement,
    ink_statistics,
    object_edges,
)
from clipasso.evaluate.looks import SVG, see_sketch
from clipasso.evaluate.measures import Estimate, bootstrap, confusion, draw_distractors, rank_of
from clipasso.photo.folders import listed

if TYPE_CHECKING:
    from clipasso.evaluate.looks import Look
    from clipasso.evaluate.panel import Panel
    from clipasso.evaluate.series import Drawn, Series
    from clipasso.evaluate.subjects import Seen, Subject
    from clipasso.vector.sketch import Sketch

__all__ = [
    "ALL", "CategoryVerdict", "InstanceVerdict", "Measure", "Protocol", "Scored", "confusions",
    "measures", "score", "summarise",
]  # fmt: skip

ALL = "all classes"
"""What stands for every class in a summary."""


@dataclass(frozen=True)
class Protocol:
    """How instances are asked for.

    Attributes:
        among: `class`: distractors are photos of the same class, as in the paper; `all`: any.
        distractors: how many, or all there are if these are fewer; 0 is all there are.
        seed: of their draw, which is the same for all judges and series.
    """

    among: str = "class"
    distractors: int = 4
    seed: int = 0

    def candidates(self, subjects: Sequence[Subject]) -> list[list[int]]:
        """Indices of the photos that each subject stands among, its own first."""
        everyone = range(len(subjects))
        return [
            draw_distractors(
                own,
                [k for k in everyone
                 if self.among == "all" or subjects[k].category == subjects[own].category],
                self.distractors, self.seed,
            )
            for own in everyone
        ]  # fmt: skip


@dataclass(frozen=True)
class InstanceVerdict:
    """The rank of a sketch's own photo, among so many, and the photo ranked first."""

    rank: int
    among: int
    first: Subject


@dataclass(frozen=True)
class CategoryVerdict:
    """The rank of a sketch's own class, and the labels ranked first, best first."""

    rank: int
    given: tuple[str, ...]


@dataclass(frozen=True)
class Scored:
    """A sketch and all that was found of it; judges by name.

    `instance` is empty where there was nothing to tell apart, `ink` None for what is not made of
    strokes alone and for sketches of very many, `edges` None where the photo has none.
    """

    drawn: Drawn
    instance: Mapping[str, InstanceVerdict] = field(default_factory=dict)
    category: Mapping[str, CategoryVerdict] = field(default_factory=dict)
    ink: InkStatistics | None = None
    edges: EdgeAgreement | None = None


@dataclass(frozen=True)
class Measure:
    """A row of the tables.

    Attributes:
        name: of the measure; judge: who measured, "" for what is counted.
        unit: `%` for rates (0..1), `px`, `s` or "".
        value: of a sketch; None where it has none.
    """

    name: str
    judge: str
    unit: str
    value: Callable[[Scored], float | None]


def score(
    drawn: Sequence[Drawn],
    subjects: Sequence[Subject],
    photos: Sequence[Seen],
    panel: Panel,
    protocol: Protocol,
    on_scored: Callable[[Drawn], None] = lambda drawn: None,
) -> tuple[list[Scored], list[str], list[str]]:
    """Show every sketch to every judge.

    Args:
        drawn: sketches of the subjects; photos: of these, in their order.

    Returns:
        What was found, a line on each sketch that cannot be read, and lines on what is to be known
        of the others.
    """
    index = {subject: k for k, subject in enumerate(subjects)}
    candidates = protocol.candidates(subjects)
    edges = [object_edges(seen.photo.pixels, seen.inside) for seen in photos]
    found, failures = [], []
    remarks = _Remarks()
    for one in drawn:
        own = index[one.subject]
        try:
            look = see_sketch(one.file)
        except ClipassoError as error:
            failures.append(str(error))
            continue
        remarks.add(one, look)
        pixels = look.pixels
        instance = {}
        if len(candidates[own]) > 1:
            for judge in panel.instance:
                alike = judge.similarities(pixels)[candidates[own]]
                first = subjects[candidates[own][int(alike.argmax())]]
                instance[judge.name] = InstanceVerdict(rank_of(alike, 0), len(alike), first)
        category = {}
        for namer in panel.category:
            fits = namer.scores(pixels)
            best = tuple(namer.labels[k] for k in np.argsort(-fits, kind="stable")[:3])
            right = namer.labels.index(one.subject.category)
            category[namer.name] = CategoryVerdict(rank_of(fits, right), best)
        found.append(Scored(
            one, instance, category, _ink(look.strokes),
            edge_agreement(darkness(pixels), edges[own]),
        ))  # fmt: skip
        on_scored(one)
    return found, failures, remarks.lines()


class _Remarks:
    """Which sketches of a series look otherwise than one would think."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], list[str]] = {}

    def add(self, drawn: Drawn, look: Look) -> None:
        """Look at a sketch."""
        if look.blank:
            self._add(drawn, "blank, and judged as blank sheets")
        elif look.strokes is None and drawn.file.suffix.lower() in SVG:
            self._add(drawn, "judged as they look, without figures of strokes, for they hold more")
        if look.lost:
            self._add(drawn, "drawn without the other files that they show", listed(look.lost))

    def _add(self, drawn: Drawn, what: str, more: str = "") -> None:
        name = f"{drawn.file.parent.name}/{drawn.file.name}" + (f" ({more})" if more else "")
        self._names.setdefault((drawn.series.label, what), []).append(name)

    def lines(self) -> list[str]:
        """A line for each series and kind."""
        return [
            f"{label}: {len(names)} of the sketches {'is' if len(names) == 1 else 'are'} {what}: "
            f"{listed(names)}"
            for (label, what), names in self._names.items()
        ]


def _ink(strokes: Sketch | None) -> InkStatistics | None:
    if strokes is None or len(strokes) > MOST_STROKES:
        return None
    return ink_statistics(strokes)


def measures(panel: Panel) -> Iterator[Measure]:
    """Every row there is for a panel, in the order of the report."""
    for judge in panel.category:
        yield Measure("class, top-1", judge.name, "%", _category(judge.name, 1))
        yield Measure("class, top-3", judge.name, "%", _category(judge.name, 3))
    if panel.category:
        labels = len(panel.category[0].labels)
        yield Measure("class, by chance", "", "%", lambda scored: 1 / labels)
    for name in [judge.name for judge in panel.instance]:
        yield Measure("photo, ranked first", name, "%", _instance(name, lambda v: v.rank == 1))
        yield Measure("photo, reciprocal rank", name, "", _instance(name, lambda v: 1 / v.rank))
    if panel.instance:
        first = panel.instance[0].name
        yield Measure("photo, by chance", "", "%", _instance(first, lambda v: 1 / v.among))
    for key, name, unit in (
        ("precision", "ink within 4 px of an edge", "%"),
        ("recall", "edges within 4 px of ink", "%"),
        ("ink_to_edge", "from ink to edge", "px"),
        ("edge_to_ink", "from edge to ink", "px"),
    ):
        yield Measure(name, "", unit, _part("edges", key))
    for key, name, unit in (
        ("strokes", "strokes", ""), ("dead", "strokes that carry nothing", ""),
        ("length", "length of all strokes", "px"), ("coverage", "canvas covered", "%"),
        ("overlap", "ink on other ink", "%"),
    ):  # fmt: skip
        yield Measure(name, "", unit, _part("ink", key))
    yield Measure("time per sketch", "", "s", lambda scored: scored.drawn.seconds)


def _category(judge: str, top: int) -> Callable[[Scored], float | None]:
    return lambda scored: float(scored.category[judge].rank <= top)


def _instance(
    judge: str, value: Callable[[InstanceVerdict], float]
) -> Callable[[Scored], float | None]:
    def of(scored: Scored) -> float | None:
        verdict = scored.instance.get(judge)
        return None if verdict is None else float(value(verdict))

    return of


def _part(part: str, key: str) -> Callable[[Scored], float | None]:
    def of(scored: Scored) -> float | None:
        found = getattr(scored, part)
        return None if found is None else float(getattr(found, key))

    return of


def summarise(
    measure: Measure, scored: Sequence[Scored], series: Series, category: str = ALL
) -> Estimate | None:
    """A measure's mean over the sketches of a series, with a 95 % interval over photos.

    Returns:
        None where no sketch has a value.
    """
    pairs = [
        (measure.value(one), one.drawn.subject)
        for one in scored
        if one.drawn.series == series and category in (ALL, one.drawn.subject.category)
    ]
    known = [(value, subject) for value, subject in pairs if value is not None]
    if not known:
        return None
    values, groups = zip(*known, strict=True)
    return bootstrap(values, groups)


def confusions(
    judge: str, scored: Sequence[Scored], series: Series, categories: Sequence[str]
) -> NDArray[np.intp] | None:
    """Counts `[class, label given]` of a series, the last column for labels of no class.

    Returns:
        None where the series has no sketch.
    """
    rows = [one for one in scored if one.drawn.series == series]
    if not rows:
        return None
    given = [one.category[judge].given[0] for one in rows]
    return confusion([one.drawn.subject.category for one in rows], given, categories)
