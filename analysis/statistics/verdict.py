"""From an effect, and the smallest that matters, to a verdict."""

import math

from .effect import LEVEL, Effect

SUPPORTED, CONTRADICTED, INCONCLUSIVE, NO_VERDICT = "supported", "contradicted", "inconclusive", "no verdict"
VANISHES, PERSISTS, REVERSES, OPEN = "vanishes", "persists", "reverses", "open"


def of_claim(effect: Effect, p: float, smallest: float) -> str:
    """Return the verdict on the claim that an effect is positive and large enough to matter.

    `contradicted`: the interval's upper end lies under the smallest effect of interest, also where the effect is surely
    positive; `supported`: p < .05 and the effect is positive; `no verdict`: fewer than two seeds; else `inconclusive`.

    Args:
        effect: The effect.
        p: Its p, adjusted for the family that it belongs to.
        smallest: Smallest effect of interest.
    """
    if effect.n < 2:
        return NO_VERDICT
    if effect.high < smallest:
        return CONTRADICTED
    return SUPPORTED if p < LEVEL and effect.delta > 0 else INCONCLUSIVE


def of_contrast(effect: Effect, p: float, smallest: float, sign: int = 1) -> str:
    """Return the verdict on a difference of which no direction was claimed.

    `equivalent`: the interval lies inside ± the smallest effect of interest; `better` or `worse`: p < .05; else
    `inconclusive`; `no verdict` with fewer than two seeds.

    Args:
        effect: The difference.
        p: Its p, adjusted for the family that it belongs to.
        smallest: Smallest difference of interest.
        sign: -1 where a fall is better.
    """
    if effect.n < 2:
        return NO_VERDICT
    if -smallest < effect.low and effect.high < smallest:
        return "equivalent"
    if p < LEVEL:
        return "better" if sign * effect.delta > 0 else "worse"
    return INCONCLUSIVE


def of_control(effect: Effect, smallest: float) -> str:
    """Return whether an effect is gone where it must be: `vanishes`, `persists`, `reverses` or `open`.

    "Not significant" is not "no effect": `vanishes` needs the interval inside ± the smallest effect of interest.
    """
    if effect.n < 2:
        return NO_VERDICT
    if -smallest < effect.low and effect.high < smallest:
        return VANISHES
    if effect.p < LEVEL:
        return PERSISTS if effect.delta > 0 else REVERSES
    return OPEN


def larger_p(*p_values: float) -> float:
    """Return the p of the claim that all of several effects hold: the largest (intersection-union, Berger 1982)."""
    return math.nan if any(math.isnan(p) for p in p_values) else max(p_values)
