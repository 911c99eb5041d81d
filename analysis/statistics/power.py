"""What a number of seeds can detect: the power of the one-sample t test on effects per seed."""

import math
from functools import cache

from scipy import optimize, stats

_LEVEL = 0.05
_POWER = 0.8
_MOST_SEEDS = 100_000


def power_of(effect: float, n: int, level: float = _LEVEL) -> float:
    """Return the probability that a two-sided t test of n ≥ 2 seeds detects a true mean.

    `effect` is the mean in standard deviations over seeds.
    """
    critical = float(stats.t.ppf(1 - level / 2, n - 1))
    # The far tail adds less than 1e-4 where the power matters, and its distribution function is NaN in places.
    return float(stats.nct.sf(critical, n - 1, abs(effect) * math.sqrt(n)))


@cache
def detectable(n: int, level: float = _LEVEL, power: float = _POWER) -> float:
    """Return the true mean, in standard errors, that a t test of n seeds detects with probability `power`."""
    df = n - 1
    critical = float(stats.t.ppf(1 - level / 2, df))
    return float(optimize.brentq(lambda effect: stats.nct.sf(critical, df, effect) - power, 0.0, 4 * critical))


def seeds_needed(effect: float, sd: float, level: float = _LEVEL, power: float = _POWER) -> float:
    """Return the smallest number of seeds that detects a true mean with probability `power` in a two-sided t test.

    Args:
        effect: True mean.
        sd: Standard deviation over seeds, in the same unit.
        level: Level of the test.
        power: Probability of detection.

    Returns:
        A whole number of at least 2; infinity if the effect is 0 or more than 100,000 seeds would be needed; NaN if
        effect or deviation is NaN.
    """
    if math.isnan(effect) or math.isnan(sd):
        return math.nan
    if effect == 0:
        return math.inf
    ratio = math.inf if sd == 0 else abs(effect) / sd
    if math.isinf(ratio):
        return 2
    low, high = 1, 2
    while power_of(ratio, high, level) < power:
        low, high = high, 2 * high
        if high > _MOST_SEEDS:
            return math.inf
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power_of(ratio, middle, level) >= power else (middle, high)
    return high
