"""The untrained network of a trial: measured as the trial is tested, and without a trace in the training."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from reid_search.data import open_trial_data
from reid_search.records import TrialFolder
from reid_search.training import TrialRequest, run_trial, session
from reid_search.training.determinism import deterministic
from reid_search.training.measuring import readout_plans
from reid_search.training.trainer import Trainer

RequestOf = Callable[..., TrialRequest]
Measurements = Callable[[TrialFolder], dict[str, Any]]

READOUTS = {"default": {"taps": ["reduced"]}, "plain": {"taps": ["global@reduced"], "flip": False}}


def _trained(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if not name.endswith("_untrained")}


def test_a_record_holds_what_the_network_scored_before_its_first_step(request_of: RequestOf, tmp_path: Path) -> None:
    request = request_of(evaluate=("val", "test"), readouts=READOUTS)
    record = run_trial(request, TrialFolder(tmp_path / "t"))
    data = open_trial_data(request.config, request.seed, request.cache)
    with deterministic(request.config.training.threads):
        trainer = Trainer(request.config, data, request.seed, torch.device("cpu"))
        for split in ("val", "test"):
            before = trainer.rank(readout_plans(request.config), data.sets[split])
            for name in READOUTS:
                metrics = record.readouts[name].metrics
                assert metrics[f"{split}/mAP_untrained"] == before[name].mean_ap != metrics[f"{split}/mAP"]


def test_measuring_it_changes_nothing_else(
    request_of: RequestOf, measurements: Measurements, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    augment = {"flip": 0.5, "pad_crop": 0.1, "erase": 0.5}
    request = request_of(
        training={"images": 48, "report_every": 24, "batch": {"ids": 4, "per_id": 3}} | {"augment": augment}
    )
    folders = [TrialFolder(tmp_path / name) for name in ("with", "without")]
    run_trial(request, folders[0])
    monkeypatch.setattr(session, "rank_untrained", lambda *_: {})
    run_trial(request, folders[1])
    measured, bare = map(measurements, folders)
    readouts = [found["record"].pop("readouts") for found in (measured, bare)]
    assert measured == bare
    for name, found in readouts[0].items():
        assert _trained(found["metrics"]) == readouts[1][name]["metrics"] != found["metrics"]
    weights = [load_file(folder.checkpoints / "weights.safetensors") for folder in folders]
    torch.testing.assert_close(weights[0], weights[1], rtol=0, atol=0)
