import json
import math

import pandas as pd
import pytest

import analysis
from reid_search.errors import RecordError, RequestError

FLIP = "readouts.default.flip=false"
MARGIN = "losses.triplet.margin=0.3"


def raw(study, name):
    return json.loads((study.path / "trials" / name / "record.json").read_text())


def one(table, **wanted):
    for column, value in wanted.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_trials_have_a_row_each_and_the_numbers_of_their_records(study):
    table = analysis.load_trials(study.path)
    folders = sorted(path.name for path in (study.path / "trials").iterdir())
    assert [f"{row.key}-s{row.seed}" for row in table.itertuples()] == folders
    for _, row in table.iterrows():
        record = raw(study, f"{row['key']}-s{row['seed']}")
        assert row["status"] == record["status"]
        assert row["images_seen"] == record["images_seen"]
        assert row["seconds"] == pytest.approx(record["context"]["seconds"], abs=1e-9)
        assert row["model.architecture"] == record["config"]["model"]["architecture"]
        assert row["losses.triplet.margin"] == record["config"]["losses"]["triplet"]["margin"]
        assert row["model.parts"] == json.dumps(record["config"]["model"]["parts"])
        metrics = record["readouts"].get("default", {"metrics": {}})["metrics"]
        for name in ("val/mAP", "test/mAP", "test/rank1", "test/rank5", "test/rank10", "test/mINP"):
            assert row[name] == pytest.approx(metrics.get(name, math.nan), abs=1e-9, nan_ok=True)
        if record["status"] == "finished":
            assert row["parameters"] == record["parameters"]["model"]
            assert row["loss_parameters"] == record["parameters"]["losses"]
            assert row["macs"] == record["macs"]
        else:
            assert row[["parameters", "loss_parameters", "macs"]].isna().all()


def test_a_trial_without_a_record_is_running(study):
    study.arm_trial("baseline", 4, record=False)
    row = one(analysis.load_trials(study.path), seed=4)
    assert (row["status"], row["images_seen"], row["model.parts"]) == ("running", 2000, "[1, 2, 3]")
    assert row["seconds"] == 4 * (2.5 + 4)
    assert math.isnan(row["test/mAP"])


def test_a_config_column_can_be_grouped_by(study):
    assert analysis.load_trials(study.path).groupby("model.parts").size().to_dict() == {"[1, 2, 3]": 12, "[1]": 3}


@pytest.mark.parametrize(
    ("names", "expected"), [(("global", "parts"), 0.609), (("default", "parts"), 0.609), (("global", "default"), 0.612)]
)
def test_the_default_readout_or_else_the_first_stands_for_the_trial(study, names, expected):
    path = study.path / "trials" / f"{'a' * 16}-s1" / "record.json"
    record = json.loads(path.read_text())
    both = (record["readouts"]["default-3fa9c1"], record["readouts"]["default"])
    record["readouts"] = dict(zip(names, both, strict=True))
    path.write_text(json.dumps(record))
    study.store.log.path.unlink()  # nobody asks for a readout
    row = one(analysis.load_trials(study.path), key="a" * 16, seed=1)
    assert row["test/mAP"] == expected


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: text[:200], r"record\.json: not readable as JSON"),
        (lambda text: text.replace('"schema_version": 1', '"schema_version": 2'), "schema_version 2; this release"),
        (lambda text: text.replace('"status": "finished"', '"status": "done"'), r"record\.json: status: "),
        (lambda text: text.replace('"seed": 1', '"seed": 2'), "holds the record of a{16}-s2; was a folder renamed"),
    ],
)
def test_a_damaged_record_is_an_error_that_names_the_file(study, damage, message):
    path = study.path / "trials" / f"{'a' * 16}-s1" / "record.json"
    path.write_text(damage(path.read_text()))
    for load in (analysis.load_trials, analysis.load_arms, analysis.load_search):
        with pytest.raises(RecordError, match=message) as caught:
            load(study.path)
        assert f"{'a' * 16}-s1" in str(caught.value)


def test_a_line_of_the_log_from_another_release_is_an_error_with_its_line(study):
    study.log("ask", phase="ablate", kind="ablate", seed=1, evaluate="test", arm="x")
    line = len(study.store.log.path.read_text().splitlines())
    with pytest.raises(RecordError, match=rf"asked\.jsonl, line {line}: event 'ask': key: this key is missing"):
        analysis.load_arms(study.path)


def test_a_folder_without_a_study_is_refused_with_the_nearest_name(study):
    with pytest.raises(RequestError, match=r"no study was run here; did you mean 'mgn'\?"):
        analysis.load_trials(study.path.parent / "mng")


def test_arms_are_pairs_of_training_and_readout(study):
    table = analysis.load_arms(study.path)
    assert list(table.columns[:2]) == ["phase", "arm"]
    for _, row in table.iterrows():
        record = raw(study, f"{row['key']}-s{row['seed']}")
        stored = "default-3fa9c1" if row["arm"] == FLIP else "default"
        assert (row["readout"], row["stored_as"], row["status"]) == ("default", stored, record["status"])
        metrics = record["readouts"].get(stored, {"metrics": {}})["metrics"]
        for name in ("test/mAP", "test/mAP_trapezoidal", "test/rank1", "test/rank5", "test/rank10", "test/mINP"):
            assert row[name] == pytest.approx(metrics.get(name, math.nan), abs=1e-9, nan_ok=True)
    flip, base = one(table, arm=FLIP, seed=2), one(table, arm="baseline", seed=2)
    assert (flip["key"], flip["seconds"]) == (base["key"], base["seconds"])
    assert (flip["axis"], flip["level"]) == ("readouts.default.flip", "false")
    assert (base["axis"], base["level"]) == ("", "")


def test_a_failed_seed_stays_visible(study):
    row = one(analysis.load_arms(study.path), arm=MARGIN, seed=2)
    assert (row["status"], row["reason"]) == ("failed", "its process died again and again")
    assert math.isnan(row["test/mAP"])


def test_arms_that_wait_run_or_lack_a_readout_say_so(empty):
    empty.begin()
    empty.ask_arms(seeds=2)
    empty.arm_trial("baseline", 1, record=False)
    empty.trial("a" * 16, 2, readouts={})
    table = analysis.load_arms(empty.path)
    assert one(table, arm="baseline", seed=1)["status"] == "running"
    assert one(table, arm=FLIP, seed=1)["status"] == "running"
    assert one(table, arm=MARGIN, seed=1)["status"] == "waiting"
    unmeasured = one(table, arm="baseline", seed=2)
    assert (unmeasured["status"], unmeasured["reason"]) == ("unmeasured", "readout 'default' was not tested on test")
    assert table["test/mAP"].isna().all()


def test_the_last_run_that_asked_for_a_phase_decides_its_arms(study):
    study.run()
    study.ask_arms(["baseline", FLIP], seeds=2)
    study.ask_arms(["baseline", MARGIN], seeds=1, phase="second")
    study.run()
    study.ask_arms(["baseline"], seeds=1, phase="second")
    table = analysis.load_arms(study.path)
    found = {(row.phase, row.arm, row.seed) for row in table.itertuples()}
    assert found == {
        ("ablate", "baseline", 1), ("ablate", "baseline", 2), ("ablate", FLIP, 1), ("ablate", FLIP, 2),
        ("second", "baseline", 1),
    }  # fmt: skip


def test_a_run_that_asks_for_nothing_new_changes_nothing(study):
    before = analysis.load_arms(study.path)
    study.run()
    pd.testing.assert_frame_equal(analysis.load_arms(study.path), before)


def test_asks_without_a_map_of_readouts_name_those_of_the_config(empty):
    empty.begin()
    empty.ask_arms(["baseline", "model.parts=[1]"], seeds=1, readouts=None)
    empty.arm_trial("baseline", 1)
    table = analysis.load_arms(empty.path)
    assert list(table["readout"]) == list(table["stored_as"]) == ["default", "default"]
    assert one(table, arm="baseline")["test/mAP"] == 0.612


def test_a_factorial_arm_names_every_change(empty):
    empty.begin()
    empty.ask_arms(["baseline"], seeds=1)
    settings = {"model.parts": "[1]", "losses.triplet.margin": "0.3", "readouts.default.flip": "true"}
    empty.ask_arms(["model.parts=[1], losses.triplet.margin=0.3"], seeds=1, settings=settings)
    row = analysis.load_arms(empty.path).iloc[-1]
    assert (row["axis"], row["level"]) == ("model.parts × losses.triplet.margin", "[1] × 0.3")


def test_search_follows_the_proposals(study):
    table = analysis.load_search(study.path)
    assert list(table["number"]) == [0, 1, 2, 3, 4, 5]
    assert list(table["status"]) == ["finished"] * 4 + ["stopped", "failed"]
    assert table["value"].tolist() == pytest.approx([0.42, 0.47, 0.44, 0.53, math.nan, math.nan], abs=1e-9, nan_ok=True)
    assert table["best_so_far"].tolist() == pytest.approx([0.42, 0.47, 0.47, 0.53, 0.53, 0.53], abs=1e-9)
    assert table["last_value"].tolist() == pytest.approx([0.5] * 4 + [0.15, math.nan], abs=1e-9, nan_ok=True)
    assert list(table["epochs"]) == [4, 4, 4, 4, 2, 0]
    assert list(table["images_seen"]) == [2000, 2000, 2000, 2000, 1000, 0]
    assert list(table["losses.triplet.margin"]) == ["0.3", "0.4", "0.5", "0.6", "0.6", "0.6"]
    assert list(table["asked"]) == sorted(table["asked"])


def test_two_proposals_of_one_training_share_its_value(study):
    key = study.ask_proposal(3)
    study.log(
        "ask", phase="search", kind="search", number=6, key=key, seed=10_000, evaluate="val", by="tpe", settings={},
        space="5" * 16,
    )  # fmt: skip
    table = analysis.load_search(study.path)
    assert list(table["number"]) == list(range(7))
    assert one(table, number=6)["value"] == one(table, number=3)["value"] == 0.53


def test_proposals_of_an_earlier_space_are_left_out(study):
    key = study.ask_proposal(0, space="6" * 16)
    table = analysis.load_search(study.path)
    assert (list(table["key"]), list(table["status"])) == ([key], ["waiting"])
    study.ask_proposal(6)
    assert list(analysis.load_search(study.path)["number"]) == [0, 1, 2, 3, 4, 5, 6]


def test_the_objective_comes_from_the_study_file(study):
    text = (study.path / "study.yaml").read_text().replace("objective: val/mAP", "objective: val/rank1")
    (study.path / "study.yaml").write_text(text)
    table = analysis.load_search(study.path)
    assert set(table["objective"]) == {"val/rank1"}
    assert table["value"].tolist()[:4] == pytest.approx([0.62, 0.67, 0.64, 0.73], abs=1e-9)


@pytest.mark.parametrize("load", [analysis.load_trials, analysis.load_arms, analysis.load_search])
def test_a_study_that_has_not_begun_gives_empty_tables_with_their_columns(empty, study, load):
    full = load(study.path)
    study.store.log.path.unlink()
    for record in study.path.glob("trials/*/*"):
        record.unlink()
    for folder in study.path.glob("trials/*"):
        folder.rmdir()
    table = load(study.path)
    assert len(table) == 0
    assert set(table.columns) <= set(full.columns)
    assert {"key", "seed", "status"} <= set(table.columns)
