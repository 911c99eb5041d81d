import numpy as np
import pandas as pd
import pytest

from analysis.answers.ablations import summarise_ablations
from analysis.answers.claims import answer_claims
from analysis.reading.arms import arms_table
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


def brute_force(arm):
    """Return the interval of an arm's difference from the baseline, identities drawn one by one."""
    difference = np.mean([precisions(arm, seed) - precisions(0, seed) for seed in (1, 2, 3, 4)], axis=0)
    means = pd.Series(difference).groupby(IDENTITIES).mean().to_numpy()  # three queries each: the mean of means
    draws = np.random.default_rng(99).integers(40, size=(20_000, 40))
    return np.quantile(means[draws].mean(axis=1), [0.025, 0.975])


def summaries(study):
    results = read_state(study.store)
    return summarise_ablations(results, arms_table(results), 0.01)


def test_the_interval_over_queries_is_that_of_resampled_identities(queried):
    plain, strong = summaries(queried)
    table = plain.contrasts.set_index("arm")
    for number, arm in enumerate((MAX, GEM), start=1):
        expected = brute_force(number)
        found = table.loc[arm, ["queries_low", "queries_high"]].to_numpy(float)
        np.testing.assert_allclose(found, expected, atol=0.1 * np.ptp(expected))
    assert plain.arms.set_index("arm").loc[MAX, "queries_low"] == table.loc[MAX, "queries_low"]
    assert plain.has_query_intervals
    assert strong.contrasts["queries_low"].isna().all(), "no tables"
    assert not strong.has_query_intervals


def test_the_same_tables_give_the_same_interval(queried):
    pd.testing.assert_frame_equal(summaries(queried)[0].contrasts, summaries(queried)[0].contrasts)


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"PAR1")])
def test_a_table_that_is_missing_or_cut_leaves_the_arm_without_an_interval(queried, damage):
    damage(queried.path / "trials" / f"{1:016x}-s2" / "readouts" / "default" / "per_query.parquet")
    table = summaries(queried)[0].contrasts.set_index("arm")
    assert table["queries_low"].isna().to_dict() == {MAX: True, GEM: False}
    assert table["delta"].notna().all()


def test_only_the_arms_that_are_shown_are_read(queried, monkeypatch):
    monkeypatch.setattr("analysis.answers.ablations.ARMS_READ", 1)
    assert summaries(queried)[0].contrasts["queries_low"].notna().sum() <= 1


def test_further_readouts_have_no_interval(queried):
    queried.run()
    for number, arm in enumerate(("baseline", MAX)):
        settings = {"model.pooling": ("avg", "max")[number]}
        queried.ask_arms([arm], seeds=4, key=f"{number:016x}", settings=settings, by="one_factor",
                         readouts={"default": "default", "again": "default"})  # fmt: skip
    default, again = summaries(queried)
    assert default.contrasts["queries_low"].notna().all()
    assert again.contrasts["queries_low"].isna().all()


def claim(study, name, effect):
    study.log("claim", claim=name, content=CONTENT)
    study.log("contrast", claim=name, phase="ablate", effect=effect, control={}, missing=[])


def test_a_claim_has_the_interval_of_its_effect_where_all_its_arms_share_the_protocol(queried):
    claim(queried, "pooling", {MAX: 1.0, "baseline": -1.0})
    across = {MAX: 1.0, "baseline": -1.0, f"{STRONG}, {MAX}": -1.0, STRONG: 1.0}
    claim(queried, "across", across)
    results = read_state(queried.store)
    found = {answer.claim.name: answer for answer in answer_claims(results, arms_table(results))}
    pooling, contrast = found["pooling"], summaries(queried)[0].contrasts.set_index("arm").loc[MAX]
    assert (pooling.queries.low, pooling.queries.high) == (contrast["queries_low"], contrast["queries_high"])
    assert np.isnan(found["across"].queries.low)
    assert found["across"].verdict != "refused"


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


def test_queries_of_seeds_with_data_of_their_own_are_never_averaged_by_name(redrawn):
    row = summaries(redrawn)[0].contrasts.set_index("arm").loc[MAX]
    means = []
    for seed in range(1, 5):
        difference = pd.Series((precisions(1, seed) - precisions(0, seed)) * seed / 4)
        means.append(difference.groupby(IDENTITIES).mean().to_numpy())
    draws = np.random.default_rng(99).integers(40, size=(4, 20_000, 40))
    resampled = np.mean([of_seed[drawn].mean(axis=1) for of_seed, drawn in zip(means, draws, strict=True)], axis=0)
    expected = np.quantile(resampled, [0.025, 0.975])
    found = row[["queries_low", "queries_high"]].to_numpy(float)
    np.testing.assert_allclose(found, expected, atol=0.1 * np.ptp(expected))


def test_numbers_of_redrawn_data_are_not_put_beside_those_of_one_draw(redrawn, result_of):
    redrawn.ask_arms([GEM], key="9" * 16, seeds=4, settings={"model.pooling": "gem"})
    for seed in range(1, 5):
        redrawn.trial("9" * 16, seed, fingerprint="1" * 16, readouts={"default": result_of("test", 0.5, 0.9)})
    first, other = summaries(redrawn)
    assert first.group.arms == ("baseline", MAX)
    assert other.group.arms == (GEM,)
