"""The space of a study against a brute-force reading of conditions."""

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reid_search.errors import StudyError
from reid_search.study import TrialConfig
from reid_search.study.question.axes import Axis, Level
from reid_search.study.question.edits import apply_settings
from reid_search.study.question.space import Space, extremes

MakeSpace = Callable[..., Space]

BASE: dict[str, Any] = {
    "data": {"name": "synthetic", "preset": "tiny"},
    "model": {"architecture": "mgn", "backbone": "resnet10_thin", "parts": [1], "strides": {}},
}
VALUES: dict[str, list[str]] = {
    "model.pooling": ["max", "avg", "gem"],
    "model.neck": ["none", "bnneck"],
    "model.reduction": ["conv_bn_relu", "conv_bn"],
    "training.precision": ["full", "amp"],
    "training.optimizer.kind": ["adam", "sgd", "adamw"],
}
DEFAULTS = {path: values[0] for path, values in VALUES.items()}


@st.composite
def axes(draw: st.DrawFn) -> dict[str, Any]:
    """Axes in any order, each with conditions on some that stand before it in another order."""
    order = draw(st.permutations(sorted(VALUES)))
    made: dict[str, Any] = {}
    for position, path in enumerate(order):
        if draw(st.booleans()):
            named = draw(st.lists(st.sampled_from(order[:position]), max_size=2, unique=True)) if position else []
            values = draw(st.lists(st.sampled_from(VALUES[path]), min_size=1, unique=True))
            wanted = {name: draw(st.sampled_from([VALUES[name][1], VALUES[name][:2]])) for name in named}
            made[path] = {"choice": values, "when": wanted}
    return {path: made[path] for path in draw(st.permutations(sorted(made)))}


def exists(made: Mapping[str, Any], path: str, chosen: Mapping[str, str]) -> bool:
    """Read a condition as it is written: one on an axis that does not exist is not met."""
    for name, wanted in made[path]["when"].items():
        if name in made and not exists(made, name, chosen):
            return False
        value = chosen[name] if name in made else DEFAULTS[name]
        if value not in (wanted if isinstance(wanted, list) else [wanted]):
            return False
    return True


def every_combination(made: Mapping[str, Any]) -> set[frozenset[tuple[str, str]]]:
    found = set()
    for values in itertools.product(*(axis["choice"] for axis in made.values())):
        chosen = dict(zip(made, values, strict=True))
        found.add(frozenset((path, value) for path, value in chosen.items() if exists(made, path, chosen)))
    return found


def space_of(made: Mapping[str, Any]) -> Space:
    return Space(BASE, {path: Axis.model_validate(axis) for path, axis in made.items()})


@given(made=axes())
@settings(max_examples=60, deadline=None)
def test_combinations_are_those_of_brute_force_each_once(made: dict[str, Any]) -> None:
    found = [{(path, level.label) for path, level in cell.items()} for cell in space_of(made).combinations()]
    assert len(found) == len({frozenset(cell) for cell in found})
    assert {frozenset(cell) for cell in found} == every_combination(made)


@given(made=axes())
@settings(max_examples=20, deadline=None)
def test_a_config_has_the_settings_that_exist_and_the_base_elsewhere(made: dict[str, Any]) -> None:
    space = space_of(made)
    for values in itertools.islice(itertools.product(*(axis["choice"] for axis in made.values())), 12):
        chosen = dict(zip(made, values, strict=True))
        content = space.config({path: Level(value, value) for path, value in chosen.items()}).model_dump(mode="json")
        for path, default in DEFAULTS.items():
            found: Any = content
            for step in path.split("."):
                found = found[step]
            assert found == (chosen[path] if path in made and exists(made, path, chosen) else default)


@given(made=axes())
@settings(max_examples=60, deadline=None)
def test_the_centre_is_the_base_on_the_axes_that_exist_there(made: dict[str, Any]) -> None:
    centre = space_of(made).centre()
    assert {path: level.value for path, level in centre.items()} == {
        path: DEFAULTS[path] for path in made if exists(made, path, DEFAULTS)
    }
    assert list(centre) == [path for path in made if path in centre]


@given(made=axes(), draw=st.data())
@settings(max_examples=40, deadline=None)
def test_completed_settings_are_those_of_the_trial_that_they_make(made: dict[str, Any], draw: st.DataObject) -> None:
    space = space_of(made)
    given_paths = [path for path in made if draw.draw(st.booleans())]
    chosen = {path: draw.draw(st.sampled_from(made[path]["choice"])) for path in given_paths}
    found = space.completed({path: Level(value, value) for path, value in chosen.items()})
    values = {path: level.value for path, level in found.items()}
    everything = {**{path: DEFAULTS[path] for path in made}, **chosen}
    assert values == {path: everything[path] for path in made if exists(made, path, everything)}
    assert list(found) == [path for path in made if path in found]


def test_what_the_base_does_not_have_is_completed_from_the_trial(space: MakeSpace) -> None:
    axes = {
        "model.architecture": {"choice": ["baseline", "mgn"]},
        "model.parts": {"choice": {"two": [1, 2], "three": [1, 2, 3]}, "when": {"model.architecture": "mgn"}},
        "model.pooling": {"choice": ["max", "avg"]},
    }
    plain = Space({**BASE, "model": {"architecture": "baseline"}}, space(axes).axes)
    assert list(plain.centre()) == ["model.architecture", "model.pooling"]
    found = plain.completed({"model.architecture": Level("mgn", "mgn")})
    assert {path: level.label for path, level in found.items()} == {
        "model.architecture": "mgn",
        "model.parts": "three",
        "model.pooling": "avg",  # as in the base, though another architecture has another default
    }


def test_off_is_what_the_axis_says_or_what_the_base_has(space: MakeSpace) -> None:
    axes = {
        "model.architecture": {"choice": ["baseline", "mgn"]},
        "model.last_stride": {"choice": [1, 2], "when": {"model.architecture": "baseline"}},
        "model.neck": {"choice": ["bnneck", "none"]},
        "model.pooling": {"choice": ["max", "avg"], "off": "avg"},
        "losses.triplet.margin": {"uniform": [0.1, 2], "levels": [0.3]},
    }
    made = space(axes, {"model.pooling": "max"})
    assert {path: made.off_level(path) and made.off_level(path).label for path in axes} == {
        "model.architecture": "mgn",
        "model.last_stride": None,
        "model.neck": "none",
        "model.pooling": "avg",
        "losses.triplet.margin": "1.2",
    }


def test_a_condition_on_an_axis_that_does_not_exist_is_not_met(space: MakeSpace) -> None:
    nested = space(
        {
            "model.architecture": {"choice": ["baseline", "mgn"]},
            "model.parts": {"choice": [[1, 2], [1, 2, 3]], "when": {"model.architecture": "mgn"}},
            "model.strides": {"choice": [{1: 2}, {3: 2}], "when": {"model.parts": [[1, 2, 3]]}},
        }
    )
    nested.check()
    assert sorted("/".join(level.label for level in cell.values()) for cell in nested.combinations()) == [
        "baseline",
        'mgn/[1, 2, 3]/{"1": 2}',
        'mgn/[1, 2, 3]/{"3": 2}',
        "mgn/[1, 2]",
    ]


def test_conditions_may_look_at_entries_that_are_no_axes(space: MakeSpace) -> None:
    axes = {"losses.triplet.margin": {"choice": [0.3, 1.2], "when": {"model.neck": "bnneck"}}}
    assert space(axes, {"model.neck": "bnneck"}).centre()["losses.triplet.margin"].value == 1.2
    assert space(axes).centre() == {}
    assert [*space(axes).combinations()] == [{}]


def test_switching_the_architecture_keeps_what_both_have_and_leaves_the_rest_behind() -> None:
    base = {
        "data": {"name": "synthetic"},
        "model": {
            "architecture": "mgn",
            "backbone": "resnet10_thin",
            "parts": [1, 2],
            "neck": "bnneck",
            "embedding_dim": 128,
        },
    }
    switched = TrialConfig.model_validate(
        apply_settings(base, {"model.pooling": "gem", "model.architecture": "baseline"})
    )
    assert switched.model.model_dump(include={"architecture", "backbone", "embedding_dim", "neck", "pooling"}) == {
        "architecture": "baseline",
        "backbone": "resnet10_thin",
        "embedding_dim": 128,
        "neck": "bnneck",
        "pooling": "gem",
    }
    assert base["model"]["parts"] == [1, 2]


def test_switching_a_loss_keeps_its_place() -> None:
    base = {**BASE, "losses": {"triplet": {"margin": 0.5, "on": ["global@coarse"], "weight": 2}}}
    changed = TrialConfig.model_validate(apply_settings(base, {"losses.triplet.kind": "cross_entropy"}))
    loss = changed.losses["triplet"]
    assert (loss.kind, loss.on, loss.weight) == ("cross_entropy", ("global@coarse",), 2)


def test_settings_go_into_a_copy_and_reach_keys_that_are_numbers() -> None:
    base = {**BASE, "model": {**BASE["model"], "strides": {1: 2}}}
    assert apply_settings(base, {"model.strides.1": 1})["model"]["strides"] == {1: 1}
    assert apply_settings(base, {"training.batch.ids": 2})["training"] == {"batch": {"ids": 2}}
    assert base["model"]["strides"] == {1: 2}
    assert "training" not in base


@pytest.mark.parametrize(
    ("axis", "labels"),
    [
        ({"choice": [1, 2]}, ["1", "2"]),
        ({"uniform": [0.1, 2], "levels": ["soft", 0.3]}, ["soft", "0.3", "0.1", "2.0"]),
        ({"integer": [1, 4], "levels": [2]}, ["2", "1", "4"]),
    ],
)
def test_extremes_are_the_levels_and_the_ends(axis: dict[str, Any], labels: list[str]) -> None:
    assert [level.label for level in extremes(Axis.model_validate(axis))] == labels


def test_axes_stand_behind_those_that_they_name(space: MakeSpace) -> None:
    order = space(
        {
            "model.neck": {"choice": ["none"], "when": {"model.pooling": "max"}},
            "model.reduction": {"choice": ["conv_bn"], "when": {"model.neck": "none"}},
            "model.pooling": {"choice": ["max"]},
        }
    ).order()
    assert order == ["model.pooling", "model.neck", "model.reduction"]


def test_an_invalid_setting_is_named(space: MakeSpace) -> None:
    with pytest.raises(StudyError, match=r"^model\.neck=x: model\.neck: 'bnek' is not a choice; did you mean 'bnneck'"):
        space({"model.neck": {"choice": ["none"]}}).config({"model.neck": Level("x", "bnek")})


def test_the_centre_has_the_name_of_a_level_whose_defaults_are_filled_in(space):
    choice = {"none": None, "re-ranked": {"kind": "k_reciprocal"}, "wider": {"kind": "k_reciprocal", "k1": 30}}
    axes = {"readouts.default.scorer": {"choice": choice}}
    for scorer, label in ((None, "none"), ("k_reciprocal", "re-ranked"), (choice["wider"], "wider")):
        made = space(axes, {"readouts.default.scorer": scorer})
        assert [level.label for level in made.centre().values()] == [label]


@pytest.mark.parametrize("word", ["yes", "true", "on", 1])
def test_a_word_or_number_is_no_boolean(space: Callable[..., Space], word: object) -> None:
    with pytest.raises(StudyError, match="should be true or false"):
        space({"readouts.default.flip": {"choice": [word]}}).check()
    axes = {"losses.triplet.margin": {"choice": [0.3], "when": {"readouts.default.flip": word}}}
    with pytest.raises(StudyError, match=r"readouts\.default\.flip is true or false, which"):
        space(axes).check()
    space({"readouts.default.flip": {"choice": [True, False]}}).check()
