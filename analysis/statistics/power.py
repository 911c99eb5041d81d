"""What a number of seeds can find: power of the one-sample t test over the effects of seeds."""

import math
from functools import cache

from scipy import optimize, stats

_LEVEL = 0.05
_POWER = 0.8
_MOST_SEEDS = 100_000


def power_of(effect: float, n: int, level: float = _LEVEL) -> float:
    """Return the probability that a two-sided t test of n seeds finds a true mean.

    Args:
        effect: True mean, in standard deviations of the effect over seeds.
        n: Seeds, at least 2.
        level: Level of the test.
    """
    df = n - 1
    critical = float(stats.t.ppf(1 - level / 2, df))
    shift = abs(effect) * math.sqrt(n)
    # The far tail adds less than 1e-4 where the power is worth knowing, and its distribution function is NaN in places.
    return float(stats.nct.sf(critical, df, shift))


@cache
def detectable(n: int, level: float = _LEVEL, power: float = _POWER) -> float:
    """Return the true mean, in standard errors, that a t test of n seeds finds with the wanted probability."""
    df = n - 1
    critical = float(stats.t.ppf(1 - level / 2, df))
    return float(optimize.brentq(lambda effect: stats.nct.sf(critical, df, effect) - power, 0.0, 4 * critical))


def seeds_needed(effect: float, sd: float, level: float = _LEVEL, power: float = _POWER) -> float:
    """Return the smallest number of seeds that finds a true mean with the wanted probability.

    Args:
        effect: True mean.
        sd: Standard deviation over seeds, in the same unit.
        level: Level of the two-sided test.
        power: Wanted probability.

    Returns:
        A whole number of at least 2; infinity where the effect is 0 or more than 100,000 seeds would be needed; NaN
        where one of the two is not known.
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
