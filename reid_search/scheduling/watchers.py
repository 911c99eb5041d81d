"""Those who watch a run. If one of them fails, the run goes on."""

from collections.abc import Callable

from reid_search.records import Trial
from reid_search.scheduling.jobs import Job
from reid_search.scheduling.observer import Observer, Row, TrialSink


class Watchers:
    """Tells an observer and a sink what happens; one that raises is told nothing more, as `problems` says."""

    def __init__(self, observer: Observer, sink: TrialSink | None) -> None:
        self._observer: Observer | None = observer
        self._sink = sink
        self.problems: list[str] = []

    def phase_started(self, name: str, kind: str, total: int, done: int) -> None:
        """A phase begins."""
        self._tell(lambda watcher: watcher.phase_started(name, kind, total, done))

    def trial_started(self, job: Job) -> None:
        """A job runs now."""
        self._tell(lambda watcher: watcher.trial_started(job.label))
        self._sync(job, running=True)

    def trial_progress(self, job: Job, row: Row) -> None:
        """A job reported an epoch."""
        self._tell(lambda watcher: watcher.trial_progress(job.label, row))

    def trial_ended(self, job: Job, trial: Trial, value: float | None) -> None:
        """A job is over."""
        self._tell(lambda watcher: watcher.trial_ended(job.label, trial.status, value, trial.reason))
        self._sync(job, running=False)

    def phase_ended(self, name: str) -> None:
        """A phase is over."""
        self._tell(lambda watcher: watcher.phase_ended(name))

    def note(self, message: str) -> None:
        """Something did not go as planned."""
        self._tell(lambda watcher: watcher.note(message))

    def _tell(self, what: Callable[[Observer], None]) -> None:
        try:
            if self._observer is not None:
                what(self._observer)
        except Exception as error:  # a terminal that is gone must not end a study
            self._observer = None
            self.problems.append(f"nothing more was shown of this run: {type(error).__name__}: {error}")

    def _sync(self, job: Job, *, running: bool) -> None:
        try:
            if self._sink is not None:
                self._sink.sync_trial(*job.trial, running=running)
        except Exception as error:  # `sync` brings it up to date later
            self._sink = None
            self.problems.append(f"MLflow was told nothing more of this run: {type(error).__name__}: {error}")
