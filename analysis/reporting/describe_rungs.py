"""Say whether the order of a search's trials, where the first were stopped, was already that of their ends."""

from reid_search.records import Status
from reid_search.words import several

from ..answers.searches import SearchSummary
from ..statistics.rungs import FEWEST_ENDS, Agreement
from .formats import correlation

LOW, HOLDS = 0.8, 0.9  # rank correlations: below the one an order misleads, from the other on it holds


def describe_rungs(search: SearchSummary) -> list[str]:
    """Return a sentence on the first rung of a search that stopped any trial, with a caveat where it came too early."""
    first = _first_rung(search)
    at = next((item for item in search.agreements if item.epoch == first), None)
    if at is None:
        return []
    if at.rho != at.rho:
        return [
            f"Whether the order after epoch {first}, where the first trials were stopped, was that of the end cannot "
            f"be told: {several(at.ends, 'trial')} ran to the end, and it takes {FEWEST_ENDS} that differ."
        ]
    told = (
        f"rank correlation {correlation(at.rho)} (95 % interval {correlation(at.low)} to {correlation(at.high)}), from "
        f"the {at.ends} of {at.reached} trials that ran to the end"
    )
    order = f"the order after epoch {first}, where the first trials were stopped,"
    if at.low >= LOW:
        found = f"{order.capitalize()} agreed with that of the end: {told}."
    elif at.high < LOW:
        found = f"{order.capitalize()} was not yet that of the end: {told}."
    else:
        found = f"It is not certain that {order} agreed with that of the end: {told}."
    return [found if at.rho >= LOW else f"{found} {_later(search, at)}"]


def _first_rung(search: SearchSummary) -> int | None:
    """Return the first epoch after which a trial was stopped; None if none was."""
    stopped = search.proposals.loc[search.proposals["status"] == Status.STOPPED, "number"]
    return min((max(search.curves[int(number)]) for number in stopped if int(number) in search.curves), default=None)


def _later(search: SearchSummary, at: Agreement) -> str:
    holds = next((item for item in search.agreements if item.epoch > at.epoch and item.rho >= HOLDS), None)
    lost = "Trials that would have been among the best may have been stopped"
    if holds is None:
        return f"{lost}. No later epoch is known to have the order of the end; a search without a pruner compares ends."
    return (
        f"{lost}. The first epoch whose order holds is {holds.epoch} ({correlation(holds.rho)}): let the pruner begin "
        f"there (min_epochs: {holds.epoch})."
    )
