"""An effect measured once per seed: its mean, its uncertainty, and the effect that would have been detected.

The seed is the unit of inference: seed s fixes initialisation, order and augmentation of every arm, so a change is
measured within each seed. Intervals are t intervals, which keep their level at three or five seeds; a percentile
bootstrap does not.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from .power import detectable

Floats = npt.NDArray[np.float64]

LEVEL = 0.05
ROUNDING = 1e-12  # differences of numbers in [0, 1] that are equal but for rounding


@dataclass(frozen=True)
class Effect:
    """The mean of an effect over seeds. NaN if undefined.

    Attributes:
        n: Seeds in which it was measured.
        delta: Mean.
        low: Lower end of the 95 % t interval.
        high: Upper end.
        p: Two-sided p of the t test against 0.
        sd: Sample standard deviation.
        p_improve: Share of seeds in which it is positive; ties count half.
        detectable: The true mean that this n and `sd` detect with probability .8 at p < .05.
        note: A caveat.
    """

    n: int
    delta: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan
    sd: float = math.nan
    p_improve: float = math.nan
    detectable: float = math.nan
    note: str = ""


def mean_effect(effects: Floats) -> Effect:
    """Return the mean of one effect per seed `(n,)`; values that are not finite are ignored."""
    effects = np.asarray(effects, dtype=np.float64)
    effects = effects[np.isfinite(effects)]
    n = len(effects)
    if n == 0:
        return Effect(0, note="no seed is finished in both arms")
    delta, signs = float(effects.mean()), np.where(np.abs(effects) <= ROUNDING, 0.0, np.sign(effects))
    improving = float((signs + 1).mean() / 2)
    if n == 1:
        return Effect(1, delta, p_improve=improving, note="one seed: an effect and no verdict")
    if np.ptp(effects) <= ROUNDING:
        # The limit of the t test as the spread goes to zero; the note keeps a reader from trusting it too much.
        p = 1.0 if abs(delta) <= ROUNDING else 0.0
        note = "the difference is the same for every seed, so its spread cannot be estimated"
        return Effect(n, delta, delta, delta, p, 0.0, improving, note=note)
    spread = float(effects.std(ddof=1))
    error = spread / math.sqrt(n)
    half = float(stats.t.ppf(1 - LEVEL / 2, n - 1)) * error
    p = float(2 * stats.t.sf(abs(delta) / error, n - 1))
    return Effect(n, delta, delta - half, delta + half, p, spread, improving, detectable(n) * error)


def opposed(delta: npt.ArrayLike, other: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Say where two differences of shares have opposite signs; one that is zero but for rounding has none."""
    values = np.asarray(delta, np.float64), np.asarray(other, np.float64)
    signs = [np.where(np.abs(value) > ROUNDING, np.sign(value), 0) for value in values]
    return np.asarray(signs[0] * signs[1] < 0)
