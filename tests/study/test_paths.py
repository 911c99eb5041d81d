"""Paths are made absolute where they enter, since a worker has another current folder; keys do not look at them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reid_search.study import Study, TrialConfig, load_study, load_trial_file, trial_key
from reid_search.study.component import absolute
from reid_search.study.language.document import read_document
from reid_search.study.loading import STUDY_FILE
from reid_search.study.question.written_paths import WrittenPaths

Load = Callable[..., Study]

TRIAL = """\
data: {name: market1501, keypoints: here/keypoints, maps: ../masks, attributes: table.csv, image_size: [64, 32]}
model: {architecture: part_bilinear, backbone: resnet10_thin, weights: a.pth, part_weights: b.pth}
losses: {heat: {kind: heatmap, on: [pose@coarse]}}
training:
  stages:
    - {name: one, images: 320, losses: [heat], data: {root: others}}
    - {name: all, images: 320}
"""
STUDY = """\
name: paths
base:
  data: {name: market1501}
  model: {architecture: baseline, backbone: resnet10_thin}
phases: [{kind: ablate}]
"""


@pytest.fixture
def config(write: Callable[..., Path], tmp_path: Path) -> TrialConfig:
    for name in ("a.pth", "b.pth"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "table.csv").touch()
    for folder in ("here/keypoints", "../masks"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    return load_trial_file(write(TRIAL), data=Path("relative/market")).config


def test_every_path_of_a_trial_is_absolute(config: TrialConfig, tmp_path: Path) -> None:
    content = config.model_dump(mode="json")
    assert [content["data"][name] for name in ("root", "keypoints", "maps", "attributes")] == [
        str(tmp_path / "relative/market"),
        str(tmp_path / "here/keypoints"),
        str(tmp_path.parent / "masks"),
        str(tmp_path / "table.csv"),
    ]
    assert content["model"]["weights"] == str(tmp_path / "a.pth")
    assert content["model"]["part_weights"] == str(tmp_path / "b.pth")
    assert content["training"]["stages"][0]["data"] == {"root": str(tmp_path / "others")}


def test_a_trial_means_the_same_wherever_it_is_read(
    config: TrialConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = config.model_dump(mode="json")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert TrialConfig.model_validate(content) == config


def test_where_data_lie_is_not_in_a_key(config: TrialConfig, tmp_path: Path) -> None:
    content: dict[str, Any] = config.model_dump(mode="json")
    moved = {**content, "data": {**content["data"], "root": "/elsewhere", "maps": "/far/masks"}}
    assert trial_key(TrialConfig.model_validate(moved), "0") == trial_key(config, "0")


def test_a_home_folder_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert absolute(Path("~/weights.pth")) == tmp_path / "weights.pth"
    assert absolute(Path("~nobody-has-this-name/weights.pth")) == Path.cwd() / "~nobody-has-this-name/weights.pth"
    (tmp_path / "base.yaml").write_text(STUDY)
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies/study.yaml").write_text("extends: ~/base.yaml\n")
    assert load_study(tmp_path / "studies/study.yaml").config.name == "paths"


def test_above_a_link_is_above_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "far/studies").mkdir(parents=True)
    (tmp_path / "near").mkdir()
    (tmp_path / "near/link").symlink_to(tmp_path / "far/studies")
    assert absolute(tmp_path / "near/link/../data") == tmp_path / "far/data"
    assert absolute(tmp_path / "near/link/data") == tmp_path / "near/link/data"
    assert absolute(tmp_path / "near/absent/../.././data") == tmp_path / "data"


def test_the_folder_given_with_a_command_is_absolute_in_every_arm(load: Load, tmp_path: Path) -> None:
    study = load(STUDY).with_data(Path("market"))
    assert study.resolved()["base"]["data"]["root"] == str(tmp_path / "market")
    (arm,) = study.arms(study.config.phases[0])
    assert arm.config.model_dump(mode="json")["data"]["root"] == str(tmp_path / "market")


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, which is not that of the study file."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


BESIDE = """\
name: beside
base:
  data: {name: market1501, root: ../Market, maps: ~/masks}
  model: {architecture: part_bilinear, backbone: resnet10_thin, weights: w.pth, part_weights: {file: p.pth}}
  training: {stages: [{name: one, images: 100, data: {root: more}}]}
  losses: {identity: {on: [global@neck]}}
axes:
  data.maps: {choice: [masks/a, masks/b], levels: [masks/b]}
  data.keypoints: {choice: {first: k/1, second: k/2}, levels: [second], when: {data.maps: masks/a}}
  model.weights: {choice: [null, default, ../w.pth]}
  model.part_weights: {choice: {none: null, own: p/1.pth}}
  parser: {variants: {other: {data: {attributes: table.csv}, model: {weights: v.pth}}}}
phases:
  - {kind: ablate, set: {data.root: third}}
"""


def _data(content: Any) -> dict[str, Any]:
    return content["base"]["data"]


def test_paths_in_a_study_are_meant_from_its_folder(
    tmp_path: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    studies = tmp_path / "studies"
    studies.mkdir()
    (studies / "study.yaml").write_text(BESIDE)
    content: Any = read_study(studies / "study.yaml")
    assert _data(content)["root"] == str(tmp_path / "Market")
    assert _data(content)["maps"] == str(tmp_path / "home/masks")
    assert content["base"]["training"]["stages"][0]["data"] == {"root": str(studies / "more")}
    assert content["base"]["model"]["weights"] == str(studies / "w.pth")
    assert content["base"]["model"]["part_weights"] == {"file": str(studies / "p.pth")}
    maps, keypoints, weights, part_weights, parser = content["axes"].values()
    assert maps["choice"] == {name: str(studies / name) for name in ("masks/a", "masks/b")}
    assert maps["levels"] == ["masks/b"]
    assert keypoints["choice"] == {"first": str(studies / "k/1"), "second": str(studies / "k/2")}
    assert keypoints["when"] == {"data.maps": str(studies / "masks/a")}
    assert weights["choice"] == {"none": None, "default": "default", "../w.pth": str(tmp_path / "w.pth")}
    assert part_weights["choice"] == {"none": None, "own": str(studies / "p/1.pth")}
    assert parser["variants"]["other"]["data"] == {"attributes": str(studies / "table.csv")}
    assert parser["variants"]["other"]["model"] == {"weights": str(studies / "v.pth")}
    assert content["phases"][0]["set"] == {"data.root": str(studies / "third")}


def test_paths_of_a_file_that_is_extended_are_meant_from_that_file(tmp_path: Path, elsewhere: Path) -> None:
    for name in ("lower", "upper"):
        (tmp_path / name).mkdir()
    (tmp_path / "lower/base.yaml").write_text(BESIDE)
    (tmp_path / "upper/study.yaml").write_text(
        "extends: ../lower/base.yaml\nbase: {data: {maps: masks}}\naxes: {data.maps: {choice: [c]}}\n"
    )
    content: Any = read_study(tmp_path / "upper/study.yaml")
    assert _data(content)["root"] == str(tmp_path / "Market")
    assert _data(content)["maps"] == str(tmp_path / "upper/masks")
    assert content["axes"]["data.maps"]["choice"] == {"c": str(tmp_path / "upper/c")}


def test_paths_of_a_command_are_meant_from_the_current_folder(write: Callable[..., Path], elsewhere: Path) -> None:
    (elsewhere.parent / "masks").mkdir()
    study = load_study(write(STUDY), ["data.root=market", "data.maps=../masks"])
    root = study.resolved()["base"]["data"]["root"]  # type: ignore[index]
    assert root == str(elsewhere / "market")
    study = load_study(write(STUDY), data=Path("market"))
    assert study.resolved()["base"]["data"]["root"] == str(elsewhere / "market")  # type: ignore[index]
    (elsewhere / "a.pth").write_bytes(b"weights")
    study = load_study(write(STUDY), ["model.weights=a.pth"])
    assert study.resolved()["base"]["model"]["weights"] == str(elsewhere / "a.pth")  # type: ignore[index]


def test_arms_are_named_as_their_paths_are_written(write: Callable[..., Path], elsewhere: Path) -> None:
    axes = "axes: {data.maps: {choice: [null, masks/a]}}\n"
    (elsewhere / "masks/a").mkdir(parents=True)
    study = load_study(write(STUDY + axes))
    names = [arm.name for arm in study.arms(study.config.phases[0])]
    assert names == ["baseline", "data.maps=masks/a"]


def read_study(path: Path) -> dict[str, object]:
    paths = WrittenPaths()
    return paths.named(read_document(path, STUDY_FILE, paths.resolved).data)
