"""A study's store, projected into MLflow run by run. Only this module starts a write."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from reid_search.analysis import ArmValue, arm_verdicts
from reid_search.records import Storage, StudyReader, StudyState, StudyStore
from reid_search.tracking.arm_content import arm_content
from reid_search.tracking.content import RunContent
from reid_search.tracking.experiment import StudyExperiment
from reid_search.tracking.experiment_content import experiment_tags, note
from reid_search.tracking.place import tracking_uri
from reid_search.tracking.study_content import STUDY_ID, study_content
from reid_search.tracking.trial_content import trial_content
from reid_search.tracking.trial_runs import TrialRun
from reid_search.tracking.writer import is_up_to_date

if TYPE_CHECKING:
    from mlflow.entities import Run


class Projection:
    """Writes a study's store into MLflow. Nothing is imported or written before the first call.

    Its methods raise RecordError if a file of the store cannot be read, and whatever MLflow raises if it cannot be
    reached. They can be repeated: a run that is up to date is left alone.

    Args:
        uri: Where MLflow keeps the study; `tracking_uri` by default.
    """

    def __init__(self, store: StudyStore, uri: str | None = None) -> None:
        self.store = store
        self.uri = uri or tracking_uri(store.storage)
        self._storage = Storage(store.storage)
        self._reader = StudyReader(store)
        self._experiment: StudyExperiment | None = None
        self._parent = ""
        self._verdicts: Mapping[tuple[str, str], list[str]] = {}

    def state(self) -> StudyState:
        """Return the study as it is now; what has not changed since the last call is not read again."""
        return self._reader.state()

    def sync_study(self, state: StudyState, *, at_work: bool) -> bool:
        """Update the study's run, the parent of the others; return whether anything was written."""
        self._verdicts = arm_verdicts(self.store.path, list(state.ablations))
        return self._write(study_content(state, at_work=at_work))

    def sync_page(self, state: StudyState) -> bool:
        """Update what the experiment's page opens with, once its runs are there; return whether anything was written.

        How MLflow keeps views is its own business, so a server that refuses them costs a view and nothing else.
        """
        from mlflow.exceptions import MlflowException

        with self._storage.writing_to_mlflow():
            experiment = self._opened()
            try:
                text = note(state, experiment.id, self._parent)
                return experiment.describe(experiment_tags(state), text, state.history.began)
            except MlflowException:
                return False

    def sync_arm(self, arm: ArmValue, state: StudyState, *, at_work: bool, known: "Run | None" = None) -> bool:
        """Update the run that sums up an arm, as `sync_run` does that of a trial; return whether anything was written.

        Args:
            arm: The arm.
            state: The study.
            at_work: Whether the study is running.
            known: The run as MLflow had it a moment ago.
        """
        if not self._parent:
            self.sync_study(state, at_work=at_work)
        content = arm_content(
            arm,
            state,
            self._verdicts.get((arm.phase, arm.arm), ()),
            at_work=at_work,
            parent=self._parent,
            with_phase=len(state.ablations) > 1,
        )
        if known is not None and is_up_to_date(known, content):
            return False
        return self._write(content)

    def sync_run(self, run: TrialRun, state: StudyState, *, running: bool, known: "Run | None" = None) -> bool:
        """Update one run of a trial; return whether anything was written.

        Args:
            run: The run.
            state: The study.
            running: Whether the trial is running; its record, if there is one, overrides this.
            known: The run as MLflow had it a moment ago, which saves a look-up if nothing changed.
        """
        if not self._parent:
            self.sync_study(state, at_work=running)
        said = [text for ask in run.asks for text in self._verdicts.get((ask.phase, ask.label), ())]
        content = trial_content(run, state, list(dict.fromkeys(said)), running=running, parent=self._parent)
        if known is not None and is_up_to_date(known, content):
            return False
        return self._write(content)

    def runs(self) -> "dict[str, Run]":
        """Return every run of the study by its tag: `study`, the id of an arm, or that of a `TrialRun`."""
        with self._storage.writing_to_mlflow():
            return self._opened().runs()

    def forget(self, run: "Run") -> bool:
        """Delete the run of a trial that the store does not know; return whether anything was written.

        On a server that others may write to, the run stays and is only ended.
        """
        with self._storage.writing_to_mlflow():
            experiment = self._opened()
            if experiment.owned:
                experiment.delete(run)
                return True
            if run.info.status == "RUNNING":
                experiment.writer.end(run, "unknown to the store")
                return True
        return False

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        self._experiment = None
        self._parent = ""

    def _opened(self) -> StudyExperiment:
        if self._experiment is None:
            self._experiment = StudyExperiment(self.store, self.uri)
        return self._experiment

    def _write(self, content: RunContent) -> bool:
        """Find the run and write its content, while nobody else makes runs."""
        with self._storage.writing_to_mlflow():
            experiment = self._opened()
            run_id, written = experiment.writer.write(experiment.find(content.id), content)
        if content.id == STUDY_ID:
            self._parent = run_id
        return written
