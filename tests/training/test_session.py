"""A trial from its first epoch to its record: repeatable, interruptible, and failed where it has to fail."""

import json
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from reid_search.errors import EnvironmentFailure, InputChanged, ReidSearchError
from reid_search.records import CodeVersion, TrialFolder, code_of
from reid_search.study import TrialConfig
from reid_search.training import TrialRequest, TrialSession, run_trial
from reid_search.training import checkpoint as checkpoints
from reid_search.training.revisit import export_model, measure_again

RequestOf = Callable[..., TrialRequest]
Measurements = Callable[[TrialFolder], dict[str, Any]]

_FOREVER = {"images": 480, "report_every": 24, "batch": {"ids": 4, "per_id": 3}}


def _run(request: TrialRequest, path: Path) -> TrialFolder:
    folder = TrialFolder(path)
    run_trial(request, folder)
    return folder


def test_a_trial_leaves_what_the_design_names(request_of: RequestOf, tmp_path: Path) -> None:
    folder = _run(request_of(evaluate=("val", "test")), tmp_path / "t")
    record = folder.record()
    assert record is not None
    assert (record.status, record.reason, record.device_type, record.images_seen) == ("finished", None, "cpu", 48)
    assert [(row["epoch"], row["images_seen"]) for row in folder.epochs()] == [(1, 24), (2, 48)]
    assert set(folder.epochs()[0]) == {
        "epoch", "images_seen", "loss", "loss/identity", "loss/triplet", "val/mAP", "val/rank1", "val/mINP",
        "val/mAP@R",
    }  # fmt: skip
    metrics = record.readouts["default"].metrics
    for split in ("val", "test"):
        assert 0 < metrics[f"{split}/mAP_trapezoidal"] <= metrics[f"{split}/mAP"] <= 1
        assert metrics[f"{split}/rank1"] <= metrics[f"{split}/rank5"] <= metrics[f"{split}/rank10"]
    assert metrics["val/mAP"] == folder.epochs()[-1]["val/mAP"]
    assert record.readouts["default"].dim == 64 * 4
    assert record.parameters["losses"] > 0
    assert record.macs is not None
    config = folder.config()
    assert config is not None
    assert config["config"] == record.config
    assert record.context.seconds == folder.seconds() > 0
    assert [path.name for path in folder.checkpoints.iterdir()] == [checkpoints.WEIGHTS]


def test_metrics_are_the_means_of_the_per_query_table(request_of: RequestOf, tmp_path: Path) -> None:
    folder = _run(request_of(), tmp_path / "t")
    record = folder.record()
    assert record is not None
    table = pq.read_table(folder.path / "readouts/default/per_query.parquet").to_pandas()
    metrics = record.readouts["default"].metrics
    for split, rows in table.groupby("split"):
        matched = rows[rows["first_match_rank"] > 0]
        assert metrics[f"{split}/mAP"] == pytest.approx(matched["average_precision"].mean(), abs=1e-12)
        assert metrics[f"{split}/mINP"] == pytest.approx(matched["inverse_negative_penalty"].mean(), abs=1e-12)
        assert metrics[f"{split}/mAP@R"] == pytest.approx(matched["average_precision_at_r"].mean(), abs=1e-12)
        assert metrics[f"{split}/rank5"] == pytest.approx((matched["first_match_rank"] <= 5).mean(), abs=1e-12)
        assert metrics[f"{split}/queries_without_match"] == len(rows) - len(matched)


def test_the_same_trial_twice_measures_the_same_to_the_last_digit(
    request_of: RequestOf, measurements: Measurements, tmp_path: Path
) -> None:
    first, second, other = (_run(request_of(seed), tmp_path / name) for seed, name in ((1, "a"), (1, "b"), (2, "c")))
    assert measurements(first) == measurements(second)
    assert measurements(first)["epochs"] != measurements(other)["epochs"]


def test_a_process_s_earlier_trials_leave_no_trace(
    request_of: RequestOf, measurements: Measurements, tmp_path: Path
) -> None:
    alone = _run(request_of(), tmp_path / "alone")
    np.random.default_rng().random()
    torch.rand(7)
    _run(request_of(9, model={"architecture": "baseline", "backbone": "resnet10_thin"}), tmp_path / "before")
    assert measurements(_run(request_of(), tmp_path / "after")) == measurements(alone)
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("precision", ["full", "amp"])
def test_a_trial_closed_after_each_epoch_goes_on_with_the_same_numbers(
    request_of: RequestOf, measurements: Measurements, tmp_path: Path, precision: str
) -> None:
    training = {
        "precision": precision,
        "report_every": 24,
        "batch": {"ids": 4, "per_id": 3},
        "augment": {"flip": 0.5, "pad_crop": 0.1, "erase": 0.5},
        "stages": [
            {"name": "heads", "images": 24, "train": ["branches.*.whole.*", "branches.*.stripes.*"]},
            {"name": "all", "images": 36, "lr": 0.5, "losses": ["identity"]},
        ],
    }
    request = request_of(training=training)
    whole = _run(request, tmp_path / "whole")
    pieces = TrialFolder(tmp_path / "pieces")
    while pieces.record() is None:
        session = TrialSession(request, pieces)
        session.advance()
        session.close()
    assert measurements(pieces) == measurements(whole)
    assert len(whole.epochs()) == 3


@pytest.mark.parametrize("lost", ["line", "checkpoint"])
def test_a_crash_between_checkpoint_and_line_loses_and_doubles_nothing(
    request_of: RequestOf, measurements: Measurements, tmp_path: Path, lost: str
) -> None:
    whole = _run(request_of(), tmp_path / "whole")
    folder = TrialFolder(tmp_path / "cut")
    TrialSession(request_of(), folder).advance()
    if lost == "line":
        folder.keep_epochs(0)
    else:
        folder.append_epoch({**folder.epochs()[0], "epoch": 2})
    run_trial(request_of(), folder)
    assert measurements(folder) == measurements(whole)


@pytest.mark.parametrize("cut_to", [0, 100])
@pytest.mark.parametrize("file", ["weights.safetensors", "progress.pt", "epoch.json"])
def test_a_damaged_checkpoint_is_set_aside_and_the_trial_starts_over(
    request_of: RequestOf, measurements: Measurements, tmp_path: Path, file: str, cut_to: int
) -> None:
    folder = TrialFolder(tmp_path / "cut")
    TrialSession(request_of(), folder).advance()
    with (folder.checkpoints / "epoch-1" / file).open("r+b") as damaged:
        damaged.truncate(cut_to)
    session = TrialSession(request_of(), folder)
    with pytest.raises(EnvironmentFailure, match=r"epoch-1: cannot be read .* set aside as damaged-epoch-1"):
        session.advance()
    assert not folder.has_record()
    assert (folder.checkpoints / "damaged-epoch-1" / file).stat().st_size == cut_to
    while not session.done:
        session.advance()
    assert measurements(folder) == measurements(_run(request_of(), tmp_path / "whole"))


def test_damaged_weights_of_a_finished_trial_are_set_aside_and_it_is_trained_again(
    request_of: RequestOf, measurements: Measurements, tmp_path: Path
) -> None:
    folder = _run(request_of(), tmp_path / "t")
    before = measurements(folder)
    (folder.checkpoints / checkpoints.WEIGHTS).write_bytes(b"")
    folder.remove_record()
    with pytest.raises(EnvironmentFailure, match="set aside as damaged-weights"):
        run_trial(request_of(), folder)
    run_trial(request_of(), folder)
    assert measurements(folder) == before


@pytest.mark.parametrize("room", [20, 50_000, 400_000])
def test_a_disk_that_is_full_for_a_while_costs_an_epoch_and_changes_no_number(
    request_of: RequestOf, measurements: Measurements, tmp_path: Path, room: int
) -> None:
    """No file may grow beyond so many bytes: not even a line of epochs fits, no weights, or only some files."""
    folder = TrialFolder(tmp_path / "full")
    session = TrialSession(request_of(), folder)
    session.advance()
    kept = sorted(path.name for path in folder.checkpoints.iterdir())
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        with pytest.raises(EnvironmentFailure, match=r"File too large|cannot be written"):
            session.advance()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not folder.has_record()
    assert sorted(path.name for path in folder.checkpoints.iterdir()) == kept
    while not session.done:
        session.advance()
    assert measurements(folder) == measurements(_run(request_of(), tmp_path / "whole"))


@pytest.mark.parametrize("claim", [lambda: bytearray(2**60), lambda: torch.empty(2**60, dtype=torch.uint8)])
def test_a_lack_of_memory_is_no_failure_of_the_trial(
    request_of: RequestOf, measurements: Measurements, tmp_path: Path, claim: Callable[[], object]
) -> None:
    """In the middle of the second epoch, a layer asks Python or torch for more memory than any machine has."""
    folder = TrialFolder(tmp_path / "starved")
    session = TrialSession(request_of(), folder)
    session.advance()
    calls = count(1)
    hook = torch.nn.modules.module.register_module_forward_hook(lambda *_: claim() if next(calls) == 40 else None)
    try:
        with pytest.raises(EnvironmentFailure, match=r"MemoryError|can't allocate memory"):
            session.advance()
    finally:
        hook.remove()
    assert not folder.has_record()
    while not session.done:
        session.advance()
    assert measurements(folder) == measurements(_run(request_of(), tmp_path / "whole"))


def test_two_sessions_of_one_trial_take_turns_and_leave_nothing_twice(
    request_of: RequestOf, measurements: Measurements, tmp_path: Path
) -> None:
    request = request_of(training={**_FOREVER, "images": 96})
    folder = TrialFolder(tmp_path / "shared")
    sessions = [TrialSession(request, folder) for _ in range(2)]
    turn = 0
    while folder.record() is None:
        sessions[turn % 3 % 2].advance()
        turn += 1
    for session in sessions:
        session.advance()
        assert session.done
    assert measurements(folder) == measurements(_run(request, tmp_path / "alone"))


def test_a_killed_process_is_continued_with_the_same_numbers(
    request_of: RequestOf, measurements: Measurements, cache: Path, tmp_path: Path
) -> None:
    request = request_of(training=_FOREVER)
    folder = TrialFolder(tmp_path / "killed")
    script = (
        "import sys, json; from pathlib import Path\n"
        "from reid_search.records import TrialFolder; from reid_search.study import TrialConfig\n"
        "from reid_search.training import TrialRequest, run_trial\n"
        "config = TrialConfig.model_validate(json.loads(sys.argv[1]))\n"
        "request = TrialRequest(config, 1, '0' * 16, ('test',), cache=Path(sys.argv[2]))\n"
        "run_trial(request, TrialFolder(Path(sys.argv[3])))\n"
    )
    content = json.dumps(request.config.model_dump(mode="json"))
    process = subprocess.Popen([sys.executable, "-c", script, content, str(cache), str(folder.path)])
    while len(folder.epochs()) < 3:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert folder.record() is None
    run_trial(request, folder)
    assert measurements(folder) == measurements(_run(request, tmp_path / "whole"))


@pytest.mark.parametrize(
    ("over", "reason"),
    [
        ({"training": {**_FOREVER, "lr_multiplier": 1e6, "optimizer": {"kind": "sgd", "lr": 1e6}}}, "loss.* = nan"),
        (
            {"training": {**_FOREVER, "stages": [{"name": "x", "images": 480, "train": ["nothing.*"]}]}},
            "training.stages.0.train: 'nothing.\\*' names no parameter",
        ),
        (
            {
                "data": {"name": "synthetic", "preset": "unit", "image_size": [32, 16], "holdout": 0.25},
                "training": {**_FOREVER, "batch": {"ids": 1, "per_id": 3, "order": "consecutive"}},  # always one person
                "losses": {"identity": {"on": []}},
            },
            "no gradient",
        ),
        ({"training": {"images": 48, "batch": {"ids": 500, "per_id": 2}}}, "training.batch.ids: 500"),
    ],
)
def test_a_trial_that_cannot_go_on_fails_with_a_reason_and_no_score(
    request_of: RequestOf, tmp_path: Path, over: dict[str, Any], reason: str
) -> None:
    folder = _run(request_of(**over), tmp_path / "t")
    record = folder.record()
    assert record is not None
    assert record.status == "failed"
    assert record.readouts == {}
    assert re.search(reason, record.reason or ""), record.reason
    assert not folder.checkpoints.exists()


def test_a_finished_trial_is_not_measured_again(request_of: RequestOf, tmp_path: Path) -> None:
    folder = _run(request_of(), tmp_path / "t")
    before = (folder.path / "record.json").read_bytes()
    run_trial(request_of(), folder)
    assert (folder.path / "record.json").read_bytes() == before


def test_a_readout_is_added_without_training_again(request_of: RequestOf, tmp_path: Path) -> None:
    folder = _run(request_of(), tmp_path / "t")
    first = folder.record()
    assert first is not None
    coarse = {"taps": ["p1.global@coarse"], "flip": False, "normalize": "none", "metric": "euclidean"}
    more = request_of(readouts={"default": {}, "coarse": coarse})
    epochs = folder.epochs()
    folder.remove_record()
    second = run_trial(more, folder)
    assert folder.epochs() == epochs
    assert second.readouts["default"] == first.readouts["default"]
    assert second.readouts["coarse"].dim == 128
    assert second.readouts["coarse"].metrics != first.readouts["default"].metrics


def _as_if_begun_under_other_code(folder: TrialFolder) -> CodeVersion:
    content = folder.config()
    assert content is not None
    other = CodeVersion.model_validate(content["code"] | {"torch": "1.13.1"})
    folder.write_config(content | {"code": other.model_dump()})
    return other


def test_an_unfinished_trial_of_other_code_begins_anew(
    request_of: RequestOf, measurements: Measurements, tmp_path: Path
) -> None:
    whole = _run(request_of(), tmp_path / "whole")
    folder = TrialFolder(tmp_path / "halved")
    TrialSession(request_of(), folder).advance()
    _as_if_begun_under_other_code(folder)
    record = run_trial(request_of(), folder)
    assert record.code == code_of(request_of().config)
    assert measurements(folder) == measurements(whole)
    assert len(folder.times()) == len(whole.times()) + 1, "its first epoch was trained again"


def test_a_readout_that_is_added_under_other_code_says_so(request_of: RequestOf, tmp_path: Path) -> None:
    folder = _run(request_of(), tmp_path / "t")
    record = folder.record()
    assert record is not None
    assert (record.code, record.tested_by) == (code_of(request_of().config), None)
    other = _as_if_begun_under_other_code(folder)
    folder.remove_record()
    again = run_trial(request_of(), folder)
    assert (again.code, again.tested_by) == (other, record.code)


def test_kept_weights_are_tested_again_and_exported(request_of: RequestOf, tmp_path: Path) -> None:
    folder = _run(request_of(), tmp_path / "t")
    record = folder.record()
    assert record is not None
    again = measure_again(folder.path, "cpu").readouts["default"].metrics
    assert again == {
        name: value
        for name, value in record.readouts["default"].metrics.items()
        if name.startswith("test/") and name != "test/mAP_untrained"  # kept weights are trained ones
    }
    exported = export_model(folder.path, tmp_path / "out" / "model.safetensors")
    assert exported.exists()
    assert json.loads(exported.with_suffix(".json").read_text()) == record.config
    with pytest.raises(ReidSearchError, match="already exists"):
        export_model(folder.path, exported)


def test_weights_that_were_not_kept_say_how_to_keep_them(request_of: RequestOf, tmp_path: Path) -> None:
    folder = _run(request_of(keep=False), tmp_path / "t")
    assert not folder.checkpoints.exists()
    with pytest.raises(ReidSearchError, match="keep: all"):
        measure_again(folder.path, "cpu")
    with pytest.raises(ReidSearchError, match=r"config\.json"):
        measure_again(tmp_path / "nowhere", "cpu")


def test_a_validation_answer_without_a_holdout_is_a_failure(request_of: RequestOf, tmp_path: Path) -> None:
    data = {"name": "synthetic", "preset": "tiny", "image_size": [32, 16], "holdout": 0.0}
    record = _run(request_of(evaluate=("val",), data=data), tmp_path / "t").record()
    assert record is not None
    assert record.reason == "no split 'val' to test on: data.holdout is 0"


def _market(root: Path) -> Path:
    """Write two training people, a query, its match and another person."""
    colours = np.random.default_rng(0)
    names = [f"bounding_box_train/{person:04}_c{camera}s1_000001_01.jpg" for person in (2, 7) for camera in (1, 2)]
    names += ["query/0001_c1s1_000001_00.jpg", "bounding_box_test/0001_c2s1_000001_01.jpg"]
    names += ["bounding_box_test/0003_c2s1_000001_01.jpg"]
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(colours.integers(0, 255, (32, 16, 3), dtype=np.uint8)).save(root / name)
    return root


def _trial_on(root: Path, **training: Any) -> TrialConfig:
    return TrialConfig.model_validate(
        {
            "data": {"name": "market1501", "root": root, "image_size": [32, 16], "holdout": 0, "skip_broken": True},
            "model": {"architecture": "baseline", "backbone": "resnet10_thin", "embedding_dim": 16},
            "training": {"images": 4, "report_every": 4, "batch": {"ids": 2, "per_id": 2}, **training},
        }
    )


def test_data_that_change_while_a_study_runs_are_not_measured_under_its_key(tmp_path: Path) -> None:
    root = _market(tmp_path / "Market")
    config, folder = _trial_on(root, images=8), TrialFolder(tmp_path / "trial")
    request = TrialRequest(
        config, 1, "a" * 16, ("test",), cache=tmp_path / "cache", data_fingerprint=config.data.fingerprint()
    )
    TrialSession(request, folder).advance()
    before = (root / "query/0001_c1s1_000001_00.jpg").read_bytes()
    Image.new("RGB", (16, 32)).save(root / "query/0001_c1s1_000001_00.jpg")
    with pytest.raises(InputChanged, match="Market: the data changed since the study began"):
        TrialSession(request, folder).advance()
    assert folder.record() is None
    (root / "query/0001_c1s1_000001_00.jpg").write_bytes(before)
    assert run_trial(request, folder).status == "finished"


def test_a_record_says_what_was_not_used_of_the_data(tmp_path: Path) -> None:
    root = _market(tmp_path / "Market")
    (root / "query/Thumbs.db").write_bytes(b"x")
    (root / "bounding_box_train/0009_c1s1_000001_01.jpg").write_bytes(b"no image")
    config = _trial_on(root)
    folder = _run(TrialRequest(config, 1, "a" * 16, ("test",), cache=tmp_path / "cache"), tmp_path / "trial")
    record = folder.record()
    assert record is not None
    assert record.status == "finished", record.reason
    assert record.data is not None
    assert record.data.unused == {"hidden files": 1, "unreadable images": 1}
    assert record.data_fingerprint == config.data.fingerprint()
    assert json.loads((tmp_path / "trial/record.json").read_text())["config"]["data"]["skip_broken"] is True
