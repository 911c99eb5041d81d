"""Phases of a study as they run, with real training: everything once, whatever dies."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analysis import load_arms, load_search
from reid_search.errors import ReidSearchError
from reid_search.records import ArmAsked, Ask, Proposal, StudyStore, TrialStopped
from reid_search.study import TrialConfig

MakeDriver = Callable[..., Any]


def _records(storage: Path) -> dict[str, dict[str, Any]]:
    found = {}
    for folder in StudyStore(storage, "small").trials():
        content = json.loads((folder.path / "record.json").read_text())
        del content["context"]
        found[folder.path.name] = content
        epochs = [row["epoch"] for row in folder.epochs()]
        assert epochs == list(range(1, len(epochs) + 1)), folder.path
        assert content["images_seen"] == folder.epochs()[-1]["images_seen"]
    return found


def _asks(storage: Path) -> list[Ask]:
    return [ask.model_copy(update={"time": ""}) for ask in StudyStore(storage, "small").log.history().asks]


def test_a_study_searches_and_then_ablates_around_the_best(driver: MakeDriver, tmp_path: Path) -> None:
    made = driver()
    summary = made.run().summary()
    records = _records(tmp_path / "runs")
    asks = _asks(tmp_path / "runs")
    searched = [ask for ask in asks if isinstance(ask, Proposal)]
    ablated = [ask for ask in asks if isinstance(ask, ArmAsked)]
    assert [line.number for line in searched] == [0, 1, 2, 3]
    assert {str(ask.trial) for ask in asks} == set(records)
    values = {
        line.number: records[str(line.trial)]["readouts"]["default"]["metrics"]["val/mAP"]
        for line in searched
        if records[str(line.trial)]["status"] == "finished"
    }
    assert summary.best.number == max(values, key=lambda number: (values[number], -number))
    assert summary.best.value == values[summary.best.number]
    baseline = next(line for line in ablated if line.arm == "baseline")
    assert baseline.settings == {
        "losses.triplet.margin": searched[summary.best.number].settings["losses.triplet.margin"]
    }
    for line in ablated:
        record = records[str(line.trial)]
        assert record["status"] == "finished"
        assert record["config"]["data"]["holdout"] == 0
        assert record["config"]["losses"]["identity"]["on"] == list(summary.best.settings["losses.identity.on"].value)
        assert "test/mAP" in record["readouts"]["default"]["metrics"]
    assert {line.seed for line in ablated} == {1, 2}
    assert {line.seed for line in searched} == {10_000}
    assert summary.finished + summary.stopped == len(records)
    assert not summary.failed


def test_running_again_measures_nothing_again(driver: MakeDriver, tmp_path: Path) -> None:
    driver().run()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("record.json")}
    again = driver()
    assert again.phases.done
    assert again.watcher.count("start") == 0
    assert again.phases.summary().reused == again.phases.summary().finished
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("record.json")} == before


@pytest.mark.parametrize("die_after", [1, 5, 9, 17])
def test_a_driver_that_dies_anywhere_leaves_nothing_twice_and_nothing_out(
    driver: MakeDriver, tmp_path: Path, die_after: int
) -> None:
    driver(at_once=1).run(die_after)
    driver(at_once=1).run()
    driver(at_once=1, storage="whole").run()
    assert _records(tmp_path / "runs") == _records(tmp_path / "whole")
    asks = _asks(tmp_path / "runs")
    assert [ask.number for ask in asks if isinstance(ask, Proposal)] == [0, 1, 2, 3]


def test_more_trials_and_seeds_extend_a_study(driver: MakeDriver, tmp_path: Path) -> None:
    driver(overrides=("phases.search.pruner=none",)).run()
    before = set(_records(tmp_path / "runs"))
    more = driver(overrides=("phases.search.pruner=none", "phases.search.trials=5", "phases.ablate.seeds=3"))
    more.run()
    after = set(_records(tmp_path / "runs"))
    assert before <= after
    assert more.watcher.count("start", "search") == 1
    started = {event[3] for event in more.watcher.events if event[:2] == ("start", "ablate")}
    assert "3" in started


def test_a_pruned_trial_is_stopped_with_a_record_and_its_weights_go_when_the_phase_does(
    driver: MakeDriver, tmp_path: Path
) -> None:
    phases = [{"kind": "search", "sampler": "random", "trials": 8, "pruner": {"reduction": 2}}]
    axes = {"training.optimizer.lr": {"log_uniform": [1e-5, 1e-2]}}
    made = driver(at_once=1, phases=phases, axes=axes)
    made.run()
    stopped = [record for record in _records(tmp_path / "runs").values() if record["status"] == "stopped"]
    assert stopped
    for record in stopped:
        assert record["images_seen"] < 36
        assert record["readouts"] == {}
        assert "successive_halving" in record["reason"]
    logged = StudyStore(tmp_path / "runs", "small").log.read()
    stops = [item for item in logged if isinstance(item.event, TrialStopped)]
    assert len(stops) == len(stopped) == made.phases.summary().stopped


def test_a_failed_trial_is_counted_with_its_reason_and_tried_again_by_the_next_run(
    driver: MakeDriver, tmp_path: Path
) -> None:
    phases = [{"kind": "ablate", "seeds": 1, "axes": ["training.optimizer.lr"]}]
    axes = {"training.optimizer.lr": {"choice": [1e-3, 1e6]}}
    base_sgd = ("base.training.optimizer.kind=sgd",)
    first = driver(phases=phases, axes=axes, overrides=base_sgd)
    summary = first.run().summary()
    assert len(summary.failed) == 1
    assert "NaN" in next(iter(summary.failed.values()))
    again = driver(phases=phases, axes=axes, overrides=base_sgd)
    assert again.run().summary().reused == 1 + first.watcher.count("end", "ablate", "training.optimizer.lr=0.001")
    assert again.watcher.count("start") == 1


def test_an_ablation_around_a_search_that_found_nothing_says_so(driver: MakeDriver) -> None:
    overrides = ("base.training.optimizer={kind: sgd, lr: 1e6}",)
    with pytest.raises(ReidSearchError, match="ended without a finished trial, so 'ablate' has no best"):
        driver(overrides=overrides).run()


def test_arms_that_differ_in_the_readout_share_one_training(driver: MakeDriver, tmp_path: Path) -> None:
    axes = {"readouts.default.taps": {"choice": {"coarse": ["coarse"], "reduced": ["reduced"]}}}
    phases = [{"kind": "search", "sampler": "grid", "trials": 2}, {"kind": "ablate", "around": "best", "seeds": 1}]
    made = driver(axes=axes, phases=phases)
    summary = made.run().summary()
    records = _records(tmp_path / "runs")
    assert len(records) == 2
    asks = _asks(tmp_path / "runs")
    ablated = [ask for ask in asks if isinstance(ask, ArmAsked)]
    assert len({line.key for line in ablated}) == 1
    stored = {line.readouts["default"] for line in ablated}
    assert len(stored) == 2
    record = records[str(ablated[0].trial)]
    assert {record["readouts"][name]["dim"] for name in stored} == {128 * 2 + 128 * 2, 64 * 4}
    searched = records[str(asks[0].trial)]
    values = {
        line.settings["readouts.default.taps"]: searched["readouts"][line.readouts["default"]]["metrics"]["val/mAP"]
        for line in asks
        if isinstance(line, Proposal)
    }
    assert summary.best.value == max(values.values())
    table = load_search(tmp_path / "runs" / "small")
    assert dict(zip(table["readouts.default.taps"], table["value"], strict=True)) == values
    assert table["last_value"].tolist() == table["value"].tolist()


@pytest.mark.parametrize("die_after", [None, 7])
def test_each_variant_is_tuned_for_itself_and_compared_at_its_best(
    driver: MakeDriver, tmp_path: Path, die_after: int | None
) -> None:
    systems = {
        "variants": {
            "plain": {"losses": {"triplet": {"on": []}}},
            "coarse": {"losses": {"identity": {"on": ["coarse"]}}},
        }
    }
    over = {
        "axes": {"system": systems, "training.optimizer.lr": {"log_uniform": [1e-4, 1e-1]}},
        "phases": [
            {"kind": "search", "trials": 2, "each": "system", "pruner": "none"},
            {"kind": "ablate", "around": "best", "seeds": 1, "axes": ["system"]},
        ],
    }
    if die_after is not None:
        driver(at_once=1, **over).run(die_after)
    driver(at_once=1, **over).run()
    asks = _asks(tmp_path / "runs")
    searched, ablated = ([ask for ask in asks if isinstance(ask, kind)] for kind in (Proposal, ArmAsked))
    assert [line.settings["system"] for line in searched] == ["plain", "coarse", "plain", "coarse"]
    records = _records(tmp_path / "runs")
    for line in ablated:
        own = [item for item in searched if item.settings["system"] == line.settings["system"]]
        best = max(own, key=lambda item: records[str(item.trial)]["readouts"]["default"]["metrics"]["val/mAP"])
        wanted = best.settings["training.optimizer.lr"]
        assert line.tuned == {"training.optimizer.lr": wanted}
        assert records[str(line.trial)]["config"]["training"]["optimizer"]["lr"] == float(wanted)


ARMS = {
    "axes": {
        "losses.identity.on": {"choice": {"coarse": ["global@coarse"], "reduced": ["reduced"]}},
        "losses.triplet.on": {"choice": {"reduced": ["reduced"], "none": []}},
        "training.optimizer.lr": {"log_uniform": [1e-4, 1e-1]},
        "losses.triplet.margin": {"uniform": [0.1, 2.0], "when": {"losses.triplet.on": [["reduced"]]}},
    },
    "phases": [
        {
            "kind": "search", "trials": 2, "each": "ablate", "pruner": "none",
            "axes": ["training.optimizer.lr", "losses.triplet.margin"],
        },
        {"kind": "ablate", "seeds": 1, "axes": ["losses.identity.on", "losses.triplet.on"]},
        {"kind": "ablate", "name": "winner", "seeds": 1, "around": "best", "axes": ["losses.identity.on"]},
    ],
}  # fmt: skip


@pytest.mark.parametrize("die_after", [None, 4, 11, 20])
def test_each_arm_of_an_ablation_is_tuned_for_itself(driver: MakeDriver, tmp_path: Path, die_after: int | None) -> None:
    if die_after is not None:
        driver(at_once=1, **ARMS).run(die_after)
    run = driver(at_once=1, **ARMS).run()
    records, asks = _records(tmp_path / "runs"), _asks(tmp_path / "runs")
    searched = [ask for ask in asks if isinstance(ask, Proposal)]
    ablated = {line.arm: line for line in asks if isinstance(line, ArmAsked) and line.phase == "ablate"}
    assert [(line.number, line.arm) for line in searched] == list(enumerate([*ablated] * 2))
    for name, line in ablated.items():
        own = [item for item in searched if item.arm == name]
        assert all(line.settings.items() <= item.settings.items() for item in own)
        best = max(own, key=lambda item: records[str(item.trial)]["readouts"]["default"]["metrics"]["val/mAP"])
        assert {**line.settings, **line.tuned} == best.settings
        trained, chosen = (records[str(item.trial)]["config"] for item in (line, best))
        assert {**trained, "data": None} == {**chosen, "data": None}
    winner = next(
        line for line in asks if isinstance(line, ArmAsked) and (line.phase, line.arm) == ("winner", "baseline")
    )
    assert winner.tuned == {}
    assert run.best.settings["losses.identity.on"].label == winner.settings["losses.identity.on"]
    rate = run.best.settings["training.optimizer.lr"].value
    assert records[str(winner.trial)]["config"]["training"]["optimizer"]["lr"] == rate


def test_an_interrupted_search_of_arms_proposes_what_a_whole_one_does(table_driver: MakeDriver, tmp_path: Path) -> None:
    def value(config: TrialConfig) -> float:
        return 1 / (1 + config.losses["triplet"].margin + 9 * config.training.optimizer.lr + len(config.losses))

    search, *ablations = ARMS["phases"]
    over = {**ARMS, "phases": [{**search, "trials": 12, "sampler": "tpe"}, *ablations]}
    table_driver(value, storage="whole", **over).run()
    for die_at in (3, 17, 34):
        with pytest.raises(KeyboardInterrupt):
            table_driver(value, storage=f"at-{die_at}", **over).run(die_at)
        table_driver(value, storage=f"at-{die_at}", **over).run()
        assert _asks(tmp_path / f"at-{die_at}") == _asks(tmp_path / "whole")


def test_an_arm_without_a_finished_proposal_trains_with_the_base_s_values(driver: MakeDriver, tmp_path: Path) -> None:
    over = {
        "axes": {
            "training.optimizer.lr": {"choice": [1e-3, 1e6]},
            "losses.triplet.margin": {"uniform": [0.1, 2.0]},
        },
        "phases": [
            {"kind": "search", "trials": 1, "each": "ablate", "axes": ["losses.triplet.margin"]},
            {"kind": "ablate", "seeds": 1, "axes": ["training.optimizer.lr"], "around": "slow"},
        ],
        "arms": {"slow": {"training.optimizer.lr": 1e-3}},
    }
    summary = driver(overrides=("base.training.optimizer.kind=sgd",), **over).run().summary()
    ablated = {line.arm: line.tuned for line in _asks(tmp_path / "runs") if isinstance(line, ArmAsked)}
    assert ablated["baseline"]
    assert ablated["training.optimizer.lr=1000000.0"] == {}
    assert len(summary.failed) == 2


def test_each_replicate_trains_and_is_tested_on_the_data_that_its_seed_draws(
    driver: MakeDriver, tmp_path: Path
) -> None:
    phases = [{"kind": "ablate", "seeds": 2, "axes": ["losses.identity.on"], "redraw_data": True}]
    driver(phases=phases).run()
    found = {}
    for name, record in _records(tmp_path / "runs").items():
        found.setdefault(record["seed"], set()).add((record["config"]["data"]["seed"], record["data_fingerprint"]))
        assert name == f"{record['key']}-s{record['seed']}"
    assert {seed: {drawn for drawn, _ in data} for seed, data in found.items()} == {1: {0}, 2: {1}}
    assert all(len(data) == 1 for data in found.values()), "all arms have the same people"
    arms = load_arms(tmp_path / "runs" / "small")
    assert arms["protocol"].nunique() == 1
    ((_, named),) = found[1]
    assert set(arms["data_fingerprint"]) == {f"redrawn from {named}"}


def test_arms_of_one_training_are_all_measured_however_their_readouts_came_about(
    driver: MakeDriver, tmp_path: Path
) -> None:
    """A variant sets one entry of the readout and an axis another: no axis alone makes what the arms need."""
    readout = {"readouts": {"default": {"taps": ["global@reduced"], "normalize": "none"}}}
    axes = {
        "question": {"variants": {"plain": {}, "heads": readout}},
        "readouts.default.metric": {"choice": ["cosine", "euclidean"], "when": {"question": "heads"}},
    }
    phases = [{"kind": "ablate", "design": "factorial", "seeds": 1}]
    driver(axes=axes, phases=phases).run()
    arms = load_arms(tmp_path / "runs" / "small")
    assert set(arms["status"]) == {"finished"}
    assert len(arms) == 3
    assert arms["key"].nunique() == 1
    assert arms["test/mAP"].nunique() == 3
    assert driver(axes=axes, phases=phases).run().summary().reused == 1
