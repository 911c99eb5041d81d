"""The Market-1501 rule on distances: counting, not sorting.

For each positive, the negatives at most as far away are counted, so a positive ranks behind every negative at the same
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


class EvaluationError(ReidSearchError):
    """Features, distances or labels from which no ranking can be measured."""


@dataclass(frozen=True)
class RankingResult:
    """What a ranking is worth. Values lie in [0, 1]; Q is the number of queries.

    Attributes:
        mean_ap: Mean over valid queries of the rectangular average precision, the mean of j / r_j over the ranks
            r_1 < … < r_R of the positives (scikit-learn ≥ 0.19, torchreid, fast-reid).
        mean_ap_trapezoidal: The same with ½[(j−1)/(r_j−1) + j/r_j], the first term 1 where r_j = 1 (the official
            MATLAB code of Market-1501).
        mean_inp: Mean of R / r_R (Ye et al. 2021, section 5).
        cmc: `(max_rank,)`: share of valid queries whose first positive ranks at most k = 1, 2, …
        average_precision: `(Q,)`, NaN where a query has no match.
        average_precision_trapezoidal: `(Q,)`, NaN where a query has no match.
        inverse_negative_penalty: `(Q,)`, NaN where a query has no match.
        first_match_rank: `(Q,)` rank of the first positive, 0 where a query has no match.
        valid: `(Q,)`: whether the query has a match.
    """

    mean_ap: float
    mean_ap_trapezoidal: float
    mean_inp: float
    cmc: Floats
    average_precision: Floats
    average_precision_trapezoidal: Floats
    inverse_negative_penalty: Floats
    first_match_rank: Integers
    valid: npt.NDArray[np.bool_]

    @property
    def queries_without_match(self) -> int:
        """Queries that no mean counts."""
        return int((~self.valid).sum())


@dataclass(frozen=True)
class Labels:
    """Identities and cameras of queries and gallery, checked.

    Attributes:
        query_ids: `(Q,)`.
        gallery_ids: `(G,)`; -1 is junk, 0 a distractor.
        query_cameras: `(Q,)`.
        gallery_cameras: `(G,)`.
    """

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
        wrong = np.flatnonzero(labels.query_ids <= DISTRACTOR)
        if wrong.size:
            identity = labels.query_ids[wrong[0]]
            raise EvaluationError(
                f"query_ids[{wrong[0]}] = {identity}: a query's identity is 1 or more (0: distractor, -1: junk)"
            )
        wrong = np.flatnonzero(labels.gallery_ids < JUNK)
        if wrong.size:
            identity = labels.gallery_ids[wrong[0]]
            raise EvaluationError(
                f"gallery_ids[{wrong[0]}] = {identity}: an identity is 1 or more, 0 (distractor) or -1 (junk)"
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
    if table.ndim != 2 or 0 in table.shape:
        raise EvaluationError(f"distances: shape {table.shape}; expected (queries, gallery) with at least one of each")
    table = table if np.issubdtype(table.dtype, np.floating) else table.astype(np.float64)
    wrong = np.flatnonzero(~np.isfinite(table).all(axis=1))
    if wrong.size:
        raise EvaluationError(
            f"distances: {wrong.size} of {len(table)} queries have NaN or infinity, first in row {wrong[0]}"
        )
    labels = Labels.checked(query_ids, gallery_ids, query_cameras, gallery_cameras, (table.shape[0], table.shape[1]))
    return measure(((slice(row, row + 1), table[row : row + 1]) for row in range(len(table))), labels, max_rank)


def measure(chunks: Iterable[Chunk], labels: Labels, max_rank: int) -> RankingResult:
    """Measure the ranking of chunks of queries.

    Args:
        chunks: Which queries, and their distances `(chunk, G)`.
        labels: Identities and cameras.
        max_rank: Length of the CMC curve.
    """
    if max_rank < 1:
        raise EvaluationError(f"max_rank: {max_rank}; expected 1 or more")
    count = len(labels.query_ids)
    precision, trapezoidal, penalty = (np.full(count, np.nan) for _ in range(3))
    first = np.zeros(count, dtype=np.int64)
    for query, ranks in _ranks_of_positives(chunks, labels):
        found = np.arange(1, len(ranks) + 1)
        at = found / ranks
        before = np.divide(found - 1, ranks - 1, out=np.ones(len(ranks)), where=ranks > 1)
        precision[query] = at.mean()
        trapezoidal[query] = (0.5 * (before + at)).mean()
        penalty[query] = len(ranks) / ranks[-1]
        first[query] = ranks[0]
    valid = first > 0
    if not valid.any():
        raise EvaluationError(f"none of the {count} queries has a match of another camera in the gallery")
    return RankingResult(
        mean_ap=float(precision[valid].mean()),
        mean_ap_trapezoidal=float(trapezoidal[valid].mean()),
        mean_inp=float(penalty[valid].mean()),
        cmc=(first[valid][:, None] <= np.arange(1, max_rank + 1)).mean(axis=0),
        average_precision=precision,
        average_precision_trapezoidal=trapezoidal,
        inverse_negative_penalty=penalty,
        first_match_rank=first,
        valid=valid,
    )


def _ranks_of_positives(chunks: Iterable[Chunk], labels: Labels) -> Iterator[tuple[int, Integers]]:
    """Yield each query that has a match, with the ascending ranks of its positives among what is not left out."""
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
