import itertools
import logging
import math
import subprocess
import sys
import warnings

import numpy as np
import optuna
import pytest

from analysis.statistics.importance import importance, problems
from reid_search.errors import RequestError

BOTH = pytest.mark.parametrize("method", ["fanova", "ped_anova"])


def by_axis(values, columns, method="ped_anova", seed=0, **options):
    rows = importance(np.array(values), columns, method=method, generator=np.random.default_rng(seed), **options)
    assert [row.axis for row in rows] == list(columns)
    return {row.axis: row for row in rows}


def searched(trials, seed=0):
    """Random trials of an axis that matters, one that matters less, and one that does not."""
    random = np.random.default_rng(seed)
    a, b, c = random.random(trials), random.choice(["x", "y"], trials), random.integers(0, 6, trials)
    return a + 0.4 * (b == "x") + 0.05 * random.normal(size=trials), {"c": c, "b": b, "a": a}


@pytest.mark.parametrize(("method", "trials"), [("fanova", 40), ("ped_anova", 400)])
def test_the_order_is_that_of_the_truth_and_intervals_hold_the_estimate(method, trials):
    rows = by_axis(*searched(trials), method, draws=4)
    assert rows["a"].importance > rows["b"].importance > rows["c"].importance
    for row in rows.values():
        assert 0 <= row.low <= row.high <= 1
        assert (row.n, row.note) == (trials, "")
    assert rows["a"].low > rows["c"].high


def test_fanova_is_the_share_of_variance_in_a_full_factorial():
    table = np.random.default_rng(0).random((2, 3, 4)) + np.array([0.0, 1.0, 0.2])[:, None]
    a, b, c = np.array(list(itertools.product(range(2), range(3), range(4))) * 6).T
    columns = {"a": a == 1, "b": np.array(["x", "y", "z"])[b], "c": 10 + c}
    rows = by_axis(table[a, b, c], columns, "fanova", draws=3)
    shares = [table.mean(axis=others).var() / table.var() for others in ((1, 2), (0, 2), (0, 1))]
    assert [rows[axis].importance for axis in "abc"] == pytest.approx(shares, abs=0.03)


def test_ped_anova_asks_what_makes_the_best_trials_and_shares_add_up_to_one():
    random = np.random.default_rng(0)
    best, worst = random.random(400), random.random(400)
    values = np.where(best > 0.9, 1.0, 0.0) - np.where(worst < 0.1, 1.0, 0.0) + 0.001 * random.normal(size=400)
    rows = by_axis(values, {"best": best, "worst": worst}, draws=3)
    assert rows["best"].importance > 0.9
    assert rows["best"].importance + rows["worst"].importance == pytest.approx(1)


@BOTH
def test_the_generator_decides_every_draw(method):
    values, columns = searched(30)
    first, again, other = (by_axis(values, columns, method, seed, draws=4) for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_more_trials_narrow_the_interval():
    few, many = (by_axis(*searched(trials), "fanova", draws=8)["a"] for trials in (15, 50))
    assert many.high - many.low < few.high - few.low


@BOTH
def test_a_single_level_matters_nothing_and_changes_nothing(method):
    values, columns = searched(30)
    rows = by_axis(values, columns | {"one": [0.3] * 30}, method, draws=3)
    assert (rows["one"].importance, rows["one"].low, rows["one"].high) == (0.0, 0.0, 0.0)
    assert rows["one"].note == "one level: nothing to compare"
    del rows["one"]
    assert rows == by_axis(values, columns, method, draws=3)


@BOTH
def test_a_trial_without_a_value_is_left_out(method):
    values, columns = searched(30)
    longer = {axis: [*column.tolist(), column[0].item(), column[1].item()] for axis, column in columns.items()}
    assert by_axis([*values, math.nan, math.inf], longer, method, draws=3) == by_axis(values, columns, method, draws=3)


@pytest.mark.parametrize("absent", [None, math.nan])
def test_an_axis_that_exists_in_some_trials_is_for_ped_anova_alone(absent):
    values, columns = searched(60)
    columns["parts"] = [absent if index % 3 == 0 else float(index % 5) for index in range(60)]
    found = by_axis(values, columns, "fanova", draws=2)
    assert found["parts"].note == "it exists in 40 of 60 trials, and fANOVA needs it in all"
    assert (found["parts"].n, math.isnan(found["parts"].importance)) == (40, True)
    assert found["a"].importance > 0.5
    row = by_axis(values, columns, "ped_anova", draws=2)["parts"]
    assert (row.n, row.note) == (40, "")
    assert 0 <= row.importance <= 1
    nowhere = by_axis(values, columns | {"parts": [absent] * 60}, "ped_anova", draws=2)["parts"]
    assert (nowhere.n, nowhere.note) == (0, "it exists in no trial")


def test_a_column_of_numbers_and_words_is_a_choice():
    random = np.random.default_rng(0)
    margin = [(0.3, 1.2, "soft")[index] for index in random.integers(0, 3, 60)]
    values = np.array([setting == "soft" for setting in margin]) + 0.01 * random.normal(size=60)
    rows = by_axis(values, {"margin": margin, "other": random.random(60)}, "fanova", draws=2)
    assert rows["margin"].importance > 0.9


@BOTH
@pytest.mark.parametrize(
    ("values", "note"),
    [
        ([], "fewer than two trials have a value"),
        ([0.5], "fewer than two trials have a value"),
        ([0.5, math.nan], "fewer than two trials have a value"),
        ([0.5, 0.5, 0.5], "every trial has the same value"),
    ],
)
def test_values_that_say_nothing_give_nan_with_a_note(method, values, note):
    row = by_axis(values, {"a": list(range(len(values)))}, method)["a"]
    assert (row.note, [math.isnan(number) for number in (row.importance, row.low, row.high)]) == (note, [True] * 3)


@BOTH
def test_two_trials_do_not_fail(method):
    row = by_axis([0.4, 0.5], {"a": [1, 2]}, method, draws=8)["a"]
    assert row.n == 2


@BOTH
def test_optuna_keeps_quiet_and_its_settings_stay(method, caplog, monkeypatch):
    before = optuna.logging.get_verbosity()
    monkeypatch.setattr(logging.getLogger("optuna"), "handlers", [caplog.handler])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        by_axis(*searched(12), method, draws=2)
    assert optuna.logging.get_verbosity() == before
    assert caplog.records == []


def test_optuna_is_imported_when_it_is_used():
    code = "import analysis.statistics.importance, sys; print({'optuna', 'sklearn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_what_does_not_fit_is_refused():
    with pytest.raises(RequestError, match="method 'fanva' is unknown; did you mean 'fanova'"):
        by_axis([0.1, 0.2], {"a": [1, 2]}, "fanva")
    with pytest.raises(RequestError, match="axis 'a' has 3 settings for 2 trials; give one per trial"):
        by_axis([0.1, 0.2], {"a": [1, 2, 3]})


@pytest.mark.parametrize(
    ("trials", "axes", "crowded_by", "words"),
    [
        (100, 4, None, []),
        (99, 4, None, ["99 trials are too few for 4 axes: with fewer than 100"]),
        (199, 8, None, ["199 trials are too few for 8 axes: with fewer than 200"]),
        (200, 8, None, []),
        (50, 1, None, ["50 trials are too few for 1 axis"]),
        (500, 4, "tpe", ["chosen by tpe"]),
        (24, 4, "tpe", ["24 trials are too few for 4 axes: with fewer than 50", "chosen by tpe"]),
        (50, 4, "tpe", ["chosen by tpe"]),
    ],
)
def test_problems_say_why_not_to_trust_importances(trials, axes, crowded_by, words):
    found = problems(trials, axes, crowded_by)
    assert len(found) == len(words)
    assert all(word in message for word, message in zip(words, found, strict=True))
