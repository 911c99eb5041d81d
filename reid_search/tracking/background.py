"""Keeping MLflow up to date while a study runs, from a thread that nobody waits for."""

import threading
from dataclasses import dataclass

from reid_search.analysis import arm_values
from reid_search.records import StudyState, StudyStore, TrialId
from reid_search.tracking.projection import Projection
from reid_search.tracking.syncing import sync_everything, warning
from reid_search.tracking.trial_runs import trial_runs


@dataclass(frozen=True)
class _Round:
    """What one round of the worker updates: the trials that changed, and those that are running."""

    changed: tuple[TrialId, ...]
    running: frozenset[TrialId]
    last: bool


class BackgroundSink:
    """Updates the runs of trials that changed on disk, from one worker thread.

    A trial that changes again before its turn is updated once. Running trials are updated every `refresh` seconds, so
    that their curves grow in MLflow. The first round updates everything, which repairs what a killed run left behind;
    so does the first round after MLflow could not be reached. The caller never sees an error.

    Args:
        uri: Where MLflow keeps the study; `tracking_uri` by default.
        refresh: Seconds between two updates of the running trials, and between two attempts to reach MLflow.
    """

    def __init__(self, store: StudyStore, uri: str | None = None, *, refresh: float = 10.0) -> None:
        self._projection = Projection(store, uri)
        self._refresh = refresh
        self._wake = threading.Condition()
        self._changed: dict[TrialId, None] = {}
        self._running: set[TrialId] = set()
        self._asks = 0
        self._closing = False
        self._worker: threading.Thread | None = None
        self._complete = False
        self._warnings: list[str] = []

    def sync_trial(self, key: str, seed: int, *, running: bool = False) -> None:
        """Note that a trial changed, and whether it is running; returns at once."""
        trial = TrialId(key, seed)
        with self._wake:
            if running:
                self._running.add(trial)
            else:
                self._running.discard(trial)
            self._changed[trial] = None
            # Not earlier: now the study's lock is held and Ray has been imported.
            if self._worker is None and not self._closing:
                self._worker = threading.Thread(target=self._work, name="mlflow", daemon=True)
                self._worker.start()
            self._wake.notify()

    def close(self, timeout: float = 120.0) -> list[str]:
        """Update everything and end, within `timeout` seconds; trials still running count as interrupted.

        Returns:
            What could not be updated, and why; empty if MLflow holds everything.
        """
        with self._wake:
            self._closing = True
            worker = self._worker
            self._wake.notify()
        if worker is None:
            return []
        worker.join(timeout)
        if worker.is_alive():
            late = TimeoutError(f"still busy {timeout:g} s after the run")
            return [*self._warnings, warning(self._projection, late)]
        return list(self._warnings)

    def _work(self) -> None:
        while True:
            due = self._next_round()
            self._bring_up_to_date(due)
            if due.last:
                self._projection.close()
                return

    def _next_round(self) -> _Round:
        """Wait until a trial changed or it is time for an update; after a failure, always wait."""
        with self._wake:
            begun = self._complete or not self._warnings
            self._wake.wait_for(lambda: self._closing or (begun and bool(self._changed)), self._refresh)
            if self._closing:
                self._changed.update(dict.fromkeys(sorted(self._running)))
                self._running.clear()
            due = _Round(tuple(self._changed), frozenset(self._running), self._closing)
            self._changed.clear()
            return due

    def _bring_up_to_date(self, due: _Round) -> None:
        if not self._complete:
            result = sync_everything(self._projection, due.running, at_work=not due.last)
            self._complete, self._warnings, self._asks = result.complete, result.warnings, result.asks
            return
        try:
            state = self._projection.state()
            trials = dict.fromkeys((*due.changed, *sorted(due.running), *self._newly_asked(state)))
            for trial, runs in trial_runs(state, trials).items():
                for run in runs:
                    self._projection.sync_run(run, state, running=trial in due.running)
            for arm in arm_values(state):
                if any(ask.trial in trials for ask in arm.asks):
                    self._projection.sync_arm(arm, state, at_work=not due.last)
            if due.changed or due.last:
                self._projection.sync_study(state, at_work=not due.last)
        except Exception as error:  # MLflow must never stop a study; the next round repairs everything
            self._complete, self._warnings = False, [warning(self._projection, error)]

    def _newly_asked(self, state: StudyState) -> list[TrialId]:
        """Return the trials on disk that were asked for since the last round, since they now serve another arm."""
        asks, self._asks = state.history.asks[self._asks :], len(state.history.asks)
        return [ask.trial for ask in asks if ask.trial in state.trials]
