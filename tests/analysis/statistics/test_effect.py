import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from analysis.statistics.effect import Effect, mean_effect, opposed
from analysis.statistics.power import power_of

UNKNOWN = ("low", "high", "p", "sd", "detectable")


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=12))
def test_the_numbers_are_those_of_scipy(effects):
    assume(np.ptp(effects) > 1e-6)
    found, test = mean_effect(np.array(effects)), stats.ttest_1samp(effects, 0)
    interval = test.confidence_interval(0.95)
    assert (found.low, found.high, found.p) == pytest.approx((interval.low, interval.high, test.pvalue), abs=1e-9)
    assert (found.n, found.note) == (len(effects), "")
    assert (found.delta, found.sd) == pytest.approx((np.mean(effects), stats.tstd(effects)), abs=1e-9)


def test_what_is_not_finite_is_left_out():
    assert mean_effect(np.array([0.1, math.nan, 0.3, math.inf, 0.2])) == mean_effect(np.array([0.1, 0.3, 0.2]))


def test_detectable_is_found_with_probability_eighty_percent():
    found = mean_effect(np.array([0.01, 0.03, -0.02, 0.04, 0.02]))
    assert power_of(found.detectable / found.sd, found.n) == pytest.approx(0.8, abs=1e-6)


@pytest.mark.parametrize("effects", [[], [math.nan], [math.inf, math.nan]])
def test_no_seed_gives_nothing_and_says_so(effects):
    found = mean_effect(np.array(effects))
    assert (found.n, found.note) == (0, "no seed is finished in both arms")
    assert all(math.isnan(getattr(found, name)) for name in (*UNKNOWN, "delta", "p_improve"))


@pytest.mark.parametrize(("value", "p_improve"), [(0.1, 1.0), (-0.1, 0.0), (0.0, 0.5)])
def test_one_seed_gives_an_effect_without_spread(value, p_improve):
    found = mean_effect(np.array([value]))
    assert (found.n, found.delta, found.p_improve) == (1, value, p_improve)
    assert all(math.isnan(getattr(found, name)) for name in UNKNOWN)
    assert found.note == "one seed: an effect and no verdict"


@pytest.mark.parametrize(("value", "p"), [(0.0, 1.0), (0.1, 0.0), (-0.1, 0.0)])
def test_constant_effects_have_an_interval_without_width_and_say_so(value, p):
    found = mean_effect(np.array([value, value + 1e-14, value]))  # equal but for rounding
    assert found.low == found.high == found.delta == pytest.approx(value, abs=1e-12)
    assert (found.n, found.p, found.sd) == (3, p, 0.0)
    assert "the same for every seed" in found.note


@pytest.mark.parametrize(
    ("effects", "p_improve"), [([0.1, 0.2, -0.1, 0.0], 2.5 / 4), ([1e-14, 0.1], 1.5 / 2), ([-0.1, -0.2], 0.0)]
)
def test_ties_count_half(effects, p_improve):
    assert mean_effect(np.array(effects)).p_improve == p_improve


@pytest.mark.parametrize("n", [3, 5, 10])
def test_the_interval_covers_the_truth_in_nineteen_of_twenty_studies(n):
    studies = np.random.default_rng(0).normal(0.01, 0.004, (4000, n))
    found: list[Effect] = [mean_effect(effects) for effects in studies]
    assert np.mean([effect.low < 0.01 < effect.high for effect in found]) == pytest.approx(0.95, abs=0.012)


def test_opposite_signs_are_not_those_of_rounding() -> None:
    a, b = [0.1, 0.1, -0.2, np.nan, 0.3 - (0.1 + 0.2)], [-0.1, 0.1, 0.2, 0.1, 0.1]
    assert opposed(a, b).tolist() == [True, False, True, False, False]
