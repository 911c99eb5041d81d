"""One replay: events that come twice, in any order between writers, or from a run that was replaced."""

import itertools
import random
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from reid_search.records import (
    ArmAsked,
    ClaimMade,
    ContrastDrawn,
    Event,
    History,
    LogWriter,
    PlannedPhase,
    Proposal,
    RunDone,
    RunStarted,
    StudyLog,
)
from reid_search.records.events import Logged
from reid_search.records.files import append_lines
from reid_search.records.replay import replay


def proposal(number: int, key: str, space: str = "f") -> Proposal:
    return Proposal(phase="s", key=key, seed=10_000, evaluate="val", number=number, space=space)


def arm(name: str, seed: int, phase: str = "a") -> ArmAsked:
    return ArmAsked(phase=phase, key=name, seed=seed, evaluate="test", arm=name)


def logged(writer: str, *events: Event) -> list[Logged]:
    return [Logged(event, event.name, writer, number, f"{writer}, {number}") for number, event in enumerate(events)]


def started(generation: int, **seen: int) -> RunStarted:
    return RunStarted(generation=generation, seen=seen)


ARM = arm("baseline", 1)
FIRST = logged("one", started(1), proposal(0, "a"), proposal(1, "b"), ARM)
SECOND = logged(
    "two", started(2, one=2), proposal(1, "c"), proposal(2, "d"), arm("baseline", 1), arm("x", 1), RunDone()
)


def seen(history: History) -> object:
    proposals = [item.key for item in history.proposals("s", "f")]
    arms = {phase: [ask.label for ask in asks] for phase, asks in history.ablations.items()}
    return proposals, arms, history.is_done, history.generation, len(history.asks)


def test_a_replaced_run_that_goes_on_writing_is_passed_over() -> None:
    history = replay([*FIRST, *SECOND])
    assert [item.key for item in history.proposals("s", "f")] == ["a", "b", "d"]  # `b` was read before the second began
    assert [ask.label for ask in history.ablations["a"]] == ["baseline", "x"]
    assert history.warnings == ["one, 3: ignored 1 event of a run that another had replaced"]


@given(st.randoms(use_true_random=False), st.integers(0, 9))
def test_order_between_writers_and_repetition_do_not_matter(draw: random.Random, twice: int) -> None:
    events = [*FIRST, *SECOND]
    events.append(events[twice])
    draw.shuffle(events)
    assert seen(replay(events)) == seen(replay([*FIRST, *SECOND]))


def test_two_runs_that_did_not_see_each_other_give_one_state_in_any_order() -> None:
    left = logged("left", started(1), proposal(0, "a"))
    right = logged("right", started(1), proposal(0, "b"))
    states = {str(seen(replay(order))) for order in itertools.permutations([*left, *right])}
    assert len(states) == 1


def test_runs_are_ordered_by_generation_whatever_their_writers_are_called() -> None:
    first = logged("z", RunStarted(generation=1, command="first"), arm("a", 1), RunDone())
    second = logged("m", RunStarted(generation=2, command="second", seen={"z": 2}), arm("b", 1))
    third = logged("a", RunStarted(generation=10, command="third", seen={"z": 2, "m": 1}), arm("c", 1))
    for order in itertools.permutations([first, second, third]):
        history = replay(itertools.chain(*order))
        assert [run.command for run in history.runs] == ["first", "second", "third"]
        assert [ask.label for ask in history.ablations["a"]] == ["c"]
        assert (history.generation, history.is_done, history.warnings) == (10, False, [])


def test_a_new_run_is_not_done_because_an_earlier_one_was() -> None:
    first = logged("one", started(1), RunDone())
    second = started(2, one=1)
    assert replay(first).is_done
    assert not replay([*first, *logged("two", second)]).is_done
    assert replay([*first, *logged("two", second, RunDone())]).is_done


def test_a_run_of_version_1_that_goes_on_writing_is_passed_over() -> None:
    """Such a run gave its events no writer, and a later run says how far it had read."""
    old = logged("", RunStarted(), proposal(0, "a"), proposal(1, "late"), RunDone())
    new = logged("two", started(2, **{"": 1}), proposal(1, "c"))
    history = replay([*old, *new])
    assert [item.key for item in history.proposals("s", "f")] == ["a", "c"]
    assert not history.is_done
    assert history.warnings == [", 2: ignored 2 events of version 1, after later ones"]


def test_who_asks_for_a_trial_now_comes_before_who_did() -> None:
    early, other = arm("early", 1), arm("dropped", 1)
    now = early.model_copy(update={"arm": "now"})
    first = logged("one", started(1), early, other)
    history = replay([*first, *logged("two", started(2, one=2), now)])
    assert {trial: [ask.label for ask in asks] for trial, asks in history.askers().items()} == {
        early.trial: ["now"],
        other.trial: ["dropped"],
    }


def test_events_without_their_run_are_passed_over_and_said() -> None:
    history = replay([item for item in FIRST if item.number])
    assert history.asks == []
    assert history.warnings == ["one, 1: ignored the events of a run that never said that it began"]


def test_a_search_is_what_the_last_run_planned() -> None:
    plan = PlannedPhase(phase="s", trials=2, images=0, objective="val/rank1", space="f")
    asks = [proposal(number, str(number)) for number in range(3)]
    other = [proposal(0, "z", space="g")]
    first = logged("one", started(1), *asks, *other)
    again = logged("two", RunStarted(generation=2, seen={"one": 4}, planned=(plan,)))
    assert [item.key for item in replay(first).proposals("s")] == ["z"]
    assert [item.key for item in replay([*first, *again]).proposals("s")] == ["0", "1"]  # the space of `g` is over
    assert [item.key for item in replay([*first, *again]).askers()[asks[2].trial]] == ["2"]


def test_a_gap_ends_a_search() -> None:
    def numbers(*asked: int) -> list[int]:
        return [item.number for item in replay(logged("", *(proposal(one, "a") for one in asked))).proposals("s")]

    assert numbers(0, 2) == [0]
    assert numbers(0, 1, 3, 4, 5) == [0, 1]
    assert numbers(2, 0, 1) == [0, 1, 2]
    assert numbers(1, 2) == []


def test_claims_are_those_of_the_last_run_and_know_when_they_were_first_made() -> None:
    def claim(name: str, time: str, smallest: float = 0.01) -> ClaimMade:
        return ClaimMade(claim=name, content={"smallest_effect": smallest}, time=time)

    history = replay(
        logged(
            "",
            RunStarted(),
            *(claim("kept", "2026-01-01"), claim("dropped", "2026-01-01"), claim("changed", "2026-01-01")),
            ContrastDrawn(claim="kept", phase="a", effect={"x": 1.0, "y": -1.0}),
            RunStarted(),
            *(claim("changed", "2026-01-02", 0.02), claim("kept", "2026-01-02")),
        )
    )
    assert [(item.name, item.since, item.phase) for item in history.claims] == [
        ("changed", "2026-01-02", None), ("kept", "2026-01-01", None)
    ]  # fmt: skip


def test_a_writer_stamps_what_it_writes_and_says_what_it_had_read(tmp_path: Path) -> None:
    log = StudyLog(tmp_path / "asked.jsonl")
    append_lines(log.path, [{"event": "run", "time": "2026-01-01"}, {"event": "done", "time": "2026-01-01"}])
    first = LogWriter(log, RunStarted(command="first"), [proposal(0, "a")])
    first.append(proposal(1, "b"))
    second = LogWriter(log, RunStarted(command="second"))
    first.append(proposal(2, "late"))
    second.append(proposal(2, "c"), RunDone())
    history = log.history()
    assert [run.command for run in history.runs] == ["", "first", "second"]
    assert [run.generation for run in history.runs] == [0, 2, 3]
    assert [item.key for item in history.proposals("s", "f")] == ["a", "b", "c"]
    assert history.is_done
    assert len(history.warnings) == 1


def test_an_unknown_event_is_kept_and_said(tmp_path: Path) -> None:
    log = StudyLog(tmp_path / "asked.jsonl")
    LogWriter(log, RunStarted(), [proposal(0, "a")])
    append_lines(log.path, [{"event": "moved", "version": 2, "id": f"{log.read()[0].writer}-2", "time": "2026-01-01"}])
    text = log.path.read_text()
    history = log.history()
    assert [item.key for item in history.proposals("s", "f")] == ["a"]
    assert history.warnings == [f"{log.path}, line 3: this release does not know the event 'moved'; kept and ignored 1"]
    assert log.path.read_text() == text


def test_a_log_that_a_crash_cut_goes_on_with_times_in_utc(tmp_path: Path) -> None:
    log = StudyLog(tmp_path / "asked.jsonl")
    LogWriter(log, RunStarted(command="cut"), [proposal(0, "a")])
    with log.path.open("a") as file:
        file.write('{"event": "as')
    LogWriter(log, RunStarted(command="whole"))
    history = log.history()
    assert [run.command for run in history.runs] == ["cut", "whole"]
    times = [datetime.fromisoformat(run.time) for run in history.runs]
    assert times == sorted(times)
    assert {time.utcoffset() for time in times} == {timedelta(0)}
