"""`reid-search init`: the study that it writes is commented, fits the data and runs."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reid_search.data.synthetic.config import SyntheticConfig
from reid_search.data.synthetic.data import folder
from reid_search.study import load_study

Command = Callable[..., Any]


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = folder(SyntheticConfig(name="synthetic", preset="tiny"), tmp_path_factory.mktemp("people"))
    return made


@pytest.mark.parametrize("kind", ["gpu", "no-gpu"])
def test_the_study_can_be_planned_and_says_how(command: Command, people: Path, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "mine.yaml"
    answer = command("init", people, "--to", file, f"--{kind}")
    assert (answer.code, answer.out.strip()) == (0, str(file))
    assert f"next: reid-search run {file}" in answer.err
    study = load_study(file)
    assert (study.config.resources.gpu > 0) == (kind == "gpu")
    assert len(study.config.claims) == 2
    assert study.config.base["data"]["root"] == str(people)  # type: ignore[index]
    planned = command("plan", file)
    assert planned.code == 0
    assert "can decide none" not in planned.err
    assert "$" not in file.read_text()
    assert file.read_text().count("#") > 15


def test_it_trains_as_it_is(command: Command, people: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    command("init", people, "--to", file, "--no-gpu")
    answer = command("train", file, "--set", "training.images=64", "--storage", tmp_path / "runs")
    assert answer.code == 0, answer.err
    assert "mAP" in answer.out + answer.err


def test_batches_fit_few_people(command: Command, people: Path, tmp_path: Path) -> None:
    for place in ("bounding_box_train", "bounding_box_test", "query"):
        (tmp_path / "few" / place).mkdir(parents=True)
    seen: dict[str, set[str]] = {}
    for image in sorted(people.rglob("*.jpg")):
        kept = seen.setdefault(image.parent.name, set())
        identity = image.name.split("_")[0]
        if image.parent.name in ("bounding_box_test", "query") or identity in kept or len(kept) < 6:
            kept.add(identity)
            os.link(image, tmp_path / "few" / image.parent.name / image.name)
    answer = command("init", tmp_path / "few", "--to", tmp_path / "few.yaml", "--no-gpu")
    assert answer.code == 0, answer.err
    batch = load_study(tmp_path / "few.yaml").config.base["training"]["batch"]  # type: ignore[index]
    assert batch == {"ids": 4, "per_id": 4}  # a fifth of the six is held out


def test_a_set_of_one_s_own_needs_its_manifest_first(command: Command, people: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    for image in sorted((people / "bounding_box_train").glob("*.jpg")):
        target = own / image.name.split("_")[0] / image.name
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(image, target)
    refused = command("init", own, "--to", tmp_path / "own.yaml")
    assert refused.code != 0
    assert f"data import {own}" in refused.err
    assert not (tmp_path / "own.yaml").exists()
    assert command("data", "import", own).code == 0
    assert command("init", own, "--to", tmp_path / "own.yaml", "--no-gpu").code == 0
    assert command("plan", tmp_path / "own.yaml").code == 0


def test_a_file_that_exists_is_kept(command: Command, people: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("mine")
    answer = command("init", people, "--to", file)
    assert (answer.code, file.read_text()) == (2, "mine")
    assert "exists already; name another file with --to" in answer.err


def test_what_is_asked_in_vain_is_one_message(command: Command, people: Path, tmp_path: Path) -> None:
    for arguments, message in (
        ((tmp_path / "absent",), "no such folder or manifest"),
        ((people, "--to", tmp_path / "absent" / "study.yaml"), "no such folder"),
        ((people, "--name", "market1502"), "did you mean 'market1501'"),
        ((people, "--set", "boxes=labelled"), "boxes"),
    ):
        answer = command("init", *arguments)
        assert answer.code != 0
        assert message in answer.err
        assert "Traceback" not in answer.err
    assert not Path("study.yaml").exists()
