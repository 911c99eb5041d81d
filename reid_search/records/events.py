"""The events of a study's log: one type each, written and parsed only here.

A line of the log is an event's fields with `event` (its name), `version` (of this layout), `id` (`<writer>-<number>`:
the run that wrote it and its place among that run's events) and `time`. Version 1 had neither version nor id. A line of
a newer version is refused, since skipping it could change what a study asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from reid_search.records.fields import Count, IsoTime, Key
from reid_search.records.identity import MOST_DIGITS, TrialId
from reid_search.records.reading import check_version, reading
from reid_search.study.metrics import Split

LOG_VERSION = 2

Param = str | int | float


class Event(BaseModel):
    """Something that happened to a study.

    Attributes:
        name: Its name in the log.
        time: When it was written down, ISO (UTC); empty until then.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    name: ClassVar[str]
    time: IsoTime = ""


class PlannedPhase(BaseModel):
    """What a run planned for a phase: its trainings or proposals and their images, without early stopping.

    Attributes:
        finalists: How many of a search's trainings are those of its finalists; the others are its proposals.
        objective: What a search maximises; None for other phases, and in version 1.
        space: Hash of the space that a search draws proposals from; None likewise.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    phase: str
    trials: Count
    images: Count
    finalists: Count = 0
    objective: str | None = None
    space: str | None = None


class RunStarted(Event):
    """A run of the study began.

    Attributes:
        planned: Its plan, phase by phase.
        generation: One more than the generation of any run whose events it had read.
        seen: The number of the last event that it had read from each earlier writer. Whatever such a writer wrote
            later, it wrote after it should have stopped.
        set_aside: Name of the folder that holds what it set aside before it began (`--fresh`); empty for nothing.
    """

    name: ClassVar[str] = "run"

    command: str = ""
    versions: dict[str, str] = Field(default_factory=dict)
    git_commit: str | None = None
    planned: tuple[PlannedPhase, ...] = ()
    generation: Count = 0
    seen: dict[str, Count] = Field(default_factory=dict)
    set_aside: str = ""


class ClaimMade(Event):
    """A claim of the study file, defaults filled in; written at the start of every run."""

    name: ClassVar[str] = "claim"

    claim: str
    content: dict[str, JsonValue]


class ContrastDrawn(Event):
    """A phase that decides a claim began; `Claim` says what the fields mean.

    Attributes:
        contrast: What the effect compares, by content; empty if arms are missing, and in early logs.
        direction: 1 or −1, opposite for the opposite claim.
        data_seeds: The seeds that people and validation splits are drawn with, by path; early logs do not name them.
        looks: Numbers of seeds at which its phase was to look; empty in early logs.
    """

    name: ClassVar[str] = "contrast"

    claim: str
    phase: str
    effect: dict[str, float] = Field(default_factory=dict)
    control: dict[str, float] = Field(default_factory=dict)
    missing: tuple[str, ...] = ()
    contrast: str = ""
    direction: Literal[-1, 1] = 1
    data_seeds: dict[str, Count] = Field(default_factory=dict)
    looks: tuple[Count, ...] = ()


class Ask(Event):
    """A trial was asked for.

    Attributes:
        evaluate: Split that it is tested on, `val` or `test`.
        settings: Label of each axis, by path.
        readouts: Name of each readout → name of this asker's variant in the record; early logs do not name them.
        by: Who asked: a sampler or a design.
    """

    name: ClassVar[str] = "ask"
    kind: str

    phase: str
    key: Key
    seed: Count
    evaluate: Split
    settings: dict[str, str] = Field(default_factory=dict)
    readouts: dict[str, str] = Field(default_factory=dict, min_length=1)
    by: str = ""

    @property
    def trial(self) -> TrialId:
        """The trial that was asked for."""
        return TrialId(self.key, self.seed)

    @property
    def label(self) -> str:
        """The asker's name for people: an arm's name, or `#7`."""
        raise NotImplementedError


class Proposal(Ask):
    """A search asked for a trial.

    Attributes:
        params: What the sampler suggested, by axis.
        space: Hash of the space that it was drawn from.
        arm: The arm that it is for, if the search tunes each arm of an ablation.
    """

    kind: Literal["search"] = "search"

    number: Count
    params: dict[str, Param] = Field(default_factory=dict)
    space: str = ""
    arm: str | None = None

    @property
    def label(self) -> str:
        """`#7`."""
        return f"#{self.number}"


class FinalistAsked(Ask):
    """A search asked for one of its best candidates again, on a fresh seed, after its last proposal.

    Attributes:
        number: Number of the proposal that it repeats.
        space: Hash of the space that the proposal was drawn from.
    """

    kind: Literal["finalist"] = "finalist"

    number: Count
    space: str = ""

    @property
    def label(self) -> str:
        """`finalist #7`."""
        return f"finalist #{self.number}"


class ArmAsked(Ask):
    """An ablation asked for a replicate of an arm.

    Attributes:
        arm: The arm; the centre is `baseline`.
        tuned: Label of each axis that a search tuned for this arm alone.
        redrawn_from: Fingerprint of the original data, if each seed redraws its own data like it.
        recipe: The published system that the arm was made from; None for none, and in logs that do not name it.
    """

    kind: Literal["ablate"] = "ablate"

    arm: str
    tuned: dict[str, str] = Field(default_factory=dict)
    redrawn_from: str | None = None
    recipe: str | None = None

    @property
    def label(self) -> str:
        """The arm's name."""
        return self.arm


class CandidateAsked(Ask):
    """A path asked for a candidate of its next step. Candidates are not replicates of arms."""

    kind: Literal["step"] = "step"

    arm: str

    @property
    def label(self) -> str:
        """The candidate's name."""
        return self.arm


class TrialStopped(Event):
    """The pruner stopped a trial after an epoch."""

    name: ClassVar[str] = "stop"

    phase: str
    number: Count
    key: Key
    seed: Count
    epoch: Count


class StepChosen(Event):
    """A path chose its next step.

    Attributes:
        round: Number of the step, from 1.
        objective: The metric that decided.
        candidates: Key, seed and readout of each candidate, by axis.
        values: The objective by axis; None where a candidate failed.
    """

    name: ClassVar[str] = "step"

    phase: str
    round: Count
    objective: str
    candidates: dict[str, tuple[Key, Count, str]]
    values: dict[str, float | None] = Field(default_factory=dict)
    axis: str


class TrialLost(Event):
    """A trial could not go on after every retry, and the run stopped."""

    name: ClassVar[str] = "lost"

    phase: str
    key: Key
    seed: Count
    reason: str


class RunDone(Event):
    """Every trial of a run is over."""

    name: ClassVar[str] = "done"


@dataclass(frozen=True)
class Logged:
    """An event as the log holds it.

    Attributes:
        event: The event; None if this release does not know its name.
        named: Its name in the log.
        writer: The run that wrote it; empty in version 1.
        number: Its place among this writer's events, from 0; its line in version 1.
        place: The file and line, for messages.
    """

    event: Event | None
    named: str
    writer: str
    number: int
    place: str


_PLAIN: tuple[type[Event], ...] = (
    RunStarted, ClaimMade, ContrastDrawn, TrialStopped, StepChosen, TrialLost, RunDone,
)  # fmt: skip
_ASKS: tuple[type[Ask], ...] = (Proposal, FinalistAsked, ArmAsked, CandidateAsked)
_TYPES: dict[tuple[str, object], type[Event]] = {
    **{(kind.name, None): kind for kind in _PLAIN},
    **{(Ask.name, kind.model_fields["kind"].default): kind for kind in _ASKS},
}


def line_of(event: Event, writer: str, number: int, time: str) -> dict[str, object]:
    """Return an event as a line of the log, the `number`th that a run writes."""
    stamp = {"event": event.name, "version": LOG_VERSION, "id": f"{writer}-{number}", "time": time}
    fields = event.model_dump(mode="json", exclude={"time"})
    return stamp | {name: value for name, value in fields.items() if value not in (None, {})}


def parsed(line: Mapping[str, object], index: int, place: str) -> Logged:
    """Parse the line of a log, the `index`th of its file; `place` names it in messages.

    Raises:
        RecordError: It has a newer version, or a field is missing or wrong.
    """
    version, named = line.get("version", 1), str(line.get("event"))
    check_version(place, "an event of version", version, LOG_VERSION)
    with reading(f"{place}: event '{named}'"):
        writer, number = ("", index) if version == 1 else _identity(line.get("id"))
        kind = _TYPES.get((named, line.get("kind") if named == Ask.name else None))
        given = {name: value for name, value in line.items() if value is not None}  # version 1 wrote null for absent
        return Logged(kind.model_validate(given) if kind else None, named, writer, number, place)


def _identity(written: object) -> tuple[str, int]:
    writer, separator, number = str(written).rpartition("-")
    if not (writer and separator and number.isdecimal() and len(number) <= MOST_DIGITS):
        raise ValueError(f"id {written!r:.60}; expected <writer>-<number>")
    return writer, int(number)
