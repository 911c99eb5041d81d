"""A search on values from a table: what it asks, what it takes over, what it calls its best."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reid_search.records import Proposal, Status, StudyStore, TrialStopped, read_trial
from reid_search.study import TrialConfig

MakeDriver = Callable[..., Any]

MARGINS = {"losses.triplet.margin": {"choice": [0.3, 0.6, 0.9, 1.2]}}


def grid(**over: Any) -> dict[str, Any]:
    return {"axes": MARGINS, "phases": [{"kind": "search", "sampler": "grid", "trials": 9, "pruner": "none", **over}]}


def margin(config: TrialConfig) -> float:
    found: float = config.losses["triplet"].margin  # type: ignore[attr-defined]
    return found


def reached(config: TrialConfig) -> float:
    return margin(config) / 2


def proposals(storage: Path) -> list[Proposal]:
    asks = StudyStore(storage, "small").log.history().asks
    return [ask for ask in asks if isinstance(ask, Proposal)]


def test_a_grid_goes_once_through_all_levels_and_of_equals_the_earliest_is_best(
    table_driver: MakeDriver, tmp_path: Path
) -> None:
    made = table_driver(lambda config: 0.7 if margin(config) > 0.5 else 0.2, **grid())
    summary = made.run().summary()
    asked = proposals(tmp_path / "runs")
    assert [proposal.number for proposal in asked] == [0, 1, 2, 3]
    assert sorted(proposal.settings["losses.triplet.margin"] for proposal in asked) == ["0.3", "0.6", "0.9", "1.2"]
    good = [proposal.number for proposal in asked if float(proposal.settings["losses.triplet.margin"]) > 0.5]
    assert (summary.best.number, summary.best.value) == (min(good), 0.7)
    assert summary.best.settings["losses.triplet.margin"].label == asked[min(good)].settings["losses.triplet.margin"]


def test_a_failed_trial_is_never_the_best_and_is_tried_again_by_the_next_run(table_driver: MakeDriver) -> None:
    first = table_driver(lambda config: None if margin(config) == 1.2 else reached(config), **grid())
    summary = first.run().summary()
    assert (summary.best.value, summary.finished, len(summary.failed)) == (0.45, 3, 1)
    second = table_driver(reached, **grid())
    summary = second.run().summary()
    assert (summary.best.value, summary.reused) == (0.6, 3)
    assert [margin(job.config) for job in second.started] == [1.2]


def test_what_is_asked_says_its_space_and_another_space_asks_anew(table_driver: MakeDriver, tmp_path: Path) -> None:
    table_driver(reached, **grid()).run()
    fewer = {"losses.triplet.margin": {"choice": [0.3, 0.6]}}
    again = table_driver(reached, **grid() | {"axes": fewer})
    summary = again.run().summary()
    assert again.started == [], "the same trainings were measured in the other space"
    assert summary.best.value == 0.3
    history = StudyStore(tmp_path / "runs", "small").log.history()
    assert len({proposal.space for proposal in proposals(tmp_path / "runs")}) == 2
    assert history.planned["search"].space == proposals(tmp_path / "runs")[-1].space
    assert [proposal.number for proposal in history.proposals("search")] == [0, 1]


def test_proposals_of_one_training_wait_for_it_and_are_told_together(driver: MakeDriver, tmp_path: Path) -> None:
    axes = {"readouts.default.normalize": {"choice": ["none", "all"]}}
    phases = [{"kind": "search", "sampler": "grid", "trials": 2, "pruner": "none"}]
    made = driver(axes=axes, phases=phases)
    run = made.phases
    job = run.next_job("one")
    assert run.next_job("two") is None
    assert not run.done
    first, second = proposals(tmp_path / "runs")
    assert first.trial == second.trial == job.trial
    assert set(job.config.readouts) == {*first.readouts.values(), *second.readouts.values()}


def test_a_pruned_trial_says_so_once_in_the_log_and_in_its_record(table_driver: MakeDriver, tmp_path: Path) -> None:
    over = grid(pruner={"kind": "successive_halving", "reduction": 2})
    run = table_driver(reached, **over).phases
    ends = {}
    for number in range(4):
        job = run.next_job(str(number))
        row = {"epoch": 1, "images_seen": 12, "loss": 1.0, "val/mAP": -margin(job.config)}
        run.folder_of(job).append_epoch(row)
        run.started(str(number))
        ends[job.trial] = run.report(str(number), row)
        assert run.is_out(str(number)) != ends[job.trial]
    store = StudyStore(tmp_path / "runs", "small")
    stopped = {trial for trial, was_stopped in ends.items() if was_stopped}
    assert 0 < len(stopped) < 4
    logged = [item.event for item in store.log.read() if isinstance(item.event, TrialStopped)]
    assert [(event.key, event.seed) for event in logged] == [tuple(trial) for trial in ends if trial in stopped]
    for trial in stopped:
        left = read_trial(store.trial(*trial))
        assert (left.status, left.images_seen) == (Status.STOPPED, 12)
    again, third = (table_driver(reached, **over).run().summary() for _ in range(2))
    assert again.stopped >= again.reused == len(stopped)
    assert (third.finished, third.stopped, third.reused) == (again.finished, again.stopped, 4)


@pytest.mark.parametrize(("keep", "kept"), [("all", 4), ("best", 1), ("none", 0)])
def test_weights_are_kept_as_the_study_says(table_driver: MakeDriver, tmp_path: Path, keep: str, kept: int) -> None:
    made = table_driver(reached, keep=keep, **grid())
    run = made.phases
    while (job := run.next_job("trial")) is not None:
        if job.keep:  # as a session leaves them
            run.folder_of(job).checkpoints.mkdir(parents=True)
        run.folder_of(job).write_record(made._record(job))
        run.ended("trial")
    left = [folder for folder in StudyStore(tmp_path / "runs", "small").trials() if folder.checkpoints.exists()]
    assert len(left) == kept
    if keep == "best":
        record = left[0].record()
        assert record is not None
        assert record.config["losses"]["triplet"]["margin"] == 1.2


def test_what_trains_and_tests_the_same_takes_one_trial_and_a_search_that_ends_early_says_so(
    table_driver: MakeDriver, tmp_path: Path
) -> None:
    """The margin overrides what the variants say of it, so that four settings are two trainings."""
    axes = {**MARGINS, "losses.triplet.margin": {"choice": [0.3, 0.6]}}
    axes = {"pair": {"variants": {"one": {"losses": {"triplet": {"margin": 0.5}}}, "two": {}}}, **axes}
    phases = [{"kind": "search", "sampler": "tpe", "trials": 6, "pruner": "none"}]
    made = table_driver(reached, axes=axes, phases=phases)
    made.run()
    asked = proposals(tmp_path / "runs")
    assert len(made.started) == len(asked) == 2
    assert len({proposal.trial for proposal in asked}) == 2
    assert made.watcher.notes == ["search: ended after 2 of 6 trials, since no other settings are left to try"]


def test_repeats_that_an_earlier_release_proposed_stay_what_they_are(table_driver: MakeDriver, tmp_path: Path) -> None:
    """Its log has six proposals of two settings; the study asks for six, and nothing is proposed in their place."""
    axes = {"losses.triplet.margin": {"choice": [0.3, 0.6]}}
    over = {"axes": axes, "phases": [{"kind": "search", "sampler": "random", "trials": 6, "pruner": "none"}]}
    made = table_driver(reached, **over)
    made.run()
    log = StudyStore(tmp_path / "runs", "small").log
    lines = log.path.read_text().splitlines()
    (run,) = [json.loads(line) for line in lines if json.loads(line)["event"] == "run"]
    first, second = [json.loads(line) for line in lines if json.loads(line)["event"] == "ask"]
    run["planned"][0] |= {"trials": 6}
    del run["planned"][0]["finalists"]
    asks = [
        {**(first, second)[number % 2], "number": number, "id": f"{run['id'][:-2]}-{number + 1}"} for number in range(6)
    ]
    log.path.write_text("".join(f"{json.dumps(line)}\n" for line in (run, *asks)))
    again = table_driver(reached, **over)
    assert again.run().summary().best.value == 0.3
    assert again.started == []
    history = log.history()
    assert [proposal.number for proposal in history.proposals("search")] == list(range(6))
