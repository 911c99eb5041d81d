"""Searches that tune each arm of an ablation for itself, and ablations that train every arm with its own best."""

from collections.abc import Callable
from typing import Any

import pytest

from reid_search.errors import StudyError
from reid_search.study import AblatePhase, SearchPhase, Settings, Study, Tuned
from reid_search.study.question.axes import Level
from reid_search.study.question.space import labels_of

Load = Callable[..., Study]

RATE, PARTS, SYSTEM, RECIPE = "training.optimizer.lr", "model.parts", "system", "recipe"

STUDY = """\
name: arms
base:
  data: {name: synthetic, preset: tiny, holdout: 0.2}
  model: {architecture: mgn, backbone: resnet10_thin, embedding_dim: 64, parts: [1, 2]}
  training: {images: 320}
  readouts: {default: {control: true}}
axes:
  training.optimizer.lr: {log_uniform: [1e-4, 1e-2], levels: [1e-3, 1e-2]}
  recipe:
    variants:
      plain: {}
      long: {training: {batch: {ids: 8}}, losses: {triplet: {margin: 0.5, weight: 3}}}
  system:
    variants:
      mgn: {losses: {triplet: {weight: 2}}}
      bare: {losses: {triplet: {on: []}}}
  model.parts: {choice: [[1], [1, 2]], when: {system: mgn}}
  losses.triplet.margin: {uniform: [0.1, 2.0], levels: [0.3, 1.2], when: {system: mgn}}
arms:
  small: {model.parts: [1], training.optimizer.lr: 0.005}
phases:
  - {kind: search, trials: 4, each: compare, axes: [recipe, training.optimizer.lr, losses.triplet.margin]}
  - {kind: ablate, name: first, seeds: 1}
  - {kind: ablate, name: compare, design: factorial, seeds: 2, axes: [system, model.parts]}
"""
ARMS = ["baseline", "model.parts=[1]", "system=bare"]


def phases_of(study: Study) -> tuple[SearchPhase, AblatePhase]:
    search, *_, ablation = study.config.phases
    assert isinstance(search, SearchPhase)
    assert isinstance(ablation, AblatePhase)
    return search, ablation


def content(config: Any) -> dict[str, Any]:
    """What a trial trains, but for the part of the training set that a search holds out."""
    found = config.model_dump(mode="json")
    del found["data"]["holdout"]
    return found


def proposal(study: Study, held: Settings, **levels: Any) -> dict[str, Level]:
    """Return settings of a proposal for an arm."""
    own = {path.replace("__", "."): study.level(path.replace("__", "."), value) for path, value in levels.items()}
    found = {**held, **own}
    return {path: found[path] for path in study.config.axes if path in found}


def test_a_search_has_a_share_for_every_arm_over_the_axes_of_both_phases(load: Load) -> None:
    study = load(STUDY)
    search, ablation = phases_of(study)
    assert [arm.name for arm in study.arms(ablation)] == ARMS
    shares = study.shares(search)
    assert [share.name for share in shares] == ARMS
    assert study.held_axes(search) == (SYSTEM, PARTS)
    for share in shares:
        assert list(share.space.axes) == list(study.config.axes)
        cells = list(share.space.combinations())
        assert {labels_of((SYSTEM, PARTS), cell) for cell in cells} == {labels_of((SYSTEM, PARTS), share.held)}
        assert len(cells) == (2 * 2 if share.name == "system=bare" else 2 * 2 * 2), "without triplets no margin"


@pytest.mark.parametrize(
    ("sampler", "trials", "count", "images"),
    [("tpe", 4, 12, 12 * 320), ("grid", 6, 6 + 6 + 4, 16 * 320), ("grid", 99, 8 + 8 + 4, 20 * 320)],
)
def test_a_plan_counts_arms_times_trials(load: Load, sampler: str, trials: int, count: int, images: int) -> None:
    phase = f"phases.search.sampler={sampler}"
    plan = load(STUDY, [phase, f"phases.search.trials={trials}"]).plan()
    assert (plan.phases[0].count, plan.phases[0].images) == (count, images)
    assert f"{sampler} for each of 3 arms of compare" in plan.phases[0].about
    assert [phase.provisional for phase in plan.phases] == [False, False, True]
    assert [arm.name for arm in plan.phases[2].arms] == ARMS


def test_trainings_of_tuned_arms_are_no_other_phase_s(load: Load) -> None:
    alike = "\n  - {kind: ablate, name: alike, design: factorial, seeds: 3, axes: [system, model.parts]}\n"
    phases = load(STUDY + alike.lstrip("\n")).plan().phases
    assert [phase.count for phase in phases[2:]] == [3 * 2, 3 * 3 - 3], "the first phase has their first seeds"


def test_images_are_those_of_the_arms(load: Load) -> None:
    text = STUDY.replace("mgn: {losses", "mgn: {training: {images: 640}, losses")
    assert load(text).plan().phases[0].images == 4 * (640 + 640 + 320)


@pytest.mark.parametrize("around", ["base", "small"])
def test_every_arm_trains_what_its_best_proposal_trained(load: Load, around: str) -> None:
    study = load(STUDY, [f"phases.compare.around={around}"])
    search, ablation = phases_of(study)
    space = study.space(search)
    held = {share.name: share.held for share in study.shares(search)}
    first, second, _ = held
    found = {
        first: proposal(study, held[first], recipe="long", training__optimizer__lr=0.002, losses__triplet__margin=0.7),
        second: proposal(study, held[second], recipe="plain", training__optimizer__lr=0.003),
    }
    best = {
        labels_of((SYSTEM, PARTS), settings): {
            path: level for path, level in settings.items() if path not in held[name]
        }
        for name, settings in found.items()
    }
    arms = {arm.name: arm for arm in study.arms(ablation, found[first], Tuned((SYSTEM, PARTS), best, space.axes))}
    assert list(arms) == list(held)
    for name, settings in found.items():
        assert content(arms[name].config) == content(space.config(settings))
        assert arms[name].tuned == {path: level for path, level in settings.items() if path not in held[name]}
        assert arms[name].config.data.holdout == 0
    assert arms[first].config.training.batch.ids == 8
    assert arms[first].config.losses["triplet"].margin == 0.7, "a value stands over a variant"
    assert arms[first].config.losses["triplet"].weight == 2, "a variant of a later axis stands over one of an earlier"
    untuned = next(arm for arm in study.arms(ablation) if arm.name == "system=bare")
    assert (arms["system=bare"].config, arms["system=bare"].tuned) == (untuned.config, {})
    assert untuned.config.training.optimizer.lr == (
        0.005 if around == "small" else study.space(ablation).config({}).training.optimizer.lr
    )


def test_what_was_found_for_one_ablation_changes_no_other(load: Load) -> None:
    study = load(STUDY)
    search, ablation = phases_of(study)
    other = study.config.phases[1]
    assert isinstance(other, AblatePhase)
    assert study.is_tuned(ablation)
    assert not study.is_tuned(other)
    held = study.shares(search)[0].held
    settings = proposal(study, held, recipe="long")
    tuned = Tuned((SYSTEM, PARTS), {labels_of((SYSTEM, PARTS), held): settings}, study.space(search).axes)
    assert study.arms(other, settings, tuned) == study.arms(other)


def test_the_hash_tells_designs_apart_and_only_those(load: Load) -> None:
    def space_hash(*overrides: str) -> str:
        study = load(STUDY, overrides)
        return study.space_hash(phases_of(study)[0])

    assert space_hash() == space_hash("phases.search.trials=9") == space_hash("phases.compare.seeds=9")
    others = ["phases.compare.design=one_factor", "phases.compare.around=small", "phases.compare.axes=[system]"]
    assert len({space_hash(), *map(space_hash, others)}) == 4


def test_an_axis_wins_over_an_ablation_of_the_same_name(load: Load) -> None:
    text = STUDY.replace("each: compare, axes: [", "each: system, axes: [system, ").replace(
        "name: compare", "name: system"
    )
    study = load(text)
    search, ablation = phases_of(study)
    assert [share.name for share in study.shares(search)] == ["mgn", "bare"]
    assert study.held_axes(search) == (SYSTEM,)
    assert not study.is_tuned(ablation)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("axes: [recipe, ", "axes: [system, recipe, ", r"phases\.0 \(search\)\.axes: system: also varied by 'compare'"),
        (
            "each: compare, axes: [recipe, training.optimizer.lr, losses.triplet.margin]",
            "each: compare",
            "system, model",
        ),
        ("each: compare", "each: compere", "did you mean 'compare'"),
        ("seeds: 2,", "seeds: 2, around: best,", "the arms of 'compare' depend on a search"),
    ],
)
def test_mistakes_are_named(load: Load, old: str, new: str, message: str) -> None:
    assert old in STUDY
    with pytest.raises(StudyError, match=message):
        load(STUDY.replace(old, new))
