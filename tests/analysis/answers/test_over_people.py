import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.answers.ablations import summarise_ablations
from analysis.answers.claims import answer_claims
from analysis.reading.arms import arms_table
from analysis.reporting.claims import describe_claim
from reid_search.records import read_state

STRONG, MAX, GEM = "data.nuisances.backgrounds=strong", "model.pooling=max", "model.pooling=gem"
IDENTITIES = np.repeat(np.arange(40), 3)
CONTENT = {"better": {}, "than": {}, "metric": "mAP", "readout": "default", "smallest_effect": 0.01}


def precisions(arm, seed):
    """Return average precisions `(queries,)` that an identity's queries share for the most part."""
    generator = np.random.default_rng([arm, seed])
    shared = np.random.default_rng(arm).normal(0.5 + arm / 50, 0.1, 40)[IDENTITIES]
    return (shared + generator.normal(0, 0.02, len(IDENTITIES))).clip(0, 1)


@pytest.fixture
def queried(factorial, write_queries):
    """Return the factorial of which three arms of the first data set have tables of queries."""
    for arm in range(3):
        for seed in (1, 2, 3, 4):
            write_queries(factorial, f"{arm:016x}", seed, precisions(arm, seed), IDENTITIES)
    return factorial


def interval_of(by_identity, level=0.05):
    """Return the interval of effects `(seeds, identities)` from the variances of both means, Satterthwaite's."""
    means = by_identity.mean(axis=1), by_identity.mean(axis=0)
    parts = [np.var(mean, ddof=1) / len(mean) for mean in means]
    freedom = sum(parts) ** 2 / sum(part**2 / (len(mean) - 1) for part, mean in zip(parts, means, strict=True))
    return stats.t.interval(1 - level, freedom, by_identity.mean(), np.sqrt(sum(parts)))


def effects_of(arm, seeds=(1, 2, 3, 4)):
    """Return an arm's difference from the baseline `(seeds, identities)`."""
    found = [precisions(arm, seed) - precisions(0, seed) for seed in seeds]
    return np.array([[one[identity == IDENTITIES].mean() for identity in range(40)] for one in found])


def summaries(study):
    results = read_state(study.store)
    return summarise_ablations(results, arms_table(results), 0.01)


def test_the_interval_over_people_has_the_variance_of_seeds_and_identities(queried):
    plain, strong = summaries(queried)
    table = plain.contrasts.set_index("arm")
    for number, arm in enumerate((MAX, GEM), start=1):
        found = table.loc[arm, ["people_low", "people_high"]].to_numpy(float)
        np.testing.assert_allclose(found, interval_of(effects_of(number)), atol=1e-12)
    assert plain.arms.set_index("arm").loc[MAX, "people_low"] == table.loc[MAX, "people_low"]
    assert plain.has_people_intervals
    assert strong.contrasts["people_low"].isna().all(), "no tables"
    assert not strong.has_people_intervals


def test_the_same_tables_give_the_same_interval(queried):
    pd.testing.assert_frame_equal(summaries(queried)[0].contrasts, summaries(queried)[0].contrasts)


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"PAR1")])
def test_a_table_that_is_missing_or_cut_leaves_the_arm_without_an_interval(queried, damage):
    damage(queried.path / "trials" / f"{1:016x}-s2" / "readouts" / "default" / "per_query.parquet")
    table = summaries(queried)[0].contrasts.set_index("arm")
    assert table["people_low"].isna().to_dict() == {MAX: True, GEM: False}
    assert table["delta"].notna().all()


def test_only_the_arms_that_are_shown_are_read(queried, monkeypatch):
    monkeypatch.setattr("analysis.answers.ablations.ARMS_READ", 1)
    assert summaries(queried)[0].contrasts["people_low"].notna().sum() <= 1


def test_further_readouts_have_no_interval(queried):
    queried.run()
    for number, arm in enumerate(("baseline", MAX)):
        settings = {"model.pooling": ("avg", "max")[number]}
        queried.ask_arms([arm], seeds=4, key=f"{number:016x}", settings=settings, by="one_factor",
                         readouts={"default": "default", "again": "default"})  # fmt: skip
    default, again = summaries(queried)
    assert default.contrasts["people_low"].notna().all()
    assert again.contrasts["people_low"].isna().all()


def claim(study, name, effect, control=(), smallest=0.01):
    content = CONTENT | {"smallest_effect": smallest}
    study.log("claim", claim=name, content=content)
    study.log("contrast", claim=name, phase="ablate", effect=effect, control=dict(control), missing=[])


def answers(study):
    results = read_state(study.store)
    return {answer.claim.name: answer for answer in answer_claims(results, arms_table(results))}


def test_a_claim_has_the_interval_over_people_at_its_own_level_where_all_arms_have_tables(queried):
    claim(queried, "pooling", {MAX: 1.0, "baseline": -1.0})
    claim(queried, "across", {MAX: 1.0, "baseline": -1.0, f"{STRONG}, {MAX}": -1.0, STRONG: 1.0})
    found = answers(queried)
    pooling = found["pooling"]
    assert pooling.level < 0.05, "two claims share the error rate"
    expected = interval_of(effects_of(1), pooling.level)
    np.testing.assert_allclose([pooling.people.effect.low, pooling.people.effect.high], expected, atol=1e-12)
    assert (pooling.people.effect.identities, pooling.people.redrawn) == (40, False)
    assert np.isnan(found["across"].people.effect.low)
    assert (found["across"].people.verdict, found["across"].verdict != "refused") == ("", True)


def two_arms(study, write_queries, result_of, of_arm, seeds=8):
    """Let a study of two arms have `of_arm(arm, seed)` as the precisions of its queries, on one data set."""
    study.begin()
    for number, arm in enumerate(("baseline", MAX)):
        key = f"{number:016x}"
        study.ask_arms([arm], key=key, seeds=seeds, settings={"model.pooling": ("avg", "max")[number]})
        for seed in range(1, seeds + 1):
            found = of_arm(number, seed)
            result = result_of("test", found.mean(), 0.9)
            result = result.model_copy(update={"metrics": {**result.metrics, "test/mAP_chance": 0.03}})
            study.trial(key, seed, fingerprint="d" * 16, readouts={"default": result})
            write_queries(study, key, seed, found, IDENTITIES)
    return study


@pytest.mark.parametrize(("spread", "verdict"), [(0.02, "supported"), (0.5, "undecided")])
def test_a_verdict_that_these_people_make_is_undecided_for_others(empty, write_queries, result_of, spread, verdict):
    """The effect is 2 points in every seed; its spread over people is all that differs."""
    people = np.random.default_rng(5).normal(0, spread, 40)
    people = 0.02 + (people - people.mean())[IDENTITIES] / 2

    def of_arm(arm, seed):
        return 0.5 + arm * people + np.random.default_rng([arm, seed]).normal(0, 0.01, len(IDENTITIES))

    two_arms(empty, write_queries, result_of, of_arm)
    claim(empty, "pooling", {MAX: 1.0, "baseline": -1.0})
    answer = answers(empty)["pooling"]
    assert (answer.verdict, answer.people.verdict) == ("supported", verdict)
    said = describe_claim(answer)
    if verdict == "undecided":
        assert "It is about other seeds and these 40 people; for other people it is undecided (" in said
    else:
        assert "It is about other seeds and these 40 people; for other people it holds too (+" in said


def test_a_seed_that_collapsed_counts_for_other_people_no_more_than_for_the_verdict(empty, write_queries, result_of):
    def of_arm(arm, seed):
        return precisions(arm, seed) * (0.04 if (arm, seed) == (1, 3) else 1)

    two_arms(empty, write_queries, result_of, of_arm)
    claim(empty, "pooling", {MAX: 1.0, "baseline": -1.0})
    answer = answers(empty)["pooling"]
    assert answer.effect.n == answer.people.effect.n == 7
    expected = interval_of(effects_of(1, (1, 2, 4, 5, 6, 7, 8)), answer.level)
    np.testing.assert_allclose([answer.people.effect.low, answer.people.effect.high], expected, atol=1e-12)


@pytest.fixture
def redrawn(empty, write_queries, result_of):
    """Return a study of two arms whose seeds have queries of their own, under the same file names."""
    empty.begin()
    for seed in range(1, 5):
        for number, arm in enumerate(("baseline", MAX)):
            key, data = f"{number}{seed:015x}", f"{seed:016x}"
            settings = {"model.pooling": ("avg", "max")[number]}
            empty.ask_arms([arm], key=key, seeds=1, seed=seed, settings=settings, redrawn_from="1" * 16)
            found = precisions(number, seed) * (seed / 4)
            empty.trial(key, seed, fingerprint=data, readouts={"default": result_of("test", found.mean(), 0.9)})
            write_queries(empty, key, seed, found, IDENTITIES + 100 * seed)
    return empty


def test_arms_whose_seeds_drew_data_of_their_own_share_a_protocol_and_are_compared(redrawn):
    arms = arms_table(read_state(redrawn.store))
    assert arms["data_fingerprint"].unique().tolist() == ["redrawn from " + "1" * 16]
    assert arms["protocol"].nunique() == 1
    (summary,) = summaries(redrawn)
    row = summary.contrasts.set_index("arm").loc[MAX]
    expected = [((precisions(1, seed) - precisions(0, seed)) * seed / 4).mean() for seed in range(1, 5)]
    assert (row["n"], row["delta"]) == (4, pytest.approx(np.mean(expected), abs=1e-12))


def test_seeds_with_people_of_their_own_need_no_interval_over_people(redrawn):
    (summary,) = summaries(redrawn)
    assert summary.contrasts["people_low"].isna().all()
    claim(redrawn, "pooling", {MAX: 1.0, "baseline": -1.0})
    answer = answers(redrawn)["pooling"]
    assert answer.people.redrawn
    assert "It is about other seeds and other people, since every seed drew its own." in describe_claim(answer)


def test_numbers_of_redrawn_data_are_not_put_beside_those_of_one_draw(redrawn, result_of):
    redrawn.ask_arms([GEM], key="9" * 16, seeds=4, settings={"model.pooling": "gem"})
    for seed in range(1, 5):
        redrawn.trial("9" * 16, seed, fingerprint="1" * 16, readouts={"default": result_of("test", 0.5, 0.9)})
    first, other = summaries(redrawn)
    assert first.group.arms == ("baseline", MAX)
    assert other.group.arms == (GEM,)
