"""The jobs of a path: candidates of one round after another on the validation split, then the arms of the path."""

from collections.abc import Iterable, Mapping
from typing import Any

from reid_search.errors import ReidSearchError
from reid_search.records import Record, StudyStore
from reid_search.scheduling.ablation_work import AblationWork
from reid_search.scheduling.jobs import Job
from reid_search.scheduling.progress import Best, TrialLabel
from reid_search.scheduling.trainings import Trainings
from reid_search.study import AblatePhase, Fingerprints, Study, trial_key
from reid_search.study.question.designs.path import Move, end_of_path, moves, path_arms


class PathWork:
    """Finds the path to a search's best, then hands out its arms as an ablation does.

    The seed of the search trains every candidate, so that none can be taken for a replicate of an answer. A choice that
    an earlier run made among the same candidates stands, whatever became of those that failed.

    Args:
        study: The study.
        phase: The ablation, `design: path`.
        store: Where the study keeps everything.
        fingerprints: Fingerprints of the data sets.
        best: The search's best.
    """

    def __init__(
        self, study: Study, phase: AblatePhase, store: StudyStore, fingerprints: Fingerprints, best: Best
    ) -> None:
        self._study = study
        self._phase = phase
        self._store = store
        self._fingerprints = fingerprints
        self._objective = best.objective
        self._space = study.space(phase, evaluate="val")
        self._start = study.centred(phase)[1]
        self._end = end_of_path(self._space, self._start, best.settings)
        self._steps: list[Move] = []
        self._past: list[Trainings] = []
        self._answer: AblationWork | None = None
        self._enter_round()
        self._go_on()

    @property
    def total(self) -> int:
        """Number of trainings; before the path is known, the most that there can be."""
        chosen = sum(trainings.total for trainings in self._past)
        if self._answer is not None:
            return chosen + self._answer.total
        left = len(self._candidates)
        arms = len(self._steps) + left + 1
        return chosen + left * (left + 1) // 2 + arms * self._phase.seeds

    @property
    def reused(self) -> int:
        """Number of trainings so far that were measured before."""
        answered = self._answer.reused if self._answer else self._trainings.reused
        return answered + sum(trainings.reused for trainings in self._past)

    @property
    def done(self) -> bool:
        """Whether the path is known and every training of its arms is over."""
        return self._answer is not None and self._answer.done

    def next_job(self) -> Job | None:
        """Return the next training; None also while the rest of a round is out."""
        self._go_on()
        return self._answer.next_job() if self._answer else self._trainings.next_job()

    def report(self, job: Job, row: Mapping[str, Any]) -> str | None:
        """Let every candidate and arm run to its end."""
        del job, row
        return None

    def ended(self, job: Job, record: Record) -> None:
        """Note that a training is over."""
        if self._answer is not None:
            self._answer.ended(job, record)
        else:
            self._trainings.ended(job)

    def _enter_round(self) -> None:
        here = self._steps[-1].settings if self._steps else self._start
        self._candidates = {move.axis: move for move in moves(self._space, here, self._end)}
        self._jobs = {axis: self._job(move) for axis, move in self._candidates.items()}
        self._log_candidates(self._jobs.values())
        over = self._chosen_before() is not None
        wanted = [job for job in self._jobs.values() if not over or self._value(job) is not None]
        self._trainings = Trainings(self._store, wanted, self._objective)

    def _go_on(self) -> None:
        """Choose where a round is over, as often as the next one has nothing to train; after the last come the arms."""
        while self._candidates and self._trainings.done:
            self._steps.append(self._candidates[self._chosen_before() or self._choose()])
            self._past.append(self._trainings)
            self._enter_round()
        if not self._candidates and self._answer is None:
            arms = path_arms(self._study.space(self._phase), self._start, self._steps)
            self._answer = AblationWork(self._study, self._phase, self._store, self._fingerprints, arms)

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
        self._store.asked.append("step", **self._round(), axis=axis, values=values)
        return axis

    def _value(self, job: Job) -> float | None:
        record = self._store.trial(*job.identity).record()
        return job.value(record, self._objective) if record else None

    def _chosen_before(self) -> str | None:
        """Return what was chosen among these candidates before, if it was."""
        this = self._round().items()
        made = (str(line["axis"]) for line in self._store.asked if line["event"] == "step" and this <= line.items())
        return next(made, None)

    def _round(self) -> dict[str, Any]:
        """Return what a choice is made among, which tells it from that of another round or an earlier study file."""
        return {
            "phase": self._phase.name,
            "round": len(self._steps) + 1,
            "objective": self._objective,
            "candidates": {axis: [*job.identity, job.readout] for axis, job in self._jobs.items()},
        }

    def _job(self, move: Move) -> Job:
        config = self._space.config(move.settings)
        label = TrialLabel(
            phase=self._phase.name,
            name=f"step {len(self._steps) + 1}? {move.name}",
            seed=self._study.search_seed,
            key=trial_key(config, self._fingerprints.of_trial(config)),
            epochs=config.training.epochs,
            settings={path: level.label for path, level in move.settings.items()},
        )
        measured = self._study.measured(config)
        keep = self._study.config.keep == "all"
        return Job(label, measured.config, evaluate=("val",), keep=keep, readouts=measured.stored)

    def _log_candidates(self, jobs: Iterable[Job]) -> None:
        rows = [
            {
                "phase": job.label.phase,
                "kind": "step",
                "arm": job.label.name,
                "settings": dict(job.label.settings),
                "key": job.label.key,
                "seed": job.label.seed,
                "evaluate": "val",
                "readouts": dict(job.readouts),
                "by": self._phase.design,
            }
            for job in jobs
        ]
        if rows:
            self._store.asked.append_many("ask", rows)
