"""The Gaussian moves to the optimum of ranges on every scale."""

import math

import pytest

from reid_search.errors import StudyError

AXES = {
    "lr": {"log_uniform": [1e-5, 1.0]},
    "margin": {"uniform": [0.0, 4.0]},
    "dim": {"integer": [1, 40]},
    "neck": {"choice": ["none", "bn"]},
}


def value_of(settings):
    value = {path: level.value for path, level in settings.items()}
    lr, margin, dim = (math.log10(value["lr"]) + 4) / 5, (value["margin"] - 3) / 4, (value["dim"] - 35) / 40
    return -(lr**2 + margin**2 + dim**2) - (value["neck"] == "none")


@pytest.mark.parametrize("workers", [1, 8])
def test_it_comes_nearer_to_the_optimum_than_chance(workers, make_proposer, make_search):
    def regret(sampler):
        found = make_search(make_proposer(sampler, AXES), workers, value_of).ask(70)
        return -sum(map(value_of, found[-15:])) / 15

    assert regret("cma_es") < 0.4 * regret("random")


def test_a_generation_is_learnt_from_when_it_is_full(make_proposer):
    """Its mean moves to the better side of the trials; until then it stands in the middle."""
    axis = {"x": {"uniform": [0.0, 1.0]}}

    def mean(finished):
        drawn = []
        for seed in range(60):
            proposer = make_proposer({"kind": "cma_es", "population": 4}, axis, seed)
            for number in range(finished):
                proposer.again(number, {"x": 0.1 + 0.2 * (number % 4)})
                proposer.tell(number, number % 4)
            drawn.append(proposer.ask(finished)[0]["x"].value)
        return sum(drawn) / len(drawn)

    assert mean(4) == pytest.approx(0.5, abs=0.06)  # one at random, three of the first generation
    assert mean(5) == pytest.approx(0.63, abs=0.06)  # of 0.3, 0.5, 0.7, 0.1 the two best count, the better more


@pytest.mark.parametrize("axis", [{"choice": [1, 2]}, {"uniform": [0, 1], "when": {"neck": "bn"}}])
def test_a_search_without_a_range_that_every_trial_has_is_refused(axis, make_proposer):
    with pytest.raises(StudyError, match="cma_es searches ranges without a condition"):
        make_proposer("cma_es", {"neck": {"choice": ["none", "bn"]}, "x": axis})
