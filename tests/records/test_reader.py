"""A study that is read again and again: what it returns is what a fresh reading returns, and only changes are read."""

from pathlib import Path

import pytest

from reid_search.errors import RecordError
from reid_search.records import (
    ArmAsked,
    LogWriter,
    RunDone,
    RunStarted,
    Status,
    StudyReader,
    StudyStore,
    Trial,
    TrialId,
    asked_readouts,
    epoch_column,
    own_readout,
    read_state,
    whose_column,
)


def arm(seed: int, **readouts: str) -> ArmAsked:
    return ArmAsked(
        phase="a", key="k", seed=seed, evaluate="test", arm="baseline", **({"readouts": readouts} if readouts else {})
    )


def test_it_follows_what_changes(before: Path) -> None:
    store = StudyStore.at(before)
    reader = StudyReader(store)

    def is_fresh() -> bool:
        kept, fresh = reader.state(), read_state(store)
        return (kept.history, kept.trials, kept.study) == (fresh.history, fresh.trials, fresh.study)

    assert is_fresh()
    writer = LogWriter(store.log, RunStarted(), [arm(1)])
    assert is_fresh()
    with store.log.path.open("a") as file:
        file.write('{"event": "ask", "cut by a cra')
    assert is_fresh()
    writer.append(arm(2), RunDone())
    assert is_fresh()
    folder = store.trial("k", 1)
    folder.write_config({"key": "k", "seed": 1, "config": {"a": 1}})
    assert reader.state().trials[folder.id].config == {"a": 1}
    folder.append_epoch({"epoch": 1, "images_seen": 7, "loss": 1.0})
    assert reader.state().trials[folder.id].images_seen == 7
    folder.add_seconds(2.0)
    assert reader.state().trials[folder.id].seconds == 2.0
    record = next(trial.record for trial in reader.state().trials.values() if trial.record)
    folder.write_record(record.model_copy(update={"key": "k", "seed": 1, "status": "failed"}))
    assert reader.state().trials[folder.id].status == Status.FAILED
    folder.remove_record()
    assert is_fresh()
    store.set_aside()
    assert (reader.state().history.asks, reader.state().trials) == ([], {})


def test_it_reads_a_trial_once(before: Path) -> None:
    reader = StudyReader(StudyStore.at(before))
    first, second = reader.state(), reader.state()
    assert first.history is second.history
    assert all(second.trials[name] is trial for name, trial in first.trials.items())


def test_a_log_that_cannot_be_read_is_refused_each_time(before: Path) -> None:
    store = StudyStore.at(before)
    reader = StudyReader(store)
    asks = reader.state().history.asks
    whole = store.log.path.read_bytes()
    store.log.path.write_bytes(whole + b'{"event": "done", "version": 99}\n')
    for _ in range(2):
        with pytest.raises(RecordError, match="version 99"):
            reader.state()
    store.log.path.write_bytes(whole)
    assert reader.state().history.asks == asks


def test_whose_number_a_column_of_the_epochs_is() -> None:
    readouts = ["default", "default-3f", "val"]
    for readout in readouts:
        assert whose_column(readouts, epoch_column(readouts, readout, "val/mAP")) == (readout, "val/mAP")
    for column in ("loss", "loss/triplet", "images_seen", "other/val/mAP"):
        assert whose_column(readouts, column) == (None, column)


def test_the_readouts_of_an_asker() -> None:
    trial = Trial(TrialId("k", 1), Status.RUNNING, config={"readouts": {"a": {}, "default": {}}})
    assert list(asked_readouts(arm(1, neck="n", default="d"), trial).items()) == [("default", "d"), ("neck", "n")]
    assert list(asked_readouts(arm(1), trial).items()) == [("default", "default"), ("a", "a")]
    assert asked_readouts(arm(1), None) == {}
    assert own_readout(arm(1), trial) == "default"
