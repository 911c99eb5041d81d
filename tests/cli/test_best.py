"""`reid-search best`: the best of a search, and its config as a file that makes the same config."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reid_search.cli.best import base_file
from reid_search.study import TrialConfig, load_study, load_trial_file
from reid_search.study.trial.recipes import recipe_names

Command = Callable[..., Any]


def test_it_names_settings_worth_and_place(command: Command, before: Path) -> None:
    answer = command("best", "before", "--storage", before.parent)
    assert answer.code == 0
    first, worth, place = answer.out.splitlines()
    assert first.startswith("search: #5: losses.triplet.margin=0.3, model.parts=[1, 2]")
    assert worth.strip().startswith("66.7 % val/rank1 (one seed")
    assert (Path(place.strip()) / "record.json").exists()
    told = json.loads(command("best", "before", "--storage", before.parent, "--json").out)["search"]
    assert (told["number"], told["trial"]) == (5, place.strip())


def test_as_yaml_it_is_the_base_of_a_study_and_a_trial_to_train(command: Command, before: Path, tmp_path: Path) -> None:
    answer = command("best", before, "--yaml")
    file = tmp_path / "best.yaml"
    file.write_text(answer.out + "name: next\nphases: [{kind: ablate, seeds: 1}]\n")
    study = load_study(file)
    told = json.loads(command("best", before, "--json").out)["search"]
    made = json.loads((Path(told["trial"]) / "config.json").read_text())["config"]
    assert load_trial_file(file).config.model_dump(exclude={"readouts"}) == TrialConfig.model_validate(made).model_dump(
        exclude={"readouts"}
    )
    assert study.config.base["readouts"]["default"]["taps"] == ["reduced"]  # type: ignore[index]
    assert command("plan", file).code == 0


@pytest.mark.parametrize("name", recipe_names())
def test_what_a_recipe_made_is_made_again(name: str, tmp_path: Path) -> None:
    data = {"name": "synthetic", "preset": "small"}
    config = TrialConfig.model_validate({"recipe": name, "data": data}).model_dump(mode="json")
    (tmp_path / "base.yaml").write_text(base_file(config, "the best"))
    again = load_trial_file(tmp_path / "base.yaml").config
    assert again.model_dump(exclude={"from_recipe"}) == TrialConfig.model_validate(config).model_dump(
        exclude={"from_recipe"}
    )


def test_what_is_asked_in_vain_is_one_message(command: Command, before: Path) -> None:
    for arguments, message in (
        ((before, "--phase", "serach"), "did you mean 'search'"),
        (("absent", "--storage", before.parent), "no study 'absent' was run there"),
    ):
        answer = command("best", *arguments)
        assert answer.code == 2
        assert message in answer.err


def test_a_study_that_has_searched_nothing_says_so(command: Command, before: Path) -> None:
    log = before / "asked.jsonl"
    log.write_text("".join(line for line in log.read_text().splitlines(True) if '"search"' not in line))
    answer = command("best", before)
    assert (answer.code, answer.out) == (2, "")
    assert "no search in this study has proposed anything" in answer.err
