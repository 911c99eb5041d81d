"""Optima at the edge of what was searched, in tables made by hand."""

import numpy as np
import pandas as pd
import pytest

from analysis.answers.edges import FEWEST_TRIALS, Edge, edges_of
from analysis.answers.number_axes import NumberAxis

LR, MARGIN = "training.optimizer.lr", "losses.triplet.margin"
GRID = {"choice": [0.001, 0.002, 0.004]}
RANGE = {"uniform": [0.0, 1.0]}
COUNT = 24
NOISE = 0.02


def found(axis, labels, values, statuses=None, path=LR, curves=None, **others):
    """Return the edges of one axis, given the label and the value of each proposal (NaN: not finished)."""
    rows = pd.DataFrame({"number": range(len(labels)), path: labels, "value": values, **others})
    rows["status"] = statuses or ["finished"] * len(labels)
    best = dict(rows.loc[rows["value"].astype("float64").idxmax()])
    return list(edges_of("MGN", rows, best, {path: axis, **dict.fromkeys(others, RANGE)}, curves or {}))


def sides(function, axis=RANGE, seed=0, **other):
    """Return the sides of the edges of a noisy function of places in [0, 1], each with its probability."""
    generator = np.random.default_rng(seed)
    at = generator.uniform(size=COUNT)
    values = 0.5 + NOISE * (np.array([function(place) for place in at]) + generator.standard_normal(COUNT))
    low, high = axis.get("uniform") or np.log(axis["log_uniform"])
    numbers = low + at * (high - low) if "uniform" in axis else np.exp(low + at * (high - low))
    return {
        edge.side: edge.probability for edge in found(axis, [f"{number:.4g}" for number in numbers], values, **other)
    }


@pytest.mark.parametrize("seed", range(3))
def test_an_optimum_beyond_an_edge_is_seen_and_one_inside_is_not(seed):
    assert sides(lambda x: -8 * (x - 1.5) ** 2, seed=seed).keys() == {"largest"}
    assert sides(lambda x: -8 * (x + 0.5) ** 2, seed=seed).keys() == {"smallest"}
    assert sides(lambda x: -20 * (x - 0.5) ** 2, seed=seed) == {}
    assert sides(lambda _: 0.0, seed=seed) == {}


def test_it_takes_no_best_value_that_is_the_largest_tried():
    at = np.linspace(0, 1, COUNT)
    values = 0.5 + 0.1 * at
    values[-1] = 0.55  # one unlucky seed at the very end
    values[-3] = 0.61
    [edge] = found(RANGE, [f"{number:.4g}" for number in at], values)
    assert (edge.side, edge.value, edge.tried, edge.trials) == ("largest", f"{at[-3]:.4g}", COUNT, COUNT)
    assert 0.7 <= edge.probability <= 1


def test_every_axis_is_measured_on_its_own_scale():
    axis = {"log_uniform": [0.0001, 0.1]}
    assert sides(lambda x: -8 * (x - 1.5) ** 2, axis).keys() == {"largest"}
    assert sides(lambda x: -20 * (x - 0.5) ** 2, axis) == {}
    assert NumberAxis.of(axis).place([0.0001, 0.001, 0.1]) == pytest.approx([0, 1 / 3, 1])
    assert NumberAxis.of({"uniform": [1, 3]}).place([1, 1.5, 3]) == pytest.approx([0, 0.25, 1])
    assert NumberAxis.of({"choice": [10, 0.1, 300]}).place([0.1, 10, 300]) == pytest.approx([0, 0.5, 1])
    assert len(NumberAxis.of({"integer": [2, 5]}).places) == 4
    assert NumberAxis.of({"log_uniform": [0.001, 0.1]}).beyond("largest", 0.5) == "1"
    assert NumberAxis.of({"uniform": [1, 2]}).beyond("smallest", 0.5) == "0.5"
    assert NumberAxis.of({"uniform": [0.1, 2]}).beyond("smallest", 0.5) == "0.05", "what is positive stays so"


def test_what_another_axis_does_is_told_apart():
    """The other axis moves the value four times as far as this one, which is better the smaller."""
    generator = np.random.default_rng(3)
    at, other = generator.uniform(size=(2, COUNT))
    other[at > 0.8] = 0.5  # where it is best
    values = 0.5 - 0.05 * at - 0.8 * (other - 0.5) ** 2 + 0.005 * generator.standard_normal(COUNT)
    labels, others = ([f"{number:.4g}" for number in numbers] for numbers in (at, other))
    assert [edge.side for edge in found(RANGE, labels, values, **{MARGIN: others}) if edge.axis == LR] == ["smallest"]
    assert "smallest" not in {edge.side for edge in found(RANGE, labels, values)}


def test_where_trials_fail_beyond_an_optimum_it_lies_inside():
    at = np.linspace(0, 1, COUNT)
    labels, values = [f"{number:.4g}" for number in at], 0.5 + 0.1 * at
    assert found(RANGE, labels, values)
    failed = ["failed" if number > 0.88 else "finished" for number in at]
    assert found(RANGE, labels, np.where(at > 0.88, np.nan, values), failed) == []


def test_trials_that_were_stopped_count():
    """Among the survivors nothing rises any more: two thirds were stopped, the further from the edge the lower."""
    generator = np.random.default_rng(1)
    at = generator.uniform(size=COUNT)
    ends = 0.3 + 0.1 * at + 0.02 * generator.standard_normal(COUNT)
    first = 0.5 * ends + 0.005 * generator.standard_normal(COUNT)
    stopped = first < np.quantile(first, 0.67)
    curves = {number: {1: first[number]} | ({} if stopped[number] else {3: ends[number]}) for number in range(COUNT)}
    labels = [f"{number:.4g}" for number in at]
    statuses = np.where(stopped, "stopped", "finished").tolist()
    [edge] = found(RANGE, labels, np.where(stopped, np.nan, ends), statuses, curves=curves)
    assert (edge.side, edge.trials) == ("largest", COUNT)
    kept = [label for label, gone in zip(labels, stopped, strict=True) if not gone]
    assert found(RANGE, kept, ends[~stopped]) == [], "the survivors do not tell"


def test_a_whole_number_and_a_choice_end_at_their_last_one():
    at = np.repeat(np.arange(1, 9), 3)
    values = 0.3 + 0.02 * at + 0.001 * np.resize([1.0, -1.0, 0.0], 24)
    labels = [str(number) for number in at]
    assert [edge.side for edge in found({"integer": [1, 8]}, labels, values)] == ["largest"]
    assert [edge.side for edge in found({"choice": list(range(1, 9))}, labels, values)] == ["largest"]
    assert found({"integer": [1, 16]}, labels, 0.3 - 0.01 * (at - 4.0) ** 2) == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0.1, 0.2, 0.3), [Edge("MGN", LR, "0.004", "largest", 3, 3, None)]),
        ((0.3, 0.2, 0.1), [Edge("MGN", LR, "0.001", "smallest", 3, 3, None)]),
        ((0.1, 0.3, 0.2), []),
    ],
)
def test_with_few_trials_all_that_is_known_is_that_the_best_is_the_extreme_one(values, expected):
    assert found(GRID, ["0.001", "0.002", "0.004"], values) == expected


def test_from_eight_trials_on_there_is_a_probability():
    at = np.linspace(0, 1, FEWEST_TRIALS)
    labels = [f"{number:.4g}" for number in at]
    [edge] = found(RANGE, labels, 0.5 + 0.1 * at)
    assert edge.probability is not None
    [edge] = found(RANGE, labels[:-1], 0.5 + 0.1 * at[:-1])
    assert edge.probability is None


def test_values_are_compared_as_numbers_whatever_their_order_and_names():
    lengths = {"choice": {"short": 8, "long": 100, "middle": 20}}
    [edge] = found(lengths, ["middle", "long", "short"], (0.1, 0.3, 0.2))
    assert (edge.value, edge.side) == ("long", "largest")
    [edge] = found({"choice": [1e-05, 9e-05, 0.0002]}, ["0.0002", "1e-05", "9e-05"], (0.1, 0.3, 0.2))
    assert (edge.value, edge.side) == ("1e-05", "smallest")


def test_one_value_has_no_edge():
    assert found(GRID, ["0.002"], (0.3,)) == []
    assert found(GRID, ["0.002", "0.002"], (0.3, 0.2)) == []


@pytest.mark.parametrize(
    ("axis", "labels"),
    [
        ({"choice": [0.0, 0.5]}, ["0.0", "0.5", "0.5"]),
        ({"choice": [False, True]}, ["false", "true", "true"]),
        ({"choice": [0.3, 1.2, "soft"]}, ["0.3", "soft", "1.2"]),
        ({"choice": [[1], [1, 2], [1, 2, 3]]}, ["[1]", "[1, 2]", "[1, 2, 3]"]),
        ({"variants": {"1": {}, "2": {}, "3": {}}}, ["1", "2", "3"]),
        ({}, ["1", "2", "3"]),
    ],
    ids=str,
)
@pytest.mark.parametrize("times", [1, 8])
def test_switches_and_what_is_no_number_have_no_edge(axis, labels, times):
    assert found(axis, labels * times, (0.1, 0.2, 0.3) * times) == []


def test_an_axis_counts_where_it_exists():
    labels = [None, "0.1", "0.5", "0.3"]
    assert found(RANGE, labels, (0.9, 0.1, 0.2, 0.3), path=MARGIN) == [], "the best has no margin"
    [edge] = found(RANGE, labels, (0.1, 0.2, 0.9, 0.3), path=MARGIN)
    assert (edge.value, edge.side, edge.tried) == ("0.5", "largest", 3)


@pytest.mark.parametrize("status", ["running", "waiting"])
def test_what_goes_on_was_not_tried(status):
    statuses = ["finished", "finished", status]
    [edge] = found(GRID, ["0.001", "0.002", "0.004"], (0.1, 0.2, None), statuses)
    assert (edge.value, edge.side, edge.tried) == ("0.002", "largest", 2)


@pytest.mark.parametrize("status", ["stopped", "failed"])
def test_what_was_stopped_or_failed_was_tried(status):
    statuses = ["finished", "finished", status]
    assert found(GRID, ["0.001", "0.002", "0.004"], (0.1, 0.2, None), statuses) == []
