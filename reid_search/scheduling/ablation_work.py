"""The jobs of an ablation: every arm with every seed, each training once."""

from collections.abc import Mapping
from typing import Any

from reid_search.records import Record, StudyStore
from reid_search.scheduling.jobs import Job
from reid_search.scheduling.progress import Best, TrialLabel
from reid_search.study import BASELINE, AblatePhase, Fingerprints, PlannedTrial, Study, planned_trials


class AblationWork:
    """Hands out the trainings of an ablation that are not measured yet.

    Args:
        study: The study.
        phase: The ablation.
        store: Where the study keeps everything.
        fingerprints: Fingerprints of the data sets.
        best: The search's best, for a phase around it.
    """

    def __init__(
        self, study: Study, phase: AblatePhase, store: StudyStore, fingerprints: Fingerprints, best: Best | None
    ) -> None:
        self._study = study
        self._phase = phase
        self._store = store
        self.arms = study.arms(phase, best.settings if best else None, best.tuned if best else None)
        trials = planned_trials(phase, self.arms, fingerprints)
        self._measured_of = {arm.name: study.measured(arm.config) for arm in self.arms}
        self._log(trials)
        self._jobs: dict[tuple[str, int], Job] = {}
        for trial in trials:
            self._jobs.setdefault((trial.key, trial.seed), self._job(trial))
        self._left = [job for job in self._jobs.values() if not self._measured(job)]
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

    def report(self, job: Job, row: Mapping[str, Any]) -> str | None:
        """Let every arm run to its end: an answer is never stopped early."""
        del job, row
        return None

    def ended(self, job: Job, record: Record) -> None:
        """Note that a training is over."""
        del record
        self._running.discard(job.identity)

    def _measured(self, job: Job) -> bool:
        record = self._store.trial(*job.identity).record()
        return record is not None and job.is_measured(record, f"{self._phase.evaluate}/mAP")

    def _job(self, trial: PlannedTrial) -> Job:
        kept = {"all": True, "best": trial.arm.name == BASELINE, "none": False}[self._study.config.keep]
        label = TrialLabel(
            phase=trial.phase,
            name=trial.arm.name,
            seed=trial.seed,
            key=trial.key,
            epochs=trial.config.training.epochs,
            settings={path: level.label for path, level in trial.arm.settings.items()},
        )
        measured = self._measured_of[trial.arm.name]
        return Job(label, measured.config, evaluate=(trial.evaluate,), keep=kept, readouts=measured.stored)

    def _log(self, trials: list[PlannedTrial]) -> None:
        rows = [
            {
                "phase": trial.phase,
                "kind": "ablate",
                "arm": trial.arm.name,
                "settings": {path: level.label for path, level in trial.arm.settings.items()},
                "tuned": {path: level.label for path, level in trial.arm.tuned.items()},
                "key": trial.key,
                "seed": trial.seed,
                "evaluate": trial.evaluate,
                "readouts": dict(self._measured_of[trial.arm.name].stored),
                "by": self._phase.design,
            }
            for trial in trials
        ]
        self._store.asked.append_many("ask", rows)
