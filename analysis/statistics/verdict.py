"""The verdict on an effect, given the smallest effect that matters."""

import math

from .effect import LEVEL, Effect

SUPPORTED, CONTRADICTED, INCONCLUSIVE, NO_VERDICT = "supported", "contradicted", "inconclusive", "no verdict"
VANISHES, PERSISTS, REVERSES, OPEN = "vanishes", "persists", "reverses", "open"


def of_claim(effect: Effect, p: float, smallest: float) -> str:
    """Return the verdict on the claim that an effect is positive and large enough to matter.

    `contradicted`: the interval's upper end is below the smallest effect of interest, even if the effect is certainly
    positive; `supported`: p (adjusted for its family) < .05 and the effect is positive; `no verdict`: fewer than two
    seeds; else `inconclusive`.
    """
    if effect.n < 2:
        return NO_VERDICT
    if effect.high < smallest:
        return CONTRADICTED
    return SUPPORTED if p < LEVEL and effect.delta > 0 else INCONCLUSIVE


def of_contrast(effect: Effect, p: float, smallest: float, sign: int = 1) -> str:
    """Return the verdict on a difference without a claimed direction; `sign` is -1 if less is better.

    `equivalent`: the interval lies inside ± the smallest effect of interest; `better` or `worse`: p (adjusted for its
    family) < .05; else `inconclusive`; `no verdict` with fewer than two seeds.
    """
    if effect.n < 2:
        return NO_VERDICT
    if -smallest < effect.low and effect.high < smallest:
        return "equivalent"
    if p < LEVEL:
        return "better" if sign * effect.delta > 0 else "worse"
    return INCONCLUSIVE


def of_control(effect: Effect, smallest: float) -> str:
    """Return whether an effect vanishes as it must: `vanishes`, `persists`, `reverses` or `open`.

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
