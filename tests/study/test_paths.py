"""Paths are made absolute where they enter, since a worker has another current folder; keys do not look at them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reid_search.study import Study, TrialConfig, load_trial_file, trial_key
from reid_search.study.component import absolute

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
def config(write: Callable[..., Path]) -> TrialConfig:
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


def test_where_data_lie_is_not_in_a_key(config: TrialConfig) -> None:
    content: dict[str, Any] = config.model_dump(mode="json")
    moved = {**content, "data": {**content["data"], "root": "/elsewhere", "maps": "/far/masks"}}
    assert trial_key(TrialConfig.model_validate(moved), "0") == trial_key(config, "0")


def test_a_home_folder_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert absolute(Path("~/weights.pth")) == tmp_path / "weights.pth"


def test_the_folder_given_with_a_command_is_absolute_in_every_arm(load: Load, tmp_path: Path) -> None:
    study = load(STUDY).with_data(Path("market"))
    assert study.resolved()["base"]["data"]["root"] == str(tmp_path / "market")
    (arm,) = study.arms(study.config.phases[0])
    assert arm.config.model_dump(mode="json")["data"]["root"] == str(tmp_path / "market")
