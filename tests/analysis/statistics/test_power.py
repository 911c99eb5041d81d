import itertools
import math

import numpy as np
import pytest
from scipy import integrate, stats

from analysis.statistics.power import detectable, power_of, seeds_needed


def by_integration(effect, n, level=0.05):
    """Power from the normal mean and the chi-square variance, without the noncentral t distribution."""
    df, shift = n - 1, effect * math.sqrt(n)
    critical = stats.t.ppf(1 - level / 2, df)

    def rejected(spread):  # given the sample standard deviation, in true ones
        tails = stats.norm.sf(critical * spread - shift) + stats.norm.cdf(-critical * spread - shift)
        return tails * stats.chi.pdf(spread * math.sqrt(df), df) * math.sqrt(df)

    return integrate.quad(rejected, 0, 8, limit=200)[0]


@pytest.mark.parametrize(("effect", "n"), [(0.5, 3), (1.0, 5), (2.5, 5), (-1.0, 5), (0.9, 10), (0.3, 50)])
def test_power_is_the_share_of_simulated_studies_that_find_the_effect(effect, n):
    effects = np.random.default_rng(0).normal(effect, 1, (200_000, n))
    found = stats.ttest_1samp(effects, 0, axis=1).pvalue < 0.05
    assert power_of(effect, n) == pytest.approx(found.mean(), abs=0.005)


@pytest.mark.parametrize("level", [0.05, 0.05 / 7])
@pytest.mark.parametrize("n", [2, 3, 5, 10, 30])
def test_power_is_that_of_normal_and_chi_square(n, level):
    for effect in (1.0, 2.5):
        found, expected = power_of(effect, n, level), by_integration(effect, n, level)
        assert found == pytest.approx(expected, abs=1e-4 if expected > 0.2 else 3e-3)  # the far tail is left out


def test_power_of_large_effects_is_one_and_not_nan():
    assert [power_of(effect, n) for effect in (100.0, 1000.0) for n in (3, 5, 100)] == pytest.approx(
        [1.0] * 6, abs=1e-6
    )


@pytest.mark.parametrize("n", [2, 3, 5, 10])
def test_detectable_is_found_four_times_out_of_five(n):
    random = np.random.default_rng(0)
    draws = random.normal(detectable(n) / math.sqrt(n), 1, (200_000, n))
    t = draws.mean(axis=1) / (draws.std(axis=1, ddof=1) / math.sqrt(n))
    assert np.mean(np.abs(t) > stats.t.ppf(0.975, n - 1)) == pytest.approx(0.8, abs=0.005)


@pytest.mark.parametrize(("level", "power"), [(0.05, 0.8), (0.01, 0.8), (0.05, 0.95)])
def test_detectable_is_the_effect_that_has_the_power(level, power):
    for n in (3, 5, 20):
        effect = detectable(n, level, power) / math.sqrt(n)
        assert by_integration(effect, n, level) == pytest.approx(power, abs=1e-4)


@pytest.mark.parametrize(("level", "power"), [(0.05, 0.8), (0.01, 0.8), (0.05, 0.95)])
@pytest.mark.parametrize("ratio", [0.6, 0.8, 1.0, 1.6, 2.5, 5.0])
def test_seeds_needed_is_the_first_number_that_has_the_power(ratio, level, power):
    first = next(n for n in itertools.count(2) if by_integration(ratio, n, level) >= power)
    assert seeds_needed(ratio * 0.004, 0.004, level, power) == first
    assert seeds_needed(-ratio * 0.004, 0.004, level, power) == first


@pytest.mark.parametrize(
    ("effect", "sd", "expected"),
    [
        (0.0, 1.0, math.inf),
        (0.0, 0.0, math.inf),
        (0.1, 0.0, 2),
        (1e-9, 1.0, math.inf),
        (math.nan, 1.0, math.nan),
        (0.1, math.nan, math.nan),
        (100.0, 1.0, 2),
    ],
)
def test_seeds_needed_at_the_edges(effect, sd, expected):
    assert seeds_needed(effect, sd) == pytest.approx(expected, nan_ok=True)
