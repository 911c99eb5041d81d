"""Trainings to hand out, each once, and not at all where it is measured already."""

from collections.abc import Iterable

from reid_search.records import StudyStore
from reid_search.scheduling.jobs import Job


class Trainings:
    """A queue of jobs. Jobs of one training are one, which measures what all of them ask for.

    Args:
        store: Where the study keeps its records.
        jobs: The jobs, in order.
        metric: What a record must hold to be measured.
    """

    def __init__(self, store: StudyStore, jobs: Iterable[Job], metric: str) -> None:
        self._jobs: dict[tuple[str, int], Job] = {}
        for job in jobs:
            same = self._jobs.get(job.identity)
            self._jobs[job.identity] = same.together_with(job) if same else job
        records = {identity: store.trial(*identity).record() for identity in self._jobs}
        self._left = [
            job for job in self._jobs.values()
            if (record := records[job.identity]) is None or not job.is_measured(record, metric)
        ]  # fmt: skip
        self._running: set[tuple[str, int]] = set()
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
        self._running.add(job.identity)
        return job

    def ended(self, job: Job) -> None:
        """Note that a training is over."""
        self._running.discard(job.identity)
