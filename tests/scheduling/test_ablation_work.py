"""An ablation on values from a table: every arm with every seed, each training once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analysis.answers.family import looks_at_table
from reid_search.records import ArmAsked, StudyStore

MakeDriver = Callable[..., Any]

AXES = {"model.pooling": {"choice": ["max", "avg"]}, "model.neck": {"choice": ["none", "bnneck"]}}

READOUTS: dict[str, list[Any]] = {"normalize": ["none", "all"], "flip": [True, False]}


def ablation(**over: Any) -> dict[str, Any]:
    return {"axes": AXES, "phases": [{"kind": "ablate", "design": "factorial", "seeds": 2, **over}]}


def asks(storage: Path) -> list[ArmAsked]:
    return [ask for ask in StudyStore(storage, "small").log.history().asks if isinstance(ask, ArmAsked)]


def test_seed_after_seed_so_that_an_interrupted_one_is_balanced(table_driver: MakeDriver, tmp_path: Path) -> None:
    made = table_driver(lambda config: 0.5, **ablation())
    assert len(asks(tmp_path / "runs")) == 4 * 2, "everything is written down before anything runs"
    made.run()
    assert [job.ask.seed for job in made.started] == [1] * 4 + [2] * 4
    assert [job.trial for job in made.started] == [ask.trial for ask in asks(tmp_path / "runs")]
    assert {ask.evaluate for ask in asks(tmp_path / "runs")} == {"test"}


def test_more_seeds_train_only_what_is_missing_and_one_arm_may_be_missing(
    table_driver: MakeDriver, tmp_path: Path
) -> None:
    table_driver(lambda config: 0.5, **ablation()).run()
    lost = asks(tmp_path / "runs")[2].trial
    StudyStore(tmp_path / "runs", "small").trial(*lost).remove_record()
    more = table_driver(lambda config: 0.5, **ablation(seeds=3))
    summary = more.run().summary()
    first, *others = more.started
    assert first.trial == lost
    assert [job.ask.seed for job in others] == [3] * 4
    assert (summary.reused, summary.finished) == (7, 12)
    store = StudyStore(tmp_path / "runs", "small")
    assert looks_at_table(store, store.log.history(), "ablate") == 2


def test_arms_that_share_a_training_are_one_job_that_measures_for_all(table_driver: MakeDriver, tmp_path: Path) -> None:
    axes = {
        "readouts.default.normalize": {"choice": ["none", "all"]},
        "readouts.default.flip": {"choice": [True, False]},
    }
    made = table_driver(lambda config: 0.5, **ablation(seeds=1) | {"axes": axes})
    summary = made.run().summary()
    (job,) = made.started
    asked = asks(tmp_path / "runs")
    assert len(asked) == 4
    assert {ask.trial for ask in asked} == {job.trial}
    assert (job.label.metric, job.label.column) == ("test/mAP", "val/mAP")
    assert {ask.readouts["default"] for ask in asked} == set(job.config.readouts)
    assert summary.finished == 1


@pytest.mark.parametrize(("keep", "kept"), [("all", 4), ("best", 1), ("none", 0)])
def test_weights_are_kept_of_the_arms_that_the_study_says(table_driver: MakeDriver, keep: str, kept: int) -> None:
    made = table_driver(lambda config: 0.5, keep=keep, **ablation(seeds=1))
    made.run()
    assert sum(job.keep for job in made.started) == kept
    assert [job.ask.label for job in made.started if job.keep and keep == "best"] == ["baseline"][: kept % 4]


def test_a_finished_record_without_what_is_asked_now_is_measured_again(table_driver: MakeDriver) -> None:
    table_driver(lambda config: 0.5, **ablation(seeds=1, evaluate="val")).run()
    again = table_driver(lambda config: 0.5, **ablation(seeds=1, evaluate="val"))
    assert again.phases.done
    other = {"readouts.default.metric": {"choice": ["cosine", "euclidean"]}}
    more = table_driver(lambda config: 0.5, **ablation(seeds=1, evaluate="val") | {"axes": {**AXES, **other}})
    assert more.run().summary().reused == 0, "each training has to be tested in one more way"
    assert len(more.started) == 4
