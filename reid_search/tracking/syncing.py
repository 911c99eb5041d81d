"""Bringing everything of a study up to date in MLflow, with whatever goes wrong told in the end."""

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
    """How bringing MLflow up to date went.

    Attributes:
        written: Runs that were made, changed or taken away.
        unchanged: Runs that were up to date.
        warnings: What could not be brought up to date, and why.
        complete: Whether MLflow took everything that could be read.
        asks: How many asks of the log it knew of.
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
    """Bring MLflow up to date with everything that a study's store holds; repeatable at any time.

    Args:
        store: The study's store.
        uri: Where MLflow keeps it; `tracking_uri` says where if omitted.

    Returns:
        What was written, and warnings where something could not be. Nothing is raised.
    """
    at_work = store.is_at_work
    return sync_everything(Projection(store, uri), None if at_work else (), at_work=at_work)


def sync_everything(projection: Projection, running: Collection[TrialId] | None, *, at_work: bool) -> SyncResult:
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
        state = projection.state()
        result.asks = len(state.history.asks)
        result.count(projection.sync_study(state, at_work=at_work))
        runs = projection.runs()
        runs.pop(STUDY_ID, None)
        wanted = trial_runs(state, [*state.trials, *(running or ())])
        _sync_trials(projection, state, wanted, result, runs, running)
        for name in _unknown(wanted, runs, running):
            result.written += projection.forget(runs[name])
    except Exception as error:  # whatever a tracking server does, the numbers are safe in the store
        result.warnings.append(warning(projection, error))
        result.complete = False
    return result


def warning(projection: Projection, error: Exception) -> str:
    """Return an error as one line for a person."""
    uri, reason = projection.uri, without_password(_first_line(error), projection.uri)
    return (
        f"{shown(uri)}: {reason} (no number is lost: the records hold them all, and "
        f"`reid-search sync {projection.store.name}` brings MLflow up to date)"
    )


def _sync_trials(
    projection: Projection,
    state: StudyState,
    wanted: Mapping[TrialId, list[TrialRun]],
    result: SyncResult,
    runs: "Mapping[str, Run]",
    running: Collection[TrialId] | None,
) -> None:
    """Bring every trial up to date; give up, by raising, where MLflow fails for several runs in a row."""
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
            except Exception as error:  # a server may refuse one run and take the next
                failures += 1
                if failures == _FAILURES_IN_A_ROW:
                    raise
                result.warnings.append(f"{run.id}: {_first_line(error)}")
                result.complete = False


def _unknown(
    wanted: Mapping[TrialId, list[TrialRun]], runs: "Mapping[str, Run]", running: Collection[TrialId] | None
) -> list[str]:
    """Return the runs that stand for nothing in the store; a trial that runs may not have written anything yet."""
    known = {run.id for of_trial in wanted.values() for run in of_trial}
    if running is None:
        known |= {name for name, run in runs.items() if run.info.status == "RUNNING"}
    return sorted(set(runs) - known)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0] or type(error).__name__
