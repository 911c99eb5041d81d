"""From features to a ranking by distances that somebody else makes of them: a pair head, a graph, re-ranking."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Protocol

import numpy as np
import numpy.typing as npt

from reid_search.evaluation.features import Metric, checked_features, distance_chunks
from reid_search.evaluation.ranking import Chunk, EvaluationError, Floats, Integers, Labels, RankingResult, measure

Distances = Callable[[Floats, Floats], Iterator[Chunk]]


class MakesDistances(Protocol):
    """What makes distances of features; the scorers of `reid_search.scorers` do."""

    def chunks(self, query: Floats, gallery: Floats, gallery_ids: Integers, distances: Distances) -> Iterable[Chunk]:
        """Return the distances of chunks of queries to the whole gallery, `(chunk, G)`; every query comes once.

        Args:
            query: `(Q, D)` features.
            gallery: `(G, D)` features.
            gallery_ids: `(G,)`; -1 is junk, 0 a distractor.
            distances: The distances of the first stage, between the features of any images.
        """


def evaluate_scored(
    scorer: MakesDistances,
    query: npt.ArrayLike,
    gallery: npt.ArrayLike,
    *,
    query_ids: npt.ArrayLike,
    gallery_ids: npt.ArrayLike,
    query_cameras: npt.ArrayLike,
    gallery_cameras: npt.ArrayLike,
    metric: Metric = "cosine",
    max_rank: int = 50,
    chunk_size: int | None = None,
) -> RankingResult:
    """Measure how well a scorer finds each query's identity in the gallery; equal distances are ties.

    Args:
        scorer: What makes the distances.
        query: `(Q, D)` features.
        gallery: `(G, D)` features.
        query_ids: `(Q,)`, at least 1.
        gallery_ids: `(G,)`; -1 is junk and left out, 0 a distractor and never a match.
        query_cameras: `(Q,)`; gallery images of the query's identity and camera are left out.
        gallery_cameras: `(G,)`.
        metric: Distance of the first stage, as in `evaluate_ranking`.
        max_rank: Length of the CMC curve.
        chunk_size: Queries at once; chosen by memory where omitted.

    Raises:
        EvaluationError: Features or the scorer's distances are not finite, shapes do not fit, the scorer leaves out a
            query or gives it twice, or no query has a match.
    """
    queries, candidates = checked_features(query, gallery)
    shape = (len(queries), len(candidates))
    labels = Labels.checked(query_ids, gallery_ids, query_cameras, gallery_cameras, shape)
    distances = partial(distance_chunks, metric=metric, chunk_size=chunk_size)
    scored = scorer.chunks(queries, candidates, labels.gallery_ids, distances)
    return measure(_checked(scored, shape, type(scorer).__name__), labels, max_rank)


def _checked(chunks: Iterable[Chunk], shape: tuple[int, int], name: str) -> Iterator[Chunk]:
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
