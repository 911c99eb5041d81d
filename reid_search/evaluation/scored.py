"""Distances that a scorer makes from features (a pair head, a graph, re-ranking), and checks of them."""

from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np

from reid_search.common.arrays import Chunk, Distances, Floats, Integers
from reid_search.evaluation.labels import EvaluationError


class MakesDistances(Protocol):
    """Makes distances from features, as the scorers of `reid_search.scorers` do."""

    def chunks(self, query: Floats, gallery: Floats, gallery_ids: Integers, distances: Distances) -> Iterable[Chunk]:
        """Return the distances of chunks of queries to the whole gallery, `(chunk, G)`; every query comes once.

        Args:
            query: `(Q, D)` features.
            gallery: `(G, D)` features.
            gallery_ids: `(G,)`; -1 is junk, 0 a distractor.
            distances: The distances of the first stage, between the features of any images.
        """


def checked_chunks(chunks: Iterable[Chunk], shape: tuple[int, int], name: str) -> Iterator[Chunk]:
    """Check the distances `(Q, G)` that a scorer yields, and pass them on.

    Raises:
        EvaluationError: Distances are not finite or of another shape, or a query does not come exactly once.
    """
    given = np.zeros(shape[0], dtype=np.int64)
    for rows, distances in chunks:
        expected = (len(range(*rows.indices(shape[0]))), shape[1])
        if distances.shape != expected:
            raise EvaluationError(f"{name}: distances of shape {distances.shape} for {rows}; expected {expected}")
        wrong = np.flatnonzero(~np.isfinite(distances).all(axis=1))
        if wrong.size:
            query = range(*rows.indices(shape[0]))[wrong[0]]
            raise EvaluationError(f"{name}: distances that are NaN or infinite, first for query {query}")
        given[rows] += 1
        yield rows, distances
    wrong = np.flatnonzero(given != 1)
    if wrong.size:
        raise EvaluationError(f"{name}: query {wrong[0]} was scored {given[wrong[0]]} times; expected once")
