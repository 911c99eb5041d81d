"""What every scorer promises. A new one passes these tests as it is, or adds settings to `SETTINGS`."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from torch.testing import assert_close

from reid_search.evaluation import EvaluationError, evaluate_ranking
from reid_search.evaluation.features import distance_chunks
from reid_search.study import SCORERS

LOSSES = {
    "graph": {"kind": "graph"},
    "learnt": {"kind": "graph", "edges": "learnt", "pair": "absolute", "message_layers": 1},
    "verification": {"kind": "verification"},
}
SETTINGS = {
    "graph": [
        {"top": 7},
        {"top": 1},
        {"top": 500, "edges": "oracle"},
        {"top": 9, "edges": "uniform", "alpha": 0.5},
        {"top": 9, "edges": "shuffled"},
        {"top": 9, "mix": 0.5},
        {"top": 9, "head": "learnt"},
    ],
    "k_reciprocal": [{"k1": 4, "k2": 2}, {"k1": 3, "k2": 1, "lambda_value": 0.0}, {}, {"k1": 500, "k2": 500}],
    "pair_head": [{"head": "graph"}, {"head": "graph", "top": 5}, {"head": "verification"}],
}
CASES = [
    pytest.param({"kind": kind, **settings}, id=f"{kind}-{index}")
    for kind in SCORERS.names()
    for index, settings in enumerate(SETTINGS.get(kind, [{}]))
]
every_scorer = pytest.mark.parametrize("settings", CASES)
METRICS = ["cosine", "euclidean"]


@pytest.fixture(scope="module")
def heads(make_loss):
    return {name: make_loss(settings) for name, settings in LOSSES.items()}


@pytest.fixture(scope="module")
def people(make_people):
    """Twelve people, with junk, distractors and every fifth image of the gallery twice."""
    found = make_people(12, [30.0, 60.0, 90.0], seed=1)
    found.gallery[1::5] = found.gallery[::5][: len(found.gallery[1::5])]
    found.gallery_ids[[3, 11]] = -1
    found.gallery_ids[[7, 20]] = 0
    return found


def _distances(scorer, people, chunk_size=None, metric="cosine"):
    def first_stage(one, other):
        return distance_chunks(one, other, metric=metric, chunk_size=chunk_size)

    query, gallery = (features.astype(np.float64) for features in (people.query, people.gallery))
    table = np.full((len(query), len(gallery)), np.nan)
    for rows, distances in scorer.chunks(query, gallery, people.gallery_ids, first_stage):
        table[rows] = distances
    return table


@every_scorer
@pytest.mark.parametrize("metric", METRICS)
def test_distances_are_finite_and_tell_images_apart(settings, metric, people, heads, make_scorer):
    distances = _distances(make_scorer(settings, heads), people, metric=metric)
    assert np.isfinite(distances).all()
    assert len(np.unique(distances)) > len(people.query)


@every_scorer
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("chunk_size", [1, 5, 1000])
def test_chunks_do_not_change_the_last_digit(settings, metric, chunk_size, people, heads, make_scorer):
    scorer = make_scorer(settings, heads)
    expected = _distances(scorer, people, metric=metric)
    assert_array_equal(_distances(scorer, people, chunk_size, metric), expected)


@every_scorer
@pytest.mark.parametrize("metric", METRICS)
def test_order_of_the_gallery_changes_nothing(settings, metric, people, heads, make_scorer):
    """With images that are there twice; shuffled edges, the null control, may tell such twins apart."""
    if settings.get("edges") == "shuffled":
        people = people.reordered(np.unique(people.gallery, axis=0, return_index=True)[1])
    scorer = make_scorer(settings, heads)
    expected = _distances(scorer, people, metric=metric)
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(people.gallery))
        assert_array_equal(_distances(scorer, people.reordered(order), metric=metric), expected[:, order])


@every_scorer
def test_equal_images_tie(settings, people, heads, make_scorer):
    """Unless edges look at more than the image: at its identity, or at its place."""
    if settings.get("edges") in ("oracle", "shuffled"):
        pytest.skip("the edges of equal images differ")
    distances = _distances(make_scorer(settings, heads), people)
    same = (people.gallery[:, None] == people.gallery[None]).all(axis=2)
    first = same.argmax(axis=1)
    assert (first != np.arange(len(first))).sum() > 5
    assert_array_equal(distances, distances[:, first])


@every_scorer
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("noise", [0.0, 1e-7])
def test_collapsed_network_gains_nothing(settings, metric, noise, people, heads, make_scorer):
    """All features equal, exactly or up to the rounding of float32; whichever way the files are sorted."""
    generator = np.random.default_rng(2)
    for order in (np.argsort(people.gallery_ids), np.argsort(-people.gallery_ids)):
        collapsed = people.reordered(order)
        for features in (collapsed.query, collapsed.gallery):
            features[:] = np.linspace(1, 2, features.shape[1]) * (1 + noise * generator.standard_normal(features.shape))
        worst = evaluate_ranking(collapsed.query, collapsed.gallery, **collapsed.labels, metric=metric)
        result = collapsed.evaluate(make_scorer(settings, heads), metric=metric)
        assert_array_equal(result.average_precision, worst.average_precision)


@every_scorer
@pytest.mark.parametrize("metric", METRICS)
def test_galleries_of_one_and_two_images(settings, metric, people, heads, make_scorer):
    for count in (1, 2):
        small = people.reordered(np.arange(count))
        assert np.isfinite(_distances(make_scorer(settings, heads), small, metric=metric)).all()


@every_scorer
def test_features_of_zero_length_are_scored(settings, people, heads, make_scorer):
    dead = people.reordered(np.arange(len(people.gallery)))
    dead.gallery[:4] = 0
    assert np.isfinite(_distances(make_scorer(settings, heads), dead)).all()


@every_scorer
def test_heads_are_left_as_they_were(settings, people, make_loss, make_scorer):
    losses = {name: make_loss(loss).train() for name, loss in LOSSES.items()}
    before = {name: {key: value.clone() for key, value in loss.state_dict().items()} for name, loss in losses.items()}
    _distances(make_scorer(settings, losses), people)
    for name, loss in losses.items():
        assert all(module.training for module in loss.modules())
        assert all(parameter.requires_grad for parameter in loss.parameters())
        for key, value in loss.state_dict().items():
            assert value.dtype == before[name][key].dtype
            assert_close(value, before[name][key], rtol=0, atol=0)


@every_scorer
def test_broken_head_is_not_hidden(settings, people, make_loss, make_scorer):
    if SCORERS.validate(settings).loss is None:
        pytest.skip("no head")
    losses = {name: make_loss(loss) for name, loss in LOSSES.items()}
    for loss in losses.values():
        for parameter in loss.parameters():
            torch.nn.init.constant_(parameter, torch.nan)
    with pytest.raises(EvaluationError, match="NaN"):
        people.evaluate(make_scorer(settings, losses))
