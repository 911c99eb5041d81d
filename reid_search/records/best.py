"""Which proposal of a search is its best, and on what grounds."""

from collections.abc import Collection, Mapping, Sequence
from statistics import fmean

from reid_search.records.events import FinalistAsked, Proposal
from reid_search.records.identity import Status, TrialId
from reid_search.records.like_code import parts_that_measured, unlike
from reid_search.records.trial import Trial, own_readout, value_of

_OVER = (Status.FINISHED, Status.FAILED)


def best_of(
    proposals: Collection[Proposal],
    trials: Mapping[TrialId, Trial],
    objective: str,
    finalists: Collection[FinalistAsked] = (),
) -> Proposal | None:
    """Return the best of some proposals.

    Once all finalists among them are trained again, it is the one with the best mean over its fresh seeds alone: the
    value that selected it does not count. One with failed seeds comes after those with fewer. Before that, and if none
    finished, it is the finished proposal with the best value. Of equals it is the earliest.

    Returns:
        The best; None if no proposal is finished, or if finalists are not to be compared (see `unlike_finalists`).
    """
    by_number = {proposal.number: proposal for proposal in proposals}
    again = _trained_again(proposals, trials, finalists)
    if unlike_finalists(proposals, trials, finalists):
        return None
    if again:
        fresh = {number: fresh_values(number, again, trials, objective) for number in {ask.number for ask in again}}
        ranks = [(-len(found), -fmean(found), number) for number, found in fresh.items() if found]
        if ranks:
            return by_number[min(ranks)[2]]
    return next(iter(candidates(proposals, trials, objective, 1)), None)


def unlike_finalists(
    proposals: Collection[Proposal], trials: Mapping[TrialId, Trial], finalists: Collection[FinalistAsked]
) -> str:
    """Return what of the code differs between the finalists among some proposals, which are all trained again.

    Returns:
        The part and two finalists, in words; empty if they are of like code, or not all over.
    """
    again = [(ask, trials[ask.trial]) for ask in _trained_again(proposals, trials, finalists)]
    return unlike(
        (f"finalist #{ask.number} (seed {ask.seed})", parts_that_measured(trial.record, readout))
        for ask, trial in again
        if trial.record and (readout := own_readout(ask, trial)) in trial.record.readouts
    )


def _trained_again(
    proposals: Collection[Proposal], trials: Mapping[TrialId, Trial], finalists: Collection[FinalistAsked]
) -> list[FinalistAsked]:
    """Return the finalists among some proposals once all of them are over; until then, none."""
    numbers = {proposal.number for proposal in proposals}
    again = [ask for ask in finalists if ask.number in numbers]
    over = all((trial := trials.get(ask.trial)) is not None and trial.status in _OVER for ask in again)
    return again if over else []


def candidates(
    proposals: Collection[Proposal], trials: Mapping[TrialId, Trial], objective: str, most: int
) -> list[Proposal]:
    """Return the best `most` finished proposals, best first and each of another training; of equals the earliest."""
    values = [(value_of(proposal, trials, objective), proposal) for proposal in proposals]
    known = [(-value, proposal.number, proposal) for value, proposal in values if value is not None]
    first: dict[str, Proposal] = {}
    for _, _, proposal in sorted(known, key=lambda item: item[:2]):
        first.setdefault(proposal.key, proposal)
    return list(first.values())[:most]


def fresh_values(
    number: int, finalists: Collection[FinalistAsked], trials: Mapping[TrialId, Trial], objective: str
) -> Sequence[float]:
    """Return what a proposal reached on the fresh seeds that finished; empty if it is no finalist."""
    values = [value_of(ask, trials, objective) for ask in finalists if ask.number == number]
    return [value for value in values if value is not None]
