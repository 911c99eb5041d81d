"""A trial's folder and its record."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from reid_search.errors import RecordError, RequestError
from reid_search.records import ReadoutResult, Record, Storage, StudyStore, TrialFolder, TrialId

MakeRecord = Callable[..., Record]


@pytest.fixture
def folder(tmp_path: Path) -> TrialFolder:
    return TrialFolder(tmp_path / "trials" / "k-s1")


@pytest.mark.parametrize("status", ["finished", "stopped", "failed"])
def test_a_record_comes_back_to_the_last_digit(status: str, folder: TrialFolder, record: MakeRecord) -> None:
    assert folder.record() is None
    written = record(status=status, reason="because", macs=None)
    folder.write_record(written)
    assert folder.record() == written
    folder.remove_record()
    assert folder.record() is None
    folder.remove_record()


def test_a_record_cut_anywhere_names_the_file(folder: TrialFolder, record: MakeRecord) -> None:
    folder.write_record(record())
    path = folder.path / "record.json"
    text = path.read_bytes()
    for cut in range(0, len(text) - 2, 23):
        path.write_bytes(text[:cut])
        with pytest.raises(RecordError, match=r"k-s1/record\.json: not readable as JSON"):
            folder.record()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema_version": 2}, "schema_version 2; this release reads 1"),
        ({"schema_version": None}, "schema_version None; this release reads 1"),
        ({"status": "running"}, "status: "),
        ({"extra": 1}, "extra: "),
        ({"seed": "one"}, "seed: "),
        ({"readouts": {"default": {"dim": 3, "config": {}, "metrics": {"test/mAP": None}}}}, "test/mAP"),
    ],
)
def test_a_record_of_another_kind_names_file_and_entry(
    changes: dict[str, object], message: str, folder: TrialFolder, record: MakeRecord
) -> None:
    folder.write_record(record())
    path = folder.path / "record.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    with pytest.raises(RecordError, match=rf"k-s1/record\.json: .*{message}"):
        folder.record()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_measurement_that_is_no_number_never_enters_a_record(value: float) -> None:
    with pytest.raises(ValidationError, match="finite"):
        ReadoutResult(config={}, dim=3, metrics={"test/mAP": value})


def test_a_record_is_frozen(record: MakeRecord) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        record().status = "failed"


def test_config_and_epochs(folder: TrialFolder) -> None:
    assert folder.config() is None
    assert folder.epochs() == []
    folder.write_config({"key": "k", "seed": 1})
    for epoch in (1, 2, 3):
        folder.append_epoch({"epoch": epoch})
    assert folder.config() == {"key": "k", "seed": 1}
    assert folder.epochs() == [{"epoch": 1}, {"epoch": 2}, {"epoch": 3}]


@pytest.mark.parametrize("cut", ["", '{"epoch": 4, "lo'])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 9])
def test_keeping_the_first_epochs(count: int, cut: str, folder: TrialFolder) -> None:
    folder.keep_epochs(count)
    rows = [{"epoch": epoch, "loss": 0.5} for epoch in (1, 2, 3)]
    for row in rows:
        folder.append_epoch(row)
    with (folder.path / "epochs.jsonl").open("a") as file:
        file.write(cut)
    folder.keep_epochs(count)
    assert folder.epochs() == rows[:count]
    folder.append_epoch({"epoch": 7})
    assert folder.epochs() == [*rows[:count], {"epoch": 7}]


def test_seconds_add_up_over_interruptions(folder: TrialFolder) -> None:
    assert folder.seconds() == 0
    folder.add_seconds(1.5)
    folder.add_seconds(2)
    assert folder.seconds() == 3.5


def test_per_query_tables(folder: TrialFolder) -> None:
    table = pa.table({"identity": [3, 5], "average_precision": [0.5, 1.0]})
    folder.write_per_query("default", table)
    assert pq.read_table(folder.path / "readouts" / "default" / "per_query.parquet").equals(table)


def test_a_study_finds_its_trials_by_key_and_seed(tmp_path: Path) -> None:
    store = StudyStore(tmp_path, "study")
    assert list(store.trials()) == []
    for key, seed in (("b", 1), ("a", 2), ("a", 10)):
        store.trial(key, seed).write_config({})
    (store.path / "trials" / "notes.txt").write_text("x")
    assert [folder.path.name for folder in store.trials()] == ["a-s10", "a-s2", "b-s1"]
    assert store.trial("a", 2).path == tmp_path / "study" / "trials" / str(TrialId("a", 2))
    assert StudyStore.at(store.path) == store
    assert {store.study_file.name, store.report.name, store.log.path.name} == {"study.yaml", "report", "asked.jsonl"}


def test_a_study_cannot_have_the_name_of_a_file_of_mlflow(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    own = [storage.database.name, storage.artifacts.name, f"{storage.database.name}-wal", "MLflow.db"]
    for name in own:
        with pytest.raises(RequestError, match=f"'{name}' is where MLflow keeps its own files") as caught:
            storage.study(name)
        assert caught.value.exit_code == 2
        (tmp_path / name).mkdir()
        (tmp_path / name / "study.yaml").touch()
    for name in ("mlflow", "mlflow.db.2"):
        storage.study(name).write_study({"name": name})
    assert [study.name for study in storage.studies()] == ["mlflow", "mlflow.db.2"]
