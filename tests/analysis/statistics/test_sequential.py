import itertools
import math

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.sequential import guarded, inflated_level
from reid_search.errors import RequestError


@pytest.mark.parametrize("looks", [[2], [3], [5], [12]])
@pytest.mark.parametrize("level", [0.01, 0.05])
def test_one_look_keeps_its_level(looks, level):
    assert inflated_level(looks, level) == pytest.approx(level, abs=1e-4)


@pytest.mark.parametrize("looks", [[2, 3, 4], [5, 8, 10], list(range(3, 11))])
def test_the_level_is_that_of_simulated_studies_without_an_effect(looks):
    effects = np.random.default_rng(0).standard_normal((400_000, looks[-1]))
    found = np.zeros(len(effects), dtype=bool)
    for n in looks:
        seen = effects[:, :n]
        t = seen.mean(axis=1) / (seen.std(axis=1, ddof=1) / math.sqrt(n))
        found |= np.abs(t) > stats.t.ppf(0.975, n - 1)
    assert inflated_level(looks) == pytest.approx(found.mean(), abs=0.002)  # four standard errors of the simulation


def test_many_seeds_give_the_published_level_of_a_known_variance():
    # Armitage, McPherson & Rowe 1969, "Repeated significance tests on accumulating data", table 2: two looks.
    assert inflated_level([40, 80]) == pytest.approx(0.083, abs=0.002)


def test_every_further_look_inflates():
    levels = [inflated_level(list(range(3, last + 1))) for last in range(3, 9)]
    assert all(after > before + 0.01 for before, after in itertools.pairwise(levels))


@pytest.mark.parametrize("looks", [[3, 4], [5, 8, 10], [2, 3, 4, 5, 6]])
def test_a_guarded_p_keeps_the_level_over_planned_looks(looks):
    level_of_a_look = next(p for p in np.linspace(0.05, 0, 5001) if guarded(p, len(looks)) <= 0.05)
    assert 0.02 < inflated_level(looks, level_of_a_look) <= 0.05


@pytest.mark.parametrize(
    ("p", "looks_count", "expected"), [(0.02, 1, 0.02), (0.02, 3, 0.06), (0.6, 2, 1.0), (math.nan, 2, math.nan)]
)
def test_guarded_is_bonferroni_over_the_looks(p, looks_count, expected):
    assert guarded(p, looks_count) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("looks", [[], [1, 2], [5, 5], [5, 3]])
def test_looks_that_do_not_rise_are_refused(looks):
    with pytest.raises(RequestError, match="expected rising numbers of seeds, the first at least 2"):
        inflated_level(looks)


def test_no_look_is_refused():
    with pytest.raises(RequestError, match="0 looks: expected at least 1"):
        guarded(0.01, 0)
