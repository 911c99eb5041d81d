"""Axes: levels, labels, conditions."""

from typing import Any

import pytest

from reid_search.study.axes import Axis, Level, holds, label_of


def axis(**fields: Any) -> Axis:
    return Axis.model_validate(fields)


@pytest.mark.parametrize(
    ("value", "label"),
    [("soft", "soft"), (None, "none"), (True, "true"), (1, "1"), (1e-4, "0.0001"), ([1, 2], "[1, 2]"), ([], "[]"),
     ({"a": 1}, '{"a": 1}'), (["x"], '["x"]')],
)  # fmt: skip
def test_labels(value: object, label: str) -> None:
    assert label_of(value) == label


def test_a_choice_is_searched_and_designed_with_its_own_values() -> None:
    levels = (Level("[1]", [1]), Level("[1, 2]", [1, 2]))
    assert axis(choice=[[1], [1, 2]]).design_levels == axis(choice=[[1], [1, 2]]).searched_levels == levels


def test_named_values_keep_their_names() -> None:
    named = axis(choice={"none": [], "all": ["global@reduced"], 256: "reduced", True: 1})
    assert [level.label for level in named.design_levels] == ["none", "all", "256", "true"]
    assert named.level("none") == Level("none", [])
    assert named.level("nothing") is None
    assert named.level_of(["global@reduced"]) == Level("all", ["global@reduced"])
    assert named.level_of(("global@reduced",)).label == "all"
    assert named.level_of(["part@reduced"]) == Level('["part@reduced"]', ["part@reduced"])


def test_a_range_has_levels_for_designs_only() -> None:
    margin = axis(uniform=[0.1, 2], levels=[0.3, "soft"])
    assert [level.value for level in margin.design_levels] == [0.3, "soft"]
    assert margin.searched_levels == ()
    assert axis(integer=[1, 4]).design_levels == ()


def test_true_is_not_one_and_one_is_one_point_zero() -> None:
    flags = axis(choice={"yes": True, "count": 1})
    assert [flags.level_of(value).label for value in (True, 1, 1.0)] == ["yes", "count", "count"]


@pytest.mark.parametrize(
    ("condition", "values", "met"),
    [
        ({}, {}, True),
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"a": 2}, False),
        ({"a": 1}, {}, False),
        ({"a": None}, {}, True),
        ({"a": [1, 2]}, {"a": 2}, True),
        ({"a": [1, 2]}, {"a": [1, 2]}, True),
        ({"a": [1, 2]}, {"a": [1]}, False),
        ({"a": [[1], [1, 2]]}, {"a": [1]}, True),
        ({"a": [[1], [1, 2]]}, {"a": 1}, False),
        ({"a": True}, {"a": 1}, False),
        ({"a": "x", "b": "y"}, {"a": "x", "b": "z"}, False),
        ({"a": "x", "b": "y"}, {"a": "x", "b": "y"}, True),
    ],
)
def test_conditions(condition: dict[str, Any], values: dict[str, Any], met: bool) -> None:
    assert holds(condition, values) is met
