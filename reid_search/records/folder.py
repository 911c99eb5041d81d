"""One trial's folder."""

import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reid_search.errors import RecordError
from reid_search.records.code import CodeVersion
from reid_search.records.files import append_lines, json_object, read_lines, stamp, write_atomically, write_json
from reid_search.records.identity import TrialId
from reid_search.records.locks import locked
from reid_search.records.reading import check_version, reading
from reid_search.records.record import RECORD_VERSION, Epoch, Record, Spent, Started

if TYPE_CHECKING:
    import pyarrow as pa


class TrialFolder:
    """Reads and writes what one trial leaves in `<store>/<study>/trials/<key>-s<seed>`, made at the first write."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def id(self) -> TrialId:
        """The trial that the folder is named after."""
        found = TrialId.parse(self.path.name)
        if found is None:
            raise RecordError(f"{self.path}: expected a folder named <key>-s<seed>")
        return found

    @property
    def checkpoints(self) -> Path:
        """Folder of the trial's checkpoints."""
        return self.path / "checkpoint"

    def at_work(self, patience: float) -> AbstractContextManager[None]:
        """Hold the trial's lock while the block runs.

        Raises:
            RequestError: Another process held it for `patience` seconds.
        """
        return locked(self.path / ".lock", "this trial is being trained by {holder}", patience=patience)

    def write_traceback(self, text: str) -> None:
        """Write `error.txt`, which shows where in the code a trial failed."""
        write_atomically(self.path / "error.txt", text)

    def stamp(self) -> tuple[object, ...]:
        """Return what changes with the files that `read_trial` reads; once there is a record, only it can change."""
        record = stamp(self.path / "record.json")
        others = ("config.json", "epochs.jsonl", "times.jsonl")
        return (record,) if record else tuple(stamp(self.path / name) for name in others)

    def write_config(self, content: Mapping[str, object]) -> None:
        """Write `config.json`: `key`, `seed`, `data_fingerprint`, `config` and `code`."""
        write_json(self.path / "config.json", content)

    def config(self) -> dict[str, Any] | None:
        """Return `config.json`, or None before the trial started."""
        path = self.path / "config.json"
        if not path.exists():
            return None
        with reading(path):
            return json_object(path.read_bytes(), Started)

    def code(self) -> CodeVersion | None:
        """Return the code that trains it, or None before it started, or if its release did not note it."""
        content = self.config() or {}
        return Started.model_validate(content).code

    def append_epoch(self, row: Mapping[str, object]) -> None:
        """Append one epoch and wait until it is on the disk."""
        append_lines(self.path / "epochs.jsonl", [row])

    def epochs(self) -> list[dict[str, Any]]:
        """Return the epochs in order, without a line cut by a crash."""
        return list(read_lines(self.path / "epochs.jsonl", Epoch))

    def keep_epochs(self, count: int) -> None:
        """Drop every epoch after the first `count`; a resumed trial measures them again."""
        path = self.path / "epochs.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
        if len(lines) > count:
            write_atomically(path, "".join(lines[:count]))

    def add_seconds(self, seconds: float) -> None:
        """Note time spent, apart from the epochs, which repeat to the last digit."""
        append_lines(self.path / "times.jsonl", [{"seconds": seconds}])

    def seconds(self) -> float:
        """Return the time spent so far, over all interruptions."""
        return float(sum(self.times()))

    def times(self) -> list[float]:
        """Return the seconds of each epoch and of everything else that took time."""
        return [float(row["seconds"]) for row in read_lines(self.path / "times.jsonl", Spent)]

    def write_record(self, record: Record) -> None:
        """Write `record.json` atomically."""
        write_atomically(self.path / "record.json", record.model_dump_json(indent=2) + "\n")

    def record(self) -> Record | None:
        """Return the record, or None if the trial is running or was interrupted.

        Raises:
            RecordError: The file is cut, has another version, or holds what cannot be (a mAP of 7.5).
        """
        path = self.path / "record.json"
        if not path.exists():
            return None
        with reading(path):
            content = json_object(path.read_bytes())
            check_version(path, "schema_version", content.get("schema_version"), RECORD_VERSION)
            return Record.model_validate(content)

    def has_record(self) -> bool:
        """Say whether the trial is over."""
        return (self.path / "record.json").exists()

    def remove_record(self) -> None:
        """Remove the record of a stopped or failed trial that will be resumed."""
        (self.path / "record.json").unlink(missing_ok=True)

    def per_query(self, readout: str) -> Path:
        """Return the file of a readout's measurements of every query."""
        return self.path / "readouts" / readout / "per_query.parquet"

    def remove_weights(self) -> None:
        """Remove the trial's checkpoints."""
        shutil.rmtree(self.checkpoints, ignore_errors=True)

    def write_per_query(self, readout: str, table: "pa.Table") -> None:
        """Write a readout's measurements of every query as Parquet."""
        import io

        import pyarrow.parquet as pq

        buffer = io.BytesIO()
        pq.write_table(table, buffer)
        write_atomically(self.per_query(readout), buffer.getvalue())
