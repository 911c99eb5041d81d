"""How a run begins its log: with what it means to do and what the study claims, written down before anything runs."""

from collections.abc import Iterator

from reid_search.records import ClaimMade, LogWriter, PlannedPhase, RunStarted, StudyStore
from reid_search.study import Fingerprints, SearchPhase, Study


def begin_log(study: Study, store: StudyStore, fingerprints: Fingerprints, started: RunStarted) -> LogWriter:
    """Write down that a run begins, what it plans and every claim, in one piece.

    Args:
        study: The study.
        store: Where it keeps everything.
        fingerprints: Fingerprints of the data sets.
        started: How it was started; the plan is filled in.

    Returns:
        What writes down the rest of the run.
    """
    planned = started.model_copy(update={"planned": tuple(_planned(study, fingerprints))})
    claims = [
        ClaimMade(claim=name, content=claim.model_dump(mode="json")) for name, claim in study.config.claims.items()
    ]
    return LogWriter(store.log, planned, claims)


def _planned(study: Study, fingerprints: Fingerprints) -> Iterator[PlannedPhase]:
    for phase, plan in zip(study.config.phases, study.plan(fingerprints=fingerprints).phases, strict=True):
        yield PlannedPhase(
            phase=phase.name,
            trials=plan.count,
            images=plan.images,
            objective=phase.objective if isinstance(phase, SearchPhase) else None,
            space=study.space_hash(phase) if isinstance(phase, SearchPhase) else None,
        )
