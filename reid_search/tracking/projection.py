"""A study's store, projected into MLflow run by run; the only place that writes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reid_search.errors import RecordError
from reid_search.records import Record, StudyStore, TrialFolder
from reid_search.tracking.asks import Asked, Identity, asked_trials
from reid_search.tracking.connection import writing
from reid_search.tracking.content import RunContent
from reid_search.tracking.experiment import StudyExperiment
from reid_search.tracking.place import tracking_uri
from reid_search.tracking.study_content import STUDY_ID, study_content
from reid_search.tracking.trial_content import trial_content
from reid_search.tracking.writer import is_up_to_date

if TYPE_CHECKING:
    from mlflow.entities import Run


class Projection:
    """Writes a study's store into MLflow. Nothing is imported or written before the first call.

    Its methods raise RecordError where a file of the store cannot be read, and whatever MLflow raises where it cannot
    be reached. They can be repeated: a run that is up to date is left alone.

    Args:
        store: The study's store.
        uri: Where MLflow keeps it; `tracking_uri` says where if omitted.
    """

    def __init__(self, store: StudyStore, uri: str | None = None) -> None:
        self.store = store
        self.uri = uri or tracking_uri(store.storage)
        self._experiment: StudyExperiment | None = None
        self._parent = ""

    def sync_study(self, *, at_work: bool) -> bool:
        """Bring the study's own run up to date, under which the trials' runs lie.

        Args:
            at_work: Whether a run of the study is at work.

        Returns:
            Whether anything was written.
        """
        records = {identity: _record(folder) for identity, folder in trial_folders(self.store)}
        return self._write(study_content(self.store, list(self.store.asked), records, at_work=at_work))

    def sync_trial(self, key: str, seed: int, *, running: bool = False) -> bool:
        """Bring the run of one trial up to date.

        Args:
            key: The trial's key.
            seed: Its seed.
            running: Whether it runs at the moment. Its record, where it has one, says more.

        Returns:
            Whether anything was written.
        """
        asked = asked_trials(self.store.asked).get((key, seed), Asked())
        return self.sync_folder(self.store.trial(key, seed), seed, asked, running=running)

    def sync_folder(
        self, folder: TrialFolder, seed: int, asked: Asked, *, running: bool, known: "Run | None" = None
    ) -> bool:
        """Bring the run of one trial up to date, as `sync_trial`, from what was read before.

        Args:
            folder: The trial's folder.
            seed: Its seed.
            asked: Who asked for it.
            running: Whether it runs at the moment.
            known: Its run as it was a moment ago, which spares looking where nothing changed.
        """
        if not self._parent:
            self.sync_study(at_work=running)
        content = trial_content(folder, seed, asked, running=running, parent=self._parent)
        if known is not None and is_up_to_date(known, content):
            return False
        return self._write(content)

    def runs(self) -> "dict[str, Run]":
        """Return every run of the study by what it is found by: `study`, or the name of a trial's folder."""
        with writing(self.store):
            return self._opened().runs()

    def forget(self, run: "Run") -> bool:
        """Take away the run of a trial that the store does not know; return whether anything was written.

        On a server that others may write to, it stays and is only ended.
        """
        with writing(self.store):
            experiment = self._opened()
            if experiment.owned:
                experiment.delete(run)
                return True
            if run.info.status == "RUNNING":
                experiment.writer.end(run, "unknown to the store")
                return True
        return False

    def close(self) -> None:
        """Let go of the connection; the next call makes another."""
        self._experiment = None
        self._parent = ""

    def _opened(self) -> StudyExperiment:
        if self._experiment is None:
            self._experiment = StudyExperiment(self.store, self.uri)
        return self._experiment

    def _write(self, content: RunContent) -> bool:
        """Find the run and bring it to its content, while nobody else makes runs."""
        with writing(self.store):
            experiment = self._opened()
            run_id, written = experiment.writer.write(experiment.find(content.id), content)
        if content.id == STUDY_ID:
            self._parent = run_id
        return written


def trial_folders(store: StudyStore) -> Iterator[tuple[Identity, TrialFolder]]:
    """Yield the folder of each trial with its key and seed, sorted by name."""
    for folder in store.trials():
        key, separator, seed = folder.path.name.rpartition("-s")
        if separator and seed.isdigit():
            yield (key, int(seed)), folder


def _record(folder: TrialFolder) -> Record | None:
    """Return a record; None where there is none that can be read, which is told where its own run is written."""
    try:
        return folder.record()
    except RecordError:
        return None
