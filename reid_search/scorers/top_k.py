"""Re-scoring of each query's nearest gallery images; the rest keep their order."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from reid_search.common.arrays import Chunk, Distances, Floats, Integers
from reid_search.scorers.scorer import Scorer, on_grid


@dataclass(frozen=True)
class Candidates:
    """The gallery images of one query that are scored again, nearest first.

    `features` are `(K, D)`, `identities` `(K,)` (-1 junk, 0 a distractor), `distances` `(K,)` from the first stage.
    """

    features: Floats
    identities: Integers
    distances: Floats


class TopKRescorer(Scorer):
    """Scores the K = `top` nearest images of each query again, or the whole gallery if K is None or larger.

    The K come first, ordered by their new scores; all others follow in the order of the first stage (the merge rule of
    Shen et al. 2018's related code). Any gallery image may be among the K, including junk and images of the query's own
    camera, as in the published systems, which do not know the labels. Images tied across the K-th place are all left
    out: otherwise the order of the gallery would decide which of them belong to the K, and a network whose features are
    all equal would be re-scored by chance.
    """

    def __init__(self, top: int | None) -> None:
        self._top = top

    @abstractmethod
    def rescore(self, query: Floats, candidates: Candidates) -> Floats:
        """Return how alike each of K ≥ 1 candidates and the query `(D,)` are, `(K,)`; larger is more alike."""

    def chunks(self, query: Floats, gallery: Floats, gallery_ids: Integers, distances: Distances) -> Iterator[Chunk]:
        """Yield distances in which the K nearest are negative and the others as in the first stage."""
        for rows, first_stage in distances(query, gallery):
            merged = np.empty(first_stage.shape)
            for offset, feature in enumerate(query[rows]):
                row = first_stage[offset]
                places = nearest_places(row, self._top)
                candidates = Candidates(gallery[places], gallery_ids[places], row[places])
                scores = self.rescore(feature, candidates) if places.size else np.empty(0)
                merged[offset] = merge(row, places, scores)
            yield rows, merged


def nearest_places(distances: Floats, top: int | None) -> Integers:
    """Return the places of the `top` nearest images (all if None), nearest first, given their distances `(G,)`.

    Images tied across the last place are left out.
    """
    if top is None or top >= len(distances):
        return np.argsort(distances, kind="stable")
    first_outside = np.partition(distances, top)[top]
    inside = np.flatnonzero(distances < first_outside)
    return inside[np.argsort(distances[inside], kind="stable")]


def merge(distances: Floats, places: Integers, scores: Floats) -> Floats:
    """Return the distances `(G,)` with the images at `places` `(K,)` moved to the front, ordered by scores `(K,)`.

    Ties stay ties. If a score is not finite, these distances become NaN.
    """
    merged = distances.astype(np.float64)
    if not np.isfinite(scores).all():
        merged[places] = np.nan
        return merged
    levels, rank = np.unique(-on_grid(scores), return_inverse=True)
    merged[places] = min(0.0, float(distances.min())) - len(levels) + rank
    return merged
