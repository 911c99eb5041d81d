"""Designs against independent enumerations: what is compared is what would be trained."""

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reid_search.study import BASELINE, Arm, Study, TrialConfig
from reid_search.study.question.axes import Axis, Level
from reid_search.study.question.designs.design import Asked
from reid_search.study.question.designs.registry import design_named, designs
from reid_search.study.question.phases import AblatePhase
from reid_search.study.question.space import Space

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
DESIGNS = ["one_factor", "leave_one_out", "add_one_in", "factorial"]
DEFAULTS = {path: values[0] for path, values in VALUES.items()}


@st.composite
def studies(draw: st.DrawFn) -> dict[str, Any]:
    made: dict[str, Any] = {}
    order = draw(st.permutations(sorted(VALUES)))
    for position, path in enumerate(order[:3]):
        values = draw(st.lists(st.sampled_from(VALUES[path]), min_size=1, max_size=2, unique=True))
        names = order[:position] if draw(st.booleans()) else []
        made[path] = {"choice": values, "when": {name: VALUES[name][1] for name in names}}
        if draw(st.booleans()):
            made[path]["off"] = draw(st.sampled_from(values))
    return made


@st.composite
def places(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Axes, and a value of each that a design stands around."""
    made = draw(studies())
    return made, {path: draw(st.sampled_from(axis["choice"])) for path, axis in made.items()}


def exists(made: Mapping[str, Any], path: str, chosen: Mapping[str, Any]) -> bool:
    return all(
        (name not in made or exists(made, name, chosen)) and chosen.get(name, DEFAULTS[name]) == value
        for name, value in made[path]["when"].items()
    )


def trained(made: Mapping[str, Any], chosen: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what a trial has at every path, when the settings of axes that do not exist are unused."""
    return tuple(chosen[path] if path in made and exists(made, path, chosen) else DEFAULTS[path] for path in VALUES)


def off_of(made: Mapping[str, Any], path: str) -> list[Any]:
    """Return the value at which an axis is off, in a list; an empty one where it cannot be switched off."""
    axis = made[path]
    if "off" in axis:
        return [axis["off"]]
    nothing = [value for value in axis["choice"] if value is False or value == 0.0]
    return nothing[:1] or ([DEFAULTS[path]] if exists(made, path, DEFAULTS) else [])


def values_of(config: TrialConfig) -> tuple[Any, ...]:
    content = config.model_dump(mode="json")
    found = []
    for path in VALUES:
        value: Any = content
        for step in path.split("."):
            value = value[step]
        found.append(value)
    return tuple(found)


def arms_of(made: Mapping[str, Any], design: str, around: Mapping[str, Any] | None = None, **more: Any) -> list[Arm]:
    space = Space(BASE, {path: Axis.model_validate(axis) for path, axis in made.items()})
    centre = {path: space.axes[path].level_of(value) for path, value in (around or {}).items()}
    return design_named(design).arms(Asked(space, space.centre() if around is None else centre, **more))


def assert_trained(arms: list[Arm], wanted: set[tuple[Any, ...]], centre: tuple[Any, ...]) -> None:
    assert values_of(arms[0].config) == centre
    assert sorted(map(repr, (values_of(arm.config) for arm in arms))) == sorted(map(repr, wanted))


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


@given(place=places())
@settings(max_examples=60, deadline=None)
def test_leave_one_out_switches_off_what_is_on(place: tuple[dict[str, Any], dict[str, Any]]) -> None:
    made, chosen = place
    full = {path: chosen[path] if exists(made, path, chosen) else DEFAULTS[path] for path in made}
    wanted = {trained(made, chosen)}
    for path in made:
        if exists(made, path, chosen):
            wanted |= {trained(made, {**full, path: off}) for off in off_of(made, path)}
    arms = arms_of(made, "leave_one_out", chosen)
    assert_trained(arms, wanted, trained(made, chosen))
    for arm in arms[1:]:
        changed = [path for path, level in arms[0].settings.items() if arm.settings.get(path, level) != level]
        assert [arm.settings[path].value for path in changed] == off_of(made, changed[0])
        assert arm.name.count("=") == 1, "no other axis gets a setting"


@given(place=places())
@settings(max_examples=60, deadline=None)
def test_add_one_in_goes_from_the_bare_system_through_every_level(
    place: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    made, chosen = place
    bare = {
        path: (off_of(made, path) or [chosen[path] if exists(made, path, chosen) else DEFAULTS[path]])[0]
        for path in made
    }
    wanted = {trained(made, bare)}
    for path, axis in made.items():
        wanted |= {trained(made, {**bare, path: value}) for value in axis["choice"]}
    arms = arms_of(made, "add_one_in", chosen)
    assert_trained(arms, wanted, trained(made, bare))
    for arm in arms[1:]:
        changed = [path for path, level in arms[0].settings.items() if arm.settings.get(path, level) != level]
        came = [path for path in arm.settings if path not in arms[0].settings]
        assert len(changed) == 1
        assert all([arm.settings[path].value] == (off_of(made, path) or [bare[path]]) for path in came)


CONDITIONAL: dict[str, dict[str, Any]] = {
    "model.parts": {"choice": [[1, 2], [1, 2, 3]], "when": {"model.architecture": "mgn"}},
    "model.architecture": {"choice": ["baseline", "mgn"]},
    "model.last_stride": {"choice": [1, 2], "when": {"model.architecture": "baseline"}},
    "losses.identity.on": {
        "choice": {"stripes": ["part@reduced"], "globals": ["global@reduced"]},
        "when": {"model.architecture": "mgn", "model.parts": [[1, 2, 3]]},
    },
    "losses.triplet.margin": {
        "uniform": [0.1, 2],
        "levels": [0.3, "soft"],
        "when": {"losses.identity.on": [["part@reduced"]]},
    },
}


@given(draw=st.data(), design=st.sampled_from(DESIGNS), architecture=st.sampled_from(["baseline", "mgn"]))
@settings(max_examples=60, deadline=None)
def test_conditional_axes_give_no_invalid_arm(draw: st.DataObject, design: str, architecture: str) -> None:
    made = {path: Axis.model_validate(axis) for path, axis in CONDITIONAL.items()}
    for path, axis in made.items():
        if draw.draw(st.booleans()):
            off = draw.draw(st.sampled_from([level.label for level in axis.design_levels]))
            made[path] = Axis.model_validate({**CONDITIONAL[path], "off": off})
    space = Space({**BASE, "model": {**BASE["model"], "architecture": architecture}}, made)
    chosen = {
        path: draw.draw(st.sampled_from(axis.design_levels)) for path, axis in made.items() if draw.draw(st.booleans())
    }
    centre = space.completed(chosen)
    arms = design_named(design).arms(Asked(space, centre))  # an invalid one raises
    assert len({arm.name for arm in arms}) == len(arms)
    for arm in arms:
        assert all(space.exists(path, arm.settings) for path in arm.settings)
    if design != "add_one_in":
        assert dict(arms[0].settings) == centre


TWO_LEVELS: dict[str, list[Any]] = {
    "model.pooling": ["avg", "max"],
    "model.last_stride": [1, 2],
    "readouts.default.flip": [True, False],
    "training.augment.flip": [0.5, 0.0],
    "training.optimizer.kind": ["adam", "sgd"],
    "losses.triplet.margin": [0.3, "soft"],
    "losses.identity.label_smoothing": [0.1, 0],
    "training.optimizer.weight_decay": [5e-4, 1e-3],
}


@pytest.mark.parametrize(("count", "resolution", "runs"), [(1, 3, 2), (3, 3, 4), (5, 5, 16), (7, 3, 8), (8, 4, 16)])
@given(draw=st.data())
@settings(max_examples=4, deadline=None)
def test_a_fraction_has_its_centre_and_is_balanced(count: int, resolution: int, runs: int, draw: st.DataObject) -> None:
    paths = draw.draw(st.permutations(list(TWO_LEVELS)))[:count]
    chosen = {path: draw.draw(st.sampled_from(TWO_LEVELS[path])) for path in paths}
    made = {path: {"choice": TWO_LEVELS[path]} for path in paths}
    arms = arms_of(made, "fractional_factorial", chosen, resolution=resolution)
    assert {path: level.value for path, level in arms[0].settings.items()} == chosen
    assert len(arms) == runs, "the centre is one of them"
    rows = [[arm.settings[path].label for path in paths] for arm in arms]
    # a design of resolution R is an orthogonal array of strength R - 1 (Rao 1947)
    strength = min(resolution - 1, count)
    for columns in itertools.combinations(range(count), strength):
        cells = [tuple(row[column] for column in columns) for row in rows]
        assert {cells.count(cell) for cell in set(cells)} == {runs // 2**strength}
        assert len(set(cells)) == 2**strength


def test_a_centre_between_the_levels_stands_beside_the_fraction() -> None:
    made: dict[str, Any] = {path: {"choice": values} for path, values in list(TWO_LEVELS.items())[:3]}
    made["losses.triplet.margin"] = {"uniform": [0.1, 2], "levels": [0.3, 1.2]}
    around = {"model.pooling": "max", "model.last_stride": 1, "readouts.default.flip": True}
    around |= {"losses.triplet.margin": 0.73}
    baseline, *others = arms_of(made, "fractional_factorial", around, resolution=4)
    assert baseline.settings["losses.triplet.margin"].value == 0.73
    assert len(others) == 8
    assert {arm.settings["losses.triplet.margin"].value for arm in others} == {0.3, 1.2}


# the arms of the others are those of claims, or are found by a run
OF_AXES = [name for name, design in designs().items() if not design.of_claims and not design.leads_to_best]


@pytest.mark.parametrize("design", OF_AXES)
def test_every_design_of_a_study_file_is_drawn(design: str) -> None:
    made = {path: {"choice": TWO_LEVELS[path]} for path in ("model.pooling", "readouts.default.flip")}
    phase = AblatePhase.model_validate({"kind": "ablate", "design": design})
    space = Space(BASE, {path: Axis.model_validate(axis) for path, axis in made.items()})
    phase.description.check(space)
    counts = {"factorial": 4, "fractional_factorial": 4, "leave_one_out": 2}  # only flip is on in the base
    assert len(arms_of(made, phase.design)) == counts.get(design, 3)


@given(place=places(), design=st.sampled_from(DESIGNS))
@settings(max_examples=60, deadline=None)
def test_arms_have_names_of_their_own_that_say_what_differs(
    place: tuple[dict[str, Any], dict[str, Any]], design: str
) -> None:
    baseline, *others = arms_of(place[0], design, place[1])
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
  model.parts: {choice: [[1], [1, 2]]}  # with two parts, the levels of the next axis differ
  losses.triplet.on: {choice: {spelled out: [p1.global@reduced], scope: [global@reduced], and parts: [reduced]}}
  losses.triplet.margin: {choice: {paper: 1.2, small: 0.3}}
  readouts.default.taps: {choice: {reduced: [reduced], coarse: [coarse]}}
phases: [{kind: ablate}]
"""
    (phase,) = load(text).plan().phases
    assert [arm.name for arm in phase.arms] == [
        "baseline",
        "model.parts=[1, 2]",
        "losses.triplet.margin=small",
        "readouts.default.taps=coarse",
    ]
    assert phase.count == 3 * 3  # the readout is tested on the baseline's training


@pytest.mark.parametrize(
    "phases",
    [
        "[{kind: search, trials: 4}, {kind: ablate, around: best, axes: [losses.triplet.margin]}]",
        "[{kind: ablate, axes: [losses.triplet.margin], set: {losses.triplet.on: [global@reduced]}}]",
    ],
)
def test_levels_may_be_alike_in_the_base_if_they_differ_elsewhere(phases: str, load: Load) -> None:
    """The margin of a loss that the base switches off."""
    text = f"""\
name: off
base:
  data: {{name: synthetic, preset: tiny}}
  model: {{architecture: mgn, backbone: resnet10_thin}}
  losses: {{triplet: {{on: []}}}}
  readouts: {{default: {{taps: [coarse]}}}}
axes:
  losses.triplet.on: {{choice: {{none: [], global: [global@reduced]}}}}
  losses.triplet.margin: {{choice: [1.2, 0.3]}}
phases: {phases}
"""
    load(text)


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


@pytest.mark.parametrize("design", [*DESIGNS, "fractional_factorial"])
def test_the_settings_of_an_arm_are_levels_of_its_axes(design: str) -> None:
    made = {"model.pooling": {"choice": {"mean": "avg", "peak": "max"}}, "model.last_stride": {"choice": [1, 2]}}
    for arm in arms_of(made, design):
        assert set(arm.settings) == set(made)
        assert arm.settings["model.pooling"] in (Level("mean", "avg"), Level("peak", "max"))
