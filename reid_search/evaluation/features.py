"""From features to a ranking, in chunks of queries, so that the full distance matrix is never in memory.

Matrix products round differently depending on the shape of a chunk and the position of a row, so two images with the
same feature may get distances that differ in the last digits, and a collapsed network would be ranked by rounding
noise. So distances are computed in float64 and rounded to a grid of about 1e-7 of their scale, far above that noise and
at the resolution of a cosine in float32: smaller differences are ties, and ties are pessimistic.
"""

from collections.abc import Iterator
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt

from reid_search.common.arrays import Chunk, Floats, chunks
from reid_search.evaluation.labels import Columns, EvaluationError, Labels, with_cameras
from reid_search.evaluation.ranking import RankingResult, check_table, measure
from reid_search.evaluation.scored import MakesDistances, checked_chunks
from reid_search.study.rules import MARKET_RULE, EvaluationRule

_GRID = 2.0**-23
_CHUNK_VALUES = 8_000_000

Metric = Literal["cosine", "euclidean"]


def evaluate_ranking(
    query: npt.ArrayLike,
    gallery: npt.ArrayLike,
    *,
    query_ids: npt.ArrayLike,
    gallery_ids: npt.ArrayLike,
    query_cameras: npt.ArrayLike | None = None,
    gallery_cameras: npt.ArrayLike | None = None,
    rule: EvaluationRule = MARKET_RULE,
    columns: Columns | None = None,
    metric: Metric = "cosine",
    max_rank: int = 50,
    chunk_size: int | None = None,
    scorer: MakesDistances | None = None,
) -> RankingResult:
    """Measure how well features find each query's identity in the gallery; equal distances are ties.

    Args:
        query: `(Q, D)` features.
        gallery: `(G, D)` features.
        query_ids: `(Q,)`, at least 1.
        gallery_ids: `(G,)`; -1 is junk and left out, 0 a distractor and never a match.
        query_cameras: `(Q,)`; where the rule compares cameras, as that of Market-1501 does.
        gallery_cameras: `(G,)`.
        rule: What is left out for a query, and which gallery is searched.
        columns: What else the rule compares: by name (`clothes`, `image`), the labels of queries `(Q,)` and of the
            gallery `(G,)`.
        metric: `cosine`, or `euclidean` (not squared; both rank as their squares do). A feature of zero length has no
            direction: its cosine with everything is 0.
        max_rank: Length of the CMC curve.
        chunk_size: Queries at once; chosen by memory where omitted. It does not change the result.
        scorer: Makes other distances from the features and those of `metric`, such as re-ranking.

    Raises:
        EvaluationError: Features or the scorer's distances are not finite, shapes do not fit, the scorer leaves out a
            query or gives it twice, or no query has a match.
    """
    queries, candidates = _features("query", query), _features("gallery", gallery)
    if queries.shape[1] != candidates.shape[1]:
        raise EvaluationError(f"query has {queries.shape[1]} values per image and gallery {candidates.shape[1]}")
    shape = (len(queries), len(candidates))
    labels = Labels.checked(query_ids, gallery_ids, with_cameras(query_cameras, gallery_cameras, columns), shape, rule)
    distances = partial(distance_chunks, metric=metric, chunk_size=chunk_size)
    if scorer is None:
        return measure(distances(queries, candidates), labels, max_rank)
    scored = scorer.chunks(queries, candidates, labels.gallery_ids, distances)
    return measure(checked_chunks(scored, shape, type(scorer).__name__), labels, max_rank)


def distance_chunks(
    queries: Floats, candidates: Floats, *, metric: Metric = "cosine", chunk_size: int | None = None
) -> Iterator[Chunk]:
    """Yield the distances of chunks of queries to all candidates, `(chunk, G)` float64.

    They are proportional to 1 - cosine or to the squared Euclidean distance, in whole numbers of steps of the grid, so
    that equal numbers are ties. The chunks do not change them.

    Args:
        queries: `(Q, D)`, finite.
        candidates: `(G, D)`, finite.
        metric: `cosine` or `euclidean`.
        chunk_size: Queries at once; chosen by memory where omitted.

    Raises:
        EvaluationError: The metric or the chunk size is not allowed.
    """
    if metric not in ("cosine", "euclidean"):
        raise EvaluationError(f"metric: '{metric}'; allowed: cosine, euclidean")
    size = _CHUNK_VALUES // len(candidates) or 1 if chunk_size is None else chunk_size
    if size < 1:
        raise EvaluationError(f"chunk_size: {chunk_size}; expected 1 or more")
    return (_cosine if metric == "cosine" else _euclidean)(queries, candidates, size)


def _cosine(queries: Floats, candidates: Floats, size: int) -> Iterator[Chunk]:
    """Yield 1 - cosine on the grid."""
    queries, candidates = _unit(queries), _unit(candidates)
    for rows in chunks(len(queries), size):
        distances = _on_grid(queries[rows] @ candidates.T, -_GRID)
        distances += 1.0 / _GRID
        yield rows, distances


def _euclidean(queries: Floats, candidates: Floats, size: int) -> Iterator[Chunk]:
    """Yield squared Euclidean distances on the grid.

    The grid's scale is the median gallery feature, so that one image with an enormous feature does not blur the others.
    """
    gallery_squares, query_squares = (np.einsum("ij,ij->i", items, items) for items in (candidates, queries))
    scale = float(np.median(gallery_squares)) or float(max(gallery_squares.max(), query_squares.max()))
    step = _GRID * 2.0 ** np.ceil(np.log2(scale)) if scale > 0 else 1.0
    for rows in chunks(len(queries), size):
        squares = queries[rows] @ candidates.T
        squares *= -2.0
        squares += gallery_squares
        squares += query_squares[rows, None]
        yield rows, _on_grid(squares, step)


def _on_grid(values: Floats, step: float) -> Floats:
    values /= step
    np.rint(values, out=values)
    return values


def _unit(features: Floats) -> Floats:
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    unit = np.zeros_like(features)
    np.divide(features, lengths, out=unit, where=lengths > 0)
    return unit


def _features(name: str, values: npt.ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    check_table(name, array, "images, values")
    return array
