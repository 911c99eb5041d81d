import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis.statistics.factorial import factorial_effects
from reid_search.errors import RequestError

ON = ("off", "on")
AB = {"a": ON, "b": ON}
ABC = {"a": ON, "b": ON, "c": ON}
MIXED = {"parts": ("1", "2", "3"), "loss": ON, "size": ("s", "m", "l")}


def full(factors):
    return np.array(list(itertools.product(*(range(len(levels)) for levels in factors.values()))))


def noise(arms, seeds=5, seed=0):
    return np.random.default_rng(seed).normal(0.5, 0.05, (arms, seeds))


def table(settings, values, factors):
    """The effects by (factor, level) of each side, and a check that none is there twice."""
    rows = factorial_effects(np.array(settings), np.array(values, dtype=float), factors)
    found = {tuple(zip(row.factors, row.levels, strict=True)): row for row in rows}
    assert len(found) == len(rows)
    return found


def least_squares(settings, values, factors, order):
    """Effect-coded regression, one a seed: the coefficients of every level of every term up to an order."""
    columns, names = [np.ones(len(settings))], [()]
    codes = []
    for factor, levels in enumerate(factors.values()):
        code = np.vstack([np.eye(len(levels) - 1), -np.ones(len(levels) - 1)])  # the last level is minus the others
        codes.append(code[settings[:, factor]])
    for size in range(1, order + 1):
        for term in itertools.combinations(range(len(factors)), size):
            for free in itertools.product(*(range(codes[factor].shape[1]) for factor in term)):
                columns.append(np.prod([codes[f][:, level] for f, level in zip(term, free, strict=True)], axis=0))
                names.append(tuple(zip(term, free, strict=True)))
    fitted = dict(zip(names, np.linalg.lstsq(np.array(columns).T, values, rcond=None)[0], strict=True))
    sizes = [len(levels) for levels in factors.values()]

    def coefficient(term):
        for position, (factor, level) in enumerate(term):
            if level == sizes[factor] - 1:
                before, after = term[:position], term[position + 1 :]
                return -sum(coefficient((*before, (factor, free), *after)) for free in range(level))
        return fitted[term]

    return coefficient


def test_effects_of_a_full_factorial_are_those_of_least_squares():
    settings = full(MIXED)
    values, names = noise(len(settings)), list(MIXED)
    of = least_squares(settings, values, MIXED, order=3)
    expected = {}
    for factor, name in enumerate(names):
        for level in range(1, len(MIXED[name])):
            expected[((name, MIXED[name][level]),)] = of(((factor, level),)) - of(((factor, 0),))
    for f, g in itertools.combinations(range(3), 2):
        for one, two in itertools.product(range(1, len(MIXED[names[f]])), range(1, len(MIXED[names[g]]))):
            cells = of(((f, one), (g, two))) - of(((f, one), (g, 0))) - of(((f, 0), (g, two))) + of(((f, 0), (g, 0)))
            expected[(names[f], MIXED[names[f]][one]), (names[g], MIXED[names[g]][two])] = cells
    found = table(settings, values, MIXED)
    assert list(found) == list(expected)
    for key, by_seed in expected.items():
        effect, test = found[key].effect, stats.ttest_1samp(by_seed, 0)
        assert (effect.n, effect.delta, effect.p) == pytest.approx((5, by_seed.mean(), test.pvalue), abs=1e-9)
        assert found[key].matched
        assert found[key].aliases == ()


@given(st.lists(st.floats(-1, 1), min_size=8, max_size=8))
def test_a_purely_additive_table_has_its_summands_and_no_interaction(summands):
    effects = {("parts", "2"): summands[0], ("parts", "3"): summands[1], ("loss", "on"): summands[2]}
    effects |= {("size", "m"): summands[3], ("size", "l"): summands[4]}
    settings, by_seed = full(MIXED), np.array(summands[5:])
    steps = [[effects.get((name, level), 0.0) for level in levels] for name, levels in MIXED.items()]
    values = np.array([[sum(step[i] for step, i in zip(steps, arm, strict=True))] for arm in settings]) + by_seed
    for key, row in table(settings, values, MIXED).items():
        expected = effects[key[0]] if len(key) == 1 else 0.0
        assert row.effect.delta == pytest.approx(expected, abs=1e-12)


def test_two_by_two_by_hand():
    # Two seeds: a brings 1 and 2 without b, 6 and 8 with b; b brings 3 and 2 without a, 8 and 8 with a.
    values = [[0, 10], [3, 12], [1, 12], [9, 20]]
    found = table(full(AB), values, AB)
    a, b, both = found[("a", "on"),], found[("b", "on"),], found[("a", "on"), ("b", "on")]
    assert (a.effect.delta, b.effect.delta, both.effect.delta) == (4.25, 5.25, 5.5)
    assert (both.effect.low + both.effect.high) / 2 == pytest.approx(5.5)
    assert (a.combinations, b.combinations, both.combinations) == (2, 2, 1)
    assert (both.factors, both.levels, both.references) == (("a", "b"), ("on", "on"), ("off", "off"))
    assert both.effect.sd == pytest.approx(np.std([5, 6], ddof=1))


def test_a_combination_without_both_sides_is_left_out_and_counted():
    settings, values = full(ABC), noise(8)
    kept = [i for i, arm in enumerate(settings.tolist()) if arm != [1, 1, 1]]
    found = table(settings[kept], values[kept], ABC)
    at = {tuple(arm): value for arm, value in zip(settings.tolist(), values, strict=True)}
    a = np.mean([at[1, b, c] - at[0, b, c] for b, c in ((0, 0), (0, 1), (1, 0))], axis=0)
    both = at[1, 1, 0] - at[1, 0, 0] - at[0, 1, 0] + at[0, 0, 0]
    assert found[("a", "on"),].effect.delta == pytest.approx(a.mean(), abs=1e-12)
    assert found[("a", "on"), ("b", "on")].effect.delta == pytest.approx(both.mean(), abs=1e-12)
    assert {len(key): row.combinations for key, row in found.items()} == {1: 3, 2: 1}
    failed = values.copy()
    failed[-1] = math.nan  # an arm of which no seed finished is as if it were not there
    assert table(settings, failed, ABC) == found


def test_only_seeds_count_in_which_every_needed_arm_is_finished():
    factors = {"parts": ("1", "2", "3"), "loss": ON}
    settings, values = full(factors), noise(6)
    values[settings.tolist().index([2, 1]), 3] = math.nan
    values[settings.tolist().index([1, 0]), 0] = math.inf
    found = table(settings, values, factors)
    counts = {key: row.effect.n for key, row in found.items()}
    assert counts[("parts", "2"),] == counts[("parts", "3"),] == 4
    assert counts[("loss", "on"),] == 3
    at = {tuple(arm): value for arm, value in zip(settings.tolist(), values, strict=True)}
    by_seed = ((at[2, 0] - at[0, 0] + at[2, 1] - at[0, 1]) / 2)[[0, 1, 2, 4]]
    assert found[("parts", "3"),].effect.delta == pytest.approx(by_seed.mean(), abs=1e-12)


def test_arms_that_share_no_seed_have_a_row_that_says_so():
    found = table([[0], [1]], [[0.5, math.nan], [math.nan, 0.6]], {"a": ON})
    effect = found[("a", "on"),].effect
    assert (effect.n, effect.note) == (0, "no seed is finished in every arm that it needs")
    assert math.isnan(effect.delta)


def test_a_factor_that_does_not_exist_everywhere_is_averaged_where_it_does():
    factors = {"architecture": ("mgn", "baseline"), "parts": ("1", "2"), "loss": ON}
    settings = np.array([[0, 0, 0], [0, 0, 1], [0, 1, 0], [0, 1, 1], [1, -1, 0], [1, -1, 1]])
    values = noise(6)
    found = table(settings, values, factors)
    assert list(found) == [(("parts", "2"),), (("loss", "on"),), (("parts", "2"), ("loss", "on"))]
    parts = (values[2] - values[0] + values[3] - values[1]) / 2
    assert found[("parts", "2"),].effect.delta == pytest.approx(parts.mean(), abs=1e-12)
    assert [row.combinations for row in found.values()] == [2, 3, 1]  # the loss also in the baseline


def test_changing_one_factor_at_a_time_shows_main_effects_alone():
    values = noise(4)
    found = table([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], values, ABC)
    assert list(found) == [(("a", "on"),), (("b", "on"),), (("c", "on"),)]
    for arm, row in enumerate(found.values(), start=1):
        assert row.effect.delta == pytest.approx((values[arm] - values[0]).mean(), abs=1e-12)
        assert (row.combinations, row.matched) == (1, True)


# Generators and the defining words that follow from them, as in Montgomery, table 8.14.
FRACTIONS = {
    "2^(3-1)": ("abc", ["abc"]),
    "2^(4-1)": ("abcd", ["abcd"]),
    "2^(5-1)": ("abcde", ["abcde"]),
    "2^(5-2)": ("abcde", ["abd", "ace", "bcde"]),
}


def fraction(name):
    """The arms whose product of signs along every defining word is +, and the words."""
    letters, words = FRACTIONS[name]
    factors = dict.fromkeys(letters, ON)
    settings = full(factors)
    signs = 2 * settings - 1
    kept = np.all([np.prod([signs[:, letters.index(x)] for x in word], axis=0) == 1 for word in words], axis=0)
    return factors, settings[kept], words


@pytest.mark.parametrize("name", list(FRACTIONS))
def test_a_fraction_names_what_it_cannot_tell_apart(name):
    factors, settings, words = fraction(name)
    found = table(settings, noise(len(settings)), factors)
    for size in (1, 2):
        for term in itertools.combinations(factors, size):
            confounded = ["".join(sorted(set(term) ^ set(word))) for word in words]
            row = found.get(tuple((factor, "on") for factor in term))
            if any(len(other) == 1 for other in confounded):
                assert row is None, term  # a main effect, which is seldom 0, would be taken for it
            else:
                assert {"".join(pair) for pair in row.aliases} == {other for other in confounded if len(other) == 2}
                assert not row.matched


@pytest.mark.parametrize("name", list(FRACTIONS))
def test_main_effects_of_a_fraction_are_those_of_least_squares(name):
    factors, settings, _ = fraction(name)
    values = noise(len(settings))
    of = least_squares(settings, values, factors, order=1)
    found = table(settings, values, factors)
    for factor, letter in enumerate(factors):
        expected = (of(((factor, 1),)) - of(((factor, 0),))).mean()
        assert found[(letter, "on"),].effect.delta == pytest.approx(expected, abs=1e-12)
        assert found[(letter, "on"),].combinations == len(settings) // 2


def test_an_aliased_effect_takes_the_interaction_for_its_own():
    factors, settings, _ = fraction("2^(3-1)")
    together = (settings[:, [1]] * settings[:, [2]]) * 0.1 + np.zeros(3)
    assert table(settings, together, factors)[("a", "on"),].effect.delta == pytest.approx(0.05)


def test_a_fraction_that_lost_an_arm_has_no_row():
    factors, settings, _ = fraction("2^(3-1)")
    assert table(settings[1:], noise(3), factors) == {}


@pytest.mark.parametrize("seeds", [0, 2])
def test_nothing_finished_gives_no_row(seeds):
    assert table(full(AB), np.full((4, seeds), math.nan), AB) == {}


@pytest.mark.parametrize(
    ("settings", "shape", "message"),
    [
        ([[0, 0], [1, 0]], (3, 2), r"expected \(arms, 2\) and \(arms, seeds\)"),
        ([[0], [1]], (2, 2), r"expected \(arms, 2\) and \(arms, seeds\)"),
        ([[0, 0], [1, 0]], (2,), r"expected \(arms, 2\) and \(arms, seeds\)"),
        ([[0, 0], [2, 0]], (2, 2), "factor 'a' has no level 2; allowed: -1 to 1"),
        ([[0, 0], [1, -2]], (2, 2), "factor 'b' has no level -2"),
        ([[0, 1], [0, 1]], (2, 2), r"two arms have the settings \[0, 1\]"),
    ],
)
def test_what_does_not_fit_is_refused(settings, shape, message):
    with pytest.raises(RequestError, match=message):
        factorial_effects(np.array(settings), np.zeros(shape), AB)
