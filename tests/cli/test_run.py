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
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from reid_search.records import Proposal, StudyStore, TrialFolder

Start = Callable[..., "subprocess.Popen[str]"]
Finish = Callable[..., Any]

_TOKEN = "0123456789abcdef" * 4
_LONGER = {"images": 240, "report_every": 24, "batch": {"ids": 4, "per_id": 3}}


def _epochs(storage: Path) -> int:
    return sum(len(folder.epochs()) for folder in StudyStore(storage, "small").trials())


def _wait_for_epochs(process: "subprocess.Popen[str]", storage: Path, count: int, patience: Callable[[], None]) -> None:
    while _epochs(storage) < count:
        assert process.poll() is None, process.communicate()[1]
        patience()
        time.sleep(0.1)


def _measurements(folder: TrialFolder) -> dict[str, Any]:
    """Return everything that a trial measured, without times and places."""
    record = json.loads((folder.path / "record.json").read_text())
    del record["context"]
    queries = {path.parent.name: path.read_bytes() for path in folder.path.glob("readouts/*/per_query.parquet")}
    return {"epochs": (folder.path / "epochs.jsonl").read_text(), "record": record, "per_query": queries}


@pytest.mark.slow  # three starts of Ray, which is what is tested
@pytest.mark.timeout(0)  # waits for progress, not for the clock
def test_interrupted_killed_and_run_again_a_study_has_everything_once(
    start: Start,
    finish: Finish,
    patience: Callable[[], None],
    command: Finish,
    study_file: Callable[..., Path],
    trial_content: Any,
    tmp_path: Path,
) -> None:
    study = study_file(base={**trial_content(), "training": _LONGER})
    storage = tmp_path / "runs"

    interrupted = start("run", study)
    _wait_for_epochs(interrupted, storage, 4, patience)
    interrupted.send_signal(signal.SIGINT)
    answer = finish(interrupted)
    assert answer.code == 130, answer.err
    assert f"go on with:\n  reid-search run {study}" in answer.err
    assert "Traceback" not in answer.err
    before = _epochs(storage)

    killed = start("run", study)
    _wait_for_epochs(killed, storage, before + 12, patience)
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
    asks = store.log.history().asks
    assert [ask.number for ask in asks if isinstance(ask, Proposal)] == [0, 1, 2]
    assert {ask.trial for ask in asks} == {folder.id for folder in folders}
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
    kinds = Counter(run.data.tags["kind"] for run in runs)
    assert (kinds["trial"], kinds["study"], kinds["arm"]) == (len(folders), 1, len(runs) - len(folders) - 1)
    for run in (run for run in runs if run.data.tags["kind"] == "trial"):
        if "val/mAP" in run.data.metrics:
            assert len(client.get_metric_history(run.info.run_id, "loss")) == 10


def _check_train_agrees(command: Finish, study: Path, store: StudyStore, tmp_path: Path) -> None:
    """The same trial by `reid-search train`, without Ray, gives the same numbers to the last digit."""
    baseline = next(ask for ask in store.log.history().asks if ask.label == "baseline")
    answer = command("train", study, "--storage", tmp_path / "alone", "--seed", "1", "--device", "cpu")
    assert answer.code == 0, answer.err
    alone = StudyStore(tmp_path / "alone", "single").trial(*baseline.trial)
    there, here = _measurements(alone), _measurements(store.trial(*baseline.trial))
    assert there["epochs"] == here["epochs"]
    for name in ("readouts", "parameters"):
        assert there["record"][name] == here["record"][name]


@pytest.mark.slow  # starts Ray, and the same study twice more without it
@pytest.mark.timeout(0)  # waits for progress, not for the clock
def test_without_ray_the_same_study_leaves_the_same_records(
    start: Start, finish: Finish, patience: Callable[[], None], study_file: Callable[..., Path], tmp_path: Path
) -> None:
    """One trial after another, once interrupted, on a machine that has no Ray and other threads."""
    phases = [
        {"kind": "search", "trials": 4, "finalists": 2, "pruner": {"kind": "successive_halving", "reduction": 2}},
        {"kind": "ablate", "around": "best", "seeds": 2},
    ]
    study = study_file(phases=phases, resources={"concurrent": 1})
    (tmp_path / "without" / "ray").mkdir(parents=True)
    imported = tmp_path / "imported"
    (tmp_path / "without" / "ray" / "__init__.py").write_text(
        f"open({str(imported)!r}, 'w').close()\nraise ImportError('there is no Ray here')\n"
    )
    path = os.pathsep.join([str(tmp_path / "without"), os.environ.get("PYTHONPATH", "")])
    here = ("run", study, "--address", "none", "--storage", tmp_path / "here")
    interrupted = start(*here, PYTHONPATH=path, OMP_NUM_THREADS="2")
    _wait_for_epochs(interrupted, tmp_path / "here", 3, patience)
    interrupted.send_signal(signal.SIGINT)
    answer = finish(interrupted)
    assert answer.code == 130, answer.err
    assert "go on with:\n  reid-search run" in answer.err
    assert "Traceback" not in answer.err
    for command in (here, ("run", study, "--storage", tmp_path / "ray")):
        with_or_without = {"PYTHONPATH": path} if "none" in command else {}
        answer = finish(start(*command, **with_or_without))
        assert answer.code == 0, answer.err
    assert not imported.exists()
    stores = [StudyStore(tmp_path / name, "small") for name in ("here", "ray")]
    found = [{folder.path.name: _measurements(folder) for folder in store.trials()} for store in stores]
    assert found[0] == found[1]
    assert len(found[0]) >= 4 + 2 * 3 + 2 * 2
    proposals = [[ask.params for ask in store.log.history().asks if isinstance(ask, Proposal)] for store in stores]
    assert proposals[0] == proposals[1]


@pytest.mark.slow  # starts a cluster of two nodes
@pytest.mark.timeout(0)  # waits for progress, not for the clock
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
                    [*common, *arguments, *_agent_ports()],
                    env=environment,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
            _wait_for_port(port, nodes[0])
        _wait_for_nodes(f"127.0.0.1:{port}", nodes)
        yield f"127.0.0.1:{port}"
    finally:
        for node in nodes:
            node.send_signal(signal.SIGTERM)
        for node in nodes:
            node.wait(timeout=60)


def _wait_for_nodes(address: str, nodes: Sequence["subprocess.Popen[bytes]"]) -> None:
    """Wait until every node has joined; a head that is still starting may refuse whoever looks."""
    script = (
        f"import ray, sys\nray.init({address!r}, log_to_driver=False, logging_level='error')\n"
        f"sys.exit(sum(node['Alive'] for node in ray.nodes()) < {len(nodes)})\n"
    )
    environment = {**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": _TOKEN}
    command = [sys.executable, "-c", script]
    while subprocess.run(command, env=environment, stderr=subprocess.DEVNULL, check=False).returncode:
        assert all(node.poll() is None for node in nodes), "a node did not start"


def _short_folder(folder: Path) -> Path:
    """Ray's sockets need short paths."""
    import tempfile

    return Path(tempfile.mkdtemp(prefix="rs-", dir="/tmp")) if len(str(folder)) > 40 else folder


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _agent_ports() -> list[str]:
    """Ports that Ray need not wait for: it gives its own agents fifteen seconds to say which they chose."""
    names = (
        "dashboard-agent-grpc-port",
        "dashboard-agent-listen-port",
        "runtime-env-agent-port",
        "metrics-export-port",
    )
    return [f"--{name}={_free_port()}" for name in names]


def _wait_for_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    while process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.2)
    raise AssertionError("the head node did not start")


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
