"""The functions of one query: against their registry, plain loops, a second library, and numbers worked out by hand."""

import dataclasses

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator

from reid_search.evaluation import EvaluationError, evaluate_distances, evaluate_ranking
from reid_search.evaluation.metrics import PER_DRAW, PER_QUERY
from reid_search.scorers.top_k import TopKRescorer
from reid_search.study import EvaluationRule, SingleShot
from reid_search.study.metrics import METRICS

CASES = 300


def test_every_metric_has_its_function_and_every_function_its_metric():
    for functions, single_shot in ((PER_QUERY, False), (PER_DRAW, True)):
        assert {metric.column for metric in METRICS.values() if metric.single_shot is single_shot} == set(functions)


def test_every_metric_lies_in_its_range_and_is_best_for_a_perfect_ranking():
    ids, cameras = np.array([1, 1, 2, 2, 2, 3]), np.array([0, 1, 0, 1, 2, 0])
    perfect = (ids[:, None] != ids[None]).astype(float)
    labels = {"query_ids": ids, "gallery_ids": ids, "query_cameras": cameras, "gallery_cameras": cameras}
    draws = EvaluationRule(single_shot=SingleShot())
    best, worst = (evaluate_distances(item, **labels, rule=draws) for item in (perfect, 1 - perfect))
    for metric in METRICS.values():
        assert best.mean(metric) == metric.range[metric.direction == "maximise"], metric.name
        assert metric.range[0] <= worst.mean(metric) <= metric.range[1], metric.name


@pytest.mark.parametrize(
    ("ranks", "expected"),
    [
        ([1], 1.0),
        ([2], 0.0),
        ([1, 2, 3], 1.0),
        ([1, 3], 1 / 2),
        ([2, 3, 9], (1 / 2 + 2 / 3) / 3),
        ([4, 5, 6], 0.0),
        ([1, 2, 3, 4, 5, 7, 8, 9, 10, 30], (5 + 6 / 7 + 7 / 8 + 8 / 9 + 9 / 10) / 10),
    ],
)
def test_average_precision_at_r_by_hand(ranks, expected):
    assert PER_QUERY["average_precision_at_r"](np.array(ranks)) == pytest.approx(expected, abs=1e-15)


def test_average_precision_at_r_agrees_with_plain_loops_on_random_cases(brute_force, random_split):
    """With junk, images of the query's own camera, distractors, ties and queries without a match."""
    generator = np.random.default_rng(11)
    seen = {"ties": 0, "without match": 0, "below average precision": 0}
    for _ in range(CASES):
        split = random_split(generator)
        shape = (len(split.query_ids), len(split.gallery_ids))
        tied = generator.random() < 0.5
        distances = generator.integers(0, 4, shape).astype(float) if tied else generator.random(shape)
        expected = brute_force(distances.tolist(), split, 5)
        if not any(expected.valid):
            continue
        result = evaluate_distances(distances, **split.labels)
        found = result.column("average_precision_at_r")
        assert_allclose(found, expected.at_r, rtol=0, atol=1e-12)
        assert result.mean(METRICS["mAP@R"]) == pytest.approx(np.nanmean(expected.at_r), abs=1e-12)
        assert (found <= result.average_precision + 1e-12)[result.valid].all()
        seen["ties"] += tied
        seen["without match"] += not all(expected.valid)
        seen["below average precision"] += bool((found < result.average_precision)[result.valid].any())
    assert min(seen.values()) > CASES / 10, seen


@pytest.mark.parametrize("seed", range(5))
def test_average_precision_at_r_is_that_of_pytorch_metric_learning_where_nothing_is_removed(seed):
    generator = np.random.default_rng(seed)
    query_ids, gallery_ids = (
        generator.integers(1, 6, 40),
        np.concatenate([np.arange(1, 6), generator.integers(1, 6, 95)]),
    )
    query, gallery = generator.normal(size=(40, 8)), generator.normal(size=(100, 8))
    query[:, 0] += query_ids
    gallery[:, 0] += gallery_ids
    result = evaluate_ranking(
        query, gallery, metric="euclidean", query_ids=query_ids, gallery_ids=gallery_ids,
        query_cameras=np.zeros(40, int), gallery_cameras=np.ones(100, int),
    )  # fmt: skip
    calculator = AccuracyCalculator(include=("mean_average_precision_at_r",), k=100, knn_func=_neighbours)
    expected = calculator.get_accuracy(
        *map(torch.from_numpy, (query, query_ids, gallery, gallery_ids)), ref_includes_query=False
    )
    assert result.mean(METRICS["mAP@R"]) == pytest.approx(expected["mean_average_precision_at_r"], abs=1e-9)


def _neighbours(query, k, reference, ref_includes_query):
    assert not ref_includes_query
    nearest = torch.cdist(query, reference).sort(dim=1)
    return nearest.values[:, :k], nearest.indices[:, :k]


def test_a_scorer_of_the_nearest_few_changes_it_as_its_new_order_does(brute_force, random_split):
    """More matches than are scored again among them: the others keep their order after them."""
    generator = np.random.default_rng(5)
    deeper = 0
    for _ in range(100):
        split = random_split(generator)
        query = generator.integers(0, 30, (len(split.query_ids), 1)).astype(float)
        gallery = generator.integers(0, 30, (len(split.gallery_ids), 1)).astype(float)
        top = int(generator.integers(1, 8))
        order = [_places(abs(gallery[:, 0] - row), gallery[:, 0], top) for row in query[:, 0]]
        expected = brute_force(order, split, 5)
        if not any(expected.valid):
            continue
        result = evaluate_ranking(query, gallery, **split.labels, metric="euclidean", scorer=_BySize(top))
        assert_allclose(result.column("average_precision_at_r"), expected.at_r, rtol=0, atol=1e-12)
        deeper += any(split.gallery_ids.count(identity) > top for identity in split.query_ids)
    assert deeper > 10


class _BySize(TopKRescorer):
    def rescore(self, query, candidates):
        return candidates.features[:, 0]


def _places(distances, scores, top):
    """Return where each image comes, equal places for ties: the nearest few by their scores, then the others."""
    kept = [index for index, distance in enumerate(distances) if sum(distances <= distance) <= top]
    return [(0, -scores[index]) if index in kept else (1, distance) for index, distance in enumerate(distances)]


def test_a_mean_outside_the_range_is_refused():
    labels = {"query_ids": [1], "gallery_ids": [2, 1], "query_cameras": [0], "gallery_cameras": [1, 1]}
    wrong = dataclasses.replace(METRICS["mAP"], column="first_match_rank")
    with pytest.raises(EvaluationError, match=r"metric 'mAP': 2.0 lies outside its range, 0.0 to 1.0"):
        evaluate_distances([[0.0, 1.0]], **labels).mean(wrong)
