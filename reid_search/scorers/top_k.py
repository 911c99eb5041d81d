"""Re-scoring of each query's nearest gallery images; the others keep their order behind them."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from reid_search.common.arrays import Chunk, Distances, Floats, Integers
from reid_search.scorers.scorer import Scorer, on_grid


@dataclass(frozen=True)
class Candidates:
    """The gallery images of one query that are scored again, nearest first.

    Attributes:
        features: `(K, D)`.
        identities: `(K,)`; -1 is junk, 0 a distractor.
        distances: `(K,)` from the first stage.
    """

    features: Floats
    identities: Integers
    distances: Floats


class TopKRescorer(Scorer):
    """Scores the K nearest images of each query again (the merge rule of Shen et al. 2018's sibling code).

    The K come first, in the order of their new scores; all others follow in the order of the first stage. All gallery
    images may be among the K, junk and images of the query's own camera too, as in the published systems, which do not
    know the labels. Images that tie across the K-th place are left out, all of them: which of them belonged to the K
    would depend on the order of the gallery, and a network whose features are all equal would be re-scored by chance.

    Args:
        top: K; the whole gallery where None or where it has no more.
    """

    def __init__(self, top: int | None) -> None:
        self._top = top

    @abstractmethod
    def rescore(self, query: Floats, candidates: Candidates) -> Floats:
        """Return how alike each candidate is to the query, `(K,)`; larger is more alike, and K is at least 1.

        Args:
            query: `(D,)`.
            candidates: The images to be scored.
        """

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
    """Return where the `top` nearest images stand, nearest first, without those that tie across the last place.

    Args:
        distances: `(G,)`.
        top: How many; all where None.
    """
    if top is None or top >= len(distances):
        return np.argsort(distances, kind="stable")
    first_outside = np.partition(distances, top)[top]
    inside = np.flatnonzero(distances < first_outside)
    return inside[np.argsort(distances[inside], kind="stable")]


def merge(distances: Floats, places: Integers, scores: Floats) -> Floats:
    """Return distances in which some images come first, by their scores; the others keep theirs. Ties stay ties.

    Args:
        distances: `(G,)` of the first stage.
        places: `(K,)` which images come first.
        scores: `(K,)`, larger is more alike. Scores that are not finite are not hidden.
    """
    merged = distances.astype(np.float64)
    if not np.isfinite(scores).all():
        merged[places] = np.nan
        return merged
    levels, rank = np.unique(-on_grid(scores), return_inverse=True)
    merged[places] = min(0.0, float(distances.min())) - len(levels) + rank
    return merged
