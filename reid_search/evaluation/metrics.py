"""The metrics of one query: functions of the ranks of its matches, each named like its column.

`reid_search/study/metrics.py` lists the metrics and the column that each is the mean of.
"""

from collections.abc import Callable

import numpy as np

from reid_search.common.arrays import Integers

OfQuery = Callable[[Integers], float]

PER_QUERY: dict[str, OfQuery] = {}
PER_DRAW: dict[str, OfQuery] = {}


def per_query(function: OfQuery) -> OfQuery:
    """Register a function of the ranks of one query's matches under its own name.

    It gets the ranks r_1 < … < r_R, from 1, after junk and what the rule leaves out are removed; R is at least 1.
    """
    PER_QUERY[function.__name__] = function
    return function


def per_draw(function: OfQuery) -> OfQuery:
    """Register a function of the ranks in one random gallery; the column is its mean over a query's galleries."""
    PER_DRAW[function.__name__] = function
    return function


@per_query
def average_precision(ranks: Integers) -> float:
    """Return the mean of j / r_j, the rectangular definition (scikit-learn ≥ 0.19, torchreid, fast-reid)."""
    return float((np.arange(1, len(ranks) + 1) / ranks).mean())


@per_query
def average_precision_trapezoidal(ranks: Integers) -> float:
    """Return the mean of ½[(j−1)/(r_j−1) + j/r_j], the first term 1 where r_j = 1 (Market-1501's MATLAB code)."""
    found = np.arange(1, len(ranks) + 1)
    before = np.divide(found - 1, ranks - 1, out=np.ones(len(ranks)), where=ranks > 1)
    return float((0.5 * (before + found / ranks)).mean())


@per_query
def inverse_negative_penalty(ranks: Integers) -> float:
    """Return R / r_R (Ye et al. 2021, section 5)."""
    return float(len(ranks) / ranks[-1])


@per_query
def first_match_rank(ranks: Integers) -> float:
    """Return r_1."""
    return float(ranks[0])


@per_query
def average_precision_at_r(ranks: Integers) -> float:
    """Return the sum of j / r_j over the matches with r_j ≤ R, divided by R (MAP@R, Musgrave et al. 2020)."""
    found = np.arange(1, len(ranks) + 1)
    early = ranks <= len(ranks)
    return float((found[early] / ranks[early]).sum() / len(ranks))


@per_draw
def single_shot_average_precision(ranks: Integers) -> float:
    """Return the average precision; with one match, 1 / r_1."""
    return average_precision(ranks)


@per_draw
def single_shot_rank1(ranks: Integers) -> float:
    """Return whether a match comes first."""
    return float(ranks[0] <= 1)


@per_draw
def single_shot_rank5(ranks: Integers) -> float:
    """Return whether a match is among the first 5."""
    return float(ranks[0] <= 5)


@per_draw
def single_shot_rank10(ranks: Integers) -> float:
    """Return whether a match is among the first 10."""
    return float(ranks[0] <= 10)
