import itertools
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.answers.claims import answer_claims
from analysis.reading.arms import arms_table
from reid_search.errors import RecordError
from reid_search.records import read_state

ARMS = {"a1": "a" * 16, "b1": "b" * 16, "a0": "c" * 16, "b0": "d" * 16}
SEEDS = 9
# mAP by seed; the difference a1 - b1 is 0.05 on average, that of a0 - b0 nearly 0.
VALUES = {
    "a1": (0.60, 0.62, 0.61, 0.63, 0.60, 0.62, 0.59, 0.64, 0.61),
    "b1": (0.55, 0.565, 0.56, 0.585, 0.55, 0.571, 0.543, 0.589, 0.557),
    "a0": (0.500, 0.510, 0.490, 0.505, 0.500, 0.498, 0.507, 0.492, 0.503),
    "b0": (0.501, 0.509, 0.4905, 0.5045, 0.4995, 0.4987, 0.5062, 0.4926, 0.5024),
}
CONTENT = {"better": {"x": "1"}, "than": {}, "metric": "mAP", "readout": "default", "smallest_effect": 0.01}
EFFECT, CONTROL = {"a1": 1.0, "b1": -1.0}, {"a0": 1.0, "b0": -1.0}


def claim(study, name="parts", *, content=CONTENT, effect=EFFECT, control=None, missing=(), phase="ablate"):
    study.log("claim", claim=name, content=content)
    study.log("contrast", claim=name, phase=phase, effect=effect, control=control or {}, missing=list(missing))


def measure(study, result_of, values=VALUES, seeds=SEEDS, **trial):
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
    differences = np.subtract(VALUES["a1"], VALUES["b1"])
    averages = sorted((one + two) / 2 for one, two in itertools.combinations_with_replacement(differences, 2))
    found = (answer.effect.delta, answer.effect.low, answer.effect.high, answer.p, answer.p_adjusted)
    # One look of one claim: .95 of .9 of .05. With 9 seeds P(T ≤ 5) is .0195 and P(T ≤ 6) .0273: 6 are cut.
    expected = (np.median(averages), averages[5], averages[-6], 2 / 2**9, 2 / 2**9 / 0.95 / 0.9)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert answer.p == pytest.approx(stats.wilcoxon(differences).pvalue)
    assert (answer.verdict, answer.beforehand, answer.metric, answer.looks) == ("supported", True, "test/mAP", 1)
    assert list(answer.arms["mean"]) == pytest.approx([np.mean(VALUES["a1"]), np.mean(VALUES["b1"])])


@pytest.mark.parametrize(
    ("effect", "smallest", "verdict"),
    [
        (EFFECT, 0.01, "supported"),
        ({"b1": 1.0, "a1": -1.0}, 0.01, "contradicted"),
        (CONTROL, 0.01, "negligible"),
        (EFFECT, 0.2, "negligible"),
        (CONTROL, 1e-4, "undecided"),
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
    assert answer.effect.values == pytest.approx(by_seed)
    assert answer.p == pytest.approx(stats.wilcoxon(by_seed).pvalue)


def test_a_control_must_be_exceeded(begun, result_of):
    claim(begun, control=CONTROL)
    claim(begun, "persisting", effect=EFFECT, control=EFFECT)
    claim(begun, "allowed", content={**CONTENT, "vanishes_within": 0.1}, effect=EFFECT, control=EFFECT)
    measure(begun, result_of)
    found = answers(begun)
    values = {arm: np.array(by_seed) for arm, by_seed in VALUES.items()}
    excess = (values["a1"] - values["b1"]) - (values["a0"] - values["b0"])
    p = max(stats.wilcoxon(values["a1"] - values["b1"]).pvalue, stats.wilcoxon(excess).pvalue)
    assert found["parts"].verdict == "supported"
    assert found["parts"].p == pytest.approx(p)
    assert found["parts"].p_adjusted == pytest.approx(3 * p / 0.95 / 0.9)
    assert found["persisting"].verdict == "persists under the control"
    assert found["allowed"].verdict == "control undecided"


def test_an_effect_that_is_not_surely_more_than_its_control_s_is_not_supported(begun, result_of):
    noisy = {**VALUES, "a0": (0.50, 0.58, 0.44, 0.56, 0.42, 0.53, 0.57, 0.43, 0.55)}
    claim(begun, control=CONTROL)
    claim(begun, "alone")
    measure(begun, result_of, noisy)
    found = answers(begun)
    assert (found["parts"].verdict, found["alone"].verdict) == ("control undecided", "supported")
    assert found["parts"].p == pytest.approx(stats.wilcoxon(found["parts"].excess.values).pvalue)


def test_every_claim_counts_in_the_family_also_one_that_cannot_be_tested(begun, result_of):
    claim(begun, "untestable", missing=["x=9"])
    claim(begun)
    begun.log("claim", claim="later", content=CONTENT)
    measure(begun, result_of)
    found = answers(begun)
    assert found["parts"].p_adjusted == pytest.approx(3 * found["parts"].p / 0.95 / 0.9)
    assert (found["untestable"].verdict, found["later"].verdict) == ("not measured", "not yet")
    assert "x=9" in found["untestable"].because
    assert math.isnan(found["untestable"].p_adjusted)


def test_a_look_before_the_end_decides_nothing(begun, result_of):
    claim(begun)
    measure(begun, result_of, {**VALUES, "b1": (*VALUES["b1"][:8], None)})
    answer = answers(begun)["parts"]
    assert (answer.verdict, answer.effect.n) == ("not yet", 8)
    assert "1 of 18" in answer.because


@pytest.mark.parametrize("state", [{"record": False}, {"status": "stopped", "reason": "Ctrl-C"}])
def test_a_training_that_runs_or_was_interrupted_is_still_to_come(begun, result_of, state):
    claim(begun)
    measure(begun, result_of, {**VALUES, "b1": (*VALUES["b1"][:8], None)})
    begun.trial(ARMS["b1"], 9, **state)
    assert answers(begun)["parts"].verdict == "not yet"


@pytest.mark.parametrize(("failed", "verdict"), [(1, "supported"), (4, "no verdict")])
def test_failed_seeds_are_left_out_unless_they_could_overturn_the_verdict(begun, result_of, failed, verdict):
    """Of 18 seeds the worst that one can do is to take the highest rank, 18; four take 66, and 40 would be too many."""
    values = {"a1": VALUES["a1"] * 2, "b1": (*(VALUES["b1"] * 2)[:-failed], *[None] * failed)}
    claim(begun)
    measure(begun, result_of, values, seeds=18)
    for seed in range(19 - failed, 19):
        begun.trial(ARMS["b1"], seed, status="failed", reason="the loss is NaN", epochs=())
    answer = answers(begun)["parts"]
    assert (answer.verdict, answer.effect.n) == (verdict, 18 - failed)
    assert ("could be undecided had they been measured" in answer.because) == (verdict == "no verdict")
    assert list(answer.arms["n"]) == [18, 18 - failed]
    assert list(answer.arms["asked"]) == [18, 18]


def test_one_seed_is_an_effect_and_no_verdict(begun, result_of):
    claim(begun)
    measure(begun, result_of, seeds=1)
    answer = answers(begun)["parts"]
    assert (answer.verdict, answer.effect.n) == ("no verdict", 1)
    assert answer.effect.delta == pytest.approx(0.05)


@pytest.mark.parametrize(("higher", "verdict", "p"), [(0.0, "negligible", 1.0), (0.1, "supported", 2 / 2**9)])
def test_equal_differences_are_decided_by_their_number(begun, result_of, higher, verdict, p):
    claim(begun)
    measure(begun, result_of, {"a1": [value + higher for value in VALUES["b1"]], "b1": VALUES["b1"]})
    answer = answers(begun)["parts"]
    assert (answer.verdict, answer.p) == (verdict, p)
    assert (answer.effect.low, answer.effect.high) == pytest.approx((higher, higher))


def test_an_arm_without_a_finished_trial_leaves_the_claim_open(begun, result_of):
    claim(begun)
    measure(begun, result_of, {"a1": VALUES["a1"], "b1": (None,) * SEEDS})
    for seed in range(1, SEEDS + 1):
        begun.trial(ARMS["b1"], seed, status="failed", reason="the loss is NaN", epochs=())
    answer = answers(begun)["parts"]
    assert answer.verdict == "no verdict"
    assert math.isnan(answer.effect.delta)
    assert dict(zip(answer.arms["arm"], answer.arms["n"], strict=True)) == {"a1": SEEDS, "b1": 0}
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
    kept = np.delete(np.subtract(VALUES["a1"], VALUES["b1"]), 1)
    assert answer.effect.values == pytest.approx(kept)
    assert list(answer.arms["n"]) == [9, 8]


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


BUDGET = 0.9 * 0.05  # of one claim that was made before any result
LEVEL = 0.95 * BUDGET  # at the look that was planned
KEPT = 0.05 * BUDGET  # for looks that were not


@pytest.mark.parametrize(
    ("runs", "looks", "level"),
    [
        ([9], 1, LEVEL),
        ([9, 9], 1, LEVEL),
        ([3, 9], 2, LEVEL),  # with 3 seeds nothing can be decided
        ([9, 12], 2, KEPT / 2),
        ([9, 12, 14], 3, KEPT / 6),
        ([12, 9], 2, KEPT / 2),
        ([9, 12, 9], 2, LEVEL),  # what it could decide then was paid for
    ],
)
def test_every_change_of_the_seeds_is_a_look_that_is_paid_for(begun, result_of, runs, looks, level):
    for index, seeds in enumerate(runs):
        if index:
            begun.run()
        claim(begun)
        measure(begun, result_of, {arm: (*VALUES[arm], *VALUES[arm]) for arm in ("a1", "b1")}, seeds=seeds)
    answer = answers(begun)["parts"]
    assert (answer.looks, answer.level) == (looks, pytest.approx(level))
    assert answer.p_adjusted == pytest.approx(min(1, answer.p * 0.05 / level))


def test_planned_looks_share_the_level(begun, result_of):
    """With 9 seeds 1/256 of .0321 is not even half of what may be spent; what is left passes to the next look."""
    content = {**CONTENT}
    levels = []
    for seeds in (9, 12, 16):
        begun.run()
        begun.log("claim", claim="parts", content=content)
        begun.log("contrast", claim="parts", phase="ablate", effect=EFFECT, control={}, missing=[], looks=[9, 12, 16])
        measure(begun, result_of, {arm: (*VALUES[arm], *VALUES[arm]) for arm in ("a1", "b1")}, seeds=seeds)
        levels.append(answers(begun)["parts"].level)
    first, second, last = levels
    assert first == pytest.approx(0.75 * LEVEL)
    paid = [stats_level(9, first), stats_level(12, second)]
    assert second == pytest.approx(0.875 * LEVEL - paid[0])
    assert last == pytest.approx(LEVEL - sum(paid))


def stats_level(seeds, level):
    """Return what the exact two-sided signed-rank test of so many seeds spends at a level, by counting signs."""
    ranks = np.arange(1, seeds + 1)
    sums = np.array([ranks[list(signs)].sum() for signs in itertools.product([False, True], repeat=seeds)])
    tails = [2 * np.mean(sums <= cut) for cut in range(len(ranks) ** 2)]
    return max((tail for tail in tails if tail <= level), default=0.0)


def test_answers_without_claims_are_none(begun, result_of):
    measure(begun, result_of)
    results = read_state(begun.store)
    assert answer_claims(results, arms_table(results)) == []
    assert isinstance(arms_table(results), pd.DataFrame)
