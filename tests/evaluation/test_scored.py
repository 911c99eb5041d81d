"""Rankings by distances that a scorer makes: what is measured, and what is refused."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from reid_search.evaluation import EvaluationError, evaluate_distances, evaluate_ranking
from reid_search.evaluation.features import distance_chunks

LABELS = {
    "query_ids": [1, 2, 3],
    "gallery_ids": [1, 2, 3, -1, 0, 1],
    "query_cameras": [0, 0, 0],
    "gallery_cameras": [1, 1, 1, 1, 1, 0],
}


class _FirstStage:
    """Leaves the first stage as it is, and remembers what it was given."""

    def chunks(self, query, gallery, gallery_ids, distances):
        self.gallery_ids = gallery_ids
        return distances(query, gallery)


class _Given:
    def __init__(self, *chunks):
        self._chunks = chunks

    def chunks(self, query, gallery, gallery_ids, distances):
        return iter(self._chunks)


def _features():
    generator = np.random.default_rng(0)
    return generator.standard_normal((3, 8)).astype(np.float32), generator.standard_normal((6, 8)).astype(np.float32)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("chunk_size", [None, 1, 2])
def test_first_stage_alone_scores_as_the_features(metric, chunk_size):
    query, gallery = _features()
    scorer = _FirstStage()
    result = evaluate_ranking(query, gallery, scorer=scorer, **LABELS, metric=metric, chunk_size=chunk_size, max_rank=7)
    expected = evaluate_ranking(query, gallery, **LABELS, metric=metric, max_rank=7)
    for name, value in vars(expected).items():
        assert_array_equal(getattr(result, name), value, err_msg=name)
    assert_array_equal(scorer.gallery_ids, LABELS["gallery_ids"])


def test_given_distances_are_those_that_are_measured():
    query, gallery = _features()
    distances = np.random.default_rng(1).standard_normal((3, 6))
    scorer = _Given((slice(2, 3), distances[2:]), (slice(0, 2), distances[:2]))
    result = evaluate_ranking(query, gallery, scorer=scorer, **LABELS)
    assert result.mean_ap == evaluate_distances(distances, **LABELS).mean_ap


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_distance_chunks_are_proportional_to_the_distances(metric):
    query, gallery = (features.astype(np.float64) for features in _features())
    chunks = np.concatenate([distances for _, distances in distance_chunks(query, gallery, metric=metric)])
    if metric == "cosine":
        query, gallery = (items / np.linalg.norm(items, axis=1, keepdims=True) for items in (query, gallery))
    squares = ((query[:, None] - gallery[None]) ** 2).sum(axis=2)
    np.testing.assert_allclose(chunks / chunks.max(), squares / squares.max(), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("scorer", "message"),
    [
        (
            _Given((slice(0, 3), np.full((3, 6), np.nan))),
            "_Given: distances that are NaN or infinite, first for query 0",
        ),
        (_Given((slice(0, 1), np.zeros((1, 6))), (slice(1, 3), np.full((2, 6), np.inf))), "first for query 1"),
        (_Given((slice(0, 3), np.zeros((3, 5)))), r"distances of shape \(3, 5\).*expected \(3, 6\)"),
        (_Given((slice(0, 2), np.zeros((2, 6)))), "query 2 was scored 0 times; expected once"),
        (_Given((slice(0, 3), np.zeros((3, 6))), (slice(1, 2), np.zeros((1, 6)))), "query 1 was scored 2 times"),
    ],
)
def test_scorers_that_break_their_promise_are_refused(scorer, message):
    query, gallery = _features()
    with pytest.raises(EvaluationError, match=message):
        evaluate_ranking(query, gallery, scorer=scorer, **LABELS)


def test_features_that_are_not_finite_are_refused():
    query, gallery = _features()
    gallery[1, 0] = np.nan
    with pytest.raises(EvaluationError, match="gallery: 1 of 6 images have NaN"):
        evaluate_ranking(query, gallery, scorer=_FirstStage(), **LABELS)
