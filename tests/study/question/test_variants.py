"""Variants, which change several entries at once, and searches that tune each of them for itself."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reid_search.errors import StudyError
from reid_search.study import Tuned, load_study
from reid_search.study.question.axes import Level
from reid_search.study.question.edits import lay_over
from reid_search.study.question.space import Space

MakeSpace = Callable[..., Space]

SYSTEMS = {
    "variants": {
        "identification": {"model": {"architecture": "baseline"}, "losses": {"triplet": {"on": []}}},
        "mgn": {"losses": {"triplet": {"margin": 0.5}}, "readouts": {"default": {"taps": ["coarse"]}}},
        "small mgn": {"model": {"parts": [1]}},
    }
}

STUDY = """\
name: systems
base:
  data: {name: synthetic, preset: tiny}
  model: {architecture: mgn, backbone: resnet10_thin, embedding_dim: 64}
  training: {images: 320}
axes:
  system:
    variants:
      identification: {model: {architecture: baseline}, losses: {triplet: {on: []}}}
      mgn: {}
      small mgn: {model: {parts: [1]}}
  training.optimizer.lr: {log_uniform: [1e-4, 1e-2], levels: [1e-3, 1e-2]}
phases:
  - {kind: search, trials: 4, each: system}
  - {kind: ablate, seeds: 7, around: best, axes: [system]}
"""


@pytest.fixture
def study_file(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str = STUDY) -> Path:
        path = tmp_path / "study.yaml"
        path.write_text(text)
        return path

    return write


def test_a_variant_is_laid_over_the_base(space: MakeSpace) -> None:
    made = space({"system": SYSTEMS})
    configs = {level.label: made.config({"system": level}) for level in made.axes["system"].searched_levels}
    assert [config.model.architecture for config in configs.values()] == ["baseline", "mgn", "mgn"]
    assert not configs["identification"].loss_taps("triplet")
    assert configs["mgn"].losses["triplet"].margin == 0.5
    assert configs["mgn"].readouts["default"].taps == ("coarse",)
    assert configs["small mgn"].model.parts == (1,)
    assert configs["small mgn"].losses["triplet"].margin == 1.2, "one variant leaves nothing behind for another"
    assert list(made.centre().values()) == [made.axes["system"].searched_levels[0]]
    made.check()


def test_conditions_name_variants(space: MakeSpace) -> None:
    axes = {"system": SYSTEMS, "model.parts": {"choice": [[1, 2], [1, 3]], "when": {"system": ["mgn"]}}}
    made = space(axes)
    made.check()
    cells = [{path: level.label for path, level in cell.items()} for cell in made.combinations()]
    assert made.exists("model.parts", {}) is False
    assert cells == [
        {"system": "identification"},
        {"system": "mgn", "model.parts": "[1, 2]"},
        {"system": "mgn", "model.parts": "[1, 3]"},
        {"system": "small mgn"},
    ]


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ({"b": {"c": 2}}, {"a": 1, "b": {"c": 2, "d": 3}}),
        ({"b": None}, {"a": 1}),
        ({"b": [1]}, {"a": 1, "b": [1]}),
        ({"e": {"f": None}}, {"a": 1, "b": {"c": 1, "d": 3}, "e": {"f": None}}),
    ],
)
def test_maps_merge_lists_replace_null_deletes(patch: dict[str, Any], expected: dict[str, Any]) -> None:
    base = {"a": 1, "b": {"c": 1, "d": 3}}
    assert lay_over(base, patch) == expected
    assert base == {"a": 1, "b": {"c": 1, "d": 3}}


def test_another_component_leaves_the_old_one_s_entries_behind() -> None:
    base = {
        "model": {"architecture": "mgn", "parts": [1, 2], "pooling": "gem"},
        "losses": {"x": {"kind": "triplet", "margin": 1}},
    }
    patch = {"model": {"architecture": "baseline"}, "losses": {"x": {"kind": "centre"}}}
    assert lay_over(base, patch) == {
        "model": {"architecture": "baseline", "pooling": "gem"},
        "losses": {"x": {"kind": "centre"}},
    }


def test_a_search_of_each_counts_its_trials_for_each(study_file: Callable[..., Path]) -> None:
    phases = load_study(study_file()).plan().phases
    assert phases[0].count == 12
    assert "for each system" in phases[0].about
    assert [arm.name for arm in phases[1].arms] == ["baseline", "system=mgn", "system=small mgn"]
    grid = STUDY.replace("trials: 4", "trials: 9, sampler: grid")
    assert load_study(study_file(grid)).plan().phases[0].count == 6


def test_every_arm_has_its_own_best_and_the_centre_stays_the_first_variant(study_file: Callable[..., Path]) -> None:
    study = load_study(study_file())
    lr = "training.optimizer.lr"
    best = {label: {lr: Level(str(value), value)} for label, value in (("identification", 0.002), ("small mgn", 0.004))}
    found = {"system": Level("small mgn", {}), **best["small mgn"]}
    tuned = Tuned(("system",), {(label,): settings for label, settings in best.items()}, study.config.axes)
    arms = study.arms(study.config.phases[1], found, tuned)
    rates = {arm.name: arm.config.training.optimizer.lr for arm in arms}
    untouched = study.space(study.config.phases[1]).config({}).training.optimizer.lr
    assert rates == {"baseline": 0.002, "system=mgn": untouched, "system=small mgn": 0.004}
    assert {arm.name: {path: level.label for path, level in arm.tuned.items()} for arm in arms} == {
        "baseline": {lr: "0.002"},
        "system=mgn": {},
        "system=small mgn": {lr: "0.004"},
    }
    assert arms[0].settings["system"].label == "identification"


def test_a_claim_between_arms_at_their_own_best_is_decided_by_them(study_file: Callable[..., Path]) -> None:
    claims = """\
claims:
  small wins: {better: {system: small mgn}, than: {system: identification}}
  at one rate: {better: {system: small mgn}, than: {system: identification}, where: {training.optimizer.lr: 0.002}}
"""
    study = load_study(study_file(STUDY + claims))
    phase = study.config.phases[1]
    lr = "training.optimizer.lr"
    best = {label: {lr: Level(str(value), value)} for label, value in (("identification", 0.002), ("small mgn", 0.004))}
    tuned = Tuned(("system",), {(label,): settings for label, settings in best.items()}, study.config.axes)
    around = {"system": Level("small mgn", {}), **best["small mgn"]}, tuned
    arms = study.arms(phase, *around)
    won = study.contrast("small wins", phase, arms, *around)
    assert (won.effect, won.missing) == ({"baseline": -1.0, "system=small mgn": 1.0}, ())
    assert study.contrast("at one rate", phase, arms, *around).missing, "one of them trained with another rate"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "each: system",
            "each: sytem",
            r"phases\.0 \(search\)\.each: 'sytem' is neither a later ablation nor an axis",
        ),
        ("each: system", "each: training.optimizer.lr", "allowed: ablate, system"),
        ("each: system", "each: system, axes: [system]", "nothing is left to tune besides 'system'"),
        ("small mgn: {model: {parts: [1]}}", "small mgn: {model: {part: [1]}}", "unknown key; did you mean 'parts'"),
        ("mgn: {}", "mgn: 3", "mgn"),
    ],
)
def test_mistakes_are_named(study_file: Callable[..., Path], old: str, new: str, message: str) -> None:
    with pytest.raises(StudyError, match=message):
        load_study(study_file(STUDY.replace(old, new)))


def test_an_axis_may_exist_under_a_variant_that_is_the_first(space: MakeSpace) -> None:
    axes = {
        "system": {"variants": {"mgn": {"model": {"architecture": "mgn"}}, "baseline": {}}},
        "model.parts": {"choice": [[1], [1, 2]], "when": {"system": "mgn"}},
    }
    made = space(axes, {"model": {"architecture": "baseline", "backbone": "resnet10_thin"}})
    made.check()
    models = [made.config(settings).model for settings in made.combinations()]
    assert [model.model_dump().get("parts") for model in models] == [(1,), (1, 2), None]
