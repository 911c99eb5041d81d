"""The jobs of an ablation that adds seeds until its claims are decided."""

from collections.abc import Callable, Sequence
from typing import Protocol

from reid_search.records import StudyStore
from reid_search.scheduling.ablation_work import ablation_work
from reid_search.scheduling.phase_context import PhaseContext
from reid_search.scheduling.queues_in_turn import QueuesInTurn
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


class SequentialWork(QueuesInTurn):
    """Hands out every arm up to the first look, then only those of undecided claims up to the next.

    A look sees nothing but what this run has asked for so far, so a study that is resumed goes on as it would have.
    """

    def __init__(
        self, context: PhaseContext, phase: AblatePhase, arms: Sequence[Arm], judge: Judge, note: Callable[[str], None]
    ) -> None:
        super().__init__()
        self._context, self._phase, self._judge, self._note = context, phase, judge, note
        self._looks = phase.seeds.looks(len(context.study.config.claims))
        self._arms = list(arms)
        self._enter_look(1)

    @property
    def total(self) -> int:
        """Number of trainings; before the last look, the most that there can be."""
        left = self._looks[-1] - self._looks[len(self._queues) - 1]
        return sum(queue.total for queue in self._queues) + left * len(self._arms)

    @property
    def done(self) -> bool:
        """Whether every training is over and no arm gets more seeds."""
        self._go_on()
        return self._queues[-1].done

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
