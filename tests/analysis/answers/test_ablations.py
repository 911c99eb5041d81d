import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.answers.ablations import summarise_ablations
from analysis.answers.groups import protocol_groups
from analysis.reading.arms import arms_table
from analysis.reporting.naming import file_name
from reid_search.records import read_state

STRONG, MAX, GEM = "data.nuisances.backgrounds=strong", "model.pooling=max", "model.pooling=gem"


def summaries(study, smallest=0.01):
    results = read_state(study.store)
    return summarise_ablations(results, arms_table(results), smallest)


def test_one_protocol_is_one_group_around_the_baseline(study):
    [summary] = summaries(study)
    assert (summary.centre_arm, summary.number, summary.groups) == ("baseline", 1, 1)
    assert summary.group.shared == {}
    assert summary.group.unlike == ()
    assert file_name("contrasts", summary) == "contrasts-ablate"


def test_an_arm_whose_rank1_moves_against_its_map_is_marked(study):
    [summary] = summaries(study)
    rows = summary.contrasts.set_index("arm")
    signs = rows["delta"] * rows["rank1_delta"]
    assert rows["disagree"].to_dict() == {arm: sign < 0 for arm, sign in signs.items()}
    assert set(rows["disagree"]) == {True, False}


def test_each_data_set_of_a_factorial_has_a_centre_of_its_own(factorial, factorial_map):
    plain, strong = summaries(factorial)
    assert list(plain.arms["arm"]) == ["baseline", MAX, GEM]
    assert list(strong.arms["arm"]) == [STRONG, f"{STRONG}, {MAX}", f"{STRONG}, {GEM}"]
    assert (strong.centre_arm, dict(strong.group.shared)) == (STRONG, {"data.nuisances.backgrounds": "strong"})
    assert [item.field for item in strong.group.unlike] == ["data_fingerprint"]
    assert list(strong.arms["axis"]) == ["", "model.pooling", "model.pooling"]
    assert list(strong.arms["level"]) == ["", "max", "gem"]
    assert file_name("forest", plain) == "forest-ablate"
    assert file_name("forest", strong) == f"forest-ablate--protocol-{strong.group.protocol}"
    for arm in (MAX, GEM):
        row = strong.contrasts.set_index("arm").loc[f"{STRONG}, {arm}"]
        test = stats.ttest_rel(factorial_map[f"{STRONG}, {arm}"], factorial_map[STRONG])
        difference = np.mean(factorial_map[f"{STRONG}, {arm}"]) - np.mean(factorial_map[STRONG])
        assert (row["delta"], row["p"]) == pytest.approx((difference, test.pvalue), abs=1e-9)
    assert plain.refusal is None
    assert strong.refusal is None


def test_a_phase_without_a_baseline_stands_around_its_first_measured_arm(empty, result_of):
    empty.begin()
    for arm in ("p=1", "p=2", "p=3"):
        key = f"{int(arm[-1]):016x}"
        empty.ask_arms([arm], seeds=2, key=key, settings={"p": arm[-1], "q": "0"}, by="one_factor",
                       readouts={"default": "default"})  # fmt: skip
        for seed in (1, 2) if arm != "p=1" else ():
            empty.trial(key, seed, readouts={"default": result_of("test", int(arm[-1]) / 10 + seed / 1000, 0.8)})
    [summary] = summaries(empty)
    assert (summary.centre_arm, dict(summary.group.shared)) == ("p=2", {})
    assert list(summary.arms["arm"]) == ["p=2", "p=1", "p=3"]
    assert list(summary.arms["level"]) == ["", "1", "3"]
    assert summary.arms.set_index("arm").loc["p=3", "delta"] == pytest.approx(0.1)


def test_arms_of_claims_stand_by_protocol_under_what_they_share_and_are_not_compared(factorial):
    factorial.run()
    for number, (backgrounds, pooling) in enumerate([("plain", "avg"), ("plain", "max"), ("strong", "avg")]):
        key = f"{(0, 1, 3)[number]:016x}"
        settings = {"data.nuisances.backgrounds": backgrounds, "model.pooling": pooling}
        factorial.ask_arms([f"arm {number}"], seeds=4, key=key, settings=settings, by="claims",
                           readouts={"default": "default"})  # fmt: skip
    plain, strong = summaries(factorial)
    assert (plain.is_for_claims, plain.groups) == (True, 2)
    assert dict(plain.group.shared) == {"data.nuisances.backgrounds": "plain"}
    assert strong.group.shared["data.nuisances.backgrounds"] == "strong"
    assert list(plain.arms["level"]) == ["arm 0", "arm 1"]
    assert plain.arms["mAP"].notna().all()
    assert plain.compared.empty
    assert plain.refusal is None


def test_arms_without_measurements_stand_with_the_baseline(factorial):
    factorial.ask_arms(["more"], seeds=2, key="e" * 16, settings={"model.pooling": "rms"}, by="factorial")
    plain, strong = summaries(factorial)
    assert list(plain.arms["arm"]) == ["baseline", MAX, GEM, "more"]
    assert len(strong.arms) == 3


@pytest.mark.parametrize(
    ("protocols", "expected"),
    [
        ({"b": "x", "c": "y"}, [("x", ["baseline", "b"], "baseline"), ("y", ["c"], "c")]),
        ({"c": "y", "d": "y"}, [("y", ["baseline", "b", "c", "d"], "baseline")]),
        ({"baseline": "z", "c": "y", "d": "y"}, [("z", ["baseline", "b"], "baseline"), ("y", ["c", "d"], "d")]),
        ({}, [("", ["baseline", "b", "c", "d"], "baseline")]),
    ],
)
def test_groups_follow_the_protocols_of_what_is_measured(protocols, expected):
    settings = {
        "baseline": {"p": "0", "q": "0"}, "b": {"p": "1", "q": "0"}, "c": {"p": "1", "q": "1"},
        "d": {"p": "0", "q": "1"},
    }  # fmt: skip
    shown = {"baseline", "b", *protocols} if "d" not in protocols and protocols else set(settings)
    rows = pd.DataFrame([
        {"arm": arm, "status": "finished" if arm in protocols else "waiting", "protocol": protocols.get(arm)}
        for arm in settings if arm in shown
    ])  # fmt: skip
    found = protocol_groups(rows, settings)
    assert [(group.protocol, list(group.arms), group.centre) for group in found] == expected


def test_an_arm_whose_data_changed_between_seeds_is_refused(study, result_of):
    study.trial("b" * 16, 3, fingerprint="f" * 16, readouts={"default": result_of("test", 0.5, 0.6)})
    [summary] = summaries(study)
    assert "data_fingerprint: arm 'model.parts=[1]' has 'ffffffffffffffff'" in summary.refusal
    assert summary.compared.empty


def test_a_transductive_arm_is_a_group_of_its_own(empty, result_of):
    empty.begin()
    ranked = "readouts.default.scorer=k_reciprocal"
    empty.ask_arms(["baseline"], seeds=2)
    empty.ask_arms([ranked], seeds=2, key="a" * 16, readouts={"default": "default-3fa9c1"})
    for seed in (1, 2):
        plain = result_of("test", 0.6, 0.8)
        other = result_of("test", 0.7, 0.8).model_copy(update={"scorer": "k_reciprocal", "transductive": True})
        empty.trial("a" * 16, seed, readouts={"default": plain, "default-3fa9c1": other})
    alone, apart = summaries(empty)
    assert (list(alone.arms["arm"]), list(apart.arms["arm"])) == (["baseline"], [ranked])
    assert dict(apart.group.shared) == {"readouts.default.scorer": "k_reciprocal"}
    assert [(item.field, item.found, item.expected) for item in apart.group.unlike] == [("transductive", True, False)]
    assert alone.contrasts.empty
    assert apart.contrasts.empty
