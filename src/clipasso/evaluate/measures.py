"""Ranks, rates and how sure they are."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clipasso.errors import ClipassoError

__all__ = ["Estimate", "bootstrap", "confusion", "draw_distractors", "rank_of", "standard_error"]


@dataclass(frozen=True)
class Estimate:
    """A mean with its confidence interval.

    Attributes:
        mean, low, high: in the unit of what was averaged.
        count: of values behind it.
        groups: of photos (or people) that these come from.
    """

    mean: float
    low: float
    high: float
    count: int
    groups: int


def bootstrap(
    values: ArrayLike,
    groups: Sequence[Hashable] | None = None,
    *,
    confidence: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Estimate:
    """The mean of some values, and the percentile interval of a bootstrap over their groups.

    Values of one group (sketches of one photo) are drawn together, for they are not independent.

    Args:
        values: `[n]`, finite, at least one.
        groups: of each value; by default every value is its own.
        confidence: 0..1, of the two-sided interval.
        draws: resamplings; seed: of them, so that the same values give the same interval.

    Raises:
        ClipassoError: no values.
    """
    x = np.asarray(values, np.float64)
    if x.ndim != 1 or not len(x):
        raise ClipassoError("a mean needs at least one value")
    names = list(range(len(x))) if groups is None else list(groups)
    index = {name: k for k, name in enumerate(dict.fromkeys(names))}
    which = np.array([index[name] for name in names])
    sums = np.bincount(which, x, len(index))
    counts = np.bincount(which, minlength=len(index)).astype(np.float64)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(index), np.full(len(index), 1 / len(index)), draws)
    means = (drawn @ sums) / (drawn @ counts)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Estimate(float(x.mean()), float(low), float(high), len(x), len(index))


def rank_of(scores: ArrayLike, own: int) -> int:
    """The place of one candidate among all, 1 being the best.

    Ties count against it, so that a judge who sees no difference does not seem to know.

    Args:
        scores: `[candidates]`, the higher the better; own: the right one's index.
    """
    x = np.asarray(scores, np.float64)
    return int((x >= x[own]).sum()) if np.isfinite(x[own]) else len(x)


def draw_distractors(own: int, others: Sequence[int], count: int, seed: int) -> list[int]:
    """The candidates of one instance-level question: the right one first, then distractors.

    Args:
        own: index of the right photo.
        others: indices that distractors are drawn from; `own` among them is passed over.
        count: distractors wanted, all there are where there are fewer, or where it is 0.
        seed: fixes the draw together with `own`, so that every judge and level of abstraction
            is asked the same question.
    """
    pool = [k for k in others if k != own]
    if 0 < count < len(pool):
        rng = np.random.default_rng([seed, own])
        pool = [pool[k] for k in sorted(rng.choice(len(pool), count, replace=False))]
    return [own, *pool]


def confusion(
    right: Sequence[str], given: Sequence[str], labels: Sequence[str]
) -> NDArray[np.intp]:
    """Counts `[right, given]` in the order of `labels`, which hold every right class.

    A given label that is none of them is counted in an additional last column.
    """
    index = {label: k for k, label in enumerate(labels)}
    table = np.zeros((len(labels), len(labels) + 1), np.intp)
    for row, column in zip(right, given, strict=True):
        table[index[row], index.get(column, len(labels))] += 1
    return table


def standard_error(successes: int, answers: int) -> float:
    """Of a rate, sqrt(p (1 - p) / n): what the paper's table 2 gives beside its rates.

    Its figures fit a binomial over single answers: 36 % of some 300 answers give 3 %.
    """
    if answers < 1:
        raise ClipassoError("a rate needs at least one answer")
    rate = successes / answers
    return sqrt(rate * (1 - rate) / answers)
