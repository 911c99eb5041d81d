"""Re-scoring by a graph: controls read out of one training, and where views in between help."""

from typing import get_args

import numpy as np
import pytest

from reid_search.errors import StudyError
from reid_search.evaluation import evaluate_ranking
from reid_search.losses.graph.config import EdgeKind
from reid_search.scorers import Candidates
from reid_search.scorers.graph.config import GraphScorerConfig
from reid_search.study import LOSSES, SCORERS

BRIDGED, BROKEN = [30.0, 60.0, 90.0], [90.0, 90.0, 90.0]
TRAINED_ON = [0.0, 30.0, 60.0, 90.0]


@pytest.fixture(scope="module")
def trained(make_loss, train):
    return {"graph": train(make_loss({"kind": "graph"}), TRAINED_ON, steps=200)}


def _mean_ap(people, scorer):
    return people.evaluate(scorer, metric="euclidean").mean_ap


def test_no_messages_are_the_pair_head(trained, make_people, make_scorer):
    people = make_people(20, BRIDGED, seed=6)
    base = people.evaluate(make_scorer({"kind": "graph", "alpha": 0.0, "top": 25}, trained))
    pairs = people.evaluate(make_scorer({"kind": "pair_head", "head": "graph", "top": 25}, trained))
    assert base.average_precision.tolist() == pairs.average_precision.tolist()


@pytest.fixture(scope="module")
def upper_bound(make_loss, train):
    return {"graph": train(make_loss({"kind": "graph", "edges": "oracle"}), TRAINED_ON, steps=200)}


@pytest.mark.parametrize("seed", range(3))
def test_edges_of_identities_lead_over_views_in_between(seed, upper_bound, make_people, make_scorer):
    """Front and back have nothing in common; half-turned views lead over, where edges say whose they are."""
    people = make_people(40, BRIDGED, seed=10 + seed, noise=0.3)
    base, oracle, shuffled = (
        _mean_ap(people, make_scorer({"kind": "graph", **settings}, upper_bound))
        for settings in ({"alpha": 0.0}, {}, {"edges": "shuffled"})
    )
    assert oracle > base + 0.1
    assert shuffled < base


@pytest.mark.parametrize("seed", range(3))
def test_without_views_in_between_nothing_is_gained(seed, upper_bound, make_people, make_scorer):
    people = make_people(40, BROKEN, seed=10 + seed, noise=0.3)
    base = _mean_ap(people, make_scorer({"kind": "graph", "alpha": 0.0}, upper_bound))
    assert _mean_ap(people, make_scorer({"kind": "graph"}, upper_bound)) < base + 0.04


def test_first_stage_alone_where_it_has_all_the_weight(trained, make_people, make_scorer):
    people = make_people(20, BRIDGED, seed=7)
    result = people.evaluate(make_scorer({"kind": "graph", "mix": 1.0, "top": 30}, trained))
    plain = evaluate_ranking(people.query, people.gallery, **people.labels)
    assert result.average_precision.tolist() == plain.average_precision.tolist()


def test_mixture_lies_between(trained, make_people, make_scorer):
    """With its weight, the order of the candidates goes from the graph's to the first stage's."""
    people = make_people(20, BRIDGED, seed=8)
    ranks = {}
    for mix in (0.0, 0.5, 1.0):
        result = people.evaluate(make_scorer({"kind": "graph", "mix": mix, "edges": "shuffled"}, trained))
        ranks[mix] = result.average_precision
    assert np.abs(ranks[0.5] - ranks[1.0]).mean() < np.abs(ranks[0.0] - ranks[1.0]).mean()
    assert not np.array_equal(ranks[0.5], ranks[0.0])


def test_mixture_weighs_probability_and_nearness(trained, make_people, make_scorer):
    """Nearness is 1 at distance 0 and 0 for the farthest candidate."""
    people = make_people(6, BRIDGED, seed=9)
    query, gallery = people.query[0].astype(float), people.gallery.astype(float)
    distances = np.linspace(1.0, 4.0, len(gallery))
    candidates = Candidates(gallery, people.gallery_ids, distances)
    graph, mixed = (make_scorer({"kind": "graph", "mix": mix}, trained).rescore(query, candidates) for mix in (0, 0.25))
    expected = 0.75 / (1 + np.exp(-graph)) + 0.25 * (4.0 - distances) / 4.0
    np.testing.assert_allclose(mixed, expected, rtol=0, atol=1e-12)


def test_edges_that_were_not_learnt_are_refused(trained, make_scorer):
    with pytest.raises(StudyError, match="edges: learnt: this loss was trained with edges: supervised"):
        make_scorer({"kind": "graph", "edges": "learnt"}, trained)


@pytest.mark.parametrize(
    ("settings", "loss", "message"),
    [
        ({}, {"kind": "triplet"}, "loss 'triplet' has no graph"),
        ({"edges": "learnt"}, {"kind": "graph"}, "edges: learnt needs a loss that learnt them"),
        ({"edges": "learnt"}, {"kind": "graph", "edges": "learnt"}, None),
        ({"edges": "oracle"}, {"kind": "graph", "edges": "learnt"}, None),
    ],
)
def test_config_tells_what_the_loss_cannot_do(settings, loss, message):
    problem = SCORERS.validate({"kind": "graph", **settings}).problem_with(LOSSES.validate(loss))
    assert (problem is None) if message is None else (message in problem)


def test_config_knows_its_loss_and_is_transductive():
    config = SCORERS.validate({"kind": "graph"})
    assert (config.loss, config.transductive) == ("graph", True)


def test_kinds_of_edges_are_those_of_the_loss():
    """Rooms side by side do not import each other, so both list them."""
    own = get_args(GraphScorerConfig.model_fields["edges"].annotation)[0]
    assert get_args(own) == get_args(EdgeKind)
