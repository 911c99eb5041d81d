import pandas as pd
import pytest

from analysis.answers.effects import EffectsSummary
from analysis.answers.groups import Group
from analysis.answers.importances import ImportanceSummary
from analysis.reading.comparability import Difference
from analysis.reporting.describe_tables import (
    describe_centre,
    describe_effects,
    describe_heading,
    describe_importance,
)
from analysis.statistics.importance import AxisImportance

ARMS = [{"arm": "baseline", "mAP": 0.6}, {"arm": "a=1", "axis": "a", "level": "1", "mAP": 0.65, "delta": 0.05}]
UNLIKE = (Difference("evaluate", "c", "val", "baseline", "test"),)


@pytest.mark.parametrize(
    ("shared", "heading"),
    [({"b": "2"}, "Ablation ‘ablate’, readout ‘global’: b = 2"),
     ({}, "Ablation ‘ablate’, readout ‘global’: protocol 0a1b2c3d")],
)  # fmt: skip
def test_a_group_is_named_after_what_it_shares_or_its_protocol(ablation_of, shared, heading):
    group = Group("0a1b2c3d", ("c", "d"), "c", shared, UNLIKE)
    ablation = ablation_of(ARMS, {"a": "0"}, readout="global", group=group, number=2, groups=2)
    assert describe_heading(ablation) == heading
    assert "another protocol (evaluate val instead of test)" in describe_centre(ablation)
    assert describe_centre(ablation).endswith("is a = 0.")


def test_a_single_group_speaks_of_the_baseline_alone(ablation_of):
    ablation = ablation_of(ARMS, {})
    assert describe_heading(ablation) == "Ablation ‘ablate’"
    assert describe_centre(ablation) == "The baseline is the study's base."


@pytest.mark.parametrize(("aliases", "left_out", "notes"), [("", (), 2), ("b × c", (), 3), ("b × c", ("d = 1",), 4)])
def test_effects_say_what_they_rest_on(ablation_of, aliases, left_out, notes):
    table = pd.DataFrame({"family": [7], "aliases": [aliases]})
    found = describe_effects(ablation_of(ARMS, {}, effects=EffectsSummary(table, left_out)))
    assert len(found) == notes
    assert "counts 7 effects" in found[1]
    assert ("d = 1" in found[-1]) is bool(left_out)


def test_importances_begin_with_what_speaks_against_them():
    rows = [AxisImportance("a", 1.0, 0.8, 1.0, 20), AxisImportance("b", 0.0, 0.0, 0.0, 20, "one level")]
    found = describe_importance(ImportanceSummary(rows, rows, 30, 20, None, ["20 trials are too few"]))
    assert found[0] == "Caution: 20 trials are too few."
    assert any("PED-ANOVA" in note for note in found)
    assert any("From the ends of 30 trials" in note for note in found)
    assert found[-2:] == ["fANOVA used 20 of 30 trials, drawn at random.", "b: one level."]


def test_importances_say_which_values_they_compare_and_why_there_are_none():
    rows = [AxisImportance("a", 1.0, 0.8, 1.0, 20)]
    found = describe_importance(ImportanceSummary(rows, (), 30, 30, 2))
    assert not any("PED-ANOVA" in note for note in found)
    assert any("From the values after epoch 2, the last that all 30 trials reached" in note for note in found)
    refused = ImportanceSummary(refused="4 trials finished or were stopped, and it takes 10")
    assert describe_importance(refused) == ["Not computed: 4 trials finished or were stopped, and it takes 10."]
