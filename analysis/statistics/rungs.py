"""What the values that trials have on the way say of their ends, where some of them were stopped on the way."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from .effect import LEVEL, ROUNDING, Floats

Curves = Mapping[int, Mapping[int, float]]  # by trial: its value after each epoch
Ends = Mapping[int, float]  # by trial that ran to its end: its value there

FEWEST_ENDS = 5
SAME_ORDER = 0.8  # a rank correlation: below it an order misleads


@dataclass(frozen=True)
class Agreement:
    """How far the order of the trials after an epoch is that of their ends.

    Attributes:
        epoch: The epoch.
        reached: Trials that reached it.
        ends: How many of them ran to their end.
        rho: Their rank correlation (Spearman) over all that reached the epoch, as well as it can be told; else NaN.
        low: Lower end of its 95 % interval.
        high: Upper end.
    """

    epoch: int
    reached: int
    ends: int
    rho: float
    low: float
    high: float


def common_epoch(curves: Curves) -> int | None:
    """Return the last epoch after which every trial has a value; None if there is none."""
    shared = set.intersection(*(set(curve) for curve in curves.values())) if curves else set()
    return max(shared, default=None)


def agreements(curves: Curves, ends: Ends) -> list[Agreement]:
    """Return how far each epoch before the last agrees with the end, in order."""
    last = max((max(curves[trial]) for trial in ends if curves.get(trial)), default=0)
    epochs = sorted({epoch for curve in curves.values() for epoch in curve if epoch < last})
    return [_agreement(epoch, curves, ends) for epoch in epochs]


def holds_from(agreements: Sequence[Agreement]) -> Agreement | None:
    """Return the first epoch from which on the order is that of the end; None if the trials do not tell.

    The interval has to lie above `SAME_ORDER` there and after every later epoch. The first correlation that looks high
    is a maximum over epochs: of ten trials, it names an epoch whose order does not hold in 17 of 100 searches.

    Args:
        agreements: Those of every epoch before the last, in order.
    """
    found = None
    for item in reversed(agreements):
        if not item.low >= SAME_ORDER:
            break
        found = item
    return found


def expected_ends(curves: Curves, ends: Ends) -> dict[int, float]:
    """Return the end of every trial; of one that was stopped, what is expected from its last value.

    It is read off the line that fits the ends of the others to their values after the same epoch. A pruner stops by
    these values alone, so what is missing is missing at random given them, and the line is not biased by the stops
    (Little & Rubin 2019, Statistical Analysis with Missing Data, chapter 1).

    Returns:
        The ends by trial; without the stopped trials where fewer than five others have ends.
    """
    found = dict(ends)
    for trial, curve in curves.items():
        if trial in ends or not curve:
            continue
        epoch = max(curve)
        others = [other for other in ends if epoch in curves.get(other, {})]
        before, after = np.array([[curves[other][epoch], ends[other]] for other in others]).reshape(-1, 2).T
        if len(others) >= FEWEST_ENDS and np.ptp(before) > ROUNDING:
            found[trial] = float(after.mean() + _slope(before, after) * (curve[epoch] - before.mean()))
    return found


def _agreement(epoch: int, curves: Curves, ends: Ends) -> Agreement:
    reached = np.array([curve[epoch] for curve in curves.values() if epoch in curve])
    pairs = [(curves[trial][epoch], end) for trial, end in ends.items() if epoch in curves.get(trial, {})]
    before, after = np.array(pairs).reshape(-1, 2).T
    unknown = Agreement(epoch, len(reached), len(pairs), math.nan, math.nan, math.nan)
    if len(pairs) < FEWEST_ENDS or np.ptp(before) <= ROUNDING or np.ptp(after) <= ROUNDING:
        return unknown
    if len(pairs) == len(reached):
        rho, (low, high) = float(stats.spearmanr(before, after).statistic), (-1.0, 1.0)
        low, high = _interval(rho, len(pairs))
        return Agreement(epoch, len(reached), len(pairs), rho, low, high)
    wider = float(reached.std(ddof=1) / before.std(ddof=1))
    correlation = float(np.corrcoef(before, after)[0, 1])
    rho, low, high = (_of_all(each, wider) for each in (correlation, *_interval(correlation, len(pairs))))
    return Agreement(epoch, len(reached), len(pairs), rho, low, high)


def _of_all(correlation: float, wider: float) -> float:
    """Return the rank correlation of all trials from the correlation of those that a pruner left.

    Stopping narrows what is left, and so its correlation. Where it stops by one of the two values, Thorndike's second
    formula (1949, Personnel Selection) gives that of all from how much wider they are spread, and 6/π · asin(r/2) is
    the rank correlation of normal values (Pearson 1907).
    """
    whole = correlation * wider / math.sqrt(1 + correlation**2 * (wider**2 - 1))
    return 6 / math.pi * math.asin(min(1.0, max(-1.0, whole)) / 2)


def _interval(correlation: float, count: int) -> tuple[float, float]:
    """Return Fisher's 95 % interval of a correlation, with the error of a rank correlation (Bonett & Wright 2000)."""
    if abs(correlation) >= 1 - ROUNDING:
        return correlation, correlation
    error = float(stats.norm.ppf(1 - LEVEL / 2)) * math.sqrt((1 + correlation**2 / 2) / (count - 3))
    return math.tanh(math.atanh(correlation) - error), math.tanh(math.atanh(correlation) + error)


def _slope(before: Floats, after: Floats) -> float:
    return float(np.polyfit(before, after, 1)[0])
