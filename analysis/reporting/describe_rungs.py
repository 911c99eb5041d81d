"""Say whether the order of a search's trials, where the first were stopped, was already that of their ends."""

from collections.abc import Iterator, Mapping

from reid_search.records import Status, StudyState
from reid_search.words import several

from ..answers.searches import SearchSummary, order_of_ends
from ..statistics.rungs import FEWEST_ENDS, SAME_ORDER, Agreement, holds_from
from .formats import correlation


def describe_rungs(search: SearchSummary) -> list[str]:
    """Return a sentence on the first rung of a search that stopped any trial, with a caveat where it came too early.

    A search that stopped none says where a pruner may begin, if its trials tell.
    """
    first, holds = _first_rung(search), holds_from(search.agreements)
    if first is None and holds is not None:
        return [f"No trial was stopped. {_from_there(holds)}: a pruner may begin there (min_epochs: {holds.epoch})."]
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
    if at.low >= SAME_ORDER:
        found = f"{order.capitalize()} agreed with that of the end: {told}."
    elif at.high < SAME_ORDER:
        found = f"{order.capitalize()} was not yet that of the end: {told}."
    else:
        found = f"It is not certain that {order} agreed with that of the end: {told}."
    return [found if at.rho >= SAME_ORDER else f"{found} {_later(holds)}"]


def _first_rung(search: SearchSummary) -> int | None:
    """Return the first epoch after which a trial was stopped; None if none was."""
    stopped = search.proposals.loc[search.proposals["status"] == Status.STOPPED, "number"]
    return min((max(search.curves[int(number)]) for number in stopped if int(number) in search.curves), default=None)


def rungs_to_set(state: StudyState, begins: Mapping[str, int]) -> Iterator[str]:
    """Yield a sentence for each search whose pruner begins before the order of its trials so far is that of the end.

    Args:
        state: What the searches have measured.
        begins: The epoch at which the pruner of each search begins, by phase.
    """
    for phase, first in begins.items():
        holds = holds_from(order_of_ends(state, phase)) if phase in state.searches else None
        if holds is not None and holds.epoch > first:
            yield f"{phase}: its pruner begins at epoch {first}. {_from_there(holds)}: set min_epochs: {holds.epoch}"


def _later(holds: Agreement | None) -> str:
    lost = "Trials that would have been among the best may have been stopped"
    if holds is None:
        return f"{lost}. No later epoch is known to have the order of the end; a search without a pruner compares ends."
    return f"{lost}. {_from_there(holds)}: let the pruner begin there (min_epochs: {holds.epoch})."


def _from_there(holds: Agreement) -> str:
    told = f"{correlation(holds.rho)}, 95 % interval {correlation(holds.low)} to {correlation(holds.high)}"
    return (
        f"From epoch {holds.epoch} on the order of the trials is that of their ends (rank correlation {told}, from the "
        f"{holds.ends} of {holds.reached} trials that ran to the end)"
    )
