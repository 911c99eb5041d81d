"""The score of a random ranking, against every ranking there is."""

import itertools

import numpy as np
import pytest

from reid_search.evaluation import EvaluationError, chance_deviation, chance_mean_ap, evaluate_distances


@pytest.mark.parametrize(
    ("gallery_ids", "gallery_cameras"),
    [
        ([1, 2, 2, 0, 2], [1, 0, 1, 1, 0]),
        ([1, 1, 2, 0, -1, 1], [1, 0, 1, 1, 0, 1]),
        ([1, 1, 1], [1, 1, 1]),
        ([1], [1]),
    ],
)
def test_is_the_mean_over_all_rankings(gallery_ids, gallery_cameras):
    labels = {
        "query_ids": [1, 2],
        "query_cameras": [0, 0],
        "gallery_ids": gallery_ids,
        "gallery_cameras": gallery_cameras,
    }
    scores = [
        evaluate_distances([order, order], **labels).mean_ap
        for order in itertools.permutations(range(len(gallery_ids)))
    ]
    assert chance_mean_ap(**labels) == pytest.approx(np.mean(scores), abs=1e-12)


@pytest.mark.parametrize("gallery_ids", [[1, 2, 2, 0, 2], [1, 1, 2, 0, -1, 1], [1, 1, 1, 1, 1, 2, 0], [1, 1], [1]])
def test_deviation_of_one_query_is_that_over_all_rankings(gallery_ids):
    labels = {"query_ids": [1], "query_cameras": [0], "gallery_ids": gallery_ids, "gallery_cameras": gallery_ids}
    scores = [
        evaluate_distances([order], **labels).mean_ap for order in itertools.permutations(range(len(gallery_ids)))
    ]
    assert chance_deviation(**labels) == pytest.approx(np.std(scores), abs=1e-9)


def test_queries_of_one_identity_are_one_draw_and_identities_are_independent():
    gallery = {"gallery_ids": [1, 2, 2, 0, 3, 0, 2], "gallery_cameras": [1] * 7}
    one, two = (chance_deviation(query_ids=[name], query_cameras=[0], **gallery) for name in (1, 2))
    together = chance_deviation(query_ids=[1, 1, 1, 2, 9], query_cameras=[0] * 5, **gallery)  # 9 has no match
    assert together == pytest.approx(np.sqrt((3 * one) ** 2 + two**2) / 4, abs=1e-12)


def test_rankings_that_are_random_for_each_identity_stray_that_far():
    generator = np.random.default_rng(0)
    gallery_ids = np.repeat(np.arange(1, 41), 4)
    query_ids = np.repeat(np.arange(1, 41), 3)
    labels = {"query_ids": query_ids, "gallery_ids": gallery_ids}
    labels |= {"query_cameras": np.zeros(120), "gallery_cameras": np.ones(160)}
    drawn = (np.repeat(generator.random((40, 160)), 3, axis=0) for _ in range(400))
    scores = [evaluate_distances(distances, **labels).mean_ap for distances in drawn]
    mean, deviation = chance_mean_ap(**labels), chance_deviation(**labels)
    assert np.mean(scores) == pytest.approx(mean, abs=4 * deviation / 20)
    assert np.std(scores) == pytest.approx(deviation, rel=0.15)
    assert np.mean(np.asarray(scores) <= mean + 2.33 * deviation) > 0.96


def test_no_match_is_an_error():
    with pytest.raises(EvaluationError, match="none of the 1 query has a match"):
        chance_mean_ap(query_ids=[1], query_cameras=[0], gallery_ids=[1], gallery_cameras=[0])
    with pytest.raises(EvaluationError, match="none of the 1 query has a match"):
        chance_deviation(query_ids=[1], query_cameras=[0], gallery_ids=[1], gallery_cameras=[0])
