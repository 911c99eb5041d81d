"""Best values at the edge of what was tried, in tables made by hand."""

import pandas as pd
import pytest

from analysis.answers.edges import Edge, edges_of

LR, MARGIN = "training.optimizer.lr", "losses.triplet.margin"
GRID = {"choice": [0.001, 0.002, 0.004]}


def found(axis, labels, values, statuses=None, path=LR):
    """Return the edges of one axis, given the label and the value of each proposal (NaN: not finished)."""
    rows = pd.DataFrame({path: labels, "value": values})
    rows["status"] = statuses or ["finished"] * len(labels)
    best = dict(rows.loc[rows["value"].astype("float64").idxmax()])
    return list(edges_of("MGN", rows, best, {path: axis}))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0.1, 0.2, 0.3), [Edge("MGN", LR, "0.004", "largest", 3, at_end=True)]),
        ((0.3, 0.2, 0.1), [Edge("MGN", LR, "0.001", "smallest", 3, at_end=True)]),
        ((0.1, 0.3, 0.2), []),
    ],
)
def test_the_end_of_a_grid_is_an_edge_and_its_middle_is_none(values, expected):
    assert found(GRID, ["0.001", "0.002", "0.004"], values) == expected


def test_values_are_compared_as_numbers_whatever_their_order_and_names():
    lengths = {"choice": {"short": 8, "long": 100, "middle": 20}}
    [edge] = found(lengths, ["middle", "long", "short"], (0.1, 0.3, 0.2))
    assert (edge.value, edge.side) == ("long", "largest")
    [edge] = found({"choice": [1e-05, 9e-05, 0.0002]}, ["0.0002", "1e-05", "9e-05"], (0.1, 0.3, 0.2))
    assert (edge.value, edge.side) == ("1e-05", "smallest")


def test_where_the_study_allows_more_beyond_the_best_the_edge_is_not_its_end():
    [edge] = found({"uniform": [0.0, 1.0]}, ["0.2", "0.5", "0.9"], (0.1, 0.2, 0.3))
    assert (edge.side, edge.tried, edge.at_end) == ("largest", 3, False)
    [edge] = found({"uniform": [0.0, 1.0]}, ["0.2", "0.5", "0.96"], (0.1, 0.2, 0.3))
    assert (edge.side, edge.at_end) == ("largest", True)
    [edge] = found(GRID, ["0.001", "0.002"], (0.1, 0.3))
    assert (edge.value, edge.at_end) == ("0.002", False), "0.004 is allowed and was not tried"
    [edge] = found({"integer": [1, 8]}, ["1", "3", "6"], (0.3, 0.2, 0.1))
    assert (edge.side, edge.at_end) == ("smallest", True)


def test_a_logarithmic_range_is_measured_on_its_own_scale():
    labels, values = ["0.0003", "0.001", "0.05"], (0.3, 0.2, 0.1)
    [edge] = found({"log_uniform": [0.0001, 0.1]}, labels, values)
    assert (edge.side, edge.at_end) == ("smallest", False), "16 % of the way from 1e-4 to 1e-1"
    [edge] = found({"uniform": [0.0001, 0.1]}, labels, values)
    assert (edge.side, edge.at_end) == ("smallest", True), "0.2 % of the way"


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
def test_switches_and_what_is_no_number_have_no_edge(axis, labels):
    assert found(axis, labels, (0.1, 0.2, 0.3)) == []


def test_an_axis_counts_where_it_exists():
    labels = [None, "0.1", "0.5", "0.3"]
    axis = {"uniform": [0.0, 1.0]}
    assert found(axis, labels, (0.9, 0.1, 0.2, 0.3), path=MARGIN) == [], "the best has no margin"
    [edge] = found(axis, labels, (0.1, 0.2, 0.9, 0.3), path=MARGIN)
    assert (edge.value, edge.side, edge.tried) == ("0.5", "largest", 3)


@pytest.mark.parametrize(
    ("status", "is_edge"), [("stopped", False), ("failed", False), ("running", True), ("waiting", True)]
)
def test_what_was_stopped_or_failed_was_tried_and_what_goes_on_was_not(status, is_edge):
    statuses = ["finished", "finished", status]
    edges = found(GRID, ["0.001", "0.002", "0.004"], (0.1, 0.2, None), statuses)
    assert [(edge.value, edge.side, edge.at_end) for edge in edges] == [("0.002", "largest", False)] * is_edge


def test_every_axis_is_looked_at():
    rows = pd.DataFrame({LR: ["0.001", "0.002", "0.004"], MARGIN: ["0.5", "0.1", "0.3"], "status": "finished"})
    edges = edges_of(None, rows, dict(rows.iloc[1]), {LR: GRID, MARGIN: {"uniform": [0.1, 0.5]}})
    assert list(edges) == [Edge(None, MARGIN, "0.1", "smallest", 3, at_end=True)]
