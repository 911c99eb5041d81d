"""The best of some trials against every order written out."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from analysis.statistics.best_of import best_of_some


@pytest.mark.parametrize(("values", "others"), [((0.1, 0.5, 0.3), 0), ((0.2, 0.4, 0.4), 2), ((0.7,), 3)])
def test_it_is_the_mean_over_all_subsets(values, others):
    trials = [*values, *[None] * others]
    found = best_of_some(values, others, range(1, len(trials) + 1))
    for size, mean in zip(found.trials, found.mean, strict=True):
        drawn = [[value for value in some if value is not None] for some in itertools.combinations(trials, size)]
        assert mean == pytest.approx(np.mean([max(some) for some in drawn if some]))


def test_the_band_holds_eight_of_ten_subsets():
    values = [0.1 * number for number in range(12)]
    found = best_of_some(values, 3, [4])
    subsets = itertools.combinations([*values, *[-1.0] * 3], 4)
    best = np.array([max(some) for some in subsets if max(some) >= 0])
    (low,), (high,) = found.low, found.high
    assert (best < low - 1e-9).mean() < 0.1 <= (best <= low + 1e-9).mean()
    assert (best < high - 1e-9).mean() < 0.9 <= (best <= high + 1e-9).mean()


def test_all_trials_have_one_best_and_many_trials_are_exact():
    found = best_of_some([0.3, 0.9, 0.6], 5, [8])
    assert (found.mean[0], found.low[0], found.high[0]) == pytest.approx((0.9, 0.9, 0.9))
    values = np.random.default_rng(0).random(3000)
    size, ordered = 700, np.sort(values)
    subsets = math.comb(3000, size)
    exact = sum(value * float(Fraction(math.comb(place, size - 1), subsets)) for place, value in enumerate(ordered))
    assert best_of_some(values, 0, [size]).mean[0] == pytest.approx(exact, rel=1e-9)
