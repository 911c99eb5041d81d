"""Queues of trainings one after another, where what comes next follows from how the ones before ended."""

from abc import ABC, abstractmethod
from collections import Counter

from reid_search.records import Status, Trial
from reid_search.scheduling.jobs import Job
from reid_search.scheduling.observer import Row
from reid_search.scheduling.training_queue import TrainingQueue


class QueuesInTurn(ABC):
    """Work that hands out the last of its queues, and makes the next when that is over."""

    def __init__(self) -> None:
        self._queues: list[TrainingQueue] = []

    @abstractmethod
    def _go_on(self) -> None:
        """Add queues until there is something to train, or nothing is left to add."""

    @property
    def reused(self) -> Counter[Status]:
        """Number of trainings so far that were measured before, by how they ended."""
        return sum((queue.reused for queue in self._queues), Counter())

    def next_job(self) -> Job | None:
        """Return the next training; None also while the last ones of a queue are running."""
        self._go_on()
        return self._queues[-1].next_job()

    def report(self, job: Job, row: Row) -> str | None:
        """Stop nothing: a candidate or an arm always runs to its end."""
        return self._queues[-1].report(job, row)

    def ended(self, job: Job, trial: Trial) -> None:
        """Note that a training is over."""
        self._queues[-1].ended(job, trial)
