"""What a study was planned to cost, and what it cost."""

from dataclasses import dataclass

from reid_search.records import StudyState, TrialId


@dataclass(frozen=True)
class PhaseBudget:
    """What was planned for a phase and spent on it. A training counts in the first phase that asked for it.

    Attributes:
        phase: The phase.
        planned_trials: Trainings planned when its last run began; None if the log does not say.
        planned_images: Their images, without early stopping.
        trials: Trainings on disk.
        images: Images that they have seen.
        seconds: Time that they took, over all interruptions.
    """

    phase: str
    planned_trials: int | None
    planned_images: int | None
    trials: int
    images: int
    seconds: float


def budgets(state: StudyState) -> list[PhaseBudget]:
    """Return planned and spent of every phase that has asked for trials, in order."""
    asked: dict[str, list[TrialId]] = {}
    for ask in state.history.asks_now():
        asked.setdefault(ask.phase, []).append(ask.trial)
    counted: set[TrialId] = set()
    found = []
    for phase, identities in asked.items():
        own = [state.trials[name] for name in dict.fromkeys(identities) if name in state.trials]
        own = [trial for trial in own if trial.id not in counted]
        counted |= {trial.id for trial in own}
        planned = state.history.planned.get(phase)
        trials, images = (planned.trials, planned.images) if planned else (None, None)
        seen, seconds = sum(trial.images_seen for trial in own), sum(trial.seconds for trial in own)
        found.append(PhaseBudget(phase, trials, images, len(own), seen, seconds))
    return found
