"""Bringing everything of a study up to date in MLflow, with whatever goes wrong told in the end."""

import fcntl
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reid_search.errors import RecordError
from reid_search.records import StudyStore, trial_folder_name
from reid_search.tracking.asks import Asked, Identity, asked_trials
from reid_search.tracking.place import shown, without_password
from reid_search.tracking.projection import Projection, trial_folders
from reid_search.tracking.study_content import STUDY_ID

if TYPE_CHECKING:
    from mlflow.entities import Run

_FAILURES_IN_A_ROW = 3


@dataclass
class SyncResult:
    """How bringing MLflow up to date went.

    Attributes:
        written: Runs that were made, changed or taken away.
        unchanged: Runs that were up to date.
        warnings: What could not be brought up to date, and why.
        complete: Whether MLflow took everything that could be read.
    """

    written: int = 0
    unchanged: int = 0
    warnings: list[str] = field(default_factory=list)
    complete: bool = True

    def count(self, written: bool) -> None:
        """Count a run."""
        self.written += written
        self.unchanged += not written


def sync_study(store: StudyStore, uri: str | None = None) -> SyncResult:
    """Bring MLflow up to date with everything that a study's store holds; repeatable at any time.

    Args:
        store: The study's store.
        uri: Where MLflow keeps it; `tracking_uri` says where if omitted.

    Returns:
        What was written, and warnings where something could not be. Nothing is raised.
    """
    at_work = is_at_work(store)
    return sync_everything(Projection(store, uri), None if at_work else (), at_work=at_work)


def sync_everything(projection: Projection, running: Collection[Identity] | None, *, at_work: bool) -> SyncResult:
    """Bring the study's run and all trials' up to date. One unreadable trial does not keep the others out.

    Args:
        projection: Where to.
        running: The trials that run at the moment; None where only the process that runs them knows: then a trial
            without a record is taken to run unless MLflow says that it does not.
        at_work: Whether a run of the study is at work.

    Returns:
        What was written, and warnings. Nothing is raised.
    """
    result = SyncResult()
    try:
        result.count(projection.sync_study(at_work=at_work))
        runs = projection.runs()
        runs.pop(STUDY_ID, None)
        _sync_trials(projection, result, runs, running)
        for name in _unknown(projection.store, runs, running):
            result.written += projection.forget(runs[name])
    except Exception as error:  # whatever a tracking server does, the numbers are safe in the store
        result.warnings.append(warning(projection, error))
        result.complete = False
    return result


def is_at_work(store: StudyStore) -> bool:
    """Say whether a run of the study is at work: whether its lock is held."""
    path = store.path / ".lock"
    if not path.exists():
        return False
    with path.open(encoding="utf-8") as file:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def warning(projection: Projection, error: Exception) -> str:
    """Return an error as one line for a person."""
    uri, reason = projection.uri, without_password(_first_line(error), projection.uri)
    return (
        f"{shown(uri)}: {reason} (no number is lost: the records hold them all, and "
        f"`reid-search sync {projection.store.name}` brings MLflow up to date)"
    )


def _sync_trials(
    projection: Projection, result: SyncResult, runs: "Mapping[str, Run]", running: Collection[Identity] | None
) -> None:
    """Bring every trial up to date; give up, by raising, where MLflow fails for several in a row."""
    asked = asked_trials(projection.store.asked)
    failures = 0
    for identity, folder in trial_folders(projection.store):
        run = runs.get(folder.path.name)
        runs_now = identity in running if running is not None else run is None or run.info.status == "RUNNING"
        who = asked.get(identity, Asked())
        try:
            result.count(projection.sync_folder(folder, identity[1], who, running=runs_now, known=run))
            failures = 0
        except RecordError as error:
            result.warnings.append(str(error))
        except Exception as error:  # a server may refuse one run and take the next
            failures += 1
            if failures == _FAILURES_IN_A_ROW:
                raise
            result.warnings.append(f"{folder.path.name}: {_first_line(error)}")
            result.complete = False


def _unknown(store: StudyStore, runs: "Mapping[str, Run]", running: Collection[Identity] | None) -> list[str]:
    """Return the runs of trials that the store does not have; one that runs may not have written anything yet."""
    known = {folder.path.name for folder in store.trials()}
    if running is None:
        known |= {name for name, run in runs.items() if run.info.status == "RUNNING"}
    else:
        known |= {trial_folder_name(*identity) for identity in running}
    return sorted(set(runs) - known)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0] or type(error).__name__
