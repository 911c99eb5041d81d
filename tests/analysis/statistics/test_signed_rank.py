import itertools

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.signed_rank import cut_off, rank_effect, spent, tails


@pytest.mark.parametrize("n", [1, 2, 5, 10])
def test_the_null_distribution_is_that_of_all_signs(n):
    sums = [np.dot(signs, range(1, n + 1)) for signs in itertools.product([0, 1], repeat=n)]
    expected = [np.mean(np.array(sums) <= total) for total in range(n * (n + 1) // 2 + 1)]
    np.testing.assert_allclose(tails(n), expected, rtol=1e-12)


@pytest.mark.parametrize("n", [2, 6, 9, 20])
def test_p_is_scipy_s(n):
    effects = np.random.default_rng(n).normal(0.5, 1, n)
    assert rank_effect(effects, 0.05).p == pytest.approx(stats.wilcoxon(effects, method="exact").pvalue)


@pytest.mark.parametrize(("n", "level"), [(6, 0.05), (9, 0.05), (9, 0.0068), (20, 0.005)])
def test_the_interval_holds_what_the_test_does_not_reject(n, level):
    effects = np.random.default_rng(n).normal(0.5, 1, n)
    found = rank_effect(effects, level)
    for truth in np.linspace(-3, 3, 241):
        rejected = stats.wilcoxon(effects - truth, method="exact").pvalue <= level
        assert rejected != (found.low <= truth <= found.high)


def test_the_estimate_is_the_median_of_the_means_of_pairs():
    assert rank_effect(np.array([1.0, 2.0, 9.0]), 0.05).delta == 3.5  # of 1, 1.5, 2, 5, 5.5, 9


@pytest.mark.parametrize("effects", [[0.0] * 9, [0.1] * 8 + [0.0], [0.1] * 9, [-0.1, 0.1] * 5])
def test_ties_and_zeros_never_make_interval_and_p_disagree(effects):
    found = rank_effect(np.array(effects), 0.05)
    assert (found.p <= 0.05) == (found.low > 0 or found.high < 0)


def test_zeros_speak_against_a_finding():
    with_zeros = rank_effect(np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.0, 0.0]), 0.05)
    assert with_zeros.p >= stats.wilcoxon([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]).pvalue


@pytest.mark.parametrize(("n", "level"), [(5, 0.05), (8, 0.0068)])
def test_too_few_seeds_have_no_interval(n, level):
    found = rank_effect(np.ones(n), level)
    assert (cut_off(n, level), spent(n, level)) == (0, 0.0)
    assert np.isnan([found.low, found.high]).all()


def test_what_is_spent_is_at_most_the_level_and_the_next_step_is_more():
    for n, level in itertools.product(range(6, 21), (0.05, 0.02, 0.005)):
        cut = cut_off(n, level)
        assert spent(n, level) <= level < 2 * tails(n)[cut]


def test_values_that_are_not_finite_are_left_out():
    assert rank_effect(np.array([0.1, np.nan, 0.3, np.inf]), 0.05).n == 2
