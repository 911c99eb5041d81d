"""Where studies keep everything. Only `records` knows the names of a store's files, folders and locks."""

import contextlib
import re
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from reid_search.errors import RequestError, ResourceError
from reid_search.records.files import write_atomically
from reid_search.records.folder import TrialFolder
from reid_search.records.identity import TrialId
from reid_search.records.locks import Holder, holder_of, is_held, locked
from reid_search.records.log import StudyLog
from reid_search.records.reading import reading
from reid_search.study.language.document import read_document

_MLFLOW_PATIENCE = 120.0
_DATABASE, _ARTIFACTS = "mlflow.db", "mlartifacts"


@dataclass(frozen=True)
class Storage:
    """The folder that several studies share."""

    path: Path

    @property
    def database(self) -> Path:
        """MLflow's own database."""
        return self.path.resolve() / _DATABASE

    @property
    def unfinished_database(self) -> Path:
        """Where MLflow's database is made before it is moved into place."""
        return self.database.with_name(f".{self.database.name}.new")

    @property
    def artifacts(self) -> Path:
        """MLflow's artifacts."""
        return self.path.resolve() / _ARTIFACTS

    @property
    def server_log(self) -> Path:
        """The output of MLflow's server."""
        return self.path / ".mlflow-ui.log"

    def writing_to_mlflow(self) -> "contextlib.AbstractContextManager[None]":
        """Hold the lock on MLflow while the block runs, so that two processes never make the same run.

        Raises:
            RequestError: Another process held it for minutes.
        """
        path = self.path / ".mlflow.lock"
        busy = f"{path}: {{holder}} is writing to MLflow; try again when it has finished"
        return locked(path, busy, patience=_MLFLOW_PATIENCE)

    def study(self, name: str) -> "StudyStore":
        """Return the store of a study."""
        return StudyStore(self.path, name)

    def studies(self) -> "list[StudyStore]":
        """Return the studies that were run here, sorted by name."""
        found = {path.parent.name for name in ("asked.jsonl", "study.yaml") for path in self.path.glob(f"*/{name}")}
        return [self.study(name) for name in sorted(found) if not (name.startswith(".") or _is_of_mlflow(name))]


@dataclass(frozen=True)
class StudyStore:
    """The folders and files of one study.

    Raises:
        RequestError: The name is one of the files that MLflow keeps in the same storage.
    """

    storage: Path
    name: str

    def __post_init__(self) -> None:
        if _is_of_mlflow(self.name):
            message = f"'{self.name}' is where MLflow keeps its own files; give the study another `name`"
            raise RequestError(f"{self.path}: {message}, such as '{self.name.partition('.')[0]}-study'")

    @classmethod
    def at(cls, path: Path | str) -> "StudyStore":
        """Return the store whose study folder is `path`."""
        folder = Path(path).resolve()
        return cls(storage=folder.parent, name=folder.name)

    @property
    def path(self) -> Path:
        """`<storage>/<study>`."""
        return self.storage / self.name

    @property
    def study_file(self) -> Path:
        """The resolved study."""
        return self.path / "study.yaml"

    @property
    def log(self) -> StudyLog:
        """The log of what was asked for."""
        return StudyLog(self.path / "asked.jsonl")

    @property
    def report(self) -> Path:
        """Folder of the report."""
        return self.path / "report"

    @property
    def scratch(self) -> Path:
        """Scratch folder of a run, removed at its end; it lies on the storage that all nodes share."""
        return (self.path / ".ray").resolve()

    def exists(self) -> bool:
        """Say whether a study was run here."""
        return self.log.exists() or self.study_file.exists() or (self.path / "trials").exists()

    def trial(self, key: str, seed: int) -> TrialFolder:
        """Return a trial's folder."""
        return TrialFolder(self.path / "trials" / str(TrialId(key, seed)))

    def trials(self) -> Iterator[TrialFolder]:
        """Yield the folders of all trials, sorted by name, and nothing else that lies there."""
        folder = self.path / "trials"
        with reading(folder):
            paths = sorted(folder.iterdir()) if folder.exists() else []
        for path in paths:
            if path.is_dir() and TrialId.parse(path.name) is not None:
                yield TrialFolder(path)

    def study(self) -> Mapping[str, object]:
        """Return the resolved study; empty if there is none.

        Raises:
            StudyError: The file cannot be read.
        """
        return read_document(self.study_file).data if self.study_file.exists() else {}

    def write_study(self, content: Mapping[str, object]) -> None:
        """Write the resolved study."""
        from ruamel.yaml import YAML

        text = StringIO()
        yaml = YAML(typ="safe", pure=True)
        yaml.default_flow_style = None
        yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
        yaml.dump(content, text)
        write_atomically(self.study_file, text.getvalue())

    def running(self) -> "contextlib.AbstractContextManager[None]":
        """Hold the study's lock while the block runs.

        Raises:
            RequestError: Another run of the study holds it, or the storage cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or str(error)
            raise ResourceError(f"--storage {self.storage}: {self.path} cannot be made ({reason})") from error
        busy = f"{self.path}: this study is already running ({{holder}}); wait for it, or choose another --storage"
        return locked(self._lock, busy)

    @property
    def is_at_work(self) -> bool:
        """Whether the study is running."""
        return is_held(self._lock)

    @property
    def holder(self) -> Holder | None:
        """The process that runs the study; None if none does."""
        return holder_of(self._lock)

    def set_aside(self) -> Path | None:
        """Move everything but the lock to a new folder; call it while holding the lock (`running`).

        Returns:
            The folder; None if there was nothing to move.
        """
        kept = [path for path in sorted(self.path.iterdir()) if path != self._lock] if self.path.exists() else []
        if not kept:
            return None
        aside = self._aside
        aside.mkdir()
        for path in kept:
            shutil.move(path, aside / path.name)
        return aside

    def set_trials_aside(self, trials: Iterable[TrialId]) -> Path:
        """Move the folders of trials to a new folder, which is returned; call it while holding the lock (`running`)."""
        aside = self._aside / "trials"
        aside.mkdir(parents=True)
        for trial in trials:
            folder = self.trial(*trial).path
            shutil.move(folder, aside / folder.name)
        return aside

    def set_asides(self) -> "list[StudyStore]":
        """Return the stores of this study that were set aside, in order of time, as far as they hold a log."""
        begin = self._aside_begin
        names = [path.name for path in self.storage.glob(".*") if path.name.startswith(begin)]
        stores = [StudyStore(self.storage, name) for name in sorted(names)]
        return [store for store in stores if store.log.exists()]

    @property
    def day_set_aside(self) -> str:
        """The day on which this store was set aside, `2026-11-28`; empty for one that was not."""
        found = re.search(r"\.before-(\d{4})(\d\d)(\d\d)-\d{6}$", self.name)
        return "-".join(found.groups()) if found else ""

    @property
    def _aside(self) -> Path:
        return self.path.with_name(f"{self._aside_begin}{time.strftime('%Y%m%d-%H%M%S')}")

    @property
    def _aside_begin(self) -> str:
        return f".{self.name}.before-"

    @property
    def _lock(self) -> Path:
        return self.path / ".lock"


def _is_of_mlflow(name: str) -> bool:
    """Say whether a name in a storage is MLflow's, or SQLite's beside its database; some disks ignore case."""
    return name.lower() in (_DATABASE, _ARTIFACTS) or name.lower().startswith(f"{_DATABASE}-")
