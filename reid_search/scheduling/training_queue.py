"""A queue of trainings, each handed out once, and not at all where it is measured already."""

from collections.abc import Iterable

from reid_search.records import StudyStore, TrialId, read_trial
from reid_search.scheduling.jobs import Job


class TrainingQueue:
    """Hands out jobs in order. Jobs of one training are one, which measures what all of them ask for."""

    def __init__(self, store: StudyStore, jobs: Iterable[Job]) -> None:
        self._jobs: dict[TrialId, Job] = {}
        for job in jobs:
            same = self._jobs.get(job.trial)
            self._jobs[job.trial] = same.together_with(job) if same else job
        self._left = [job for job in self._jobs.values() if not job.is_measured(read_trial(store.trial(*job.trial)))]
        self._running: set[TrialId] = set()
        self.reused = len(self._jobs) - len(self._left)

    @property
    def total(self) -> int:
        """Number of trainings."""
        return len(self._jobs)

    @property
    def done(self) -> bool:
        """Whether every training is over."""
        return not self._left and not self._running

    def next_job(self) -> Job | None:
        """Return the next training."""
        if not self._left:
            return None
        job = self._left.pop(0)
        self._running.add(job.trial)
        return job

    def ended(self, job: Job) -> None:
        """Note that a training is over."""
        self._running.discard(job.trial)
