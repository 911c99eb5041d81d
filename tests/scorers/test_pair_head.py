"""The pair head as a scorer against the head itself."""

import numpy as np
import pytest
import torch

from reid_search.errors import StudyError
from reid_search.scorers import ScorerError
from reid_search.scorers.pair_head import scorer as module
from reid_search.study import LOSSES, SCORERS


@pytest.mark.parametrize("block", [1, 40, 10**6])
def test_ranks_as_the_head_scores(block, make_people, make_loss, make_scorer, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK_VALUES", block)
    people, loss = make_people(10, [30.0, 60.0], seed=3), make_loss({"kind": "graph"})
    scores = loss.double().eval().pair_scores(*(torch.from_numpy(f).double() for f in (people.query, people.gallery)))
    scorer = make_scorer({"kind": "pair_head", "head": "pairs"}, {"pairs": loss})

    first_stage = [(slice(0, 10), np.zeros((10, 20)))]
    query, gallery = people.query.astype(float), people.gallery.astype(float)
    ((_, distances),) = scorer.chunks(query, gallery, people.gallery_ids, lambda one, other: iter(first_stage))
    assert (np.argsort(distances) == np.argsort(-scores.detach().numpy())).all()


def test_learnt_pairs_beat_chance(make_people, make_loss, make_scorer, train):
    loss = train(make_loss({"kind": "graph", "alpha": 0.0}), [0.0, 30.0], steps=60)
    people = make_people(30, [20.0, 30.0], seed=4)
    assert people.evaluate(make_scorer({"kind": "pair_head", "head": "g"}, {"g": loss})).mean_ap > 0.8


def test_loss_that_is_not_there_is_named(make_scorer, make_loss):
    with pytest.raises(ScorerError, match="no trained loss 'pair'; did you mean 'pairs'"):
        make_scorer({"kind": "pair_head", "head": "pair"}, {"pairs": make_loss({"kind": "graph"})})


def test_loss_without_a_pair_head_is_refused(make_scorer, make_loss):
    losses = {"triplet": make_loss({"kind": "triplet"})}
    with pytest.raises(ScorerError, match="TripletLoss has no 'pair_scores'"):
        make_scorer({"kind": "pair_head", "head": "triplet"}, losses)


def test_features_of_other_taps_are_refused(make_people, make_scorer, make_loss):
    scorer = make_scorer({"kind": "pair_head", "head": "g"}, {"g": make_loss({"kind": "graph"}, dim=8)})
    with pytest.raises(StudyError, match=r"features of 16 values.*global@coarse with 8"):
        make_people(3, [30.0], seed=0).evaluate(scorer)


def test_config_knows_its_loss_and_is_not_transductive():
    config = SCORERS.validate({"kind": "pair_head", "head": "pairs"})
    assert config.loss == "pairs"
    assert not config.transductive
    assert "triplet" in config.problem_with(LOSSES.validate({"kind": "triplet"}))
    assert config.problem_with(LOSSES.validate({"kind": "graph"})) is None
