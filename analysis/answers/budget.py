"""What a study was planned to take, and what it took."""

from dataclasses import dataclass

from ..reading.arms import last_ablations, path_candidates
from ..reading.gather import Identity, StudyResults
from ..reading.proposals import last_searches


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


def budgets(results: StudyResults) -> list[PhaseBudget]:
    """Return planned and spent of every phase that has asked for trials, in order."""
    runs = [event for event in results.events if event["event"] == "run"]
    planned = {str(row["phase"]): row for row in (runs[-1].get("planned", ()) if runs else ())}
    asked: dict[str, list[Identity]] = {}
    for asks in (last_searches(results.events), path_candidates(results.events), last_ablations(results.events)):
        for phase, events in asks.items():
            asked.setdefault(phase, []).extend((str(event["key"]), int(event["seed"])) for event in events)
    counted: set[Identity] = set()
    found = []
    for phase, identities in asked.items():
        own = [results.trials[name] for name in dict.fromkeys(identities) if name in results.trials]
        own = [trial for trial in own if (trial.key, trial.seed) not in counted]
        counted |= {(trial.key, trial.seed) for trial in own}
        row = planned.get(phase, {})
        found.append(
            PhaseBudget(
                phase,
                row.get("trials"),
                row.get("images"),
                len(own),
                sum(trial.images_seen for trial in own),
                sum(trial.seconds for trial in own),
            )
        )
    return found
