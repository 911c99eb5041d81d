"""Recipes: every published setting is what the recipe resolves to, and what a study lays over one is said."""

import csv
import json
from collections import Counter
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from reid_search.data import open_trial_data
from reid_search.losses import Criterion
from reid_search.models import build_model, count_parameters
from reid_search.study import TrialConfig, load_study, trial_key
from reid_search.study.language.merge import leaves
from reid_search.study.trial.recipe_overrides import overlay_of, overrides_in, overrides_of
from reid_search.study.trial.recipes import recipe, recipe_names
from reid_search.training.schedule import learning_rate_factor
from reid_search.training.trainer import Trainer

SYSTEMS = Path(__file__).parents[2] / "search_spaces" / "systems.yaml"
MARKET = {"name": "market1501"}
SETTINGS = list(csv.DictReader((Path(__file__).parent / "published.csv").open(encoding="utf-8")))
SMALL = {
    "data": {"name": "synthetic", "preset": "unit", "image_size": [96, 32]},
    "model": {"backbone": "resnet10_thin", "weights": None},
    "training": {"images": 32, "batch": {"ids": 2, "per_id": 2}, "precision": "full"},
}


def _published(name: str, **over: Any) -> TrialConfig:
    return TrialConfig.model_validate({"recipe": name, "data": MARKET, **over})


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


@pytest.mark.parametrize("name", recipe_names())
def test_every_published_setting_is_what_the_recipe_resolves_to(name: str) -> None:
    rows = [row for row in SETTINGS if row["recipe"] == name]
    assert len(rows) >= 10
    config = _published(name).model_dump(mode="json")
    config["training"]["stages"] = dict(enumerate(config["training"]["stages"]))
    flat = {**dict(leaves(config)), "model.strides": config["model"].get("strides")}
    wrong = {
        row["path"]: (row["value"], flat.get(row["path"])) for row in rows if _at(flat, row) != _value(row["value"])
    }
    assert not wrong, f"{len(rows) - len(wrong)} of {len(rows)}"


def _at(flat: dict[str, Any], row: dict[str, str]) -> object:
    found = flat.get(row["path"], "absent")
    return {str(key): value for key, value in found.items()} if isinstance(found, dict) else found


@pytest.mark.parametrize("name", recipe_names())
def test_every_entry_of_a_recipe_is_compared(name: str) -> None:
    """Names of ours are not settings: of architectures, kinds of losses and stages, nor is how often is reported."""
    content = json.loads(json.dumps(recipe(name)))
    content["training"]["stages"] = dict(enumerate(content["training"].get("stages", ())))
    ours = ("model.architecture", "losses.*.kind", "training.stages", "training.stages.*.name", "training.report_every")
    entries = {path for path, _ in leaves(content) if not any(fnmatchcase(path, own) for own in ours)}
    rows = {row["path"] for row in SETTINGS if row["recipe"] == name}
    assert not {path for path in entries - rows if path.rpartition(".")[0] not in rows}


def test_no_setting_is_listed_twice_and_each_names_its_source() -> None:
    assert max(Counter((row["recipe"], row["path"]) for row in SETTINGS).values()) == 1
    assert all(row["source"] and row["mark"] in ("r", "i", "m") for row in SETTINGS)
    assert {row["recipe"] for row in SETTINGS} == set(recipe_names())


def test_shares_of_the_budget_are_the_published_epochs() -> None:
    fast, strong, pcb = (_published(name).training for name in ("mgn_fastreid", "strong_baseline", "pcb"))
    assert fast.schedule.warmup * fast.images == pytest.approx(2000 * 64, rel=1e-6)
    assert [share * 120 for share in strong.schedule.milestones] == pytest.approx([40, 70], rel=1e-6)
    assert strong.schedule.warmup * 120 == pytest.approx(10, rel=1e-6)
    assert [share * 60 for share in pcb.schedule.milestones] == pytest.approx([40], rel=1e-6)


@pytest.mark.parametrize(
    ("name", "falls", "of"),
    [
        ("pcb", [40 * 202], 60 * 202),
        ("pcb_rpp", [40 * 202], 60 * 202),
        ("landmarks", [40 * 202], 60 * 202),
        ("identification", [20_000, 40_000], 50_000),
        ("part_aligned_bilinear", [20_000, 39_900, 59_900], 75_000),
        ("skeleton", [25_000, *range(35_000, 66_000, 5_000)], 70_000),
        ("spreid", list(range(20_000, 200_000, 20_000)), 200_000),
        ("spreid_ft", list(range(5_000, 50_000, 5_000)), 50_000),
    ],
)
def test_rates_fall_after_the_published_number_of_batches(name: str, falls: list[int], of: int) -> None:
    training = _published(name).training
    schedule, steps = training.resolved_stages[0].schedule or training.schedule, training.stage_ends[0]
    factors = [learning_rate_factor(schedule, step / steps) for step in range(steps)]
    assert steps == of
    assert [step for step in range(1, steps) if factors[step] < factors[step - 1]] == falls


def test_the_parameters_of_fast_reids_mgn_are_those_counted_in_its_code() -> None:
    config = _published("mgn_fastreid", model={"weights": None})
    with torch.device("meta"):
        model = build_model(config.model, image_size=config.data.image_size)
        criterion = Criterion(config.losses, {key: config.loss_taps(key) for key in config.losses}, 751, seed=0)
    assert count_parameters(model) + count_parameters(criterion) == 70_345_800


@pytest.mark.parametrize("name", recipe_names())
def test_nothing_of_a_recipe_by_itself_is_an_override(name: str) -> None:
    config = _published(name)
    assert overrides_of(config) == ()
    assert config.from_recipe == name
    assert set(dict(leaves(recipe(name)))) >= {"data.image_size", "training.images", "model.architecture"}


def test_what_a_study_writes_is_laid_over_the_recipe_and_said() -> None:
    config = _published("mgn", model={"parts": [1, 2]}, losses={"triplet": {"margin": 0.3}}, readouts={"globals": {}})
    assert config.losses["triplet"].on == ("global@reduced",)
    found = {item.path: (item.published, item.here) for item in overrides_of(config)}
    assert found.pop("model.parts") == ([1, 2, 3], [1, 2])
    assert found.pop("losses.triplet.margin") == (1.2, 0.3)
    assert {path.rpartition(".")[0] for path in found} == {"readouts.globals"}


def test_a_default_that_is_not_written_is_said_where_a_recipe_has_another_value() -> None:
    """Keys leave out settings that are defaults; in words, both sides have their values."""
    training = {"batch": {"order": "identities"}, "augment": {"pad": 0}, "optimizer": {"decay_norms": False}}
    config = _published("strong_baseline", training=training)
    found = {item.path: (item.published, item.here) for item in overrides_of(config)}
    assert found == {
        "training.batch.order": ("covering", "identities"),
        "training.augment.pad": (10, 0),
        "training.optimizer.decay_norms": (True, False),
    }
    assert overrides_in(config.model_dump(mode="json"), "strong_baseline") == overrides_of(config)
    erasing = {"erase": 0.5, "erasing": {"area": [0.02, 0.4], "aspect": [0.3, 3.3], "aspect_law": "log"}}
    whole = _published("strong_baseline", training={"augment": erasing})
    assert {item.path: (item.published, item.here) for item in overrides_of(whole)} == {
        "training.augment.erasing.aspect": ([0.3, 3.33], [0.3, 3.3]),
        "training.augment.erasing.aspect_law": ("uniform", "log"),
    }


def test_stages_are_compared_entry_by_entry_or_by_their_names_if_these_differ() -> None:
    stages = [{**stage, "images": 480} for stage in recipe("sggnn")["training"]["stages"]]  # type: ignore[index]
    shorter = _published("sggnn", training={"images": 960, "stages": stages})
    assert {item.path: item.here for item in overrides_of(shorter)} == {"training.images": 960}
    uneven = [{**stage, "images": images} for stage, images in zip(stages, (600, 360), strict=True)]
    assert {item.path: item.here for item in overrides_of(_published("sggnn", training={"stages": uneven}))} == {
        "training.images": 960,
        "training.stages.base.images": 600,
        "training.stages.graph.images": 360,
    }
    alone = _published("sggnn", training={"images": 480, "stages": stages[:1]}, losses={"graph": {"alpha": 0.0}})
    found = {item.path: (item.published, item.here) for item in overrides_of(alone)}
    assert found["training.stages"] == (["base", "graph"], ["base"])
    none = _published("sggnn", training={"images": 480, "stages": []}, losses={"graph": {"base_stages": []}})
    found = {item.path: (item.published, item.here) for item in overrides_of(none)}
    assert found["training.stages"] == (["base", "graph"], [])


@pytest.mark.parametrize(("name", "shares"), [("sggnn", [1 / 2, 1 / 2]), ("pcb_rpp", [6 / 7, 1 / 14, 1 / 14])])
def test_another_budget_is_shared_out_among_the_stages_as_published(name: str, shares: list[float]) -> None:
    for images in (2400, 7003):
        stages = _published(name, training={"images": images}).training.stages
        assert sum(stage.images for stage in stages) == images
        assert [stage.images / images for stage in stages] == pytest.approx(shares, abs=1 / images)
        assert [stage.name for stage in stages] == [stage.name for stage in _published(name).training.stages]
    with pytest.raises(ValidationError, match="images: 2 is not the sum of the stages' images"):
        _published("pcb_rpp", training={"images": 2})
    own = [{"name": "base", "images": 30}, {"name": "graph", "images": 10}]
    assert [stage.images for stage in _published("sggnn", training={"stages": own}).training.stages] == [30, 10]


def test_a_null_of_a_loss_is_its_value_where_the_architecture_says_nothing() -> None:
    pairs = {"kind": "verification", "on": ["global@coarse"], "negatives_per_positive": None}
    losses = {"verification": pairs, "attributes": {"weight": None}}
    content = {"data": MARKET, "model": {"architecture": "attributes"}, "losses": losses}
    config = TrialConfig.model_validate(content)
    assert config.losses["verification"].negatives_per_positive is None  # type: ignore[attr-defined]
    assert config.losses["attributes"].weight == 1.0, "a null takes away what the architecture has by default"


def test_null_switches_a_loss_off_deletes_a_readout_and_is_a_value_elsewhere() -> None:
    over = {"losses": {"centre": None}, "model": {"weights": None, "embedding_dim": 64}}
    config = _published("strong_baseline", **over)
    assert config.loss_taps("centre") == []
    assert config.model.weights is None  # type: ignore[attr-defined]
    assert list(_published("pcb", readouts={"PCB-H": None}).readouts) == ["default"]
    assert _published("strong_baseline").model.embedding_dim is None  # type: ignore[attr-defined]


def test_the_recipe_is_in_the_dump_and_not_in_the_key() -> None:
    config = TrialConfig.model_validate({"recipe": "mgn", **SMALL})
    written = config.model_dump(mode="json")
    assert TrialConfig.model_validate(written) == config
    assert written["from_recipe"] == "mgn"
    plain = TrialConfig.model_validate({key: value for key, value in written.items() if key != "from_recipe"})
    assert trial_key(plain, "f") == trial_key(config, "f")


STUDY = """\
name: compared
base:
  recipe: mgn
  data: {name: synthetic, preset: unit, image_size: [96, 32]}
  model: {backbone: resnet10_thin, weights: null}
  training: {images: 32, batch: {ids: 2, per_id: 2}, precision: full}
axes:
  system:
    variants:
      MGN: {}
      PCB: {recipe: pcb, model: {parts: 3}}
      strong baseline: {recipe: strong_baseline}
      MGN, no centre: {recipe: strong_baseline, losses: {centre: null}}
  losses.triplet.margin: {choice: [0.5, 1.2], when: {system: MGN}}
phases: [{kind: ablate, design: one_factor}]
"""


@pytest.fixture
def study(tmp_path: Path) -> Callable[[str], Any]:
    def load(text: str = STUDY) -> Any:
        path = tmp_path / "study.yaml"
        path.write_text(text.replace("MGN, no centre", '"MGN, no centre"'))
        return load_study(path)

    return load


def test_a_study_compares_recipes_under_one_overlay(study: Callable[[str], Any]) -> None:
    arms = {arm.name: arm.config for arm in study(STUDY).plan().arms}
    made = {name: config.from_recipe for name, config in arms.items()}
    assert made == {
        "baseline": "mgn",
        "system=PCB": "pcb",
        "system=strong baseline": "strong_baseline",
        "system=MGN, no centre": "strong_baseline",
        "losses.triplet.margin=0.5": "mgn",
    }
    assert arms["system=PCB"].training.optimizer.kind == "sgd"
    assert arms["system=PCB"].training.batch.order == "shuffled"
    assert arms["system=PCB"].data.image_size == (96, 32)
    assert arms["system=MGN, no centre"].loss_taps("centre") == []
    overlay = overlay_of([(config.model_dump(mode="json"), overrides_of(config)) for config in arms.values()])
    assert overlay == {
        "data.name": "synthetic",
        "data.image_size": [96, 32],
        "model.backbone": "resnet10_thin",
        "model.weights": None,
        "training.images": 32,
        "training.batch.ids": 2,
        "training.batch.per_id": 2,
    }
    assert {item.path for item in overrides_of(arms["system=PCB"])} - set(overlay) == {"model.parts"}


def test_the_study_of_all_systems_has_every_recipe_under_one_overlay() -> None:
    """What else a row changes of its recipe, it says in the study's file; a second phase has no row of its own."""
    arms = [arm.config for arm in load_study(SYSTEMS).plan().arms]
    assert sorted(config.from_recipe or "" for config in arms) == sorted({*recipe_names()} - {"spreid_ft"})
    assert {config.training.steps * config.training.batch.size for config in arms} == {24_000}
    overlay = overlay_of([(config.model_dump(mode="json"), overrides_of(config)) for config in arms])
    assert overlay == {
        "data.name": "synthetic",
        "data.image_size": [48, 24],
        "data.interpolation": "bilinear",
        "model.backbone": "resnet10_thin",
        "model.weights": None,
        "training.images": 24000,
        "training.batch.ids": 8,
        "training.batch.per_id": 4,
    }
    changed = {config.from_recipe: {item.path for item in overrides_of(config)} - set(overlay) for config in arms}
    assert {name: paths for name, paths in changed.items() if paths} == {
        "verification": {"training.augment.crop"},
        "identification_verification": {"training.augment.crop"},
        "attributes": {"training.augment.crop"},
        "strong_baseline": {"training.augment.pad"},
        "mgn_fastreid": {"training.augment.pad", "training.precision"},
        "part_aligned_bilinear": {"model.part_backbone"},
        "bilinear_cnn": {"training.stages"},
        "sggnn": {"losses.graph.width"},
    }


def test_a_study_begins_with_a_recipe_and_nothing_but_data(study: Callable[[str], Any]) -> None:
    found = study(
        "name: published\nbase: {recipe: pcb, data: {name: synthetic, preset: unit}, model: {weights: null}}\n"
        "axes: {model.dropout: {choice: [0.5, 0.0]}}\nphases: [{kind: ablate, design: one_factor}]\n"
    )
    assert found.plan().arms[0].config.model.dropout == 0.5


def test_a_command_may_name_another_recipe(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(STUDY.replace("MGN, no centre", '"MGN, no centre"'))
    study = load_study(path, ["recipe=mgn_gnayuohz"])
    assert study.plan().arms[0].config.from_recipe == "mgn_gnayuohz"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"recipe": "mgm"}, "unknown recipe 'mgm'; did you mean 'mgn'"),
        ({"recipe": False}, "false: expected the name of a recipe; allowed: attributes, "),
        ({"recipe": "mgn", "losses": None}, "valid dictionary"),
        (
            {"recipe": "pcb", "losses": {"triplet": None}},
            "null switches off a loss of recipe 'pcb', which has none of this name; allowed: identity",
        ),
        (
            {"recipe": "pcb", "readouts": {"PCB-Q": None}},
            r"null deletes a readout of recipe 'pcb', which has none of this name; .*'?PCB-[GH]'?",
        ),
        ({"recipe": "pcb", "model": {"parts": 12}, "data": {**MARKET, "image_size": [64, 32]}}, "stripes|rows"),
        ({"recipe": "mgn", "losses": {"identity": None, "triplet": None}}, "identity and triplet alone, so nothing"),
    ],
)  # fmt: skip
def test_a_recipe_made_impossible_is_refused(content: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        TrialConfig.model_validate({"data": MARKET, **content})


@pytest.mark.slow  # a step of every network of full size
@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", recipe_names())
def test_one_step_of_the_full_size(name: str, cache: Path) -> None:
    over: dict[str, Any] = {
        "data": {"name": "synthetic", "preset": "unit", "image_size": list(_published(name).data.image_size)},
        "model": {"weights": None},
        "training": {"images": 4, "report_every": 4, "batch": {"ids": 2, "per_id": 2}, "precision": "full"},
    }
    if _published(name).training.batch.order == "consecutive":  # four images of one person teach a triplet loss nothing
        over["training"]["batch"] |= {"order": "identities"}
    stages = [{**stage, "images": 4} for stage in recipe(name)["training"].get("stages", ())]  # type: ignore[attr-defined]
    over["training"] |= {"stages": stages, "images": 4 * max(1, len(stages))}
    config = TrialConfig.model_validate({"recipe": name, **over})
    data = open_trial_data(config, 1, cache)
    trainer = Trainer(config, data, 1, torch.device("cpu"))
    before = next(trainer.model.parameters()).detach().clone()
    while not trainer.done:
        assert trainer.train_epoch(trainer.step + 1)["loss"] > 0
    assert not torch.equal(next(trainer.model.parameters()), before)
