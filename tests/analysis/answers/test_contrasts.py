import json
import math
import statistics

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import analysis
from analysis.statistics.family import holm
from reid_search.errors import RequestError

PARTS, MARGIN, FLIP = "model.parts=[1]", "losses.triplet.margin=0.3", "readouts.default.flip=false"


def arms_of(values, metric="test/mAP", **columns):
    rows = [
        {"arm": arm, "seed": seed, metric: value, "status": "finished" if value is not None else "failed"} | columns
        for arm, found in values.items()
        for seed, value in enumerate(found, start=1)
    ]
    table = pd.DataFrame(rows)
    return table.astype({metric: "float64"})


def only(values, **options):
    return analysis.contrasts(arms_of(values), **options).iloc[0]


def seed_values(study, key, readout):
    found = {}
    for path in study.path.glob(f"trials/{key}-s*/record.json"):
        record = json.loads(path.read_text())
        if record["status"] == "finished":
            found[record["seed"]] = record["readouts"][readout]["metrics"]["test/mAP"]
    return found


def test_every_number_follows_from_the_records(study):
    table = analysis.contrasts(analysis.load_arms(study.path)).set_index("arm")
    assert list(table.index) == [PARTS, MARGIN, FLIP]
    base = seed_values(study, "a" * 16, "default")
    p_values = {}
    for arm, key, readout in ((PARTS, "b" * 16, "default"), (MARGIN, "c" * 16, "default"),
                              (FLIP, "a" * 16, "default-3fa9c1")):  # fmt: skip
        found, row = seed_values(study, key, readout), table.loc[arm]
        seeds = sorted(set(found) & set(base))
        ours, theirs = [found[seed] for seed in seeds], [base[seed] for seed in seeds]
        differences = [left - right for left, right in zip(ours, theirs, strict=True)]
        n, mean = len(seeds), statistics.fmean(differences)
        error = statistics.stdev(differences) / math.sqrt(n)
        half = stats.t.ppf(0.975, n - 1) * error
        p_values[arm] = stats.ttest_rel(ours, theirs).pvalue
        expected = {
            "n": n, "missing": 3 - n, "mean": statistics.fmean(ours), "baseline_mean": statistics.fmean(theirs),
            "delta": mean, "low": mean - half, "high": mean + half, "p": p_values[arm],
            "sd": statistics.stdev(ours), "baseline_sd": statistics.stdev(theirs),
            "sd_delta": statistics.stdev(differences),
            "p_improve": sum((d > 0) + (d == 0) / 2 for d in differences) / n,
        }  # fmt: skip
        for name, value in expected.items():
            assert row[name] == pytest.approx(value, abs=1e-9), (arm, name)
    for arm, adjusted in zip(p_values, holm(list(p_values.values())), strict=True):
        assert table.loc[arm, "p_holm"] == pytest.approx(adjusted, abs=1e-9)
    assert list(table["verdict"]) == ["worse", "inconclusive", "inconclusive"]


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=12))
def test_interval_and_p_are_those_of_scipy(pairs):
    ours, theirs = (np.array(side) for side in zip(*pairs, strict=True))
    if np.ptp(ours - theirs) < 1e-6:
        return
    row = only({"baseline": theirs, "x": ours})
    test = stats.ttest_rel(ours, theirs)
    interval = test.confidence_interval(0.95)
    assert (row["p"], row["low"], row["high"]) == pytest.approx((test.pvalue, interval.low, interval.high), abs=1e-9)


@pytest.mark.parametrize(
    ("differences", "smallest_effect", "verdict"),
    [
        ([0.050, 0.052, 0.051], 0.01, "better"),
        ([-0.050, -0.052, -0.051], 0.01, "worse"),
        ([0.001, -0.001, 0.0005], 0.01, "equivalent"),
        ([0.0050, 0.0051, 0.0052], 0.01, "equivalent"),  # sure, and too small to matter
        ([0.0050, 0.0051, 0.0052], 0.001, "better"),
        ([0.001, -0.001, 0.0005], 0.001, "inconclusive"),
        ([0.05, -0.03, 0.02], 0.01, "inconclusive"),
        ([0.05], 0.01, "no verdict"),
    ],
)
def test_verdicts(differences, smallest_effect, verdict):
    base = [0.5 + seed / 1000 for seed in range(len(differences))]
    arms = {"baseline": base, "x": [left + right for left, right in zip(base, differences, strict=True)]}
    assert only(arms, smallest_effect=smallest_effect)["verdict"] == verdict


def test_more_arms_make_a_verdict_harder():
    base = np.array([0.50, 0.51, 0.52])
    arm = base + np.array([0.050, 0.062, 0.041])
    noise = {f"n{index}": base + np.array([0.05 * index, -0.04, 0.01]) for index in range(1, 6)}
    alone = only({"baseline": base, "x": arm})
    among = only({"baseline": base, "x": arm} | noise)
    assert (alone["verdict"], among["verdict"]) == ("better", "inconclusive")
    assert (alone["p"], alone["family"], among["family"]) == (among["p"], 1, 6)


def test_one_seed_gives_an_effect_and_no_verdict():
    row = only({"baseline": [0.5], "x": [0.6]})
    assert (row["n"], row["verdict"], row["p_improve"]) == (1, "no verdict", 1.0)
    assert row["delta"] == pytest.approx(0.1)
    assert row[["low", "high", "p", "p_holm", "sd", "baseline_sd", "detectable"]].isna().all()
    assert row["note"] == "one seed: an effect and no verdict"


@pytest.mark.parametrize(
    ("shift", "p", "verdict"), [(0.0, 1.0, "equivalent"), (0.1, 0.0, "better"), (-0.1, 0.0, "worse")]
)
def test_constant_differences_have_an_interval_without_width_and_say_so(shift, p, verdict):
    base = [0.3, 0.1, 0.2]  # 0.3 + 0.1 is not a rounded sum of 0.1 + 0.1, so the differences differ in the last digit
    row = only({"baseline": base, "x": [value + shift for value in base]})
    assert (row["p"], row["p_holm"], row["verdict"]) == (p, p, verdict)
    assert row["low"] == row["high"] == pytest.approx(shift, abs=1e-12)
    assert "the same for every seed" in row["note"]


def test_a_missing_seed_leaves_the_pair_out_of_both_means():
    row = only({"baseline": [0.5, 0.1, 0.7], "x": [0.6, None, 0.9]})
    assert (row["n"], row["missing"]) == (2, 1)
    assert (row["mean"], row["baseline_mean"], row["delta"]) == pytest.approx((0.75, 0.6, 0.15))
    row = only({"baseline": [None, 0.1, 0.7], "x": [0.6, 0.2, None]})
    assert (row["n"], row["verdict"]) == (1, "no verdict")
    assert row["delta"] == pytest.approx(0.1)


def test_an_arm_without_a_finished_trial_stays_in_the_table():
    table = analysis.contrasts(arms_of({"baseline": [0.5, 0.6], "x": [None, None], "y": [0.6, 0.75]}))
    assert list(table["arm"]) == ["x", "y"]
    assert (table["n"][0], table["missing"][0], table["verdict"][0]) == (0, 2, "no verdict")
    assert math.isnan(table["delta"][0])
    assert table["p_holm"][1] == table["p"][1]


def test_a_value_of_a_trial_that_is_not_finished_does_not_count():
    arms = arms_of({"baseline": [0.5, 0.6], "x": [0.6, 0.7]})
    arms.loc[3, "status"] = "stopped"
    assert analysis.contrasts(arms)["n"][0] == 1


def test_ties_count_half():
    assert only({"baseline": [0.5, 0.5, 0.5, 0.5], "x": [0.5, 0.6, 0.4, 0.7]})["p_improve"] == pytest.approx(2.5 / 4)


@pytest.mark.parametrize("order", [1, -1])
def test_the_order_of_rows_does_not_matter(study, order):
    arms = analysis.load_arms(study.path)
    expected = analysis.contrasts(arms).set_index("arm").sort_index()
    found = analysis.contrasts(arms[::order]).set_index("arm").sort_index()
    pd.testing.assert_frame_equal(found, expected)


def test_another_metric_and_baseline(study):
    table = analysis.contrasts(analysis.load_arms(study.path), PARTS, "test/rank1")
    assert "baseline" in set(table["arm"])
    assert table.set_index("arm").loc["baseline", "delta"] == pytest.approx(0.03)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data_fingerprint": "ffff"}, "data_fingerprint: arm 'model.parts=.1.' has 'ffff' and 'baseline' has '00ff"),
        ({"evaluate": "val"}, "evaluate: arm 'model.parts=.1.' has 'val' and 'baseline' has 'test'"),
        ({"transductive": True}, "transductive: arm 'model.parts=.1.' has 'True' and 'baseline' has 'False'"),
        (
            {"transductive": True, "evaluate": "val"},
            "evaluate: .* has 'val' .*; transductive: .* has 'True' .*; numbers under different protocols",
        ),
    ],
)
def test_numbers_of_different_protocols_are_not_compared(study, change, message):
    arms = analysis.load_arms(study.path)
    for name, value in change.items():
        arms.loc[arms["arm"] == PARTS, name] = value
    with pytest.raises(RequestError, match=message):
        analysis.contrasts(arms)


def test_an_arm_measured_on_two_data_sets_is_not_averaged(study):
    arms = analysis.load_arms(study.path)
    arms.loc[(arms["arm"] == "baseline") & (arms["seed"] == 3), "data_fingerprint"] = "ffff"
    with pytest.raises(RequestError, match=r"data_fingerprint: arm 'baseline' has '.*' and, in other seeds, 'ffff'"):
        analysis.contrasts(arms)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"baseline": "base"}, "baseline 'base' is not an arm of the table; did you mean 'baseline'"),
        ({"metric": "test/map"}, "metric 'test/map' is not measured here; did you mean 'test/mAP'"),
        ({"readout": "global"}, "readout 'global' is not in the table; allowed: default"),
    ],
)
def test_what_is_not_there_is_refused(study, options, message):
    with pytest.raises(RequestError) as caught:
        analysis.contrasts(analysis.load_arms(study.path), **options)
    assert message in str(caught.value).replace('"', "'")


def test_two_phases_or_a_seed_twice_are_refused(study):
    arms = analysis.load_arms(study.path)
    with pytest.raises(RequestError, match="holds the phases ablate, other; compare within one"):
        analysis.contrasts(pd.concat([arms, arms.assign(phase="other")]))
    with pytest.raises(RequestError, match="arm 'baseline' has seed 1 twice"):
        analysis.contrasts(pd.concat([arms, arms]))


def test_only_a_baseline_gives_an_empty_table():
    table = analysis.contrasts(arms_of({"baseline": [0.5, 0.6]}))
    assert len(table) == 0
    assert list(table.columns)[:8] == ["arm", "n", "mean", "baseline_mean", "delta", "low", "high", "p"]
