"""Distances to scores: against plain loops, scikit-learn, and vectors that can be checked by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import average_precision_score

from reid_search.evaluation import EvaluationError, evaluate_distances

CASES = 1000


def _distances(generator, shape):
    """Every other case is full of ties."""
    if generator.random() < 0.5:
        return generator.integers(0, 4, shape).astype(np.float64)
    return generator.random(shape)


def _valid_mean(values):
    return np.mean([value for value in values if not np.isnan(value)])


def test_agrees_with_plain_loops_on_random_cases(brute_force, random_split):
    generator = np.random.default_rng(0)
    seen = {"no match at all": 0, "some without match": 0, "short gallery": 0}
    for _ in range(CASES):
        split = random_split(generator)
        distances = _distances(generator, (len(split.query_ids), len(split.gallery_ids)))
        max_rank = int(generator.integers(1, 40))
        expected = brute_force(distances.tolist(), split, max_rank)
        if not any(expected.valid):
            seen["no match at all"] += 1
            with pytest.raises(EvaluationError, match="has a match"):
                evaluate_distances(distances, **split.labels, max_rank=max_rank)
            continue
        result = evaluate_distances(distances, **split.labels, max_rank=max_rank)
        seen["some without match"] += not all(expected.valid)
        seen["short gallery"] += max_rank > len(split.gallery_ids)
        close = {"rtol": 0, "atol": 1e-9}
        assert_allclose(result.average_precision, expected.rectangular, **close)
        assert_allclose(result.column("average_precision_trapezoidal"), expected.trapezoidal, **close)
        assert_allclose(result.column("inverse_negative_penalty"), expected.inp, **close)
        assert_allclose(result.cmc, expected.cmc, **close)
        assert result.mean_ap == pytest.approx(_valid_mean(expected.rectangular), abs=1e-9)
        assert result.mean_ap_trapezoidal == pytest.approx(_valid_mean(expected.trapezoidal), abs=1e-9)
        assert result.mean_inp == pytest.approx(_valid_mean(expected.inp), abs=1e-9)
        assert result.valid.tolist() == expected.valid
        assert result.queries_without_match == expected.valid.count(False)
        assert (np.diff(result.cmc) >= 0).all()
        assert (result.column("average_precision_trapezoidal") <= result.average_precision + 1e-12)[result.valid].all()
    assert min(seen.values()) > CASES / 20, seen


def test_agrees_with_scikit_learn_where_nothing_ties(random_split):
    generator = np.random.default_rng(1)
    compared = 0
    for _ in range(200):
        split = random_split(generator)
        ids, cameras = np.array(split.gallery_ids), np.array(split.gallery_cameras)
        distances = generator.random((len(split.query_ids), len(ids)))
        try:
            result = evaluate_distances(distances, **split.labels)
        except EvaluationError:
            continue
        for query in np.flatnonzero(result.valid):
            same = ids == split.query_ids[query]
            kept = (ids != -1) & ~(same & (cameras == split.query_cameras[query]))
            expected = average_precision_score(same[kept], -distances[query, kept])
            assert result.average_precision[query] == pytest.approx(expected, abs=1e-9)
            compared += 1
    assert compared > 100


def test_vector_checked_by_hand():
    # Identity 7, camera 1. Left out: junk (nearest), own camera (second). Then the distractor, a match, another
    # identity of the same camera, a match: matches at ranks 2 and 4.
    result = evaluate_distances(
        [[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]],
        query_ids=[7],
        query_cameras=[1],
        gallery_ids=[-1, 7, 0, 7, 3, 7],
        gallery_cameras=[2, 1, 1, 2, 1, 3],
        max_rank=6,
    )
    assert result.mean_ap == pytest.approx((1 / 2 + 2 / 4) / 2)
    assert result.mean_ap_trapezoidal == pytest.approx(((0 / 1 + 1 / 2) / 2 + (1 / 3 + 2 / 4) / 2) / 2)
    assert result.mean_inp == pytest.approx(2 / 4)
    assert result.cmc.tolist() == [0, 1, 1, 1, 1, 1]
    assert result.first_match_rank.tolist() == [2]


def test_inp_may_exceed_average_precision():
    distances = np.arange(12, dtype=float)[None]
    ids = [2] * 9 + [1] * 3
    result = evaluate_distances(
        distances, query_ids=[1], query_cameras=[0], gallery_ids=ids, gallery_cameras=[1] * len(ids)
    )
    assert result.mean_inp == pytest.approx(0.25)
    assert result.mean_ap == pytest.approx((1 / 10 + 2 / 11 + 3 / 12) / 3)


def test_query_without_match_is_skipped_and_counted():
    result = evaluate_distances(
        [[0.1, 0.2], [0.1, 0.2], [0.2, 0.1]],
        query_ids=[1, 5, 1],
        query_cameras=[0, 0, 1],
        gallery_ids=[1, 2],
        gallery_cameras=[1, 1],
    )
    assert result.valid.tolist() == [True, False, False]
    assert result.queries_without_match == 2
    assert_array_equal(np.isnan(result.average_precision), [False, True, True])
    assert_array_equal(np.isnan(result.column("average_precision_trapezoidal")), [False, True, True])
    assert_array_equal(np.isnan(result.column("inverse_negative_penalty")), [False, True, True])
    assert result.first_match_rank.tolist() == [1, 0, 0]
    assert result.mean_ap == 1
    assert result.cmc.tolist() == [1] * 50


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_only_the_order_of_distances_counts(seed, random_split):
    """Neither the order of the files, nor a rising function of the distances, nor more junk changes a number."""
    generator = np.random.default_rng(seed)
    split = random_split(generator)
    distances = _distances(generator, (len(split.query_ids), len(split.gallery_ids)))
    order = generator.permutation(len(split.gallery_ids))
    try:
        result = evaluate_distances(distances, **split.labels)
    except EvaluationError:
        return
    junk = split.labels | {
        "gallery_ids": [*split.gallery_ids, -1, -1],
        "gallery_cameras": [*split.gallery_cameras, 0, 1],
    }
    others = [
        evaluate_distances(distances[:, order], **split.reordered(order).labels),
        evaluate_distances(3 * distances - 7, **split.labels),
        evaluate_distances(np.pad(distances, ((0, 0), (0, 2)), constant_values=-1.0), **junk),
    ]
    for other in others:
        for name, value in vars(result).items():
            assert_array_equal(getattr(other, name), value, err_msg=name)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64, np.uint8, np.bool_])
def test_any_kind_of_number_is_a_distance(dtype):
    labels = {"query_ids": [1], "gallery_ids": [2, 1], "query_cameras": [0], "gallery_cameras": [1, 1]}
    assert evaluate_distances(np.array([[1, 0]], dtype=dtype), **labels).mean_ap == 1
    assert evaluate_distances(np.array([[0, 1]], dtype=dtype), **labels).mean_ap == 0.5


GOOD = {"query_ids": [1, 1], "gallery_ids": [1, 2, 0], "query_cameras": [0, 0], "gallery_cameras": [1, 1, 1]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"query_ids": [1]}, r"query_ids: shape \(1,\); expected \(2,\)"),
        ({"gallery_ids": [1, 2]}, r"gallery_ids: shape \(2,\); expected \(3,\)"),
        ({"query_cameras": [[0, 0]]}, r"query_cameras: shape \(1, 2\)"),
        ({"gallery_cameras": [1]}, r"gallery_cameras: shape \(1,\)"),
        ({"query_ids": [1, -1]}, r"query_ids\[1\] = -1: .* junk"),
        ({"query_ids": [0, 1]}, r"query_ids\[0\] = 0: .* distractor"),
        ({"gallery_ids": [1, 2, -2]}, r"gallery_ids\[2\] = -2"),
        ({"gallery_ids": [1, 2.5, 0]}, "gallery_ids: expected whole numbers"),
        ({"gallery_ids": [1, np.nan, 0]}, "gallery_ids: expected whole numbers"),
        ({"gallery_cameras": ["c1", "c2", "c3"]}, "gallery_cameras: expected whole numbers"),
        ({"max_rank": 0}, "max_rank: 0; expected 1 or more"),
        ({"gallery_ids": [3, 2, 0]}, "none of the 2 queries has a match"),
        ({"distances": [0.1, 0.2, 0.3]}, r"distances: shape \(3,\)"),
        ({"distances": np.zeros((2, 0))}, r"distances: shape \(2, 0\)"),
        ({"distances": [[0.1, 0.2, 0.3], [0.1, np.nan, 0.3]]}, "distances: 1 of 2 queries .* row 1"),
        ({"distances": [[0.1, 0.2, np.inf], [0.1, 0.2, 0.3]]}, "distances: 1 of 2 queries .* row 0"),
    ],
)
def test_what_cannot_be_ranked_is_refused(change, message):
    arguments = {"distances": [[0.1, 0.2, 0.3]] * 2, **GOOD, **change}
    with pytest.raises(EvaluationError, match=message):
        evaluate_distances(arguments.pop("distances"), **arguments)


def test_whole_floats_are_labels():
    labels = {name: np.array(values, dtype=np.float32) for name, values in GOOD.items()}
    assert evaluate_distances([[0.1, 0.2, 0.3]] * 2, **labels).mean_ap == 1
