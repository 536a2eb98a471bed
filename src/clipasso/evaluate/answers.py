"""What people answered, as a table like the paper's table 2."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clipasso.errors import ClipassoError
from clipasso.evaluate.measures import standard_error
from clipasso.evaluate.results import ALL

__all__ = ["FORMAT", "Answer", "Rate", "answers_csv", "rates", "read_answers"]

FORMAT = "clipasso-answers-1"
_TEXTS = ("part", "class", "series", "right")


@dataclass(frozen=True)
class Answer:
    """To one question.

    Attributes:
        sitting: of a person with a questionnaire.
        method, series, category: of the sketch.
        part: `category` or `instance`, what was asked for.
        right: whether it was; none: whether it was "None".
    """

    sitting: str
    method: str
    series: str
    category: str
    part: str
    right: bool
    none: bool


@dataclass(frozen=True)
class Rate:
    """Of right answers.

    Attributes:
        part, method, series, category: whose; `all` for all classes.
        answers, people: how many.
        rate: 0..1, "None" being wrong; error: its standard error over answers.
        none: part of the answers that is "None".
        sure: the rate without these (section C.1); None where all were.
    """

    part: str
    method: str
    series: str
    category: str
    answers: int
    people: int
    rate: float
    error: float
    none: float
    sure: float | None


def read_answers(paths: Sequence[Path]) -> list[Answer]:
    """Answers that the questionnaire's page saved; a file handed in twice counts once.

    Raises:
        ClipassoError: a file that is none, or of another questionnaire than the first.
    """
    found: dict[str, list[Answer]] = {}
    study = None
    for path in paths:
        held = _load(path)
        if study not in (None, held["study"]):
            raise ClipassoError(
                f"{path}: answers to another questionnaire than {paths[0]}; score them apart"
            )
        study = held["study"]
        sitting = f"{held['person']}-{held['session']}"
        found[sitting] = [
            Answer(
                sitting, held["method"], a["series"], a["class"], a["part"],
                a["given"] == a["right"], a["given"] is None,
            )
            for a in held["answers"]
        ]  # fmt: skip
    if not any(found.values()):
        raise ClipassoError(f"{paths[0]}: holds no answer")
    return [answer for answers in found.values() for answer in answers]


def _load(path: Path) -> dict[str, Any]:
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ClipassoError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        held = None
    try:
        good = (
            held["format"] == FORMAT
            and isinstance(held["method"], str)
            and {"study", "person", "session"} <= set(held)
            and all(isinstance(a[key], str) for a in held["answers"] for key in _TEXTS)
            and all(a["given"] is None or isinstance(a["given"], str) for a in held["answers"])
        )
    except (TypeError, KeyError):
        good = False
    if not good:
        raise ClipassoError(f"{path}: no answers of clipasso study; give files that its page saved")
    return dict(held)


def rates(answers: Iterable[Answer]) -> list[Rate]:
    """Rates by part, method and series, over all classes first and then for each.

    Every answer counts the same, whichever version of the questionnaire it belongs to (section C).
    """
    groups: dict[tuple[str, str, str, str], list[Answer]] = {}
    answers = list(answers)
    classes = sorted({answer.category for answer in answers})
    for part in ("category", "instance"):
        for category in [ALL, *classes]:
            for one in answers:
                if one.part == part and category in (ALL, one.category):
                    groups.setdefault((part, one.method, one.series, category), []).append(one)
    return [_rate(key, group) for key, group in groups.items()]


def _rate(key: tuple[str, str, str, str], group: Sequence[Answer]) -> Rate:
    right = sum(answer.right for answer in group)
    sure = sum(not answer.none for answer in group)
    return Rate(
        *key, len(group), len({answer.sitting for answer in group}), right / len(group),
        standard_error(right, len(group)), 1 - sure / len(group), right / sure if sure else None,
    )  # fmt: skip


def answers_csv(found: Sequence[Rate]) -> str:
    """A line for each rate; rates are 0..1."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([
        "asked for", "method", "series", "class", "answers", "people", "rate", "standard error",
        "none", "rate without none",
    ])  # fmt: skip
    for r in found:
        writer.writerow([
            "class" if r.part == "category" else "photo", r.method, r.series, r.category,
            r.answers, r.people, f"{r.rate:.6g}", f"{r.error:.6g}", f"{r.none:.6g}",
            "" if r.sure is None else f"{r.sure:.6g}",
        ])  # fmt: skip
    return text.getvalue()
