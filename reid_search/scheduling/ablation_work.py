"""The jobs of an ablation: every arm with every seed, each training once."""

from collections.abc import Mapping, Sequence
from typing import Any

from reid_search.records import Record, StudyStore
from reid_search.scheduling.jobs import Job
from reid_search.scheduling.progress import TrialLabel
from reid_search.scheduling.trainings import Trainings
from reid_search.study import BASELINE, AblatePhase, Arm, Fingerprints, PlannedTrial, Study, planned_trials


class AblationWork:
    """Hands out the trainings of an ablation that are not measured yet.

    Args:
        study: The study.
        phase: The ablation.
        store: Where the study keeps everything.
        fingerprints: Fingerprints of the data sets.
        arms: What it compares.
    """

    def __init__(
        self, study: Study, phase: AblatePhase, store: StudyStore, fingerprints: Fingerprints, arms: Sequence[Arm]
    ) -> None:
        self._study = study
        self._phase = phase
        self._store = store
        self.arms = list(arms)
        self._data_of = {arm.name: fingerprints.of_trial(arm.config) for arm in self.arms}
        self._measured_of = {arm.name: study.measured(arm.config) for arm in self.arms}
        trials = planned_trials(phase, self.arms, fingerprints)
        self._log(trials)
        self._trainings = Trainings(store, map(self._job, trials), f"{phase.evaluate}/mAP")

    @property
    def total(self) -> int:
        """Number of trainings."""
        return self._trainings.total

    @property
    def reused(self) -> int:
        """Number of trainings that were measured before."""
        return self._trainings.reused

    @property
    def done(self) -> bool:
        """Whether every training is over."""
        return self._trainings.done

    def next_job(self) -> Job | None:
        """Return the next training."""
        return self._trainings.next_job()

    def report(self, job: Job, row: Mapping[str, Any]) -> str | None:
        """Let every arm run to its end: an answer is never stopped early."""
        del job, row
        return None

    def ended(self, job: Job, record: Record) -> None:
        """Note that a training is over."""
        del record
        self._trainings.ended(job)

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
        config = measured.config.model_copy(update={"data": trial.config.data})
        return Job(label, config, evaluate=(trial.evaluate,), keep=kept, readouts=measured.stored)

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
                **({"redrawn_from": self._data_of[trial.arm.name]} if self._phase.redraw_data else {}),
            }
            for trial in trials
        ]
        self._store.asked.append_many("ask", rows)
