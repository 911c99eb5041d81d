"""Values on the way against ends, on simulated trials that a pruner left."""

import math

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.rungs import Agreement, agreements, common_epoch, expected_ends, holds_from


def pruned(count, kept, correlation, seed=0):
    """Return curves, ends and the true end of every trial: the best after epoch 1 run to epoch 3."""
    generator = np.random.default_rng(seed)
    first = generator.normal(0.3, 0.1, count)
    ends = 0.1 + correlation * first + 0.1 * math.sqrt(1 - correlation**2) * generator.standard_normal(count)
    go_on = np.argsort(-first)[: round(kept * count)]
    curves = {trial: {1: first[trial]} for trial in range(count)}
    for trial in go_on:
        curves[int(trial)] |= {2: (first[trial] + ends[trial]) / 2, 3: ends[trial]}
    return curves, {int(trial): float(ends[trial]) for trial in go_on}, first, ends


def test_without_stops_the_correlation_is_spearmans():
    curves, ends, first, truth = pruned(40, 1.0, 0.8)
    one, two = agreements(curves, ends)
    assert (one.epoch, one.reached, one.ends, two.epoch) == (1, 40, 40, 2)
    assert one.rho == pytest.approx(stats.spearmanr(first, truth).statistic)
    assert one.low < one.rho < one.high


@pytest.mark.parametrize("correlation", [0.5, 0.8, 0.95])
def test_stops_do_not_hide_how_far_the_order_agrees(correlation):
    """A third is left. What is left alone would say much less."""
    curves, ends, first, truth = pruned(6000, 1 / 3, correlation)
    [one] = [item for item in agreements(curves, ends) if item.epoch == 1]
    assert (one.reached, one.ends) == (6000, 2000)
    assert one.rho == pytest.approx(stats.spearmanr(first, truth).statistic, abs=0.03)
    assert stats.spearmanr([first[trial] for trial in ends], list(ends.values())).statistic < one.rho - 0.05


def test_an_interval_holds_the_truth_at_its_rate():
    held = 0
    for seed in range(400):
        curves, ends, *_ = pruned(36, 1 / 3, 0.8, seed)
        one = agreements(curves, ends)[0]
        held += one.low <= 6 / math.pi * math.asin(0.4) <= one.high
    assert held / 400 == pytest.approx(0.95, abs=0.035)


def test_with_fewer_than_five_ends_nothing_is_known():
    curves, ends, *_ = pruned(12, 1 / 3, 0.9)
    assert math.isnan(agreements(curves, ends)[0].rho)
    flat = {trial: {1: 0.5, 2: 0.6} for trial in range(8)}
    assert math.isnan(agreements(flat, {trial: 0.6 + trial / 100 for trial in flat})[0].rho), "all alike after epoch 1"
    assert agreements({}, {}) == []
    assert agreements({0: {1: 0.5}}, {}) == []


def test_expected_ends_are_those_that_stopped_trials_would_have_had():
    curves, ends, _, truth = pruned(6000, 1 / 3, 0.8)
    found = expected_ends(curves, ends)
    stopped = [trial for trial in curves if trial not in ends]
    errors = np.array([found[trial] - truth[trial] for trial in stopped])
    assert abs(errors.mean()) < 0.005, "not biased by what was stopped"
    assert np.array(list(ends.values())).mean() - truth[stopped].mean() > 0.1, "although the stopped ones are worse"
    assert {trial: found[trial] for trial in ends} == ends
    assert expected_ends(*pruned(12, 1 / 3, 0.9)[:2]).keys() == pruned(12, 1 / 3, 0.9)[1].keys(), "four are too few"


def test_the_common_epoch_is_the_last_that_all_reached():
    assert common_epoch({0: {1: 0.1, 2: 0.2}, 1: {1: 0.1, 2: 0.1, 4: 0.3}}) == 2
    assert common_epoch({0: {1: 0.1}, 1: {2: 0.1}}) is None
    assert common_epoch({}) is None


def order_of(*lows):
    return [Agreement(epoch, 20, 20, low + 0.1, low, 1.0) for epoch, low in enumerate(lows, start=1)]


def test_an_order_holds_from_where_it_is_never_lost_again():
    found = holds_from(order_of(0.85, 0.5, 0.82, 0.9))
    assert found is not None
    assert found.epoch == 3
    assert holds_from(order_of(0.85, 0.9, 0.7)) is None
    assert holds_from(order_of(0.85, math.nan)) is None
    assert holds_from([]) is None


RISING = (0.3, 0.5, 0.7, 0.8, 0.87, 0.92, 0.95, 0.97, 0.985, 0.99, 0.995)
FIRST = 5  # epoch at which the rank correlation of these, .86, is above .8


def learning(count, seed):
    """Return the curves of trials that all ran to the end, whose noise lasts for some epochs, and their ends."""
    generator = np.random.default_rng(seed)
    ends, noise = generator.standard_normal((2, count))
    curves = []
    for correlation in RISING:
        noise = 0.8 * noise + 0.6 * generator.standard_normal(count)
        curves.append(correlation * ends + math.sqrt(1 - correlation**2) * noise)
    by_trial = np.array([*curves, ends]).T
    return {trial: dict(enumerate(row.tolist(), 1)) for trial, row in enumerate(by_trial)}, dict(enumerate(ends))


@pytest.mark.parametrize("count", [10, 24])
def test_an_epoch_whose_order_does_not_hold_yet_is_hardly_ever_named(count):
    """The first correlation that looks high names one more often, since it is a maximum over epochs."""
    found = [agreements(*learning(count, seed)) for seed in range(100)]
    named = [item.epoch for item in map(holds_from, found) if item is not None]
    assert sum(epoch < FIRST for epoch in named) <= 3
    assert len(named) >= 60
    first_high = [next((item.epoch for item in order if item.rho >= 0.9), math.inf) for order in found]
    assert count > 10 or sum(epoch < FIRST for epoch in first_high) >= 10
