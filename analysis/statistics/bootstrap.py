"""Would other queries say the same? A bootstrap over identities, given the seeds.

Queries of one identity share its clothes and its cameras, so they are not independent: identities are resampled, each
with all its queries (the cluster bootstrap, Davison & Hinkley 1997, section 3.8). The interval says nothing of other
seeds; that is the t interval of `effect`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reid_search.errors import RequestError

from .effect import LEVEL, ROUNDING

Floats = npt.NDArray[np.float64]

_FEW_IDENTITIES = 30
_CELLS_AT_ONCE = 1_000_000  # 8 MB of counts: a replicate of 750 identities takes 750 cells


@dataclass(frozen=True)
class QueryInterval:
    """The mean of a per-query difference, and how far it depends on who is searched for. NaN where it is not defined.

    Attributes:
        identities: Identities with a query that is used.
        queries: Queries that are used.
        delta: Mean over these queries.
        low: Lower end of the percentile interval.
        high: Upper end.
        note: What is odd about it.
    """

    identities: int
    queries: int
    delta: float = math.nan
    low: float = math.nan
    high: float = math.nan
    note: str = ""


def bootstrap_queries(
    differences: Floats,
    identities: Sequence[object] | npt.NDArray[np.generic],
    *,
    generator: np.random.Generator,
    draws: int = 10_000,
    level: float = LEVEL,
) -> QueryInterval:
    """Return the mean difference of two arms over queries, with an interval over identities.

    Args:
        differences: Average precision of one arm minus that of the other, `(seeds, queries)`, or `(queries,)` where
            seeds are averaged already. A query counts where it is finite in every seed.
        identities: Identity of each query `(queries,)`.
        generator: Source of the draws.
        draws: Resamples.
        level: 1 − coverage of the interval.

    Raises:
        RequestError: The two do not have the same queries.
    """
    by_seed = np.atleast_2d(np.asarray(differences, dtype=np.float64))
    labels = np.asarray(identities)
    if by_seed.ndim != 2 or labels.shape != by_seed.shape[1:]:
        raise RequestError(
            f"differences of shape {np.shape(differences)} and identities of shape {labels.shape}: expected "
            "(seeds, queries) or (queries,), and one identity a query"
        )
    used = np.isfinite(by_seed).all(axis=0) & (len(by_seed) > 0)
    if not used.any():
        return QueryInterval(0, 0, note="no query is measured in every seed of both arms")
    names, owner = np.unique(labels[used], return_inverse=True)
    values = by_seed[:, used].mean(axis=0)
    sums = np.asarray(np.bincount(owner, weights=values), dtype=np.float64)
    sizes = np.bincount(owner).astype(np.float64)
    count, queries, delta = len(names), len(values), float(values.mean())
    if count == 1:
        return QueryInterval(1, queries, delta, note="one identity: a difference and no interval")
    if np.ptp(sums / sizes) <= ROUNDING:
        note = "the difference is the same for every identity, so its spread cannot be estimated"
        return QueryInterval(count, queries, delta, delta, delta, note)
    low, high = np.quantile(_resampled_means(sums, sizes, generator, draws), [level / 2, 1 - level / 2])
    note = f"fewer than {_FEW_IDENTITIES} identities: the interval covers less often than it says"
    return QueryInterval(count, queries, delta, float(low), float(high), note if count < _FEW_IDENTITIES else "")


def _resampled_means(sums: Floats, sizes: Floats, generator: np.random.Generator, draws: int) -> Floats:
    """Return the mean over queries of every resample."""
    count = len(sums)
    at_once = max(1, _CELLS_AT_ONCE // count)
    means = np.empty(draws)
    for start in range(0, draws, at_once):
        times = _times_drawn(generator, min(at_once, draws - start), count)
        means[start : start + len(times)] = (times @ sums) / (times @ sizes)
    return means


def _times_drawn(generator: np.random.Generator, draws: int, count: int) -> Floats:
    """Return how often each resample holds each identity `(draws, count)`; five times as fast as a multinomial."""
    drawn = generator.integers(count, size=(draws, count)) + count * np.arange(draws)[:, None]
    return np.bincount(drawn.ravel(), minlength=draws * count).reshape(draws, count).astype(np.float64)
