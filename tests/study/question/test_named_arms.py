"""Arms that a study names, as the centre of designs."""

from collections.abc import Callable
from typing import Any

import pytest

from reid_search.errors import StudyError
from reid_search.study import Arm, Study, TrialConfig

Load = Callable[..., Study]

STUDY = """\
name: named
base:
  data: {name: synthetic, preset: tiny}
  model: {architecture: baseline, backbone: resnet10_thin}
  losses: {identity: {on: [global@coarse]}, triplet: {on: []}}
  readouts: {default: {taps: [coarse]}}
axes:
  model.architecture: {choice: [baseline, mgn]}
  model.parts: {choice: {two: [1, 2], three: [1, 2, 3]}, when: {model.architecture: mgn}}
  losses.triplet.on: {choice: {nowhere: [], globals: [global@coarse]}}
  losses.triplet.margin: {uniform: [0.1, 2.0], levels: [0.3, soft], when: {losses.triplet.on: [[global@coarse]]}}
arms:
  full: {model.architecture: mgn, losses.triplet.on: globals, losses.triplet.margin: 0.7}
phases:
  - {kind: ablate, seeds: 1, around: full}
"""
BARE: dict[str, Any] = {"architecture": "baseline", "parts": None, "on": (), "margin": 0.3}
FULL = {"architecture": "mgn", "parts": (1, 2, 3), "on": ("global@coarse",), "margin": 0.7}


def shown(config: TrialConfig) -> dict[str, Any]:
    """Return what the axes of the study decide of a trial."""
    triplet = config.losses["triplet"]
    return {
        "architecture": config.model.architecture,
        "parts": getattr(config.model, "parts", None),
        "on": tuple(triplet.on),
        "margin": triplet.model_dump()["margin"],
    }


def drawn(load: Load, text: str = STUDY, **phase: str) -> list[Arm]:
    return load(text, [f"phases.ablate.{key}={value}" for key, value in phase.items()]).plan().arms


def test_one_factor_around_a_named_arm(load: Load) -> None:
    arms = drawn(load)
    assert [arm.name for arm in arms] == [
        "baseline",
        "model.architecture=baseline",
        "model.parts=two",
        "losses.triplet.on=nowhere",
        "losses.triplet.margin=0.3",
        "losses.triplet.margin=soft",
    ]
    assert shown(arms[0].config) == FULL
    assert list(arms[0].settings) == list(load(STUDY).config.axes), "also of the axis that the arm does not set"


def test_leave_one_out_of_a_named_arm(load: Load) -> None:
    arms = drawn(load, design="leave_one_out")
    # the base has neither parts nor a margin that counts: they go with the architecture and the loss
    assert [arm.name for arm in arms] == ["baseline", "model.architecture=baseline", "losses.triplet.on=nowhere"]
    assert shown(arms[1].config) == {**FULL, "architecture": "baseline", "parts": None}
    assert shown(arms[2].config)["on"] == ()


def test_add_one_in_from_a_named_arm_keeps_what_cannot_be_switched_off(load: Load) -> None:
    text = STUDY.replace("losses.triplet.margin: 0.7", "losses.triplet.margin: 0.7, model.parts: two")
    arms = drawn(load, text, design="add_one_in")
    assert [arm.name for arm in arms] == [
        "baseline",
        "model.architecture=mgn, model.parts=two",
        "losses.triplet.on=globals, losses.triplet.margin=0.7",
    ]
    assert shown(arms[0].config) | {"margin": 0} == BARE | {"margin": 0}
    assert shown(arms[1].config)["parts"] == (1, 2)
    assert shown(arms[2].config) == {**FULL, "architecture": "baseline", "parts": None}


def test_what_a_named_arm_sets_outside_a_phase_stays(load: Load) -> None:
    arms = drawn(load, axes="[losses.triplet.margin, model.parts]")
    assert [arm.name for arm in arms] == [
        "baseline",
        "model.parts=two",
        "losses.triplet.margin=0.3",
        "losses.triplet.margin=soft",
    ]
    assert shown(arms[0].config) == FULL
    assert {arm.config.model.architecture for arm in arms} == {"mgn"}


def test_a_named_arm_of_nothing_is_the_base(load: Load) -> None:
    named, base = (drawn(load, STUDY.replace("arms:", "arms:\n  plain: {}"), around=name) for name in ("plain", "base"))
    assert [(arm.name, arm.config) for arm in named] == [(arm.name, arm.config) for arm in base]


def test_a_named_arm_takes_variants_by_name(load: Load) -> None:
    text = """\
name: systems
base: {data: {name: synthetic, preset: tiny}, model: {architecture: baseline, backbone: resnet10_thin}}
axes:
  system: {variants: {plain: {}, mgn: {model: {architecture: mgn, parts: [1, 2]}}}}
  model.pooling: {choice: [avg, max]}
arms: {both: {system: mgn, model.pooling: max}}
phases:
  - {kind: ablate, design: leave_one_out, around: both}
  - {kind: ablate, name: inner, axes: [model.pooling], around: both}
"""
    first, second = load(text).plan().phases
    assert [(arm.name, arm.config.model.architecture, arm.config.model.pooling) for arm in first.arms] == [
        ("baseline", "mgn", "max"),
        ("system=plain", "baseline", "max"),
        ("model.pooling=avg", "mgn", "avg"),
    ]
    assert [(arm.name, arm.config.model.architecture) for arm in second.arms] == [
        ("baseline", "mgn"),
        ("model.pooling=avg", "mgn"),
    ]


def test_a_search_is_the_same_with_and_without_what_ablations_need(load: Load) -> None:
    text = STUDY.replace("phases:", "phases:\n  - {kind: search, trials: 4}")
    more = text.replace("[global@coarse]}}", "[global@coarse]}, off: globals}").replace(
        "}\nphases", "}\n  other: {}\nphases"
    )
    one, two = load(text), load(more)
    assert one.config != two.config
    assert one.space_hash(one.config.phases[0]) == two.space_hash(two.config.phases[0]), "proposals that were made stay"


def test_says_where_a_recipe_may_stand(load: Load) -> None:
    """A recipe is no axis, so neither `axes` nor a named arm takes one; the message names the places that do."""
    places = "a recipe is taken in `base`, or in a variant of an axis"
    arm, axis = "arms:\n  full: {recipe: pcb}\n", "axes:\n  recipe: {choice: [mgn, pcb]}\n"
    with pytest.raises(StudyError, match=f"arms.full.recipe: not an axis; {places}"):
        load(STUDY.replace(STUDY[STUDY.index("arms:") : STUDY.index("phases:")], arm))
    with pytest.raises(StudyError, match=f"axes.recipe: not an entry of a trial; {places}"):
        load(STUDY.replace("axes:\n", axis))


def test_a_recipe_in_capitals_is_recognised(load: Load) -> None:
    """A person writes MGN as the paper does."""
    with pytest.raises(StudyError, match="unknown recipe 'MGN'; did you mean 'mgn'"):
        load(STUDY.replace("base:\n", "base:\n  recipe: MGN\n"))
