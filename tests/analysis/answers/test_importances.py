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
    given = write(empty, study_text, result_of, 30)
    found = importance_of(empty)
    assert {item.axis: item.importance for item in found.ped_anova} == pytest.approx(by_optuna(*given))
    assert (found.trials, found.used, found.fanova) == (30, 30, ())
    assert list(found.warnings) == problems(30, 2, "tpe")
    assert len(found.warnings) == 2
    assert all(item.low <= item.high for item in found.ped_anova)
    assert importance_of(empty) == found, "the same every time"


def test_trials_of_a_random_sampler_have_shares_of_variance_too(empty, study_text, result_of):
    write(empty, study_text, result_of, 12, sampler="random")
    rate, parts = importance_of(empty).fanova
    assert (rate.axis, parts.axis) == (RATE, PARTS)
    assert rate.importance > 0.5 > parts.importance


@pytest.mark.parametrize(("count", "axes"), [(9, (RATE, PARTS)), (12, (RATE,))])
def test_few_trials_or_one_axis_have_none(empty, study_text, result_of, count, axes):
    write(empty, study_text, result_of, count, axes=axes)
    assert importance_of(empty) is None


def test_of_many_trials_some_are_drawn(empty, study_text, result_of, monkeypatch):
    monkeypatch.setattr("analysis.answers.importances.MOST_TRIALS", 11)
    write(empty, study_text, result_of, 14)
    found = importance_of(empty)
    assert (found.trials, found.used) == (14, 11)
    assert {item.n for item in found.ped_anova} == {11}
