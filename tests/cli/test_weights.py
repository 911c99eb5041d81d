"""Pretrained weights through the command: fine-tuning, `default`, normalisation, none at all; inputs that change."""

import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.testing import assert_close

from reid_search.data.synthetic.config import SyntheticConfig
from reid_search.data.synthetic.write import write_dataset
from reid_search.models import build_model
from reid_search.records import Record, StudyStore, TrialFolder
from reid_search.study import TrialConfig, trial_key

Command = Callable[..., Any]
StudyFile = Callable[..., Path]
Content = dict[str, Any]

ABLATE = [{"kind": "ablate", "axes": [], "seeds": 1}]
SMALL = {"images": 12, "batch": {"ids": 4, "per_id": 3}}
DATA = {"name": "synthetic", "preset": "tiny", "image_size": [32, 16]}
NETWORK = {"architecture": "baseline", "backbone": "resnet10_thin", "embedding_dim": 64}
NO_NETWORK = {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "HF_HUB_OFFLINE": "1"}

pytestmark = pytest.mark.slow  # whole studies, one of them in a process of its own


def _base(**over: Any) -> Content:
    return {"data": DATA, "model": NETWORK, "training": SMALL, **over}


def _study(study_file: StudyFile, base: Content, **over: Any) -> Path:
    return study_file(base=base, axes={}, phases=ABLATE, **{"keep": "all", **over})


def _only_trial(storage: Path, study: str = "small") -> TrialFolder:
    (trial,) = StudyStore(storage, study).trials()
    return trial


def _record(trial: TrialFolder) -> Record:
    record = trial.record()
    assert record is not None
    return record


def _report(storage: Path, study: str = "small") -> tuple[str, str]:
    report = StudyStore(storage, study).report
    return (report / "report.md").read_text(), (report / "index.html").read_text()


def _drawn(path: Path, backbone: str, **metadata: str) -> Path:
    """Write a file of a network's random weights, by our names."""
    from reid_search.backbones import build_backbone

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        state = build_backbone(backbone, None, 1).state_dict()
    save_file({name: value.clone() for name, value in state.items()}, path, metadata=metadata)
    return path


def test_a_study_is_fine_tuned_from_what_another_has_trained(
    command: Command, study_file: StudyFile, tmp_path: Path
) -> None:
    half = {"mean": "[0.5, 0.5, 0.5]", "std": "[0.25, 0.25, 0.25]"}
    start = _drawn(tmp_path / "start.safetensors", "resnet10_thin", **half)
    first = _study(study_file, _base(model={**NETWORK, "weights": str(start)}), name="first")
    answer = command("run", first, "--address", "none")
    assert answer.code == 0, answer.err
    source = _only_trial(tmp_path / "runs", "first").path / "checkpoint" / "weights.safetensors"
    trained = {name: value for name, value in load_file(source).items() if name.startswith("model.branches.0.blocks.")}

    # Only the head is trained, so that the backbone still has what it started from.
    stages = [{"name": "head", "images": 12, "train": ["branches.0.whole.*"]}]
    base = _base(model={**NETWORK, "weights": str(source)}, training={**SMALL, "stages": stages})
    answer = command("run", _study(study_file, base, name="second"), "--address", "none")
    assert answer.code == 0, answer.err
    tuned = _only_trial(tmp_path / "runs", "second")
    kept, record = load_file(tuned.path / "checkpoint" / "weights.safetensors"), _record(tuned)
    for name, value in trained.items():
        if name.endswith(("weight", "bias")):
            assert torch.equal(kept[name], value), name
    begun = build_model(TrialConfig.model_validate(record.config).model, image_size=(32, 16)).state_dict()
    assert_close(
        {f"model.{name}": begun[name] for name in begun if f"model.{name}" in trained}, trained, rtol=0, atol=0
    )

    (loaded,) = record.weights
    assert (loaded.path, loaded.parameters, loaded.random) == (str(source), loaded.all_parameters, ())
    assert len(loaded.tensors) == len(trained)
    assert {name.split(".")[0] for name in loaded.dropped} == {"model", "criterion"}
    said = f"weights: resnet10_thin from {source} (sha256 {loaded.sha256[:12]}): {len(trained)} tensors, 100 %"
    planned = command("plan", tmp_path / "study.yaml")
    assert said in answer.err
    assert said in planned.err
    for text in _report(tmp_path / "runs", "second"):
        assert f"(sha256 {loaded.sha256[:12]})" in text
        assert "mean 0.5 0.5 0.5, deviation 0.25 0.25 0.25" in text, "those of the first study's file"

    copy = shutil.copy(source, tmp_path / "copy.safetensors")
    assert _key(record, copy) == record.key == tuned.path.name.partition("-")[0]
    assert _key(record, start) != record.key


def _key(record: Record, weights: Path) -> str:
    """Return the key of a trial with other weights."""
    model = {**dict(record.config["model"]), "weights": str(weights)}
    return trial_key(TrialConfig.model_validate({**record.config, "model": model}), record.data_fingerprint)


@pytest.mark.parametrize("weights", [None, "drawn"])
def test_photographs_without_pretrained_weights_are_said_loudly(
    command: Command, study_file: StudyFile, tmp_path: Path, weights: str | None
) -> None:
    assert command("data", "make", "market", "--preset", "unit").code == 0
    model = {**NETWORK, "weights": str(_drawn(tmp_path / "w.safetensors", "resnet10_thin")) if weights else None}
    study = _study(study_file, _base(data={"name": "market1501", "image_size": [32, 16]}, model=model))
    planned = command("plan", study, "--data", "market").err
    ran = command("run", study, "--data", "market", "--address", "none")
    assert ran.code == 0, ran.err
    texts = [planned, ran.err, *_report(tmp_path / "runs")]
    for text in texts:
        assert ("NO PRETRAINED WEIGHTS: every trial on market1501 start" in text) == (weights is None)
    if weights is None:
        assert "`model.weights: default` takes those of ImageNet" in planned


@pytest.mark.parametrize(
    ("backbone", "said"),
    [
        (
            "resnet18",
            r"without a network, put https://download\.pytorch\.org/models/resnet18-f37072fd\.pth at "
            r"\S+/torch/hub/checkpoints/resnet18-f37072fd\.pth \(.+\)",
        ),
        (
            "vit_tiny_patch16_224",
            r"without a network, take model\.safetensors of "
            r"huggingface\.co/timm/vit_tiny_patch16_224\.augreg_in21k_ft_in1k and name the file itself: weights: "
            r"\{file: /path/to/model\.safetensors, mean: \[0\.5, 0\.5, 0\.5\], std: \[0\.5, 0\.5, 0\.5\]\} \(.+\)",
        ),
    ],
)
def test_default_weights_without_a_network_are_one_message(
    command: Command,
    study_file: StudyFile,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    backbone: str,
    said: str,
) -> None:
    _caches(monkeypatch, tmp_path)
    model = {"architecture": "baseline", "backbone": backbone, "weights": "default"}
    study = _study(study_file, _base(model=model, data={**DATA, "image_size": [32, 16]}))
    planned = command("plan", study)
    assert planned.code == 0
    assert "keys of the trials are provisional" in planned.err
    answer = command("run", study, "--address", "none")
    assert (answer.code, answer.out) == (2, "")
    lacking = f"default: the weights of {backbone} are not on this machine and cannot be fetched"
    assert re.search(rf"^reid-search: model\.weights: {lacking}; {said}$", answer.err, re.MULTILINE), answer.err
    assert "Traceback" not in answer.err
    assert not (tmp_path / "runs").exists()


def _caches(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Make the caches of torch and huggingface empty, and cut the network off."""
    for name, value in (
        NO_NETWORK | {"TORCH_HOME": str(folder / "torch"), "HF_HUB_CACHE": str(folder / "hub")}
    ).items():
        monkeypatch.setenv(name, value)


def test_default_weights_come_from_the_local_cache_with_their_normalisation(
    command: Command, study_file: StudyFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As huggingface's library lays its cache out; timm's file says nothing of the normalisation, its table does."""
    import timm

    _caches(monkeypatch, tmp_path)
    repository = tmp_path / "hub" / "models--timm--vit_tiny_patch16_224.augreg_in21k_ft_in1k"
    snapshot = repository / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    network = timm.create_model("vit_tiny_patch16_224", pretrained=False)
    save_file(network.state_dict(), snapshot / "model.safetensors")
    model = {"architecture": "baseline", "backbone": "vit_tiny_patch16_224", "weights": "default"}
    answer = command("run", _study(study_file, _base(model=model), keep="none"), "--address", "none")
    assert answer.code == 0, answer.err
    record = _record(_only_trial(tmp_path / "runs"))
    (loaded,) = record.weights
    assert (loaded.file, loaded.path) == ("default", str(snapshot / "model.safetensors"))
    assert set(loaded.dropped) == {"head.weight", "head.bias"}
    assert loaded.random == ()
    half = (0.5, 0.5, 0.5)
    assert record.normalization is not None
    assert (record.normalization.mean, record.normalization.std) == (half, half)
    assert "mean 0.5 0.5 0.5, deviation 0.5 0.5 0.5" in _report(tmp_path / "runs")[0]


def test_the_normalisation_of_a_file_is_used_in_training_and_testing(
    command: Command, study_file: StudyFile, tmp_path: Path
) -> None:
    """Twice the deviation halves what the network sees, and a first convolution of twice the weights undoes that."""
    plain = _drawn(tmp_path / "plain.safetensors", "resnet10_thin")
    state = load_file(plain)
    state["stem.0.weight"] *= 2
    doubled = tmp_path / "doubled.safetensors"
    save_file(state, doubled, metadata={"mean": "[0.485, 0.456, 0.406]", "std": "[0.458, 0.448, 0.45]"})
    trained = ["branches.0.blocks.stem.1.*", "branches.0.blocks.layer*", "branches.0.whole.*"]  # all but that one
    training = {
        "stages": [{"name": "later", "images": 48, "train": trained}],
        "report_every": 12,
        "batch": SMALL["batch"],
    }
    found = []
    for name, path in (("plain", plain), ("doubled", doubled)):
        base = _base(model={**NETWORK, "weights": str(path)}, training=training)
        answer = command("run", _study(study_file, base, name=name, keep="none"), "--address", "none")
        assert answer.code == 0, answer.err
        trial = _only_trial(tmp_path / "runs", name)
        losses = [row["loss"] for row in trial.epochs()]
        found.append((losses, _record(trial).readouts["default"].metrics))
    assert found[0] == found[1], "to the last digit"
    assert len(set(found[0][0])) == 4
    wide = "mean 0.485 0.456 0.406, deviation 0.458 0.448 0.45"
    assert all(wide in text for text in _report(tmp_path / "runs", "doubled"))
    assert all(wide not in text for text in _report(tmp_path / "runs", "plain"))


@pytest.mark.timeout(0)  # waits for progress, not for the clock
def test_data_that_are_edited_while_a_study_runs_stop_it_and_it_goes_on_once_they_are_back(
    command: Command,
    start: Callable[..., Any],
    finish: Callable[..., Any],
    patience: Callable[[], None],
    study_file: StudyFile,
    tmp_path: Path,
) -> None:
    root = tmp_path / "market"
    write_dataset(SyntheticConfig.model_validate({"name": "synthetic", "preset": "tiny"}), root)
    data = {"name": "market1501", "root": str(root), "image_size": [32, 16], "holdout": 0.25}
    base = _base(data=data, training={**SMALL, "images": 120, "report_every": 24})
    axes = {"training.optimizer.lr": {"log_uniform": [0.001, 0.01], "levels": [0.001, 0.01]}}
    phases = [{"kind": "search", "trials": 2, "pruner": "none"}, {"kind": "ablate", "around": "base", "seeds": 2}]
    study = study_file(base=base, axes=axes, phases=phases, keep="none")
    running, storage = start("run", study, "--address", "none"), tmp_path / "runs"
    while not any(trial.has_record() for trial in StudyStore(storage, "small").trials()):
        assert running.poll() is None, running.communicate()[1]
        patience()
        time.sleep(0.02)
    edited = min((root / "query").iterdir())
    before = edited.read_bytes()
    edited.write_bytes(max((root / "query").iterdir()).read_bytes())
    answer = finish(running)
    assert answer.code == 1, answer.err
    assert f"{root}: the data changed since the study began. Everything measured so far is kept" in answer.err
    edited.write_bytes(before)
    again = command("run", study, "--address", "none")
    assert again.code == 0, again.err
    used = {_record(trial).data_fingerprint for trial in StudyStore(storage, "small").trials()}
    assert used == {TrialConfig.model_validate(base).data.fingerprint()}


@pytest.mark.timeout(0)  # waits for progress, not for the clock
def test_a_file_that_is_overwritten_while_a_study_runs_stops_it(
    command: Command,
    start: Callable[..., Any],
    finish: Callable[..., Any],
    patience: Callable[[], None],
    study_file: StudyFile,
    tmp_path: Path,
) -> None:
    weights = _drawn(tmp_path / "w.safetensors", "resnet10_thin")
    base = _base(model={**NETWORK, "weights": str(weights)}, training={**SMALL, "images": 240, "report_every": 24})
    phases = [{"kind": "ablate", "axes": [], "seeds": 3, "redraw_data": False}]
    study = study_file(base=base, axes={}, phases=phases, keep="none")
    running, storage = start("run", study, "--address", "none"), tmp_path / "runs"
    while not any(trial.epochs() for trial in StudyStore(storage, "small").trials()):
        assert running.poll() is None, running.communicate()[1]
        patience()
        time.sleep(0.05)
    save_file({name: value + 1 for name, value in load_file(weights).items()}, tmp_path / "next.safetensors")
    (tmp_path / "next.safetensors").replace(weights)
    answer = finish(running)
    assert answer.code == 1, answer.err
    assert f"{weights}: the weights changed since the study began. Everything measured so far is kept" in answer.err
    assert "trying again" not in answer.err
    assert "Traceback" not in answer.err
    before = {trial.path.name.partition("-")[0] for trial in StudyStore(storage, "small").trials()}
    assert len(before) == 1
    again = command("run", study, "--address", "none")
    assert again.code == 0, again.err
    finished = [trial for trial in StudyStore(storage, "small").trials() if trial.record() is not None]
    new = [trial for trial in finished if trial.path.name.partition("-")[0] not in before]
    assert len(new) == 3, "all seeds are measured from the new file"


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("nan", "holds NaN in layer1_0.conv1.weight; its training diverged, take an earlier checkpoint"),
        ("another", "lacks conv1.weight and every other tensor, so it holds no weights of resnet10_thin"),
        ("text", "not a weights file"),
    ],
)
def test_wrong_weights_are_one_message(
    command: Command, study_file: StudyFile, tmp_path: Path, kind: str, message: str
) -> None:
    path = _drawn(tmp_path / "w.safetensors", "resnet10_thin")
    if kind == "nan":
        state = load_file(path)
        save_file({**state, "layer1_0.conv1.weight": torch.full_like(state["layer1_0.conv1.weight"], torch.nan)}, path)
    elif kind == "another":
        path = _drawn(tmp_path / "w.safetensors", "osnet_x0_25")
    else:
        path.write_text("this is a letter and no network")
    study = _study(study_file, _base(model={**NETWORK, "weights": str(path)}))
    for verb in (("plan", study), ("run", study, "--address", "none")):
        answer = command(*verb)
        assert (answer.code, answer.err.count(f"model.weights: {path}: ")) == (2, 1), answer.err
        assert message in answer.err
        assert "Traceback" not in answer.err
    assert not (tmp_path / "runs").exists()
