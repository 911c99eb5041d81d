"""`reid-search run` as a person uses it: on Ray, interrupted, killed, run again, on a cluster of two nodes."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reid_search.records import StudyStore, TrialFolder

Start = Callable[..., "subprocess.Popen[str]"]
Finish = Callable[..., Any]

_TOKEN = "0123456789abcdef" * 4
_LONGER = {"images": 240, "report_every": 24, "batch": {"ids": 4, "per_id": 3}}


def _epochs(storage: Path) -> int:
    return sum(len(folder.epochs()) for folder in StudyStore(storage, "small").trials())


def _wait_for_epochs(process: "subprocess.Popen[str]", storage: Path, count: int) -> None:
    deadline = time.monotonic() + 200
    while _epochs(storage) < count:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, "no progress"
        time.sleep(0.1)


def _measurements(folder: TrialFolder) -> dict[str, Any]:
    record = json.loads((folder.path / "record.json").read_text())
    return {"epochs": folder.epochs(), "readouts": record["readouts"], "parameters": record["parameters"]}


@pytest.mark.slow  # three starts of Ray, which is what is tested
def test_interrupted_killed_and_run_again_a_study_has_everything_once(
    start: Start, finish: Finish, command: Finish, study_file: Callable[..., Path], trial_content: Any, tmp_path: Path
) -> None:
    study = study_file(base={**trial_content(), "training": _LONGER})
    storage = tmp_path / "runs"

    interrupted = start("run", study)
    _wait_for_epochs(interrupted, storage, 4)
    interrupted.send_signal(signal.SIGINT)
    answer = finish(interrupted)
    assert answer.code == 130, answer.err
    assert f"go on with:\n  reid-search run {study}" in answer.err
    assert "Traceback" not in answer.err
    before = _epochs(storage)

    killed = start("run", study)
    _wait_for_epochs(killed, storage, before + 12)
    killed.send_signal(signal.SIGKILL)
    finish(killed)

    answer = finish(start("run", study))
    assert answer.code == 0, answer.err
    assert "Report:" in answer.err
    store = StudyStore(storage, "small")
    folders = list(store.trials())
    assert len(folders) == 3 + 2 * 2
    for folder in folders:
        record = folder.record()
        assert record is not None
        assert record.status == "finished"
        assert [row["epoch"] for row in folder.epochs()] == list(range(1, 11))
    asks = [line for line in store.asked if line["event"] == "ask"]
    assert Counter(line["number"] for line in asks if line["kind"] == "search") == {0: 1, 1: 1, 2: 1}
    assert {f"{line['key']}-s{line['seed']}" for line in asks} == {folder.path.name for folder in folders}
    _check_mlflow(storage, folders)
    assert (store.report / "index.html").exists()
    _check_train_agrees(command, study, store, tmp_path)


def _check_mlflow(storage: Path, folders: list[TrialFolder]) -> None:
    from mlflow import MlflowClient

    from reid_search.tracking import tracking_uri

    client = MlflowClient(tracking_uri(storage))
    experiments = [item for item in client.search_experiments() if item.name != "Default"]
    assert len(experiments) == 1
    runs = client.search_runs([experiments[0].experiment_id], max_results=1000)
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert len(runs) == len(folders) + 1
    for run in runs:
        if "val/mAP" in run.data.metrics:
            assert len(client.get_metric_history(run.info.run_id, "loss")) == 10


def _check_train_agrees(command: Finish, study: Path, store: StudyStore, tmp_path: Path) -> None:
    """The same trial by `reid-search train`, without Ray, gives the same numbers to the last digit."""
    line = next(line for line in store.asked if line.get("arm") == "baseline")
    answer = command("train", study, "--storage", tmp_path / "alone", "--seed", "1", "--device", "cpu")
    assert answer.code == 0, answer.err
    alone = StudyStore(tmp_path / "alone", "single").trial(line["key"], 1)
    assert _measurements(alone) == _measurements(store.trial(line["key"], 1))


@pytest.mark.slow  # starts a cluster of two nodes
def test_a_cluster_runs_trials_on_both_of_its_nodes(
    start: Start, finish: Finish, study_file: Callable[..., Path], trial_content: Any, cache: Path, tmp_path: Path
) -> None:
    caches = [tmp_path / "head", tmp_path / "worker"]
    for folder in caches:
        (folder / "synthetic").mkdir(parents=True)
    long_enough_for_both_nodes_to_start = {**_LONGER, "images": 6000, "report_every": 1200}
    base = {**trial_content(), "training": long_enough_for_both_nodes_to_start}
    study = study_file(base=base, phases=[{"kind": "ablate", "around": "base", "seeds": 2}])
    with _cluster(tmp_path, caches) as address:
        answer = finish(start("run", study, "--address", address, RAY_AUTH_TOKEN=_TOKEN))
        assert answer.code == 0, answer.err
        statuses = [folder.record().status for folder in StudyStore(tmp_path / "runs", "small").trials()]
    assert statuses == ["finished"] * 4
    assert [(folder / "images").exists() for folder in caches] == [True, True]


@contextlib.contextmanager
def _cluster(folder: Path, caches: list[Path]) -> Iterator[str]:
    """A head and a worker as processes of their own, one CPU each; they stop when the block ends."""
    port = _free_port()
    common = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--num-cpus=1", "--num-gpus=0"]
    common += ["--node-ip-address=127.0.0.1", "--object-store-memory=80000000", "--disable-usage-stats"]
    head = ["--head", f"--port={port}", "--include-dashboard=false", f"--temp-dir={_short_folder(folder)}"]
    nodes = []
    try:
        for cache, arguments in zip(caches, (head, [f"--address=127.0.0.1:{port}"]), strict=True):
            environment = {
                **os.environ,
                "REID_SEARCH_CACHE": str(cache),
                "RAY_AUTH_MODE": "token",
                "RAY_AUTH_TOKEN": _TOKEN,
            }
            nodes.append(
                subprocess.Popen(
                    [*common, *arguments], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
            )
            _wait_for_port(port, nodes[0])
        _wait_for_nodes(f"127.0.0.1:{port}", len(nodes))
        yield f"127.0.0.1:{port}"
    finally:
        for node in nodes:
            node.send_signal(signal.SIGTERM)
        for node in nodes:
            node.wait(timeout=60)


def _wait_for_nodes(address: str, count: int) -> None:
    script = (
        f"import ray, time\nray.init({address!r}, log_to_driver=False, logging_level='error')\n"
        f"while sum(node['Alive'] for node in ray.nodes()) < {count}:\n    time.sleep(0.2)\n"
    )
    environment = {**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": _TOKEN}
    subprocess.run([sys.executable, "-c", script], env=environment, timeout=120, check=True)


def _short_folder(folder: Path) -> Path:
    """Ray's sockets need short paths."""
    import tempfile

    return Path(tempfile.mkdtemp(prefix="rs-", dir="/tmp")) if len(str(folder)) > 40 else folder


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        assert process.poll() is None, "the head node did not start"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.2)
    raise AssertionError("the head node did not answer")


def test_more_gpus_than_there_are_is_refused_and_nothing_is_written(
    start: Start, finish: Finish, study_file: Callable[..., Path], tmp_path: Path
) -> None:
    answer = finish(start("run", study_file(resources={"gpu": 3}), CUDA_VISIBLE_DEVICES=""))
    assert answer.code == 2
    assert re.search(r"resources\.gpu: 3: the largest node has 0 GPUs; allowed: 0 trains on the CPU", answer.err)
    assert "Traceback" not in answer.err
    assert not (tmp_path / "runs").exists()


def test_an_address_where_no_cluster_answers_is_refused(
    start: Start, finish: Finish, study_file: Callable[..., Path], tmp_path: Path
) -> None:
    answer = finish(start("run", study_file(), "--address", f"127.0.0.1:{_free_port()}"))
    assert answer.code == 2
    assert "no Ray cluster answers there" in answer.err
    assert "Traceback" not in answer.err
    assert not (tmp_path / "runs").exists()
