"""Events as lines of the log: what is written is read again, older lines are read, newer ones are refused."""

import json

import pytest

from reid_search.errors import RecordError
from reid_search.records import (
    ArmAsked,
    CandidateAsked,
    ClaimMade,
    ContrastDrawn,
    Event,
    FinalistAsked,
    PlannedPhase,
    Proposal,
    RunDone,
    RunStarted,
    StepChosen,
    TrialLost,
    TrialStopped,
)
from reid_search.records.events import LOG_VERSION, line_of, parsed

EVENTS: list[Event] = [
    RunStarted(
        command="run x", planned=(PlannedPhase(phase="s", trials=2, images=9, objective="val/mAP", space="f"),),
        generation=2, seen={"": 4, "w": 1},
    ),
    ClaimMade(claim="c", content={"better": {"a": "1"}, "vanishes": None, "smallest_effect": 0.01}),
    ContrastDrawn(claim="c", phase="a", effect={"baseline": 1.0, "b": -1.0}, missing=("x",)),
    Proposal(phase="s", key="k", seed=1, evaluate="val", number=3, params={"a": "[1]", "b": 2, "c": 0.5}, space="f"),
    FinalistAsked(phase="s", key="k", seed=1_010_000, evaluate="val", number=3, space="f", readouts={"d": "d-1"}),
    ArmAsked(phase="a", key="k", seed=1, evaluate="test", arm="baseline", settings={"a": "1"}, readouts={"d": "d-1"}),
    CandidateAsked(phase="p", key="k", seed=1, evaluate="val", arm="step 1? a"),
    TrialStopped(phase="s", number=3, key="k", seed=1, epoch=2),
    StepChosen(phase="p", round=1, objective="val/mAP", candidates={"a": ("k", 1, "d")}, values={"a": None}, axis="a"),
    TrialLost(phase="s", key="k", seed=1, reason="gone"),
    RunDone(),
]  # fmt: skip


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_is_read_as_it_was_written(event: Event) -> None:
    line = json.loads(json.dumps(line_of(event, "w-1", 7, "2026-01-01T00:00:00+00:00")))
    read = parsed(line, 0, "log, line 1")
    assert read.event == event.model_copy(update={"time": "2026-01-01T00:00:00+00:00"})
    assert type(read.event) is type(event)
    assert (read.writer, read.number) == ("w-1", 7)


def test_every_type_of_event_is_tried() -> None:
    def leaves(kind: type[Event]) -> set[type[Event]]:
        below = kind.__subclasses__()
        return set().union(*(leaves(item) for item in below)) if below else {kind}

    assert leaves(Event) == {type(event) for event in EVENTS}


def test_a_line_of_version_1_is_read_by_its_place() -> None:
    line = {"event": "ask", "kind": "ablate", "phase": "a", "key": "k", "seed": 2, "evaluate": "test", "arm": "b"}
    read = parsed(line, 5, "log, line 6")
    assert (read.writer, read.number) == ("", 5)
    assert read.event == ArmAsked(phase="a", key="k", seed=2, evaluate="test", arm="b")


def test_a_newer_line_is_refused_and_both_versions_are_named() -> None:
    line = {**line_of(RunDone(), "w", 0, "t"), "version": LOG_VERSION + 1}
    with pytest.raises(RecordError, match=rf"log, line 1: .*version {LOG_VERSION + 1}; .* 1 to {LOG_VERSION}"):
        parsed(line, 0, "log, line 1")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ({"event": "ask", "kind": "search", "phase": "s", "key": "k", "seed": 1, "evaluate": "val"}, "number"),
        ({"event": "ask", "kind": "ablate", "phase": "s", "key": "k", "seed": "x", "evaluate": "val"}, "seed"),
        ({"event": "done", "version": 2, "id": "nothing"}, "<writer>-<number>"),
        ({"event": "done", "version": "2"}, "version '2'"),
    ],
)
def test_a_wrong_line_is_refused_with_its_field(line: dict[str, object], says: str) -> None:
    with pytest.raises(RecordError, match=says):
        parsed(line, 0, "log, line 1")


def test_an_unknown_event_is_no_error() -> None:
    assert parsed({"event": "moved", "version": 2, "id": "w-0"}, 0, "log, line 1").event is None
    assert parsed({"event": "ask", "kind": "dream"}, 0, "log, line 1").event is None
