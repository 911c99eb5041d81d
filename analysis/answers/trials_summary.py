"""How the trials of a study ended, and which did not finish and why."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from reid_search.records import Proposal, Status, StudyState, TrialId

_NOBODY = ("no longer asked for",)
_MOST_TELLING_FIRST = (Status.UNREADABLE, Status.FAILED, Status.UNMEASURED, Status.RUNNING, Status.STOPPED)


@dataclass(frozen=True)
class UnfinishedTrial:
    """A trial without the measurements that were asked for.

    Attributes:
        name: Name of its folder.
        asked_by: Proposals and arms that wait for it: `search #4`, `ablate: model.parts=[1]`.
        status: Its status.
        reason: Why it is not finished.
        epochs: Epochs measured.
    """

    name: str
    asked_by: tuple[str, ...]
    status: Status
    reason: str
    epochs: int


@dataclass(frozen=True)
class TrialsSummary:
    """The trials of a study.

    Attributes:
        counts: Number of trials on disk by status, without zeros.
        waiting: Number of trials that were asked for and have not started.
        unfinished: The other trials, failures first.
    """

    counts: Mapping[str, int]
    waiting: int
    unfinished: tuple[UnfinishedTrial, ...]


def summarise_trials(state: StudyState, arms: pd.DataFrame) -> TrialsSummary:
    """Summarise the trials of a study; `arms` is the table of `load_arms`."""
    askers = _askers(state)
    counts: dict[str, int] = {}
    for trial in state.trials.values():
        counts[trial.status] = counts.get(trial.status, 0) + 1
    unfinished = [
        UnfinishedTrial(str(name), askers.get(name, _NOBODY), trial.status, trial.reason or "", trial.epochs)
        for name, trial in state.trials.items()
        if trial.status != Status.FINISHED
    ]
    unfinished += [
        UnfinishedTrial(f"{row.key}-s{row.seed}", (f"{row.phase}: {row.arm}",), Status.UNMEASURED, str(row.reason), 0)
        for row in arms[arms["status"] == Status.UNMEASURED].itertuples()
    ]
    unfinished.sort(key=lambda trial: (_MOST_TELLING_FIRST.index(trial.status), trial.name))
    return TrialsSummary(counts, len(set(askers) - set(state.trials)), tuple(unfinished))


def _askers(state: StudyState) -> dict[TrialId, tuple[str, ...]]:
    askers: dict[TrialId, tuple[str, ...]] = {}
    for ask in state.history.asks_now():
        name = f"{ask.phase}{' ' if isinstance(ask, Proposal) else ': '}{ask.label}"
        askers[ask.trial] = (*askers.get(ask.trial, ()), name)
    return askers
