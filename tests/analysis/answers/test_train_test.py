"""The matrix of training and test sets: means of finished seeds, and a column for each protocol."""

import json
import math

import pytest

from analysis.answers.train_test import summarise_tests
from analysis.reading.arms import arms_table
from analysis.reporting.describe_matrix import matrix_rows
from analysis.reporting.protocol import protocol_facts
from reid_search.records import StudyStore, read_state

BASE, OTHER = "baseline", "model.parts=[1]"
MARKET, DUKE = {"name": "market1501"}, {"name": "dukemtmc"}


def _write(
    study, result_of, arm, seed, values, *, prints=None, train=(MARKET,), test=None, data="00ff", status="finished"
):
    """Write a training of an arm, tested on a and b, as a run leaves it."""
    key = {BASE: "a" * 16, OTHER: "b" * 16}[arm]
    a, b = values
    result = result_of("test", a, 0.5)
    further = {"test/a/mAP": a, "test/a/rank1": 0.5, "test/b/mAP": b, "test/b/rank1": 0.25}
    result = result.model_copy(update={"metrics": {**result.metrics, **further}})
    study.trial(
        key, seed, status=status, readouts={"default": result}, reason="it died" if status == "failed" else None
    )
    path = study.store.trial(key, seed).path / "record.json"
    record = json.loads(path.read_text())
    record["config"]["data"] = {"name": "several", "train": list(train), "test": test or {"a": MARKET, "b": DUKE}}
    record["data_fingerprint"] = data
    record["split_fingerprints"] = prints or {"test": "1" * 16, "test/a": "1" * 16, "test/b": "2" * 16}
    path.write_text(json.dumps(record))


@pytest.fixture
def begun(empty):
    empty.begin()
    empty.ask_arms([BASE, OTHER], seeds=2)
    return empty


def _matrix(study):
    state = read_state(StudyStore.at(study.path))
    [found] = summarise_tests(state, arms_table(state))
    return found


def test_only_finished_seeds_are_in_the_means(begun, result_of):
    _write(begun, result_of, BASE, 1, (0.5, 0.3))
    _write(begun, result_of, BASE, 2, (0.7, 0.1))
    _write(begun, result_of, OTHER, 1, (0.4, 0.2), train=(MARKET, DUKE))
    _write(begun, result_of, OTHER, 2, (0.9, 0.9), train=(MARKET, DUKE), status="failed")
    matrix = _matrix(begun)
    assert [(test.name, test.title, test.about) for test in matrix.tests] == [
        ("a", "a", "market1501"),
        ("b", "b", "dukemtmc"),
    ]
    cells = matrix.cells.set_index(["arm", "test"])
    assert cells.loc[(BASE, "a"), "mAP"] == pytest.approx(0.6)
    assert cells.loc[(BASE, "b"), "mAP_sd"] == pytest.approx(math.sqrt(0.02))
    assert list(cells.loc[(OTHER, "b"), ["mAP", "n", "asked"]]) == [pytest.approx(0.2), 1, 2]
    assert list(cells["seen"]) == [True, False, True, True]
    rows = {row.arm: row for row in matrix_rows(matrix)}
    assert (rows[OTHER].trained_on, rows[OTHER].seeds) == ("market1501 + dukemtmc", "1 of 2")
    assert rows[BASE].cells[1].mean == "20.0 ± 14.1"


def test_an_arm_is_there_before_its_last_seed_has_begun(begun, result_of):
    _write(begun, result_of, BASE, 1, (0.5, 0.3))
    _write(begun, result_of, OTHER, 1, (0.4, 0.2))
    rows = {row.arm: (row.seeds, row.cells[0].mean) for row in matrix_rows(_matrix(begun))}
    assert rows == {BASE: ("1 of 2", "50.0"), OTHER: ("1 of 2", "40.0")}


def test_one_name_for_two_data_sets_is_two_columns(begun, result_of):
    other = {"test": "1" * 16, "test/a": "1" * 16, "test/b": "3" * 16}
    for seed in (1, 2):
        _write(begun, result_of, BASE, seed, (0.5, 0.3))
        _write(begun, result_of, OTHER, seed, (0.4, 0.2), prints=other)
    matrix = _matrix(begun)
    titles = [test.title for test in matrix.tests]
    assert titles[0] == "a"
    assert len(titles) == 3
    assert all(title.startswith("b (protocol ") for title in titles[1:])
    rows = {row.arm: [cell.mean for cell in row.cells] for row in matrix_rows(matrix)}
    assert rows == {BASE: ["50.0 ± 0.0", "30.0 ± 0.0", "–"], OTHER: ["40.0 ± 0.0", "–", "20.0 ± 0.0"]}


def test_sets_of_one_kind_are_told_apart_by_their_folders(begun, result_of):
    one, two = ({**MARKET, "root": f"/data/{name}"} for name in ("mA", "mB"))
    for seed in (1, 2):
        _write(begun, result_of, BASE, seed, (0.5, 0.3), train=(one,), test={"a": one, "b": DUKE}, data="1" * 16)
        _write(begun, result_of, OTHER, seed, (0.4, 0.2), train=(two,), test={"a": one, "b": DUKE}, data="2" * 16)
    matrix = _matrix(begun)
    rows = {row.arm: row.trained_on for row in matrix_rows(matrix)}
    assert rows == {BASE: "market1501 (in mA)", OTHER: "market1501 (in mB)"}
    assert [test.about for test in matrix.tests] == ["market1501 (in mA)", "dukemtmc"]
    facts = dict(protocol_facts(read_state(StudyStore.at(begun.path))))
    assert facts["Trained on"] == "market1501 (in mA); market1501 (in mB)"


def test_a_folder_that_was_moved_between_two_seeds_is_one_data_set(begun, result_of):
    for seed, folder in ((1, "here"), (2, "there")):
        market = {**MARKET, "root": f"/{folder}/market"}
        for arm in (BASE, OTHER):
            _write(begun, result_of, arm, seed, (0.5, 0.3), train=(market,), test={"a": market, "b": DUKE})
    matrix = _matrix(begun)
    assert {row.trained_on for row in matrix_rows(matrix)} == {"market1501"}
    assert dict(protocol_facts(read_state(StudyStore.at(begun.path))))["Tested on"] == "a: market1501; b: dukemtmc"


def test_one_data_set_has_no_matrix(study):
    state = read_state(StudyStore.at(study.path))
    assert summarise_tests(state, arms_table(state)) == []
