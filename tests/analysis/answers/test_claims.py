import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.answers.claims import answer_claims
from analysis.reading.arms import arms_table
from analysis.statistics.power import seeds_needed
from reid_search.errors import RecordError
from reid_search.records import read_state

ARMS = {"a1": "a" * 16, "b1": "b" * 16, "a0": "c" * 16, "b0": "d" * 16}
# mAP by seed; the difference a1 - b1 is 0.05 on average, that of a0 - b0 nearly 0.
VALUES = {
    "a1": (0.60, 0.62, 0.61, 0.63, 0.60),
    "b1": (0.55, 0.565, 0.56, 0.585, 0.55),
    "a0": (0.500, 0.510, 0.490, 0.505, 0.500),
    "b0": (0.501, 0.509, 0.4905, 0.5045, 0.4995),
}
CONTENT = {"better": {"x": "1"}, "than": {}, "metric": "mAP", "readout": "default", "smallest_effect": 0.01}
EFFECT, CONTROL = {"a1": 1.0, "b1": -1.0}, {"a0": 1.0, "b0": -1.0}


def claim(study, name="parts", *, content=CONTENT, effect=EFFECT, control=None, missing=(), phase="ablate"):
    study.log("claim", claim=name, content=content)
    study.log("contrast", claim=name, phase=phase, effect=effect, control=control or {}, missing=list(missing))


def measure(study, result_of, values=VALUES, seeds=5, **trial):
    for seed in range(1, seeds + 1):
        for arm, by_seed in values.items():
            study.log(
                "ask", phase="ablate", kind="ablate", arm=arm, key=ARMS[arm], seed=seed, evaluate="test",
                settings={}, by="claims", readouts={"default": "default"},
            )  # fmt: skip
            if by_seed[seed - 1] is not None:
                study.trial(ARMS[arm], seed, readouts={"default": result_of("test", by_seed[seed - 1], 0.7)}, **trial)


def answers(study):
    results = read_state(study.store)
    return {answer.claim.name: answer for answer in answer_claims(results, arms_table(results))}


@pytest.fixture
def begun(empty):
    empty.begin()
    return empty


def since_october(study):
    """Date the log back, before the trials' records end."""
    lines = study.store.log.path.read_text().splitlines()
    study.store.log.path.write_text("".join(f"{line.replace('2026-11', '2026-10')}\n" for line in lines))


def test_a_claim_is_the_paired_difference_of_its_arms(begun, result_of):
    claim(begun)
    measure(begun, result_of)
    since_october(begun)
    answer = answers(begun)["parts"]
    truth = stats.ttest_rel(VALUES["a1"], VALUES["b1"])
    interval = truth.confidence_interval(0.95)
    found = (answer.effect.delta, answer.effect.low, answer.effect.high, answer.p, answer.p_holm)
    expected = (np.mean(np.subtract(VALUES["a1"], VALUES["b1"])), *interval, truth.pvalue, truth.pvalue)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert (answer.verdict, answer.beforehand, answer.metric, answer.looks) == ("supported", True, "test/mAP", 1)
    assert list(answer.arms["mean"]) == pytest.approx([np.mean(VALUES["a1"]), np.mean(VALUES["b1"])])
    assert answer.seeds_needed(0.01) == seeds_needed(0.01, answer.effect.sd)


@pytest.mark.parametrize(
    ("effect", "smallest", "verdict"),
    [
        (EFFECT, 0.01, "supported"),
        ({"b1": 1.0, "a1": -1.0}, 0.01, "contradicted"),
        (CONTROL, 0.01, "contradicted"),
        (EFFECT, 0.2, "contradicted"),
        (CONTROL, 1e-4, "inconclusive"),
    ],
)
def test_verdicts(begun, result_of, effect, smallest, verdict):
    claim(begun, content={**CONTENT, "smallest_effect": smallest}, effect=effect)
    measure(begun, result_of)
    assert answers(begun)["parts"].verdict == verdict


def test_an_interaction_is_a_difference_of_differences_within_seeds(begun, result_of):
    claim(begun, effect={"a1": 1.0, "b1": -1.0, "a0": -1.0, "b0": 1.0})
    measure(begun, result_of)
    values = {arm: np.array(by_seed) for arm, by_seed in VALUES.items()}
    by_seed = (values["a1"] - values["b1"]) - (values["a0"] - values["b0"])
    answer = answers(begun)["parts"]
    assert answer.effect.delta == pytest.approx(by_seed.mean())
    assert answer.p == pytest.approx(stats.ttest_1samp(by_seed, 0).pvalue)


def test_a_control_must_vanish_and_be_exceeded(begun, result_of):
    claim(begun, control=CONTROL)
    claim(begun, "persisting", effect=EFFECT, control=EFFECT)
    measure(begun, result_of)
    found = answers(begun)
    values = {arm: np.array(by_seed) for arm, by_seed in VALUES.items()}
    excess = (values["a1"] - values["b1"]) - (values["a0"] - values["b0"])
    supported, persisting = found["parts"], found["persisting"]
    p = max(stats.ttest_rel(values["a1"], values["b1"]).pvalue, stats.ttest_1samp(excess, 0).pvalue)
    assert (supported.verdict, supported.control_verdict) == ("supported", "vanishes")
    assert supported.p == pytest.approx(p)
    assert supported.p_holm == pytest.approx(2 * p)
    assert (persisting.verdict, persisting.control_verdict) == ("contradicted", "persists")


def test_an_effect_that_is_not_surely_more_than_its_control_s_is_not_supported(begun, result_of):
    noisy = {**VALUES, "a0": (0.50, 0.58, 0.44, 0.56, 0.42)}
    claim(begun, control=CONTROL)
    claim(begun, "alone")
    measure(begun, result_of, noisy)
    values = {arm: np.array(by_seed) for arm, by_seed in noisy.items()}
    excess = stats.ttest_1samp((values["a1"] - values["b1"]) - (values["a0"] - values["b0"]), 0)
    found = answers(begun)
    assert (found["parts"].verdict, found["alone"].verdict) == ("inconclusive", "supported")
    assert found["parts"].p == pytest.approx(excess.pvalue)
    assert excess.pvalue > 100 * found["alone"].p


def test_every_claim_counts_in_the_family_also_one_that_cannot_be_tested(begun, result_of):
    claim(begun, "untestable", missing=["x=9"])
    claim(begun)
    begun.log("claim", claim="later", content=CONTENT)
    measure(begun, result_of)
    found = answers(begun)
    assert found["parts"].p_holm == pytest.approx(3 * found["parts"].p)
    assert (found["untestable"].verdict, found["later"].verdict) == ("not measured", "not yet")
    assert "x=9" in found["untestable"].because
    assert math.isnan(found["untestable"].p_holm)


def test_a_look_before_the_end_decides_nothing(begun, result_of):
    claim(begun)
    measure(begun, result_of, {**VALUES, "b1": (*VALUES["b1"][:4], None)})
    answer = answers(begun)["parts"]
    assert (answer.verdict, answer.effect.n) == ("not yet", 4)
    assert "1 of 10" in answer.because


@pytest.mark.parametrize("state", [{"record": False}, {"status": "stopped", "reason": "Ctrl-C"}])
def test_a_training_that_runs_or_was_interrupted_is_still_to_come(begun, result_of, state):
    claim(begun)
    measure(begun, result_of, {**VALUES, "b1": (*VALUES["b1"][:4], None)})
    begun.trial(ARMS["b1"], 5, **state)
    assert answers(begun)["parts"].verdict == "not yet"


def test_a_failed_seed_leaves_its_pair_out_and_is_shown(begun, result_of):
    claim(begun)
    measure(begun, result_of, {**VALUES, "b1": (*VALUES["b1"][:4], None)})
    begun.trial(ARMS["b1"], 5, status="failed", reason="the loss is NaN", epochs=())
    answer = answers(begun)["parts"]
    assert (answer.verdict, answer.effect.n) == ("supported", 4)
    assert list(answer.arms["n"]) == [5, 4]
    assert list(answer.arms["asked"]) == [5, 5]


def test_one_seed_is_an_effect_and_no_verdict(begun, result_of):
    claim(begun)
    measure(begun, result_of, seeds=1)
    answer = answers(begun)["parts"]
    assert (answer.verdict, answer.effect.n) == ("no verdict", 1)
    assert answer.effect.delta == pytest.approx(0.05)


SAME = (0.6, 0.61, 0.62, 0.63, 0.64)
HIGHER = (0.7, 0.71, 0.72, 0.73, 0.74)


@pytest.mark.parametrize(
    ("values", "verdict", "p"),
    [
        ({"a1": SAME, "b1": SAME}, "contradicted", 1.0),
        ({"a1": HIGHER, "b1": SAME}, "supported", 0.0),
        ({"a1": (0.5,) * 5, "b1": (0.5,) * 5}, "contradicted", 1.0),
    ],
)
def test_constant_differences_say_so(begun, result_of, values, verdict, p):
    claim(begun)
    measure(begun, result_of, values)
    answer = answers(begun)["parts"]
    assert (answer.verdict, answer.p) == (verdict, p)
    assert "cannot be estimated" in answer.because
    assert answer.effect.low == pytest.approx(answer.effect.high)


def test_an_arm_without_a_finished_trial_leaves_the_claim_open(begun, result_of):
    claim(begun)
    measure(begun, result_of, {"a1": VALUES["a1"], "b1": (None,) * 5})
    for seed in range(1, 6):
        begun.trial(ARMS["b1"], seed, status="failed", reason="the loss is NaN", epochs=())
    answer = answers(begun)["parts"]
    assert answer.verdict == "no verdict"
    assert math.isnan(answer.effect.delta)
    assert dict(zip(answer.arms["arm"], answer.arms["n"], strict=True)) == {"a1": 5, "b1": 0}
    assert answer.because == "no seed is finished in both arms"


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: text[: len(text) // 2], "not readable as JSON"),
        (lambda text: text.replace('"schema_version": 1', '"schema_version": 2'), "schema_version 2; this release"),
    ],
)
def test_a_record_that_cannot_be_read_is_an_error_and_in_a_report_a_missing_seed(begun, result_of, damage, words):
    claim(begun)
    measure(begun, result_of)
    path = begun.path / "trials" / f"{ARMS['b1']}-s2" / "record.json"
    path.write_text(damage(path.read_text()))
    with pytest.raises(RecordError, match=words):
        answers(begun)
    results = read_state(begun.store, tolerant=True)
    [answer] = answer_claims(results, arms_table(results))
    kept = [0, 2, 3, 4]
    expected = np.mean(np.subtract(VALUES["a1"], VALUES["b1"])[kept])
    assert (answer.effect.n, answer.effect.delta) == (4, pytest.approx(expected))
    assert list(answer.arms["n"]) == [5, 4]


def test_unlike_protocols_are_refused_unless_each_cancels(begun, result_of):
    claim(begun)
    claim(begun, "across", effect={"a1": 1.0, "b1": -1.0, "a0": -1.0, "b0": 1.0})
    claim(begun, "unlike", effect={"a1": 1.0, "b0": -1.0})
    measure(begun, result_of, {arm: VALUES[arm] for arm in ("a1", "b1")})
    measure(begun, result_of, {arm: VALUES[arm] for arm in ("a0", "b0")}, fingerprint="11" * 8)
    found = answers(begun)
    assert [found[name].verdict == "refused" for name in ("parts", "across", "unlike")] == [False, False, True]
    assert "data_fingerprint" in found["unlike"].because
    assert found["unlike"].effect.n == 0, "no difference is shown of what is not compared"
    assert list(found["unlike"].arms["n"]) == [len(VALUES["a1"]), len(VALUES["b0"])]


def test_transductive_arms_are_not_compared_with_others(begun, result_of):
    claim(begun)
    measure(begun, result_of, {"b1": VALUES["b1"]})
    for seed, value in enumerate(VALUES["a1"], start=1):
        begun.log(
            "ask", phase="ablate", kind="ablate", arm="a1", key=ARMS["a1"], seed=seed, evaluate="test", settings={},
            by="claims", readouts={"default": "default"},
        )  # fmt: skip
        ranked_again = result_of("test", value, 0.7).model_copy(update={"transductive": True, "scorer": "graph"})
        begun.trial(ARMS["a1"], seed, readouts={"default": ranked_again})
    answer = answers(begun)["parts"]
    assert (answer.verdict, "transductive" in answer.because) == ("refused", True)


def test_a_claim_made_after_its_trials_says_so(begun, result_of):
    # The records of these trials end on a day that is over.
    measure(begun, result_of)
    claim(begun, "late")
    assert answers(begun)["late"].beforehand is False


def test_a_claim_keeps_its_date_while_it_is_not_changed(begun):
    claim(begun)
    [first] = begun.store.log.history().claims
    begun.run()
    claim(begun)
    [same] = begun.store.log.history().claims
    begun.run()
    claim(begun, content={**CONTENT, "smallest_effect": 0.02})
    [changed] = begun.store.log.history().claims
    assert same.since == first.since
    assert changed.since > first.since


def test_claims_that_a_later_run_no_longer_makes_are_gone(begun):
    claim(begun)
    begun.run()
    assert begun.store.log.history().claims == []


@pytest.mark.parametrize(("runs", "looks"), [([3], 1), ([3, 3], 1), ([3, 5], 2), ([3, 5, 8], 3), ([5, 3], 2)])
def test_every_change_of_the_seeds_is_a_look_that_is_paid_for(begun, result_of, runs, looks):
    for index, seeds in enumerate(runs):
        if index:
            begun.run()
        claim(begun)
        measure(begun, result_of, {arm: (*VALUES[arm], *VALUES[arm]) for arm in ("a1", "b1")}, seeds=seeds)
    answer = answers(begun)["parts"]
    assert answer.looks == looks
    values = [np.array((*VALUES[arm], *VALUES[arm]))[: runs[-1]] for arm in ("a1", "b1")]
    assert answer.p == pytest.approx(min(1, looks * stats.ttest_rel(*values).pvalue))


def test_answers_without_claims_are_none(begun, result_of):
    measure(begun, result_of)
    results = read_state(begun.store)
    assert answer_claims(results, arms_table(results)) == []
    assert isinstance(arms_table(results), pd.DataFrame)
