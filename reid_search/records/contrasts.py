"""Every contrast that was ever claimed in a store: by what names, on what data, with how many seeds, what was seen.

A claim is what it compares. Under another name, in another phase, the other way round or with another smallest effect
it is the same contrast. It may be tried on several samples: with other data seeds, say, its trainings are other ones.
Each sample that was measured is a chance to find something, so a family counts it as long as anybody can remember:
when the claim is gone, too.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from pydantic import JsonValue

from reid_search.records.events import ArmAsked, ClaimMade, ContrastDrawn
from reid_search.records.identity import TrialId
from reid_search.study.question.contrast_identity import normalised
from reid_search.study.trial.key import digest

Ended = Callable[[TrialId], str | None]
"""Returns when a trial ended, ISO time; None if it has no record."""

_TO_SECONDS = 19  # characters of an ISO time
_MEASURED = ("metric", "readout")


@dataclass
class Run:
    """A run of the study.

    Attributes:
        began: When it began, ISO time.
        until: When the next run began; empty for the last, and in logs without times.
        is_last: Whether no other run followed.
        is_done: Whether it reached its end.
    """

    began: str = ""
    until: str = ""
    is_last: bool = True
    is_done: bool = False


@dataclass
class Round:
    """What one run asked of an ablation."""

    run: Run
    phase: str
    asks: list[ArmAsked] = field(default_factory=list)

    def view(self, ended: Ended, arms: Iterable[str] | None = None) -> "View":
        """Return what somebody could know of some arms (by default all) before the next run began."""
        wanted = None if arms is None else set(arms)
        asked = frozenset(ask.trial for ask in self.asks if wanted is None or ask.arm in wanted)
        seen = asked if self.run.is_done else frozenset(trial for trial in asked if self._had(ended(trial)))
        return View(asked, seen, self.run.is_last)

    def _had(self, ended: str | None) -> bool:
        until = self.run.until
        return ended is not None and (not until or ended[:_TO_SECONDS] <= until[:_TO_SECONDS])


@dataclass(frozen=True)
class View:
    """What one run asked for, and what of it somebody could know before the next one began.

    Attributes:
        asked: The trials that were asked for.
        seen: Those of them whose results were in.
        is_current: Whether it is of the last run of this store.
    """

    asked: frozenset[TrialId]
    seen: frozenset[TrialId]
    is_current: bool

    def of(self, trials: frozenset[TrialId]) -> "View":
        """Return what it shows of some trials."""
        return replace(self, asked=self.asked & trials, seen=self.seen & trials)


@dataclass
class ClaimInRun:
    """A claim as one run made it, with the contrast that a phase drew and what it asked; None before it began."""

    run: Run
    made: ClaimMade
    drawn: ContrastDrawn | None = None
    round: Round | None = None


@dataclass(frozen=True)
class Attempt:
    """A claim as one run tried it.

    Attributes:
        made: The claim as it was written down.
        drawn: Its contrast; None if its phase never began.
        asks: What was asked of its arms.
        seen: The trials of its arms whose results somebody could know before the next run began.
        is_current: Whether it is of the last run of this store.
        aside: The day on which its store was set aside; empty for this store.
        run: The run that tried it, by number, over this store and those that were set aside.
    """

    made: ClaimMade
    drawn: ContrastDrawn | None
    asks: tuple[ArmAsked, ...]
    seen: frozenset[TrialId]
    is_current: bool
    aside: str = ""
    run: int = 0

    @property
    def is_drawn(self) -> bool:
        """Whether there were arms to compare."""
        return self.drawn is not None and not self.drawn.missing

    @property
    def trials(self) -> frozenset[TrialId]:
        """The trials of its arms."""
        return frozenset(ask.trial for ask in self.asks)

    @property
    def seeds(self) -> int:
        """Number of seeds that it asked for."""
        return max(self.by_seed(), default=0)

    def by_seed(self) -> dict[int, list[ArmAsked]]:
        """Return what it asked for by seed, for the seeds that it asked of all its arms."""
        found: dict[int, list[ArmAsked]] = {}
        for ask in self.asks:
            found.setdefault(ask.seed, []).append(ask)
        arms = {ask.arm for ask in self.asks}
        return {seed: asks for seed, asks in found.items() if {ask.arm for ask in asks} == arms}

    @property
    def planned_looks(self) -> tuple[int, ...]:
        """Numbers of seeds at which it was to be looked at; early logs planned one look, at the end."""
        return (self.drawn.looks if self.drawn else ()) or (self.seeds,)

    @property
    def smallest_effect(self) -> float:
        """The smallest effect that it says matters."""
        return float(str(self.made.content.get("smallest_effect", 0.0)))

    @property
    def vanishes_within(self) -> float | None:
        """What the effect may still be under its control's settings; None without a control."""
        if not self.made.content.get("vanishes"):
            return None
        own = self.made.content.get("vanishes_within")
        return self.smallest_effect if own is None else float(str(own))

    @property
    def direction(self) -> int:
        """1 or −1, opposite for the opposite claim."""
        return self.drawn.direction if self.drawn and self.drawn.contrast else content_identity(self.made.content)[1]

    @property
    def data_seeds(self) -> Mapping[str, int]:
        """The seeds of its data by path; empty in early logs."""
        return self.drawn.data_seeds if self.drawn else {}

    def _compared(self, weights: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
        """Return what weights of its arms compare, by the trainings of the first seed; empty if nothing was asked."""
        metric, readout = (str(self.made.content.get(name, "")) for name in _MEASURED)
        first = min((ask.seed for ask in self.asks), default=0)
        asks = [ask for ask in self.asks if ask.seed == first]
        names = {ask.arm: f"{ask.key} {ask.readouts.get(readout, readout)} {metric}" for ask in asks}
        if not weights or not set(weights) <= set(names):
            return ()
        return tuple(normalised([(names[arm], weight) for arm, weight in weights.items()])[0])

    @cached_property
    def effect(self) -> tuple[tuple[str, float], ...]:
        """What it compares, by trainings."""
        return self._compared(self.drawn.effect) if self.drawn else ()

    @cached_property
    def control(self) -> tuple[tuple[str, float], ...]:
        """What its control compares, by trainings; empty without a control."""
        return self._compared(self.drawn.control) if self.drawn else ()


@dataclass(frozen=True)
class Sample:
    """The attempts at a contrast on the same trainings, with more or fewer seeds, and with the same control.

    Attributes:
        attempts: The attempts, in order of time.
        views: What each run, with or without such a claim, asked for and showed.
    """

    attempts: tuple[Attempt, ...]
    views: tuple[View, ...] = ()

    @property
    def last(self) -> Attempt:
        """The last attempt that had arms."""
        return [attempt for attempt in self.attempts if attempt.is_drawn][-1]

    @property
    def is_seen(self) -> bool:
        """Whether any result of its arms could be known before the claim was gone."""
        return any(attempt.seen for attempt in self.attempts)

    @property
    def is_current(self) -> bool:
        """Whether a claim of the last run is about it."""
        return bool(self.claims_now)

    @property
    def claims_now(self) -> list[str]:
        """The names of the claims of the last run that are about it."""
        return list(dict.fromkeys(attempt.made.claim for attempt in self.attempts if attempt.is_current))

    @property
    def plans(self) -> list[tuple[int, ...]]:
        """The looks that each attempt planned, in order of time."""
        return [attempt.planned_looks for attempt in self.attempts if attempt.is_drawn]

    @property
    def seeds_at_looks(self) -> list[int]:
        """The number of seeds at each time when a decision could be seen that could not be seen before.

        A run that planned several looks took those before its last one, too.
        """
        found: list[int] = []
        for seeds in (self._seeds(view) for view in looks_of(self._own_views)):
            plan = next((looks for looks in self.plans if seeds in looks), ())
            found += [look for look in plan if look < seeds and look not in found]
            found.append(seeds)
        return found

    @property
    def seeds_now(self) -> int:
        """The number of seeds that the last run asked for; 0 if it did not get to that."""
        return next((self._seeds(view) for view in reversed(self._own_views) if view.is_current), 0)

    @property
    def times_lowered(self) -> int:
        """How often the number of seeds was lowered after results had come in."""
        seeds = [self._seeds(view) for view in self._own_views if view.seen or view.is_current]
        return sum(after < before for before, after in itertools.pairwise(seeds))

    @cached_property
    def _own_views(self) -> list[View]:
        """What each run showed of the seeds for which it asked for every arm."""
        found = []
        for view in self.views:
            seeds = [trials for trials in self._by_seed.values() if trials <= view.asked]
            if seeds:
                found.append(view.of(frozenset[TrialId]().union(*seeds)))
        return found

    @cached_property
    def _by_seed(self) -> dict[int, frozenset[TrialId]]:
        """The trials of each seed that some attempt asked of all its arms; other claims may ask for more of some."""
        found: dict[int, set[TrialId]] = {}
        for attempt in self.attempts:
            for seed, asks in attempt.by_seed().items():
                found.setdefault(seed, set()).update(ask.trial for ask in asks)
        return {seed: frozenset(trials) for seed, trials in found.items()}

    def _seeds(self, view: View) -> int:
        return len({trial.seed for trial in view.asked})


@dataclass(frozen=True)
class ClaimedContrast:
    """A contrast and every attempt at it, in order of time: those of stores that were set aside come first."""

    identity: str
    attempts: tuple[Attempt, ...]
    views: tuple[View, ...] = field(default=(), repr=False)

    @property
    def names(self) -> list[str]:
        """The names of its claims, in order."""
        return list(dict.fromkeys(attempt.made.claim for attempt in self.attempts))

    @property
    def claims_now(self) -> list[str]:
        """The names of the claims of the last run that make it."""
        return list(dict.fromkeys(attempt.made.claim for attempt in self.attempts if attempt.is_current))

    @cached_property
    def samples(self) -> list[Sample]:
        """The samples on which it was tried."""
        found: list[list[Attempt]] = []
        latest: list[Attempt] = []
        for attempt in (item for item in self.attempts if item.is_drawn):
            latest = next((sample for sample in found if _is_of(attempt, sample)), [])
            if not latest:
                found.append(latest)
            latest.append(attempt)
        # A phase that has not begun in the last run will take up what the one before left.
        latest += [attempt for attempt in self.attempts if attempt.is_current and not attempt.is_drawn]
        return [Sample(tuple(sample), self.views) for sample in found]

    @property
    def left_behind(self) -> list[Sample]:
        """The samples that were measured and that no claim of the last run is about."""
        return [sample for sample in self.samples if sample.is_seen and not sample.is_current]

    def sample_of(self, claim: str) -> Sample | None:
        """Return the sample that a claim of the last run is about; None before its phase began."""

        def is_of(attempt: Attempt) -> bool:
            return attempt.is_current and attempt.made.claim == claim

        return next((sample for sample in self.samples if any(map(is_of, sample.attempts))), None)


def attempts_of(
    claims: Iterable[ClaimInRun], ended: Ended, aside: str = "", before: Sequence[Attempt] = ()
) -> list[Attempt]:
    """Return the attempts that a log holds.

    Args:
        claims: The claims of each run, in order.
        ended: When a trial of the store ended.
        aside: The day on which the store was set aside.
        before: The attempts of earlier logs.
    """
    first = max((attempt.run for attempt in before), default=-1) + 1
    by_run = [list(group) for _, group in itertools.groupby(claims, key=lambda claim: id(claim.run))]
    return [
        replace(_attempt(claim, ended, aside), run=run) for run, group in enumerate(by_run, first) for claim in group
    ]


def _attempt(claim: ClaimInRun, ended: Ended, aside: str) -> Attempt:
    drawn, is_current = claim.drawn, claim.run.is_last and not aside
    if drawn is None or claim.round is None:
        return Attempt(claim.made, drawn, (), frozenset(), is_current, aside)
    arms = {*drawn.effect, *drawn.control}
    asks = tuple(ask for ask in claim.round.asks if ask.arm in arms)
    return Attempt(claim.made, drawn, asks, claim.round.view(ended, arms).seen, is_current, aside)


def views_of(rounds: Iterable[Round], ended: Ended, aside: str = "") -> list[View]:
    """Return what each run of a log asked of its ablations and showed; the arguments are as in `attempts_of`."""
    by_run: dict[int, list[View]] = {}
    for item in rounds:
        by_run.setdefault(id(item.run), []).append(item.view(ended))
    return [
        View(
            frozenset[TrialId]().union(*(view.asked for view in views)),
            frozenset[TrialId]().union(*(view.seen for view in views)),
            views[0].is_current and not aside,
        )
        for views in by_run.values()
    ]


def contrasts_of(attempts: Sequence[Attempt], views: Sequence[View] = ()) -> list[ClaimedContrast]:
    """Return the contrasts that attempts are about, with what all runs showed.

    Early logs do not say what a contrast compares. There it is one with a later one that compares the same trainings,
    or that is stated in the same settings; the others are told apart by their settings. An attempt without arms is
    about what the same settings last meant.
    """
    named = [(attempt, attempt.drawn.contrast) for attempt in attempts if attempt.drawn and attempt.drawn.contrast]
    by_trainings = {attempt.effect: identity for attempt, identity in named if attempt.effect}
    by_content = {content_identity(attempt.made.content)[0]: identity for attempt, identity in named}
    found: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        own = attempt.drawn.contrast if attempt.drawn else ""
        content = content_identity(attempt.made.content)[0]
        identity = own or by_trainings.get(attempt.effect) or by_content.get(content, content)
        found.setdefault(identity, []).append(attempt)
    return [ClaimedContrast(identity, tuple(tried), tuple(views)) for identity, tried in found.items()]


def content_identity(content: Mapping[str, JsonValue]) -> tuple[str, int]:
    """Return what is equal for claims that compare the same settings, and 1 or −1, opposite for opposite claims."""
    sides = [digest(content.get(side) or {}) for side in ("better", "than")]
    along, where = content.get("grows") or content.get("shrinks"), content.get("where") or {}
    sign = (1 if sides == sorted(sides) else -1) * (-1 if content.get("shrinks") else 1)
    measured = [content.get(name) for name in _MEASURED]
    return digest({"sides": sorted(sides), "along": along, "where": where, "measured": measured}), sign


def looks_of(views: Sequence[View]) -> list[View]:
    """Return the views that showed something new.

    One that asks for the same as an earlier one, or shows nothing that it did not, is a run that was resumed, or that
    had no time to measure anything. What the last run asks for is what is looked at now, and counts in any case.
    """
    found: list[View] = []
    seen_before = {frozenset[TrialId]()}
    for view in views:
        if (view.seen not in seen_before or view.is_current) and view.asked not in {other.asked for other in found}:
            found.append(view)
        seen_before.add(view.seen)
    return found


def _is_of(attempt: Attempt, sample: Sequence[Attempt]) -> bool:
    """Say whether an attempt is on the trainings of a sample, with more or fewer seeds."""
    known = frozenset[TrialId]().union(*(other.trials for other in sample))
    alike = (attempt.effect, attempt.control) == (sample[-1].effect, sample[-1].control)
    return alike and (attempt.trials <= known or known <= attempt.trials)


def asked_the_same(contrasts: Iterable[ClaimedContrast], theirs: Iterable[ClaimedContrast]) -> list[ClaimedContrast]:
    """Return the contrasts that another study claims too, by what they compare or by the trainings."""
    drawn = [attempt for contrast in theirs for attempt in contrast.attempts if attempt.is_drawn]
    known = {attempt.drawn.contrast for attempt in drawn if attempt.drawn} | {attempt.effect for attempt in drawn}
    known -= {"", ()}
    return [
        contrast
        for contrast in contrasts
        if any(item.is_drawn and (contrast.identity in known or item.effect in known) for item in contrast.attempts)
    ]
