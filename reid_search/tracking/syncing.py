"""Updating a whole study in MLflow, with a warning for everything that goes wrong."""

import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reid_search.records import Status, StudyState, StudyStore, TrialId
from reid_search.tracking.place import shown, without_password
from reid_search.tracking.projection import Projection
from reid_search.tracking.study_content import STUDY_ID
from reid_search.tracking.trial_runs import TrialRun, trial_runs

if TYPE_CHECKING:
    from mlflow.entities import Run

_FAILURES_IN_A_ROW = 3


@dataclass
class SyncResult:
    """The outcome of updating MLflow.

    Attributes:
        written: Number of runs that were made, changed or deleted.
        unchanged: Number of runs that were up to date.
        warnings: What could not be updated, and why.
        complete: Whether MLflow took everything that could be read.
        asks: Number of asks in the log at that time.
    """

    written: int = 0
    unchanged: int = 0
    warnings: list[str] = field(default_factory=list)
    complete: bool = True
    asks: int = 0

    def count(self, written: bool) -> None:
        """Count a run."""
        self.written += written
        self.unchanged += not written


def sync_study(store: StudyStore, uri: str | None = None) -> SyncResult:
    """Update MLflow with everything in a study's store; repeatable at any time. Nothing is raised."""
    at_work = store.is_at_work
    return sync_everything(Projection(store, uri), None if at_work else (), at_work=at_work)


def sync_everything(projection: Projection, running: Collection[TrialId] | None, *, at_work: bool) -> SyncResult:
    """Update the runs of the study and of all its trials. Unreadable trials are skipped, and nothing is raised.

    Args:
        projection: The study in MLflow.
        running: The trials that are running; None if only another process knows. Then a trial without a record counts
            as running unless MLflow says that it has ended.
        at_work: Whether the study is running.
    """
    result = SyncResult()
    try:
        state = projection.state()
        result.asks = len(state.history.asks)
        result.count(projection.sync_study(state, at_work=at_work))
        runs = projection.runs()
        runs.pop(STUDY_ID, None)
        wanted = trial_runs(state, [*state.trials, *(running or ())])
        _sync_trials(projection, state, wanted, result, runs, running)
        for name in _unknown(wanted, runs, running):
            result.written += projection.forget(runs[name])
    except Exception as error:  # whatever a tracking server does, the store has the numbers
        result.warnings.append(warning(projection, error))
        result.complete = False
    return result


def warning(projection: Projection, error: Exception) -> str:
    """Return an error as one line for a person."""
    uri, reason = projection.uri, without_password(_first_line(error), projection.uri)
    return (
        f"{shown(uri)}: {reason} (no number is lost: the records hold them all, and "
        f"`reid-search sync {shlex.quote(str(projection.store.path))}` brings MLflow up to date)"
    )


def _sync_trials(
    projection: Projection,
    state: StudyState,
    wanted: Mapping[TrialId, list[TrialRun]],
    result: SyncResult,
    runs: "Mapping[str, Run]",
    running: Collection[TrialId] | None,
) -> None:
    """Update every trial; raise if MLflow fails for several runs in a row."""
    failures = 0
    for name, trial in state.trials.items():
        if trial.status == Status.UNREADABLE:
            result.warnings.append(str(trial.reason))
            continue
        first = runs.get(str(name))
        runs_now = name in running if running is not None else first is None or first.info.status == "RUNNING"
        for run in wanted[name]:
            try:
                result.count(projection.sync_run(run, state, running=runs_now, known=runs.get(run.id)))
                failures = 0
            except Exception as error:  # a server may refuse one run and accept the next
                failures += 1
                if failures == _FAILURES_IN_A_ROW:
                    raise
                result.warnings.append(f"{run.id}: {_first_line(error)}")
                result.complete = False


def _unknown(
    wanted: Mapping[TrialId, list[TrialRun]], runs: "Mapping[str, Run]", running: Collection[TrialId] | None
) -> list[str]:
    """Return the runs of nothing in the store; a running trial may not have written anything yet."""
    known = {run.id for of_trial in wanted.values() for run in of_trial}
    if running is None:
        known |= {name for name, run in runs.items() if run.info.status == "RUNNING"}
    return sorted(set(runs) - known)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0] or type(error).__name__
