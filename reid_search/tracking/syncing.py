"""Updating a whole study in MLflow, with a warning for everything that goes wrong."""

import shlex
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from reid_search.analysis import arm_values
from reid_search.records import Status, StudyState, StudyStore, TrialId
from reid_search.tracking.arm_content import arm_id
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
        arms = _sync_arms(projection, state, result, runs, at_work=at_work)
        for name in sorted(_unknown(wanted, runs, running) - arms):
            result.written += projection.forget(runs[name])
        projection.sync_page(state)
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
    attempts = _Attempts(result)
    for name, trial in state.trials.items():
        if trial.status == Status.UNREADABLE:
            result.warnings.append(str(trial.reason))
            continue
        first = runs.get(str(name))
        runs_now = name in running if running is not None else first is None or first.info.status == "RUNNING"
        for run in wanted[name]:
            attempts.count(run.id, partial(projection.sync_run, run, state, running=runs_now, known=runs.get(run.id)))


def _sync_arms(
    projection: Projection, state: StudyState, result: SyncResult, runs: "Mapping[str, Run]", *, at_work: bool
) -> set[str]:
    """Update the run of every arm, after those of its trials; return the tags of these runs."""
    attempts, found = _Attempts(result), set()
    for arm in arm_values(state):
        name = arm_id(arm.phase, arm.arm)
        found.add(name)
        attempts.count(name, partial(projection.sync_arm, arm, state, at_work=at_work, known=runs.get(name)))
    return found


class _Attempts:
    """Counts the runs that a server refuses; it may refuse one and accept the next, but not several in a row."""

    def __init__(self, result: SyncResult) -> None:
        self._result = result
        self._failures = 0

    def count(self, name: str, write: Callable[[], bool]) -> None:
        """Write a run; raise if it is one of several in a row that MLflow refused."""
        try:
            self._result.count(write())
            self._failures = 0
        except Exception as error:
            self._failures += 1
            if self._failures == _FAILURES_IN_A_ROW:
                raise
            self._result.warnings.append(f"{name}: {_first_line(error)}")
            self._result.complete = False


def _unknown(
    wanted: Mapping[TrialId, list[TrialRun]], runs: "Mapping[str, Run]", running: Collection[TrialId] | None
) -> set[str]:
    """Return the runs of no trial in the store; a running trial may not have written anything yet."""
    known = {run.id for of_trial in wanted.values() for run in of_trial}
    if running is None:
        known |= {name for name, run in runs.items() if run.info.status == "RUNNING"}
    return set(runs) - known


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0] or type(error).__name__
