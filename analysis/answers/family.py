"""The family of a study's claims: every contrast that was ever claimed in its store, measured, and perhaps left behind.

A claim that lost and was taken out of the file was a chance to find something, as were other data, another control and
a store that was set aside. So the family counts them beside the claims of the file, and each claim has its past.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import pairwise

from reid_search.errors import RecordError
from reid_search.records import (
    Attempt,
    ClaimedContrast,
    Ended,
    History,
    Sample,
    Storage,
    StudyStore,
    TrialId,
    View,
    asked_the_same,
    attempts_of,
    contrasts_of,
    looks_of,
    views_of,
)
from reid_search.study.question.deciding import budget_of_claim, budget_of_later_claim
from reid_search.study.question.designs.registry import design_of_record

from ..statistics.looks import level_of_look, planned_before


@dataclass(frozen=True)
class Changes:
    """How a number that a claim gives was changed while results were in.

    Attributes:
        times: How often.
        others: What it was before, each once, other than it is now.
    """

    times: int = 0
    others: tuple[float, ...] = ()


@dataclass(frozen=True)
class Past:
    """What was done about the contrast of a claim, up to now.

    Attributes:
        sample: The trainings that decide it; None before its phase began.
        other_samples: Other trainings, or another control, with which it was measured; each counts in the family.
        other_names: Names under which it was claimed before.
        smallest_effects: Changes of its smallest effect of interest.
        bounds: Changes of what the effect may still be under its control, which is the smallest effect if the file does
            not say.
        times_reversed: How often its direction was reversed after results had come in.
        beside: Other claims of the study that the same trainings decide in the same way.
        set_aside: Days on which stores were set aside in which it had been measured.
        elsewhere: Other studies of the same storage that claim it.
        budget: Its part of the error rate.
        later: Its number among the claims that were made after results had come in; 0 if it was made before.
    """

    sample: Sample | None = None
    other_samples: tuple[Sample, ...] = ()
    other_names: tuple[str, ...] = ()
    smallest_effects: Changes = Changes()
    bounds: Changes = Changes()
    times_reversed: int = 0
    beside: tuple[str, ...] = ()
    set_aside: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    budget: float = budget_of_claim(1)
    later: int = 0

    @property
    def seeds_at_looks(self) -> list[int]:
        """Number of seeds at each time when a decision could be seen, in order of time."""
        return self.sample.seeds_at_looks if self.sample else []

    @property
    def looks(self) -> int:
        """How often a decision could be seen, at least 1."""
        return max(1, len(self.seeds_at_looks))

    @property
    def is_as_planned(self) -> bool:
        """Whether every look was one of a plan with several."""
        return any(len(plan) > 1 and set(self.seeds_at_looks) <= set(plan) for plan in self.plans)

    @property
    def level(self) -> float:
        """What the present look may spend of the budget."""
        return level_of_look(self.plan, self._looks, self.budget)

    @property
    def plan(self) -> Sequence[int]:
        """The numbers of seeds at which it was to be looked at when it was first looked at."""
        return planned_before(self._looks, self.plans, self.budget)

    @property
    def _looks(self) -> list[int]:
        return [*self.seeds_at_looks, self.seeds_now] if self.seeds_now else [1]

    @property
    def seeds_now(self) -> int:
        """Number of seeds that the last run asked of every arm of it."""
        return self.sample.seeds_now if self.sample else 0

    @property
    def plans(self) -> list[tuple[int, ...]]:
        """Numbers of seeds at which its claims were to be looked at, in order of time."""
        return self.sample.plans if self.sample else []


@dataclass(frozen=True)
class Family:
    """Everything that was ever claimed in a store.

    Attributes:
        claims: Number of claims of the study file.
        contrasts: Every contrast, those of stores that were set aside first.
        elsewhere: Names of other studies that claim a contrast, by its identity.
        gone: Folders of stores that were set aside and are no longer there.
    """

    claims: int = 0
    contrasts: tuple[ClaimedContrast, ...] = ()
    elsewhere: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    gone: tuple[str, ...] = ()

    @property
    def left_behind(self) -> list[tuple[ClaimedContrast, Sample]]:
        """What was measured and is claimed no more: contrasts, or samples of those that are still claimed."""
        return [(contrast, sample) for contrast in self.contrasts for sample in contrast.left_behind]

    @property
    def unseen(self) -> list[str]:
        """Names of the claims that were withdrawn before anything of them was measured."""
        gone = [item for item in self.contrasts if not item.claims_now and not any(s.is_seen for s in item.samples)]
        return list(dict.fromkeys(name for contrast in gone for name in contrast.names))

    @property
    def size(self) -> int:
        """Number of tests that share the error: the claims, and what was left behind."""
        return self.claims + len(self.left_behind)

    def past(self, claim: str) -> Past:
        """Return what was done about the contrast of a claim of the study file."""
        contrast = next((item for item in self.contrasts if claim in item.claims_now), None)
        if contrast is None:
            return Past(budget=budget_of_claim(max(1, self.size)))
        own, sample = _own(contrast, claim), contrast.sample_of(claim)
        before = [item for item in contrast.attempts if item.seen and not item.is_current]
        history = [*_one_a_run(before, claim), own]
        return Past(
            sample=sample,
            other_samples=tuple(contrast.left_behind),
            other_names=tuple(name for name in contrast.names if name not in contrast.claims_now),
            smallest_effects=_changes([item.smallest_effect for item in history]),
            bounds=_changes([item.vanishes_within for item in history]),
            times_reversed=sum(one.direction != two.direction for one, two in pairwise(history)),
            beside=tuple(name for name in (sample.claims_now if sample else ()) if name != claim),
            set_aside=tuple(dict.fromkeys(item.aside for item in before if item.aside)),
            elsewhere=tuple(self.elsewhere.get(contrast.identity, ())),
            budget=budget_of_later_claim(later) if (later := self._later(own, sample)) else self._founding_budget,
            later=later,
        )

    @property
    def _founding_budget(self) -> float:
        """The error rate of each claim that was made before any result had come in; what was withdrawn counts."""
        return budget_of_claim(max(1, self.size - sum(map(len, self._made_later))))

    def _later(self, own: Attempt, sample: Sample | None) -> int:
        """Return the number of a claim among those that were made after results had come in; 0 for the others."""
        first = own if sample is None else sample.attempts[0]
        return next((number for number, group in enumerate(self._made_later, 1) if first in group), 0)

    @cached_property
    def _made_later(self) -> list[list[Attempt]]:
        """The first attempts at what was claimed after results had come in, in order; one a name."""
        seen = (item.run for contrast in self.contrasts for item in contrast.attempts if item.seen)
        first_seen = min(seen, default=0)
        found: list[list[Attempt]] = []
        for contrast in self.contrasts:
            samples = [sample for sample in contrast.samples if sample.is_seen or sample.is_current]
            found += [[sample.attempts[0]] * max(1, len(sample.claims_now)) for sample in samples]
            drawn = [name for sample in samples for name in sample.claims_now]
            found += [[item] for item in contrast.attempts if item.is_current and item.made.claim not in drawn]
        later = [group for group in found if group[0].run > first_seen]
        return sorted(later, key=lambda group: group[0].run)


def family_of(store: StudyStore, history: History) -> Family:
    """Return everything that was ever claimed in a store, and in those of the same study that were set aside.

    Only logs are read, and the records of trials of runs that did not reach their end.
    """
    asides = store.set_asides()
    logs = [*((aside, aside.log.history([])) for aside in asides), (store, history)]
    attempts: list[Attempt] = []
    views: list[View] = []
    for where, log in logs:
        how = _ended_in(where), where.day_set_aside
        attempts += attempts_of(log.claims_made, *how, before=attempts)
        views += views_of(log.rounds, *how)
    contrasts = contrasts_of(attempts, views)
    named = [run.set_aside for run in history.runs if run.set_aside]
    return Family(
        claims=len(history.claims),
        contrasts=tuple(contrasts),
        elsewhere=_elsewhere(store, contrasts),
        gone=tuple(sorted({*named} - {aside.name for aside in asides})),
    )


def looks_at_table(store: StudyStore, history: History, phase: str) -> int:
    """Return how often the table of an ablation showed something new: other seeds or arms, after results had come in.

    0 for the arms of claims, whose looks belong to the claims.
    """
    rounds = [item for item in history.rounds if item.phase == phase and item.asks]
    if not rounds or design_of_record(rounds[-1].asks[0].by).of_claims:
        return 0
    ended = _ended_in(store)
    return len(looks_of([item.view(ended) for item in rounds]))


def _own(contrast: ClaimedContrast, claim: str) -> Attempt:
    return next(item for item in contrast.attempts if item.is_current and item.made.claim == claim)


def _one_a_run(attempts: Sequence[Attempt], claim: str) -> list[Attempt]:
    """Return one attempt of each run, that of the claim's name if there is one: claims beside it are no changes."""
    by_run: dict[int, Attempt] = {}
    for item in attempts:
        if item.run not in by_run or item.made.claim == claim:
            by_run[item.run] = item
    return list(by_run.values())


def _changes(history: Sequence[float | None]) -> Changes:
    """Return how a number was changed, from what it was in each run; where it is None, or now is, there was none."""
    found = [value for value in history if value is not None]
    if history[-1] is None:
        return Changes()
    others = tuple(dict.fromkeys(value for value in found if value != found[-1]))
    return Changes(sum(one != two for one, two in pairwise(found)), others)


def _ended_in(store: StudyStore) -> Ended:
    @cache
    def ended(trial: TrialId) -> str | None:
        try:
            record = store.trial(*trial).record()
        except RecordError:
            return ""  # something was measured
        return record.context.ended if record else None

    return ended


def _elsewhere(store: StudyStore, contrasts: Sequence[ClaimedContrast]) -> dict[str, tuple[str, ...]]:
    """Return the other studies of the same storage that claim the same, by contrast; only their logs are read."""
    found: dict[str, list[str]] = {}
    for other in Storage(store.storage).studies():
        if other.name != store.name:
            for contrast in _shared(contrasts, other):
                found.setdefault(contrast.identity, []).append(other.name)
    return {identity: tuple(names) for identity, names in found.items()}


def _shared(contrasts: Sequence[ClaimedContrast], other: StudyStore) -> list[ClaimedContrast]:
    words = {contrast.identity for contrast in contrasts}
    words |= {ask.key for contrast in contrasts for attempt in contrast.attempts for ask in attempt.asks}
    try:
        if not other.log.mentions(words):  # most logs do not, and parsing takes a hundred times as long
            return []
        theirs = contrasts_of(attempts_of(other.log.history([]).claims_made, lambda _: None))
    except RecordError:
        return []
    return asked_the_same(contrasts, theirs)
