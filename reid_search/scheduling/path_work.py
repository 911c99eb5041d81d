"""The jobs of a path: candidates of one round after another on the validation split, then the arms of the path."""

from collections.abc import Mapping

from reid_search.errors import ReidSearchError
from reid_search.records import CandidateAsked, StepChosen, read_trial, value_of
from reid_search.scheduling.ablation_work import ablation_work
from reid_search.scheduling.jobs import Job
from reid_search.scheduling.observer import Best
from reid_search.scheduling.phase_context import PhaseContext
from reid_search.scheduling.queues_in_turn import QueuesInTurn
from reid_search.scheduling.training_queue import TrainingQueue
from reid_search.study import AblatePhase
from reid_search.study.question.designs.path import Move, end_of_path, moves, path_arms


class PathWork(QueuesInTurn):
    """Finds the path to a search's best, then hands out its arms as an ablation does.

    Every candidate is trained with the seed of the search, so that none can be taken for a replicate of an answer. What
    an earlier run chose among the same candidates stays chosen, even if some of them failed.
    """

    def __init__(self, context: PhaseContext, phase: AblatePhase, best: Best) -> None:
        super().__init__()
        self._context = context
        self._phase = phase
        self._before = context.store.log.history()
        self._objective = best.objective
        self._space = context.study.space(phase, evaluate="val")
        self._start = context.study.centred(phase)[1]
        self._end = end_of_path(self._space, self._start, best.settings)
        self._steps: list[Move] = []
        self._arms: TrainingQueue | None = None  # the last queue, after one for each round
        self._enter_round()
        self._go_on()

    @property
    def total(self) -> int:
        """Number of trainings; before the path is known, the most that there can be."""
        known = sum(queue.total for queue in self._queues)
        if self._arms is not None:
            return known
        left = len(self._candidates)
        arms = len(self._steps) + left + 1
        return known - self._queues[-1].total + left * (left + 1) // 2 + arms * self._phase.seeds.last

    @property
    def done(self) -> bool:
        """Whether the path is known and every training of its arms is over."""
        return self._arms is not None and self._arms.done

    def _enter_round(self) -> None:
        here = self._steps[-1].settings if self._steps else self._start
        self._candidates = {move.axis: move for move in moves(self._space, here, self._end)}
        self._jobs = {axis: self._job(move) for axis, move in self._candidates.items()}
        self._context.log.append(*(job.ask for job in self._jobs.values()))
        over = self._chosen_before() is not None
        wanted = [job for job in self._jobs.values() if not over or self._value(job) is not None]
        self._queues.append(TrainingQueue(self._context.store, wanted))

    def _go_on(self) -> None:
        """Choose a step after each round, until a round has something to train; after the last step, add the arms."""
        while self._candidates and self._queues[-1].done:
            self._steps.append(self._candidates[self._chosen_before() or self._choose()])
            self._enter_round()
        if not self._candidates and self._arms is None:
            arms = path_arms(self._context.study.space(self._phase), self._start, self._steps)
            self._arms = ablation_work(self._context, self._phase, arms)
            self._queues.append(self._arms)

    def _choose(self) -> str:
        """Return the axis whose move is best on the validation split, the first of equals, and write it down."""
        values = {axis: self._value(job) for axis, job in self._jobs.items()}
        measured = {axis: value for axis, value in values.items() if value is not None}
        if not measured:
            tried = ", ".join(move.name for move in self._candidates.values())
            raise ReidSearchError(
                f"the path '{self._phase.name}' has no step {len(self._steps) + 1}: every candidate failed ({tried}); "
                "their records say why"
            )
        axis = max(measured, key=lambda path: measured[path])
        self._context.log.append(
            StepChosen(
                phase=self._phase.name,
                round=len(self._steps) + 1,
                objective=self._objective,
                candidates=dict(self._identities()),
                values=values,
                axis=axis,
            )
        )
        return axis

    def _value(self, job: Job) -> float | None:
        trial = read_trial(self._context.store.trial(*job.trial))
        return value_of(job.ask, {trial.id: trial}, self._objective)

    def _chosen_before(self) -> str | None:
        """Return what an earlier run chose among these candidates, if it did."""
        return self._before.chosen(self._phase.name, len(self._steps) + 1, self._objective, self._identities())

    def _identities(self) -> Mapping[str, tuple[str, int, str]]:
        """Return the candidates' trials and readouts, which differ in another round or under a changed study file."""
        return {axis: (*job.trial, job.readout) for axis, job in self._jobs.items()}

    def _job(self, move: Move) -> Job:
        config = self._space.config(move.settings)
        study, measured = self._context.study, self._context.study.measured(config)
        ask = CandidateAsked(
            phase=self._phase.name,
            arm=f"step {len(self._steps) + 1}? {move.name}",
            settings={path: level.label for path, level in move.settings.items()},
            key=self._context.key(config),
            seed=study.search_seed,
            evaluate="val",
            readouts=dict(measured.stored),
            by=self._phase.design,
        )
        data = self._context.fingerprints.of_trial(config)
        return Job(ask, measured.config, self._objective, study.config.keep == "all", data)
