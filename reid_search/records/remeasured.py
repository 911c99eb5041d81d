"""What of a plan a store has measured, and what it measured otherwise: which trainings begin anew, and why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reid_search.records.identity import Status
from reid_search.records.state import StudyState
from reid_search.records.trial import Trial
from reid_search.study import Plan, PlannedTrial, schema_of
from reid_search.study.trial.key import BY_CONTENT

_MOST_NAMED = 3


@dataclass(frozen=True)
class Remeasured:
    """An arm that was measured before, and what is no longer as it was then."""

    phase: str
    arm: str
    why: str


@dataclass(frozen=True)
class Progress:
    """How much of a plan a store has.

    Attributes:
        measured: Planned trainings that are finished.
        planned: Planned trainings whose keys are known before the run: those of ablations that await no search.
        again: The arms that were measured otherwise before.
        spaces: The searches whose space is another than that of their proposals so far.
    """

    measured: int
    planned: int
    again: tuple[Remeasured, ...]
    spaces: tuple[str, ...]


def progress_of(plan: Plan, spaces: Mapping[str, str], state: StudyState) -> Progress:
    """Return how much of a plan a store has, and what it would measure again.

    Args:
        plan: The plan.
        spaces: What identifies the space of each search now, by phase.
        state: The study as it stands.
    """
    trials = _known(plan)
    trainings = {(trial.key, trial.seed) for trial in trials}
    finished = {name for name, trial in state.trials.items() if trial.status == Status.FINISHED}
    asked = {phase: {ask.space for ask in asks} for phase, asks in state.searches.items() if asks}
    return Progress(
        measured=len(trainings & finished),
        planned=len(trainings),
        again=tuple(_again(trials, state)),
        spaces=tuple(phase for phase, space in spaces.items() if phase in asked and space not in asked[phase]),
    )


def _known(plan: Plan) -> list[PlannedTrial]:
    """Return the trials whose keys stand: those around a search's best, or on data not given, may become others."""
    phases = [] if plan.keys_are_provisional else [phase for phase in plan.phases if not phase.provisional]
    return [trial for phase in phases for trial in phase.trials]


def _again(trials: Sequence[PlannedTrial], state: StudyState) -> Iterator[Remeasured]:
    before = {(ask.phase, ask.arm, ask.seed): state.trial(ask) for asks in state.ablations.values() for ask in asks}
    said: set[tuple[str, str]] = set()
    for planned in trials:
        place = planned.phase, planned.arm.name
        known = before.get((*place, planned.seed))
        if known is not None and known.key != planned.key and place not in said:
            said.add(place)
            yield Remeasured(*place, _why(planned, known))


def _why(planned: PlannedTrial, known: Trial) -> str:
    versions = schema_of(known.key), schema_of(planned.key)
    if versions[0] != versions[1]:
        return f"version {versions[1]} of the keys, where the store has {versions[0]}"
    old = dict(_leaves(known.config))
    new = dict(_leaves(planned.config.model_dump(mode="json")))
    changed = [path for path in {**old, **new} if old.get(path, _NOTHING) != new.get(path, _NOTHING)]
    known_by = known.data_fingerprint or ""
    if known_by != planned.data_fingerprint and set(changed) <= set(_placed(planned)):
        if planned.data_fingerprint.startswith(BY_CONTENT) and not known_by.startswith(BY_CONTENT):
            return "data are now known by their content, which the store knew by the names and sizes of their files"
        return "the data are others: images, labels, lists or side-cars were changed"
    named = [f"{path} was {old.get(path, 'not there')} and is {new.get(path, 'not there')}" for path in changed]
    more = f", and {len(changed) - _MOST_NAMED} more" if len(changed) > _MOST_NAMED else ""
    return ", ".join(named[:_MOST_NAMED]) + more


def _placed(planned: PlannedTrial) -> Iterator[str]:
    """Yield the entries that say where data lie, which no measurement depends on."""
    yield from (f"data.{name}" for name in planned.config.data.places)


_NOTHING = object()


def _leaves(content: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in content.items():
        if not prefix and name == "readouts":  # how it is tested, not what is trained
            continue
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", list(value) if isinstance(value, tuple) else value
