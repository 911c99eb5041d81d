"""Arms that a study names, as the centre of designs."""

from collections.abc import Callable
from pathlib import Path
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
    """A recipe is no axis; the message names the places that take one."""
    places = "a recipe is taken in `base`, in a named arm"
    axis = "axes:\n  recipe: {choice: [mgn, pcb]}\n"
    claim = "claims: {pcb wins: {better: {recipe: pcb}}}\n"
    with pytest.raises(StudyError, match=f"claims.pcb wins.better.recipe: not an axis; {places}"):
        load(STUDY + claim)
    with pytest.raises(StudyError, match=f"axes.recipe: not an entry of a trial; {places}"):
        load(STUDY.replace("axes:\n", axis))


def test_a_recipe_in_capitals_is_recognised(load: Load) -> None:
    """A person writes MGN as the paper does."""
    with pytest.raises(StudyError, match="unknown recipe 'MGN'; did you mean 'mgn'"):
        load(STUDY.replace("base:\n", "base:\n  recipe: MGN\n"))


RECIPES = """\
name: recipes
base:
  recipe: identification
  data: {name: synthetic, preset: tiny, image_size: [96, 32]}
  model: {backbone: resnet10_thin, weights: null}
  training: {images: 48, report_every: 48, batch: {ids: 4, per_id: 3}, augment: {crop: null}}
axes:
  training.lr_multiplier: {choice: [1.0, 3.0]}
  model.parts: {choice: {three: 3, six: 6}, when: {model.architecture: pcb}}
arms:
  PCB: {recipe: pcb}
  three_stripes: {recipe: pcb, model.parts: three}
  MGN: {recipe: mgn, training.lr_multiplier: 3.0}
phases:
  - {kind: ablate, name: own, axes: [training.lr_multiplier], seeds: 1}
  - {kind: ablate, name: pcb, around: PCB, seeds: 1}
  - {kind: ablate, name: pcb_of_three, around: three_stripes, axes: [training.lr_multiplier], seeds: 1}
  - {kind: ablate, name: mgn, around: MGN, axes: [training.lr_multiplier], seeds: 1}
"""
SEARCH = "phases:\n  - {kind: search, trials: 2, each: mgn, axes: [model.embedding_dim]}\n"
FROM = {"own": "identification", "pcb": "pcb", "pcb_of_three": "pcb", "mgn": "mgn"}


def _of_recipe(name: str, changes: dict[str, Any] | None = None) -> TrialConfig:
    """Return a recipe under the overlay of the study, written by hand as a trial of its own."""
    content: dict[str, Any] = {
        "recipe": name,
        "data": {"name": "synthetic", "preset": "tiny", "image_size": [96, 32], "holdout": 0.0},
        "model": {"backbone": "resnet10_thin", "weights": None, **(changes or {})},
        "training": {
            "images": 48,
            "report_every": 48,
            "batch": {"ids": 4, "per_id": 3},
            "augment": {"crop": None},
            "lr_multiplier": 3.0 if name == "mgn" else 1.0,
        },
    }
    return TrialConfig.model_validate(content)


def test_a_named_arm_takes_a_recipe_in_place_of_that_of_the_base(load: Load) -> None:
    phases = {phase.name: [arm.config for arm in phase.arms] for phase in load(RECIPES).plan().phases}
    assert {name: {config.from_recipe for config in configs} for name, configs in phases.items()} == {
        name: {recipe} for name, recipe in FROM.items()
    }
    expected = {"own": _of_recipe("identification"), "pcb": _of_recipe("pcb"), "mgn": _of_recipe("mgn")}
    expected["pcb_of_three"] = _of_recipe("pcb", {"parts": 3})
    assert {name: configs[0] for name, configs in phases.items()} == expected
    assert [config.model.model_dump()["parts"] for config in phases["pcb"]] == [6, 6, 3], "its axis is still an axis"


def test_a_search_that_tunes_the_arms_around_a_recipe_has_it_too(load: Load) -> None:
    text = RECIPES.replace("phases:\n", SEARCH)
    text = text.replace("arms:\n", "  model.embedding_dim: {choice: [32, 64]}\narms:\n")
    study = load(text)
    (search,) = (phase for phase in study.config.phases if phase.kind == "search")
    assert {share.space.config(share.held).from_recipe for share in study.shares(search)} == {"mgn"}


def test_data_of_the_command_line_leave_every_recipe_its_image_size(load: Load) -> None:
    study = load(RECIPES.replace("{name: synthetic, preset: tiny, image_size: [96, 32]}", "{name: market1501}"))
    located = study.with_data(Path("market"))
    assert {
        arm.config.data.located["root"] for phase in located.config.deciding_phases for arm in located.arms(phase)
    } == {str(Path("market").absolute())}
    sizes = {
        phase.name: {arm.config.data.image_size for arm in located.arms(phase)}
        for phase in located.config.deciding_phases
    }
    assert sizes == {"own": {(224, 224)}, "pcb": {(384, 128)}, "pcb_of_three": {(384, 128)}, "mgn": {(384, 128)}}


WRONG_ARMS = {
    "{recipe: PCB}": "arms.full.recipe: unknown recipe 'PCB'; did you mean 'pcb'?",
    "{recipe: 7}": "arms.full.recipe: 7: expected the name of a recipe; allowed: attributes",
    "{recipe: null}": "arms.full.recipe: null is no recipe; leave the entry out, and the arm is made from what base is",
    "{recipe: verification}": r"\(recipe verification, line \d+\): arms.full.training.batch.order: pairs with 3 × 3",
    "{recipe: pcb, system: MGN}": "'pcb', but its variant 'MGN' of 'system' takes recipe 'mgn' instead",
}


@pytest.mark.parametrize("arm", WRONG_ARMS)
def test_a_recipe_that_an_arm_cannot_take_is_named_with_its_place(load: Load, arm: str) -> None:
    text = RECIPES[: RECIPES.index("arms:")].replace("ids: 4", "ids: 3")
    text += "  system: {variants: {own: {}, MGN: {recipe: mgn}}}\n"
    text += f"arms:\n  full: {arm}\nphases:\n  - {{kind: ablate, around: full}}\n"
    with pytest.raises(StudyError, match=WRONG_ARMS[arm]) as error:
        load(text)
    assert str(error.value).startswith(("study.yaml:12: arms.full", "study.yaml:12 (recipe verification, "))
