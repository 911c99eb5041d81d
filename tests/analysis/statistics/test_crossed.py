import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats

from analysis.statistics.crossed import crossed_effect
from reid_search.errors import RequestError

OF_SEED, OF_IDENTITY, OF_BOTH = 0.02, 0.08, 0.10


def study(generator, seeds=6, identities=100, queries=1, truth=0.0):
    """Return the effect of every seed and query `(seeds, queries)` and the identity of each query."""
    owner = np.repeat(np.arange(identities), queries)
    effects = (
        truth
        + OF_SEED * generator.standard_normal((seeds, 1))
        + OF_IDENTITY * generator.standard_normal(identities)[owner]
        + OF_BOTH * generator.standard_normal((seeds, len(owner)))
    )
    return effects, owner


def test_the_interval_is_that_of_the_variances_of_two_means():
    effects, owner = study(np.random.default_rng(0), seeds=5, identities=40)
    found = crossed_effect([(effects, owner)], level=0.1)
    of_seeds = np.var([row.mean() for row in effects], ddof=1) / 5
    of_identities = np.var([column.mean() for column in effects.T], ddof=1) / 40
    total = of_seeds + of_identities
    freedom = total**2 / (of_seeds**2 / 4 + of_identities**2 / 39)
    expected = stats.t.interval(0.9, freedom, effects.mean(), math.sqrt(total))
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-12)
    assert (found.n, found.identities, found.level, found.note) == (5, 40, 0.1, "")


@pytest.mark.filterwarnings("ignore:The MLE may be on the boundary")
def test_the_variance_is_that_of_a_mixed_model_with_the_interaction_counted_twice():
    """Where both are balanced, REML's components add up to the same variances of the two means."""
    effects, owner = study(np.random.default_rng(1), seeds=12, identities=20)
    effects = effects + np.linspace(-0.1, 0.1, 12)[:, None]  # far from a variance of 0, which REML does not cross
    seeds, identities = effects.shape
    rows = pd.DataFrame({
        "y": effects.ravel(), "seed": np.repeat(np.arange(seeds), identities), "identity": np.tile(owner, seeds),
    })  # fmt: skip
    parts = {"seed": "0 + C(seed)", "identity": "0 + C(identity)"}
    model = smf.mixedlm("y ~ 1", rows, groups=np.ones(effects.size), vc_formula=parts, re_formula="0")
    fitted = model.fit(method="lbfgs")
    of = dict(zip(model.exog_vc.names, fitted.vcomp, strict=True))
    single = of["seed"] / seeds + of["identity"] / identities + fitted.scale / effects.size
    found = crossed_effect([(effects, owner)], level=0.05)
    of_means = effects.mean(axis=1).var(ddof=1) / seeds, effects.mean(axis=0).var(ddof=1) / identities
    freedom = sum(of_means) ** 2 / (of_means[0] ** 2 / (seeds - 1) + of_means[1] ** 2 / (identities - 1))
    error = (found.high - found.low) / 2 / stats.t.ppf(0.975, freedom)
    assert error**2 == pytest.approx(single + fitted.scale / effects.size, rel=1e-3)


@pytest.mark.parametrize(("level", "seeds", "queries"), [(0.05, 6, 1), (0.05, 12, 3), (0.01, 8, 3)])
def test_it_misses_the_truth_in_no_more_studies_than_it_says(level, seeds, queries):
    generator, repeats = np.random.default_rng(7), 600
    missed = of_seeds = 0
    for _ in range(repeats):
        effects, owner = study(generator, seeds, queries=queries, truth=0.03)
        found = crossed_effect([(effects, owner)], level)
        missed += not found.low <= 0.03 <= found.high
        means = effects.mean(axis=1)
        low, high = stats.t.interval(1 - level, seeds - 1, means.mean(), means.std(ddof=1) / math.sqrt(seeds))
        of_seeds += not low <= 0.03 <= high
    assert missed <= stats.binom.ppf(0.999, repeats, level)
    assert of_seeds > stats.binom.ppf(0.999, repeats, level), "seeds alone know nothing of other people"


def test_identities_with_unequal_numbers_of_queries_are_a_ratio_of_sums():
    """The truth is the mean over queries; identities with many queries move it more."""
    generator = np.random.default_rng(3)
    sizes = generator.integers(1, 9, size=200)
    owner = np.repeat(np.arange(200), sizes)
    effects = generator.normal(0, 0.1, 200)[owner] + 0.03 * sizes[owner] + generator.normal(0, 1e-4, (4, len(owner)))
    found = crossed_effect([(effects, owner)], level=0.05)
    assert found.delta == pytest.approx(effects.mean(), abs=1e-12)
    groups = [effects.mean(axis=0)[owner == identity] for identity in range(200)]
    drawn = generator.integers(200, size=(2_000, 200))
    means = [np.concatenate([groups[identity] for identity in row]).mean() for row in drawn]
    assert (found.high - found.low) / 2 == pytest.approx(1.97 * np.std(means), rel=0.06)


def test_a_difference_between_data_sets_has_the_people_of_both():
    generator = np.random.default_rng(4)
    (one, of_one), (other, of_other) = study(generator, 9, 60), study(generator, 9, 150)
    found = crossed_effect([(one, of_one), (other, of_other)], level=0.05)
    by_seed = one.mean(axis=1) + other.mean(axis=1)
    parts = np.array([by_seed.var(ddof=1) / 9, one.mean(0).var(ddof=1) / 60, other.mean(0).var(ddof=1) / 150])
    freedom = parts.sum() ** 2 / (parts**2 / [8, 59, 149]).sum()
    expected = stats.t.interval(0.95, freedom, by_seed.mean(), math.sqrt(parts.sum()))
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-12)
    assert (found.n, found.identities) == (9, 210)


def test_a_query_counts_where_every_seed_measured_it():
    values = np.array([[0.1, 0.2, np.nan, 0.4, 0.3], [0.3, 0.4, 0.1, np.inf, 0.1]])
    found = crossed_effect([(values, ["a", "b", "b", "c", "b"])], level=0.05)
    same = crossed_effect([(values[:, [0, 1, 4]], ["a", "b", "b"])], level=0.05)
    assert found == same
    assert (found.n, found.identities) == (2, 2)


@pytest.mark.parametrize(
    ("effects", "identities", "n", "delta", "note"),
    [
        (np.empty((0, 2)), [1, 2], 0, math.nan, "no query is measured in every seed"),
        (np.full((3, 2), math.nan), [1, 2], 0, math.nan, "no query is measured in every seed"),
        ([[0.1, 0.3]], [1, 2], 1, 0.2, "one seed: a difference and no interval"),
        ([[0.1, 0.3], [0.3, 0.1]], [7, 7], 2, 0.2, "one identity: a difference and no interval"),
    ],
)
def test_small_cases_have_no_interval_and_say_why(effects, identities, n, delta, note):
    found = crossed_effect([(np.array(effects, dtype=float), identities)], level=0.05)
    assert (found.n, found.delta) == (n, pytest.approx(delta, nan_ok=True))
    assert math.isnan(found.low)
    assert note in found.note


def test_equal_values_have_an_interval_of_no_width():
    found = crossed_effect([(np.full((3, 4), 0.1), [1, 2, 3, 4])], level=0.05)
    assert (found.delta, found.low, found.high) == pytest.approx((0.1, 0.1, 0.1))


@pytest.mark.parametrize(("effects", "identities"), [(np.zeros(3), [1, 2, 3]), (np.zeros((2, 3)), [1, 2])])
def test_what_does_not_fit_is_refused(effects, identities):
    with pytest.raises(RequestError, match=r"expected \(seeds, queries\), and one identity a query"):
        crossed_effect([(effects, identities)], level=0.05)
    with pytest.raises(RequestError, match="data sets with 2 and 3 seeds"):
        crossed_effect([(np.zeros((2, 3)), [1, 2, 3]), (np.zeros((3, 1)), [1])], level=0.05)
