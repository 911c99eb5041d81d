"""Weights as a config names them: by content in keys, with their normalisation, or by default."""

import json
import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torchvision
from pydantic import ValidationError

from reid_search.backbones import backbone_config
from reid_search.errors import StudyError, WeightsAbsent
from reid_search.study import BACKBONES, Study, TrialConfig, trial_key
from reid_search.study.trial.normalization import IMAGENET, Normalization
from reid_search.study.trial.weights import DefaultWeights, WeightsConfig, normalization_of

MakeTrial = Callable[..., TrialConfig]
HALF = {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}


def _safetensors(path: Path, metadata: dict[str, str]) -> Path:
    header = json.dumps({"__metadata__": metadata}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    return path


def test_a_key_is_of_the_content_and_not_of_the_place(trial: MakeTrial, tmp_path: Path) -> None:
    first, second = tmp_path / "a.pth", tmp_path / "far" / "b.pt"
    first.write_bytes(b"these bytes")
    second.parent.mkdir()
    shutil.copy(first, second)
    keys = [trial_key(trial({"model.weights": str(path)}), "f") for path in (first, second)]
    assert keys[0] == keys[1] != trial_key(trial(), "f")
    stamp = second.stat()
    second.write_bytes(b"those bytes")
    os.utime(second, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert trial_key(trial({"model.weights": str(second)}), "f") != keys[0]


@pytest.mark.parametrize("more", [HALF, {"take": "student"}, {"grid": [16, 8]}])
def test_what_is_taken_and_how_images_are_normalised_are_in_the_key(
    more: dict[str, Any], trial: MakeTrial, tmp_path: Path
) -> None:
    (tmp_path / "a.pth").write_bytes(b"bytes")
    plain = {"file": str(tmp_path / "a.pth")}
    keys = [trial_key(trial({"model.weights": item}), "f") for item in (plain["file"], plain, {**plain, **more})]
    assert keys[0] == keys[1] != keys[2]
    named = {**plain, "mean": list(IMAGENET.mean), "std": list(IMAGENET.std), "may_leave": ["layer4.*"]}
    assert trial_key(trial({"model.weights": named}), "f") == keys[0]


def test_a_file_alone_is_written_as_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    assert WeightsConfig.model_validate(str(path)).model_dump(mode="json") == str(path)
    full = {"file": str(path), "take": "teacher", **HALF}
    assert WeightsConfig.model_validate(full).model_dump(mode="json") == full
    with pytest.raises(ValidationError, match="given without std; allowed: both, or none"):
        WeightsConfig.model_validate({"file": str(path), "mean": [0.5, 0.5, 0.5]})


def test_normalisation_is_what_the_study_says_then_the_file_then_that_of_imagenet(
    trial: MakeTrial, tmp_path: Path
) -> None:
    wanted = Normalization.model_validate(HALF)
    silent, speaking = _safetensors(tmp_path / "a", {}), _safetensors(tmp_path / "b", wanted.as_metadata())
    assert normalization_of(trial().model) == IMAGENET
    assert normalization_of(trial({"model.weights": str(silent)}).model) == IMAGENET
    assert normalization_of(trial({"model.weights": str(speaking)}).model) == wanted
    other = {"mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6]}
    said = trial({"model.weights": {"file": str(speaking), **other}})
    assert normalization_of(said.model) == Normalization.model_validate(other)
    assert IMAGENET.mean_pixel == (124, 116, 104)


def test_two_files_of_one_model_share_a_normalisation(base: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "a.pth").write_bytes(b"a")
    model = {"architecture": "bilinear_cnn", "backbone": "resnet10_thin", "streams": "two"}
    weights = {"weights": str(tmp_path / "a.pth"), "second_weights": {"file": str(tmp_path / "a.pth"), **HALF}}
    config = TrialConfig.model_validate({**base, "model": {**model, **weights}})
    with pytest.raises(StudyError, match=r"model\.second_weights: weights wants mean 0.485.*same `mean` and `std`"):
        normalization_of(config.model)


def test_a_trial_that_kept_its_weights_may_be_named_by_its_folder(tmp_path: Path) -> None:
    kept = tmp_path / "key-s1" / "checkpoint" / "weights.safetensors"
    kept.parent.mkdir(parents=True)
    with pytest.raises(
        StudyError, match=r"is a folder without kept weights; allowed: a file, or the folder of a trial"
    ):
        WeightsConfig(file=tmp_path / "key-s1").path("resnet18")
    kept.touch()
    assert WeightsConfig(file=tmp_path / "key-s1").path("resnet18") == kept


def test_default_is_torchvisions_first_file_of_its_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    weights = WeightsConfig(file="default")
    with pytest.raises(WeightsAbsent, match=rf"default: .* resnet18 are not on this machine yet \({tmp_path}/hub"):
        weights.path("resnet18")
    cached = tmp_path / "hub" / "checkpoints" / "resnet18-f37072fd.pth"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"weights")
    assert weights.path("resnet18") == cached
    with pytest.raises(StudyError, match="nobody publishes weights of resnet10_thin; allowed: a file, or null"):
        weights.path("resnet10_thin")


def test_default_of_timm_is_found_in_the_cache_of_huggingface(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    default = DefaultWeights("timm/some_net.tag")
    assert default.cached() is None
    repository = tmp_path / "models--timm--some_net.tag"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("abc123")
    snapshot = repository / "snapshots" / "abc123"
    snapshot.mkdir(parents=True)
    (snapshot / "model.safetensors").write_bytes(b"weights")
    assert default.cached() == snapshot / "model.safetensors"


def test_addresses_are_those_of_torchvision() -> None:
    known = {
        weights.url
        for name in torchvision.models.list_models(module=torchvision.models)
        if name.startswith(("res", "wide"))
        for weights in torchvision.models.get_model_weights(name)
    }
    found = [backbone_config(name).default_weights for name in BACKBONES.names()]
    sources = {default.source for default in found if default is not None and default.is_url}
    of_authors = {source for source in sources if "/XingangPan/IBN-Net/" in source}
    assert sources > of_authors
    assert sources - of_authors <= known


def test_keys_are_provisional_until_default_weights_are_fetched(
    load: Callable[..., Study], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    text = """\
name: small
base:
  data: {name: synthetic, preset: tiny}
  model: {architecture: baseline, backbone: resnet18, weights: default}
phases: [{kind: ablate}]
"""
    plan = load(text).plan()
    assert plan.keys_are_provisional
    assert any("keys of the trials are provisional" in warning for warning in plan.warnings)
    cached = tmp_path / "hub" / "checkpoints" / "resnet18-f37072fd.pth"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"weights")
    now = load(text).plan()
    assert not now.keys_are_provisional
    assert {trial.key for trial in now.trials}.isdisjoint({trial.key for trial in plan.trials})
