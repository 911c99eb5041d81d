"""The jobs of an ablation: every arm with every seed, each training once."""

from collections.abc import Sequence

from reid_search.records import ArmAsked, LogWriter, StudyStore, Trial
from reid_search.scheduling.jobs import Job
from reid_search.scheduling.observer import Row
from reid_search.scheduling.training_queue import TrainingQueue
from reid_search.study import BASELINE, AblatePhase, Arm, Fingerprints, PlannedTrial, Study, planned_trials
from reid_search.study.metrics import MAIN


class AblationWork:
    """Hands out the trainings of an ablation that are not measured yet."""

    def __init__(
        self,
        study: Study,
        phase: AblatePhase,
        store: StudyStore,
        log: LogWriter,
        fingerprints: Fingerprints,
        arms: Sequence[Arm],
    ) -> None:
        self._study = study
        self._phase = phase
        self.arms = list(arms)
        self._data_of = {arm.name: fingerprints.of_trial(arm.config) for arm in self.arms}
        self._measured_of = {arm.name: study.measured(arm.config) for arm in self.arms}
        jobs = [self._job(trial) for trial in planned_trials(phase, self.arms, fingerprints)]
        log.append(*(job.ask for job in jobs))
        self._queue = TrainingQueue(store, jobs)

    @property
    def total(self) -> int:
        """Number of trainings."""
        return self._queue.total

    @property
    def reused(self) -> int:
        """Number of trainings that were measured before."""
        return self._queue.reused

    @property
    def done(self) -> bool:
        """Whether every training is over."""
        return self._queue.done

    def next_job(self) -> Job | None:
        """Return the next training."""
        return self._queue.next_job()

    def report(self, job: Job, row: Row) -> str | None:
        """Let every arm run to its end: an answer is never stopped early."""
        del job, row
        return None

    def ended(self, job: Job, trial: Trial) -> None:
        """Note that a training is over."""
        del trial
        self._queue.ended(job)

    def _job(self, trial: PlannedTrial) -> Job:
        kept = {"all": True, "best": trial.arm.name == BASELINE, "none": False}[self._study.config.keep]
        measured = self._measured_of[trial.arm.name]
        ask = ArmAsked(
            phase=trial.phase,
            arm=trial.arm.name,
            settings={path: level.label for path, level in trial.arm.settings.items()},
            tuned={path: level.label for path, level in trial.arm.tuned.items()},
            key=trial.key,
            seed=trial.seed,
            evaluate=trial.evaluate,
            readouts=dict(measured.stored),
            by=self._phase.design,
            redrawn_from=self._data_of[trial.arm.name] if self._phase.redraw_data else None,
        )
        config = measured.config.model_copy(update={"data": trial.config.data})
        return Job(ask, config, f"{trial.evaluate}/{MAIN}", kept)
