"""What a recipe would lose is refused: beside another recipe, or under another architecture."""

from collections.abc import Callable

import pytest

from reid_search.errors import StudyError
from reid_search.study import Study

Load = Callable[..., Study]

HEAD = """\
name: recipes
base:
  recipe: identification
  data: {name: synthetic, preset: tiny, image_size: [96, 32]}
  model: {backbone: resnet10_thin, weights: null}
  training: {images: 48, report_every: 48, batch: {ids: 4, per_id: 4}, augment: {crop: null}}
axes:
  system: {variants: {own: {}, MGN: {recipe: mgn}}}
"""
STRIPES = "  stripes: {variants: {none: {}, PCB: {recipe: pcb}}}\n"
FACTORIAL = "phases:\n  - {kind: ablate, design: factorial, seeds: 1}\n"
LOST = "stripes.variants.PCB.recipe: 'pcb', and variant 'MGN' of axis 'system' takes 'mgn'; a trial is made"


@pytest.mark.parametrize(
    "phases",
    [
        FACTORIAL,
        "phases:\n  - {kind: ablate, design: one_factor, seeds: 1}\n",
        "phases:\n  - {kind: search, sampler: grid, trials: 4}\n",
        "phases:\n  - {kind: search, axes: [system], trials: 2}\n  - {kind: ablate, axes: [stripes], around: best}\n",
        "arms: {full: {system: MGN}}\nphases:\n  - {kind: ablate, axes: [stripes], around: full}\n",
    ],
)
def test_two_axes_that_take_recipes_at_once_are_one_message(load: Load, phases: str) -> None:
    with pytest.raises(StudyError) as error:
        load(HEAD + STRIPES + phases)
    assert str(error.value).startswith(f"study.yaml:9: axes.{LOST}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        (HEAD + STRIPES.replace("{variants", "{when: {system: own}, variants") + FACTORIAL, 3),
        (HEAD + STRIPES.replace("recipe: pcb", "recipe: mgn") + FACTORIAL, 2),  # one recipe, whoever takes it
        (
            HEAD
            + STRIPES
            + "phases:\n  - {kind: ablate, axes: [system]}\n  - {kind: ablate, name: b, axes: [stripes]}\n",
            4,
        ),
        (
            HEAD
            + STRIPES
            + "arms: {full: {system: own}}\nphases:\n  - {kind: ablate, axes: [stripes], around: full}\n",
            2,
        ),
    ],
)
def test_axes_that_take_recipes_apart_keep_every_cell(load: Load, text: str, cells: int) -> None:
    arms = load(text).plan().arms
    assert len(arms) == cells
    for arm in arms:
        named = {"MGN": "mgn", "PCB": "mgn" if "PCB: {recipe: mgn}" in text else "pcb"}
        taken = {named[level.label] for level in arm.settings.values() if level.label in named}
        assert {arm.config.from_recipe} == (taken or {"identification"})


ARCHITECTURE = (
    "'baseline' in place of 'mgn', which recipe 'mgn' is about, so the trial would not be what it is named after"
)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("recipe: identification", "recipe: mgn", "study.yaml:5: base.model.architecture: "),
        ("", "", "study.yaml:8: axes.system.variants.MGN: makes no valid trial: model.architecture at study.yaml:5: "),
    ],
)
def test_another_architecture_over_a_recipe_is_refused(load: Load, old: str, new: str, place: str) -> None:
    text = HEAD.replace("{backbone", "{architecture: baseline, backbone").replace(old, new) + FACTORIAL
    with pytest.raises(StudyError) as error:
        load(text)
    assert str(error.value).startswith(f"{place}{ARCHITECTURE}")


def test_an_axis_of_architectures_is_refused_over_a_recipe_and_the_same_architecture_is_not(load: Load) -> None:
    phases = "phases:\n  - {kind: ablate, axes: [model.architecture], seeds: 1}\n"
    axis = "  model.architecture: {choice: [baseline, pcb]}\n"
    with pytest.raises(
        StudyError, match=r"axes\.model\.architecture: level 'pcb' makes no valid trial: .*'identification'"
    ):
        load(HEAD + axis + phases)
    load(
        HEAD.replace("{backbone", "{architecture: baseline, backbone").replace(
            "{own: {}, MGN: {recipe: mgn}}", "{own: {}}"
        )
        + phases.replace("model.architecture", "system")
    )
