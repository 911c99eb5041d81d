"""One run sums up each arm: mean and interval over its seeds, its settings, and what the report says of it."""

import base64
import json
import math
import zlib

import pytest
from scipy import stats

from reid_search.records.files import write_atomically
from reid_search.tracking import page_addresses, sync_study

VALUES = {1: 0.50, 2: 0.52, 3: 0.57}


@pytest.fixture
def two_arms(study):
    for seed, value in VALUES.items():
        study.ask("baseline", "a", seed)
        study.whole("a", seed, readouts={"default": {"test/mAP": value, "test/rank1": value + 0.1}})
    study.ask("losses.triplet.on=none", "b", 1, settings={"losses.triplet.on": "none"})
    study.whole("b", 1, readouts={"default": {"test/mAP": 0.41}})
    study.ask("losses.triplet.on=none", "b", 2, settings={"losses.triplet.on": "none"})
    return study


def test_mean_and_interval_over_seeds(two_arms, tracked):
    sync_study(two_arms.store)
    arms = tracked.arms()
    assert sorted(arms) == ["baseline", "losses.triplet.on=none"]
    run = arms["baseline"]
    mean = sum(VALUES.values()) / 3
    low, high = stats.t.interval(0.95, 2, mean, stats.sem(list(VALUES.values())))
    found = run.data.metrics
    assert {name: found[name] for name in ("test/mAP", "test/mAP low", "test/mAP high", "seeds")} == {
        "test/mAP": round(mean, 4), "test/mAP low": round(low, 4), "test/mAP high": round(high, 4), "seeds": 3
    }  # fmt: skip
    assert found["test/rank1"] == 0.63
    assert run.data.tags["result"] == f"{100 * mean:.1f} [{100 * low:.1f} to {100 * high:.1f}] %, 3 of 3 seeds"
    assert (run.info.status, run.info.end_time - run.info.start_time) == ("FINISHED", 8_000)
    assert run.data.params == {"losses.triplet.on": "globals", "losses.triplet.margin": "1.2"}
    one = arms["losses.triplet.on=none"]
    assert (one.data.tags["result"], one.info.status) == ("41.0 %, 1 of 2 seeds", "KILLED")
    assert "test/mAP low" not in one.data.metrics
    assert not [value for value in one.data.metrics.values() if math.isnan(value)]


def test_an_arm_follows_its_seeds(two_arms, tracked):
    sync_study(two_arms.store)
    before = tracked.everything()
    assert sync_study(two_arms.store).written == 0
    assert tracked.everything() == before
    two_arms.whole("b", 2, readouts={"default": {"test/mAP": 0.43}})
    sync_study(two_arms.store)
    run = tracked.arms()["losses.triplet.on=none"]
    assert (run.data.metrics["test/mAP"], run.data.metrics["seeds"], run.info.status) == (0.42, 2, "FINISHED")


def test_runs_say_what_the_report_says_of_their_arms(two_arms, tracked):
    tables = two_arms.store.report / "tables"
    write_atomically(
        tables / "contrasts-ablate.csv",
        "arm,verdict,delta,low,high\nlosses.triplet.on=none,worse,-0.12,-0.2,-0.04\nother,inconclusive,,,\n",
    )
    write_atomically(
        tables / "claims.csv",
        "phase,claim,verdict,effect_weights,control_weights\n"
        'ablate,triplets help,supported,"{""baseline"": 1.0, ""losses.triplet.on=none"": -1.0}",{}\n',
    )
    sync_study(two_arms.store)
    arms = tracked.arms()
    assert arms["baseline"].data.tags["verdict"] == "triplets help: supported"
    said = "worse: −12.00 [−20.00 to −4.00] points; triplets help: supported"
    assert arms["losses.triplet.on=none"].data.tags["verdict"] == said
    assert tracked.trial("b", 1).data.tags["verdict"] == said
    assert sync_study(two_arms.store).written == 0


def test_names_of_arms_may_hold_any_letters(study, tracked):
    name = """twins='nobody', one "cloth" = 2, é"""
    study.ask(name, "a", 1)
    study.whole("a", 1)
    for _ in range(2):
        sync_study(study.store)
    assert tracked.arms()[name].data.tags["arm"] == name


def test_the_experiment_opens_on_its_arms_and_a_persons_note_stays(two_arms, tracked):
    storage = two_arms.store.storage
    write_atomically(two_arms.store.report / "index.html", "<h1>Answer</h1>")
    sync_study(two_arms.store)
    experiment = tracked.client.get_experiment_by_name("mgn")
    tags = experiment.tags
    assert tags["mlflow.experiment.primaryMetric.name"] == "test/mAP"
    view = json.loads(zlib.decompress(base64.b64decode(tags["mlflow.sharedViewState.arms"].removeprefix("deflate;"))))
    assert (view["searchFilter"], view["orderByKey"]) == ("tags.kind = 'arm'", "metrics.`test/mAP`")
    assert "params.`losses.triplet.on`" in view["selectedColumns"]
    address = f"#/experiments/{experiment.experiment_id}/runs"
    assert f"]({address}/{tracked.parent().info.run_id}/artifacts/report" in tags["mlflow.note.content"]
    expected = f"http://127.0.0.1:5001/{address}?viewStateShareKey=arms&workflowType=machine_learning"
    assert page_addresses(storage, 5001) == {"mgn": expected}
    tracked.client.set_experiment_tag(experiment.experiment_id, "mlflow.note.content", "my own words")
    sync_study(two_arms.store)
    assert tracked.client.get_experiment_by_name("mgn").tags["mlflow.note.content"] == "my own words"
