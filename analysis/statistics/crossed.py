"""Would other seeds and other people say the same? An interval over two crossed samples: seeds and identities.

Every seed is tested on the same identities, so a difference of arms has a value for each seed and identity, and both
are drawn: y = mean + seed + identity + seed × identity (two-way random effects; Searle, Casella & McCulloch
1992, chapter 4). The variance of the mean is estimated by that of the seeds' means over the seeds plus that of the
identities' means over the identities. Each of the two holds the interaction, which is thus counted twice, so that the
interval covers rather too often than too rarely; a bootstrap of both at once does so too (Owen 2007, "The pigeonhole
bootstrap"). Its degrees of freedom are Satterthwaite's (1946).

Queries of one identity share its clothes and its cameras, so the identity is drawn, with all its queries. A mean over
queries is the ratio of two sums over identities, and its variance is that of the ratio (Cochran 1977, section 6.3);
where all identities have as many queries, it is the mean of the identities' means.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import stats

from reid_search.errors import RequestError

from .effect import ROUNDING, Floats

Labels = Sequence[object] | npt.NDArray[np.generic]


@dataclass(frozen=True)
class CrossedEffect:
    """The mean of an effect over seeds and queries, with an interval for other seeds and people. NaN if undefined.

    Attributes:
        n: Seeds in which it was measured.
        identities: Identities with a query that is used.
        delta: Mean over seeds and queries.
        low: Lower end of the interval that misses the truth in about a share `level` of studies, or fewer.
        high: Upper end.
        level: The level that was asked for.
        note: Why there is no interval.
    """

    n: int = 0
    identities: int = 0
    delta: float = math.nan
    low: float = math.nan
    high: float = math.nan
    level: float = math.nan
    note: str = ""


def crossed_effect(parts: Sequence[tuple[Floats, Labels]], level: float) -> CrossedEffect:
    """Return the mean effect over seeds and queries, with an interval for other seeds and other people.

    Args:
        parts: For each data set, the effect in every seed and query `(seeds, queries)` and the identity of each query.
            An effect is the sum of its parts, and all have the same seeds: a difference between differences may span
            two data sets. A query counts if it is finite in every seed.
        level: 1 − coverage of the interval.

    Raises:
        RequestError: Queries and identities, or the seeds of two parts, do not fit each other.
    """
    found = [_crossed(*part) for part in parts]
    if not found or not all(part.identities for part in found):
        return CrossedEffect(level=level, note="no query is measured in every seed of all arms")
    seeds = {len(part.by_seed) for part in found}
    if len(seeds) > 1:
        raise RequestError(f"data sets with {' and '.join(map(str, sorted(seeds)))} seeds; expected the same in each")
    samples = [np.sum([part.by_seed for part in found], axis=0), *(part.by_identity for part in found)]
    mean, sizes = float(samples[0].mean()), np.array([len(sample) for sample in samples])
    effect = CrossedEffect(int(sizes[0]), int(sizes[1:].sum()), mean, level=level)
    if sizes.min() < 2:
        return replace(effect, note=f"one {'seed' if effect.n < 2 else 'identity'}: a difference and no interval")
    half = _half_width(np.array([sample.var(ddof=1) for sample in samples]), sizes, level)
    return replace(effect, low=mean - half, high=mean + half)


def _half_width(variances: Floats, sizes: npt.NDArray[np.int_], level: float) -> float:
    """Return half the width of an interval for a mean to which each sample adds its variance over its size."""
    parts = variances / sizes
    total = float(parts.sum())
    if total <= ROUNDING**2:
        return 0.0
    freedom = total**2 / float((parts**2 / (sizes - 1)).sum())
    return float(stats.t.ppf(1 - level / 2, freedom)) * math.sqrt(total)


@dataclass(frozen=True)
class _Part:
    """An effect on one data set: its mean over queries in each seed, and how far each identity moves the mean."""

    by_seed: Floats
    by_identity: Floats

    @property
    def identities(self) -> int:
        return len(self.by_identity)


def _crossed(differences: Floats, identities: Labels) -> _Part:
    values, labels = np.asarray(differences, dtype=np.float64), np.asarray(identities)
    if values.ndim != 2 or labels.shape != values.shape[1:]:
        raise RequestError(
            f"differences of shape {values.shape} and identities of shape {labels.shape}: expected (seeds, queries), "
            "and one identity a query"
        )
    used = np.isfinite(values).all(axis=0) & (len(values) > 0)
    if not used.any():
        return _Part(np.empty(0), np.empty(0))
    _, owner = np.unique(labels[used], return_inverse=True)
    by_query = values[:, used]
    by_seed = by_query.mean(axis=1)
    sizes = np.bincount(owner).astype(np.float64)
    sums = np.bincount(owner, weights=by_query.mean(axis=0))
    return _Part(by_seed, (sums - by_seed.mean() * sizes) / sizes.mean())
