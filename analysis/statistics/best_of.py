"""What the best of some of the trials of a search is worth on average over the orders in which they might have come."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from .effect import Floats

_OUTER = 0.1  # share of the orders beyond each end of the band


@dataclass(frozen=True)
class BestOfSome:
    """The best of so many trials, over all their orders.

    Attributes:
        trials: Numbers of trials.
        mean: Its mean over the orders in which any of them finished.
        low: What it reaches in nine of ten of these orders.
        high: What it exceeds in one of ten.
    """

    trials: Sequence[int]
    mean: Floats
    low: Floats
    high: Floats


def best_of_some(values: Sequence[float], others: int, sizes: Sequence[int]) -> BestOfSome:
    """Return what the best of the first k of n trials is worth over all orders of the n.

    Every k of the n trials are equally likely to come first, so the best of them is at most the i-th smallest value
    with probability C(m, k) / C(n, k), where m trials are no better: order statistics of draws without replacement. It
    is the expected validation performance of Dodge et al. 2019 (Show Your Work), which draws with replacement and is
    then too low (Tang et al. 2020).

    Args:
        values: What the trials that finished reached, at least one.
        others: Number of trials that did not finish, which are the best of none.
        sizes: The numbers k of trials, from 1 to all.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    no_better = np.arange(others, others + len(ordered) + 1, dtype=np.float64)
    wanted = np.asarray(sizes, dtype=np.float64)[:, None]
    at_most = np.exp(_log_choices(no_better, wanted) - _log_choices(np.array([no_better[-1]]), wanted))
    chances = np.diff(at_most, axis=1)
    chances /= chances.sum(axis=1, keepdims=True)
    below = np.cumsum(chances, axis=1)

    def quantile(share: float) -> Floats:
        return np.asarray(ordered[np.minimum((below < share - 1e-12).sum(axis=1), len(ordered) - 1)])

    return BestOfSome(list(sizes), chances @ ordered, quantile(_OUTER), quantile(1 - _OUTER))


def _log_choices(of: Floats, wanted: Floats) -> Floats:
    """Return log C(of, wanted) for each pair, −∞ where there are fewer than wanted."""
    enough = of >= wanted
    rest = np.where(enough, of - wanted, 0.0)
    return np.where(enough, gammaln(of + 1) - gammaln(wanted + 1) - gammaln(rest + 1), -np.inf)
