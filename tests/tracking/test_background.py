"""The sink of a run: never waits, never raises, and leaves MLflow as the store is."""

import time
from collections.abc import Callable

import pytest

from reid_search.records import RunDone
from reid_search.tracking import BackgroundSink, sync_study


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def test_trials_come_and_go(study, tracked):
    sink = BackgroundSink(study.store)
    study.ask("baseline", "a", 1)
    study.ask("baseline", "b", 1)
    for key in ("a", "b"):
        sink.sync_trial(key, 1, running=True)
        study.whole(key, 1)
        sink.sync_trial(key, 1)
    study.log.append(RunDone())
    assert sink.close() == []
    assert {name: run.info.status for name, run in tracked.children().items()} == {
        "a-s1": "FINISHED",
        "b-s1": "FINISHED",
    }
    assert tracked.parent().info.status == "FINISHED"
    assert tracked.parent().data.metrics["trials/finished"] == 2
    assert sync_study(study.store).written == 0


def test_curves_grow_while_a_trial_runs(study, tracked):
    sink = BackgroundSink(study.store, refresh=0.05)
    sink.sync_trial("a", 1, running=True)
    _wait_for(lambda: study.store.storage.joinpath(".mlflow.lock").exists())
    study.begin("a", 1)
    study.train("a", 1, range(1, 3))

    def steps() -> list[int]:
        return [step for step, _ in tracked.history(tracked.trial("a", 1), "loss")]

    _wait_for(lambda: bool(tracked.client.get_experiment_by_name("mgn")) and len(tracked.runs()) == 2)
    _wait_for(lambda: steps() == [1, 2])
    assert tracked.trial("a", 1).info.status == "RUNNING"
    assert tracked.parent().info.status == "RUNNING"
    study.train("a", 1, range(3, 4))
    _wait_for(lambda: steps() == [1, 2, 3])
    assert sink.close() == []
    assert tracked.trial("a", 1).info.status == "KILLED"
    assert tracked.trial("a", 1).data.tags["status"] == "interrupted"
    assert steps() == [1, 2, 3]


def test_an_arm_that_joins_a_trained_one(study, tracked):
    """The sink is told of trials that ran; an arm that finds its training done gets its run all the same."""
    sink = BackgroundSink(study.store, refresh=0.05)
    study.ask("baseline", "a", 1)
    study.whole("a", 1)
    sink.sync_trial("a", 1)
    _wait_for(lambda: bool(tracked.client.get_experiment_by_name("mgn")))
    _wait_for(lambda: "a-s1" in {run.data.tags["reid_search.id"] for run in tracked.runs()})
    study.ask("flip=no", "a", 1, readouts={"default": "default-3f"})
    sink.sync_trial("b", 1, running=True)
    assert sink.close() == []
    assert set(tracked.children()) == {"a-s1", "a-s1:default-3f", "b-s1"}


def test_the_first_round_repairs_what_was_there_before(study, tracked):
    study.whole("a", 1)
    sink = BackgroundSink(study.store)
    sink.sync_trial("b", 1, running=True)
    assert sink.close() == []
    assert tracked.children()["a-s1"].info.status == "FINISHED"


def test_a_sink_that_was_told_nothing_touches_nothing(study):
    assert BackgroundSink(study.store, "http://127.0.0.1:1").close() == []
    assert not study.store.storage.joinpath(".mlflow.lock").exists()


def test_a_server_that_is_down(study, closed_port):
    sink = BackgroundSink(study.store, f"http://127.0.0.1:{closed_port}", refresh=0.05)
    sink.sync_trial("a", 1, running=True)
    study.whole("a", 1)
    sink.sync_trial("a", 1)
    (warning,) = sink.close()
    assert f"`reid-search sync '{study.store.path}'` brings" in warning


def test_a_sink_that_is_late_says_so(study):
    """Another process holds the storage's lock for longer than the caller waits."""
    from reid_search.records.locks import locked

    sink = BackgroundSink(study.store)
    with locked(study.store.storage / ".mlflow.lock", "busy"):
        sink.sync_trial("a", 1)
        (warning,) = sink.close(timeout=0.2)
    assert "still busy" in warning


def test_one_unreadable_record_is_told_once(study, tracked):
    study.whole("a", 1)
    study.whole("b", 1)
    (study.store.trial("b", 1).path / "record.json").write_text("{")
    sink = BackgroundSink(study.store)
    sink.sync_trial("b", 1)
    (warning,) = sink.close()
    assert "b-s1/record.json" in warning
    assert set(tracked.children()) == {"a-s1"}


@pytest.mark.parametrize("key", ["a", "b"])
def test_many_notes_of_one_trial_are_one(study, tracked, key):
    study.whole(key, 1)
    sink = BackgroundSink(study.store)
    for _ in range(500):
        sink.sync_trial(key, 1)
    assert sink.close() == []
    assert len(tracked.runs()) == 2
