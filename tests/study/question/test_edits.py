"""Where a component changes, what both have stays and the rest is left behind, wherever the change is written."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reid_search.study import StageConfig, Study, TrialConfig, load_study
from reid_search.study.language.document import read_document
from reid_search.study.loading import STUDY_FILE, TRIAL_FILE
from reid_search.study.question.edits import apply_settings, lay_over

TRIAL = {
    "data": {"name": "synthetic", "preset": "tiny", "image_size": [64, 32], "holdout": 0.3},
    "model": {"architecture": "mgn", "backbone": "resnet10_thin", "parts": [1, 2], "pooling": "gem"},
    "losses": {"triplet": {"kind": "triplet", "margin": 1.0, "on": ["global@reduced"], "weight": 2.0}},
    "readouts": {"default": {"scorer": {"kind": "graph", "top": 20, "mix": 0.5, "head": "x"}}},
}
CHANGES = [
    ("data.name", "market1501", {"name": "market1501", "image_size": [64, 32], "holdout": 0.3}),
    ("model.architecture", "baseline", {"architecture": "baseline", "backbone": "resnet10_thin", "pooling": "gem"}),
    ("losses.triplet.kind", "centre", {"kind": "centre", "on": ["global@reduced"], "weight": 2.0}),
    ("readouts.default.scorer.kind", "k_reciprocal", {"kind": "k_reciprocal"}),
    ("readouts.default.scorer.kind", "pair_head", {"kind": "pair_head", "top": 20, "head": "x"}),
    ("readouts.default.scorer.kind", "graph", {"kind": "graph", "top": 20, "mix": 0.5, "head": "x"}),
]


def _at(content: Any, path: str) -> Any:
    for step in path.split("."):
        content = content[step]
    return content


def _nested(path: str, value: object) -> dict[str, Any]:
    first, _, rest = path.partition(".")
    return {first: _nested(rest, value) if rest else value}


@pytest.mark.parametrize(("path", "name", "expected"), CHANGES)
def test_a_setting_and_a_variant_follow_one_rule(path: str, name: str, expected: dict[str, Any]) -> None:
    holder = path.rpartition(".")[0]
    assert _at(apply_settings(TRIAL, {path: name}), holder) == expected
    assert _at(lay_over(TRIAL, _nested(path, name)), holder) == expected
    assert _at(TRIAL, path) != name or name == "graph", "the base itself is not changed"


@pytest.mark.parametrize(("path", "name", "expected"), CHANGES)
@pytest.mark.parametrize("how", ["--set", "extends", "extends in a trial", "--set on a run's config"])
def test_so_do_layers_of_files_and_overrides(
    write: Callable[..., Path], path: str, name: str, expected: dict[str, Any], how: str
) -> None:

    below = {"config": TRIAL} if "run" in how else TRIAL if "trial" in how else {"base": TRIAL}
    prefix = "config." if "run" in how else "" if "trial" in how else "base."
    root = TRIAL_FILE if "trial" in how or "run" in how else STUDY_FILE
    file = write(json.dumps(below), "below.yaml")
    if how.startswith("--set"):
        document = read_document(file, root).overridden([f"{prefix}{path}={name}"], root)
    else:
        above = {"extends": "below.yaml", **_nested(f"{prefix}{path}", name)}
        document = read_document(write(json.dumps(above), "above.yaml"), root)
    holder = f"{prefix}{path}".rpartition(".")[0]
    assert _at(document.data, holder) == expected
    gone = set(_at(TRIAL, path.rpartition(".")[0])) - set(expected)
    assert len(document.left_behind) == len(gone)
    assert all(f"{holder}.{entry} is left behind" in " ".join(document.left_behind) for entry in gone)


def test_an_entry_of_a_component_that_is_written_as_its_name() -> None:
    base = {"readouts": {"default": {"scorer": "k_reciprocal"}}}
    expected = {"readouts": {"default": {"scorer": {"kind": "k_reciprocal", "k1": 5}}}}
    assert apply_settings(base, {"readouts.default.scorer.k1": 5}) == expected
    assert lay_over(base, {"readouts": {"default": {"scorer": {"k1": 5}}}}) == expected


def test_a_whole_component_replaces_the_old_one() -> None:
    found = apply_settings(TRIAL, {"readouts.default.scorer": {"kind": "pair_head", "head": "y"}})
    assert found["readouts"]["default"]["scorer"] == {"kind": "pair_head", "head": "y"}


STUDY = """\
name: scorers
base:
  data: {name: synthetic, preset: tiny}
  model: {architecture: baseline, backbone: resnet10_thin, embedding_dim: 64}
  losses: {graph: {kind: graph, on: [global@reduced]}}
  training: {images: 320}
  readouts: {default: {taps: [global@reduced], normalize: none, scorer: {kind: graph, top: 20, mix: 0.5}}}
axes:
  readouts.default.scorer.kind: {choice: [graph, pair_head, k_reciprocal]}
phases:
  - {kind: ablate, seeds: 1}
"""


def test_an_axis_of_scorers_keeps_what_both_have_and_the_plan_says_the_rest(load: Callable[..., Study]) -> None:
    text = STUDY.replace("mix: 0.5", "mix: 0.5, head: graph")
    phase = load(text).plan().phases[0]
    scorers = {arm.name: arm.config.readouts["default"].scorer for arm in phase.arms}
    tops = {name: getattr(scorer, "top", None) for name, scorer in scorers.items()}
    axis = "readouts.default.scorer.kind"
    assert tops == {"baseline": 20, f"{axis}=pair_head": 20, f"{axis}=k_reciprocal": None}
    gone = [
        "without readouts.default.scorer.mix",
        *(f"without readouts.default.scorer.{x}" for x in ("alpha", "edges")),
    ]
    assert phase.beside[f"{axis}=pair_head"] == tuple(gone)
    assert set(phase.beside[f"{axis}=k_reciprocal"]) == {
        "readouts.default.scorer.k1=20", "readouts.default.scorer.k2=6", "readouts.default.scorer.lambda_value=0.3",
        "without readouts.default.scorer.head", "without readouts.default.scorer.top", *gone,
    }  # fmt: skip
    assert "baseline" not in phase.beside


def test_a_phase_and_a_named_arm_that_change_a_component(load: Callable[..., Study]) -> None:
    text = (
        STUDY.replace("mix: 0.5", "mix: 0.5, head: graph")
        + "arms: {ranked: {readouts.default.scorer.kind: k_reciprocal}}\n"
    )
    phases = "{kind: ablate, seeds: 1, around: ranked, axes: []}\n  - {kind: ablate, name: set, axes: [], "
    phases += "set: {readouts.default.scorer.kind: pair_head}}"
    study = load(text.replace("{kind: ablate, seeds: 1}", phases))
    found = [phase.arms[0].config.model_dump()["readouts"]["default"]["scorer"] for phase in study.plan().phases]
    assert found == [
        {"kind": "k_reciprocal", "k1": 20, "k2": 6, "lambda_value": 0.3},
        {"kind": "pair_head", "head": "graph", "top": 20},
    ]


def test_a_stage_learns_from_another_data_set_with_what_both_have(trial: Callable[..., TrialConfig]) -> None:
    stage = StageConfig(name="one", images=64, data={"name": "market1501", "holdout": 0.1})
    found = trial({"data.image_size": [48, 24], "data.holdout": 0.4}).stage_data(stage)
    assert (found.name, found.image_size, found.holdout) == ("market1501", (48, 24), 0.1)


def test_overrides_that_leave_something_behind_are_said_in_the_plan(write: Callable[..., Path]) -> None:
    file = write("name: s\nbase:\n  data: {name: synthetic, preset: tiny}\n  model: {architecture: mgn, "
                 "backbone: resnet10_thin, parts: [1, 2]}\nphases: [{kind: ablate}]\n")  # fmt: skip
    warnings = load_study(file, ["model.architecture=baseline"]).plan().warnings
    assert warnings[0] == (
        "--set base.model.architecture=baseline: base.model.parts is left behind, "
        "since the new component does not have it"
    )
    assert not load_study(file, ["model.parts=null"]).document.left_behind
