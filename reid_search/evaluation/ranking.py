"""The Market-1501 rule on distances: counting, not sorting.

For each positive, the negatives at most as far away are counted, so a positive ranks below every negative at the same
distance. The result then does not depend on the order of the gallery, and a collapsed network, for which all distances
are equal, gains nothing from ties.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reid_search.common.arrays import Chunk, Floats, Integers
from reid_search.common.labels import DISTRACTOR, JUNK
from reid_search.errors import ReidSearchError
from reid_search.evaluation.metrics import PER_QUERY
from reid_search.study.metrics import METRICS, Metric


class EvaluationError(ReidSearchError):
    """Features, distances or labels from which no ranking can be measured."""


@dataclass(frozen=True)
class RankingResult:
    """What was measured of a ranking of Q queries.

    Attributes:
        per_query: `(Q, functions)`: the value of each function of `evaluation/metrics.py`, in their order, for each
            query; NaN where it has no match.
        valid: `(Q,)`: whether the query has a match.
        cmc: `(max_rank,)`: share of valid queries whose first positive ranks at most k = 1, 2, …
    """

    per_query: Floats
    valid: npt.NDArray[np.bool_]
    cmc: Floats

    def column(self, name: str) -> Floats:
        """Return the values of a function of `evaluation/metrics.py`, `(Q,)`; NaN where a query has no match."""
        return self.per_query[:, list(PER_QUERY).index(name)]

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


@dataclass(frozen=True)
class Labels:
    """Identities and cameras of queries `(Q,)` and gallery `(G,)`, checked; -1 is junk, 0 a distractor."""

    query_ids: Integers
    gallery_ids: Integers
    query_cameras: Integers
    gallery_cameras: Integers

    @classmethod
    def checked(
        cls,
        query_ids: npt.ArrayLike,
        gallery_ids: npt.ArrayLike,
        query_cameras: npt.ArrayLike,
        gallery_cameras: npt.ArrayLike,
        shape: tuple[int, int],
    ) -> "Labels":
        """Return the labels as integers.

        Raises:
            EvaluationError: A length does not fit, a label is no whole number, a query is junk or a distractor, or a
                gallery identity is below -1.
        """
        given = {
            "query_ids": (query_ids, shape[0]),
            "gallery_ids": (gallery_ids, shape[1]),
            "query_cameras": (query_cameras, shape[0]),
            "gallery_cameras": (gallery_cameras, shape[1]),
        }
        labels = cls(**{name: _integers(name, values, length) for name, (values, length) in given.items()})
        for name, identities, least in (
            ("query_ids", labels.query_ids, DISTRACTOR + 1),
            ("gallery_ids", labels.gallery_ids, JUNK),
        ):
            for row in np.flatnonzero(identities < least)[:1]:
                raise EvaluationError(
                    f"{name}[{row}] = {identities[row]}: expected {least} or more (0: distractor, -1: junk)"
                )
        return labels


def evaluate_distances(
    distances: npt.ArrayLike,
    *,
    query_ids: npt.ArrayLike,
    gallery_ids: npt.ArrayLike,
    query_cameras: npt.ArrayLike,
    gallery_cameras: npt.ArrayLike,
    max_rank: int = 50,
) -> RankingResult:
    """Measure the ranking that distances make; equal distances are ties.

    Args:
        distances: `(Q, G)`, smaller is more alike; any finite numbers.
        query_ids: `(Q,)`, at least 1.
        gallery_ids: `(G,)`; -1 is junk and left out, 0 a distractor and never a match.
        query_cameras: `(Q,)`; gallery images of the query's identity and camera are left out.
        gallery_cameras: `(G,)`.
        max_rank: Length of the CMC curve.

    Raises:
        EvaluationError: Distances are not finite, shapes do not fit, or no query has a match.
    """
    table = np.asarray(distances)
    table = table if np.issubdtype(table.dtype, np.floating) else table.astype(np.float64)
    check_table("distances", table, "queries, gallery")
    labels = Labels.checked(query_ids, gallery_ids, query_cameras, gallery_cameras, (table.shape[0], table.shape[1]))
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
    per_query = np.full((count, len(PER_QUERY)), np.nan)
    valid = np.zeros(count, dtype=np.bool_)
    for query, ranks in _ranks_of_positives(chunks, labels):
        per_query[query] = [function(ranks) for function in PER_QUERY.values()]
        valid[query] = True
    if not valid.any():
        raise EvaluationError(f"none of the {count} queries has a match of another camera in the gallery")
    first = per_query[valid, list(PER_QUERY).index("first_match_rank")]
    return RankingResult(per_query, valid, (first[:, None] <= np.arange(1, max_rank + 1)).mean(axis=0))


def _ranks_of_positives(chunks: Iterable[Chunk], labels: Labels) -> Iterator[tuple[int, Integers]]:
    """Yield each query that has a match, with the ascending ranks of its positives."""
    gallery_ids, gallery_cameras = labels.gallery_ids, labels.gallery_cameras
    order = np.argsort(gallery_ids, kind="stable")
    sorted_ids = gallery_ids[order]
    counted = gallery_ids != JUNK
    for rows, distances in chunks:
        for offset, query in enumerate(range(*rows.indices(len(labels.query_ids)))):
            same = order[slice(*np.searchsorted(sorted_ids, [labels.query_ids[query], labels.query_ids[query] + 1]))]
            positives = same[gallery_cameras[same] != labels.query_cameras[query]]
            if not positives.size:
                continue
            near = np.sort(distances[offset, positives])
            negative = counted.copy()
            negative[same] = False
            candidates = distances[offset][negative & (distances[offset] <= near[-1])]
            nearer = np.searchsorted(np.sort(candidates), near, side="right")
            yield query, nearer + np.arange(1, len(near) + 1)


def _integers(name: str, values: npt.ArrayLike, length: int) -> Integers:
    array = np.asarray(values)
    if array.shape != (length,):
        raise EvaluationError(f"{name}: shape {array.shape}; expected ({length},)")
    whole = array.dtype.kind in "iu" or (
        array.dtype.kind == "f" and bool(np.isfinite(array).all()) and np.array_equal(array, np.floor(array))
    )
    if not whole:
        raise EvaluationError(f"{name}: expected whole numbers, got {array.dtype} such as {array[:1].tolist()}")
    return array.astype(np.int64)
