"""Would other queries say the same? A bootstrap over identities, given the seeds.

Queries of one identity share its clothes and its cameras, so they are not independent: identities are resampled, each
with all its queries (the cluster bootstrap, Davison & Hinkley 1997, section 3.8). The interval does not cover other
seeds; the t interval of `effect` does.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reid_search.errors import RequestError

from .effect import LEVEL, ROUNDING, Floats

Labels = Sequence[object] | npt.NDArray[np.generic]

DRAWS = 10_000

_FEW_IDENTITIES = 30
_CELLS_AT_ONCE = 1_000_000  # 8 MB of counts: a replicate of 750 identities takes 750 cells


@dataclass(frozen=True)
class QueryInterval:
    """The mean of a per-query difference, and how far it depends on who is searched for. NaN if undefined.

    Attributes:
        identities: Identities with a query that is used.
        queries: Queries that are used.
        delta: Mean over these queries.
        low: Lower end of the percentile interval.
        high: Upper end.
        note: A caveat.
    """

    identities: int
    queries: int
    delta: float = math.nan
    low: float = math.nan
    high: float = math.nan
    note: str = ""


def bootstrap_queries(
    differences: Floats, identities: Labels, *, generator: np.random.Generator, draws: int = DRAWS, level: float = LEVEL
) -> QueryInterval:
    """Return the mean difference of two arms over queries, with an interval over identities.

    Args:
        differences: Average precision of one arm minus that of the other, `(seeds, queries)`, or `(queries,)` if
            already averaged over seeds. A query counts if it is finite in every seed.
        identities: Identity of each query `(queries,)`.
        generator: Source of the draws.
        draws: Resamples.
        level: 1 − coverage of the interval.

    Raises:
        RequestError: The two do not have the same queries.
    """
    return bootstrap_strata([(differences, identities)], generator=generator, draws=draws, level=level)


def bootstrap_strata(
    strata: Sequence[tuple[Floats, Labels]], *, generator: np.random.Generator, draws: int = DRAWS, level: float = LEVEL
) -> QueryInterval:
    """Return the mean over seeds of the difference of two arms, when groups of seeds were tested on different queries.

    Identities are resampled within each group (a stratum), and a group is weighted by its number of seeds: with one
    seed per group, this is the bootstrap of queries nested in seeds. A stratum is the `differences` and `identities` of
    `bootstrap_queries`, which describes the other arguments and errors too.
    """
    found = [_clusters(*stratum) for stratum in strata]
    if not found or not all(len(clusters.sums) for clusters in found):
        return QueryInterval(0, 0, note="no query is measured in every seed of both arms")
    count = sum(len(clusters.sums) for clusters in found)
    queries = int(sum(clusters.sizes.sum() for clusters in found))
    weights = np.array([clusters.seeds for clusters in found]) / sum(clusters.seeds for clusters in found)
    delta = float(weights @ [clusters.mean for clusters in found])
    if count == len(found):
        return QueryInterval(count, queries, delta, note="one identity: a difference and no interval")
    if all(np.ptp(clusters.sums / clusters.sizes) <= ROUNDING for clusters in found):
        note = "the difference is the same for every identity, so its spread cannot be estimated"
        return QueryInterval(count, queries, delta, delta, delta, note)
    resampled = weights @ [_resampled_means(clusters.sums, clusters.sizes, generator, draws) for clusters in found]
    low, high = np.quantile(resampled, [level / 2, 1 - level / 2])
    note = f"fewer than {_FEW_IDENTITIES} identities: the interval covers less often than it says"
    return QueryInterval(count, queries, delta, float(low), float(high), note if count < _FEW_IDENTITIES else "")


@dataclass(frozen=True)
class _Clusters:
    """The queries of one group of seeds, summed by identity."""

    seeds: int
    sums: Floats
    sizes: Floats

    @property
    def mean(self) -> float:
        return float(self.sums.sum() / self.sizes.sum())


def _clusters(differences: Floats, identities: Labels) -> _Clusters:
    by_seed = np.atleast_2d(np.asarray(differences, dtype=np.float64))
    labels = np.asarray(identities)
    if by_seed.ndim != 2 or labels.shape != by_seed.shape[1:]:
        raise RequestError(
            f"differences of shape {np.shape(differences)} and identities of shape {labels.shape}: expected "
            "(seeds, queries) or (queries,), and one identity a query"
        )
    used = np.isfinite(by_seed).all(axis=0) & (len(by_seed) > 0)
    _, owner = np.unique(labels[used], return_inverse=True)
    sums = np.bincount(owner, weights=by_seed[:, used].mean(axis=0)) if used.any() else np.empty(0)
    return _Clusters(len(by_seed), np.asarray(sums, dtype=np.float64), np.bincount(owner).astype(np.float64))


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
    """Return how often each resample drew each identity `(draws, count)`; five times as fast as a multinomial."""
    drawn = generator.integers(count, size=(draws, count)) + count * np.arange(draws)[:, None]
    return np.bincount(drawn.ravel(), minlength=draws * count).reshape(draws, count).astype(np.float64)
