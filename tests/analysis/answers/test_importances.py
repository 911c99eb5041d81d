import json
import math

import numpy as np
import pytest

from analysis.answers.importances import summarise_importance
from analysis.answers.searches import summarise_searches
from analysis.reading.proposals import search_table
from analysis.statistics.importance import problems
from reid_search.records import read_state

RATE, PARTS = "training.learning_rate", "model.parts"
AXES = (
    "axes:\n  training.learning_rate: {log_uniform: [0.0001, 0.1]}\n"
    "  model.parts: {choice: [[1], [1, 2]]}\n  losses.triplet.margin: {uniform: [0.1, 2.0], levels: [0.3, 1.2]}\n"
)


def write(study, text, result_of, count, *, sampler="tpe", axes=(RATE, PARTS)):
    """Write a search whose value follows the logarithm of the rate and nothing else; return rates, parts, values."""
    start, end = text.index("axes:\n"), text.index("phases:\n")
    study.begin(text[:start] + AXES + text[end:])
    generator = np.random.default_rng(5)
    rates = 10 ** generator.uniform(-4, -1, count)
    parts = generator.choice(["[1]", "[1, 2]"], count)
    values = 0.5 + 0.1 * np.log10(rates) + generator.normal(0, 0.01, count)
    for number, (rate, part, value) in enumerate(zip(rates, parts, values, strict=True)):
        settings = {RATE: json.dumps(float(rate)), PARTS: str(part)}
        key = f"{number:016x}"
        study.log(
            "ask", phase="search", kind="search", number=number, key=key, seed=10_000, evaluate="val", by=sampler,
            settings={axis: settings[axis] for axis in axes}, space="5" * 16, params={},
        )  # fmt: skip
        study.trial(key, 10_000, holdout=0.2, readouts={"default": result_of("val", float(value), 0.5)}, epochs=(0.1,))
    return rates, parts, values


def importance_of(study):
    results = read_state(study.store)
    [search] = summarise_searches(results, search_table(results))
    return summarise_importance(results, search)


def by_optuna(rates, parts, values):
    """Return the shares of PED-ANOVA, of logarithms and choices."""
    from optuna import create_study, create_trial, logging
    from optuna.distributions import CategoricalDistribution, FloatDistribution
    from optuna.importance import PedAnovaImportanceEvaluator

    logging.set_verbosity(logging.ERROR)
    logs = [math.log(rate) for rate in rates]
    spaces = {"rate": FloatDistribution(min(logs), max(logs)), "parts": CategoricalDistribution(["[1, 2]", "[1]"])}
    study = create_study(direction="maximize")
    study.add_trials([
        create_trial(params={"rate": log, "parts": str(part)}, distributions=spaces, value=float(value))
        for log, part, value in zip(logs, parts, values, strict=True)
    ])  # fmt: skip
    found = PedAnovaImportanceEvaluator().evaluate(study)
    total = sum(found.values())
    return {RATE: found["rate"] / total, PARTS: found["parts"] / total}


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_shares_are_those_of_optuna_on_logarithms_with_the_warnings(empty, study_text, result_of):
    given = write(empty, study_text, result_of, 30, sampler="random")
    found = importance_of(empty)
    assert {item.axis: item.importance for item in found.ped_anova} == pytest.approx(by_optuna(*given))
    assert (found.trials, found.used, found.epoch, found.refused) == (30, 30, None, "")
    assert list(found.warnings) == problems(30, 2, None)
    assert len(found.warnings) == 1
    assert all(item.low <= item.high for item in found.ped_anova)
    assert importance_of(empty) == found, "the same every time"


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_trials_have_shares_of_variance_and_the_best_tenth_only_of_a_sampler_that_does_not_crowd(
    empty, study_text, result_of, sampler
):
    write(empty, study_text, result_of, 12, sampler=sampler)
    found = importance_of(empty)
    rate, parts = found.fanova
    assert (rate.axis, parts.axis) == (RATE, PARTS)
    assert rate.importance > 0.5 > parts.importance
    assert bool(found.ped_anova) == (sampler == "random")
    assert list(found.warnings) == problems(12, 2, "tpe" if sampler == "tpe" else None)


def test_an_axis_whose_bad_settings_are_all_stopped_is_seen_to_matter(empty, study_text, result_of):
    """Parts are worth 25 points, the rate up to 4; every trial with one part is stopped after two of four epochs."""
    start_of, end_of = study_text.index("axes:\n"), study_text.index("phases:\n")
    empty.begin(study_text[:start_of] + AXES + study_text[end_of:])
    generator = np.random.default_rng(1)
    for number in range(24):
        parts, rate = ("[1]", "[1, 2]")[number % 2], 10 ** generator.uniform(-4, -1)
        end = 0.4 + 0.25 * (parts == "[1, 2]") + 0.04 * (math.log10(rate) + 4) / 3 + generator.normal(0, 0.01)
        key, curve = f"{number:016x}", (0.3 * end, 0.6 * end, 0.9 * end, end)
        empty.log(
            "ask", phase="search", kind="search", number=number, key=key, seed=10_000, evaluate="val", by="random",
            settings={RATE: json.dumps(float(rate)), PARTS: parts}, space="5" * 16, params={},
        )  # fmt: skip
        if parts == "[1]":
            empty.trial(key, 10_000, holdout=0.2, status="stopped", reason="by the pruner", epochs=curve[:2])
        else:
            empty.trial(key, 10_000, holdout=0.2, readouts={"default": result_of("val", end, 0.5)}, epochs=curve)
    found = importance_of(empty)
    rate, parts = found.fanova
    assert (found.trials, found.epoch, parts.n) == (24, 2, 24)
    assert parts.importance > 0.8 > 0.2 > rate.importance
    empty.trial("f" * 16, 10_000, holdout=0.2, status="stopped", reason="by the pruner", epochs=())
    empty.log(
        "ask", phase="search", kind="search", number=24, key="f" * 16, seed=10_000, evaluate="val", by="random",
        settings={RATE: "0.1", PARTS: "[1]"}, space="5" * 16, params={},
    )  # fmt: skip
    assert importance_of(empty).refused == "no epoch was validated in all 25 trials, and some were stopped"


def test_few_trials_say_why_and_one_axis_has_nothing_to_compare_with(empty, study_text, result_of):
    write(empty, study_text, result_of, 9)
    assert importance_of(empty).refused == "9 trials finished or were stopped, and it takes 10"


def test_one_axis_has_no_importance(empty, study_text, result_of):
    write(empty, study_text, result_of, 12, axes=(RATE,))
    assert importance_of(empty) is None


def test_of_many_trials_some_are_drawn(empty, study_text, result_of, monkeypatch):
    monkeypatch.setattr("analysis.answers.importances.MOST_TRIALS_FANOVA", 11)
    write(empty, study_text, result_of, 14)
    found = importance_of(empty)
    assert (found.trials, found.used) == (14, 11)
    assert {item.n for item in found.fanova} == {11}
