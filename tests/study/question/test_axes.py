"""Axes: levels, labels, conditions."""

from typing import Any

import pytest

from reid_search.study.component import label_of
from reid_search.study.question.axes import Axis, Level, holds


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


@pytest.mark.parametrize(
    ("fields", "off"),
    [
        ({"choice": [1, 2]}, None),
        ({"choice": ["max", "none", []]}, "none"),
        ({"choice": [True, False]}, "false"),
        ({"choice": [1, 0, False]}, "0"),
        ({"choice": [0.0, 1]}, "0.0"),
        ({"choice": {"all": ["global"], "nowhere": []}}, "nowhere"),
        ({"choice": {"small": 64, "off": 128}}, "off"),
        ({"choice": {"zero": "0"}}, None),
        ({"choice": [0, 1, 2], "levels": [1, 2]}, None),
        ({"uniform": [0, 2], "levels": [0.3, 0]}, "0"),
        ({"variants": {"paper": {}, "none": {"model": {}}}}, "none"),
        ({"variants": {"paper": {}, "deep": {}}, "off": "deep"}, "deep"),
        ({"choice": [0, 1], "off": 1}, "1"),
        ({"choice": [0, 1.0], "off": "1.0"}, "1.0"),
        ({"choice": {"small": 64, "wide": 128}, "off": "wide"}, "wide"),
        ({"choice": {"small": 64, "wide": 128}, "off": 128}, "wide"),
        ({"choice": {"a": "b", "b": "a"}, "off": "a"}, "a"),
        ({"choice": {"empty": [], "own": None}, "off": None}, "own"),
        ({"choice": {True: 1, "no": 0}, "off": True}, "true"),
    ],
)
def test_off(fields: dict[str, Any], off: str | None) -> None:
    made = axis(**fields)
    assert (made.off_level and made.off_level.label) == off
    again = axis(**made.model_dump(mode="json", exclude_none=True))
    assert again.off_level == made.off_level, "a null that was written out is kept"


def test_levels_may_be_names_of_choices_and_variants() -> None:
    taps = axis(choice={"none": [], "all": ["global"], "parts": ["part"]}, levels=["parts", ["global"], ["neck"]])
    assert taps.design_levels == (Level("parts", ["part"]), Level("all", ["global"]), Level('["neck"]', ["neck"]))
    renamed = axis(choice={"paper": 1.2, "small": 0.3}, levels={"large": 1.2})
    assert renamed.design_levels == (Level("large", 1.2),)
    systems = axis(variants={"plain": {}, "pcb": {"model": {"parts": [6]}}, "mgn": {}}, levels=["pcb", "plain"])
    assert systems.design_levels == (Level("pcb", {"model": {"parts": [6]}}), Level("plain", {}))
    assert [level.label for level in systems.searched_levels] == ["plain", "pcb", "mgn"]


@pytest.mark.parametrize(
    ("fields", "value", "label"),
    [
        ({"choice": {"all": ["global"]}}, "all", "all"),
        ({"choice": {"all": ["global"]}}, ["global"], "all"),
        ({"choice": {"all": ["global"]}}, "al", None),
        ({"choice": [1, 2]}, 1.5, None),
        ({"choice": {1: 5, 2: 1}}, 1, "2"),
        ({"choice": [1, 2]}, True, None),
        ({"variants": {"pcb": {}}}, "pcb", "pcb"),
        ({"uniform": [0.1, 2], "levels": [0.3, "soft"]}, "soft", "soft"),
        ({"uniform": [0.1, 2]}, 2, "2"),
        ({"uniform": [0.1, 2]}, 2.01, None),
        ({"uniform": [0, 2]}, True, None),
        ({"log_uniform": [1e-4, 1e-2]}, 1e-3, "0.001"),
        ({"integer": [1, 4]}, 3, "3"),
        ({"integer": [1, 4]}, 2.5, None),
    ],
)
def test_a_setting_is_a_label_a_value_or_a_number_inside(
    fields: dict[str, Any], value: object, label: str | None
) -> None:
    found = axis(**fields).setting(value)
    assert (found and found.label) == label


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


@pytest.mark.parametrize(
    ("value", "wanted", "found"),
    [
        (True, True, True), (True, 1, False), (True, "true", True), (True, "yes", False),
        ("yes", "yes", True), ("yes", True, False), ("true", True, False), ("true", "true", True),
        (1, True, False), (1, 1.0, True), (1, "1", True), ("1", 1, False), (0, False, False), ("none", None, False),
    ],
)  # fmt: skip
def test_a_setting_means_the_value_that_yaml_means(value: object, wanted: object, found: bool) -> None:
    """`true` is a boolean, `yes` is text, 1 a number; text may also name a level, as commands and logs do."""
    level = axis(choice=[value]).setting(wanted)
    assert (level is not None) is found
    assert level is None or level.value is value


@pytest.mark.parametrize(
    ("value", "wanted", "met"),
    [
        (True, True, True), (True, 1, False), (True, "true", False), (True, "yes", False), (False, 0, False),
        ("yes", "yes", True), ("yes", True, False), (1, True, False), (1, 1.0, True),
        ({"a": True}, {"a": 1}, False), ({"a": [1]}, {"a": [1.0]}, True), ({"a": 1}, {"b": 1}, False),
    ],
)  # fmt: skip
def test_a_condition_compares_as_yaml_means_it(value: object, wanted: object, met: bool) -> None:
    assert holds({"x": wanted}, {"x": value}) is met
