import itertools

import numpy as np
import pytest

from analysis.statistics.looks import level_of_look, levels_of_plan, planned_before
from analysis.statistics.signed_rank import rank_effect, spent
from reid_search.study.question.deciding import budget_of_claim, looks_between, planned_levels


@pytest.mark.parametrize(("claims", "looks"), list(itertools.product((1, 7, 15), ((9,), (9, 12, 16, 20), (5, 30)))))
def test_all_looks_together_spend_at_most_the_level_of_a_claim(claims, looks):
    budget = budget_of_claim(claims)
    levels = levels_of_plan(looks, budget)
    planned = sum(spent(seeds, level) for seeds, level in levels.items())
    extra = sum(level_of_look(looks, [looks[-1], *range(40, 40 + count)], budget) for count in range(1, 50))
    assert planned <= planned_levels(looks, budget)[-1]
    assert planned + extra <= 0.9 * 0.05 / claims


def test_going_on_until_it_is_decided_keeps_the_level():
    """In studies without an effect that look at 6, 8, 11, 15 and 20 seeds, any rejection is rare enough."""
    looks, generator, repeats = looks_between(6, 20), np.random.default_rng(0), 4000
    assert looks == (6, 8, 11, 15, 20)
    levels = levels_of_plan(looks, 0.05)
    effects = generator.standard_t(3, (repeats, 20))
    found = [any(rank_effect(row[:n], level).p <= level for n, level in levels.items()) for row in effects]
    assert 0.02 < np.mean(found) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / repeats)


@pytest.mark.parametrize(
    ("looks", "plans", "plan"),
    [
        ([9], [(9, 12)], (9, 12)),
        ([3, 9, 12], [(3,), (9, 12)], (9, 12)),  # 3 seeds decide nothing, so nothing was looked at
        ([9, 12], [(9,), (12, 16)], (9,)),
        ([8, 14], [(14,)], (8,)),  # it was seen before it was planned
        ([3], [(3,)], (3,)),
    ],
)
def test_the_plan_is_the_one_that_the_first_look_followed(looks, plans, plan):
    assert planned_before(looks, plans, 0.05) == plan
