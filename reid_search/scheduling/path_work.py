"""The jobs of a path: candidates of one round after another on the validation split, then the arms of the path."""

from collections.abc import Mapping

from reid_search.errors import ReidSearchError
from reid_search.records import CandidateAsked, LogWriter, StepChosen, StudyStore, Trial, read_trial, value_of
from reid_search.scheduling.ablation_work import AblationWork
from reid_search.scheduling.jobs import Job
from reid_search.scheduling.observer import Best, Row
from reid_search.scheduling.training_queue import TrainingQueue
from reid_search.study import AblatePhase, Fingerprints, Study, trial_key
from reid_search.study.question.designs.path import Move, end_of_path, moves, path_arms


class PathWork:
    """Finds the path to a search's best, then hands out its arms as an ablation does.

    The seed of the search trains every candidate, so that none can be taken for a replicate of an answer. A choice that
    an earlier run made among the same candidates stands, whatever became of those that failed.

    Args:
        phase: The ablation, `design: path`.
    """

    def __init__(
        self,
        study: Study,
        phase: AblatePhase,
        store: StudyStore,
        log: LogWriter,
        fingerprints: Fingerprints,
        best: Best,
    ) -> None:
        self._study = study
        self._phase = phase
        self._store = store
        self._log = log
        self._before = store.log.history()
        self._fingerprints = fingerprints
        self._objective = best.objective
        self._space = study.space(phase, evaluate="val")
        self._start = study.centred(phase)[1]
        self._end = end_of_path(self._space, self._start, best.settings)
        self._steps: list[Move] = []
        self._past: list[TrainingQueue] = []
        self._answer: AblationWork | None = None
        self._enter_round()
        self._go_on()

    @property
    def total(self) -> int:
        """Number of trainings; before the path is known, the most that there can be."""
        chosen = sum(queue.total for queue in self._past)
        if self._answer is not None:
            return chosen + self._answer.total
        left = len(self._candidates)
        arms = len(self._steps) + left + 1
        return chosen + left * (left + 1) // 2 + arms * self._phase.seeds

    @property
    def reused(self) -> int:
        """Number of trainings so far that were measured before."""
        answered = self._answer.reused if self._answer else self._queue.reused
        return answered + sum(queue.reused for queue in self._past)

    @property
    def done(self) -> bool:
        """Whether the path is known and every training of its arms is over."""
        return self._answer is not None and self._answer.done

    def next_job(self) -> Job | None:
        """Return the next training; None also while the rest of a round is out."""
        self._go_on()
        return self._answer.next_job() if self._answer else self._queue.next_job()

    def report(self, job: Job, row: Row) -> str | None:
        """Let every candidate and arm run to its end."""
        del job, row
        return None

    def ended(self, job: Job, trial: Trial) -> None:
        """Note that a training is over."""
        if self._answer is not None:
            self._answer.ended(job, trial)
        else:
            self._queue.ended(job)

    def _enter_round(self) -> None:
        here = self._steps[-1].settings if self._steps else self._start
        self._candidates = {move.axis: move for move in moves(self._space, here, self._end)}
        self._jobs = {axis: self._job(move) for axis, move in self._candidates.items()}
        self._log.append(*(job.ask for job in self._jobs.values()))
        over = self._chosen_before() is not None
        wanted = [job for job in self._jobs.values() if not over or self._value(job) is not None]
        self._queue = TrainingQueue(self._store, wanted)

    def _go_on(self) -> None:
        """Choose where a round is over, as often as the next one has nothing to train; after the last come the arms."""
        while self._candidates and self._queue.done:
            self._steps.append(self._candidates[self._chosen_before() or self._choose()])
            self._past.append(self._queue)
            self._enter_round()
        if not self._candidates and self._answer is None:
            arms = path_arms(self._study.space(self._phase), self._start, self._steps)
            self._answer = AblationWork(self._study, self._phase, self._store, self._log, self._fingerprints, arms)

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
        self._log.append(
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
        trial = read_trial(self._store.trial(*job.trial))
        return value_of(job.ask, {trial.id: trial}, self._objective)

    def _chosen_before(self) -> str | None:
        """Return what an earlier run chose among these candidates, if it did."""
        return self._before.chosen(self._phase.name, len(self._steps) + 1, self._objective, self._identities())

    def _identities(self) -> Mapping[str, tuple[str, int, str]]:
        """Return what tells a choice among these candidates from that of another round or an earlier study file."""
        return {axis: (*job.trial, job.readout) for axis, job in self._jobs.items()}

    def _job(self, move: Move) -> Job:
        config = self._space.config(move.settings)
        measured = self._study.measured(config)
        ask = CandidateAsked(
            phase=self._phase.name,
            arm=f"step {len(self._steps) + 1}? {move.name}",
            settings={path: level.label for path, level in move.settings.items()},
            key=trial_key(config, self._fingerprints.of_trial(config)),
            seed=self._study.search_seed,
            evaluate="val",
            readouts=dict(measured.stored),
            by=self._phase.design,
        )
        return Job(ask, measured.config, self._objective, self._study.config.keep == "all")
