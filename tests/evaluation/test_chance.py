"""The score of a random ranking, against every ranking there is."""

import itertools

import numpy as np
import pytest

from reid_search.evaluation import EvaluationError, chance_mean_ap, evaluate_distances


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


def test_no_match_is_an_error():
    with pytest.raises(EvaluationError, match="none of the 1 query has a match"):
        chance_mean_ap(query_ids=[1], query_cameras=[0], gallery_ids=[1], gallery_cameras=[0])
