"""The MLflow experiment of a study, whose runs are found by their tag."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from reid_search.errors import ReidSearchError
from reid_search.records import StudyStore
from reid_search.study.trial.key import digest
from reid_search.tracking.connection import connect
from reid_search.tracking.content import NOTE_TAG
from reid_search.tracking.place import artifact_location, is_own_database
from reid_search.tracking.writer import ID_TAG, RunWriter

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

_PAGE = 500
_STORE_TAG = "reid_search.store"
_NOTED_TAG = "reid_search.note"  # hash of the note that was written last, by which a person's is told from it


def _noted(note: str) -> str:
    return digest(note) if note else ""


class StudyExperiment:
    """Finds a study's runs in MLflow; makes its experiment. Open it under `Storage.writing_to_mlflow`.

    Raises:
        ReidSearchError: The storage was moved after its database was made.
        Exception: Whatever MLflow raises if it cannot be reached.
    """

    def __init__(self, store: StudyStore, uri: str) -> None:
        self.owned = is_own_database(store.storage, uri)
        self._client: MlflowClient = connect(store.storage, uri)
        self._id = self._opened(store, uri)
        self.writer = RunWriter(self._client, self._id)

    @property
    def id(self) -> str:
        """Its id in MLflow."""
        return self._id

    def find(self, run_id: str) -> "Run | None":
        """Return the current run of a trial, or of the study."""
        found = self._client.search_runs([self._id], f"tags.`{ID_TAG}` = '{run_id}'", max_results=1)
        return found[0] if found else None

    def runs(self) -> "dict[str, Run]":
        """Return all runs by their tag; if two have the same tag, one is deleted."""
        found: dict[str, Run] = {}
        for run in list(self._pages()):
            name = run.data.tags.get(ID_TAG)
            if name in found:
                self.delete(run)
            elif name is not None:
                found[name] = run
        return found

    def delete(self, run: "Run") -> None:
        """Delete a run."""
        self._client.delete_run(run.info.run_id)

    def describe(self, tags: Mapping[str, str], note: str, began: str) -> bool:
        """Set tags and note of the experiment; return whether anything was written.

        A note that a person wrote stays. So does everything that another store of a study of this name wrote, told by
        the time at which its study `began`.
        """
        held = self._client.get_experiment(self._id).tags
        if not self.owned and held.get(_STORE_TAG, began) != began:
            return False
        wanted = {**tags, _STORE_TAG: began}
        if note and held.get(_NOTED_TAG, "") == _noted(held.get(NOTE_TAG, "")):
            wanted |= {NOTE_TAG: note, _NOTED_TAG: _noted(note)}
        changed = {name: text for name, text in wanted.items() if text and held.get(name) != text}
        for name, text in changed.items():
            self._client.set_experiment_tag(self._id, name, text)
        return bool(changed)

    def _pages(self) -> "Iterator[Run]":
        token: str | None = None
        while True:
            page = self._client.search_runs([self._id], max_results=_PAGE, page_token=token)
            yield from page
            token = page.token
            if not token:
                return

    def _opened(self, store: StudyStore, uri: str) -> str:
        location = artifact_location(store.storage, uri, store.name)
        experiment = self._client.get_experiment_by_name(store.name)
        if experiment is None:
            return str(self._client.create_experiment(store.name, location, tags={"study": store.name}))
        if experiment.lifecycle_stage != "active":
            self._client.restore_experiment(experiment.experiment_id)
        if self.owned and experiment.artifact_location != location:
            raise ReidSearchError(
                f"it was made for artifacts in {experiment.artifact_location}, and the storage has moved since; "
                "delete mlflow.db; it will be made again from the records"
            )
        return str(experiment.experiment_id)
