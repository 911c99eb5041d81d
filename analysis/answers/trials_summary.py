"""How the trials of a study ended, and which did not finish and why."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from ..reading.arms import last_ablations, path_candidates
from ..reading.gather import Identity, StudyResults
from ..reading.proposals import last_searches

_MOST_TELLING_FIRST = ("unreadable", "failed", "unmeasured", "running", "stopped")


@dataclass(frozen=True)
class UnfinishedTrial:
    """A trial without the measurements that were asked for.

    Attributes:
        name: Name of its folder.
        asked_by: Proposals and arms that wait for it: `search #4`, `ablate: model.parts=[1]`.
        status: How it stands.
        reason: Why.
        epochs: Epochs measured.
    """

    name: str
    asked_by: tuple[str, ...]
    status: str
    reason: str
    epochs: int


@dataclass(frozen=True)
class TrialsSummary:
    """The trials of a study.

    Attributes:
        counts: Number of trials on disk by status, without zeros.
        waiting: Number of trials that were asked for and have not started.
        unfinished: The trials that are not finished, failures first.
    """

    counts: Mapping[str, int]
    waiting: int
    unfinished: tuple[UnfinishedTrial, ...]


def summarise_trials(results: StudyResults, arms: pd.DataFrame) -> TrialsSummary:
    """Summarise the trials.

    Args:
        results: What was gathered.
        arms: The table of `load_arms`.
    """
    askers = _askers(results)
    counts: dict[str, int] = {}
    for trial in results.trials.values():
        counts[trial.status] = counts.get(trial.status, 0) + 1
    unfinished = [
        UnfinishedTrial(
            trial.name, askers.get(identity, ("no longer asked for",)), trial.status, trial.reason or "", trial.epochs
        )
        for identity, trial in results.trials.items()
        if trial.status != "finished"
    ]
    unfinished += [
        UnfinishedTrial(f"{row.key}-s{row.seed}", (f"{row.phase}: {row.arm}",), "unmeasured", str(row.reason), 0)
        for row in arms[arms["status"] == "unmeasured"].itertuples()
    ]
    unfinished.sort(key=lambda trial: (_MOST_TELLING_FIRST.index(trial.status), trial.name))
    return TrialsSummary(counts, len(set(askers) - set(results.trials)), tuple(unfinished))


def _askers(results: StudyResults) -> dict[Identity, tuple[str, ...]]:
    askers: dict[Identity, tuple[str, ...]] = {}
    asked = [
        *((ask, f"{phase} #{ask['number']}") for phase, asks in last_searches(results.events).items() for ask in asks),
        *((ask, f"{phase}: {ask['arm']}") for phase, asks in path_candidates(results.events).items() for ask in asks),
        *((ask, f"{phase}: {ask['arm']}") for phase, asks in last_ablations(results.events).items() for ask in asks),
    ]
    for ask, name in asked:
        identity = (str(ask["key"]), int(ask["seed"]))
        askers[identity] = (*askers.get(identity, ()), name)
    return askers
