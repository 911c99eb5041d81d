"""Values of a search's best, shrunken, against the truth that a simulation knows."""

import numpy as np
import pytest

from analysis.statistics.shrinkage import shrunken

SEEDS, FINALISTS, NOISE = 3, 3, 2.0


def searches(proposals, spread, studies=1500):
    """Yield of simulated searches: the truth of two winners, and what they are said to be.

    One winner is the best of a single seed and is said to be that value; the other has the best mean of the finalists
    on fresh seeds, which is also given shrunken.
    """
    draw = np.random.default_rng(0)
    for _ in range(studies):
        truth = draw.normal(0, spread, proposals)
        once = truth + draw.normal(0, NOISE, proposals)
        top = np.argsort(-once)[:FINALISTS]
        again = truth[top, None] + draw.normal(0, NOISE, (FINALISTS, SEEDS))
        won, means = again.mean(axis=1).argmax(), again.mean(axis=1)
        guess = shrunken(float(means[won]), SEEDS, once.tolist(), again.tolist())
        assert guess is not None
        yield truth[top[0]], once[top[0]], truth[top[won]], means[won], guess


@pytest.mark.parametrize("proposals", [8, 16, 24])
@pytest.mark.parametrize("spread", [0.0, 1.0, 2.0, 5.0])
def test_the_shrunken_value_is_nearer_the_truth_than_the_raw_best(proposals, spread):
    first, once, truth, mean, guess = np.array(list(searches(proposals, spread))).T
    errors = {name: np.sqrt(np.mean(found**2)) for name, found in (("once", once - first), ("guess", guess - truth))}
    assert errors["guess"] < 0.75 * errors["once"]
    assert abs(np.mean(guess - truth)) < np.mean(mean - truth) < np.mean(once - first)
    assert abs(np.mean(guess - truth)) < 0.4 * NOISE
    assert errors["guess"] < 1.05 * np.sqrt(np.mean((mean - truth) ** 2))
    assert np.mean(truth) >= np.mean(first), "and the winner is no worse"


def test_by_hand():
    """V = 10/3 and S = 1 with 2 degrees of freedom: r = 1 - 1/3 · 2/4 · 3/10 = 0.95, b = 2 · 0.95 / 1.95."""
    others, replicates = [1.0, 2.0, 4.0, 5.0], [[4.0, 5.0 - 1 + 2**0.5], [5.0, 5.0 + 2**0.5]]
    assert shrunken(6.0, 2, others, replicates) == pytest.approx(3 + 1.9 / 1.95 * 3)


def test_candidates_that_differ_less_than_seeds_do_are_all_worth_their_mean():
    assert shrunken(9.0, 3, [1.0, 2.0, 3.0, 4.0, 5.0], [[0.0, 9.0, 18.0]]) == 3.0
    assert shrunken(2.0, 3, [2.0] * 5, [[1.0, 2.0, 3.0]]) == 2.0


def test_seeds_without_noise_leave_the_value_as_it_is():
    assert shrunken(4.5, 3, [1.0, 2.0, 3.0, 4.0, 5.0], [[4.5] * 3, [3.0] * 3]) == pytest.approx(4.5)


@pytest.mark.parametrize(
    ("others", "replicates"), [([1.0, 2.0, 3.0], [[2.0, 3.0]]), ([1.0, 2.0, 3.0, 4.0], [[2.0], []])]
)
def test_there_is_nothing_to_estimate_from(others, replicates):
    assert shrunken(3.0, 2, others, replicates) is None
