"""Designs against independent enumerations: what is compared is what would be trained."""

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reid_search.study import BASELINE, Arm, Study, TrialConfig
from reid_search.study.axes import Axis, Level
from reid_search.study.designs import design_arms
from reid_search.study.space import Space

Load = Callable[..., Study]

BASE: dict[str, Any] = {
    "data": {"name": "synthetic", "preset": "tiny"},
    "model": {"architecture": "baseline", "backbone": "resnet10_thin"},
}
VALUES: dict[str, list[Any]] = {
    "model.pooling": ["avg", "max", "gem"],
    "model.last_stride": [1, 2],
    "readouts.default.flip": [True, False],
    "training.augment.flip": [0.5, 0.0, 1.0],
}
DEFAULTS = {path: values[0] for path, values in VALUES.items()}


@st.composite
def studies(draw: st.DrawFn) -> dict[str, Any]:
    made: dict[str, Any] = {}
    order = draw(st.permutations(sorted(VALUES)))
    for position, path in enumerate(order[:3]):
        values = draw(st.lists(st.sampled_from(VALUES[path]), min_size=1, max_size=2, unique=True))
        names = order[:position] if draw(st.booleans()) else []
        made[path] = {"choice": values, "when": {name: VALUES[name][1] for name in names}}
    return made


def trained(made: Mapping[str, Any], chosen: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what a trial has at every path, when the settings of axes that do not exist are unused."""

    def holds(path: str) -> bool:
        return all(
            (name not in made or holds(name)) and chosen.get(name, DEFAULTS[name]) == value
            for name, value in made[path]["when"].items()
        )

    return tuple(chosen[path] if path in made and holds(path) else DEFAULTS[path] for path in VALUES)


def values_of(config: TrialConfig) -> tuple[Any, ...]:
    content = config.model_dump(mode="json")
    found = []
    for path in VALUES:
        value: Any = content
        for step in path.split("."):
            value = value[step]
        found.append(value)
    return tuple(found)


def arms_of(made: Mapping[str, Any], design: str) -> list[Arm]:
    space = Space(BASE, {path: Axis.model_validate(axis) for path, axis in made.items()})
    return design_arms(design, space, space.centre())


@given(made=studies())
@settings(max_examples=25, deadline=None)
def test_one_factor_changes_one_axis_that_exists_at_the_centre(made: dict[str, Any]) -> None:
    wanted = {trained(made, DEFAULTS)}
    for path, axis in made.items():
        wanted |= {trained(made, {**DEFAULTS, path: value}) for value in axis["choice"]}
    arms = arms_of(made, "one_factor")
    assert values_of(arms[0].config) == trained(made, DEFAULTS)
    assert sorted(map(repr, (values_of(arm.config) for arm in arms))) == sorted(map(repr, wanted))


@given(made=studies())
@settings(max_examples=25, deadline=None)
def test_factorial_goes_through_every_combination(made: dict[str, Any]) -> None:
    cells = itertools.product(*(axis["choice"] for axis in made.values()))
    wanted = {trained(made, DEFAULTS)} | {trained(made, dict(zip(made, cell, strict=True))) for cell in cells}
    arms = arms_of(made, "factorial")
    assert sorted(map(repr, (values_of(arm.config) for arm in arms))) == sorted(map(repr, wanted))


@given(made=studies(), design=st.sampled_from(["one_factor", "factorial"]))
@settings(max_examples=25, deadline=None)
def test_arms_have_names_of_their_own_that_say_what_differs(made: dict[str, Any], design: str) -> None:
    baseline, *others = arms_of(made, design)
    assert baseline.name == BASELINE
    assert len({arm.name for arm in others} | {BASELINE}) == len(others) + 1
    for arm in others:
        named = dict(part.split("=") for part in arm.name.split(", "))
        assert named == {
            path: level.label for path, level in arm.settings.items() if baseline.settings.get(path) != level
        }


def test_arms_that_train_and_test_the_same_thing_come_once(load: Load) -> None:
    text = """\
name: same
base:
  data: {name: synthetic, preset: tiny}
  model: {architecture: mgn, backbone: resnet10_thin, parts: [1]}
axes:
  losses.triplet.on: {choice: {spelled out: [p1.global@reduced], scope: [global@reduced], and parts: [reduced]}}
  losses.triplet.margin: {choice: [1.2, 1.20, 0.3]}
  losses.identity.weight: {choice: {one: 1, one again: 1.0}}
  readouts.default.taps: {choice: {own: [], reduced: [reduced], coarse: [coarse]}}
phases: [{kind: ablate}]
"""
    # the same number twice in a list is a mistake, so name it
    text = text.replace("[1.2, 1.20, 0.3]", "{paper: 1.2, again: 1.20, small: 0.3}")
    (phase,) = load(text).plan().phases
    assert [arm.name for arm in phase.arms] == [
        "baseline",
        "losses.triplet.margin=small",
        "readouts.default.taps=coarse",
    ]
    assert phase.count == 2 * 3  # the readout is tested on the baseline's training


def test_arms_around_the_best_keep_settings_outside_the_phase(load: Load) -> None:
    text = """\
name: best
base:
  data: {name: synthetic, preset: tiny}
  model: {architecture: mgn, backbone: resnet10_thin}
axes:
  model.parts: {choice: [[1], [1, 2], [1, 2, 3]]}
  losses.triplet.margin: {uniform: [0.1, 2], levels: [0.3, 1.2]}
  model.pooling: {choice: [max, avg]}
phases:
  - {kind: search, trials: 4}
  - {kind: ablate, around: best, axes: [model.parts, losses.triplet.margin]}
"""
    study = load(text)
    best = {
        "model.parts": study.level("model.parts", "[1, 2]"),
        "losses.triplet.margin": study.level("losses.triplet.margin", 0.73),
        "model.pooling": study.level("model.pooling", "avg"),
    }
    arms = study.plan(best).arms
    assert [arm.name for arm in arms] == [
        "baseline",
        "model.parts=[1]",
        "model.parts=[1, 2, 3]",
        "losses.triplet.margin=0.3",
        "losses.triplet.margin=1.2",
    ]
    contents = [arm.config.model_dump(mode="json") for arm in arms]
    assert {content["model"]["pooling"] for content in contents} == {"avg"}
    assert [content["losses"]["triplet"]["margin"] for content in contents] == [0.73, 0.73, 0.73, 0.3, 1.2]
    assert [content["model"]["parts"] for content in contents] == [[1, 2], [1], [1, 2, 3], [1, 2], [1, 2]]


@pytest.mark.parametrize("design", ["one_factor", "factorial"])
def test_the_settings_of_an_arm_are_levels_of_its_axes(design: str) -> None:
    made = {"model.pooling": {"choice": {"mean": "avg", "peak": "max"}}, "model.last_stride": {"choice": [1, 2]}}
    for arm in arms_of(made, design):
        assert set(arm.settings) == set(made)
        assert arm.settings["model.pooling"] in (Level("mean", "avg"), Level("peak", "max"))
