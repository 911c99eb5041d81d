import numpy as np
import pytest

from analysis.statistics.futility import chance_to_decide, expected_trainings, stops
from analysis.statistics.looks import levels_of_plan
from analysis.statistics.signed_rank import rank_effect
from analysis.statistics.verdict import UNDECIDED, of_claim
from reid_search.study.question.deciding import budget_of_claim, looks_between

LEVELS = levels_of_plan(looks_between(9, 20), budget_of_claim(8))


@pytest.mark.parametrize(("mean", "low", "high"), [(2.0, 0.95, 1.0), (0.5, 0.05, 0.95), (0.0, 0.0, 0.1)])
def test_the_chance_is_that_of_drawing_on(mean, low, high):
    effects = np.random.default_rng(0).normal(0, 1, 9)
    effects = mean + (effects - effects.mean()) / effects.std(ddof=1)
    chance = chance_to_decide(effects, 20, 0.005, 0.01, np.random.default_rng(1))
    draws = np.random.default_rng(2).normal(mean, 1, (400, 11))
    found = [of_claim(rank_effect(np.append(effects, more), 0.005), 0.01) != UNDECIDED for more in draws]
    assert chance == pytest.approx(np.mean(found), abs=0.12)
    assert low <= chance <= high


def test_effects_within_the_smallest_are_decided_too():
    assert chance_to_decide(np.array([1e-4, -1e-4] * 5), 20, 0.005, 0.01, np.random.default_rng(0)) == 1.0


def test_large_effects_stop_early_and_so_do_effects_of_nothing():
    generator = np.random.default_rng(0)
    true, null = stops(LEVELS, 2.0, generator), stops(LEVELS, 0.0, generator)
    assert set(true) | set(null) <= set(LEVELS)
    assert np.mean(true) < 12
    assert np.mean(null) < 16


def test_arms_train_as_long_as_any_of_their_claims():
    arms = ["baseline", "a", "b", "idle"]
    claims = [["a", "baseline"], ["b", "baseline"]]
    expected = expected_trainings(claims, arms, LEVELS, np.random.default_rng(0))
    assert 4 * 9 < expected < 9 + 3 * 20
    always = expected_trainings(claims, arms, {9: 1e-9, 20: 1e-9}, np.random.default_rng(0))
    assert always == 4 * 9, "what cannot be decided stops at once"
