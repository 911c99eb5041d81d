"""What every phase of a run works with, and how a run begins its log."""

from collections.abc import Iterator
from dataclasses import dataclass

from reid_search.records import ClaimMade, History, LogWriter, PlannedPhase, RunStarted, StudyStore
from reid_search.study import Fingerprints, PhasePlan, SearchPhase, Study, TrialConfig


@dataclass(frozen=True)
class PhaseContext:
    """What every phase of a run works with."""

    study: Study
    store: StudyStore
    log: LogWriter
    fingerprints: Fingerprints

    @classmethod
    def begin(cls, study: Study, store: StudyStore, started: RunStarted) -> "PhaseContext":
        """Write down that a run begins, what it plans and every claim, in one piece and before anything runs."""
        fingerprints = Fingerprints()
        planned = started.model_copy(update={"planned": tuple(_planned(study, fingerprints, store.log.history()))})
        claims = [
            ClaimMade(claim=name, content=claim.model_dump(mode="json")) for name, claim in study.config.claims.items()
        ]
        return cls(study, store, LogWriter(store.log, planned, claims), fingerprints)

    def key(self, config: TrialConfig) -> str:
        """Return the key of a training."""
        return self.fingerprints.key_of(config)


def _planned(study: Study, fingerprints: Fingerprints, before: History) -> Iterator[PlannedPhase]:
    for phase, plan in zip(study.config.phases, study.plan(fingerprints=fingerprints).phases, strict=True):
        search = phase if isinstance(phase, SearchPhase) else None
        space = study.space_hash(search) if search else None
        repeats = _repeats(study, search, plan, before) if search else 0
        yield PlannedPhase(
            phase=phase.name,
            trials=plan.count + repeats,
            images=plan.images,
            finalists=plan.finalists,
            objective=search.objective if search else None,
            space=space,
        )


def _repeats(study: Study, phase: SearchPhase, plan: PhasePlan, before: History) -> int:
    """Return how many proposals an earlier release made beyond the settings that there are; they stay what they are."""
    made = len(before.proposals(phase.name, study.space_hash(phase)))
    allowed = phase.trials * len(study.shares(phase))
    return max(min(made, allowed) - (plan.count - plan.finalists), 0)
