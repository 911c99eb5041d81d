import math

import numpy as np
import pytest
from scipy import stats

from analysis.answers.ablations import summarise_ablations
from analysis.answers.effects import factors_of
from analysis.reading.arms import arms_table
from reid_search.records import read_state

BACKGROUNDS, POOLING = "data.nuisances.backgrounds", "model.pooling"


def effects_of(study, smallest=0.01):
    results = read_state(study.store)
    return summarise_ablations(results, arms_table(results), smallest)[0].effects


def by_hand(values):
    """Return each effect by seed that stays within a data set."""
    cells = {arm: np.array(found) for arm, found in values.items()}
    strong = f"{BACKGROUNDS}=strong"
    found = {}
    for level in ("max", "gem"):
        plain = cells[f"{POOLING}={level}"] - cells["baseline"]
        other = cells[f"{strong}, {POOLING}={level}"] - cells[strong]
        found[POOLING, level] = (plain + other) / 2
        found[f"{BACKGROUNDS} × {POOLING}", f"strong × {level}"] = other - plain
    return found


def test_effects_are_means_over_the_data_sets_and_never_between_them(factorial, factorial_map):
    effects = effects_of(factorial)
    truth = by_hand(factorial_map)
    table = effects.table.set_index(["effect", "level"])
    assert list(table.index) == [
        (POOLING, "max"), (POOLING, "gem"), (f"{BACKGROUNDS} × {POOLING}", "strong × max"),
        (f"{BACKGROUNDS} × {POOLING}", "strong × gem"),
    ]  # fmt: skip
    p_values = {key: stats.ttest_1samp(effect, 0).pvalue for key, effect in truth.items()}
    for key, effect in truth.items():
        interval = stats.ttest_1samp(effect, 0).confidence_interval(0.95)
        found = table.loc[[key]].iloc[0]
        expected = (effect.mean(), interval.low, interval.high, p_values[key])
        assert tuple(found[["delta", "low", "high", "p"]]) == pytest.approx(expected, abs=1e-9)
    smallest = min(p_values, key=p_values.get)
    assert table.loc[[smallest]].iloc[0]["p_holm"] == pytest.approx(4 * p_values[smallest])
    assert effects.left_out == (f"{BACKGROUNDS} = strong",)
    assert list(table["combinations"]) == [2, 2, 1, 1]
    assert table.loc[[(f"{BACKGROUNDS} × {POOLING}", "strong × gem")]].iloc[0]["verdict"] == "better"


def test_the_effects_stand_with_the_first_group_of_factorial_designs_alone(factorial):
    results = read_state(factorial.store)
    first, second = summarise_ablations(results, arms_table(results), 0.01)
    assert first.effects is not None
    assert second.effects is None


def test_other_designs_have_no_effects(study):
    assert effects_of(study) is None


def test_a_fraction_names_its_aliases(empty, result_of):
    empty.begin()
    worth = {"a": 0.05, "b": 0.02, "c": 0.01}
    noise = np.random.default_rng(3).normal(0, 0.001, (4, 3))
    # C = AB: the half with an even number of switched factors, so that each main effect is an interaction's alias.
    halves = [(), ("a", "c"), ("b", "c"), ("a", "b")]
    for number, (on, row) in enumerate(zip(halves, noise, strict=True)):
        settings = {name: "on" if name in on else "off" for name in worth}
        arm = ", ".join(f"{name}=on" for name in on) or "baseline"
        empty.ask_arms([arm], seeds=3, key=f"{number:016x}", settings=settings, by="fractional_factorial",
                       readouts={"default": "default"})  # fmt: skip
        for seed in (1, 2, 3):
            value = 0.5 + sum(worth[name] for name in on) + row[seed - 1]
            empty.trial(f"{number:016x}", seed, readouts={"default": result_of("test", value, 0.7)})
    table = effects_of(empty).table.set_index("effect")
    assert table.loc["a", "aliases"] == "b × c"
    means = noise.mean(axis=1)
    expected = 0.05 + (means[1] + means[3]) / 2 - (means[0] + means[2]) / 2
    assert table.loc["a", "delta"] == pytest.approx(expected, abs=1e-9)
    assert not table.loc["a", "matched"]


def test_axes_that_vary_are_factors_with_the_baselines_level_first():
    settings = {
        "x": {"a": "1", "b": "k", "c": "0"}, "baseline": {"a": "2", "b": "k", "c": "0"}, "y": {"a": "3", "b": "k"},
    }  # fmt: skip
    assert factors_of(list(settings), settings) == {"a": ["2", "1", "3"]}


def test_a_design_without_measurements_has_no_effects(empty):
    empty.begin()
    for arm in ("baseline", "p=1"):
        empty.ask_arms([arm], seeds=1, settings={"p": "1" if arm == "p=1" else "0"}, by="factorial")
    assert effects_of(empty) is None


def test_a_seed_that_failed_is_left_out_of_the_effects_that_need_it(factorial, factorial_map):
    factorial.trial(f"{1:016x}", 2, status="failed", reason="no luck")
    table = effects_of(factorial).table.set_index(["effect", "level"])
    pooled = by_hand(factorial_map)[POOLING, "max"]
    row = table.loc[[(POOLING, "max")]].iloc[0]
    assert row["n"] == 3
    assert row["delta"] == pytest.approx(np.delete(pooled, 1).mean(), abs=1e-9)
    assert table.loc[[(POOLING, "gem")]].iloc[0]["n"] == 4
    assert not math.isnan(row["p_holm"])
