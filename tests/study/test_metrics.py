"""The registry of metrics: what it promises, and what study files may ask for."""

import re

import pytest

from reid_search.data.synthetic.config import SyntheticConfig
from reid_search.errors import StudyError
from reid_search.study import EvaluationRule, SingleShot, StudyConfig, load_study
from reid_search.study.metrics import METRICS, Metric, claimable, metric_of, objectives

FILE = """\
name: small
base:
  data: {name: synthetic, preset: tiny}
  model: {architecture: mgn, backbone: resnet10_thin, embedding_dim: 64}
axes: {model.parts: {choice: [[1], [1, 2]]}}
"""


def _study(tmp_path, phases, claims=""):
    path = tmp_path / "study.yaml"
    path.write_text(f"{FILE}phases:\n  - {phases}\n{claims}")
    return load_study(path)


def test_names_columns_and_titles_are_told_apart():
    assert all(name == metric.name for name, metric in METRICS.items())
    for attribute in ("name", "title"):
        assert len({getattr(metric, attribute) for metric in METRICS.values()}) == len(METRICS)
    assert len({(metric.column, metric.within) for metric in METRICS.values()}) == len(METRICS)


def test_a_column_is_that_of_a_metric_whatever_its_split():
    assert metric_of("test/mAP@R") is metric_of("test/duke/mAP@R") is METRICS["mAP@R"]
    assert metric_of("mAP") is metric_of("test/seconds") is None


def test_a_search_may_maximise_what_every_epoch_has(tmp_path):
    whole = ["val/mAP", "val/rank1", "val/mINP", "val/mAP@R"]
    assert objectives() == [*whole, "val/single_shot_mAP", "val/single_shot_rank1"]
    for objective in whole:
        assert _study(tmp_path, f"{{kind: search, objective: {objective}}}").config.phases[0].objective == objective
    with pytest.raises(StudyError, match=r"objective: 'val/mAP_trapezoidal' is not a choice; did you mean 'val/mAP'"):
        _study(tmp_path, "{kind: search, objective: val/mAP_trapezoidal}")
    with pytest.raises(StudyError, match=r"objective: 3 is not a choice; \(?allowed: val/mAP"):
        _study(tmp_path, "{kind: search, objective: 3}")


def test_a_claim_names_what_may_decide_it(tmp_path):
    whole = ["mAP", "rank1", "rank5", "rank10", "mINP", "mAP@R"]
    assert claimable() == [*whole, *(f"single_shot_{name}" for name in whole[:4])]
    phases, claim = "{kind: ablate, design: claims}", "{{better: {{model.parts: [1]}}, metric: {}}}"
    for metric in whole:
        study = _study(tmp_path, phases, f"claims:\n  one: {claim.format(metric)}\n")
        assert study.config.claims["one"].metric == metric
    with pytest.raises(StudyError, match=r"one.metric: 'mAP_trapezoidal' is not a choice; .*allowed: mAP, mAP@R"):
        _study(tmp_path, phases, f"claims:\n  one: {claim.format('mAP_trapezoidal')}\n")


def test_the_schema_for_editors_lists_them():
    defined = StudyConfig.model_json_schema()["$defs"]
    assert defined["SearchPhase"]["properties"]["objective"]["enum"] == objectives()
    own, of_a_test = defined["ClaimConfig"]["properties"]["metric"]["anyOf"]
    assert own["enum"] == claimable()
    assert re.fullmatch(of_a_test["pattern"], "duke/mAP@R")
    assert not re.fullmatch(of_a_test["pattern"], "duke/mAP_trapezoidal")


def test_an_added_metric_is_a_choice_at_once(tmp_path, monkeypatch):
    added = Metric(name="AP5", title="AP of five", column="average_precision", in_epochs=True, in_claims=True)
    monkeypatch.setitem(METRICS, "AP5", added)
    assert _study(tmp_path, "{kind: search, objective: val/AP5}").config.phases[0].objective == "val/AP5"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"range": (0.0, 50.0)}, r"range \(0.0, 50.0\); what is shown in per cent lies in \(0.0, 1.0\)"),
        ({"unit": "count", "in_claims": True}, "a claim is about percentage points, and its unit is count"),
    ],
)
def test_an_entry_that_contradicts_itself_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        Metric(name="odd", title="Odd", column="average_precision", **fields)


def test_a_search_maximises_so_it_takes_nothing_that_is_better_when_small():
    error = Metric(name="error", title="Error", column="average_precision", in_epochs=True, direction="minimise")
    assert (error.may_be_objective, error.sign) == (False, -1)


@pytest.fixture
def single_shot(monkeypatch):
    rule = EvaluationRule(single_shot=SingleShot(draws=3))
    monkeypatch.setattr(SyntheticConfig, "rule", property(lambda _: rule))


@pytest.mark.usefixtures("single_shot")
def test_what_random_galleries_measure_may_be_maximised_and_claimed(tmp_path):
    for name in ("single_shot_rank1", "single_shot_mAP", "mAP"):
        _study(tmp_path, f"{{kind: search, objective: val/{name}}}")
        _study(
            tmp_path,
            "{kind: ablate, design: claims}",
            f"claims:\n  a: {{better: {{model.parts: [1]}}, metric: {name}}}",
        )


@pytest.mark.usefixtures("single_shot")
def test_a_metric_that_the_data_set_does_not_measure_is_refused(tmp_path):
    said = r"is not measured on data set 'synthetic', whose rule is 'same camera; single shot .*, 3 draws, seed 0'"
    with pytest.raises(
        StudyError, match=rf"yaml:\d+: phases.0 \(search\).objective: 'val/rank1' {said}; .*val/single_shot_rank1"
    ):
        _study(tmp_path, "{kind: search, objective: val/rank1}")
    with pytest.raises(StudyError, match=rf"yaml:\d+: claims.a.metric: 'rank1' {said}; .*single_shot_rank1"):
        _study(tmp_path, "{kind: ablate, design: claims}", "claims:\n  a: {better: {model.parts: [1]}, metric: rank1}")


def test_a_whole_gallery_measures_nothing_in_random_ones(tmp_path):
    with pytest.raises(StudyError, match=r"'val/single_shot_mAP' is not measured .*'same camera'; .*val/mAP"):
        _study(tmp_path, "{kind: search, objective: val/single_shot_mAP}")


@pytest.mark.usefixtures("single_shot")
def test_re_ranking_by_the_whole_gallery_is_refused_where_a_part_of_it_is_searched(tmp_path):
    (tmp_path / "study.yaml").write_text(FILE + "phases: [{kind: ablate}]\n")
    with pytest.raises(StudyError, match=r"readouts.default.scorer: 'k_reciprocal' looks at the whole gallery, but"):
        load_study(tmp_path / "study.yaml", ["base.readouts.default.scorer=k_reciprocal"])
