import itertools
import math
import tracemalloc

import numpy as np
import pytest
from scipy import stats

from analysis.statistics import bootstrap
from analysis.statistics.bootstrap import bootstrap_queries, bootstrap_strata
from reid_search.errors import RequestError


def seeded(seed=0):
    return np.random.default_rng(seed)


def clusters(sizes, seed=0):
    """Differences of queries that agree within an identity, and the identity of each."""
    random = seeded(seed)
    identities = np.repeat(np.arange(len(sizes)), sizes)
    return random.normal(0, 0.1, len(sizes))[identities] + random.normal(0, 0.02, len(identities)), identities


def test_each_resample_takes_all_queries_of_the_identities_drawn():
    differences, identities = clusters([3, 1, 4, 1, 5, 9, 2, 6] * 4)
    found = bootstrap_queries(differences, identities, generator=seeded(), draws=300)
    random, count, means = seeded(), 32, []
    for _ in range(300):
        drawn = [differences[identities == identity] for identity in random.integers(count, size=count)]
        means.append(np.concatenate(drawn).mean())
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(means, [2.5, 97.5])), abs=1e-12)
    assert found.delta == pytest.approx(differences.mean(), abs=1e-12)
    assert (found.identities, found.queries, found.note) == (32, 124, "")


@pytest.mark.parametrize("level", [0.05, 0.2])
def test_the_interval_is_that_of_all_resamples(level):
    differences, identities = clusters([1, 2, 3, 1, 4], seed=3)
    groups = [differences[identities == identity] for identity in range(5)]
    exact = [np.concatenate([groups[i] for i in drawn]).mean() for drawn in itertools.product(range(5), repeat=5)]
    found = bootstrap_queries(differences, identities, generator=seeded(), draws=100_000, level=level)
    below = [np.mean(np.array(exact) < end) for end in (found.low, found.high)]
    within = [np.mean(np.array(exact) <= end) for end in (found.low, found.high)]
    for less, at_most, share in zip(below, within, (level / 2, 1 - level / 2), strict=True):
        assert less - 0.003 <= share <= at_most + 0.003


def test_one_query_an_identity_is_the_bootstrap_of_scipy():
    differences = seeded(1).exponential(0.1, 60)
    found = bootstrap_queries(differences, np.arange(60), generator=seeded(2), draws=20_000)
    expected = stats.bootstrap(
        (differences,), np.mean, n_resamples=20_000, method="percentile", rng=seeded(3)
    ).confidence_interval
    error = differences.std() / math.sqrt(60)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.1 * error)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    random, covered = seeded(), 0
    for study in range(400):
        differences, identities = clusters(random.integers(1, 7, 80), seed=study)
        found = bootstrap_queries(differences, identities, generator=random, draws=300)
        covered += found.low < 0 < found.high
    assert 0.91 <= covered / 400 <= 0.97  # of resampled queries only .70 do


def test_a_query_counts_where_every_seed_measured_it_and_seeds_are_averaged():
    by_seed = np.array([[0.1, 0.2, np.nan, 0.4, 0.3], [0.3, 0.4, 0.1, np.inf, 0.1]])
    found = bootstrap_queries(by_seed, ["a", "b", "b", "c", "b"], generator=seeded())
    same = bootstrap_queries(np.array([0.2, 0.3, 0.2]), ["a", "b", "b"], generator=seeded())
    assert (found.identities, found.queries) == (2, 3)
    assert found.delta == pytest.approx(0.7 / 3)
    assert (found.low, found.high) == pytest.approx((same.low, same.high), abs=1e-12)


def test_identities_are_resampled_within_each_group_of_seeds_which_counts_as_often_as_it_has_seeds():
    (one, of_one), (other, of_other) = clusters([3, 1, 4] * 12, seed=1), clusters([2, 5] * 20, seed=2)
    other = np.stack([other + 0.3, other - 0.1])
    found = bootstrap_strata([(one, of_one), (other, of_other)], generator=seeded(), draws=4_000)
    assert found.delta == pytest.approx((one.mean() + other[0].mean() + other[1].mean()) / 3, abs=1e-12)
    assert (found.identities, found.queries) == (36 + 40, 96 + 140)
    random, means = seeded(9), []
    for _ in range(4_000):
        groups = ((one, of_one, 36), (other.mean(axis=0), of_other, 40))
        drawn = [np.concatenate([d[i == k] for k in random.integers(n, size=n)]).mean() for d, i, n in groups]
        means.append((drawn[0] + 2 * drawn[1]) / 3)
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(means, [2.5, 97.5])), abs=0.1 * np.std(means))


def test_a_group_whose_queries_no_seed_measured_leaves_nothing_to_say():
    differences, identities = clusters([2] * 40)
    found = bootstrap_strata([(differences, identities), (np.full(3, np.nan), [1, 2, 3])], generator=seeded())
    assert math.isnan(found.delta)
    assert "no query is measured" in found.note


@pytest.mark.parametrize(
    ("differences", "identities", "expected"),
    [
        ([], [], (0, 0, math.nan, math.nan, "no query is measured in every seed")),
        ([math.nan, math.nan], [1, 2], (0, 0, math.nan, math.nan, "no query is measured in every seed")),
        (np.empty((0, 2)), [1, 2], (0, 0, math.nan, math.nan, "no query is measured in every seed")),
        ([0.1, 0.3], [7, 7], (1, 2, 0.2, math.nan, "one identity: a difference and no interval")),
        ([0.1, 0.1, 0.1], [1, 2, 2], (2, 3, 0.1, 0.1, "the same for every identity")),
        ([0.1, 0.0, 0.2], [1, 2, 2], (2, 3, 0.1, 0.1, "the same for every identity")),
        ([0.1, 0.2], [1, 2], (2, 2, 0.15, 0.1, "fewer than 30 identities")),
    ],
)
def test_small_cases_say_what_is_odd(differences, identities, expected):
    found = bootstrap_queries(np.array(differences, dtype=float), identities, generator=seeded())
    count, queries, delta, low, note = expected
    assert (found.identities, found.queries) == (count, queries)
    assert (found.delta, found.low) == pytest.approx((delta, low), nan_ok=True)
    assert math.isnan(found.high) == math.isnan(low)
    assert note in found.note


@pytest.mark.parametrize(
    ("differences", "identities"),
    [(np.zeros(3), [1, 2]), (np.zeros((2, 3)), [1, 2]), (np.zeros((1, 2, 2)), [1, 2]), (np.zeros(2), [[1, 2]])],
)
def test_what_does_not_fit_is_refused(differences, identities):
    with pytest.raises(RequestError, match=r"expected \(seeds, queries\) or \(queries,\), and one identity a query"):
        bootstrap_queries(differences, identities, generator=seeded())


def test_how_many_resamples_are_held_at_once_changes_nothing(monkeypatch):
    differences, identities = clusters([2] * 40)
    whole = bootstrap_queries(differences, identities, generator=seeded(), draws=101)
    monkeypatch.setattr(bootstrap, "_CELLS_AT_ONCE", 40 * 7)
    assert bootstrap_queries(differences, identities, generator=seeded(), draws=101) == whole


def test_a_market_sized_split_needs_little_memory():
    random = seeded()
    differences, identities = random.normal(size=(5, 3368)), random.integers(0, 750, 3368)
    tracemalloc.start()
    found = bootstrap_queries(differences, identities, generator=random)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.queries == 3368
    assert peak < 40e6  # 10,000 × 750 counts at once would take 60 MB, 10,000 × 3,368 queries 270 MB
