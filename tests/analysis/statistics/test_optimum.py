"""The optimum along a setting, against formulas written out and functions whose optimum is known."""

import numpy as np
import pytest
from scipy import linalg

from analysis.statistics.optimum import _kernel, _posterior, optimum_probabilities

PLACES = np.linspace(0, 1, 21)
NONE = np.empty((30, 0))


def test_the_posterior_is_that_of_the_textbook_with_an_unknown_mean():
    generator = np.random.default_rng(0)
    at, values, noise = generator.uniform(size=9), generator.normal(size=9), np.diag(generator.uniform(0.5, 2, 9))
    found = {}
    for size, length in ((3.0, 0.4), (0.3, 1.6)):
        evidence, (mean, covariance) = _posterior(noise, size, length, PLACES, at, values)
        whole, across = noise + size * _kernel(at, at, length), size * _kernel(at, PLACES, length)
        inverse, ones = np.linalg.inv(whole), np.ones(9)
        centre = ones @ inverse @ values / (ones @ inverse @ ones)
        assert mean == pytest.approx(across.T @ inverse @ (values - centre))
        left = inverse - np.outer(inverse @ ones, ones @ inverse) / (ones @ inverse @ ones)
        variance = values @ left @ values / 8
        expected = variance * (size * _kernel(PLACES, PLACES, length) - across.T @ left @ across)
        assert covariance == pytest.approx(expected)
        # Contrasts know no mean: their density, with a flat prior on the log of the variance, is the evidence.
        contrasts = linalg.null_space(ones[None])
        spread = contrasts.T @ whole @ contrasts
        scaled = contrasts.T @ values @ np.linalg.solve(spread, contrasts.T @ values)
        found[size] = evidence, -0.5 * np.linalg.slogdet(spread)[1] - 4 * np.log(scaled)
    (one, expected_one), (other, expected_other) = found.values()
    assert one - other == pytest.approx(expected_one - expected_other)


@pytest.mark.parametrize("best", [0.0, 0.3, 1.0])
def test_the_optimum_of_a_clear_function_is_found(best):
    at = np.linspace(0, 1, 30)
    chances = optimum_probabilities(PLACES, at, -((at - best) ** 2) + 0.005 * np.cos(40 * at), NONE)
    assert chances.sum() == pytest.approx(1)
    assert chances[np.abs(PLACES - best) < 0.11].sum() > 0.9


def test_noise_leaves_it_open():
    generator = np.random.default_rng(2)
    chances = optimum_probabilities(PLACES, generator.uniform(size=30), generator.normal(size=30), NONE)
    assert chances.max() < 0.5
    assert optimum_probabilities(PLACES, np.linspace(0, 1, 30), np.ones(30), NONE) == pytest.approx(1 / 21)


def test_the_same_trials_give_the_same_answer():
    generator = np.random.default_rng(2)
    given = PLACES, generator.uniform(size=30), generator.normal(size=30), generator.normal(size=(30, 2))
    assert (optimum_probabilities(*given) == optimum_probabilities(*given)).all()
