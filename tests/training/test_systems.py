"""Every system that ships, from its study file to a record: small images and few steps, everything else as written."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reid_search.records import TrialFolder
from reid_search.study import AblatePhase, TrialConfig, load_study
from reid_search.training import TrialRequest, TrialSession, run_trial
from reid_search.training.revisit import measure_again

SHIPPED = Path(__file__).parents[2] / "search_spaces"
BATCH = {"ids": 4, "per_id": 3}


def _arms(name: str) -> Iterator[Any]:
    study = load_study(SHIPPED / f"{name}.yaml")
    for phase in study.config.phases:
        if isinstance(phase, AblatePhase):
            for arm in study.arms(phase):
                yield pytest.param(arm.config, id=f"{name}: {arm.name}")


def _small(config: TrialConfig) -> TrialConfig:
    """The same trial on images of 32 by 16 pixels of few people, two steps a stage."""
    content = config.model_dump(mode="json")
    content["data"] |= {"preset": "tiny", "image_size": [32, 16], "holdout": 0.25}
    if config.model.architecture == "pcb":
        content["model"]["parts"] = min(config.model.parts, 4)  # as many as the map has rows
    training = content["training"]
    stages = [stage | {"images": 24} for stage in training["stages"]]
    batch = training["batch"] | BATCH
    training |= {"images": 24 * max(len(stages), 1), "report_every": 24, "batch": batch, "stages": stages}
    if config.training.augment.crop:
        training["augment"]["crop"] = [28, 14]  # in proportion
    return TrialConfig.model_validate(content)


def _request(config: TrialConfig, cache: Path, keep: bool = False) -> TrialRequest:
    return TrialRequest(_small(config), 1, "0" * 16, ("test",), cache=cache, keep_checkpoint=keep)


def _told(config: TrialConfig) -> str:
    (kind,) = config.model.needs
    noises = config.data.model_dump()["nuisances"]
    noise = {"maps": noises["mask_noise"], "keypoints": noises["keypoint_noise"]}[kind]
    return f"{kind}: truth with noise {noise:g}" if noise else f"{kind}: truth"


SYSTEMS = list(_arms("systems"))
OTHERS = [arm for name in ("pcb", "part_bilinear", "sggnn", "landmarks", "spreid") for arm in _arms(name)]


@pytest.mark.parametrize("config", SYSTEMS + OTHERS)
def test_a_system_trains_and_is_tested(config: TrialConfig, cache: Path, tmp_path: Path) -> None:
    record = run_trial(_request(config, cache), TrialFolder(tmp_path / "trial"))
    assert record.status == "finished", record.reason
    assert record.images_seen == record.config["training"]["images"]
    assert record.parameters["model"] > 100_000
    assert record.macs is not None
    for result in record.readouts.values():
        assert 0 < result.metrics["test/mAP"] <= 1
        scorer = result.config["scorer"]
        assert result.scorer == (scorer["kind"] if scorer else None)
        assert result.transductive == (result.scorer in ("graph", "k_reciprocal"))
        assert result.beside == (dict.fromkeys(("val", "test"), _told(config)) if config.model.needs else {})


INTERRUPTED = [arm for arm in SYSTEMS + OTHERS if any(word in arm.id for word in ("RPP", "SGGNN", "frozen"))]


@pytest.mark.parametrize("config", INTERRUPTED)
def test_stages_modes_other_data_and_graphs_survive_an_interruption(
    config: TrialConfig, cache: Path, tmp_path: Path, measurements: Callable[[TrialFolder], dict[str, Any]]
) -> None:
    request = _request(config, cache)
    whole, pieces = TrialFolder(tmp_path / "whole"), TrialFolder(tmp_path / "pieces")
    run_trial(request, whole)
    while pieces.record() is None:
        session = TrialSession(request, pieces)
        session.advance()
        session.close()
    assert measurements(pieces) == measurements(whole)


@pytest.mark.parametrize("config", INTERRUPTED)
def test_a_kept_system_is_tested_again_with_its_head_and_mode(config: TrialConfig, cache: Path, tmp_path: Path) -> None:
    folder = TrialFolder(tmp_path / "trial")
    record = run_trial(_request(config, cache, keep=True), folder)
    again = measure_again(folder.path, "cpu").readouts
    for name, result in again.items():
        assert result.metrics["test/mAP"] == record.readouts[name].metrics["test/mAP"]


def test_a_stage_on_other_people_sees_other_people(cache: Path) -> None:
    from reid_search.data import open_trial_data

    (config,) = [arm.values[0] for arm in OTHERS if "pretrained" in arm.id]
    data = open_trial_data(_small(config), 1, cache)
    others, own = (stage.images for stage in data.stages)
    assert others.samples.keypoints is not None
    assert not np.array_equal(others.samples.pixels[:8], own.samples.pixels[:8])
