import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from analysis.statistics.family import holm
from reid_search.study.question.deciding import smallest_p


def by_definition(p_values):
    """Holm: the smallest level at which the step-down procedure rejects each hypothesis, found by trying levels."""
    m = len(p_values)
    levels = sorted({min(1.0, factor * p) for p in p_values for factor in range(1, m + 1)} | {1.0})

    def rejected(level):
        order = sorted(range(m), key=lambda index: p_values[index])
        kept = itertools.takewhile(lambda item: p_values[item[1]] <= level / (m - item[0]) + 1e-15, enumerate(order))
        return {index for _, index in kept}

    return [next((level for level in levels if index in rejected(level)), 1.0) for index in range(m)]


@given(st.lists(st.integers(0, 1000).map(lambda n: n / 1000), min_size=1, max_size=6))
def test_holm_is_the_smallest_level_at_which_the_procedure_rejects(p_values):
    assert holm(p_values) == pytest.approx(by_definition(p_values), abs=1e-12)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_that_of_statsmodels(p_values):
    _, expected, _, _ = multipletests(p_values, method="holm")
    np.testing.assert_allclose(holm(p_values), expected, rtol=1e-12)


def test_holm_leaves_out_what_has_no_p():
    assert holm([0.04, math.nan, 0.01]) == pytest.approx([0.04, math.nan, 0.02], nan_ok=True)
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_keeps_the_order_and_lies_between_raw_and_bonferroni(p_values):
    adjusted = holm(p_values)
    for p, q in zip(p_values, adjusted, strict=True):
        assert p <= q <= min(1.0, len(p_values) * p)
    order = np.argsort(p_values, kind="stable")
    assert (np.diff(np.array(adjusted)[order]) >= 0).all()


def test_holm_keeps_the_level_of_a_family():
    # Of m independent p without any effect, one at least falls under .05 / m with probability 1 − (1 − .05 / m)^m.
    p_values = np.random.default_rng(0).random((20_000, 5))
    assert np.mean([min(holm(row.tolist())) < 0.05 for row in p_values]) == pytest.approx(1 - 0.99**5, abs=0.005)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
def test_the_smallest_p_is_that_of_all_flips(n):
    differences = np.arange(1, n + 1)
    flips = [abs(np.dot(signs, differences)) for signs in itertools.product([-1, 1], repeat=n)]
    assert smallest_p(n) == np.mean([flipped >= differences.sum() for flipped in flips])
