"""Which trainings of a study were measured under other code than this process has, and what measuring them again costs.

Their numbers are not compared with those measured now.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from reid_search.records.code import CodeVersion
from reid_search.records.identity import Status, TrialId
from reid_search.records.state import StudyState
from reid_search.records.trial import Trial
from reid_search.study import Plan
from reid_search.words import several

_MOST_NAMED = 4
_UNKNOWN = "an earlier release did not note its code"
_HOUR = 3600


@dataclass(frozen=True)
class MixedFinalists:
    """A search whose finalists are of different code, or will be once those that wait are trained.

    Attributes:
        phase: The search.
        trials: The trainings of finalists that other code measured.
        asked: Number of trainings of finalists.
        images: Training images that those of other code saw.
        seconds: Time that they took.
    """

    phase: str
    trials: tuple[TrialId, ...]
    asked: int
    images: int
    seconds: float

    @property
    def line(self) -> str:
        """What it means, and what measuring again costs, in a sentence."""
        return (
            f"{self.phase}: {len(self.trials)} of {several(self.asked, 'training')} of finalists are of other code, "
            "and finalists of different code are not compared: the search gets no best; measuring them again: "
            f"{_price(self.images, self.seconds)}"
        )


@dataclass(frozen=True)
class OtherCode:
    """The trainings that a study asks for and that were measured under other code.

    Attributes:
        trials: Those that finished or were stopped.
        measured: Number of trainings that finished or were stopped, under any code.
        changed: What differs, in words, each once.
        images: Training images that they saw.
        seconds: Time that they took.
        begun: Number of trainings that were interrupted under other code; they begin anew.
        finalists: The searches that get no best, since their finalists are of different code.
    """

    trials: tuple[TrialId, ...]
    measured: int
    changed: tuple[str, ...]
    images: int
    seconds: float
    begun: int
    finalists: tuple[MixedFinalists, ...] = ()

    @property
    def price(self) -> str:
        """What measuring them again costs, from what it cost before."""
        return _price(self.images, self.seconds)

    def lines(self) -> Iterator[str]:
        """Yield what this means for the study, in sentences; nothing if all is of this code."""
        more = len(self.changed) - _MOST_NAMED
        changed = "; ".join(self.changed[:_MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")
        if self.trials:
            yield (
                f"{len(self.trials)} of {several(self.measured, 'measured training')} are of other code ({changed}). "
                f"They stay, and what is measured from now on is not compared with them; `run --remeasure` measures "
                f"them again: {self.price}"
            )
        yield from (search.line for search in self.finalists)
        if self.begun:
            begun = several(self.begun, "unfinished training")
            yield f"{begun} of other code: begun anew" + ("" if self.trials else f" ({changed})")


def other_code(plan: Plan, state: StudyState) -> OtherCode:
    """Return which trainings of a study were measured under other code than that of this process."""
    wanted = [state.trials[name] for name in sorted(_wanted(plan, state)) if name in state.trials]
    measured = [trial for trial in wanted if trial.status in (Status.FINISHED, Status.STOPPED)]
    begun = [trial for trial in wanted if trial.status == Status.RUNNING and trial.epochs and [*_changes(trial)]]
    other = [trial for trial in measured if [*_changes(trial)]]
    return OtherCode(
        trials=tuple(trial.id for trial in other),
        measured=len(measured),
        changed=tuple(dict.fromkeys(change for trial in (*other, *begun) for change in _changes(trial))),
        images=sum(trial.images_seen for trial in other),
        seconds=sum(trial.seconds for trial in other),
        begun=len(begun),
        finalists=tuple(_mixed(state)),
    )


def _mixed(state: StudyState) -> Iterator[MixedFinalists]:
    for phase, asks in state.finalists.items():
        trials = [state.trials[ask.trial] for ask in asks if ask.trial in state.trials]
        other = [trial for trial in trials if trial.status == Status.FINISHED and [*_changes(trial)]]
        if other and (len(other) < len(asks) or state.refusal(phase)):
            ids, seconds = tuple(trial.id for trial in other), sum(trial.seconds for trial in other)
            yield MixedFinalists(phase, ids, len(asks), sum(trial.images_seen for trial in other), seconds)


def _price(images: int, seconds: float) -> str:
    return f"{images:,} images, {seconds / _HOUR:.2g} trial-hours"


def _wanted(plan: Plan, state: StudyState) -> set[TrialId]:
    """Return the trainings that the plan asks for, and of searches and what follows them, those of the last run."""
    final = [phase for phase in plan.phases if phase.trials and not (phase.provisional or plan.keys_are_provisional)]
    known = {phase.name: {TrialId(trial.key, trial.seed) for trial in phase.trials} for phase in final}
    open_phases = {phase.name for phase in plan.phases} - set(known)
    return {ask.trial for ask in state.history.asks_now() if ask.phase in open_phases}.union(*known.values())


def _changes(trial: Trial) -> Iterator[str]:
    """Yield in words how the code of a trial differs from that of this process."""
    if trial.code is None:
        yield _UNKNOWN
        return
    tested_by = trial.record.tested_by if trial.record else None
    for code in (trial.code, *([tested_by] if tested_by else [])):
        yield from _differences(code, code.installed())


def _differences(then: CodeVersion, now: CodeVersion) -> Iterator[str]:
    hashed = {"source", *then.components}
    for name, value in then.parts.items():
        if (new := now.parts.get(name)) != value:
            yield f"{name} changed" if name in hashed else f"{name} {value} is now {new}"
