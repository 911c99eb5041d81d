"""What a study was planned to take, and what it took."""

from dataclasses import dataclass

from reid_search.records import StudyState, TrialId


@dataclass(frozen=True)
class PhaseBudget:
    """Planned and spent by a phase. A training counts in the first phase that asked for it.

    Attributes:
        phase: The phase.
        planned_trials: Trainings planned when its last run began; None where the log does not say.
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
        found.append(
            PhaseBudget(
                phase,
                planned.trials if planned else None,
                planned.images if planned else None,
                len(own),
                sum(trial.images_seen for trial in own),
                sum(trial.seconds for trial in own),
            )
        )
    return found
