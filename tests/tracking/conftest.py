"""A study on disk with numbers chosen here, and a real MLflow database with its tables made once."""

import contextlib
import shutil
import socket
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from reid_search.records import (
    ArmAsked,
    LogWriter,
    Proposal,
    ReadoutResult,
    Record,
    RunContext,
    RunStarted,
    StudyStore,
    TrialFolder,
)
from reid_search.records.files import write_atomically
from reid_search.tracking.connection import connect
from reid_search.tracking.place import tracking_uri

STUDY_FILE = """\
name: mgn
base:
  model: {architecture: mgn, parts: [1, 2, 3]}
axes:
  losses.triplet.on: {choice: {none: [], globals: [global@reduced]}}
phases:
- {kind: search, name: search, sampler: tpe, trials: 6, objective: val/mAP}
- {kind: ablate, name: ablate, design: one_factor, around: best, seeds: 2, evaluate: test}
versions: {reid-search: 0.1.0}
git_commit: 0123456789abcdef
command: reid-search run mgn.yaml
"""
READOUT = {"taps": ["reduced"], "flip": True}
CONFIG: dict[str, Any] = {
    "data": {"name": "synthetic", "image_size": [64, 32]},
    "losses": {"triplet": {"on": ["global@reduced"], "margin": 1.2}},
    "training": {"threads": 1, "schedule": None, "extra": {}},
    "readouts": {"default": READOUT, "default-3f": READOUT | {"flip": False}},
}


class Study:
    """Writes a study piece by piece, the way a run leaves it, and reads back what MLflow holds."""

    def __init__(self, store: StudyStore) -> None:
        self.store = store
        write_atomically(store.study_file, STUDY_FILE)
        self.log = LogWriter(store.log, RunStarted(command="reid-search run mgn.yaml"))

    def ask(self, name: int | str, key: str, seed: int, **other: Any) -> None:
        settings = {"losses.triplet.on": "globals", "losses.triplet.margin": "1.2"}
        fields = {"key": key, "seed": seed, "settings": settings, "readouts": {"default": "default"}} | other
        if isinstance(name, int):
            self.log.append(Proposal(**{"phase": "search", "evaluate": "val", "number": name} | fields))
        else:
            self.log.append(ArmAsked(**{"phase": "ablate", "evaluate": "test", "arm": name} | fields))

    def begin(self, key: str, seed: int, config: Mapping[str, Any] = CONFIG) -> TrialFolder:
        folder = self.store.trial(key, seed)
        folder.write_config({"key": key, "seed": seed, "data_fingerprint": "00ff", "config": config})
        return folder

    def train(self, key: str, seed: int, epochs: range, *, offset: float = 0.0, seconds: float = 2.0) -> None:
        folder = self.store.trial(key, seed)
        for epoch in epochs:
            row = {"epoch": epoch, "images_seen": 500 * epoch, "val/mAP": epoch / 10, "default-3f/val/mAP": epoch / 20}
            folder.append_epoch(row | {"loss": 1 / epoch + offset, "loss/triplet": 2 / epoch + offset})
            folder.add_seconds(seconds)

    def end(
        self,
        key: str,
        seed: int,
        status: Any = "finished",
        reason: str | None = None,
        readouts: Mapping[str, Mapping[str, float]] | None = None,
        config: Mapping[str, Any] = CONFIG,
    ) -> None:
        folder = self.store.trial(key, seed)
        metrics = readouts or {"default": {"val/mAP": 0.4}, "default-3f": {"val/mAP": 0.2}}
        finished = status == "finished"
        folder.write_record(
            Record(
                key=key,
                seed=seed,
                status=status,
                reason=reason,
                config=dict(config),
                data_fingerprint="00ff",
                device_type="cpu",
                images_seen=2000,
                parameters={"model": 24_558_656, "losses": 1_536_000} if finished else {},
                macs=1_210_000_000 if finished else None,
                readouts={
                    name: ReadoutResult(config=READOUT, dim=256, metrics=dict(values), cmc={"val": [0.5, 0.75]})
                    for name, values in metrics.items()
                }
                if finished
                else {},
                context=RunContext(
                    seconds=folder.seconds(),
                    host="node-1",
                    device="cpu (x86_64)",
                    versions={},
                    git_commit="0123456789abcdef",
                    ended="2026-11-24T12:00:00+00:00",
                ),
            )
        )

    def whole(self, key: str, seed: int, **end: Any) -> None:
        self.begin(key, seed)
        self.train(key, seed, range(1, 5))
        self.end(key, seed, **end)


class Tracked:
    """What MLflow holds, read with its own client."""

    def __init__(self, storage: Path, uri: str | None = None, study: str = "mgn") -> None:
        self.study = study
        self.client = MlflowClient(uri or tracking_uri(storage))
        self.database = storage / "mlflow.db"

    def runs(self) -> list[Run]:
        experiment = self.client.get_experiment_by_name(self.study)
        assert experiment is not None
        return list(self.client.search_runs([experiment.experiment_id], max_results=1000))

    def parent(self) -> Run:
        (run,) = [run for run in self.runs() if "mlflow.parentRunId" not in run.data.tags]
        return run

    def children(self) -> dict[str, Run]:
        """Return the runs of trials by their tag."""
        runs = self.runs()
        under = [run for run in runs if "mlflow.parentRunId" in run.data.tags]
        assert {run.data.tags["mlflow.parentRunId"] for run in under} <= {self.parent().info.run_id}
        children = [run for run in under if run.data.tags["kind"] == "trial"]
        named = {run.data.tags["reid_search.id"]: run for run in children}
        assert len(named) == len(children), "two runs stand for the same"
        return named

    def arms(self) -> dict[str, Run]:
        """Return the runs that sum up arms, by their names."""
        arms = [run for run in self.runs() if run.data.tags.get("kind") == "arm"]
        named = {str(run.info.run_name): run for run in arms}
        assert len(named) == len(arms), "two runs stand for the same"
        return named

    def trial(self, key: str, seed: int, readout: str | None = None) -> Run:
        return self.children()[f"{key}-s{seed}" + (f":{readout}" if readout else "")]

    def history(self, run: Run, metric: str) -> list[tuple[int, float]]:
        return [(item.step, item.value) for item in self.client.get_metric_history(run.info.run_id, metric)]

    def everything(self) -> dict[str, list[Any]]:
        """Return the rows of all that could be there twice, read past MLflow from its tables, by run."""
        tables = {
            "metrics": "key, step, value",
            "params": "key, value",
            "tags": "key, value",
        }
        found: dict[str, list[Any]] = {}
        with contextlib.closing(sqlite3.connect(self.database)) as connection:
            alive = "lifecycle_stage = 'active'"
            for run, status in connection.execute(f"SELECT run_uuid, status FROM runs WHERE {alive}"):
                found[run] = [status]
                for table, columns in tables.items():
                    query = f"SELECT {columns} FROM {table} WHERE run_uuid = ? ORDER BY {columns}"
                    found[run].append(connection.execute(query, (run,)).fetchall())
        for run, content in found.items():
            content.append(sorted(item.path for item in self.client.list_artifacts(run)))
        return found

    def text(self, run: Run, name: str) -> str:
        return self.path(run, name).read_text(encoding="utf-8")

    def path(self, run: Run, name: str) -> Path:
        return Path(self.client.download_artifacts(run.info.run_id, name))


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty MLflow database; its tables take seconds to make."""
    storage = tmp_path_factory.mktemp("template")
    connect(storage, tracking_uri(storage))
    return storage / "mlflow.db"


@pytest.fixture
def storage(tmp_path: Path, database: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = tmp_path / "my runs"
    folder.mkdir()
    shutil.copy(database, folder / "mlflow.db")
    return folder


@pytest.fixture
def study(storage: Path) -> Study:
    return Study(StudyStore(storage, "mgn"))


@pytest.fixture
def tracked(storage: Path) -> Tracked:
    return Tracked(storage)


@pytest.fixture
def shared(tmp_path: Path, database: Path) -> tuple[str, Tracked]:
    """Return a database that is not the storage's own, by its address, and what it holds."""
    folder = tmp_path / "shared"
    folder.mkdir()
    shutil.copy(database, folder / "mlflow.db")
    uri = tracking_uri(folder)
    return uri, Tracked(folder)


@pytest.fixture
def closed_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def track() -> Callable[..., Tracked]:
    """Return what connects to a storage's database when called; a test that forks must not have done so before."""
    return Tracked


@pytest.fixture
def make_study() -> Callable[[StudyStore], Study]:
    """Return what begins a study in a store."""
    return Study
