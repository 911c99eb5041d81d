"""Patterns of parameters against the names of real networks, and what a plan says of those that name nothing."""

import json
import subprocess
import sys
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import torch

import reid_search.recipes
from reid_search.common.elsewhere import answer_elsewhere
from reid_search.data import open_trial_data
from reid_search.errors import StudyError, TrialFailure
from reid_search.losses import Criterion
from reid_search.models import build_model
from reid_search.study import TrialConfig, load_study, load_trial_file
from reid_search.study.trial.recipes import recipe_names
from reid_search.training import patterns
from reid_search.training.patterns import ParameterNames, check_patterns, check_trial_patterns, dotted
from reid_search.training.trainer import Trainer

Content = Callable[..., dict[str, Any]]
SMALL = {"image_size": [96, 48], "name": "synthetic", "preset": "unit"}


def _trial(trial_content: Content, stage: dict[str, Any], **losses: Any) -> TrialConfig:
    stages = [{"name": "main", "images": 48, **stage}]
    training = {"stages": stages, "report_every": 24, "batch": {"ids": 4, "per_id": 3}}
    return TrialConfig.model_validate(trial_content(training=training, losses=losses))


@pytest.mark.parametrize("name", recipe_names())
def test_the_names_are_those_of_the_network_that_trains(name: str) -> None:
    overlay = {"data": SMALL, "model": {"backbone": "resnet10_thin", "weights": None}}
    config = TrialConfig.model_validate({"recipe": name, **overlay, "training": {"augment": {"crop": None, "pad": 0}}})
    with torch.random.fork_rng(devices=[]):
        model = build_model(config.model, image_size=config.data.image_size)
    criterion = Criterion(config.losses, {loss: config.loss_taps(loss) for loss in config.losses}, 9, seed=1)
    (found,) = patterns._names_of([config])
    assert found == ParameterNames.of(model, criterion)
    assert {*found.model, *found.fixed} == {name for name, _ in model.named_parameters()}
    assert {name for names in found.losses.values() for name in names} == {
        name for name, _ in criterion.named_parameters()
    }
    check_trial_patterns(config, dotted)


@pytest.mark.slow  # starts a process that loads torch
def test_another_process_finds_the_same_and_what_it_found_is_kept(
    trial_content: Content, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = _trial(trial_content, {"train": ["branches.*"]})
    question = json.loads(json.dumps([patterns._question(config)]))
    assert answer_elsewhere(patterns.__name__, question) == patterns.answer(question)
    found = patterns._names_of([config])
    monkeypatch.setattr(patterns, "answer_of", lambda *_: pytest.fail("asked again"))
    assert patterns._names_of([config]) == found


CASES: list[tuple[dict[str, Any], str | None]] = [
    ({"train": ["branches.*"]}, None),
    ({"train": ["branches.*", "hed.*"]}, "train: 'hed.*' names no parameter of the model that trains"),
    ({"train": []}, None),
    ({"train": [], "losses": ["triplet"]}, "train: []: the losses of this stage reach no parameter that trains"),
    ({"train": ["branches.0.*"], "freeze": ["branches.1.*"], "frozen_images": 12}, "freeze: 'branches.1.*' names no"),
    ({"freeze": ["*"], "frozen_images": 12}, None),
    ({"freeze": ["*"], "frozen_images": 12, "train_losses": False}, "freeze: ['*']: the losses of this stage reach no"),
    ({"freeze": ["shared.*"], "frozen_images": 12, "train_losses": False}, None),
]


@pytest.mark.parametrize(("stage", "said"), CASES)
def test_a_stage_is_refused_where_its_first_step_would_train_nothing(
    trial_content: Content, cache: Path, stage: dict[str, Any], said: str | None
) -> None:
    """What is let through takes a step, and moves a parameter of the model or of a loss."""
    config = _trial(trial_content, stage)
    if said is not None:
        with pytest.raises(StudyError) as caught:
            check_trial_patterns(config, dotted)
        assert str(caught.value).startswith(f"training.stages.0.{said}")
        assert "allowed: " in str(caught.value)
        with pytest.raises(TrialFailure) as failed:
            Trainer(config, open_trial_data(config, 1, cache), 1, torch.device("cpu"))
        assert str(failed.value) == str(caught.value)
        return
    check_trial_patterns(config, dotted)
    trainer = Trainer(config, open_trial_data(config, 1, cache), 1, torch.device("cpu"))
    names = [*dict(trainer.model.named_parameters()), *dict(trainer.criterion.named_parameters())]
    before = [item.detach().clone() for module in (trainer.model, trainer.criterion) for item in module.parameters()]
    trainer._train_step()
    after = [item for module in (trainer.model, trainer.criterion) for item in module.parameters()]
    moved = {name for name, one, other in zip(names, before, after, strict=True) if not torch.equal(one, other)}
    assert moved
    trains = (*stage.get("train", ["*"]), "losses.*")
    assert all(any(fnmatchcase(name, pattern) for pattern in trains) for name in moved)


def test_losses_without_parameters_reach_some_modules_only(trial_content: Content) -> None:
    """The triplet loss on one branch reaches nothing of the other."""
    losses = {"identity": {"on": []}, "triplet": {"on": ["p1.global@reduced"]}}
    check_trial_patterns(_trial(trial_content, {"train": ["branches.0.*"]}, **losses), dotted)
    with pytest.raises(StudyError, match=r"train: \['branches\.1\.\*'\]: the losses of this stage reach no parameter"):
        check_trial_patterns(_trial(trial_content, {"train": ["branches.1.*"]}, **losses), dotted)


def test_rates_of_a_loss_that_is_switched_off_wait_for_it(trial_content: Content) -> None:
    rates = {"optimizer": {"rates": [["losses.triplet.*", 2.0], ["losses.identity.*.bias", 2.0]]}}
    off = {"identity": {"bias": True}, "triplet": {"on": []}}
    check_trial_patterns(TrialConfig.model_validate(trial_content(training=rates, losses=off)), dotted)
    on = {"identity": {"bias": True}}
    with pytest.raises(StudyError, match=r"^training\.optimizer\.rates\.0: 'losses\.triplet\.\*' names no parameter"):
        check_trial_patterns(TrialConfig.model_validate(trial_content(training=rates, losses=on)), dotted)


STUDY = """\
name: patterns
base:
  recipe: pcb_rpp
  data: {name: synthetic, preset: unit, image_size: [96, 48]}
  model: {backbone: resnet10_thin, weights: null}
  training: {images: 320, batch: {ids: 2, per_id: 2}, precision: full}
axes:
  model.partition: {choice: [refined, PARTITION]}
phases:
  - PHASE
"""
PHASES = {
    "{kind: ablate}": "in arm 'model.partition=stripes' of ablate",
    "{kind: search, trials: 4, set: {data.holdout: 0.3}}": "with model.partition=stripes",
}


def _line_of(text: str) -> int:
    recipe = (Path(reid_search.recipes.__file__).parent / "pcb_rpp.yaml").read_text().splitlines()
    return next(number for number, line in enumerate(recipe, start=1) if text in line)


@pytest.mark.parametrize("phase", PHASES)
def test_arms_and_proposals_are_refused_where_the_pattern_is_written(tmp_path: Path, phase: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(STUDY.replace("PHASE", phase).replace("PARTITION", "refined_as_code"))
    study = load_study(path)
    check_patterns(study, study.plan())
    path.write_text(STUDY.replace("PHASE", phase).replace("PARTITION", "stripes"))
    study = load_study(path)
    with pytest.raises(StudyError) as caught:
        check_patterns(study, study.plan())
    assert str(caught.value) == (
        f"{path}:3 (recipe pcb_rpp, line {_line_of('part_classifier')}): base.training.stages.1.train: "
        f"{PHASES[phase]}: 'part_classifier.*' names no parameter of the model that trains; allowed: backbone.*, "
        "parts.*"
    )


def test_the_base_is_refused_at_its_line(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(STUDY.split("axes")[0].replace("  training: {images: 320,", "  training: {images: 320, optimizer: "
                    "{rates: [[part.*, 2.0]]},") + "phases: [{kind: ablate}]\n")  # fmt: skip
    study = load_study(path)
    with pytest.raises(StudyError) as caught:
        check_patterns(study, study.plan())
    assert str(caught.value).startswith(
        f"{path}:6: base.training.optimizer.rates.0: 'part.*' names no parameter of the model or of a loss; "
        "did you mean 'parts.*'? (allowed: backbone.*, losses.identity.*, part_classifier.*, parts.*)"
    )


def test_a_plan_refuses_them_and_loads_no_torch(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(STUDY.replace("PHASE", "{kind: ablate}").replace("PARTITION", "stripes"))
    script = (
        "import sys\nfrom reid_search.cli import main\ntry:\n    main()\nexcept SystemExit as left:\n"
        "    assert left.code == 2, left.code\nassert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", script, "plan", str(path)], capture_output=True, text=True, check=True)
    assert "names no parameter" in done.stderr


def test_a_trial_file_is_refused_at_its_line(tmp_path: Path, trial_content: Content) -> None:
    path = tmp_path / "trial.yaml"
    content = trial_content(training={"optimizer": {"rates": [["hed.*", 2.0]]}})
    path.write_text("".join(f"{name}: {json.dumps(value)}\n" for name, value in content.items()))
    read = load_trial_file(path)
    with pytest.raises(StudyError, match=rf"^{path}:3: training\.optimizer\.rates\.0: 'hed\.\*' names no parameter"):
        check_trial_patterns(read.config, read.placed)
