"""From distances to a ranking under a data set's rule: counting, not sorting.

For each positive, the negatives at most as far away are counted, so a positive ranks below every negative at the same
distance. The result then does not depend on the order of the gallery, and a collapsed network, for which all distances
are equal, gains nothing from ties.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from reid_search.common.arrays import Chunk, Floats, Integers
from reid_search.common.leaving_out import Booleans
from reid_search.evaluation.labels import Columns, EvaluationError, Labels, with_cameras
from reid_search.evaluation.metrics import PER_DRAW, PER_QUERY
from reid_search.evaluation.single_shot import Draws
from reid_search.study.metrics import METRICS, Metric
from reid_search.study.rules import MARKET_RULE, EvaluationRule


@dataclass(frozen=True)
class RankingResult:
    """What was measured of a ranking of Q queries.

    Attributes:
        per_query: `(Q, functions)`: the value of each function of `names` for each query; NaN where it has no match.
        valid: `(Q,)`: whether the query has a match.
        cmc: `(max_rank,)`: share of valid queries whose first positive ranks at most k = 1, 2, …; under a rule with
            random galleries, the mean over these.
        names: Functions of `evaluation/metrics.py`; those of one draw only where the rule draws galleries.
    """

    per_query: Floats
    valid: Booleans
    cmc: Floats
    names: tuple[str, ...] = tuple(PER_QUERY)

    def column(self, name: str) -> Floats:
        """Return the values of a function of `evaluation/metrics.py`, `(Q,)`; NaN where a query has no match."""
        return self.per_query[:, self.names.index(name)]

    def mean(self, metric: Metric) -> float:
        """Return a metric: the mean over valid queries of its column, or the share of them within its bound.

        Raises:
            EvaluationError: The mean lies outside the metric's range, so its function is wrong.
        """
        values = self.column(metric.column)[self.valid]
        mean = float((values if metric.within is None else values <= metric.within).mean())
        low, high = metric.range
        if not low <= mean <= high:
            raise EvaluationError(f"metric '{metric.name}': {mean} lies outside its range, {low} to {high}")
        return mean

    @property
    def mean_ap(self) -> float:
        """Mean of `average_precision` over valid queries, in [0, 1]."""
        return self.mean(METRICS["mAP"])

    @property
    def mean_ap_trapezoidal(self) -> float:
        """Mean of `average_precision_trapezoidal` over valid queries, in [0, 1]."""
        return self.mean(METRICS["mAP_trapezoidal"])

    @property
    def mean_inp(self) -> float:
        """Mean of `inverse_negative_penalty` over valid queries, in [0, 1]."""
        return self.mean(METRICS["mINP"])

    @property
    def average_precision(self) -> Floats:
        """`(Q,)`, rectangular, NaN where a query has no match."""
        return self.column("average_precision")

    @property
    def first_match_rank(self) -> Integers:
        """`(Q,)` rank of the first positive, 0 where a query has no match."""
        return np.nan_to_num(self.column("first_match_rank"), nan=0.0).astype(np.int64)

    @property
    def queries_without_match(self) -> int:
        """Queries that the means leave out."""
        return int((~self.valid).sum())


def evaluate_distances(
    distances: npt.ArrayLike,
    *,
    query_ids: npt.ArrayLike,
    gallery_ids: npt.ArrayLike,
    query_cameras: npt.ArrayLike | None = None,
    gallery_cameras: npt.ArrayLike | None = None,
    rule: EvaluationRule = MARKET_RULE,
    columns: Columns | None = None,
    max_rank: int = 50,
) -> RankingResult:
    """Measure the ranking that distances make; equal distances are ties.

    Args:
        distances: `(Q, G)`, smaller is more alike; any finite numbers.
        query_ids: `(Q,)`, at least 1.
        gallery_ids: `(G,)`; -1 is junk and left out, 0 a distractor and never a match.
        query_cameras: `(Q,)`; where the rule compares cameras, as that of Market-1501 does.
        gallery_cameras: `(G,)`.
        rule: What is left out for a query, and which gallery is searched.
        columns: What else the rule compares: by name (`clothes`, `image`), the labels of queries `(Q,)` and of the
            gallery `(G,)`.
        max_rank: Length of the CMC curve.

    Raises:
        EvaluationError: Distances are not finite, shapes do not fit, a column is missing, or no query has a match.
    """
    table = np.asarray(distances)
    table = table if np.issubdtype(table.dtype, np.floating) else table.astype(np.float64)
    check_table("distances", table, "queries, gallery")
    given = with_cameras(query_cameras, gallery_cameras, columns)
    labels = Labels.checked(query_ids, gallery_ids, given, (table.shape[0], table.shape[1]), rule)
    return measure(((slice(row, row + 1), table[row : row + 1]) for row in range(len(table))), labels, max_rank)


def check_table(name: str, table: npt.NDArray[np.floating], axes: str) -> None:
    """Raise an EvaluationError unless a table has two axes, at least one row and column, and finite values."""
    if table.ndim != 2 or 0 in table.shape:
        raise EvaluationError(f"{name}: shape {table.shape}; expected ({axes}) with at least one of each")
    wrong = np.flatnonzero(~np.isfinite(table).all(axis=1))
    if wrong.size:
        rows = axes.partition(",")[0]
        raise EvaluationError(
            f"{name}: {wrong.size} of {len(table)} {rows} have NaN or infinity, first in row {wrong[0]}"
        )


def measure(chunks: Iterable[Chunk], labels: Labels, max_rank: int) -> RankingResult:
    """Measure the ranking of chunks of queries, given their distances `(chunk, G)`."""
    if max_rank < 1:
        raise EvaluationError(f"max_rank: {max_rank}; expected 1 or more")
    count = len(labels.query_ids)
    single_shot = labels.rule.single_shot
    draws = Draws.drawn(labels, single_shot) if single_shot else None
    names = (*PER_QUERY, *PER_DRAW) if draws else tuple(PER_QUERY)
    per_query = np.full((count, len(names)), np.nan)
    within = np.zeros(max_rank)
    valid = np.zeros(count, dtype=np.bool_)
    for query, distances in _rows(chunks, count):
        matches, others = labels.candidates(query)
        if not matches.size:
            continue
        valid[query] = True
        ranks = _ranks(distances, matches, others)
        values = [function(ranks) for function in PER_QUERY.values()]
        if draws:
            in_draws = draws.ranks(distances, labels.query_ids[query], matches)
            values += [float(np.mean([function(ranks) for ranks in in_draws])) for function in PER_DRAW.values()]
            within += (in_draws[:, :1] <= np.arange(1, max_rank + 1)).mean(axis=0)
        per_query[query] = values
    if not valid.any():
        raise labels.no_match()
    result = RankingResult(per_query, valid, within / valid.sum(), names)
    return result if draws else replace(result, cmc=_cmc(result.column("first_match_rank")[valid], max_rank))


def _rows(chunks: Iterable[Chunk], count: int) -> Iterator[tuple[int, Floats]]:
    """Yield each query with its distances `(G,)`."""
    for rows, distances in chunks:
        yield from zip(range(*rows.indices(count)), distances, strict=True)


def _ranks(distances: Floats, matches: Integers, others: Booleans) -> Integers:
    """Return the ascending ranks of a query's matches: for each, the others at most as far away are counted."""
    near = np.sort(distances[matches])
    candidates = distances[others & (distances <= near[-1])]
    nearer = np.searchsorted(np.sort(candidates), near, side="right")
    ranks: Integers = nearer + np.arange(1, len(near) + 1)
    return ranks


def _cmc(first: Floats, max_rank: int) -> Floats:
    curve: Floats = (first[:, None] <= np.arange(1, max_rank + 1)).mean(axis=0)
    return curve
