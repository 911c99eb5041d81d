"""The jobs of an ablation: every arm with every seed, each training once."""

from collections.abc import Iterable

from reid_search.records import ArmAsked
from reid_search.scheduling.jobs import Job
from reid_search.scheduling.phase_context import PhaseContext
from reid_search.scheduling.training_queue import TrainingQueue
from reid_search.study import BASELINE, AblatePhase, Arm, PlannedTrial, planned_trials
from reid_search.study.metrics import MAIN
from reid_search.study.question.readouts import Measured


def ablation_work(
    context: PhaseContext, phase: AblatePhase, arms: list[Arm], seeds: Iterable[int] | None = None
) -> TrainingQueue:
    """Write down what an ablation asks for, and return the trainings that are not measured yet.

    `seeds` are all of the phase if omitted.
    """
    measured = {arm.name: context.study.measured(arm.config) for arm in arms}
    trials = planned_trials(phase, arms, context.fingerprints, seeds)
    jobs = [_job(context, phase, trial, measured[trial.arm.name]) for trial in trials]
    context.log.append(*(job.ask for job in jobs))
    return TrainingQueue(context.store, jobs)


def _job(context: PhaseContext, phase: AblatePhase, trial: PlannedTrial, measured: Measured) -> Job:
    arm = trial.arm
    ask = ArmAsked(
        phase=trial.phase,
        arm=arm.name,
        settings={path: level.label for path, level in arm.settings.items()},
        tuned={path: level.label for path, level in arm.tuned.items()},
        key=trial.key,
        seed=trial.seed,
        evaluate=trial.evaluate,
        readouts=dict(measured.stored),
        by=phase.design,
        redrawn_from=context.fingerprints.of_split(arm.config, phase.evaluate) if phase.redraw_data else None,
        recipe=arm.config.from_recipe,
    )
    config = measured.config.model_copy(update={"data": trial.config.data})
    kept = {"all": True, "best": arm.name == BASELINE, "none": False}[context.study.config.keep]
    return Job(ask, config, f"{trial.evaluate}/{MAIN}", kept, context.fingerprints.of_trial(config))
