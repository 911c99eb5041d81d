"""The statistic that decides claims: Wilcoxon's signed-rank test over seeds, with its own estimate and interval.

One effect per seed is what a claim rests on. The t test trusts their distribution, and with a few seeds that collapse
or scatter unequally it is wrong too often (`benchmarks/answers.py` measures both). The signed-rank test is exact for
every symmetric distribution. The estimate is the median of the Walsh averages, the means of all pairs of effects
(Hodges & Lehmann 1963). The interval holds the effects that the test does not reject (Tukey 1949; Hollander, Wolfe &
Chicken 2014, section 3.3), so interval and p never disagree. Equal and zero values count against a finding.
"""

import math
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from .effect import ROUNDING, Floats

NO_SEED = "no seed is finished in both arms"
ONE_SEED = "one seed: an effect and no verdict"


@dataclass(frozen=True)
class RankEffect:
    """The centre of an effect over seeds, with its uncertainty. NaN if undefined.

    Attributes:
        n: Seeds in which it was measured.
        delta: Hodges & Lehmann's estimate of its centre.
        low: Lower end of the interval that misses the truth in at most a share `level` of studies; NaN if so few seeds
            allow no such interval.
        high: Upper end.
        level: The level that was asked for.
        p: Two-sided p of the signed-rank test against 0.
        sd: Sample standard deviation.
        p_improve: Share of seeds in which it is positive; ties count half.
        note: A caveat.
        values: The effect of each seed.
    """

    n: int
    delta: float = math.nan
    low: float = math.nan
    high: float = math.nan
    level: float = math.nan
    p: float = math.nan
    sd: float = math.nan
    p_improve: float = math.nan
    note: str = ""
    values: tuple[float, ...] = field(default=(), repr=False)


def rank_effect(effects: Floats, level: float) -> RankEffect:
    """Return the centre of one effect per seed `(n,)`, with an interval at a level; values not finite are ignored."""
    effects = np.asarray(effects, dtype=np.float64)
    effects = effects[np.isfinite(effects)]
    n = len(effects)
    if n == 0:
        return RankEffect(0, level=level, note=NO_SEED)
    signs = np.where(np.abs(effects) <= ROUNDING, 0.0, np.sign(effects))
    improving = float((signs + 1).mean() / 2)
    if n == 1:
        return RankEffect(
            1, float(effects[0]), level=level, p_improve=improving, note=ONE_SEED, values=(float(effects[0]),)
        )
    averages = walsh_averages(effects)
    cut = cut_off(n, level)
    low, high = (averages[cut - 1], averages[-cut]) if cut else (math.nan, math.nan)
    return RankEffect(
        n=n,
        delta=float(np.median(averages)),
        low=float(low),
        high=float(high),
        level=level,
        p=signed_rank_p(averages, n),
        sd=float(effects.std(ddof=1)),
        p_improve=improving,
        values=tuple(map(float, effects)),
    )


def walsh_averages(effects: Floats) -> Floats:
    """Return the means of all pairs of effects `(n,)`, each with itself too, in order `(n (n + 1) / 2,)`."""
    first, second = np.triu_indices(len(effects))
    averages = (effects[first] + effects[second]) / 2
    return np.sort(np.where(np.abs(averages) <= ROUNDING, 0.0, averages))


def signed_rank_p(averages: Floats, n: int) -> float:
    """Return the two-sided p of the effect 0, from the Walsh averages of n effects; averages of 0 speak for it."""
    against = len(averages) - max(int((averages > 0).sum()), int((averages < 0).sum()))
    return min(1.0, 2 * float(tails(n)[against]))


def cut_off(n: int, level: float) -> int:
    """Return k such that the k-th smallest and k-th largest Walsh averages enclose the effects not rejected.

    0 if so few seeds reject nothing at this level.
    """
    below = tails(n)
    return int(np.searchsorted(below, level / 2 * (1 + 1e-12), side="right"))


def spent(n: int, level: float) -> float:
    """Return the error rate that the two-sided test of n seeds has at a level: at most the level, as p has steps."""
    cut = cut_off(n, level)
    return float(2 * tails(n)[cut - 1]) if cut else 0.0


@cache
def tails(n: int) -> Floats:
    """Return P(T ≤ t) of the sum T of the positive ranks of n values that are symmetric about 0, for t = 0, 1, ...

    The exact distribution: each rank is positive with probability ½.
    """
    counts = np.ones(1)
    for rank in range(1, n + 1):
        grown = np.zeros(len(counts) + rank)
        grown[: len(counts)] += counts / 2
        grown[rank:] += counts / 2
        counts = grown
    return np.minimum(1.0, np.cumsum(counts))
