"""k-reciprocal re-ranking against the algorithm written down plainly, image by image, after the authors' code."""

import numpy as np
import pytest

from reid_search.evaluation import evaluate_ranking
from reid_search.evaluation.features import distance_chunks
from reid_search.scorers.k_reciprocal.neighbours import Neighbours
from reid_search.study import SCORERS


def _reciprocal(rank, image, count):
    """The `count` nearest of an image, itself among them, that have it among their own `count` nearest."""
    return [other for other in rank[image][:count] if image in rank[other][:count]]


def _expanded(rank, image, k1):
    reciprocal = _reciprocal(rank, image, k1 + 1)
    members = set(reciprocal)
    for candidate in reciprocal:
        theirs = _reciprocal(rank, candidate, int(np.around(k1 / 2.0)) + 1)
        if len(set(theirs) & set(reciprocal)) > 2.0 / 3 * len(theirs):
            members |= set(theirs)
    return sorted(members)


def _plain(query, gallery, metric, k1, k2, lambda_value):
    """Zhong et al. 2017 with matrices of all images by all."""
    images = np.concatenate([query, gallery]).astype(np.float64)
    if metric == "cosine":
        images = images / np.linalg.norm(images, axis=1, keepdims=True)
    original = ((images[:, None] - images[None]) ** 2).sum(axis=2)
    original = original / original.max(axis=1, keepdims=True)
    rank = [list(row) for row in np.argsort(original, axis=1)]
    encoding = np.zeros_like(original)
    for image in range(len(images)):
        members = _expanded(rank, image, k1)
        weights = np.exp(-original[image, members])
        encoding[image, members] = weights / weights.sum()
    if k2 != 1:
        encoding = np.stack([encoding[row[:k2]].mean(axis=0) for row in rank])
    final = np.zeros((len(query), len(gallery)))
    for one in range(len(query)):
        for other in range(len(gallery)):
            pair = encoding[one], encoding[len(query) + other]
            jaccard = 1 - np.minimum(*pair).sum() / np.maximum(*pair).sum()
            final[one, other] = (1 - lambda_value) * jaccard + lambda_value * original[one, len(query) + other]
    return final


def _ours(scorer, query, gallery, metric):
    query, gallery = query.astype(np.float64), gallery.astype(np.float64)

    def first_stage(one, other):
        return distance_chunks(one, other, metric=metric, chunk_size=7)

    chunks = scorer.chunks(query, gallery, np.ones(len(gallery), np.int64), first_stage)
    return np.concatenate([distances for _, distances in chunks])


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize(
    ("k1", "k2", "lambda_value"),
    [(20, 6, 0.3), (6, 3, 0.3), (5, 1, 0.0), (1, 1, 0.5), (3, 8, 0.1), (7, 2, 1.0), (200, 100, 0.3)],
)
@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_the_plain_algorithm(metric, k1, k2, lambda_value, seed, make_people, make_scorer):
    people = make_people(15, [20.0, 40.0, 60.0, 90.0], seed=seed, noise=0.3)
    scorer = make_scorer({"kind": "k_reciprocal", "k1": k1, "k2": k2, "lambda_value": lambda_value})
    expected = _plain(people.query, people.gallery, metric, k1, k2, lambda_value)
    np.testing.assert_allclose(_ours(scorer, people.query, people.gallery, metric), expected, rtol=0, atol=2e-6)


def test_finds_what_views_in_between_lead_to(make_people, make_scorer):
    people = make_people(40, [30.0, 60.0, 90.0], seed=5, noise=0.3)
    result = people.evaluate(make_scorer({"kind": "k_reciprocal", "k1": 6, "k2": 3}), metric="euclidean")
    plain = evaluate_ranking(people.query, people.gallery, **people.labels, metric="euclidean")
    assert result.mean_ap > plain.mean_ap + 0.1


def test_images_that_tie_across_the_last_place_are_all_left_out():
    """On a line at 0, 1, -1, 5: the first has two images at distance 1, so its single nearest is itself."""
    places = np.array([0.0, 1.0, -1.0, 5.0])
    distances = np.abs(places[:, None] - places[None])
    neighbours = Neighbours.find([(slice(0, 4), distances)], count=4, kept=4)
    assert neighbours.nearest(2).toarray()[0].tolist() == [1, 0, 0, 0]
    assert neighbours.nearest(3).toarray()[0].tolist() == [1, 1, 1, 0]
    assert neighbours.nearest(4).toarray()[0].tolist() == [1, 1, 1, 1]


def test_image_that_is_there_often_is_its_own_neighbour():
    """All at distance 0: nobody else is nearer than others, so each image has itself alone."""
    neighbours = Neighbours.find([(slice(0, 5), np.zeros((5, 5)))], count=5, kept=3)
    assert neighbours.nearest(1).toarray().tolist() == np.eye(5).tolist()
    assert neighbours.nearest(2).toarray().tolist() == np.eye(5).tolist()


@pytest.mark.parametrize("change", [{"k1": 0}, {"k2": 0}, {"lambda_value": 1.5}, {"k1": 2.5}])
def test_settings_out_of_range_are_refused(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        SCORERS.validate({"kind": "k_reciprocal", **change})
