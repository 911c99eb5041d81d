"""What the events of a log mean together: one replay, which every reader of a study's state shares.

Events may arrive twice, in any order between writers, or from a run that another has replaced. Each event carries its
writer and its number there, and each run says what it had read of earlier runs. So the replay orders the runs, counts
each event once, and ignores what a replaced run wrote after its successor had read the log.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import singledispatchmethod

from reid_search.records.claims import Claim
from reid_search.records.contrasts import ClaimInRun, Round, Run
from reid_search.records.events import (
    ArmAsked,
    Ask,
    CandidateAsked,
    ClaimMade,
    ContrastDrawn,
    Event,
    FinalistAsked,
    Logged,
    PlannedPhase,
    Proposal,
    RunDone,
    RunStarted,
    StepChosen,
)
from reid_search.records.identity import TrialId
from reid_search.words import several

_CALLED = ("says", "source", "phase")


@dataclass
class History:
    """What a log says, in the order in which it happened.

    Attributes:
        is_done: Whether the last run reached its end.
        asks: Everything that was ever asked for.
        ablations: What each ablation asked for in the last run that reached it.
        rounds: What each run asked of each ablation that it reached, in order.
        claims_made: Every claim of every run, in order.
        paths: The candidates that each path tried, by phase.
        began: ISO time of the first event; empty if there is none.
        ended: ISO time of the last event.
        generation: Generation of the last run.
        last_of_writers: Number of the last event of each writer.
        warnings: What was ignored, and why.
    """

    runs: list[RunStarted] = field(default_factory=list)
    is_done: bool = False
    asks: list[Ask] = field(default_factory=list)
    ablations: dict[str, list[ArmAsked]] = field(default_factory=dict)
    rounds: list[Round] = field(default_factory=list)
    claims_made: list[ClaimInRun] = field(default_factory=list)
    paths: dict[str, list[CandidateAsked]] = field(default_factory=dict)
    began: str = ""
    ended: str = ""
    generation: int = 0
    last_of_writers: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    _spaces: dict[str, str] = field(default_factory=dict)
    _proposals: dict[tuple[str, str], dict[int, Proposal]] = field(default_factory=dict)
    _finalists: dict[str, list[FinalistAsked]] = field(default_factory=dict)
    _asked_by_this_run: set[str] = field(default_factory=set)
    _steps: list[StepChosen] = field(default_factory=list)
    _run: Run = field(default_factory=Run)
    _claims: dict[str, ClaimInRun] = field(default_factory=dict)
    _since: dict[str, str] = field(default_factory=dict)

    @property
    def planned(self) -> Mapping[str, PlannedPhase]:
        """The plan of the last run, by phase."""
        return {phase.phase: phase for phase in (self.runs[-1].planned if self.runs else ())}

    @property
    def searches(self) -> list[str]:
        """Names of the searches that asked for anything, in the order of their first proposals."""
        return list(self._spaces)

    def proposals(self, phase: str, space: str | None = None) -> list[Proposal]:
        """Return the proposals of a search by number, from 0 without a gap; if two share a number, the first counts.

        Proposals beyond the number of trials that the last run planned are left out.

        Args:
            phase: The search.
            space: The space that they were drawn from; by default that of the last run.
        """
        plan = self.planned.get(phase)
        current = plan.space if plan and plan.space is not None else self._spaces.get(phase, "")
        found = self._proposals.get((phase, current if space is None else space), {})
        most = plan.trials - plan.finalists if plan and plan.space is not None else len(found)
        return [found[number] for number in itertools.takewhile(found.__contains__, range(most))]

    def finalists(self, phase: str) -> list[FinalistAsked]:
        """Return the finalists of a search that the last run to get so far asked for; none if no more are planned."""
        plan, proposals = self.planned.get(phase), {ask.number: ask for ask in self.proposals(phase)}
        asked = self._finalists.get(phase, ()) if plan and plan.finalists else ()
        return [ask for ask in asked if ask.number in proposals and ask.space == proposals[ask.number].space]

    def chosen(
        self, phase: str, number: int, objective: str, candidates: Mapping[str, tuple[str, int, str]]
    ) -> str | None:
        """Return the axis that a path chose for its `number`th step among these candidates; None if it has not yet."""
        wanted = phase, number, objective, dict(candidates)
        made = (step for step in self._steps if (step.phase, step.round, step.objective, step.candidates) == wanted)
        return next((step.axis for step in made), None)

    @property
    def claims(self) -> list[Claim]:
        """The claims of the last run, in the order of the study file."""
        return [self._claim(claim) for claim in self._claims.values()]

    def asks_now(self) -> Iterator[Ask]:
        """Yield what the study asks for now: searches with their finalists, then paths, then ablations."""
        for phase in self.searches:
            yield from self.proposals(phase)
            yield from self.finalists(phase)
        yield from itertools.chain(*self.paths.values())
        yield from itertools.chain(*self.ablations.values())

    def askers(self) -> dict[TrialId, list[Ask]]:
        """Return who asks for each trial now; if nobody does any more, who did."""
        now = _by_trial(self.asks_now())
        return now | {trial: asks for trial, asks in _by_trial(self.asks).items() if trial not in now}

    @singledispatchmethod
    def apply(self, event: Event) -> None:
        """Take the next event; most kinds have a method below, and the others change nothing."""

    @apply.register
    def _(self, event: RunStarted) -> None:
        self.runs.append(event)
        self.is_done = False
        self._run.until, self._run.is_last = event.time, False
        self._run, self._claims, self._asked_by_this_run = Run(event.time), {}, set()

    @apply.register
    def _(self, _: RunDone) -> None:
        self.is_done = self._run.is_done = True

    @apply.register
    def _(self, event: ClaimMade) -> None:
        self._claims[event.claim] = ClaimInRun(self._run, event)
        self.claims_made.append(self._claims[event.claim])
        self._since.setdefault(_said(event), event.time)

    @apply.register
    def _(self, event: ContrastDrawn) -> None:
        if (claim := self._claims.get(event.claim)) is not None:
            claim.drawn, claim.round = event, self._round(event.phase)

    @apply.register
    def _(self, event: Proposal) -> None:
        self.asks.append(event)
        self._spaces[event.phase] = event.space
        self._proposals.setdefault((event.phase, event.space), {}).setdefault(event.number, event)

    @apply.register
    def _(self, event: FinalistAsked) -> None:
        self.asks.append(event)
        if event.phase not in self._asked_by_this_run:
            self._asked_by_this_run.add(event.phase)
            self._finalists[event.phase] = []
        self._finalists[event.phase].append(event)

    @apply.register
    def _(self, event: ArmAsked) -> None:
        self.asks.append(event)
        if event.phase not in self._asked_by_this_run:
            self._asked_by_this_run.add(event.phase)
            self.ablations[event.phase] = self._round(event.phase).asks
        self.ablations[event.phase].append(event)

    @apply.register
    def _(self, event: CandidateAsked) -> None:
        self.asks.append(event)
        self.paths.setdefault(event.phase, []).append(event)

    @apply.register
    def _(self, event: StepChosen) -> None:
        self._steps.append(event)

    def _round(self, phase: str) -> Round:
        """Return what this run asks of an ablation."""
        own = (item for item in reversed(self.rounds) if item.run is self._run and item.phase == phase)
        found = next(own, None)
        if found is None:
            self.rounds.append(found := Round(self._run, phase))
        return found

    def _claim(self, claim: ClaimInRun) -> Claim:
        drawn, made = claim.drawn, claim.made
        found = Claim(made.claim, made.content, self._since[_said(made)])
        if drawn is None:
            return found
        return replace(found, phase=drawn.phase, effect=drawn.effect, control=drawn.control, missing=drawn.missing)


def _by_trial(asks: Iterable[Ask]) -> dict[TrialId, list[Ask]]:
    found: dict[TrialId, list[Ask]] = {}
    for ask in asks:
        found.setdefault(ask.trial, []).append(ask)
    return found


def replay(logged: Iterable[Logged]) -> History:
    """Return what the events of a log mean together; they may come in any order between writers."""
    history = History()
    ordered, stale = _in_order({(item.writer, item.number): item for item in logged})
    for item in ordered:
        if item.event is not None:
            history.began = history.began or item.event.time
            history.ended = item.event.time or history.ended
            history.apply(item.event)
        history.last_of_writers[item.writer] = max(item.number, history.last_of_writers.get(item.writer, 0))
    history.generation = max((run.generation for run in history.runs), default=0) or len(history.runs)
    history.warnings = [*_unknown(ordered), *stale]
    return history


def _in_order(logged: Mapping[tuple[str, int], Logged]) -> tuple[list[Logged], list[str]]:
    """Return the events that count, run after run, and warnings about the others."""
    writers: dict[str, list[Logged]] = {}
    for item in logged.values():
        writers.setdefault(item.writer, []).append(item)
    for items in writers.values():
        items.sort(key=lambda item: item.number)
    started = {writer: items[0].event for writer, items in writers.items()}
    runs = {writer: event for writer, event in started.items() if writer and isinstance(event, RunStarted)}
    order = sorted(runs, key=lambda writer: (runs[writer].generation, writer))
    last = {writer: float("inf") for writer in writers}
    for place, writer in enumerate(order):
        for earlier in ("", *order[:place]):
            if earlier in last:
                last[earlier] = min(last[earlier], runs[writer].seen.get(earlier, -1))
    counted = [item for writer in ("", *order) for item in writers.get(writer, ()) if item.number <= last[writer]]
    late = [item for item in logged.values() if item.writer in ("", *order) and item.number > last[item.writer]]
    stale = []
    for is_older, what in enumerate(("a run that another had replaced", "version 1, after later ones")):
        if found := [item for item in late if (not item.writer) == is_older]:
            stale.append(f"{found[0].place}: ignored {several(len(found), 'event')} of {what}")
    for writer in sorted(set(writers) - {"", *order}):
        first = next(item for item in logged.values() if item.writer == writer)
        stale.append(f"{first.place}: ignored the events of a run that never said that it began")
    return counted, stale


def _unknown(counted: Sequence[Logged]) -> Iterator[str]:
    for named in dict.fromkeys(item.named for item in counted if item.event is None):
        places = [item.place for item in counted if item.event is None and item.named == named]
        yield f"{places[0]}: this release does not know the event '{named}'; kept and ignored {len(places)}"


def _said(made: ClaimMade) -> str:
    """Return what a claim says, whatever it, its phase and its sentence are called."""
    return repr(sorted((name, value) for name, value in made.content.items() if name not in _CALLED))
