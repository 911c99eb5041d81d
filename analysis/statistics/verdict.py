"""The verdict on an effect, given the smallest effect that matters."""

import math
from typing import Protocol

from .effect import LEVEL, Effect

SUPPORTED, CONTRADICTED, NEGLIGIBLE, UNDECIDED = "supported", "contradicted", "negligible", "undecided"
PERSISTS, CONTROL_UNDECIDED = "persists under the control", "control undecided"
NO_VERDICT = "no verdict"
CLAIM_VERDICTS = (SUPPORTED, CONTRADICTED, NEGLIGIBLE, PERSISTS, CONTROL_UNDECIDED, UNDECIDED)

INCONCLUSIVE = "inconclusive"


class WithInterval(Protocol):
    """An effect over `n` seeds with an interval, NaN if it has none."""

    @property
    def n(self) -> int: ...  # noqa: D102

    @property
    def low(self) -> float: ...  # noqa: D102

    @property
    def high(self) -> float: ...  # noqa: D102


def of_claim(
    effect: WithInterval,
    smallest: float,
    control: WithInterval | None = None,
    excess: WithInterval | None = None,
    vanishes_within: float | None = None,
) -> str:
    """Return the verdict on the claim that an effect is positive, by its interval alone.

    `negligible`: the interval lies within ± the smallest effect of interest; `contradicted`: it lies below zero;
    `supported`: it lies above zero, and so does that of the excess over the control, if the claim has one. If only the
    excess fails: `persists under the control` where the control's interval lies above what the claim allows it, else
    `control undecided`. Otherwise `undecided`; with fewer than two seeds `no verdict`.

    Args:
        effect: The effect, positive in the claimed direction, with an interval that pays for family and looks.
        smallest: The smallest effect of interest.
        control: The effect under the control's settings; None without a control.
        excess: The effect less the control's.
        vanishes_within: What the control's effect may be; `smallest` if omitted.
    """
    if effect.n < 2:
        return NO_VERDICT
    if -smallest < effect.low and effect.high < smallest:
        return NEGLIGIBLE
    if effect.high < 0:
        return CONTRADICTED
    if not effect.low > 0:
        return UNDECIDED
    if control is None or excess is None or excess.low > 0:
        return SUPPORTED
    return PERSISTS if control.low > (smallest if vanishes_within is None else vanishes_within) else CONTROL_UNDECIDED


def of_contrast(effect: Effect, p: float, smallest: float, sign: int = 1) -> str:
    """Return the verdict on a difference that nobody claimed; `sign` is -1 if less is better.

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


def larger_p(*p_values: float) -> float:
    """Return the p of the claim that all of several effects hold: the largest (intersection-union, Berger 1982)."""
    return math.nan if any(math.isnan(p) for p in p_values) else max(p_values)
