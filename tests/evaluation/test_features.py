"""Features to scores: both metrics, ties, chunks, and features that are refused."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from reid_search.evaluation import EvaluationError, chance_mean_ap, evaluate_distances, evaluate_ranking
from reid_search.evaluation import features as features_module

METRICS = ["cosine", "euclidean"]


def _assert_equal(one, other):
    for name, value in vars(one).items():
        assert_array_equal(getattr(other, name), value, err_msg=name)


def _random_features(generator, count, dim=16):
    return generator.standard_normal((count, dim)).astype(np.float32)


def _benchmark(generator, make_split, queries=20, gallery=300, identities=15):
    return make_split(
        generator.integers(1, identities + 1, queries).tolist(),
        generator.integers(-1, identities + 1, gallery).tolist(),
        generator.integers(0, 2, queries).tolist(),
        generator.integers(0, 4, gallery).tolist(),
    )


def test_euclidean_agrees_with_plain_loops_on_a_lattice_full_of_ties(brute_force, random_split):
    generator = np.random.default_rng(2)
    compared = 0
    for _ in range(150):
        split = random_split(generator)
        query, gallery = (generator.integers(-2, 3, (len(ids), 2)) for ids in (split.query_ids, split.gallery_ids))
        distances = [[float(((q - g) ** 2).sum()) for g in gallery] for q in query]
        expected = brute_force(distances, split, 10)
        if not any(expected.valid):
            continue
        result = evaluate_ranking(query, gallery, **split.labels, metric="euclidean", max_rank=10)
        np.testing.assert_allclose(result.average_precision, expected.rectangular, rtol=0, atol=1e-9)
        np.testing.assert_allclose(result.cmc, expected.cmc, rtol=0, atol=1e-9)
        compared += 1
    assert compared > 50


def test_cosine_agrees_with_plain_loops_on_directions_full_of_ties(brute_force, random_split):
    """Directions every 30 degrees with random lengths: the cosine depends on the number of steps between them."""
    generator = np.random.default_rng(3)
    compared = 0
    for _ in range(150):
        split = random_split(generator)
        steps = [generator.integers(0, 12, len(ids)) for ids in (split.query_ids, split.gallery_ids)]
        query, gallery = (
            np.stack([np.cos(np.pi * step / 6), np.sin(np.pi * step / 6)], axis=1)
            * generator.uniform(0.1, 9, (len(step), 1))
            for step in steps
        )
        apart = [[float(min((q - g) % 12, (g - q) % 12)) for g in steps[1].tolist()] for q in steps[0].tolist()]
        expected = brute_force(apart, split, 10)
        if not any(expected.valid):
            continue
        result = evaluate_ranking(query, gallery, **split.labels, max_rank=10)
        np.testing.assert_allclose(result.average_precision, expected.rectangular, rtol=0, atol=1e-9)
        compared += 1
    assert compared > 50


@pytest.mark.parametrize("metric", METRICS)
def test_features_and_their_distances_score_alike(metric, make_split):
    generator = np.random.default_rng(4)
    split = _benchmark(generator, make_split)
    query, gallery = (_random_features(generator, len(ids)) for ids in (split.query_ids, split.gallery_ids))
    q, g = query.astype(np.float64), gallery.astype(np.float64)
    if metric == "cosine":
        q, g = (items / np.linalg.norm(items, axis=1, keepdims=True) for items in (q, g))
        scale = 1.0
    else:
        scale = 2.0 ** np.ceil(np.log2(np.median((g**2).sum(axis=1))))
    distances = np.stack([-(g @ row) if metric == "cosine" else ((g - row) ** 2).sum(axis=1) for row in q])
    expected = evaluate_distances(np.rint(distances / (scale * 2.0**-23)), **split.labels)
    _assert_equal(evaluate_ranking(query, gallery, **split.labels, metric=metric), expected)


@pytest.mark.parametrize("metric", METRICS)
def test_euclidean_on_unit_features_ranks_as_cosine(metric, make_split):
    generator = np.random.default_rng(5)
    split = _benchmark(generator, make_split)
    query, gallery = (_random_features(generator, len(ids)) for ids in (split.query_ids, split.gallery_ids))
    query, gallery = (items / np.linalg.norm(items, axis=1, keepdims=True) for items in (query, gallery))
    cosine = evaluate_ranking(query, gallery, **split.labels)
    assert evaluate_ranking(query, gallery, **split.labels, metric=metric).mean_ap == pytest.approx(cosine.mean_ap)


def test_metrics_differ_where_lengths_do():
    labels = {"query_ids": [1], "gallery_ids": [1, 2], "query_cameras": [0], "gallery_cameras": [1, 1]}
    query, gallery = [[1.0, 0.0]], [[10.0, 0.0], [1.0, 1.0]]
    assert evaluate_ranking(query, gallery, **labels).mean_ap == 1
    assert evaluate_ranking(query, gallery, **labels, metric="euclidean").mean_ap == 0.5


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("chunk_size", [1, 2, 7, 19, 1000])
def test_chunks_do_not_change_the_last_digit(metric, chunk_size, make_split):
    """With many repeated images, whose distances must tie wherever they stand in a chunk."""
    generator = np.random.default_rng(6)
    split = _benchmark(generator, make_split)
    images = _random_features(generator, 40, dim=257)
    query, gallery = (images[generator.integers(0, 40, len(ids))] for ids in (split.query_ids, split.gallery_ids))
    whole = evaluate_ranking(query, gallery, **split.labels, metric=metric)
    _assert_equal(evaluate_ranking(query, gallery, **split.labels, metric=metric, chunk_size=chunk_size), whole)


def test_chunk_size_follows_memory(monkeypatch, make_split):
    generator = np.random.default_rng(7)
    split = _benchmark(generator, make_split)
    query, gallery = (_random_features(generator, len(ids)) for ids in (split.query_ids, split.gallery_ids))
    whole = evaluate_ranking(query, gallery, **split.labels)
    monkeypatch.setattr(features_module, "_CHUNK_VALUES", 10)
    _assert_equal(evaluate_ranking(query, gallery, **split.labels), whole)


@pytest.mark.parametrize("metric", METRICS)
def test_order_of_files_changes_nothing(metric, make_split):
    generator = np.random.default_rng(8)
    split = _benchmark(generator, make_split)
    query, gallery = (_random_features(generator, len(ids)) for ids in (split.query_ids, split.gallery_ids))
    gallery[::3] = gallery[0]
    expected = evaluate_ranking(query, gallery, **split.labels, metric=metric)
    for _ in range(5):
        order = generator.permutation(len(gallery))
        shuffled = evaluate_ranking(query, gallery[order], **split.reordered(order).labels, metric=metric)
        _assert_equal(shuffled, expected)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("noise", [0.0, 1e-7])
@pytest.mark.parametrize("positives_first", [True, False])
def test_collapsed_network_gains_nothing(metric, noise, positives_first, make_split):
    """All features equal, exactly or up to the rounding of float32: every positive ranks last, wherever its file is."""
    generator = np.random.default_rng(9)
    ids = [1] * 5 + [2] * 95
    split = make_split([1, 1, 1], ids if positives_first else ids[::-1], [0, 0, 0], [1] * 100)
    feature = generator.standard_normal(64)

    def collapsed(count):
        return (feature * (1 + noise * generator.standard_normal((count, 64)))).astype(np.float32)

    result = evaluate_ranking(collapsed(3), collapsed(100), **split.labels, metric=metric)
    assert result.mean_ap == pytest.approx(np.mean([found / (95 + found) for found in range(1, 6)]))
    assert result.mean_ap < chance_mean_ap(**split.labels)
    assert result.cmc[49] == 0


@pytest.mark.parametrize("metric", METRICS)
def test_features_of_zero_length_tie(metric, make_split):
    split = make_split([1], [1, 2, 3], [0], [1, 1, 1])
    zeros = np.zeros((3, 4))
    assert evaluate_ranking(zeros[:1], zeros, **split.labels, metric=metric).mean_ap == pytest.approx(1 / 3)


def test_cosine_of_a_zero_feature_is_zero():
    labels = {"query_ids": [1], "gallery_ids": [1, 2, 3], "query_cameras": [0], "gallery_cameras": [1, 1, 1]}
    result = evaluate_ranking([[1.0, 0.0]], [[0.0, 0.0], [1.0, 0.1], [-1.0, 0.1]], **labels)
    assert result.first_match_rank.tolist() == [2]


def test_one_enormous_feature_does_not_blur_the_others(make_split):
    generator = np.random.default_rng(10)
    split = _benchmark(generator, make_split)
    query, gallery = (_random_features(generator, len(ids)) for ids in (split.query_ids, split.gallery_ids))
    split.gallery_ids[0] = -1
    expected = evaluate_ranking(query, gallery, **split.labels, metric="euclidean")
    gallery[0] *= 1e6
    _assert_equal(evaluate_ranking(query, gallery, **split.labels, metric="euclidean"), expected)


@pytest.mark.parametrize("side", ["query", "gallery"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("metric", METRICS)
def test_features_that_are_not_finite_are_refused(side, value, metric):
    features = {"query": np.ones((4, 3)), "gallery": np.ones((4, 3))}
    features[side][2, 1] = value
    features[side][3, 0] = value
    labels = {"query_ids": [1] * 4, "gallery_ids": [1] * 4, "query_cameras": [0] * 4, "gallery_cameras": [1] * 4}
    with pytest.raises(EvaluationError, match=f"{side}: 2 of 4 images have NaN or infinity, first in row 2"):
        evaluate_ranking(**features, **labels, metric=metric)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"query": np.ones(3)}, r"query: shape \(3,\)"),
        ({"gallery": np.ones((0, 3))}, r"gallery: shape \(0, 3\)"),
        ({"query": np.ones((2, 4))}, "query has 4 values per image and gallery 3"),
        ({"metric": "manhattan"}, "metric: 'manhattan'; allowed: cosine, euclidean"),
        ({"chunk_size": 0}, "chunk_size: 0; expected 1 or more"),
        ({"query_ids": [1, 1, 1]}, r"query_ids: shape \(3,\); expected \(2,\)"),
        ({"query_ids": [1, -1]}, r"query_ids\[1\] = -1"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    arguments = {
        "query": np.ones((2, 3)),
        "gallery": np.ones((2, 3)),
        "query_ids": [1, 1],
        "gallery_ids": [1, 2],
        "query_cameras": [0, 0],
        "gallery_cameras": [1, 1],
    }
    with pytest.raises(EvaluationError, match=message):
        evaluate_ranking(**{**arguments, **change})
