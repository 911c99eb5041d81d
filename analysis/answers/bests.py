"""What the best of a search is worth: its own measurements, and how much of them is to be believed."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from reid_search.records import Proposal, StudyState
from reid_search.words import several

from ..statistics.shrinkage import shrunken


@dataclass(frozen=True)
class BestValue:
    """The value of the best of a search.

    Attributes:
        raw: Its mean over fresh seeds, in [0, 1]; without any, the value that selected it, which is too high.
        seeds: Number of fresh seeds.
        shrunken: The mean shrunken towards that of all finished proposals; None where that cannot be estimated.
    """

    raw: float
    seeds: int = 0
    shrunken: float | None = None

    @property
    def shown(self) -> float:
        """The value to show first."""
        return self.raw if self.shrunken is None else self.shrunken

    @property
    def how(self) -> str:
        """How it came about: `shrunken; raw 23.5, 3 fresh seeds`."""
        if not self.seeds:
            return "one seed, picked for its score, so optimistic"
        seeds = several(self.seeds, "fresh seed")
        return seeds if self.shrunken is None else f"shrunken; raw {100 * self.raw:.1f}, {seeds}"


def best_value(state: StudyState, best: Proposal, among: Sequence[Proposal]) -> BestValue:
    """Return the value of the best of some proposals of one search, which has finished."""
    fresh = {proposal.number: state.fresh_values(proposal) for proposal in among}
    own = fresh[best.number]
    if not own:
        return BestValue(state.value(best) or 0.0)
    values = [value for proposal in among if (value := state.value(proposal)) is not None]
    return BestValue(fmean(own), len(own), shrunken(fmean(own), len(own), values, list(fresh.values())))


def best_values(state: StudyState) -> dict[str, BestValue]:
    """Return the value of the best of each search that has a finished proposal, by phase."""
    best = {phase: state.best(phase) for phase in state.searches}
    return {phase: best_value(state, one, state.searches[phase]) for phase, one in best.items() if one is not None}
