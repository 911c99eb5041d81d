"""Whole studies: what is loaded, resolved and handed on."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reid_search.errors import StudyError
from reid_search.study import AblatePhase, SearchPhase, Study, TrialConfig, load_study, load_trial_file
from reid_search.study.trial.recipe_overrides import overrides_of
from tests.study.conftest import STUDY

Load = Callable[..., Study]
Write = Callable[..., Path]

SPACES = Path(__file__).parents[3] / "search_spaces"
SHIPPED = sorted(SPACES.glob("*.yaml"))
FULL_SIZE = sorted((SPACES / "market1501").glob("*.yaml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_studies_that_ship_are_valid(path: Path) -> None:
    study = load_study(path)
    assert study.name == path.stem
    assert study.config.phases


@pytest.mark.parametrize("path", FULL_SIZE, ids=lambda path: path.stem)
def test_a_study_of_full_size_has_the_published_system_among_its_arms(path: Path) -> None:
    """As a named arm, which no search moves, and as the centre of an ablation whose arms are of other settings."""
    study = load_study(path)
    assert study.name == f"{path.stem}_market1501"
    assert study.config.arms["published"] == {}
    (first, *others), phase = study.plan().phases[0].arms, study.config.phases[0]
    assert isinstance(phase, AblatePhase)
    assert (phase.around, phase.evaluate) == ("published", "test")
    assert first.config.from_recipe == path.stem
    assert overrides_of(first.config) == ()
    assert len(others) >= 4
    assert all(arm.config.from_recipe != path.stem or overrides_of(arm.config) for arm in others)


def test_a_resolved_study_is_the_same_study(load: Load) -> None:
    text = """\
name: resolved
base:
  data: {name: synthetic, preset: tiny}
  model: {architecture: baseline, backbone: resnet10_thin}
  losses: {identity: {on: []}}
  readouts: {default: {taps: [coarse]}}
axes:
  model.embedding_dim: {choice: {none: null, small: 64, 128: 128}}
  losses.triplet.margin: {uniform: [0.1, 2], levels: [0.3, soft]}
  losses.identity.on: {choice: {off: [], on: [global@neck]}, off: [global@neck]}
  losses.identity.label_smoothing: {choice: [0, 0.1], when: {losses.identity.on: [[global@neck]]}}
arms:
  wide: {model.embedding_dim: 128, losses.triplet.margin: 0.7}
phases:
  - {kind: search, pruner: none, sampler: random, set: {training.images: 640}}
  - {kind: ablate, seeds: 1, design: factorial}
  - {kind: ablate, name: out, seeds: 1, design: leave_one_out, around: wide}
  - {kind: ablate, name: part, design: fractional_factorial, axes: [losses.identity.on, losses.triplet.margin]}
resources: {cpu: 2, concurrent: 1}
keep: none
seed: 5
"""
    study = load(text)
    again = load(json.dumps(study.resolved()))  # JSON is YAML
    assert again.config.model_dump(exclude={"base"}) == study.config.model_dump(exclude={"base"})
    assert again.resolved() == study.resolved()
    assert [(t.key, t.seed, t.arm.name) for t in again.plan().trials] == [
        (t.key, t.seed, t.arm.name) for t in study.plan().trials
    ]
    assert [len(phase.arms) for phase in study.plan().phases] == [0, 3 * 2 * 3, 4, 4]


def test_defaults_of_the_architecture_are_filled_in(load: Load) -> None:
    losses = load().resolved()["base"]["losses"]
    assert losses["identity"]["on"] == ["global@coarse", "part@reduced"]
    assert (losses["triplet"]["on"], losses["triplet"]["margin"]) == (["global@reduced"], 1.2)
    assert losses["triplet"]["mining"] == "batch_hard", "defaults of the loss, too"


@pytest.mark.parametrize(
    ("given", "filled"),
    [
        ({"margin": 0.5}, {"kind": "triplet", "on": ("global@reduced",), "margin": 0.5}),
        ({"kind": "triplet", "weight": 2}, {"on": ("global@reduced",), "margin": 1.2, "weight": 2}),
        ({"kind": "cross_entropy"}, {"kind": "cross_entropy", "on": ("global@reduced",), "bias": False}),
        ({"on": "part@coarse"}, {"on": ("part@coarse",)}),
        ({"on": []}, {"on": ()}),
    ],
)
def test_a_loss_is_laid_over_the_architectures_own(
    given: dict[str, Any], filled: dict[str, Any], base: dict[str, Any]
) -> None:
    loss = TrialConfig.model_validate({**base, "losses": {"triplet": given}}).losses["triplet"]
    assert loss.model_dump(include=set(filled)) == filled


def test_overrides_reach_into_the_base(load: Load) -> None:
    study = load(overrides=["training.images=640", "base.model.neck=bnneck", "phases.search.trials=9", "keep=all"])
    content = study.resolved()
    assert content["base"]["training"]["images"] == 640
    assert content["base"]["model"]["neck"] == "bnneck"
    assert (content["phases"][0]["trials"], content["keep"]) == (9, "all")


def test_a_phase_may_be_left_out_on_the_command_line(load: Load) -> None:
    assert [phase.name for phase in load(overrides=["phases.search=null"]).config.phases] == ["ablate"]


def test_a_study_that_extends_another(write: Write) -> None:
    write(
        "name: below\nbase: {data: {name: synthetic}, model: {architecture: mgn, backbone: resnet10_thin}}\n"
        "axes: {model.neck: {choice: [none, bnneck]}, model.pooling: {choice: [max, avg]}}\nphases: [{kind: ablate}]\n",
        "below.yaml",
    )
    path = write("extends: below.yaml\nname: above\naxes: {model.neck: null}\nbase: {model: {pooling: avg}}\n")
    study = load_study(path)
    assert study.name == "above"
    assert list(study.config.axes) == ["model.pooling"]
    assert study.resolved()["base"]["model"]["backbone"] == "resnet10_thin"
    assert [arm.name for arm in study.plan().arms] == ["baseline", "model.pooling=max"]


def test_data_may_be_given_beside_the_study(write: Write, base: dict[str, Any], tmp_path: Path) -> None:
    path = write(
        json.dumps({"name": "s", "base": {**base, "data": {"name": "market1501"}}, "phases": [{"kind": "ablate"}]})
    )
    study = load_study(path, data=tmp_path / "market")
    assert study.resolved()["base"]["data"]["root"] == str(tmp_path / "market")
    assert load_trial_file(path, data=tmp_path).config.data.model_dump()["root"] == tmp_path
    with pytest.raises(StudyError, match="data set 'synthetic' is not read from a folder"):
        load_study(path, ["data={name: synthetic}"], data=tmp_path)


def test_a_trial_config_is_a_file_of_its_own_or_the_base_of_a_study(write: Write, base: dict[str, Any]) -> None:
    alone = load_trial_file(write(json.dumps(base), "trial.yaml"), ["training.images=96"])
    within = load_trial_file(write(json.dumps({"name": "s", "base": base})), ["training.images=96"])
    assert alone == within
    assert alone.config.training.images == 96


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"model": {"weights": "nowhere.pth"}}, r"model\.weights: .*nowhere\.pth: no such file"),
        (
            {"readouts": {"a": {"taps": ["reduced"]}, "b": {"taps": ["*@reduced"]}}},
            r"readouts\.b: means the same as readout 'a'",
        ),
    ],
)
def test_a_trial_by_itself_is_checked_as_the_base_of_a_study_is(
    write: Write, base: dict[str, Any], over: dict[str, Any], said: str
) -> None:
    base = {**base, **{name: {**base.get(name, {}), **value} for name, value in over.items()}}
    for content, place in ((base, ""), ({"name": "s", "base": base, "phases": [{"kind": "ablate"}]}, r"base\.")):
        with pytest.raises(StudyError, match=f"study.yaml:1: {place}{said}"):
            load_trial_file(write(json.dumps(content)))
    read = load_trial_file(write(json.dumps({"seed": 1, "config": base}), "config.json"))
    assert read.seed == 1, "what has been trained can be read again"


def test_a_trial_that_was_run_is_read_from_what_it_left(write: Write, base: dict[str, Any]) -> None:
    left = write(json.dumps({"key": "ab", "seed": 3, "data_fingerprint": "cd", "config": base}), "config.json")
    read = load_trial_file(left, ["training.images=96"])
    assert (read.seed, read.config) == (3, load_trial_file(write(json.dumps(base)), ["training.images=96"]).config)
    assert load_trial_file(write(json.dumps(base))).seed is None
    base["model"]["partz"] = [1]
    with pytest.raises(StudyError, match=r"config.model.partz: unknown key"):
        load_trial_file(write(json.dumps({"seed": 3, "config": base}), "config.json"))


def test_the_hash_of_a_space_changes_with_what_proposals_depend_on(load: Load) -> None:
    def space_hash(*overrides: str) -> str:
        study = load(overrides=overrides)
        (phase,) = (phase for phase in study.config.phases if isinstance(phase, SearchPhase))
        return study.space_hash(phase)

    same = {
        space_hash(),
        space_hash("phases.search.trials=9"),
        space_hash("keep=all"),
        space_hash("phases.ablate.seeds=9"),
        space_hash("phases.search.sampler=tpe"),
        space_hash("phases.search.sampler={startup: 10, workers: 1}"),
        space_hash("phases.search.pruner={kind: hyperband, min_epochs: 2}"),
    }
    assert len(same) == 1
    others = [
        "seed=1",
        "phases.search.sampler=random",
        "phases.search.sampler={kind: tpe, startup: 5}",
        "phases.search.sampler={kind: tpe, workers: 16}",
        "training.images=640",
        "axes.model.parts.choice=[[1], [1, 2]]",
        "axes.losses.triplet.margin.uniform=[0.1, 3]",
        "phases.search.axes=[model.parts]",
    ]
    hashes = {space_hash(override) for override in others}
    assert len(hashes | same) == len(others) + 1


def test_the_hash_of_a_space_looks_at_the_content_of_weights(load: Load, tmp_path: Path) -> None:
    def space_hash(weights: str) -> str:
        study = load(overrides=[f"model.weights={weights}"])
        (phase,) = (phase for phase in study.config.phases if isinstance(phase, SearchPhase))
        return study.space_hash(phase)

    (tmp_path / "a.pth").write_bytes(b"weights")
    (tmp_path / "moved").mkdir()
    (tmp_path / "moved/b.pth").write_bytes(b"weights")
    before = space_hash("a.pth")
    assert space_hash("moved/b.pth") == before != space_hash("null")
    (tmp_path / "moved/b.pth").write_bytes(b"WEIGHTS")
    assert space_hash("moved/b.pth") != before


AXES_OF_PATHS = {
    "choice": "model.weights: {choice: [a.pth, kept]}",
    "named choice": "model.weights: {choice: {one: {file: a.pth, take: teacher}, two: kept}, levels: [one]}",
    "variants": "weights: {variants: {one: {model: {weights: a.pth}}, two: {model: {weights: kept}}}}",
    "condition": "model.weights: {choice: [a.pth]}\n"
    "  training.images: {choice: [320, 640], when: {model.weights: a.pth}}",
    "folders of data": "data.root: {choice: {one: here, two: ./there}}",
}


@pytest.mark.parametrize("axis", AXES_OF_PATHS)
def test_the_hash_of_a_space_does_not_look_at_where_the_files_of_an_axis_lie(tmp_path: Path, axis: str) -> None:
    def space_hash(folder: str) -> str:
        study = load_study(tmp_path / folder / "study.yaml")
        return study.space_hash(study.config.phases[0])  # type: ignore[arg-type]

    first = tmp_path / "first"
    (first / "kept/checkpoint").mkdir(parents=True)
    (first / "a.pth").write_bytes(b"weights")
    (first / "kept/checkpoint/weights.safetensors").write_bytes(b"trained")
    text = STUDY.replace("  model.parts:", f"  {AXES_OF_PATHS[axis]}\n  model.parts:")
    if axis == "folders of data":
        text = text.replace("{name: synthetic, preset: tiny}", "{name: market1501, root: here}")
    (first / "study.yaml").write_text(text)
    shutil.copytree(first, tmp_path / "second")
    before = space_hash("first")
    assert space_hash("second") == before
    (tmp_path / "second/a.pth").write_bytes(b"WEIGHTS")
    assert (space_hash("second") == before) == (axis == "folders of data")


def test_logged_labels_and_numbers_find_their_level(load: Load) -> None:
    study = load()
    assert study.level("losses.triplet.margin", "soft").value == "soft"
    assert study.level("losses.triplet.margin", 0.5).label == "0.5"
    assert study.level("model.parts", "[1, 2]").value == [1, 2]
