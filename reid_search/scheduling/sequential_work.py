"""The jobs of an ablation that adds seeds until its claims are decided."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

from reid_search.records import Status, StudyStore, Trial
from reid_search.scheduling.ablation_work import ablation_work
from reid_search.scheduling.jobs import Job
from reid_search.scheduling.observer import Row
from reid_search.scheduling.phase_context import PhaseContext
from reid_search.scheduling.training_queue import TrainingQueue
from reid_search.study import AblatePhase, Arm


class Look(Protocol):
    """What a look at the claims found: the arms that get more seeds, and a sentence."""

    @property
    def arms(self) -> tuple[str, ...]:
        """Arms of undecided claims."""

    @property
    def remark(self) -> str:
        """What was found."""


Judge = Callable[[StudyStore, str], Look]
"""Looks at the claims that a phase decides."""


class SequentialWork:
    """Hands out every arm up to the first look, then only those of undecided claims up to the next.

    A look sees nothing but what this run has asked for so far, so a study that is resumed goes on as it would have.
    """

    def __init__(
        self, context: PhaseContext, phase: AblatePhase, arms: Sequence[Arm], judge: Judge, note: Callable[[str], None]
    ) -> None:
        self._context, self._phase, self._judge, self._note = context, phase, judge, note
        self._looks = phase.seeds.looks(len(context.study.config.claims))
        self._arms = list(arms)
        self._queues: list[TrainingQueue] = []
        self._enter_look(1)

    @property
    def total(self) -> int:
        """Number of trainings; before the last look, the most that there can be."""
        left = self._looks[-1] - self._looks[len(self._queues) - 1]
        return sum(queue.total for queue in self._queues) + left * len(self._arms)

    @property
    def reused(self) -> Counter[Status]:
        """Number of trainings so far that were measured before, by how they ended."""
        return sum((queue.reused for queue in self._queues), Counter())

    @property
    def done(self) -> bool:
        """Whether every training is over and no arm gets more seeds."""
        self._go_on()
        return self._queues[-1].done

    def next_job(self) -> Job | None:
        """Return the next training; None also while the last ones before a look are running."""
        self._go_on()
        return self._queues[-1].next_job()

    def report(self, job: Job, row: Row) -> str | None:
        """Stop nothing: an arm always runs to its end."""
        return self._queues[-1].report(job, row)

    def ended(self, job: Job, trial: Trial) -> None:
        """Note that a training is over."""
        self._queues[-1].ended(job, trial)

    def _enter_look(self, first_seed: int) -> None:
        seeds = range(first_seed, self._looks[len(self._queues)] + 1)
        self._queues.append(ablation_work(self._context, self._phase, self._arms, seeds))

    def _go_on(self) -> None:
        """Look whenever a queue is over, until there is something to train or no arm goes on."""
        while self._arms and self._queues[-1].done and len(self._queues) < len(self._looks):
            found = self._judge(self._context.store, self._phase.name)
            self._note(found.remark)
            self._arms = [arm for arm in self._arms if arm.name in found.arms]
            if self._arms:
                self._enter_look(self._looks[len(self._queues) - 1] + 1)
