"""A queue of trainings, each handed out once, and not at all if it was measured before."""

from collections import Counter
from collections.abc import Iterable

from reid_search.records import Status, StudyStore, Trial, TrialId, read_trial
from reid_search.scheduling.jobs import Job
from reid_search.scheduling.observer import Row


class TrainingQueue:
    """Work that hands out jobs in order. Jobs of one training become one, which measures what all of them ask for."""

    def __init__(self, store: StudyStore, jobs: Iterable[Job]) -> None:
        together: dict[TrialId, Job] = {}
        for job in jobs:
            same = together.get(job.trial)
            together[job.trial] = same.together_with(job) if same else job
        self._left = [job for job in together.values() if not job.is_measured(read_trial(store.trial(*job.trial)))]
        self._running: set[TrialId] = set()
        self.total = len(together)
        self.reused = Counter({Status.FINISHED: self.total - len(self._left)})

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

    def report(self, job: Job, row: Row) -> str | None:
        """Stop nothing: an arm or a candidate always runs to its end."""
        del job, row
        return None

    def ended(self, job: Job, trial: Trial) -> None:
        """Note that a training is over."""
        del trial
        self._running.discard(job.trial)
