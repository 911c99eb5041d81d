import re

import pandas as pd
import pytest

import analysis
from analysis.reading.comparability import differences, fingerprint_of, is_within_protocols, protocols_of

FIELDS = {
    "evaluate": "test",
    "data_fingerprint": "00ff",
    "transductive": False,
    "rule": "same camera",
    "privileged": "none",
}


@pytest.mark.parametrize(
    "change",
    [
        {"evaluate": "val"},
        {"data_fingerprint": "ffff"},
        {"transductive": True},
        {"rule": "same image"},
        {"privileged": "maps: truth"},
    ],
)
def test_every_field_of_a_measurement_changes_the_fingerprint(change):
    assert re.fullmatch(r"[0-9a-f]{8}", fingerprint_of(FIELDS))
    assert fingerprint_of(FIELDS) == fingerprint_of({**dict(reversed(FIELDS.items())), "scorer": "other"})
    assert fingerprint_of(FIELDS | change) != fingerprint_of(FIELDS)


def test_measured_arms_have_a_protocol_and_others_none(factorial):
    factorial.ask_arms(["more"], seeds=1, key="e" * 16)
    arms = analysis.load_arms(factorial.path)
    assert arms.loc[arms["arm"] == "more", "protocol"].isna().all()
    measured = arms[arms["status"] == "finished"]
    assert measured["protocol"].notna().all()
    assert measured.groupby("data_fingerprint")["protocol"].nunique().tolist() == [1, 1]
    assert measured["protocol"].nunique() == 2


def test_differences_name_each_field_with_both_values():
    rows = pd.DataFrame([
        {"arm": "a", "status": "finished", **FIELDS},
        {"arm": "b", "status": "finished", **FIELDS, "transductive": True, "evaluate": "val"},
        {"arm": "c", "status": "failed", **FIELDS, "data_fingerprint": "ffff"},
    ])  # fmt: skip
    assert [str(item) for item in differences(rows, "a")] == [
        "evaluate: arm 'b' has 'val' and 'a' has 'test'",
        "transductive: arm 'b' has 'True' and 'a' has 'False'",
    ]
    assert differences(rows[rows["arm"] != "b"], "a") == [], "what is not measured is not compared"


def test_an_arm_has_every_protocol_that_it_was_measured_under():
    rows = pd.DataFrame(
        {"arm": ["a", "a", "b", "c"], "status": ["finished"] * 3 + ["failed"], "protocol": list("xyxy")}
    )
    assert protocols_of(rows) == {"a": ["x", "y"], "b": ["x"]}


@pytest.mark.parametrize(
    ("weights", "within"),
    [
        ({"x1": 1, "x2": -1}, True),
        ({"x1": 1, "y1": -1}, False),
        ({"x1": 1, "x2": -1, "y1": -1, "y2": 1}, True),
        ({"x1": 1, "x2": 1, "y1": -1, "y2": -1}, False),
        ({"x1": 1 / 3, "x2": 1 / 3, "x3": 1 / 3, "x4": -1}, True),
        ({"mixed": 1, "x1": -1}, False),
    ],
)
def test_a_weighted_sum_stays_within_protocols_where_each_ones_weights_cancel(weights, within):
    protocols = {arm: [arm[0]] for arm in ("x1", "x2", "x3", "x4", "y1", "y2")} | {"mixed": ["x", "y"]}
    assert is_within_protocols(weights, protocols) is within
