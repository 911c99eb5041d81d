"""What fails around a trial: never a record, always tried again, and at last one message. The faults are real."""

import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reid_search.data import load_dataset, open_trial_data
from reid_search.errors import EnvironmentFailure, ReidSearchError
from reid_search.records import Status, StudyStore, TrialLost, read_trial
from reid_search.scheduling.tries import Tries
from reid_search.study import TrialConfig

MakeDriver = Callable[..., Any]

ONE_ARM = [{"kind": "ablate", "seeds": 2, "axes": []}]
SMALLER_THAN_A_CHECKPOINT = 50_000


def _limit(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@pytest.fixture
def images(cache: Path, trial_content: Callable[..., dict[str, Any]]) -> Path:
    """The folder of the data set, which is in the cache with its decoded images."""
    config = TrialConfig.model_validate(trial_content())
    open_trial_data(config, seed=0, cache=cache)
    return Path(load_dataset(config.data, cache).train["path"].iloc[0]).parents[1]


@pytest.fixture
def small_disk(images: Path) -> Iterator[Callable[[], None]]:
    """No file may grow, as on a full disk; what is returned makes room again."""
    before, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    _limit(SMALLER_THAN_A_CHECKPOINT)
    yield lambda: _limit(before)
    _limit(before)


@pytest.fixture
def ready(driver: MakeDriver) -> MakeDriver:
    """Make a driver of one arm with two seeds, which does not wait long."""
    return lambda **over: driver(at_once=1, pauses=(0.0, 0.0), phases=ONE_ARM, **over)


def _trials(storage: Path) -> list[Any]:
    return [read_trial(folder) for folder in StudyStore(storage, "small").trials()]


def test_a_full_disk_is_waited_out(ready: MakeDriver, small_disk: Callable[[], None], tmp_path: Path) -> None:
    made = ready()
    made.watcher.at_note = small_disk
    summary = made.run().summary()
    assert (summary.finished, summary.failed) == (2, {})
    (note,) = made.watcher.notes
    (first,) = (trial for trial in StudyStore(tmp_path / "runs", "small").trials() if trial.path.name.endswith("-s1"))
    assert str(first.path) in note
    assert "cannot be written" in note
    assert "trying again" in note


def test_a_disk_that_stays_full_stops_the_study_which_goes_on_when_it_is_run_again(
    ready: MakeDriver, small_disk: Callable[[], None], tmp_path: Path
) -> None:
    with pytest.raises(EnvironmentFailure) as stopped:
        ready().run()
    store = StudyStore(tmp_path / "runs", "small")
    (trial,) = _trials(tmp_path / "runs")
    assert trial.status == Status.RUNNING
    assert str(store.trial(*trial.id).path) in str(stopped.value)
    assert "(ablate, baseline s1)" in str(stopped.value)
    assert "tried 3 times" in str(stopped.value)
    assert "run the study again to resume" in str(stopped.value)
    assert stopped.value.exit_code == 1
    lost = [item.event for item in store.log.read() if isinstance(item.event, TrialLost)]
    assert [(event.key, event.seed) for event in lost] == [trial.id]
    small_disk()
    assert ready().run().summary().finished == 2


def test_a_data_set_that_is_gone_for_a_while_fails_no_trial(ready: MakeDriver, images: Path, tmp_path: Path) -> None:
    share, gone = tmp_path / "share", tmp_path / "unplugged"
    share.symlink_to(images)
    made = ready(overrides=(f"base.data={{name: market1501, root: {share}, image_size: [32, 16]}}",))
    made.watcher.at_end = lambda: share.rename(gone)
    made.watcher.at_note = lambda: gone.rename(share)
    summary = made.run().summary()
    assert (summary.finished, summary.failed) == (2, {})
    assert len(made.watcher.notes) == 1
    assert "share: no such folder" in made.watcher.notes[0]


@pytest.mark.parametrize("left", [None, ""])
def test_a_job_without_a_record_that_can_be_read_is_closed_and_tried_again(
    table_driver: MakeDriver, tmp_path: Path, left: str | None
) -> None:
    run = table_driver(lambda config: 0.5, phases=ONE_ARM, pauses=(3.0,)).phases
    job = run.next_job("t1")
    folder = run.folder_of(job)
    if left is not None:
        folder.path.mkdir(parents=True)
        (folder.path / "record.json").write_text(left)
    run.ended("t1")
    assert not run.is_out("t1")
    again = run.next_job("t2")
    assert (again.trial, again.pause) == (job.trial, 3.0)
    with pytest.raises(EnvironmentFailure, match=r"tried 2 times"):
        run.ended("t2")
    assert (folder.path / "record.json").exists() == (left is not None), "nothing is written over"


def test_a_watcher_that_raises_is_told_nothing_more_and_the_study_goes_on(table_driver: MakeDriver) -> None:
    made = table_driver(lambda config: 0.5, phases=ONE_ARM)

    def broken() -> None:
        raise BrokenPipeError("the terminal is gone")

    made.watcher.at_end = broken
    summary = made.run().summary()
    assert (summary.finished, summary.interrupted) == (2, False)
    assert made.watcher.count("end") == 1
    assert summary.warnings == ("nothing more was shown of this run: BrokenPipeError: the terminal is gone",)


def test_pauses_grow_until_an_epoch_is_trained() -> None:
    tries, trial = Tries((1.0, 5.0)), ("0123", 1)
    assert [tries.pause_after(trial) for _ in range(3)] == [1.0, 5.0, None]
    assert tries.is_news(trial, 1)
    assert tries.pause_after(trial) == 1.0
    assert not tries.is_news(trial, 1), "a trial that starts over repeats its epochs"
    assert tries.pause_after(trial) == 5.0


def test_a_phase_that_has_nothing_to_hand_out_and_waits_for_nothing_says_so(
    table_driver: MakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = table_driver(lambda config: 0.5, phases=ONE_ARM).phases
    monkeypatch.setattr(run._work, "next_job", lambda: None)
    with pytest.raises(ReidSearchError, match="has no job to hand out and waits for none"):
        run.next_job("t1")
