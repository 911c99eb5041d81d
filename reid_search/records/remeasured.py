"""How much of a plan a store has measured, and which trainings will be measured again, and why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reid_search.records.identity import Status
from reid_search.records.state import StudyState
from reid_search.records.trial import Trial
from reid_search.study import Plan, PlannedTrial, schema_of
from reid_search.study.language.merge import leaves
from reid_search.study.trial.key import BY_CONTENT

_MOST_NAMED = 3


@dataclass(frozen=True)
class Remeasured:
    """An arm that was measured before, and what has changed since."""

    phase: str
    arm: str
    why: str


@dataclass(frozen=True)
class Progress:
    """How much of a plan a store has.

    Attributes:
        measured: Planned trainings that are finished.
        planned: Planned trainings whose keys are known before the run: those of ablations that wait for no search.
        again: The arms that were measured under another config.
        spaces: The searches whose space differs from that of their proposals so far.
    """

    measured: int
    planned: int
    again: tuple[Remeasured, ...]
    spaces: tuple[str, ...]


def progress_of(plan: Plan, spaces: Mapping[str, str], state: StudyState) -> Progress:
    """Return how much of a plan a store has, and what it would measure again; `spaces` holds each search's hash now."""
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
    """Return the trials whose keys are final, unlike those around a search's best or on data that is not given."""
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
        return f"the keys have version {versions[1]}, and the store has version {versions[0]}"
    contents = known.config, planned.config.model_dump(mode="json")
    # Readouts say how it is tested, not what is trained.
    old, new = (dict(leaves({**content, "readouts": {}})) for content in contents)
    changed = [path for path in old | new if (path in old, old.get(path)) != (path in new, new.get(path))]
    known_by = known.data_fingerprint or ""
    if not changed or (known_by != planned.data_fingerprint and set(changed) <= set(_placed(planned))):
        if planned.data_fingerprint.startswith(BY_CONTENT) and not known_by.startswith(BY_CONTENT):
            return "data are now known by their content, and the store knew them by the names and sizes of their files"
        return "the data changed: images, labels, lists or side-cars"
    named = [f"{path} was {old.get(path, 'absent')} and is now {new.get(path, 'absent')}" for path in changed]
    more = f", and {len(changed) - _MOST_NAMED} more" if len(changed) > _MOST_NAMED else ""
    return ", ".join(named[:_MOST_NAMED]) + more


def _placed(planned: PlannedTrial) -> Iterator[str]:
    """Yield the entries that say where data lie, which no measurement depends on."""
    yield from (f"data.{entry}" for entry in planned.config.data.located)
